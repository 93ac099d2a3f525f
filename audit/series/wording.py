"""Labels of the runs of a series, and what is beyond noise in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from audit.core.plan import MeasureSettings
from audit.core.sentences import group_words
from audit.runs.run import Run
from audit.series.figures import Step
from audit.series.measuring import Measured


def labelled(runs: Sequence[Run | str | Path] | Mapping[str, Run | str | Path]) -> tuple[list[Run], list[str]]:
    """The runs with a label for each: the given one, else its folder's name, or its model's if it has no folder.

    A label that occurs twice is preceded by the place of its run.
    """
    given = runs.values() if isinstance(runs, Mapping) else runs
    read = [run if isinstance(run, Run) else Run.read(run) for run in given]
    if isinstance(runs, Mapping):
        return read, list(runs)
    names = [run.folder.resolve().name if run.folder else str(run.manifest["model"]["name"]) for run in read]
    return read, [f"{i}: {name}" if names.count(name) > 1 else name for i, name in enumerate(names, start=1)]


def step_sentence(step: Step) -> str:
    """A change beyond noise in one sentence."""
    change = step.change
    p = "below 0.001" if (change.p_adjusted or 0) < 0.001 else f"{change.p_adjusted or 0:.3f}"
    sizes = f"{change.change.text}; from {change.before.text} to {change.after.text}; adjusted p {p}"
    if change.change.value is None:
        sizes = change.change.method
    return (
        f"{change.candidate} against {step.since}: {change.figure}, {change.told}, {group_words(change.group)}: "
        f"{step.marked} ({sizes})."
    )


def count_sentence(made: Measured, settings: MeasureSettings) -> str:
    """The number of tested changes, and of those beyond noise."""
    count = sum(step.marked is not None for step in made.steps)
    error = f"{round(100 * (1 - settings.confidence), 6):g}%"
    return (
        f"{count} of {made.n_tests} tested changes {'is' if count == 1 else 'are'} beyond noise. If nothing had changed, "
        f"the probability of any would be at most {error} (p-values adjusted by Holm)."
    )


def suppression_notice(made: Measured, settings: MeasureSettings) -> list[str]:
    """A notice with the number of suppressed changes; none without suppression."""
    below = settings.suppress_below
    words = f"{made.n_suppressed} of {len(made.steps)} changes are suppressed: fewer than {below} speakers"
    return [f"{words}, or they would reveal a cell with fewer."] if below >= 2 else []
