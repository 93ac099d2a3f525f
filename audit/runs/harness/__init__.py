"""The harness: a model over a cohort, read by an instrument, here, in worker processes or on Ray."""

from audit.runs.harness.running import run

__all__ = ["run"]
