"""S2F009: is English spoken by people of another first language rendered differently from English by native speakers?

The two sides are different people. Where both have portraits, the changes from the portrait are compared, so that the
speakers' own faces cancel. Otherwise the rendered faces are compared, and a difference is a reaction to the voice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.checks import Check, Evidence, Figure, Finding, GroupFigure, Judged, judge_groups, not_evaluable
from audit.checks.compared import CheckCompared, Compared, measured, worst
from audit.checks.largest_size import change_of_size, largest_size
from audit.checks.pair import Pair
from audit.checks.power import Comparison, GroupClips
from audit.checks.strata import Mask
from audit.core.grouping import Grouping
from audit.core.languages import is_language, same_language
from audit.core.sentences import group_words, listing
from audit.core.vocabulary import RACES, Stage, is_known
from audit.stats import Curve, Estimate, difference_curve

FIRST_LANGUAGE: Final = "native_language"
TEXT: Final = "text_id"
"""The column of clips that names the text that is read."""
READS: Final = tuple(f"read_{race}" for race in RACES)
SKIN: Final = "skin_ita"
_FORMS: Final[dict[str, tuple[Stage, ...]]] = {"reads": ("portrait",), "skin": ("ceiling", "portrait")}
"""The stages from which the change is measured, the preferred one first."""


class AccentShift(Check):
    """For every first language other than English, the largest difference of any read from native speakers of English.

    The difference of each of the six reads is unpaired; the interval of the largest one, whatever its sign, is
    Bonferroni-adjusted for first languages, reads and skin tone. The difference in skin tone (ITA) is judged next to
    it. The check has its own grouping, by first language: the question is about no other groups.
    """

    code = "S2F009"
    title = "English of some first languages rendered differently from native English"
    question = (
        "Is English spoken by people of another first language rendered differently from English by native speakers?"
    )
    scope = "English clips"
    grouping = Grouping((FIRST_LANGUAGE,))
    not_crossed = ("language",)
    judged = (
        Judged("read_difference", "largest difference of a read", "share", 0.10, "high", per_group=True),
        Judged("skin_difference", "difference in skin tone (ITA)", "degrees", 5.0, "high", True, True),
    )

    def judges(self, group: str) -> bool:
        """Whether a first language is not English."""
        return not _is_english(group)

    def measure(self, evidence: Evidence) -> Finding:
        """The differences of each first language, and the reads behind the largest."""
        english = evidence.where(english=True)
        groups = [group for group in evidence.groups if self.judges(group)]
        sides = _sides(evidence, groups)
        if lacking := _lacking(evidence, english, sides):
            return not_evaluable(self, *lacking)
        sides, texts = _of_shared_texts(evidence, sides)
        found = _differences(evidence, sides)
        figures = [each for one in found for each in self._figures(evidence, one)]
        finding = judge_groups(self, evidence, figures, lambda named: "")
        unknown = np.unique(evidence.speakers[english & ~evidence.known]).size
        left_out = f" {unknown} speakers whose first language is not known are left out." if unknown else ""
        sentence = _sentence(finding, {one.side.group: one for one in found}, evidence.instrument)
        return replace(finding, sentence=f"{sentence} {texts}{left_out}")

    def in_cells(self, evidence: Evidence, crossed: Evidence, cells: Sequence[str]) -> list[Figure]:
        """The differences of each cell from native speakers with the same further values, such as women from women."""
        sides, _ = _of_shared_texts(crossed, _sides(crossed, cells))
        return [each.judged for one in _differences(crossed, sides) for each in self._figures(crossed, one)]

    def compare(self, pair: Pair) -> CheckCompared | None:
        """The change of the largest difference of any read; portraits, which both runs share, cancel."""
        run = pair.baseline
        sides = _sides(run, [group for group in run.groups if self.judges(group)])
        if _lacking(run, run.where(english=True), sides):
            return None
        sides, _ = _of_shared_texts(run, sides)
        groups = measured([_compared(pair, side) for side in sides])
        if not groups:
            return None
        head = worst(groups, self.judged[0].harm)
        return CheckCompared(self.judged[0], head, tuple(groups), self.judged[0].label, worst_of_groups=True)

    def power(self, group: GroupClips) -> Iterator[Comparison]:
        """English by the group against English by native speakers, adjusted for the reads and skin tone."""
        natives = sum(other.speaking("en") for other in group.others if _is_english(other.group))
        if natives and self.judges(group.group):
            for item in self.judged:
                words = f"{item.label}, against native speakers"
                n, figures = group.speaking("en"), len(READS) + 1
                yield Comparison(item, words, n, "unpaired", natives, "en", figures=figures)

    def _figures(self, evidence: Evidence, found: _Difference) -> Iterator[GroupFigure]:
        """The judged figures of one first language, and those behind them."""
        group, number = found.side.group, found.number
        if found.reads:
            label = f"read as {group_words(RACES[found.place])}, {found.words('reads')}, size of the difference"
            curve = largest_size([*found.reads.values()], number)
            figure = self.figure(evidence, "read_difference", curve, group=group, label=label)
            yield GroupFigure(group, replace(figure, n_smaller=found.n_smaller), _behind_reads(evidence, found))
        if found.skin is not None:
            label = f"skin tone (ITA), {found.words('skin')}, minus native speakers"
            figure = self.figure(evidence, "skin_difference", found.skin.together(number), group=group, label=label)
            yield GroupFigure(group, replace(figure, n_smaller=found.n_smaller), _behind_skin(evidence, found))


@dataclass(frozen=True, eq=False)
class _Side:
    """The English clips of one first language, and those of native speakers that they are compared with."""

    group: str
    own: Mask
    natives: Mask

    @property
    def each(self) -> tuple[Mask, Mask]:
        return self.own, self.natives


@dataclass(frozen=True, eq=False)
class _Difference:
    """The differences of one first language from native speakers.

    ``reads`` are those of each read by metric, ``skin`` that of skin tone; ``before`` are the stages from which each is
    a change, ``number`` the number of simultaneous comparisons, ``n_smaller`` the speakers of the smaller side, and
    ``enough`` whether both sides have enough speakers for an interval.
    """

    side: _Side
    reads: Mapping[str, Curve]
    skin: Curve | None
    before: Mapping[str, Stage | None]
    number: int
    n_smaller: int
    enough: bool

    @property
    def place(self) -> int:
        """The place of the read with the largest difference."""
        values = [curve.at(0.95).value or 0.0 for curve in self.reads.values()]
        return max(range(len(values)), key=lambda i: (round(abs(values[i]), 9), values[i]))  # a gain rather than a loss

    def words(self, what: str) -> str:
        before = self.before[what]
        return f"rendered minus {before}" if before else "rendered"


def _is_english(code: str) -> bool:
    return is_language(code) and same_language(code, "en")


def _sides(evidence: Evidence, groups: Sequence[str]) -> list[_Side]:
    """The two sides of each group with English clips; the groups' further values are those of its native speakers."""
    english, made = evidence.where(english=True), []
    natives: dict[tuple[tuple[str, str], ...], Mask] = {}
    languages = {group: dict(evidence.cell_of(group)) for group in evidence.groups}
    further = {group: tuple((k, v) for k, v in of.items() if k != FIRST_LANGUAGE) for group, of in languages.items()}
    for group, of in languages.items():
        if _is_english(of[FIRST_LANGUAGE]):
            known = natives.get(further[group], np.zeros(len(english), bool))
            natives[further[group]] = known | (english & evidence.where(group=group))
    for group in groups:
        own = english & evidence.where(group=group)
        if not _is_english(languages[group][FIRST_LANGUAGE]) and own.any():
            made.append(_Side(group, own, natives.get(further[group], np.zeros(len(english), bool))))
    return made


