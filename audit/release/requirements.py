"""What a policy requires of instrument and data, before any figure counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from audit.audits.audit import Audit
from audit.checks.catalogue.erasure import CHECK as ERASURE
from audit.checks.figure import Figure
from audit.checks.finding import Finding
from audit.core.vocabulary import UNKNOWN, ordered_groups, same_language
from audit.release.decision import Held, Outcome, Ruling, worst
from audit.release.policy import DataTerms, InstrumentTerms, Policy
from audit.stats import ALL
from audit.stats.verdict import verdict

RENDERED = ("ok", "portrait_missing", "portrait_no_face")
"""The statuses of clips from which a face was made and read."""
PORTRAITS_READ = ERASURE.code
PORTRAIT = "portrait"
"""The check and its figure that say, for every group, how often its portraits are read as itself."""


def known_groups(audit: Audit) -> list[str]:
    """The groups of a run that can be judged, in the fixed order."""
    return [group for group in ordered_groups(audit.tables["strata"].frame["group"]) if group != UNKNOWN]


def requirements(policy: Policy, audit: Audit, baseline: Mapping[str, object] | None) -> list[Ruling]:
    """The rulings on a policy's sections ``instrument`` and ``data``."""
    data, instrument = policy.terms.data, policy.terms.instrument
    made = [_complete("data.complete", audit.run, "The run")]
    if baseline is not None:
        made.append(_complete("data.baseline", baseline, "The baseline run"))
    if data.strata:
        made.append(_strata(data, audit))
    if data.label_sources:
        made.append(_label_sources(data, audit))
    if data.max_missing is not None:
        made.append(_missing(data.max_missing, audit))
    if instrument.allowed:
        made.append(_allowed(instrument, audit))
    if instrument.min_recall is not None:
        made.append(_recall(instrument, audit, policy))
    return [_at_line(ruling, policy.line(ruling.id)) for ruling in made]


def _required(name: str, fails: Outcome, faults: list[str], holds: str, groups: Iterable[str] = ()) -> Ruling:
    """The ruling on a requirement; ``groups`` are those that the faults give numbers of."""
    outcome: Outcome = fails if faults else "pass"
    sentence = "; ".join(faults) + "." if faults else holds
    return Ruling(name, "", "requirement", outcome, sentence, 1, groups=tuple(dict.fromkeys(groups)))


def _at_line(ruling: Ruling, line: int) -> Ruling:
    return Ruling(**{**vars(ruling), "line": line})


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
    rendered, faults, groups = rendered[rendered["status"].isin(RENDERED)], [], []
    for wanted in data.strata:
        spoken = np.array([same_language(str(code), wanted.language) for code in table["language"]], bool)
        of = table[(table["group"] == wanted.group) & spoken]
        # a speaker has one gender, and may be heard in en-GB and en-US: the largest of them is the least they can be
        heard = int(of.groupby("gender", observed=True)["n_speakers"].max().sum())
        made = rendered[(rendered["group"] == wanted.group) & rendered["language"].isin(of["language"])]
        heard = min(heard, int(made["n_speakers"].sum()))  # a speaker may be counted twice, one without a face never is
        if heard < wanted.speakers:
            groups.append(wanted.group)
            faults.append(
                f"of {heard} speakers of group {wanted.group} a face was made and read in {wanted.language}, "
                f"not of {wanted.speakers}"
            )
    holds = f"In all {len(data.strata)} required strata there are enough speakers."
    return _required("data.strata", "incomplete", faults, holds, groups)


def _label_sources(data: DataTerms, audit: Audit) -> Ruling:
    table, faults = audit.tables["label_sources"].frame, []
    for field, allowed in data.label_sources.items():
        of = table[table["field"] == field]
        for source, clips in zip(of["source"], of["n_clips"], strict=True):
            if source not in allowed:
                faults.append(
                    f"the label {field} of {clips} clips is {source}, which is not among {', '.join(allowed)}"
                )
        if untold := int(audit.run["n_clips"]) - int(of["n_clips"].sum()):  # type: ignore[call-overload]  # a JSON integer
            faults.append(f"the source of the label {field} of {untold} clips is not told")
    return _required("data.label_sources", "incomplete", faults, "All labels come from allowed sources.")


def _missing(most: float, audit: Audit) -> Ruling:
    table, faults, groups = audit.tables["statuses"].frame, [], []
    for group in known_groups(audit):
        of_group = table[table["group"] == group]
        for language, of in [("", of_group), *of_group.groupby("language", observed=True, sort=True)]:
            clips, ok = int(of["n_clips"].sum()), int(of["n_clips"][of["status"] == "ok"].sum())
            if clips - ok > most * clips:
                groups.append(group)
                where = f"group {group}" + (f" in {language}" if language else "")
                faults.append(f"{clips - ok} of {clips} clips of {where} have no result, more than {most:.0%}")
    holds = f"At most {most:.0%} of any group's clips are missing, in no language more."
    return _required("data.max_missing", "incomplete", faults, holds, groups)


def _allowed(terms: InstrumentTerms, audit: Audit) -> Ruling:
    instrument = audit.run["instrument"]
    name = instrument.get("name") if isinstance(instrument, dict) else None
    faults = [] if name in terms.allowed else [f"the instrument is {name}, not one of {', '.join(terms.allowed)}"]
    return _required("instrument.allowed", "instrument", faults, f"The instrument {name} is allowed.")


def _recall(terms: InstrumentTerms, audit: Audit, policy: Policy) -> Ruling:
    """How often portraits are read as their own group: shown, by the lower end, to be enough in every group."""
    assert terms.min_recall is not None
    found: Finding | None = next((item for item in audit.findings if item.code == PORTRAITS_READ), None)
    held = []
    for group in terms.groups or known_groups(audit):
        key = f"{group}.{PORTRAIT}"
        estimate = found.select(PORTRAIT, group) if found else None
        if estimate is not None and estimate.curve is not None:
            estimate = estimate.at(policy.confidence)
        if estimate is None or estimate.interval is None:
            why = estimate.method if estimate else "no portrait of the group was read"
            held.append(Held(key, group, estimate, "instrument", why))
            continue
        judged = verdict(estimate, -terms.min_recall, "less")
        held.append(
            Held(key, group, estimate, "pass" if judged.outcome == "not_shown" else "instrument", judged.reason)
        )
    failed = [item for item in held if item.outcome != "pass"]
    lowest = min(failed or held, key=lambda item: _low(item.estimate), default=None)
    sentence = (
        "No group's portraits were read."
        if lowest is None
        else f"Portraits of group {lowest.group} read as themselves: {lowest.reason}"
        + (f"; so fail {len(failed)} of {len(held)} groups." if failed else "; all groups hold.")
    )
    return Ruling(
        "instrument.min_recall",
        PORTRAITS_READ,
        "requirement",
        worst(item.outcome for item in held) if held else "instrument",
        sentence,
        policy.line("instrument.min_recall"),
        lowest.figure if lowest else "",
        lowest.estimate if lowest else None,
        "at_least",
        terms.min_recall,
        tuple(held),
        group=lowest.group if lowest else ALL,
    )


def _low(estimate: Figure | None) -> float:
    return -1.0 if estimate is None or estimate.low is None else estimate.low
