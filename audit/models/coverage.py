"""Training coverage of a model: speakers and clips of each group in each language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from audit.core.errors import ModelError
from audit.core.group_labels import fault
from audit.core.languages import canonical_language

COVERAGE = "training_coverage"
"""Key of the training coverage in a model's description."""


def _known_group(group: str) -> str:
    if found := fault(group):
        raise ValueError(f"the group {group!r}: {found}")
    return group


class Heard(BaseModel):
    """Training data of one group in one language; zeros mean not covered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: Annotated[str, AfterValidator(_known_group)]
    language: Annotated[str, AfterValidator(canonical_language)]
    speakers: int = Field(ge=0)
    clips: int = Field(ge=0)
    seconds: float = Field(ge=0)


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
