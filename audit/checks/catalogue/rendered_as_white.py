"""S2F001: speakers labelled asian, heard in English: is the face made from their voice read as white?

The failure that Speech2Face's authors report. Three comparisons take it apart, each paired by speaker: with the
portrait (what the instrument reads in the true face), with the ceiling (what the decoder does to it), and with the same
speakers' clips in another language (what the language alone does).
"""

from __future__ import annotations

from collections.abc import Mapping

from audit.checks.evidence import Evidence
from audit.checks.finding import Finding
from audit.checks.verdicts import judge, too_few
from audit.core.sentences import group_words, listing, percent, points
from audit.core.vocabulary import ordered_groups
from audit.stats import Estimate

CODE = "S2F001"
TITLE = "English-speaking Asian speakers rendered as white"
RACE, WHITE, READ = "asian", "white", "read_white"


def check(evidence: Evidence) -> Finding:
    """The finding of S2F001.

    ``estimate`` is the excess over the portrait; where there are no portraits, the excess over the ceiling; where there
    is neither, the difference that the language makes. Of labels that allow several groups, those with white are left
    out: a face read as white is right for them.
    """
    english = evidence.where(race=RACE, but=WHITE, english=True)
    speakers = evidence.frame["speaker_id"][english]
    either = set(evidence.frame["group"][evidence.where(race=RACE, english=True) & ~english])
    left_out = (
        f" Speakers labelled {listing([group_words(label) for label in ordered_groups(either)])} are left out: a face "
        "read as white is right for them."
        if either
        else ""
    )
    if not english.any():
        return too_few(
            CODE,
            TITLE,
            "asian",
            {},
            f"No speaker of group asian is heard in English.{left_out}",
            "English clips of speakers whose group is asian.",
        )
    other = evidence.where(race=RACE, but=WHITE, english=False) & evidence.frame["speaker_id"].isin(speakers).to_numpy()
    compared = {
        "excess_over_portrait": evidence.changed(READ, "portrait", "rendered", english),
        "excess_over_ceiling": evidence.changed(READ, "ceiling", "rendered", english),
        "language_effect": evidence.contrasted(READ, "rendered", other, english),
    }
    estimates: dict[str, Estimate] = {
        "portrait": evidence.figure(READ, "portrait", english),
        "ceiling": evidence.figure(READ, "ceiling", english),
        "rendered": evidence.figure(READ, "rendered", english),
        "rendered_other_language": evidence.figure(READ, "rendered", other),
        **{name: pairs.difference() for name, pairs in compared.items()},
        "rendered_corrected": evidence.corrected("rendered", "white", english),
        "rendered_other_language_corrected": evidence.corrected("rendered", "white", other),
        "not_own": _complement(evidence.figure("read_own_group", "rendered", english)),
    }
    if evidence.human is not None:
        estimates["rendered_prediction_powered"] = evidence.predicted(READ, english)
    headline = next((name for name in compared if estimates[name].value is not None), "excess_over_portrait")
    labels = [label for label in ordered_groups(set(evidence.frame["group"][english])) if label != "asian"]
    mixed = (
        f" Speakers labelled {listing([group_words(label) for label in labels])} are among them, since the labels do "
        "not tell them apart."
        if labels
        else ""
    )
    of_english = _english_words(estimates, evidence.instrument)
    sentence = f"{of_english} {_language_words(estimates, bool(other.any()))}{mixed}{left_out}"
    return judge(
        evidence,
        CODE,
        TITLE,
        "asian",
        estimates[headline],
        estimates,
        sentence,
        direction="greater",
        figure=headline.replace("_", " "),
        curve=compared[headline].curve(),
    )


def _english_words(estimates: Mapping[str, Estimate], instrument: str) -> str:
    if not estimates["rendered"].n_speakers:
        return f"Of asian speakers heard in English, no rendered face could be read by {instrument}."
    return (
        f"Of asian speakers heard in English, {percent(estimates['rendered'])} of the rendered faces are read as "
        f"white by {instrument}, against {percent(estimates['portrait'])} of their portraits "
        f"({points(estimates['excess_over_portrait'])})."
    )


def _language_words(estimates: Mapping[str, Estimate], heard: bool) -> str:
    if not heard:
        return "None of them is heard in another language, so what English does cannot be told."
    if not estimates["language_effect"].n_speakers:
        return "They are heard in another language too, but no speaker's faces could be read in both."
    return (
        f"In another language the same speakers' faces are read as white in "
        f"{percent(estimates['rendered_other_language'])}: English makes {points(estimates['language_effect'])}."
    )


def _complement(estimate: Estimate) -> Estimate:
    """One minus a rate."""
    if estimate.value is None:
        return estimate
    low, high = estimate.low, estimate.high
    return Estimate(
        1 - estimate.value,
        None if high is None else 1 - high,
        None if low is None else 1 - low,
        estimate.n_speakers,
        estimate.n_clips,
        estimate.n_missing,
        estimate.method,
    )
