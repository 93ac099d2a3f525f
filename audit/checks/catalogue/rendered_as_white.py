"""S2F001: are the faces rendered from asian speakers' English clips read as white?

The authors of Speech2Face report this failure. Three comparisons, each paired by speaker, separate its causes: with the
portrait (what the instrument reads in the true face), with the ceiling (the effect of the decoder), and with the same
speakers' clips in another language (the effect of the language).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from audit.checks import Check, Evidence, Figure, Finding, Judged, judge, not_evaluable
from audit.checks.compared import CheckCompared, Compared, measured
from audit.checks.finding import powered_name
from audit.checks.pair import Pair
from audit.checks.power import Comparison, GroupClips
from audit.checks.rejected_languages import IF_ENGLISH, if_english, rejected_clips
from audit.checks.sensitivity import FaceRead, Sensitivity
from audit.checks.strata import Mask
from audit.core.sentences import group_words, listing
from audit.core.vocabulary import STAGES, Stage, group_members, includes, ordered_groups
from audit.stats import ALL, Curve, Estimate, prediction_powered_change

RACE: Final = "asian"
WHITE: Final = "white"
ENGLISH: Final = "en"
READ: Final = f"read_{WHITE}"
BEFORE: Final[Mapping[str, Stage]] = {"excess_over_portrait": "portrait", "excess_over_ceiling": "ceiling"}
"""The stage that each excess is over."""


class RenderedAsWhite(Check):
    """Rendered faces of English-speaking Asian speakers read as white, minus their portraits read as white.

    The headline is the excess over the portrait; without portraits, the excess over the ceiling; without both, the
    effect of the language. Speakers whose label includes white are excluded, since white is a correct read for them.
    """

    code = "S2F001"
    title = "English-speaking Asian speakers rendered as white"
    question = "Are English-speaking Asian speakers rendered as white?"
    scope = "English clips"
    needs_race = True
    not_crossed = ("language",)
    judged = (
        Judged("excess_over_portrait", "rendered minus portrait", "share", 0.10, "high"),
        Judged("excess_over_ceiling", "rendered minus ceiling", "share", 0.10, "high"),
        Judged("language_effect", "English minus the other language", "share", 0.10, "high"),
    )

    def measure(self, evidence: Evidence) -> Finding:
        """The three differences and the rates behind them."""
        english, group = evidence.where(race=RACE, but=WHITE, english=True), evidence.frame["group"]
        excluded, mixed = "", ""
        if either := set(group[evidence.where(race=RACE, english=True) & ~english]):
            excluded = f" Speakers labelled {_listed(either)} are excluded, since white is a correct read for them."
        if labels := set(group[english]) - {RACE}:
            mixed = f" Speakers labelled {_listed(labels)} are included, since their label includes asian."
        if not english.any():
            further, what_if = self._if_english(evidence, english)
            return not_evaluable(
                self,
                f"No speaker of group asian has an English clip.{excluded}{what_if}",
                "English clips of speakers whose group is asian.",
                group=RACE,
                figures=further,
            )
        same_speakers = np.isin(evidence.speakers, evidence.speakers[english])
        other = evidence.where(race=RACE, but=WHITE, english=False) & same_speakers
        figures = self._figures(evidence, english, other)
        judged = [figures[item.name] for item in self.judged]
        head = next((figure for figure in judged if figure.value is not None), judged[0])
        words = f"{_of_english(figures, evidence.instrument)} {_of_language(figures, bool(other.any()))}"
        further, what_if = self._if_english(evidence, english, head.name)
        return judge(self, evidence, head, figures | further, words + mixed + excluded + what_if)

    def _if_english(self, evidence: Evidence, english: Mask, name: str = "") -> tuple[dict[str, Figure], str]:
        """An excess, by default over the portrait, with clips of rejected language as English ones, and a sentence.

        Nothing where the cohort has no such clips, or ``name`` is no excess.
        """
        rejected = evidence.where(race=RACE, but=WHITE) & rejected_clips(evidence) & ~english
        name = name or next(name for name, stage in BEFORE.items() if stage == "ceiling" or evidence.has(stage))
        if not rejected.any() or name not in BEFORE:
            return {}, ""
        pairs = evidence.changed(READ, BEFORE[name], "rendered", english | rejected)
        figure, sentence = if_english(self.figure(evidence, name, pairs.curve(), group=RACE), RACE, int(rejected.sum()))
        return {IF_ENGLISH: figure}, sentence

    def _figures(self, evidence: Evidence, english: Mask, other: Mask) -> dict[str, Figure]:
        compared = {
            "excess_over_portrait": evidence.changed(READ, "portrait", "rendered", english),
            "excess_over_ceiling": evidence.changed(READ, "ceiling", "rendered", english),
            "language_effect": evidence.contrasted(READ, "rendered", other, english),
        }
        figures: dict[str, Figure] = {}

        def add(name: str, label: str, curve: Curve, language: str = ENGLISH, stage: str = "rendered") -> None:
            figures[name] = evidence.as_figure(
                curve, READ, stage, name=name, group=RACE, language=language, label=label
            )

        def corrected(mask: Mask) -> Curve:
            return evidence.recomputed(lambda at: at.corrected("rendered", WHITE, mask))

        for stage in STAGES:
            add(stage, stage, evidence.figure_curve(READ, stage, english), stage=stage)
        elsewhere, by = "rendered, the other language", "corrected for misclassification"
        add("rendered_other_language", elsewhere, evidence.figure_curve(READ, "rendered", other), ALL)
        for name, pairs in compared.items():
            language = ALL if name == "language_effect" else ENGLISH
            figures[name] = self.figure(evidence, name, pairs.curve(), group=RACE, language=language)
        add("rendered_corrected", f"rendered, {by}", corrected(english))
        add("rendered_other_language_corrected", f"{elsewhere}, {by}", corrected(other), ALL)
        own = evidence.figure_curve("read_own_group", "rendered", english)
        not_own = Curve(lambda confidence: _complement(own.at(confidence)), own.least)
        add("not_own", "not read as the own group", not_own)
        if evidence.human is not None:
            by_people = "with readings by people (prediction-powered)"
            curve = evidence.recomputed(lambda at: at.predicted(READ, english))
            add(powered_name("rendered"), f"rendered, {by_people}", curve)
            name, curve = powered_name("excess_over_portrait"), evidence.recomputed(lambda at: _by_people(at, english))
            figures[name] = evidence.as_figure(
                curve,
                READ,
                name=name,
                group=RACE,
                language=ENGLISH,
                label=f"rendered, {by_people}, minus portrait by the instrument",
                kind="difference",
            )
        return figures

    def in_cells(self, evidence: Evidence, crossed: Evidence, cells: Sequence[str]) -> list[Figure]:
        """The excess over the portrait, or else over the ceiling, of each cell of asian speakers in English."""
        name = next((name for name, stage in BEFORE.items() if crossed.has(stage)), None)
        asked = [cell for cell in cells if RACE in (races := crossed.races_of(cell)) and WHITE not in races]
        if name is None:
            return []
        curves = {
            cell: crossed.changed(READ, BEFORE[name], "rendered", crossed.where(group=cell, english=True)).curve()
            for cell in asked
        }
        return [
            self.figure(crossed, name, curve.together(len(asked)), group=cell, language=ENGLISH)
            for cell, curve in curves.items()
        ]

    def sensitivity(self, evidence: Evidence) -> Iterator[Sensitivity]:
        """The excesses over portrait and ceiling."""
        members, read_as = (
            evidence.where(race=RACE, but=WHITE, english=True),
            ("read as other than white", "read as white"),
        )
        others = evidence.where(english=True) & ~members
        for name, before in BEFORE.items():

            def judge(of: Evidence, mask: Mask, name: str = name, before: Stage = before) -> Figure:
                pairs = of.changed(READ, before, "rendered", mask)
                return self.figure(of, name, pairs.curve(), group=RACE, language=ENGLISH)

            read = FaceRead(READ, before, True, read_as)
            yield Sensitivity.of(
                *(evidence, judge(evidence, members), judge, members, others),
                read=read,
                of_sums=True,
                allows=partial(includes, race=RACE, but=WHITE),
            )

    def compare(self, pair: Pair) -> CheckCompared | None:
        """The change of the excess; the portrait is the same picture in both runs and cancels."""
        portraits = pair.baseline.has("portrait")

        def compared(group: str, mask: Mask) -> Compared:
            if portraits:
                mask = mask & ~np.isnan(pair.baseline.values("portrait", READ))
                baseline, candidate = (each.changed(READ, "portrait", "rendered", mask).curve() for each in pair.each)
            else:
                baseline, candidate = (each.figure_curve(READ, "rendered", mask) for each in pair.each)
            change = pair.pairs(pair.change(READ), mask, "rate", f"rendered.{READ}").curve()
            return Compared(group, baseline, candidate, change)

        english = pair.baseline.where(race=RACE, but=WHITE, english=True)
        if not english.any():
            return None
        groups = [
            compared(group, pair.baseline.where(group=group, english=True))
            for group in pair.baseline.groups
            if (races := pair.baseline.races_of(group)) and WHITE not in races
        ]
        what = "excess over the portrait" if portraits else "rendered faces read as white"
        label = f"read as white in English: {what}"
        return CheckCompared(self.judged[0], compared(RACE, english), tuple(measured(groups)), label)

    def power(self, group: GroupClips) -> Iterator[Comparison]:
        """English clips against portraits, and against the same speakers' clips in another language."""
        speaking = group.speaking(ENGLISH)
        if RACE not in group_members(group.group) or not speaking:
            return
        portrait, ceiling, language = self.judged
        for judged, words, n, also in (
            (portrait, "rendered against portrait, same speakers", speaking, (ceiling,)),
            (language, "English against another language, same speakers", group.speaking_also(ENGLISH), ()),
        ):
            yield Comparison(judged, words, n, "paired", language=ENGLISH, simultaneous=False, also=also)


