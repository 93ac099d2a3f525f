"""The sensitivity of a judged figure to errors that its interval does not cover.

An interval covers the choice of speakers. It does not cover faces that are missing because of what they show, faces
that the instrument misreads only when they are rendered, and wrong group labels. For a number of such errors, the
figure is computed again from the changed clips, with its interval, in the same way as in the finding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from audit.checks.disputed import memberships
from audit.checks.evidence import Evidence
from audit.checks.figure import Figure
from audit.checks.strata import Mask
from audit.checks.summed import Summed
from audit.core.vocabulary import FILE_STATUSES, STAGES, Stage
from audit.core.votes import GROUP_VOTES
from audit.stats.speakers import Floats, Ints
from audit.stats.tipping import even_order, filling_order, relabelled, tipping_point
from audit.stats.verdict import Outcome

Doubt = Literal["missing_faces", "misclassified_faces", "wrong_labels"]
DOUBTS: Final[tuple[Doubt, ...]] = ("missing_faces", "misclassified_faces", "wrong_labels")
OPPOSITE: Final[dict[Outcome, Outcome]] = {"shown": "not_shown", "not_shown": "shown"}
_LABELS: Final = ("speaker_id", "cluster", "group", GROUP_VOTES, "gender", "language", "english", "ceiling_status")
"""The columns of the frame, besides metrics, that a figure may be computed from."""


@dataclass(frozen=True)
class FaceRead:
    """The read of the rendered face from which a judged figure is computed.

    Attributes
    ----------
    metric : str
        The metric, whose values are 0 and 1.
    before : {"portrait", "ceiling"} or None
        The stage with which the rendered face is compared; ``None`` for a figure of the rendered face alone.
    rises : bool
        Whether the figure rises with the metric.
    words : tuple of str
        What the values 0 and 1 mean, as after "faces": ``("read as other than white", "read as white")``.
    can_be_missing : bool
        Whether a missing face could have either value; not if the metric is about missing faces.
    """

    metric: str
    before: Stage | None
    rises: bool
    words: tuple[str, str]
    can_be_missing: bool = True

    @property
    def after(self) -> str:
        """The column of the rendered face's values."""
        return f"rendered.{self.metric}"


