"""Findings and sentences of a probe: simultaneous questions, each family of factors by each property."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from audit.checks.figure import Figure
from audit.checks.finding import OUTCOMES, Finding
from audit.core.attributes import attributes
from audit.core.sentences import group_words, listing, number_words, p_words, typeset
from audit.core.units import write_estimate
from audit.probes.changes import Property, reads_of
from audit.probes.effects import Effect
from audit.probes.factors import ACCENT, FAMILIES, LANGUAGE
from audit.stats import ALL, Estimate, Settings, speakers_needed, verdict
from audit.stats.verdict import Outcome

_CASES: Final = {
    ("shown", "not_shown"): "changed by the language, not by this accent",
    ("not_shown", "shown"): "changed by this accent, not by the language",
    ("shown", "shown"): "changed by both",
    ("not_shown", "not_shown"): "changed by neither",
}
"""What the outcomes for the language and for the accent say together."""
_UNDECIDED: Final = "undecided"
_ALIKE: Final = {
    "not_shown": "Shown to change the face no more than another clip does: {}.",
    "inconclusive": "Inconclusive with this number of voices: {}.",
    "not_evaluable": "Not evaluable: {}.",
}
_COUNTED: Final = {
    "shown": ("has the answer yes", "have the answer yes"),
    "not_shown": ("has the answer no", "have the answer no"),
    "inconclusive": ("is undecided", "are undecided"),
    "not_evaluable": ("cannot be answered", "cannot be answered"),
}
"""What one question and several with each outcome are said to do."""
ASKED: Final = {
    "language": "the language",
    "accent": "the accent",
    "pitch": "the pitch",
    "duration": "the duration",
    "telephone": "a telephone line",
}
_LEADS: Final = {
    "language": "When only the language changes",
    "accent": "When only the accent changes",
    "telephone": "By telephone",
    "first_3_s": "From its first 3 s alone",
    "first_1_5_s": "From its first 1.5 s alone",
}
_SHIFTS: Final = (
    ("language", "the other language minus English", "group", ("read_white", "read_own_group")),
    ("accent", "with another accent", "group", ("read_white", "read_own_group")),
    ("pitch_up_4", "4 semitones higher", "gender", ("read_woman",)),
    ("pitch_down_4", "4 semitones lower", "gender", ("read_woman",)),
    ("telephone", "by telephone", "group", ("read_white", "read_own_group")),
)
"""Shifts that sentences report: factor, its words, the column to split by, and the reads."""
NO_ACCENTS: Final = (
    "These voices have no accented clips (accents.csv), so speaking another language cannot be distinguished from "
    "sounding like it in English. Probe the embedded voices, or a cohort made by audit cohort draw --parts PARTS "
    "--accents zh,es."
)
"""The sentence and reason of the accent's findings if no voice has an accented clip."""
_SEXES: Final = {"woman": "voices of women", "man": "voices of men"}


def findings(found: list[Effect], settings: Settings) -> tuple[Finding, ...]:
    """One finding for each factor family and property, over all voices; its p-values are those of its headline effect.

    A family is ``shown`` if any of its factors is, ``not_shown`` only if all are. The headline is a factor for which it
    is shown, otherwise the one with the largest excess.
    """
    questions: dict[tuple[str, Property], list[Effect]] = {}
    for each in found:
        if each.stratum.everyone:
            questions.setdefault((each.factor.family, each.prop), []).append(each)
    properties = dict.fromkeys(each.prop for each in found)
    return tuple(
        _finding(family, prop, questions[family, prop], settings) for family in FAMILIES for prop in properties
    )


def _finding(family: str, prop: Property, mine: list[Effect], settings: Settings) -> Finding:
    by_size = sorted(mine, key=_size, reverse=True)
    outcomes = [each.outcome for each in by_size]
    head = by_size[outcomes.index("shown") if "shown" in outcomes else 0]
    outcome: Outcome = "inconclusive"
    if "shown" in outcomes:
        outcome = "shown"
    elif set(outcomes) == {"not_evaluable"}:
        outcome = "not_evaluable"
    elif set(outcomes) == {"not_shown"}:
        outcome = "not_shown"
    estimates: dict[str, Figure] = {}
    for each in mine:
        estimates |= {
            f"{each.factor.name}.excess": _judged(each),
            f"{each.factor.name}.changed": _changed(each, each.changed, each.factor.name),
            "clip.changed": _changed(each, each.yardstick, "clip"),
        }
    judged = verdict(_excess(head), prop.margin, "greater")
    by_factor = f" By factor, adjusted: {_by_outcome(mine, [each.factor.title for each in mine])}."
    title = f"{prop.title[:1].upper()}{prop.title[1:]} changes with {ASKED[family]}"
    words = _effect_words(head)
    reason = f"{_lead(head)}, over another clip: {judged.reason}.{by_factor if len(mine) > 1 else ''}"
    change = _would_change(head, outcome, settings)
    if family == ACCENT.family and not _has_accents(mine):
        words, reason, change = NO_ACCENTS, NO_ACCENTS, "voices with accented clips."
    return Finding(
        f"{family}.{prop.name}",
        title,
        outcome,
        ALL,
        _judged(head),
        estimates,
        prop.margin,
        words,
        typeset(reason),
        change,
        head.p,
        head.p_adjusted,
    )


