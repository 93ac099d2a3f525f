"""The probe: what changes in a model's faces when one thing about a fictional bilingual voice changes."""

from audit.probes.probe import Probe
from audit.probes.probing import probe

__all__ = ["Probe", "probe"]
