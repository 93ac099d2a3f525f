"""The harness: runs a model over a cohort and an instrument over its faces, locally or on Ray."""

from audit.runs.harness.reading_again import read_again
from audit.runs.harness.running import run

__all__ = ["read_again", "run"]