def _lacking(evidence: Evidence, english: Mask, sides: Sequence[_Side]) -> tuple[str, str] | None:
    """Why nothing can be compared, and the data that are needed; ``None`` where something can."""
    if not evidence.groups:
        return "The first language of no speaker is known.", f"Values of the speakers' column {FIRST_LANGUAGE}."
    if not (english & _natives(evidence)).any():
        return "No native speaker of English has an English clip.", "English clips of native speakers of English."
    if not sides:
        return (
            "No speaker of another known first language has an English clip.",
            "English clips of speakers of other first languages.",
        )
    if not evidence.has("rendered"):
        return "No rendered face was read.", "Rendered faces that the instrument reads."
    return None


def _natives(evidence: Evidence) -> Mask:
    chosen = [group for group in evidence.groups if _is_english(group)]
    return evidence.frame[evidence.group_column].isin(chosen).to_numpy(bool)


def _n_speakers(evidence: Evidence, mask: Mask) -> int:
    return len(np.unique(evidence.speakers[mask]))


def _enough(evidence: Evidence, side: _Side) -> bool:
    """Whether both sides have enough speakers for an interval."""
    return min(_n_speakers(evidence, mask) for mask in side.each) >= evidence.settings.min_speakers


def _texts(evidence: Evidence) -> NDArray[np.int64] | None:
    """The number of each clip's text, -1 where it is not known; ``None`` without the column or any known text."""
    if TEXT not in evidence.frame:
        return None
    codes, names = pd.factorize(evidence.frame[TEXT].astype(object))
    known = np.array([is_known(name) for name in names], bool)
    found = np.where((codes >= 0) & np.append(known, False)[codes], codes, -1)
    return found if (found >= 0).any() else None


