"""People's readings of rendered faces: the blind sheet that asks for them, and the filled file that brings them."""

from audit.labelling.readings import HumanReadings, read_human_readings
from audit.labelling.sample import draw
from audit.labelling.sheet import LabellingSheet, labelling_sheet

__all__ = ["HumanReadings", "LabellingSheet", "draw", "labelling_sheet", "read_human_readings"]
