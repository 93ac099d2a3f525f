"""Training coverage of a model: speakers and clips of each group in each language."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from audit.core.errors import ModelError
from audit.core.vocabulary import group_members, is_language

COVERAGE = "training_coverage"
"""Key of the training coverage in a model's description."""


class Heard(BaseModel):
    """Training data of one group in one language; zeros mean not covered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: str
    language: str
    speakers: int = Field(ge=0)
    clips: int = Field(ge=0)
    seconds: float = Field(ge=0)

    @field_validator("group")
    @classmethod
    def _group(cls, group: str) -> str:
        group_members(group)
        return group

    @field_validator("language")
    @classmethod
    def _language(cls, language: str) -> str:
        if not is_language(language):
            raise ValueError(f"{language!r} is not a BCP-47 code")
        return language


def coverage_of(description: Mapping[str, object]) -> tuple[Heard, ...]:
    """The training coverage in a model's description; empty if it has none.

    Raises
    ------
    ModelError
        If it is not a valid training coverage.

    Examples
    --------
    >>> coverage_of({"training_coverage": [
    ...     {"group": "asian", "language": "en", "speakers": 0, "clips": 0, "seconds": 0.0}]})[0].clips
    0
    """
    try:
        return TypeAdapter(tuple[Heard, ...]).validate_python(description.get(COVERAGE, ()))
    except ValidationError as error:
        first = error.errors()[0]
        raise ModelError(
            f"The model's {COVERAGE}, {'.'.join(map(str, first['loc'])) or 'as a whole'}: {first['msg']}.",
            "a list of {group, language, speakers, clips, seconds}",
            "Fix it in the model's describe(), or leave it out.",
        ) from error
