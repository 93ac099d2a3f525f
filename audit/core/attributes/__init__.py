"""Attributes: what an instrument can read in a face. Each is declared once, in a separate file.

The observations' columns, the cache, the harness, simulations, metrics and probes iterate over the declarations. A
third-party attribute is an :class:`Attribute` under an entry point in the group ``audit.attributes``, or named as
``module:name``; an instrument names those that it reads in ``attributes``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from audit.core.attributes.attribute import Attribute, Number, Probed, Read, Reads
from audit.core.errors import AuditError
from audit.core.registry import Registry

ALWAYS: Final = ("race", "gender", "age")
"""The attributes whose columns every run has, in their order. An instrument that names no others reads these."""

READ_BY_DEFAULT: Final = (*ALWAYS, "skin_tone")
"""The attributes that the built-in instruments read unless others are asked for."""

REGISTRY: Final = Registry("attribute", "audit.core.attributes", "audit.attributes", "ATTRIBUTE")

__all__ = [
    "ALWAYS",
    "READ_BY_DEFAULT",
    "REGISTRY",
    "Attribute",
    "Number",
    "Probed",
    "Read",
    "Reads",
    "attributes",
    "known_attributes",
]


@lru_cache(maxsize=64)
def attributes(names: tuple[str, ...] = ALWAYS) -> tuple[Attribute, ...]:
    """The attributes of these names: of :data:`REGISTRY`, or ``module:name``. What is named is imported.

    Raises
    ------
    AuditError
        If the attribute does not exist, cannot be imported, or is repeated.

    Examples
    --------
    >>> [attribute.name for attribute in attributes()]
    ['race', 'gender', 'age']
    """
    found: dict[str, Attribute] = {}
    for name in names:
        attribute = REGISTRY.get(name)
        if not isinstance(attribute, Attribute):
            raise AuditError(
                f"The attribute {name!r} is a {type(attribute).__name__}.", "an audit.core.attributes.Attribute"
            )
        if attribute.name in found:
            raise AuditError(f"The attribute {attribute.name!r} is repeated: {', '.join(names)}.", "unique names")
        found[attribute.name] = attribute
    return tuple(found.values())


def known_attributes(names: Iterable[str]) -> tuple[tuple[Attribute, ...], tuple[str, ...]]:
    """The attributes of a run's manifest that can be measured here, and the names of those that cannot.

    A run is data: a ``module:name`` in it is used only if the module was imported before, since importing it runs its
    code. Entry points of installed packages are loaded.
    """
    able: list[str] = [*ALWAYS]
    unable: list[str] = []
    for name in names:
        if name in ALWAYS:
            continue
        there = name in REGISTRY.available() or name.partition(":")[0] in sys.modules
        (able if there else unable).append(name)
    return attributes(tuple(able)), tuple(unable)
