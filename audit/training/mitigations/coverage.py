"""More languages of a group in the training data; :class:`audit.training.mitigations.plan.Coverage` has the options.

It takes effect where the training clips are chosen (:meth:`audit.training.plan.TrainPlan.share`), not in a step.
"""

from __future__ import annotations

from audit.training.mitigations.registry import Mitigation
from audit.training.mitigations.training import TrainingMitigation

MITIGATION = Mitigation(
    name="coverage",
    kind="data",
    summary="cover more languages of a group with data that the plan leaves out",
    value=TrainingMitigation,
)