def _effect_words(effect: Effect) -> str:
    """An effect in one sentence: the change under the factor, between two clips, and the excess."""
    changed, clip = (_changed(effect, each, "").text for each in (effect.changed, effect.yardstick))
    return (
        f"{_lead(effect)}, {effect.prop.sentence.format(changed)}, against {clip} between two clips of one voice "
        f"in one language (excess {', '.join(filter(None, (_judged(effect).text, p_words(effect.p_adjusted))))})."
    )


def _judged(effect: Effect) -> Figure:
    """The excess of an effect, with its margin."""
    prop, stratum = effect.prop, effect.stratum
    return Figure.of(
        _excess(effect),
        name="excess",
        unit=prop.unit,
        kind="difference",
        group=stratum.group,
        label=f"{prop.title}, {effect.factor.title}, more than another clip",
        margin=prop.margin,
        harm="high",
        curve=effect.curve,
    )


def _changed(effect: Effect, change: Estimate, factor: str) -> Figure:
    """The change of a property under a factor, or between two clips."""
    prop, group = effect.prop, effect.stratum.group
    label = f"{prop.title}, {factor}"
    return Figure.of(change, name="changed", unit=prop.unit, kind=prop.kind, group=group, label=label)


def sentences(
    found: list[Effect], made: tuple[Finding, ...], reads: pd.DataFrame, same_again: str, confidence: float
) -> tuple[str, ...]:
    """The sentences of the probe: its questions counted, every answer, then by group and in which direction.

    Answers that are the same for several questions, except *shown*, are in one sentence.
    """
    titles = {each.prop.name: each.prop.title for each in found}
    words = [lead(made, titles)]
    words += [
        finding.sentence + adjusted_words(finding, len(made), confidence)
        for finding in made
        if finding.outcome == "shown" or finding.code == "language.face"
    ]
    words += alike(made, titles)
    return (*words, *_by_group(found), _spoken_or_sounding(made, found), *_which_way(reads, confidence), same_again)


def alike(made: Sequence[Finding], titles: Mapping[str, str]) -> list[str]:
    """The questions with each outcome except *shown*, in one sentence each."""
    named = {
        form: _questions([finding for finding in made if finding.outcome == outcome], titles)
        for outcome, form in _ALIKE.items()
    }
    return [form.format(questions) for form, questions in named.items() if questions]


def lead(made: Sequence[Finding], titles: Mapping[str, str]) -> str:
    """What is shown to change the face, then how many questions have which answer."""
    shown = _questions([finding for finding in made if finding.outcome == "shown"], titles)
    parts = []
    for outcome, (one, several) in _COUNTED.items():
        if number := sum(finding.outcome == outcome for finding in made):
            parts.append(f"{number_words(number)} {one if number == 1 else several}")
    start = f"Shown to change: {shown}." if shown else "Nothing about a voice is shown to change the face."
    return f"{start} Of {number_words(len(made))} questions, {listing(parts)}."


def _spoken_or_sounding(made: tuple[Finding, ...], found: list[Effect]) -> str:
    """Which properties change with the language that is spoken, which with its sounds in English."""
    mine = [each for each in found if each.factor is ACCENT and each.stratum.everyone]
    if not _has_accents(mine):
        return NO_ACCENTS
    outcomes = {finding.code: finding.outcome for finding in made}
    cases: dict[str, list[str]] = {}
    for each in mine:
        spoken, sounding = (outcomes[f"{family}.{each.prop.name}"] for family in (LANGUAGE.family, ACCENT.family))
        cases.setdefault(_CASES.get((spoken, sounding), _UNDECIDED), []).append(each.prop.title)
    parts = [f"{case}: {listing(cases[case])}" for case in (*_CASES.values(), _UNDECIDED) if case in cases]
    whole = [each for each in found if each.factor is LANGUAGE and each.stratum.everyone]
    voices, everyone = (max(each.changed.n_speakers for each in of) for of in (mine, whole))
    return (
        f"Speaking another language, or only sounding like it in English (accented clips of {voices} of {everyone} "
        f"voices). {'; '.join(parts).capitalize()}."
    )


