"""Evidence that blocks a release unless the policy allows it by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, get_args

from pydantic import Field

from audit.core.sentences import listing
from audit.core.typed_toml import Section
from audit.core.units import write_value
from audit.release.decision import Ruling
from audit.release.facts import RunFacts
from audit.release.pins import WORDS as PINNED
from audit.release.pins import Pins

Kind = Literal[
    "simulated",
    "reference_model",
    "planted_model",
    "no_model_in_plan",
    "shared_audio",
    "shared_portrait",
    "unknown_groups",
    "baseline_is_run",
    "several_writers",
    "unpinned",
]
"""What a policy can allow in ``[evidence] allow``."""
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
SECTION: Final = "evidence"
ADMITTED: Final = f"{SECTION}.admitted"
"""The id of the ruling that nothing was found which the policy would have to allow."""


class EvidenceTerms(Section):
    """The evidence that the policy admits.

    Attributes
    ----------
    allow : tuple of str
        What does not block a release, of :data:`KINDS`; by default nothing.
    max_unknown : float
        The largest share of speakers whose group is unknown, in each grouping of the rules.
    """

    allow: tuple[Kind, ...] = ()
    max_unknown: float = Field(default=0.05, ge=0, le=1)

    def rulings(self, facts: RunFacts, pins: Pins) -> Iterator[Ruling]:
        """A ruling ``evidence.KIND`` for everything found that needs to be allowed: incomplete unless it is.

        If nothing is found, one ruling says so.
        """
        found = dict(self._found(facts, pins))
        for kind, words in found.items():
            allowed = kind in self.allow
            rest = " The policy allows it." if allowed else f' The policy does not allow it: allow = ["{kind}"].'
            yield _ruling(f"{SECTION}.{kind}", words + rest, blocked=not allowed)
        if not found.keys() - {"unpinned"}:
            yield _ruling(ADMITTED, "Nothing was found in the evidence that the policy would have to allow.")

    def _found(self, facts: RunFacts, pins: Pins) -> Iterator[tuple[Kind, str]]:
        """What needs to be allowed, with a sentence each."""
        if facts.simulated:
            yield "simulated", "The run is simulated: there are no speakers and there is no model."
        if facts.reference_model:
            yield "reference_model", f"The model {facts.model} is a reference model, which tests the checks."
        if facts.planted_model:
            yield "planted_model", f"The model {facts.model} shows portraits to test the audit; it renders nothing."
        if not facts.names_model:
            yield "no_model_in_plan", f"The plan names no model, so {facts.model} was audited."
        made_up = facts.simulated or facts.reference_model
        for kind, n, what in (
            ("shared_audio", facts.n_shared_audio, "an audio file"),
            ("shared_portrait", facts.n_shared_portrait, "a portrait"),
        ):
            if n is None and not made_up:
                yield kind, f"It is not known whether speakers share {what}: give the run, not only its audit."  # type: ignore[misc]  # a Kind
            elif n:
                yield kind, f"{n} speakers have {what} that another speaker has too."  # type: ignore[misc]
        over = {by: share for by, share in facts.unknown_share.items() if share > self.max_unknown}
        if over:
            shares = listing([f"{write_value(share, 'share')} of speakers by {by}" for by, share in over.items()])
            most = write_value(self.max_unknown, "share")
            yield "unknown_groups", f"The group is unknown of {shares}, and at most {most} may be."
        if facts.baseline_is_run:
            yield "baseline_is_run", "The baseline is the run itself, or a run of the same weights."
        if facts.journal == "several_writers":
            yield "several_writers", "The run was finished by another model, instrument or code than it was begun with."
        if facts.journal == "changed":
            yield "several_writers", "The journal of the run is not about its parts, so it is not known who wrote them."
        if absent := pins.unchecked(facts):
            yield (
                "unpinned",
                f"Not checked, because the policy does not pin it: {listing([PINNED[name] for name in absent])}. Write "
                "the pins of a run that you trust: audit gate --pin RUN.",
            )


def _ruling(name: str, sentence: str, *, blocked: bool = False) -> Ruling:
    return Ruling(name, "", "requirement", "incomplete" if blocked else "pass", sentence, 1)
