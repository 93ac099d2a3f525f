"""Labels of the runs of a series, and what is beyond noise in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audit.core.errors import RunError
from audit.core.plan import MeasureSettings
from audit.core.sentences import group_words
from audit.runs.run import Run
from audit.runs.run_like import RunLike, as_run
from audit.series.figures import Step
from audit.series.measuring import Measured
from audit.stats import ALL


def labelled(
    runs: Sequence[RunLike] | Mapping[str, RunLike], labels: Sequence[str | None] | None = None
) -> tuple[list[Run], list[str]]:
    """The runs with a label for each: the given one, else its folder's name, or its model's if it has no folder.

    A label that was not given and occurs twice is preceded by the place of its run.

    Raises
    ------
    RunError
        If the labels are not one for each run, or a given one is repeated.
    """
    given = runs.values() if isinstance(runs, Mapping) else runs
    read = [as_run(run) for run in given]
    asked = list(runs) if isinstance(runs, Mapping) else [None] * len(read) if labels is None else list(labels)
    if len(asked) != len(read):
        raise RunError(f"{len(asked)} labels were given for {len(read)} runs.", "one label for each run")
    names = [
        label or (run.folder.resolve().name if run.folder else str(run.manifest["model"]["name"]))
        for label, run in zip(asked, read, strict=True)
    ]
    found = [
        name if label or names.count(name) == 1 else f"{i}: {name}"
        for i, (label, name) in enumerate(zip(asked, names, strict=True), start=1)
    ]
    if repeated := sorted({name for name in found if found.count(name) > 1}):
        raise RunError(f"Two runs have the label {repeated[0]!r}.", "a different label for each run: NAME=RUN NAME=RUN")
    return read, found


def step_sentence(step: Step) -> str:
    """A change beyond noise in one sentence."""
    change = step.change
    p = "below 0.001" if (change.p_adjusted or 0) < 0.001 else f"{change.p_adjusted or 0:.3f}"
    sizes = f"{change.change.text}; from {change.before.text} to {change.after.text}; adjusted p {p}"
    who = "all groups" if change.group == ALL else group_words(change.group)
    if change.change.value is None:
        sizes = change.change.method
    return f"{change.candidate} against {step.since}: {change.figure}, {change.told}, {who}: {step.marked} ({sizes})."


def count_sentence(made: Measured, settings: MeasureSettings, what: str) -> str:
    """The number of tested changes, and of those beyond noise; ``what`` is their noun."""
    count = sum(step.marked is not None for step in made.steps)
    error, verb = f"{round(100 * (1 - settings.confidence), 6):g}%", "is" if count == 1 else "are"
    return (
        f"{count} of {made.n_tests} tested {what} {verb} beyond noise. If nothing differed, the probability of any "
        f"such result would be at most {error} (p-values adjusted by Holm)."
    )


def suppression_notice(made: Measured, settings: MeasureSettings) -> list[str]:
    """A notice with the number of suppressed changes; none without suppression."""
    below = settings.suppress_below
    words = f"{made.n_suppressed} of {len(made.steps)} changes are suppressed: fewer than {below} speakers"
    return [f"{words}, or they would reveal a cell with fewer."] if below >= 2 else []