def _has_accents(effects: list[Effect]) -> bool:
    """Whether any voice has an accented clip."""
    return any(each.changed.n_clips + each.changed.n_missing for each in effects)


def _which_way(reads: pd.DataFrame, confidence: float) -> list[str]:
    """The reads that shifted, adjusted over all reads of the probe."""
    moved = reads[reads["p_adjusted"] <= 1 - confidence]
    moved = moved[(moved["group"] != "white") | (moved["read"] != "read_own_group")]  # which is read as white
    said = {metric.name: metric.words for metric in reads_of(attributes())}
    words = []
    for factor, lead, by, looked_at in _SHIFTS:
        mine = moved[(moved["factor"] == factor) & moved["read"].isin(looked_at)]
        for column in ("group", "gender"):
            mine = mine[(mine[column] != ALL) == (column == by)]
        parts = []
        for row in mine.to_dict("records"):
            voices = f"{group_words(row['group'])} voices" if by == "group" else _SEXES[row["gender"]]
            shift = write_estimate(row["shift"], row["shift_low"], row["shift_high"], "share", signed=True)
            parts.append(f"{voices} {said[row['read']]} {shift}")
        if parts:
            words.append(f"Which way, {lead}: {'; '.join(parts)}.")
    return words


def adjusted_words(finding: Finding, number: int, confidence: float) -> str:
    """A note that a finding is shown by itself, but not after adjustment for all questions."""
    p = finding.p_adjusted
    if finding.outcome != "shown" or p is None or p <= 1 - confidence:
        return ""
    return f" Adjusted for all {number} questions this is not shown (adjusted p {p:.2f})."


def _by_group(found: list[Effect]) -> list[str]:
    """The groups whose face changes with the language."""
    mine = [
        each
        for each in found
        if each.factor.name == "language" and each.prop.name == "face" and each.stratum.group != ALL
    ]
    if not mine:
        return []
    outcomes = _by_outcome(mine, [group_words(each.stratum.group) for each in mine], " voices")
    sizes = [f"{group_words(each.stratum.group)} {_judged(each).text}" for each in mine]
    lead = "By group, how much more the face changes than with another clip"
    return [f"{lead}: {'; '.join(sizes)}. The outcome is {outcomes}."]


def _questions(named: list[Finding], properties: Mapping[str, str]) -> str:
    """Factors, each with its properties, whose titles are given by name."""
    asked: dict[str, list[str]] = {}
    for finding in named:
        family, prop = finding.code.split(".")
        asked.setdefault(ASKED[family], []).append(properties.get(prop, prop.replace("_", " ")))
    return "; ".join(f"{listing(titles)}, by {factor}" for factor, titles in asked.items())


def _lead(effect: Effect) -> str:
    return _LEADS.get(effect.factor.name) or f"With the pitch {effect.factor.title}"


def _by_outcome(effects: list[Effect], names: list[str], ending: str = "") -> str:
    """Names of effects, by outcome."""
    named = {
        word: [name for each, name in zip(effects, names, strict=True) if each.outcome == word] for word in OUTCOMES
    }
    return "; ".join(f"{word.replace('_', ' ')} for {listing(of)}{ending}" for word, of in named.items() if of)


def _would_change(effect: Effect, outcome: Outcome, settings: Settings) -> str:
    if outcome in ("inconclusive", "not_evaluable"):
        excess, margin = _excess(effect), effect.prop.margin
        needed = speakers_needed(excess, margin, "greater", settings)
        if excess.interval is None or excess.value is None:
            return f"{typeset(needed.reason.replace('speakers', 'voices'))}."
        if needed.more is None:
            return "no number of voices would, if the excess stayed on the margin."
        word = "shown" if excess.value > margin else "shown to be no more than the margin"
        return (
            f"{_lead(effect).lower()}, about {needed.more:,} more voices: it would be {word} if the excess stayed at "
            f"{_judged(effect).text}."
        )
    return "other voices, another instrument or another margin."


def _excess(effect: Effect) -> Estimate:
    assert effect.excess is not None, "the yardstick has no excess"
    return effect.excess


def _size(effect: Effect) -> float:
    value = _excess(effect).value
    return float("-inf") if value is None else value / effect.prop.margin
