"""The history of a model over its releases: Run, Run, ... -> History, a pure function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Final

from audit.audits.audit import Audit
from audit.audits.method import METHOD_VERSION
from audit.comparisons.comparable import difference, refuse_incomplete
from audit.comparisons.compare import UNUSED, identity, notices, without_files
from audit.core.document import Form
from audit.core.errors import RunError
from audit.core.plan import MeasureSettings
from audit.runs.run import Run
from audit.runs.run_like import RunLike
from audit.series.measuring import Link, measure_series
from audit.series.series import Series, SeriesForm
from audit.series.wording import count_sentence, labelled, step_sentence, suppression_notice

MOST: Final = 100
"""The largest number of runs."""
_LONG: Final = 24
"""The most characters of a value in a sentence about a break."""


@dataclass(frozen=True)
class Break:
    """Two neighbouring releases that differ in more than the model, so that no change between them is tested.

    ``before`` and ``after`` are their labels, ``what`` is the first difference found, and ``was`` and ``now`` are its
    values.
    """

    before: str
    after: str
    what: str
    was: str
    now: str

    @property
    def sentence(self) -> str:
        """The break in words."""
        was, now = (
            value if len(value) <= _LONG else f"{value[:_LONG]}\N{HORIZONTAL ELLIPSIS}"
            for value in (self.was, self.now)
        )
        return f"No change is tested between {self.before} and {self.after}: {self.what} is {was} and then {now}."


class HistoryForm(SeriesForm):
    """The content of history.json."""

    breaks: tuple[Break, ...]


@dataclass(frozen=True, repr=False)
class History(Series):
    """The figures of every release, and the changes beyond noise; a pure function of the runs and the settings.

    Attributes
    ----------
    breaks : tuple of Break
        Where cohort, instrument or settings changed.
    """

    FILE: ClassVar[str] = "history.json"
    COMMAND: ClassVar[str] = "audit history RUN RUN -o OUT"
    FORM: ClassVar[type[Form]] = HistoryForm
    LABEL: ClassVar[str] = "release"

    breaks: tuple[Break, ...] = ()


def history(
    runs: Sequence[RunLike] | Mapping[str, RunLike],
    *,
    labels: Sequence[str | None] | None = None,
    settings: MeasureSettings | None = None,
) -> History:
    """The figures of a model over its releases, with the changes that are beyond noise.

    All runs are measured again with the same settings. The changes from each release to the next, and from the first to
    the last of each stretch of comparable releases, are paired on the same clips and speakers, as in
    :func:`audit.compare`. A change is marked if its p-value, adjusted by Holm (1979) over all checks, groups and
    changes of the history, is at most one minus the confidence. So the probability that anything is marked in a history
    in which nothing changes is at most that.

    Parameters
    ----------
    runs : sequence, or mapping of str
        Complete runs, their audits or folders, from the oldest release to the newest. The keys of a mapping are the
        labels of the releases.
    labels : sequence of str or None, optional
        The labels of the releases, if ``runs`` is a sequence; ``None`` for the name of the run's folder.
    settings : MeasureSettings, optional
        Measurement settings, as in a plan's section ``measure``. Human readings and calibration files are not used.

    Returns
    -------
    History
        Write its page with :meth:`History.write_report`.

    Raises
    ------
    RunError
        If there are fewer than two runs or more than 100, or one is incomplete.

    Examples
    --------
    >>> import audit
    >>> truth = {"groups": ["asian", "white"], "speakers_per_group": 40}
    >>> worse = truth | {"rendered": {"asian": {"en": {"white": 0.5}}}}
    >>> runs = audit.simulate(truth), audit.simulate(truth), audit.simulate(worse)
    >>> found = audit.history(runs, labels=["1.0", "1.1", "2.0"])
    >>> step = next(step for step in found.marked if step.change.figure == "S2F001")
    >>> step.since, step.change.candidate, step.change.group, step.marked
    ('1.1', '2.0', 'asian', 'worse')
    """
    read, names = labelled(runs, labels)
    if not 2 <= len(read) <= MOST:
        raise RunError(f"{len(read)} runs were given.", f"from 2 to {MOST}: audit history A B ... -o OUT")
    refuse_incomplete(read, names)
    chosen = without_files(settings or MeasureSettings())
    breaks, stretches = [], [[0]]
    for i, (one, other) in enumerate(pairwise(read), start=1):
        if (found := difference(one, other)) is None:
            stretches[-1].append(i)
        else:
            stretches.append([i])
            breaks.append(Break(names[i - 1], names[i], *found))
    links = [Link(*places) for stretch in stretches for places in pairwise(stretch)]
    links += [Link(stretch[0], stretch[-1], overall=True) for stretch in stretches if len(stretch) > 2]
    made = measure_series(read, names, stretches, links, chosen)
    of_stretches = [notices([read[i] for i in stretch], [names[i] for i in stretch]) for stretch in stretches]
    said = dict.fromkeys(notice for found in of_stretches for notice in found)
    return History(
        runs=tuple({"label": label, **identity(run)} for label, run in zip(names, read, strict=True)),
        settings=chosen.model_dump(mode="json", exclude=UNUSED),
        notices=(*said, *_other_methods(read, names), *suppression_notice(made, chosen)),
        sentences=(
            count_sentence(made, chosen, "changes"),
            *(step_sentence(step) for step in made.steps if step.marked),
        ),
        n_tests=made.n_tests,
        verdicts=made.verdicts,
        points=made.points,
        steps=made.steps,
        breaks=tuple(breaks),
    )


def _other_methods(runs: Sequence[Run], labels: Sequence[str]) -> list[str]:
    """A notice about runs whose audit.json is of another version of the method."""
    other = []
    for run, label in zip(runs, labels, strict=True):
        if run.folder is not None and (run.folder / Audit.FILE).is_file():
            version = Audit.read_stored(run.folder).content.get("method_version")
            other += [label] if version != METHOD_VERSION else []
    words = f"The audit.json of {', '.join(other)} was measured by another version of the method."
    return [f"{words} All releases are measured again here by version {METHOD_VERSION}."] if other else []