def _of_shared_texts(evidence: Evidence, sides: list[_Side]) -> tuple[list[_Side], str]:
    """The sides with only the texts that both read, if that leaves every side enough speakers; a sentence about it."""
    texts = _texts(evidence)
    if texts is None:
        return sides, "The texts are not known: what was said may explain a part."
    made = [replace(side, own=own, natives=natives) for side in sides for own, natives in (_both_read(texts, side),)]
    if all(_enough(evidence, now) for now, side in zip(made, sides, strict=True) if _enough(evidence, side)):
        return made, "Only clips of texts that both sides read are compared."
    return sides, "The two sides read different texts, which may explain a part."


def _both_read(texts: NDArray[np.int64], side: _Side) -> tuple[Mask, Mask]:
    """The clips of each side whose text the other side read as well."""
    shared = np.intersect1d(texts[side.own], texts[side.natives])
    read = np.isin(texts, shared[shared >= 0])
    return side.own & read, side.natives & read


def _before(evidence: Evidence, metric: str, what: str, side: _Side) -> Stage | None:
    """The stage from which changes are compared: one that was read for clips of both sides."""
    for stage in _FORMS[what]:
        values = evidence.values(stage, metric)
        if all(np.isfinite(values[mask]).any() for mask in side.each):
            return stage
    return None


def _curve(evidence: Evidence, metric: str, before: Stage | None, mask: Mask) -> Curve:
    """The metric of the rendered faces, or its change from an earlier stage."""
    if before is None:
        return evidence.figure_curve(metric, "rendered", mask)
    largest = None if evidence.metrics[metric].kind == "rate" else evidence.span(metric, before, "rendered")
    return evidence.changed(metric, before, "rendered", mask).curve(largest)


def _differences(evidence: Evidence, sides: Sequence[_Side]) -> list[_Difference]:
    """The differences of every first language, with the number of comparisons that can be made."""
    english = evidence.where(english=True)
    able = {
        "reads": bool(np.isfinite(evidence.values("rendered", READS[0])[english]).any()),
        "skin": SKIN in evidence.metrics and bool(np.isfinite(evidence.values("rendered", SKIN)[english]).any()),
    }
    enough = [_enough(evidence, side) for side in sides]
    number = max(1, sum(enough)) * (able["reads"] * len(READS) + able["skin"])
    natives: dict[tuple[str, Stage | None, bytes], Curve] = {}

    def difference(metric: str, before: Stage | None, side: _Side) -> Curve:
        key = (metric, before, np.packbits(side.natives).tobytes())
        if key not in natives:
            natives[key] = _curve(evidence, metric, before, side.natives)
        return difference_curve(natives[key], _curve(evidence, metric, before, side.own))

    made = []
    for side, is_enough in zip(sides, enough, strict=True):
        before = {
            "reads": _before(evidence, READS[0], "reads", side),
            "skin": _before(evidence, SKIN, "skin", side) if able["skin"] else None,
        }
        reads = {metric: difference(metric, before["reads"], side) for metric in READS} if able["reads"] else {}
        skin = difference(SKIN, before["skin"], side) if able["skin"] else None
        n_smaller = min(_n_speakers(evidence, mask) for mask in side.each)
        made.append(_Difference(side, reads, skin, before, number, n_smaller, is_enough))
    return made


def _behind_reads(evidence: Evidence, found: _Difference) -> dict[str, Figure]:
    """The shares of the read with the largest difference, the difference of every read, and the shared texts."""
    if not found.enough:
        return {}
    metric, group, before = READS[found.place], found.side.group, found.before["reads"]
    words = f"read as {group_words(RACES[found.place])}"
    made = _stages(evidence, metric, found.side, before, "", words)
    for race, (name, curve) in zip(RACES, found.reads.items(), strict=True):
        label = f"read as {group_words(race)}, {found.words('reads')}, minus native speakers"
        named = f"difference_{race}"
        made[named] = evidence.as_figure(curve, name, name=named, group=group, label=label, kind="difference")
    if (texts := _texts(evidence)) is not None:
        for prefix, mask, read in zip(("", "natives_"), found.side.each, _both_read(texts, found.side), strict=True):
            made[f"{prefix}same_text"] = _share(evidence, f"{prefix}same_text", group, mask, read)
    return made


