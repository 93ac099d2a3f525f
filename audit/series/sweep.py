"""Several models on one cohort, side by side: Run, Run, ... -> Sweep, a pure function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from audit.comparisons.comparable import refuse_what_differs
from audit.comparisons.compare import UNUSED, identity, notices, without_files
from audit.core.document import Form
from audit.core.plan import MeasureSettings
from audit.runs.run import Run
from audit.series.measuring import Link, measure_series
from audit.series.series import Series, SeriesForm
from audit.series.wording import count_sentence, labelled, step_sentence, suppression_notice


@dataclass(frozen=True, repr=False)
class Sweep(Series):
    """The figures of several models on one cohort, and the differences of each from the first."""

    FILE: ClassVar[str] = "sweep.json"
    COMMAND: ClassVar[str] = "audit sweep --models A,B --cohort C -o OUT"
    FORM: ClassVar[type[Form]] = SeriesForm
    LABEL: ClassVar[str] = "model"

    @property
    def apart(self) -> dict[str, int]:
        """The number of differences from the first model that are beyond noise, by the label of each other model."""
        return {label: sum(step.change.candidate == label for step in self.marked) for label in self.labels[1:]}


def swept(
    runs: Sequence[Run | str | Path] | Mapping[str, Run | str | Path], *, settings: MeasureSettings | None = None
) -> Sweep:
    """The figures of several models on one cohort, and the differences of each from the first.

    The differences are paired on the same clips and speakers. Their p-values are adjusted by Holm (1979) over all
    models, checks and groups, and there is no ranking: a difference that is not beyond noise is no difference shown.

    Parameters
    ----------
    runs : sequence, or mapping of str
        Complete runs of one cohort by one instrument, or their folders. The keys of a mapping are the labels of the
        models; by default these are the names of the folders.
    settings : MeasureSettings, optional
        Measurement settings, as in a plan's section ``measure``. Human readings and calibration files are not used.

    Raises
    ------
    RunError
        If there are fewer than two runs, one is incomplete, or they differ in anything but the model.
    """
    read, labels = labelled(runs)
    refuse_what_differs(read, labels)
    chosen = without_files(settings or MeasureSettings())
    links = [Link(0, i) for i in range(1, len(read))]
    made = measure_series(read, labels, [range(len(read))], links, chosen)
    marked = [step for step in made.steps if step.marked]
    apart = {step.change.candidate for step in marked}
    words = [count_sentence(made, chosen, "differences")]
    for label in labels[1:]:
        words.append(f"{label} {'differs' if label in apart else 'cannot be told apart'} from {labels[0]}.")
        words += [step_sentence(step) for step in marked if step.change.candidate == label]
    return Sweep(
        runs=tuple({"label": label, **identity(run)} for label, run in zip(labels, read, strict=True)),
        settings=chosen.model_dump(mode="json", exclude=UNUSED),
        notices=(*notices(read, labels), *suppression_notice(made, chosen)),
        sentences=tuple(words),
        n_tests=made.n_tests,
        verdicts=made.verdicts,
        points=made.points,
        steps=made.steps,
    )
