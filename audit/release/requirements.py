"""Rulings on a policy's requirements on instrument and data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from audit.audits.audit import Audit
from audit.audits.tables.your_files import AUDIO
from audit.checks.catalogue.erasure import CHECK as ERASURE
from audit.core.errors import did_you_mean
from audit.core.grouping import GROUP
from audit.core.languages import same_language
from audit.core.sentences import listing
from audit.core.vocabulary import FILE_STATUSES, UNKNOWN, ordered_groups
from audit.release.decision import FigureRuling, Ruling
from audit.release.outcomes import Outcome, worst
from audit.release.policy import Policy
from audit.release.sections import DataTerms, InstrumentTerms
from audit.release.wording import write_bound, write_reason
from audit.stats import ALL, Verdict, verdict

RENDERED = ("ok", "portrait_missing", "portrait_no_face")
"""Statuses of clips with a rendered face that was read."""
COMPLETE, UNREADABLE = "data.complete", "data.max_unreadable"
"""Ids of the rulings on whether the run is whole, and on files that cannot be read."""
PORTRAITS_READ = ERASURE.code
PORTRAIT = "portrait"
"""The check and the name of its figures for the own-group read rate of portraits."""


def known_groups(audit: Audit, by: str = GROUP.name) -> list[str]:
    """The known groups of a run in a grouping, in order."""
    if by == GROUP.name:
        declared = audit.run.get("categories")
        order = declared.get("group", ()) if isinstance(declared, dict) else ()
        return [group for group in ordered_groups(audit.tables["strata"].frame["group"], order) if group != UNKNOWN]
    if "groupings" not in audit.tables:
        return []
    table = audit.tables["groupings"].frame
    return [str(group) for group in table["group"][table["grouping"] == by] if group != UNKNOWN]


def absent_group(group: str, known: Sequence[str], by: str = GROUP.name) -> str:
    """That a run has no such group, and which it has, in words; empty if it has the group.

    Examples
    --------
    >>> absent_group("blakc", ["asian", "black"])
    "there is no group 'blakc' in this run (did you mean 'black'?); its groups are asian and black"
    """
    if group == ALL or group in known:
        return ""
    of = "" if by == GROUP.name else f" by {by}"
    there = f"its groups{of} are {listing([*known])}" if known else f"it has no known group{of}"
    return f"there is no group {group!r} in this run{did_you_mean(group, known)}; {there}"


def requirements(policy: Policy, audit: Audit, baseline: Mapping[str, object] | None) -> list[Ruling]:
    """The rulings on a policy's sections ``instrument`` and ``data``."""
    data, instrument = policy.terms.data, policy.terms.instrument
    made = [_complete(COMPLETE, audit.run, "The run")]
    if baseline is not None:
        made.append(_complete("data.baseline", baseline, "The baseline run"))
    if data.strata:
        made.append(_strata(data, audit))
    if data.label_sources:
        made.append(_label_sources(data, audit))
    if data.max_missing is not None:
        made.append(_missing(data.max_missing, audit))
    made.append(_unreadable(data.max_unreadable, audit))
    if instrument.allowed:
        made.append(_allowed(instrument, audit))
    if instrument.min_recall is not None:
        made.append(_recall(instrument, audit, policy.confidence))
    return [replace(ruling, line=policy.line(ruling.id)) for ruling in made]


def _required(name: str, fails: Outcome, reasons: list[str], passed: str, groups: Iterable[str] = ()) -> Ruling:
    """The ruling on a requirement; ``groups`` are those whose numbers the reasons contain."""
    outcome: Outcome = fails if reasons else "pass"
    sentence = "; ".join(reasons) + "." if reasons else passed
    return Ruling(name, "", "requirement", outcome, sentence, 1, groups=tuple(dict.fromkeys(groups)))


def _complete(name: str, run: Mapping[str, object], words: str) -> Ruling:
    clips, planned = run["n_clips"], run["n_clips_planned"]
    whole = run["complete"] is True and clips == planned and bool(clips)
    return _required(
        name,
        "incomplete",
        [] if whole else [f"{words} is incomplete: {clips} of {planned} clips were observed"],
        f"{words} is complete: {clips} clips.",
    )


def _strata(data: DataTerms, audit: Audit) -> Ruling:
    table, rendered = audit.tables["strata"].frame, audit.tables["statuses"].frame
    rendered, reasons, groups = rendered[rendered["status"].isin(RENDERED)], [], []
    for wanted in data.strata:
        spoken = np.array([same_language(str(code), wanted.language) for code in table["language"]], bool)
        of = table[(table["group"] == wanted.group) & spoken]
        # a speaker has one gender but may have clips in en-GB and en-US: the largest count is a lower bound
        found = int(of.groupby("gender", observed=True)["n_speakers"].max().sum())
        made = rendered[(rendered["group"] == wanted.group) & rendered["language"].isin(of["language"])]
        found = min(found, int(made["n_speakers"].sum()))  # speakers without a face are not counted
        if found < wanted.speakers:
            groups.append(wanted.group)
            reasons.append(
                f"{found} speakers of group {wanted.group} have a face that was read in {wanted.language}, and "
                f"{wanted.speakers} are required"
            )
    passed = f"All {len(data.strata)} required strata have enough speakers."
    return _required("data.strata", "incomplete", reasons, passed, groups)


