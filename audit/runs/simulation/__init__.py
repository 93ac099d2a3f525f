"""Simulated runs with planted truth: known probabilities and correlations, or one of the reference models."""

from audit.runs.simulation.drawing import SIMULATED, shared_uniforms, simulate
from audit.runs.simulation.reference import REFERENCE, REFERENCE_MODELS, reference_run
from audit.runs.simulation.truth import Truth

__all__ = ["REFERENCE", "REFERENCE_MODELS", "SIMULATED", "Truth", "reference_run", "shared_uniforms", "simulate"]
