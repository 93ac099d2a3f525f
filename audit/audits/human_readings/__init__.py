"""Human readings of rendered faces: the blind labelling sheet, and the completed file."""

from audit.audits.human_readings.readings import HumanReadings, read_human_readings
from audit.audits.human_readings.sample import draw
from audit.audits.human_readings.sheet import LabellingSheet, labelling_sheet

__all__ = ["HumanReadings", "LabellingSheet", "draw", "labelling_sheet", "read_human_readings"]