def _label_sources(data: DataTerms, audit: Audit) -> Ruling:
    table, reasons = audit.tables["label_sources"].frame, []
    for field, allowed in data.label_sources.items():
        of = table[table["field"] == field]
        for source, clips in zip(of["source"], of["n_clips"], strict=True):
            if source not in allowed:
                reasons.append(
                    f"the label {field} of {clips} clips is {source}, which is not among {', '.join(allowed)}"
                )
        if unrecorded := int(audit.run["n_clips"]) - int(of["n_clips"].sum()):  # type: ignore[call-overload]  # a JSON integer
            reasons.append(f"the source of the label {field} of {unrecorded} clips is not recorded")
    return _required("data.label_sources", "incomplete", reasons, "All labels come from allowed sources.")


def _missing(most: float, audit: Audit) -> Ruling:
    table, reasons, groups = audit.tables["statuses"].frame, [], []
    for group in known_groups(audit):
        of_group = table[table["group"] == group]
        for language, of in [("", of_group), *of_group.groupby("language", observed=True, sort=True)]:
            clips, ok = int(of["n_clips"].sum()), int(of["n_clips"][of["status"] == "ok"].sum())
            if clips - ok > most * clips:
                groups.append(group)
                where = f"group {group}" + (f" in {language}" if language else "")
                reasons.append(f"{clips - ok} of {clips} clips of {where} have no result, more than {most:.0%}")
    passed = f"At most {most:.0%} of the clips of any group are missing, overall and in every language."
    return _required("data.max_missing", "incomplete", reasons, passed, groups)


def _unreadable(most: float, audit: Audit) -> Ruling:
    statuses = audit.tables["statuses"].frame
    if "your_files" in audit.tables:
        found = audit.tables["your_files"].frame
        found = found[found["damage"].isin(FILE_STATUSES)]
    else:  # an audit of an earlier version
        found = statuses[statuses["status"] == "audio_unreadable"].assign(file=AUDIO)
    clips = dict(statuses.groupby(["group", "language"], observed=True)["n_clips"].sum().items())
    reasons, groups = [], []
    for (group, language, file), of in found.groupby(["group", "language", "file"], observed=True, sort=False):
        n, total = int(of["n_clips"].sum()), int(clips[group, language])
        if n > most * total:
            groups.append(str(group))
            what = file if file == AUDIO else f"{file} picture"
            where = f"{total} clips of group {group} in {language}"
            reasons.append(f"the {what} of {n} of {where} cannot be read, more than {most:.0%}")
    passed = f"At most {most:.0%} of the files of any group in any language cannot be read."
    return _required(UNREADABLE, "incomplete", reasons, passed, groups)


def _allowed(terms: InstrumentTerms, audit: Audit) -> Ruling:
    instrument = audit.run["instrument"]
    name = instrument.get("name") if isinstance(instrument, dict) else None
    reasons = [] if name in terms.allowed else [f"the instrument is {name}, not one of {', '.join(terms.allowed)}"]
    return _required("instrument.allowed", "instrument", reasons, f"The instrument {name} is allowed.")


def _recall(terms: InstrumentTerms, audit: Audit, confidence: float) -> Ruling:
    """The own-group read rate of portraits: the lower end of its interval must be high enough in every group."""
    assert terms.min_recall is not None
    found = next((item for item in audit.findings if item.code == PORTRAITS_READ), None)
    judged_groups, known = [], known_groups(audit)
    for group in terms.groups or known:
        judged = Verdict("not_evaluable", absent_group(group, known) or "no portrait of the group was read")
        if (estimate := found.select(PORTRAIT, group) if found else None) is not None:
            estimate = estimate.at(confidence) if estimate.curve else estimate
            compared = verdict(estimate, -terms.min_recall, "less").outcome
            judged = Verdict(compared, write_reason(estimate, "at_least", terms.min_recall, compared))
        outcome: Outcome = "pass" if judged.outcome == "not_shown" else "instrument"
        judged_groups.append(FigureRuling(f"{group}.{PORTRAIT}", group, estimate, outcome, judged.reason))
    failed = [item for item in judged_groups if item.outcome != "pass"]
    lowest = min(failed or judged_groups, key=_low, default=None)
    sentence = (
        "No group's portraits were read."
        if lowest is None
        else f"Portraits of group {lowest.group} read as themselves: {lowest.reason}"
        + (f"; this fails for {len(failed)} of {len(judged_groups)} groups." if failed else "; all groups pass.")
    )
    return Ruling(
        "instrument.min_recall",
        PORTRAITS_READ,
        "requirement",
        worst(item.outcome for item in judged_groups) if judged_groups else "instrument",
        sentence,
        1,
        lowest.figure if lowest else "",
        lowest.estimate if lowest else None,
        "at_least",
        terms.min_recall,
        tuple(judged_groups),
        group=lowest.group if lowest else ALL,
        required=write_bound("at_least", terms.min_recall, "share", signed=False),
    )


def _low(item: FigureRuling) -> float:
    return -1.0 if item.estimate is None or item.estimate.low is None else item.estimate.low
