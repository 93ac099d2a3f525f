"""Instruments that read faces in pictures. They never receive labels.

Importing this package is cheap; DeepFace is loaded when an instrument is built.
"""

from audit.instruments.protocol import Instrument, Reading
from audit.instruments.registry import available, instrument

__all__ = ["Instrument", "Reading", "available", "instrument"]
