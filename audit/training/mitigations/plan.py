"""The section ``[mitigation]`` of a training plan: names and options."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from audit.core.languages import canonical_language, is_language, same_language
from audit.core.vocabulary import RACES
from audit.training.mitigations.registry import after_training, in_training

OTHER: Final = "other"
"""Means every language except English."""

ONE_OF: Final = ({"balanced", "reweighted"}, {"reweighted", "group_dro"})
"""Pairs that cannot be combined, since they correct the same thing."""


def known_group(group: str) -> str:
    """The group; ValueError if it is not in the vocabulary."""
    if group not in RACES:
        raise ValueError(f"there is no group {group!r}; the groups are {', '.join(RACES)}")
    return group


def known_language(language: str) -> str:
    """The canonical code of a language, or ``other``; ValueError if it is neither a BCP-47 code nor that."""
    if language == OTHER:
        return language
    if not is_language(language):
        raise ValueError(f"{language!r} is neither a BCP-47 code nor {OTHER!r}")
    return canonical_language(language)


class Section(BaseModel):
    """A section of a training plan; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Coverage(Section):
    """The options of ``coverage``.

    Attributes
    ----------
    groups : tuple of str
        The groups; by default all.
    languages : tuple of str
        BCP-47 codes, or ``other`` for every language except English; by default all.
    share : float
        The covered share of their speakers, in (0, 1]; a larger share in the plan takes precedence.
    """

    groups: tuple[Annotated[str, AfterValidator(known_group)], ...] = ()
    languages: tuple[Annotated[str, AfterValidator(known_language)], ...] = ()
    share: float = Field(default=1.0, gt=0, le=1)

    def added(self, group: str, language: str) -> float:
        """The share of a group that these options cover in a language; 0 if they do not apply.

        Examples
        --------
        >>> some = Coverage(groups=("asian",), languages=("en",), share=0.5)
        >>> some.added("asian", "en-GB"), some.added("asian", "zh"), some.added("white", "en")
        (0.5, 0.0, 0.0)
        """
        applies = not self.languages or any(
            not same_language(language, "en") if code == OTHER else same_language(code, language)
            for code in self.languages
        )
        return self.share if applies and (not self.groups or group in self.groups) else 0.0


class GroupDro(Section):
    """The option of ``group_dro``: ``rate``, the step of its weights (eta of Sagawa et al. 2020, algorithm 1)."""

    rate: float = Field(default=0.01, gt=0)


class LanguageAdversarial(Section):
    """The options of ``language_adversarial``.

    ``weight`` is the final factor of the reversed gradient (lambda), ``hidden`` the width of the classifier's layer.
    """

    weight: float = Field(default=1.0, gt=0)
    hidden: int = Field(default=64, ge=1)


class MitigationPlan(Section):
    """The mitigations of a training; none if ``names`` is empty.

    Attributes
    ----------
    names : tuple of str
        Names of :func:`audit.training.mitigations.available`, of the kinds data and training.
    coverage, group_dro, language_adversarial
        Options of the mitigations with these names.

    Examples
    --------
    >>> MitigationPlan(names=("balanced", "group_dro")).record()
    {'names': ['balanced', 'group_dro'], 'options': {'group_dro': {'rate': 0.01}}}
    """

    names: tuple[str, ...] = ()
    coverage: Coverage = Coverage()
    group_dro: GroupDro = GroupDro()
    language_adversarial: LanguageAdversarial = LanguageAdversarial()

    @field_validator("names")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in (allowed := in_training()):
                if name in after_training():
                    raise ValueError(f"{name!r} is fitted after the training: audit.mitigate, or the plan of an audit")
                raise ValueError(f"there is no mitigation {name!r} in training; there are {', '.join(allowed)}")
        if len(set(names)) < len(names):
            raise ValueError("a mitigation is named twice")
        for pair in ONE_OF:
            if pair <= set(names):
                raise ValueError(f"{' and '.join(sorted(pair))} correct the same thing: name one of them")
        return names

    def record(self) -> dict[str, object]:
        """The names and their options, as JSON types."""
        sections = self.model_dump(mode="json")
        return {"names": [*self.names], "options": {name: sections[name] for name in self.names if name in sections}}
