"""The probe: fictional bilingual voices asked of any model, one thing about a voice changed at a time."""

from audit.probing.probe import Probe
from audit.probing.probing import probe

__all__ = ["Probe", "probe"]
