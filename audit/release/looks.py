"""Looks: the decision about a candidate that is gated repeatedly, with the error controlled over all of its looks."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from audit.audits.audit import Audit
from audit.audits.privacy.sharing import without_paths
from audit.release.candidate import candidate_key
from audit.release.deciding import MEASURED, Baseline, decide
from audit.release.decision import Decision, Ruling
from audit.release.ledger import BrokenLedgerError, Entry, Ledger, locked
from audit.release.policy import Policy
from audit.release.sections import LedgerTerms
from audit.stats.sequential import share_of_look

LEDGER = "ledger.look"
"""The id of the ruling on the ledger."""
_SAME_LOOK = ("candidate", "run", "baseline", "measured", "method_version", "rules")
"""Keys of an entry that are equal if the same evidence is judged by the same rules: that is one look."""


@dataclass(frozen=True)
class Look:
    """One look at a candidate.

    Attributes
    ----------
    number : int
        Its number, from 1.
    planned : int or None
        How many looks at the candidate are planned.
    share : float
        The share of each rule's alpha at which it is decided; in [0, 1].
    """

    number: int
    planned: int | None
    share: float

    @property
    def sentence(self) -> str:
        """The look and its share of alpha, in words."""
        of = "" if self.planned is None else f" of {self.planned} planned"
        return f"Look {self.number}{of} at this candidate, at {self.share:.4g} of each rule's alpha"


def decide_look(
    policy: Policy,
    terms: LedgerTerms,
    audit: Audit,
    baseline: Baseline | None = None,
    *,
    today: dt.date,
    code: Mapping[str, object],
    finished: Callable[[Decision, Policy], Decision] = lambda decision, policy: decision,
    further: Sequence[Ruling] = (),
) -> Decision:
    """The decision about a run as one look at its candidate, written to the policy's ledger.

    Every rule is decided at the look's share of its alpha. Deciding on the same evidence by the same rules again is the
    same look. A ledger that is missing or broken blocks the release, and nothing is written to it.

    Parameters
    ----------
    policy, audit, baseline, today, code, further
        As for :func:`audit.release.decide`.
    terms : LedgerTerms
        The policy's section ``ledger``.
    finished : callable
        Takes the decision and the policy at the look's share of alpha, and returns what others may read: with plans,
        and without the figures of small cells. The ledger stores only that.

    Raises
    ------
    RunError
        If the ledger cannot be written.
    """
    path = policy.folder / terms.path

    def decided(policy: Policy, ruling: Ruling) -> Decision:
        placed = replace(ruling, line=policy.line(LEDGER))
        made = decide(policy, audit, baseline, today=today, code=code, further=(placed, *further))
        return finished(made, policy)

    with locked(path):
        try:
            ledger = Ledger.read(path)
        except BrokenLedgerError as error:
            return decided(policy, _ruling(without_paths(str(error)) + ".", blocked=True))
        evidence = _evidence(policy, audit, baseline)
        earlier = [entry for entry in ledger.entries if entry.candidate == evidence["candidate"]]
        same = next((entry for entry in earlier if _key(entry.model_dump()) == _key(evidence)), None)
        number = same.look if same else max((entry.look for entry in earlier), default=0) + 1
        look = Look(number, terms.looks, share_of_look(number, terms.looks))
        if earlier and earlier[0].planned != terms.looks:
            was, now = (f"{n} looks" if n else "no number of looks" for n in (earlier[0].planned, terms.looks))
            words = f"The first look at this candidate planned {was}, and the policy now plans {now}. Set it back."
            return decided(policy, _ruling(words, blocked=True))
        spent = look.share == 0
        words = f"{look.sentence}; the ledger {without_paths(terms.path)} is intact."
        if spent:
            words = f"{terms.looks} looks at this candidate are planned, and this is look {number}: no alpha is left."
        decision = decided(policy if spent else replace(policy, share=look.share), _ruling(words, blocked=spent))
        if not spent:
            decision = _with_alphas(decision, policy, look)
        content = evidence | {
            "decided": today.isoformat(),
            "look": number,
            "planned": terms.looks,
            "cohort": decision.run["cohort_digest"],
            "policy": policy.sha256,
            "outcome": decision.outcome,
            "exit_code": decision.exit_code,
            "rulings": _figures(decision, policy, look),
        }
        entry = next((entry for entry in earlier if _is_repeated(entry, content)), None) or ledger.append(content)
        facts = {"entry": entry.number, "sha256": entry.sha256, "candidate": entry.candidate, "look": number}
        return replace(decision, ledger=facts | {"planned": terms.looks, "share": look.share})


def _evidence(policy: Policy, audit: Audit, baseline: Baseline | None) -> dict[str, Any]:
    third_party = {"checks", "metrics"} if policy.terms.metrics else {"checks"}  # digests without metrics stay
    rules = policy.terms.model_dump(mode="json", include={"rule", *third_party})
    return {
        "candidate": candidate_key(audit.run),
        "run": audit.run["digest"],
        "baseline": baseline.run["digest"] if baseline else None,
        "measured": {name: audit.settings.get(name) for name in MEASURED}
        | {"human_readings": audit.run.get("human_readings")},
        "method_version": audit.method_version,
        "rules": _digest(rules),
    }


def _key(entry: Mapping[str, Any]) -> list[Any]:
    return [entry[name] for name in _SAME_LOOK]


def _is_repeated(entry: Entry, content: Mapping[str, Any]) -> bool:
    """Whether an entry stores this decision already, on whichever day."""
    stored = entry.model_dump(mode="json")
    return all(stored[name] == value for name, value in content.items() if name != "decided")


def _ruling(words: str, *, blocked: bool) -> Ruling:
    return Ruling(LEDGER, "", "requirement", "incomplete" if blocked else "pass", words, 1)


def _with_alphas(decision: Decision, policy: Policy, look: Look) -> Decision:
    """The decision, with the look and the spent alpha in the sentence of every rule."""
    alphas = {resolved.rule.id: resolved.rule.alpha for resolved in policy.rules}
    rulings = [
        replace(ruling, sentence=f"{ruling.sentence} {_alpha_words(alphas[ruling.id], look)}")
        if ruling.id in alphas
        else ruling
        for ruling in decision.rulings
    ]
    return replace(decision, rulings=tuple(rulings))


def _alpha_words(alpha: float, look: Look) -> str:
    return f"Look {look.number} at this candidate, alpha {alpha * look.share:.3g} of {alpha:g}."


def _figures(decision: Decision, policy: Policy, look: Look) -> list[dict[str, Any]]:
    alphas = {resolved.rule.id: resolved.rule.alpha for resolved in policy.rules}
    return [
        {
            "rule": ruling.id,
            "figure": ruling.figure,
            "value": figure.value if (figure := ruling.estimate) else None,
            "low": figure.low if figure else None,
            "high": figure.high if figure else None,
            "n_speakers": figure.n_speakers if figure else None,
            "alpha": alphas[ruling.id] * look.share,
            "outcome": ruling.outcome,
        }
        for ruling in decision.rulings
        if ruling.id in alphas
    ]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