def _by_people(evidence: Evidence, mask: Mask) -> Estimate:
    """The excess over the portrait of what people would read in the rendered faces of a subset of the clips."""
    before, after, human = (
        values[mask]
        for values in (
            evidence.values("portrait", READ),
            evidence.values("rendered", READ),
            evidence.human_values(READ),
        )
    )
    return prediction_powered_change(
        before,
        after,
        human,
        evidence.speakers[mask],
        evidence.settings,
        strata=evidence.strata[mask],
        readers=evidence.n_readers,
        name=f"portrait>rendered.{READ}",
        clusters=evidence.shared(mask),
    )


def _listed(labels: set[str]) -> str:
    return listing([group_words(label) for label in ordered_groups(labels)])


def _of_english(figures: Mapping[str, Figure], instrument: str) -> str:
    if not figures["rendered"].n_speakers:
        return f"For asian speakers' English clips, no rendered face could be read by {instrument}."
    return (
        f"For asian speakers' English clips, {figures['rendered'].text} of the rendered faces are read as white by "
        f"{instrument}, against {figures['portrait'].text} of their portraits ({figures['excess_over_portrait'].text})."
    )


def _of_language(figures: Mapping[str, Figure], bilingual: bool) -> str:
    if not bilingual:
        return "None of them has clips in another language, so the effect of English cannot be estimated."
    if not figures["language_effect"].n_speakers:
        return "Some have clips in another language, but no speaker's faces could be read in both."
    return (
        f"For the same speakers in another language, {figures['rendered_other_language'].text} are read as white; "
        f"English minus the other language is {figures['language_effect'].text}."
    )


def _complement(estimate: Estimate) -> Estimate:
    """One minus a rate."""
    if estimate.value is None:
        return estimate
    low, high = (None if end is None else 1 - end for end in (estimate.high, estimate.low))
    return replace(estimate, value=1 - estimate.value, low=low, high=high)


CHECK = RenderedAsWhite()
