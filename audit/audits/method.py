"""The version of the method: which numbers the same run gives."""

from __future__ import annotations

from typing import Final

from audit.core.errors import RunError

METHOD_VERSION: Final = 2
"""Version 1 is that of documents without the key. Stored in audit.json, comparison.json and decision.json.

Increase it whenever the same run would give other numbers: another interval, another figure or default margin, another
random number. Not for wording, new keys or new checks. ``tests/audits/test_method.py`` fails if numbers change.
"""


def refuse_other_method(version: object, where: str, run: str = "RUN") -> None:
    """Refuse results that another version of the method measured.

    Parameters
    ----------
    version : object
        The stored ``method_version``; ``None`` if there is none, as in results of earlier versions of the tool.
    where : str
        The file or object that has it, for the message.
    run : str
        The run's folder, for the command to measure it again.

    Raises
    ------
    RunError
        If it is not :data:`METHOD_VERSION`.

    Examples
    --------
    >>> refuse_other_method(METHOD_VERSION, "audit.json")
    >>> refuse_other_method(None, "R/audit.json", "R")
    Traceback (most recent call last):
    audit.core.errors.RunError: R/audit.json was measured by an earlier method that has no version number...
    """
    if version != METHOD_VERSION:
        by = "an earlier method that has no version number" if version is None else f"version {version} of the method"
        raise RunError(
            f"{where} was measured by {by}, and this tool measures by version {METHOD_VERSION}: the same run gives "
            "other numbers.",
            f"results of version {METHOD_VERSION}",
            f"Measure again: audit measure {run}.",
        )
