"""Planted truth: runs of which every probability and correlation is known."""

from audit.runs.simulation.drawing import shared_uniforms, simulate
from audit.runs.simulation.truth import Truth

__all__ = ["Truth", "shared_uniforms", "simulate"]
