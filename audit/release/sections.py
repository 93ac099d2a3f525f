"""The sections of a policy on instrument, data and ledger."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, StringConstraints

from audit.core.errors import did_you_mean
from audit.core.group_labels import fault
from audit.core.languages import canonical_language
from audit.core.typed_toml import Section
from audit.core.vocabulary import LABEL_SOURCES, RACES, UNKNOWN

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Groups = TypeVar("Groups", str | tuple[str, ...] | None, tuple[str, ...] | None)


def _known_group(group: str) -> str:
    if group == UNKNOWN:
        raise ValueError(f"{UNKNOWN} is never judged")
    if found := fault(group):
        raise ValueError(
            f"there is no group {group!r}, {found}"
            + ("" if "|" in group else f" The race labels are {', '.join(RACES)}; a cohort may have further groups")
        )
    return group


def known_groups(groups: Groups) -> Groups:
    """Validate groups; raises ValueError if there are none, or one does not exist."""
    if isinstance(groups, tuple):
        if not groups:
            raise ValueError('name a group, or say "all"')
        for group in groups:
            _known_group(group)
    return groups


def _known_sources(allowed: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    for source in {name for names in allowed.values() for name in names}:
        if source not in LABEL_SOURCES:
            hint = did_you_mean(source, LABEL_SOURCES, ", {}")
            raise ValueError(f"there is no source {source!r}{hint}; they are {', '.join(LABEL_SOURCES)}")
    return allowed


class InstrumentTerms(Section):
    """Requirements on the instrument.

    Attributes
    ----------
    allowed : tuple of str
        Names of allowed instruments; by default any.
    min_recall : float or None
        How often portraits must be read as their own group, in each group. The lower end of the interval counts, so
        that an instrument with too few portraits is not accepted.
    groups : tuple of str or None
        The groups; by default every known group of the run.
    """

    allowed: tuple[str, ...] = ()
    min_recall: float | None = Field(default=None, ge=0, le=1)
    groups: Annotated[tuple[str, ...] | None, AfterValidator(known_groups)] = None


class Stratum(Section):
    """The number of speakers that a run needs in a group and language."""

    group: Annotated[str, AfterValidator(_known_group)]
    language: Annotated[str, AfterValidator(canonical_language)]
    speakers: int = Field(default=1, ge=1)


class DataTerms(Section):
    """Requirements on the run's data. A complete run is always required.

    Attributes
    ----------
    strata : tuple of Stratum
        The required numbers of speakers.
    label_sources : dict
        The allowed sources of all labels of ``group``, ``gender`` and ``language``.
    max_missing : float or None
        The largest allowed share of clips without a result, in each known group.
    max_unreadable : float
        The largest allowed share of clips with a file that cannot be read, in each group and language: of audio,
        portraits, ceilings and rendered pictures separately.
    attestation : str or None
        A signer that must have attested the run: a public key file, relative to the policy's folder, or
        ``ISSUER::IDENTITY`` for Sigstore.
    """

    strata: tuple[Stratum, ...] = ()
    label_sources: Annotated[
        dict[Literal["group", "gender", "language"], tuple[str, ...]], AfterValidator(_known_sources)
    ] = Field(default_factory=dict)
    max_missing: float | None = Field(default=None, ge=0, le=1)
    max_unreadable: float = Field(default=0.01, ge=0, le=1)
    attestation: Words | None = None


class LedgerTerms(Section):
    """The ledger of all looks at every candidate, over which the error of each rule is controlled.

    Attributes
    ----------
    path : str
        The ledger's file, relative to the policy's folder.
    looks : int or None
        How many looks at a candidate are planned: each is decided at ``alpha / looks``, and further ones pass nothing.
        Without a plan the k-th look is decided at ``alpha / (k * (k + 1))``.
    """

    path: Words
    looks: int | None = Field(default=None, ge=1, le=1000)
