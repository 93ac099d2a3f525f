"""``planted``: shows portraits, deliberately some of the wrong group, to test the audit with known truth."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from audit.core.errors import ModelError
from audit.core.languages import is_language, same_language
from audit.core.registry import Part
from audit.models.playback import PicturePlayback

Dial = dict[str, dict[str, dict[str, float]]]
"""group -> language -> group whose portrait is shown -> probability."""


class PlantedOptions(BaseModel):
    """Options of the planted model.

    Attributes
    ----------
    rendered, ceiling : dict
        ``rendered.asian.en = {white = 0.6}``: an asian speaker's English clip shows, with probability 0.6, the
        portrait of a white speaker (of the same gender), otherwise the speaker's portrait.
    seed : int
        Seed of the draws, which depend only on it and the clip's id.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rendered: Dial = Field(default_factory=dict)
    ceiling: Dial = Field(default_factory=dict)
    seed: int = 0

    @model_validator(mode="after")
    def _probabilities(self) -> PlantedOptions:
        for stage, dial in (("rendered", self.rendered), ("ceiling", self.ceiling)):
            for group, languages in dial.items():
                for language, shares in languages.items():
                    if min(shares.values(), default=0) < 0 or sum(shares.values()) > 1 + 1e-9:
                        raise ValueError(
                            f"{stage}.{group}.{language}: probabilities lie in [0, 1] and sum to at most 1"
                        )
        return self


class Planted:
    """Shows the speaker's portrait or, with given probabilities by group and language, that of another speaker.

    The options are those of :class:`PlantedOptions`, as a plan gives them.

    Raises
    ------
    ModelError
        If an option has another form.
    """

    name = "planted"

    def __init__(self, *, rendered: object = None, ceiling: object = None, seed: object = None) -> None:
        given = {"rendered": rendered, "ceiling": ceiling, "seed": seed}
        try:
            self.options = PlantedOptions.model_validate({k: value for k, value in given.items() if value is not None})
        except ValidationError as error:
            first = error.errors()[0]
            raise ModelError(
                f"The options of 'planted', {'.'.join(map(str, first['loc']))}: {first['msg']}.",
                "rendered.GROUP.LANGUAGE = {GROUP = probability}, ceiling likewise, and seed",
            ) from error

    def bind(self, table: pd.DataFrame, root: Path) -> PicturePlayback:
        """The playback of a cohort; the picture of each clip is drawn here, once.

        ModelError if a group of the dial has no speaker with a portrait, or has no clip.
        """
        portraits = table[table["portrait"] != ""].drop_duplicates("speaker_id").sort_values("speaker_id")
        for dial in (self.options.ceiling, self.options.rendered):
            _check(dial, sorted(set(table["group"])), sorted(set(portraits["group"])))
        rendered = self._draw("rendered", self.options.rendered, table, portraits)
        ceiling = self._draw("ceiling", self.options.ceiling, table, portraits)
        return PicturePlayback(self.name, root, rendered, ceiling, {"options": self.options.model_dump(mode="json")})

    def _draw(self, stage: str, dial: Dial, table: pd.DataFrame, portraits: pd.DataFrame) -> dict[str, str]:
        shown: dict[str, str] = {}
        for row in table.itertuples():
            rng = _generator(self.options.seed, stage, str(row.clip_id))
            u, path = rng.random(), str(row.portrait)
            for target, share in _shares(dial.get(str(row.group), {}), str(row.language)).items():
                if u < share:
                    others = portraits[(portraits["group"] == target) & (portraits["speaker_id"] != row.speaker_id)]
                    same_gender = others[others["gender"] == row.gender]
                    pool = (same_gender if len(same_gender) else others)["portrait"].to_numpy()
                    path = str(pool[rng.integers(len(pool))]) if len(pool) else path
                    break
                u -= share
            shown[str(row.clip_id)] = path
        return shown


def _check(dial: Dial, groups: list[str], shown: list[str]) -> None:
    """Refuse a dial with an invalid language, or with groups without clips or, if shown, without portraits."""
    for group, languages in dial.items():
        for language in languages:
            if not is_language(language):
                raise ModelError(f"The dial of 'planted' names the language {language!r}.", "a BCP-47 code such as en")
        if group not in groups:
            raise ModelError(
                f"The dial of 'planted' names the group {group!r}.", f"a group of the cohort: {', '.join(groups)}"
            )
        for target in {target for shares in languages.values() for target in shares} - {*shown}:
            raise ModelError(
                f"The dial of 'planted' shows portraits of {target!r}.", f"a group with portraits: {', '.join(shown)}"
            )


def _shares(languages: Mapping[str, Mapping[str, float]], language: str) -> Mapping[str, float]:
    return next((shares for named, shares in languages.items() if same_language(named, language)), {})


def _generator(seed: int, *words: str) -> np.random.Generator:
    digest = hashlib.sha256("\x1f".join((str(seed), *words)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))


MODEL = Part(
    name="planted",
    summary="shows portraits, deliberately some of the wrong group, to test the audit with known truth",
    value=Planted,
)
