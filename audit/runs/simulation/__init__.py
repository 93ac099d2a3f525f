"""Simulated runs with planted truth: known probabilities and correlations."""

from audit.runs.simulation.drawing import shared_uniforms, simulate
from audit.runs.simulation.truth import Truth

__all__ = ["Truth", "shared_uniforms", "simulate"]
