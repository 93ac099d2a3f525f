"""Instruments: what reads a face in a picture. They see pictures and never a label.

Importing this costs nothing; DeepFace and its parts are loaded when an instrument is built.
"""

from audit.instruments.protocol import Instrument, Reading
from audit.instruments.registry import available, instrument

__all__ = ["Instrument", "Reading", "available", "instrument"]
