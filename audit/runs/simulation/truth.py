"""The parameters of a simulated run, from a mapping or a TOML file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from audit.core.errors import did_you_mean
from audit.core.group_labels import fault
from audit.core.languages import canonical_language
from audit.core.typed_toml import parse_mapping, parse_toml, read_text
from audit.core.vocabulary import RACES, group_members

MOST_CLIPS: Final = 20_000_000
KEYS: Final = "docs/guide/simulate.md"

Share = Annotated[float, Field(ge=0, le=1)]
Reads = dict[str, Share]
"""The probability of each read."""

ROUNDING: Final = 1e-9


class Truth(BaseModel):
    """The parameters of a simulated run.

    Attributes
    ----------
    groups : tuple of str
        As in a cohort; the order has no effect.
    speakers_per_group, clips_per_language : int
        Genders alternate within a group.
    languages : tuple of str
        Every speaker has clips in all of them.
    icc : float
        Correlation between two clips of one speaker in one language, of the indicators of any read, of a correct
        gender, and of a missing face.
    icc_between_languages : float or None
        The same for two clips in two languages, if both languages have the same probabilities; otherwise see
        :func:`shared_uniforms`. By default equal to ``icc``; not larger, unless there is one clip per language.
    speakers_per_cluster : int or None
        The number of consecutive speakers of a group that share a video, which the column ``cluster`` names. By default
        there is no such column.
    cluster_icc : float or None
        Correlation between two clips of different speakers of a cluster, of the same indicators and with the same
        probabilities; at most ``icc_between_languages``. By default 0.
    missing : float or mapping of str to float
        Probability that a clip has no rendered face, optionally by group.
    gender_right : float or mapping of str to float
        Probability that the gender of a rendered face is read as labelled, optionally by group.
    portrait : mapping
        ``group -> read -> probability``, one read per speaker. ``group -> language -> read`` is accepted if all
        languages are equal.
    ceiling, rendered : mapping
        ``group -> language -> read -> probability``. The remaining probability goes to the own group, which is the
        first race of a mixed label.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    groups: tuple[str, ...] = Field(min_length=1)
    speakers_per_group: int = Field(ge=1)
    clips_per_language: int = Field(default=1, ge=1)
    languages: tuple[str, ...] = Field(default=("en",), min_length=1)
    icc: Share = 0.0
    icc_between_languages: Share | None = None
    speakers_per_cluster: int | None = Field(default=None, ge=1)
    cluster_icc: Share | None = None
    missing: Share | Reads = 0.0
    gender_right: Share | Reads = 1.0
    portrait: dict[str, Reads] = Field(default_factory=dict)
    ceiling: dict[str, dict[str, Reads]] = Field(default_factory=dict)
    rendered: dict[str, dict[str, Reads]] = Field(default_factory=dict)

    @field_validator("groups")
    @classmethod
    def _known_groups(cls, groups: tuple[str, ...]) -> tuple[str, ...]:
        for group in groups:
            if found := fault(group):
                raise ValueError(f"there is no group {group!r}, {found}")
        return _once(groups, "group")

    @field_validator("languages")
    @classmethod
    def _known_languages(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_canonical(_once(languages, "language")).values())

    @field_validator("ceiling", "rendered")
    @classmethod
    def _canonical_languages(cls, given: dict[str, dict[str, Reads]]) -> dict[str, dict[str, Reads]]:
        return {
            group: {code: languages[stated] for stated, code in _canonical(languages).items()}
            for group, languages in given.items()
        }

    @field_validator("missing", "gender_right", mode="before")
    @classmethod
    def _number_or_by_group(cls, given: Any) -> Any:
        shares = list(given.values()) if isinstance(given, Mapping) else [given]
        for share in shares:
            if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
                raise ValueError("expected a probability in [0, 1], or one for each group")
        return given

    @field_validator("portrait", mode="before")
    @classmethod
    def _one_reading_a_speaker(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        made = {}
        for group, table in given.items():
            parts = list(table.values()) if isinstance(table, Mapping) else []
            if parts and all(isinstance(part, Mapping) for part in parts):
                if any(part != parts[0] for part in parts):
                    raise ValueError(f"{group}: a portrait is read once per speaker, so its languages cannot differ")
                made[group] = parts[0]
            else:
                made[group] = table
        return made

    @model_validator(mode="after")
    def _consistent(self) -> Truth:
        between = self.icc_between_languages
        if between is not None and between > self.icc and self.clips_per_language > 1 and len(self.languages) > 1:
            raise ValueError(
                f"icc_between_languages is {between:g}, above the icc of {self.icc:g}; it must not be larger"
            )
        shared, most = self.cluster_icc or 0.0, self.correlations[1]
        if shared and self.speakers_per_cluster is None:
            raise ValueError(f"cluster_icc is {shared:g} without speakers_per_cluster: no speakers share a cluster")
        if shared > most:
            raise ValueError(
                f"cluster_icc is {shared:g}, above the correlation of {most:g} between clips of one speaker; it must "
                "not be larger"
            )
        if self.n_clips > MOST_CLIPS:
            raise ValueError(f"there are {self.n_clips:,} clips; allowed: at most {MOST_CLIPS:,}")
        for name, given in (("missing", self.missing), ("gender_right", self.gender_right)):
            self._among(name, given if isinstance(given, dict) else {}, self.groups, "group")
        self._among("portrait", self.portrait, self.groups, "group")
        for group, reads in self.portrait.items():
            self._sum_to_one(f"portrait.{group}", reads)
        dials = {"ceiling": self.ceiling, "rendered": self.rendered}
        for stage, dial in dials.items():
            self._among(stage, dial, self.groups, "group")
            for group, languages in dial.items():
                self._among(f"{stage}.{group}", languages, self.languages, "language")
                for language, reads in languages.items():
                    self._sum_to_one(f"{stage}.{group}.{language}", reads)
        for group in (group for group in self.groups if not group_members(group)):
            tables = {f"portrait.{group}": self.portrait.get(group, {})} | {
                f"{stage}.{group}.{language}": dial.get(group, {}).get(language, {})
                for stage, dial in dials.items()
                for language in self.languages
            }
            for place, reads in tables.items():
                if abs(sum(reads.values()) - 1) > ROUNDING:
                    raise ValueError(f"{place}: the group {group} has no own read, so its reads must sum to 1")
        return self

    @property
    def n_clips(self) -> int:
        """The number of clips."""
        return len(self.groups) * self.speakers_per_group * len(self.languages) * self.clips_per_language

    @property
    def correlations(self) -> tuple[float, float]:
        """Correlation within speaker and language, and between the languages of a speaker."""
        between = self.icc if self.icc_between_languages is None else self.icc_between_languages
        return max(self.icc, between), between

    @classmethod
    def of(cls, truth: Truth | Mapping[str, Any] | str | Path) -> Truth:
        """The truth in a mapping or a TOML file.

        Raises
        ------
        PlanError
            If the file cannot be read, or a key or value is not allowed.
        """
        if isinstance(truth, cls):
            return truth
        if isinstance(truth, str | Path):
            return parse_toml(cls, read_text(Path(truth), "truth"), str(truth), KEYS)
        return parse_mapping(cls, _without_numpy(truth), "The truth", KEYS)

    @staticmethod
    def _among(place: str, names: Mapping[str, Any], allowed: tuple[str, ...], kind: str) -> None:
        for name in names:
            if name not in allowed:
                hint = did_you_mean(name, allowed, ", {}")
                raise ValueError(f"{place}.{name}: no such {kind} here{hint} (allowed: {', '.join(allowed)})")

    @classmethod
    def _sum_to_one(cls, place: str, reads: Reads) -> None:
        cls._among(place, reads, RACES, "read")
        if sum(reads.values()) > 1 + ROUNDING:
            raise ValueError(f"{place}: the probabilities sum to {sum(reads.values()):g}, above 1")


def _canonical(codes: Iterable[str]) -> dict[str, str]:
    """The canonical code of each language code; ValueError if one is not a code, or two are the same language."""
    given: dict[str, str] = {}
    for code in codes:
        first = given.setdefault(canonical_language(code), code)
        if first != code:
            raise ValueError(f"{first} and {code} are the same language, {canonical_language(code)}")
    return {code: language for language, code in given.items()}


def _once(names: tuple[str, ...], kind: str) -> tuple[str, ...]:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"the {kind} {name} is named twice")
    return names


def _without_numpy(value: Any) -> Any:
    """The value with numpy numbers and arrays converted to Python's."""
    if isinstance(value, Mapping):
        return {key: _without_numpy(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [_without_numpy(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value