@dataclass(frozen=True)
class Sensitivity:
    """A judged figure that can be computed again from changed clips; made by :meth:`of`.

    Attributes
    ----------
    evidence : Evidence
        The clips.
    figure : Figure
        The figure as in the finding.
    judge : callable
        The figure of the clips of a mask, in the same way as in the finding. Its evidence may have these clips only.
    members, others : bool arrays of shape (clips,)
        The clips of the figure's group, and those of speakers who would count if their label were another.
    contribution : float array of shape (clips,)
        How much each clip raises the figure, averaged over a speaker's clips; NaN if it does not count.
    read : FaceRead or None
        The read behind the figure; ``None`` if it is not computed from single reads.
    allows : callable or None
        Whether speakers with a group label are members; ``None`` if it is the label of the figure's group.
    of_sums : bool
        Whether ``judge`` uses no other methods of its evidence than :meth:`Evidence.figure_curve` and
        :meth:`Evidence.changed`, of the read's metric and stages, and without a read only its labels: it may then be
        given sums; see :class:`Summed`.
    """

    evidence: Evidence
    figure: Figure
    judge: Callable[[Evidence, Mask], Figure]
    members: Mask
    others: Mask
    contribution: Floats
    read: FaceRead | None = None
    allows: Callable[[str], bool] | None = None
    of_sums: bool = False

    @classmethod
    def of(
        cls,
        evidence: Evidence,
        figure: Figure,
        judge: Callable[[Evidence, Mask], Figure],
        members: Mask,
        others: Mask,
        *,
        read: FaceRead | None = None,
        contribution: Floats | None = None,
        columns: Sequence[str] = (),
        allows: Callable[[str], bool] | None = None,
        of_sums: bool = False,
    ) -> Self:
        """The sensitivity of a figure, with the few columns that it needs.

        ``contribution`` is by default the value of the read, or its change since the stage before. ``columns`` are
        further columns that ``judge`` needs.
        """
        if contribution is None:
            assert read is not None, "a figure that is not computed from single reads needs contributions"
            after = evidence.values("rendered", read.metric)
            change = after if read.before is None else after - evidence.values(read.before, read.metric)
            contribution = change if read.rises else -change
        of_read = [] if read is None else [f"{stage}.{read.metric}" for stage in STAGES] + ["rendered.no_face"]
        names = [name for name in dict.fromkeys((*_LABELS, *of_read, *columns)) if name in evidence.frame]
        narrow = evidence.narrowed(*names)
        return cls(narrow, figure, judge, members, others, contribution, read, allows, of_sums)

    def directions(self) -> tuple[bool, ...]:
        """The directions, up (``True``) or down, in which a change of the figure could change its verdict."""
        outcome, value = self.figure.verdict.outcome, self.figure.value
        if outcome == "not_evaluable" or value is None:
            return ()
        if outcome == "inconclusive" or (self.figure.two_sided and outcome == "not_shown"):
            return (True, False)
        if self.figure.two_sided:
            return (value < 0,)
        return ((self.figure.harm == "high") == (outcome == "not_shown"),)

    @property
    def towards_harm(self) -> float:
        """The figure's value, negative where low values are harmful; its size if both are."""
        value = self.figure.value or 0.0
        return abs(value) if self.figure.two_sided else value if self.figure.harm == "high" else -value

    def available(self, doubt: Doubt, up: bool) -> int:
        """The number of clips (for ``wrong_labels``: speakers) that could be changed in one direction."""
        if doubt == "wrong_labels":
            return max(0, self.n_speakers - self.evidence.settings.min_speakers)
        return len(self._order(doubt, up))

    def changed(self, doubt: Doubt, up: bool, number: int) -> Figure:
        """The figure after ``number`` changes that raise it (or lower it), the most effective ones first.

        - ``missing_faces``: of the clips without a readable face, ``number`` are read so as to raise the figure, and
          all others so as to lower it.
        - ``misclassified_faces``: ``number`` rendered faces of the group are read the other way, evenly over clips.
        - ``wrong_labels``: ``number`` speakers leave or join the group.
        """
        if doubt == "wrong_labels":
            return self._relabelled(up, number)
        order = self._order(doubt, up)[:number]
        assert self.read is not None
        wanted = self._wanted(up)
        if doubt == "misclassified_faces" and self._parts_of_group is not None:
            parts, of_clip = self._parts_of_group
            changed = parts.with_changes(self.read.metric, of_clip[order], 2 * wanted - 1)
            return self.judge(changed, np.ones(len(parts.frame), bool))
        values = self._after.copy()
        if doubt == "misclassified_faces":
            values[order] = wanted
            return self._judged_with({self.read.after: values})
        chosen = np.isin(self._missing, order)
        columns = {self.read.after: self._filled(values, chosen, wanted)}
        if (before := self.read.before) is not None:
            columns[f"{before}.{self.read.metric}"] = self._filled(self._before, chosen, 1 - wanted)
        return self._judged_with(columns)

    def rate(self, doubt: Doubt, up: bool, number: int) -> float:
        """The error rate that ``number`` changes correspond to.

        Of missing faces, their share of all missing ones; of wrong labels, of the group's speakers. Of misclassified
        faces: of the faces that should be read in the changed way, the share that is read otherwise, ``h / (h + r)``
        with ``h`` misclassified ones and ``r`` that are read in that way.
        """
        if doubt == "wrong_labels":
            return number / max(1, self.n_speakers)
        if doubt == "missing_faces":
            return number / max(1, len(self._missing))
        assert self.read is not None
        right = int((self._counted & (self._after == self._wanted(up))).sum())
        return number / (number + right) if number else 0.0

    @property
    def n_missing(self) -> int:
        """The number of the group's clips without a readable face that could have been read."""
        return len(self._missing)

    @cached_property
    def n_speakers(self) -> int:
        """The number of the group's speakers who count."""
        return int(np.count_nonzero(self._of_speakers(self._counted)[1]))

    def worst(self, up: bool) -> tuple[int, Figure]:
        """The number of speakers with a disputed label, and the highest (or lowest) figure that their labels allow.

        For every number of these speakers in the group, those with the highest (lowest) values are in it. No other
        choice gives a more extreme mean over speakers, nor a more extreme difference to the others.
        """
        (members, values), (others, outside) = self._labelled
        value = np.zeros(int(self.evidence.speakers.max(initial=0)) + 1)
        value[members], value[others] = values, outside
        _, disputed = memberships(self.evidence, self.allows or self.figure.group.__eq__)
        speakers = np.intersect1d(np.r_[members, others], self.evidence.speakers[disputed])
        order = speakers[np.argsort(-value[speakers] if up else value[speakers], kind="stable")]
        place, found = np.zeros(len(value), np.int64), [self.figure]
        place[order] = -1
        for i in range(len(order) + 1):
            place[order[:i]] = 1
            of = place[self.evidence.speakers]
            found.append(self.judge(self.evidence, (self.members & (of >= 0)) | (self.others & (of > 0))))
        known = [figure for figure in found if figure.value is not None]
        return len(order), max(known, key=lambda figure: (1 if up else -1) * (figure.value or 0.0))

    def asks(self, doubt: Doubt) -> bool:
        """Whether the question makes sense for this figure."""
        if doubt == "wrong_labels":
            return True
        return self.read is not None and (doubt == "misclassified_faces" or self.read.can_be_missing)

    def tipping_points(
        self, doubt: Doubt, up: bool, outcome: Callable[[Figure], Outcome], wanted: Sequence[frozenset[Outcome]]
    ) -> list[int | None]:
        """For each set of outcomes, the smallest number of changes with which the outcome is one of the set.

        ``None`` where no possible number is enough; see :func:`audit.stats.tipping.tipping_point`.
        """
        known: dict[int, Outcome] = {}

        def found(number: int) -> Outcome:
            if number not in known:
                known[number] = outcome(self.changed(doubt, up, number))
            return known[number]

        fewest, most = int(doubt != "missing_faces"), self.available(doubt, up)
        # fewer speakers widen an interval, and a two-sided figure may come into its margins and leave them again
        lasting = doubt != "wrong_labels" and not (
            self.figure.two_sided and self.figure.verdict.outcome == "inconclusive"
        )
        return [
            tipping_point(lambda n, of=of: found(n) in of, fewest, most, lasting=lasting)  # type: ignore[misc]  # bound now
            for of in wanted
        ]

    def _filled(self, values: Floats, chosen: Mask, wanted: int) -> Floats:
        """Values with the missing ones filled: ``wanted`` for the chosen clips of :attr:`_missing`, else the other."""
        lost = np.isnan(values[self._missing])
        filled = values.copy()
        filled[self._missing[lost]] = np.where(chosen, wanted, 1 - wanted)[lost]
        return filled

    def _wanted(self, up: bool) -> int:
        """The value of the metric that moves the figure in a direction."""
        assert self.read is not None
        return int(up == self.read.rises)

    @cached_property
    def _after(self) -> Floats:
        assert self.read is not None
        return self.evidence.values("rendered", self.read.metric)

    @cached_property
    def _before(self) -> Floats:
        assert self.read is not None and self.read.before is not None
        return self.evidence.values(self.read.before, self.read.metric)

    @cached_property
    def _counted(self) -> Mask:
        """The group's clips that the figure is computed from."""
        return self.members & ~np.isnan(self.contribution)

    @cached_property
    def _missing(self) -> Ints:
        """The group's clips whose face could not be read, but would count if it had been.

        The audio is usable, and the portrait was read where faces are compared with portraits: it does not depend on
        the model. A missing ceiling does, unless its file cannot be read.
        """
        if self.read is None or not self.read.can_be_missing:
            return np.zeros(0, np.int64)
        lost = np.isnan(self._after)
        found = lost & (self.evidence.values("rendered", "no_face") == 1)
        if (before := self.read.before) is not None:
            no_earlier = np.isnan(self._before)
            comparable = ~no_earlier | ~np.isnan(self.evidence.values("portrait", self.read.metric))
            if (status := f"{before}_status") in self.evidence.frame:
                comparable &= ~self.evidence.frame[status].isin(FILE_STATUSES).to_numpy(bool)
            found = comparable & (found | (~lost & no_earlier))
        return np.flatnonzero(self.members & found)

    def _order(self, doubt: Doubt, up: bool) -> Ints:
        """The clips that can be changed in one direction, in the order in which they are."""
        key = f"_{doubt}_{up}"
        if key not in vars(self):
            vars(self)[key] = self._filling(up) if doubt == "missing_faces" else self._misclassified(up)
        found: Ints = vars(self)[key]
        return found

    def _filling(self, up: bool) -> Ints:
        missing, (mean, clips) = self._missing, self._of_speakers(self._counted)
        of = self.evidence.speakers[missing]
        lost = np.bincount(of, minlength=len(clips))
        earlier = np.zeros(len(self.members)) if self.read is None or self.read.before is None else self._before
        further = (lost[of], (-mean if up else mean)[of], np.nan_to_num(earlier[missing], nan=-1))
        return missing[filling_order(of, (clips + lost)[of], *further)]

    def _misclassified(self, up: bool) -> Ints:
        chosen = np.flatnonzero(self._counted & (self._after == 1 - self._wanted(up)))
        (mean, clips), of = self._of_speakers(self._counted), self.evidence.speakers[chosen]
        return chosen[even_order(of, mean[of], clips[of], self.contribution[chosen])]

    @cached_property
    def _labelled(self) -> tuple[tuple[Ints, Floats], tuple[Ints, Floats]]:
        """Codes and mean contributions of the speakers in the group, and of those outside."""
        found = []
        for part in (self.members, self.others):
            mean, clips = self._of_speakers(part & ~np.isnan(self.contribution))
            codes = np.flatnonzero(clips)
            codes = codes[np.lexsort((clips[codes], mean[codes]))]
            found.append((codes, mean[codes]))
        return found[0], found[1]

    def _relabelled(self, up: bool, number: int) -> Figure:
        (members, values), (others, outside) = self._labelled
        chosen = np.r_[members, others][relabelled(values, outside, number, upwards=up)]
        evidence, of_group, outside_group = self._units
        moved = np.zeros(int(self.evidence.speakers.max(initial=0)) + 1, bool)
        moved[chosen] = True
        moved = moved[evidence.speakers]
        return self.judge(evidence, (of_group & ~moved) | (outside_group & moved))

    @cached_property
    def _units(self) -> tuple[Evidence, Mask, Mask]:
        """The evidence, members and others to judge whole speakers: of parts where sums are exact, else of clips."""
        if self._is_exact:
            first, _ = self.evidence.parts
            return Summed.made(self.evidence), self.members[first], self.others[first]
        return self.evidence, self.members, self.others

    @cached_property
    def _is_exact(self) -> bool:
        """Whether the figure may be computed from sums over parts."""
        if not self.of_sums:
            return False
        if self.read is None:
            return Summed.are_whole(self.evidence, (self.members, self.others))
        stages = ("rendered",) if self.read.before is None else (self.read.before, "rendered")
        return Summed.exact(self.evidence, (self.members, self.others), self.read.metric, stages)

    @cached_property
    def _parts_of_group(self) -> tuple[Summed, Ints] | None:
        """The group's parts, and the part of each clip of the evidence (0 outside the group); None if not exact."""
        if not self._is_exact:
            return None
        of_clip = np.zeros(len(self.members), np.int64)
        of_clip[self.members] = self._group.parts[1].unit
        parts = Summed.made(self._group)
        assert len(parts.speakers) == len(parts.frame) == len(parts.known)  # computed once for all changes
        return parts, of_clip

    def _judged_with(self, columns: dict[str, NDArray[np.float64]]) -> Figure:
        """The figure with other values in some columns."""
        inside = {name: values[self.members] for name, values in columns.items()}
        group = self._group.revalued(self._group.frame.assign(**inside))
        return self.judge(group, np.ones(len(group.frame), bool))

    @cached_property
    def _group(self) -> Evidence:
        """The group's clips."""
        group = replace(self.evidence, frame=self.evidence.frame[self.members])
        # so that it is computed once for all changes
        assert len(group.speakers) == len(group.frame) and group.shares_clusters is not None
        return group

    def _of_speakers(self, clips: Mask) -> tuple[Floats, Ints]:
        """Each speaker's mean contribution over some of the clips (0 without any) and their number, by code."""
        speakers, n = self.evidence.speakers[clips], int(self.evidence.speakers.max(initial=0)) + 1
        number = np.bincount(speakers, minlength=n).astype(np.int64)
        total = np.bincount(speakers, np.round(self.contribution[clips], 12), minlength=n)
        return total / np.maximum(number, 1), number
