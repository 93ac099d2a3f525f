"""Pins of a policy: the model, cohort, instrument, code, plan and settings that a run must have been made with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Final, Literal

import tomli_w
from pydantic import Field, StringConstraints

from audit.core.typed_toml import Section
from audit.release.decision import Ruling
from audit.release.facts import RunFacts

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

SECTION: Final = "pins"
NONE: Final = "none"
"""What is pinned of a model that has no weights."""
WORDS: Final = {
    "weights_sha256": "the model's weights",
    "model_code_sha256": "the model's code",
    "cohort_digest": "the cohort's tables",
    "content_sha256": "the bytes of the cohort's files",
    "instrument_code_sha256": "the instrument's code and weights",
    "code_version": "the version of the code",
    "code_commit": "the commit of the code",
    "clean": "that the code had no uncommitted changes",
    "plan_sha256": "the plan",
    "seed": "the seed",
    "estimand": "the estimand",
    "baseline": "the baseline",
    "recheck": "the share of cached answers that were computed again",
    "max_age_days": "the age of the run",
}
"""What each pin is about."""
_CHOSEN: Final = {"recheck": 0.02, "max_age_days": 30}
"""Pins that are not facts of a run, with examples."""


class Pins(Section):
    """What the run must have been made with; a key that is left out is not checked.

    Attributes
    ----------
    weights_sha256, model_code_sha256 : str or None
        Digests of the model's weights (``none`` for a model without weights) and of its code.
    cohort_digest, content_sha256 : str or None
        Digests of the cohort's tables, and of the bytes of all its files.
    instrument_code_sha256 : str or None
        The digest of the instrument's code and weights, whatever name it gives itself.
    code_version, code_commit : str or None
        The version of this package that made the run, and its commit in a checkout.
    clean : True or None
        Whether the checkout that made the run must have had no changes.
    plan_sha256 : str or None
        The digest of the run's plan without paths.
    seed : int or None
        The run's seed.
    estimand : {"speaker", "clip"} or None
        What the figures average.
    baseline : str or None
        The digest of the baseline run.
    recheck : float or None
        The smallest share of the answers from a cache that must have been computed again (``audit run --recheck``).
    max_age_days : int or None
        How many days ago the run may have been completed.
    """

    weights_sha256: Sha256 | Literal["none"] | None = None
    model_code_sha256: Sha256 | None = None
    cohort_digest: Sha256 | None = None
    content_sha256: Sha256 | None = None
    instrument_code_sha256: Sha256 | None = None
    code_version: Text | None = None
    code_commit: Text | None = None
    clean: Literal[True] | None = None
    plan_sha256: Sha256 | None = None
    seed: int | None = None
    estimand: Literal["speaker", "clip"] | None = None
    baseline: Sha256 | None = None
    recheck: float | None = Field(default=None, gt=0, le=1)
    max_age_days: int | None = Field(default=None, ge=1, le=3660)

    def rulings(self, facts: RunFacts, today: dt.date) -> Iterator[Ruling]:
        """A ruling ``pins.NAME`` for each pin: incomplete if the run has something else, or does not record it."""
        for name in WORDS:
            pinned = getattr(self, name)
            if pinned is None:
                continue
            holds, found = _compared(name, pinned, facts, today)
            sentence = f"{WORDS[name][0].upper()}{WORDS[name][1:]}: {found}"
            sentence += ", as pinned." if holds else f", and the policy pins {_pinned_words(name, pinned)}."
            yield Ruling(f"{SECTION}.{name}", "", "requirement", "pass" if holds else "incomplete", sentence, 1)

    def unchecked(self, facts: RunFacts) -> tuple[str, ...]:
        """The names of the pins that the policy leaves out and that a run with these facts can have."""
        due = dict.fromkeys(WORDS, True)
        due["code_commit"] = due["clean"] = facts.code_commit is not None  # an installed package has no commit
        due["baseline"] = facts.baseline is not None
        due["recheck"] = facts.rechecked_share != 1
        return tuple(name for name, is_due in due.items() if is_due and getattr(self, name) is None)


def pins_toml(facts: RunFacts, chosen: Pins | None = None) -> str:
    """The section ``[pins]`` of a run's facts, as TOML; what the run does not record is named in comments.

    ``max_age_days`` and ``recheck`` are chosen by people and not facts of a run: those of ``chosen`` are kept.
    """
    chosen = chosen or Pins()
    values = {name: getattr(chosen if name in _CHOSEN else facts, name, None) for name in WORDS}
    values |= {"weights_sha256": facts.weights_sha256 or NONE, "clean": True if facts.code_dirty is False else None}
    known = {name: value for name, value in values.items() if value is not None}
    lines = [f"[{SECTION}]", *tomli_w.dumps(known).splitlines()]
    for name in Pins().unchecked(facts):
        if name in _CHOSEN and name not in known:
            lines.append(f"# {name} = {_CHOSEN[name]}  # {WORDS[name]}: choose a number")
        elif name == "clean" and name not in known:
            lines.append("# clean: the code that made this run had uncommitted changes")
        elif name not in known:
            lines.append(f"# {name}: this run does not record {WORDS[name]}")
    return "\n".join(lines) + "\n"


def facts_of_pin(name: str, facts: RunFacts) -> object:
    """The fact of a run that a pin is compared with; ``None`` if the run does not record it."""
    if name == "weights_sha256":
        return facts.weights_sha256 or NONE
    if name == "clean":
        return None if facts.code_dirty is None else not facts.code_dirty
    return getattr(facts, {"max_age_days": "finished", "recheck": "rechecked_share"}.get(name, name))


def _compared(name: str, pinned: object, facts: RunFacts, today: dt.date) -> tuple[bool, str]:
    """Whether a pin holds, and what was found, in words."""
    fact = facts_of_pin(name, facts)
    if name == "baseline" and fact is None:
        return False, "none was given"
    if fact is None:
        return False, "the run does not record it"
    if isinstance(fact, dt.datetime) and isinstance(pinned, int):
        days = (today - fact.date()).days
        return days <= pinned, f"{days} days, completed on {fact.date()}"
    if name == "recheck" and isinstance(fact, float) and isinstance(pinned, float):
        return fact >= pinned, f"{fact:.2%}"
    if name == "clean":
        return fact is True, "it had none" if fact else "it had some"
    return fact == pinned, str(fact)


def _pinned_words(name: str, pinned: object) -> str:
    if name == "recheck":
        return f"{pinned:.2%} or more"
    return {"max_age_days": f"at most {pinned} days", "clean": "none"}.get(name, str(pinned))
