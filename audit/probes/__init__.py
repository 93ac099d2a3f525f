"""The probe: fictional bilingual voices asked of any model, one thing about a voice changed at a time."""

from audit.probes.probe import Probe
from audit.probes.probing import probe

__all__ = ["Probe", "probe"]
