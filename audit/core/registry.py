"""Parts of other people's making, by name: an entry point of an installed package, or ``module:name``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from audit.core.errors import AuditError, did_you_mean


def installed(group: str) -> dict[str, str]:
    """The names that installed packages give, each with where it comes from, sorted.

    Parameters
    ----------
    group : str
        Of the entry points: ``audit.models``, ``audit.instruments``, ``audit.checks`` or ``audit.datasets``.
    """
    return {name: f"from {value}" for name, value in sorted((p.name, p.value) for p in entry_points(group=group))}


def load(name: str, group: str, what: str, known: Iterable[str], error: type[AuditError] = AuditError) -> Any:
    """What an entry point or ``module:name`` stands for; a module may lie in the folder that one stands in.

    Parameters
    ----------
    name : str
        As given by the user.
    group : str
        Of the entry points.
    what : str
        What is looked for, such as ``model``.
    known : iterable of str
        All names that can be given.
    error : type
        What is raised.

    Raises
    ------
    AuditError
        If there is no such name, or the module cannot be imported or lacks it.

    Examples
    --------
    >>> load("json:loads", "audit.models", "model", [])("[1]")
    [1]
    """
    points = [point for point in entry_points(group=group) if point.name == name]
    if points or ":" in name:
        if (here := str(Path.cwd())) not in sys.path:
            sys.path.append(here)  # the command's own path starts beside its script, not where the user stands
        try:
            return (points or [EntryPoint(name, name, group)])[0].load()
        except Exception as fault:  # a foreign module may raise anything when it is imported
            raise error(
                f"The {what} {name!r} cannot be imported: {fault}.",
                "module:name, importable from here",
                "Check the spelling, and the folder that you stand in.",
            ) from fault
    names = sorted(known)
    raise error(
        f"There is no {what} {name!r}{did_you_mean(name, names)}.",
        f"{', '.join(names)} or module:name",
        f"See them: audit list {group.partition('.')[2]}.",
    )
