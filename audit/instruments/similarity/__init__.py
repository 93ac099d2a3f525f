"""Similarity models: face features by which two faces are compared. Each is declared once, in a separate file.

A third-party model is a :class:`SimilarityModel` under an entry point in the group ``audit.similarity``, or named as
``module:name``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from audit.core.errors import ModelError
from audit.core.plan import SIMILARITY
from audit.core.registry import Registry
from audit.instruments.similarity.model import Embed, FoundFace, SimilarityModel

REGISTRY: Final = Registry(
    "similarity model", "audit.instruments.similarity", "audit.similarity", "SIMILARITY", error=ModelError
)

__all__ = ["REGISTRY", "Embed", "FoundFace", "SimilarityModel", "available", "similarity_models"]


def available() -> dict[str, str]:
    """The names of the similarity models, those of the default first, each with one line.

    Examples
    --------
    >>> list(available())[:2]
    ['SFace', 'FaceRes']
    """
    names = REGISTRY.available()
    return {name: names[name] for name in SIMILARITY} | names


def similarity_models(names: Sequence[str]) -> tuple[SimilarityModel, ...]:
    """The similarity models of these names: of :func:`available`, or ``module:name``. What is named is imported.

    Raises
    ------
    ModelError
        If the model does not exist, cannot be imported, or is repeated.
    """
    known = available()
    found = [REGISTRY.get(name) for name in names if name in known or ":" in name]
    models = {model.name: model for model in found if isinstance(model, SimilarityModel)}
    if len(models) != len(names):
        raise ModelError(f"Similarity models {list(names)}.", f"Each once, of {', '.join(known)} or module:name.")
    return tuple(models.values())
