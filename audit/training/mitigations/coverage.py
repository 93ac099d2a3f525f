"""More languages of a group in the training data; :class:`audit.training.mitigations.plan.Coverage` has the options.

It acts where the clips of a training are chosen (:meth:`audit.training.plan.TrainPlan.share`), so that nothing is left
to do in a step.
"""

from __future__ import annotations

from audit.training.mitigations import Mitigation
from audit.training.mitigations.training import TrainingMitigation, TrainingSetup


def create(setup: TrainingSetup) -> TrainingMitigation:
    """A mitigation that changes nothing in a step."""
    return TrainingMitigation()


MITIGATION = Mitigation(
    name="coverage",
    kind="data",
    summary="more languages of a group are heard: new data, where the plan left it out",
    value=create,
)