def _behind_skin(evidence: Evidence, found: _Difference) -> dict[str, Figure]:
    """The mean angles of both sides."""
    if not found.enough:
        return {}
    return _stages(evidence, SKIN, found.side, found.before["skin"], "skin_", "skin tone (ITA)")


def _stages(
    evidence: Evidence, metric: str, side: _Side, before: Stage | None, prefix: str, words: str
) -> dict[str, Figure]:
    """A metric of both sides' rendered faces, and of those before."""
    made = {}
    for whose, who, mask in (("", "the first language", side.own), ("natives_", "native speakers", side.natives)):
        for stage in ("rendered", *([before] if before else [])):
            name = f"{prefix}{whose}{stage}"
            label = f"{words}, {stage}, {who}"
            made[name] = evidence.figure(metric, stage, mask, name=name, group=side.group, language="en", label=label)
    return made


def _share(evidence: Evidence, name: str, group: str, mask: Mask, read: Mask) -> Figure:
    """The share of a side's clips whose text the other side read as well, a count without an interval."""
    n_speakers, n_clips = _n_speakers(evidence, mask), int(mask.sum())
    found = Estimate(float(read.sum() / n_clips), None, None, n_speakers, n_clips, 0, "counted")
    label = "clips of texts that the other side read as well"
    return Figure.of(
        found, name=name, unit="share", kind="rate", group=group, label=label, cell=evidence.cell_of(group)
    )


def _compared(pair: Pair, side: _Side) -> Compared:
    """The size of the largest difference in both runs, and its change."""
    run = pair.baseline
    before = _before(run, READS[0], "reads", side)
    changes, each = [], []
    for metric in READS:
        known = np.isfinite(run.values(before, metric)) if before else run.where()
        own, natives = (
            pair.pairs(pair.change(metric), mask & known, "rate", f"rendered.{metric}").curve() for mask in side.each
        )
        changes.append(difference_curve(natives, own))
    for evidence in pair.each:
        curves = [
            difference_curve(_curve(evidence, metric, before, side.natives), _curve(evidence, metric, before, side.own))
            for metric in READS
        ]
        each.append(curves)
    baseline, candidate = (largest_size(curves, len(READS)) for curves in each)
    return Compared(side.group, baseline, candidate, change_of_size(each[0], each[1], changes))


def _sentence(finding: Finding, found: Mapping[str, _Difference], instrument: str) -> str:
    """The read or the skin tone with the largest difference, and the other first languages for which it is shown."""
    head = finding.estimate
    assert head is not None  # by judge_groups
    group, of = finding.group, found[finding.group]
    who = f"speakers of first language {group_words(group)}"
    if not of.enough:
        return f"Too few speakers: English by {who} cannot be compared with native English ({head.method})."
    what = "reads" if head.name == "read_difference" else "skin"
    prefix, before = ("" if what == "reads" else "skin_"), of.before[what]
    values = {
        name: finding.estimates[f"{group}.{prefix}{name}"].text
        for whose in ("", "natives_")
        for name in (f"{whose}rendered", *([f"{whose}{before}"] if before else []))
    }
    if what == "reads":
        race = RACES[of.place]
        words = f"Of the faces rendered from English by {who}, {values['rendered']} are read as {group_words(race)} by "
        words += f"{instrument}, against {values['natives_rendered']} from English by native speakers"
        signed = finding.estimates[f"{group}.difference_{race}"].text
    else:
        words = f"The skin of faces rendered from English by {who} has a typology angle (ITA) of {values['rendered']}, "
        words += f"against {values['natives_rendered']} from English by native speakers"
        signed = f"{head.text}; positive is lighter"
    if before:
        stage = {"portrait": "their portraits", "ceiling": "their ceilings"}[before]
        words += f"; in {stage}, {values[before]} against {values[f'natives_{before}']} (difference of the changes "
        words += f"{signed})."
    else:
        words += (
            f" (difference {signed}). These are different people whose true faces are not known: the difference is "
        )
        words += "a reaction to the voice, accent and speaker, and not by itself an error."
    further = [group_words(name) for name in finding.groups_with("shown") if name != group]
    return f"{words} It is also shown for {listing(further)}." if finding.outcome == "shown" and further else words


CHECK = AccentShift()
