"""Findings and sentences of a probe: simultaneous questions, each family of factors by each property."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from audit.checks.figure import Figure
from audit.checks.finding import OUTCOMES, Finding
from audit.core.attributes import attributes
from audit.core.sentences import group_words, listing, typeset
from audit.core.units import write_estimate
from audit.probes.changes import Property, reads_of
from audit.probes.effects import Effect
from audit.probes.factors import ACCENT, FAMILIES, LANGUAGE
from audit.stats import ALL, Estimate, Settings, holm, speakers_needed, verdict
from audit.stats.verdict import Outcome

_CASES: Final = {
    ("shown", "not_shown"): "changed by the language, not by this accent",
    ("not_shown", "shown"): "changed by this accent, not by the language",
    ("shown", "shown"): "changed by both",
    ("not_shown", "not_shown"): "changed by neither",
}
"""What the outcomes for the language and for the accent say together."""
_UNDECIDED: Final = "undecided"
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
    """One finding for each factor family and property, over all voices; p-values adjusted by Holm (1979).

    A family is ``shown`` if any of its factors is, ``not_shown`` only if all are. The headline is a factor for which it
    is shown, otherwise the one with the largest excess.
    """
    made = []
    for family in FAMILIES:
        for prop in dict.fromkeys(each.prop for each in found):
            mine = [
                each for each in found if each.factor.family == family and each.prop is prop and each.stratum.everyone
            ]
            made.append(_finding(family, prop, mine, settings))
    adjusted = holm([np.nan if finding.p_value is None else finding.p_value for finding in made])
    return tuple(
        finding if np.isnan(p) else replace(finding, p_adjusted=float(p))
        for finding, p in zip(made, adjusted.tolist(), strict=True)
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
        min((each.p for each in mine if each.p is not None), default=None),
    )


def _effect_words(effect: Effect) -> str:
    """An effect in one sentence: the change under the factor, between two clips, and the excess."""
    changed, clip = (_changed(effect, each, "").text for each in (effect.changed, effect.yardstick))
    return (
        f"{_lead(effect)}, {effect.prop.sentence.format(changed)}, against {clip} between two clips of one voice "
        f"in one language ({_judged(effect).text})."
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
    """The sentences of the probe, the language first."""
    language = {finding.code.split(".")[1]: finding for finding in made if finding.code.startswith("language.")}
    words = [language["face"].sentence, *_by_group(found), _spoken_or_sounding(made, found)]
    words += [
        finding.sentence + _adjusted_words(finding, len(made), confidence)
        for finding in made
        if finding.outcome == "shown" and finding.code != "language.face"
    ]
    for outcome, form in (
        ("not_shown", "Shown to change the face no more than another clip does: {}."),
        ("inconclusive", "Inconclusive with this number of voices: {}."),
        ("not_evaluable", "Not evaluable: {}."),
    ):
        if named := _questions([finding for finding in made if finding.outcome == outcome], found):
            words.append(form.format(named))
    return (*words, *_which_way(reads, confidence), same_again)


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


def _adjusted_words(finding: Finding, number: int, confidence: float) -> str:
    """A note that a finding is shown by itself, but not after adjustment for all questions."""
    p = finding.p_adjusted
    if p is None or p <= 1 - confidence:
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


def _questions(named: list[Finding], found: list[Effect]) -> str:
    """Factors, each with its properties."""
    properties = {each.prop.name: each.prop.title for each in found}
    asked: dict[str, list[str]] = {}
    for finding in named:
        family, prop = finding.code.split(".")
        asked.setdefault(ASKED[family], []).append(properties[prop])
    return "; ".join(f"{factor}, for {listing(titles)}" for factor, titles in asked.items())


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
        needed = speakers_needed(_excess(effect), effect.prop.margin, "greater", settings).reason
        needed = typeset(needed.replace("speakers", "voices").replace("not_shown", "not shown"))
        return f"{needed}."
    return "other voices, another instrument or another margin."


def _excess(effect: Effect) -> Estimate:
    assert effect.excess is not None, "the yardstick has no excess"
    return effect.excess


def _size(effect: Effect) -> float:
    value = _excess(effect).value
    return float("-inf") if value is None else value / effect.prop.margin
