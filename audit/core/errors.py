"""Errors that users can cause; each says what was found, what is allowed, and what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, names: Iterable[str], form: str = " ({})") -> str:
    """A hint at the most similar name, in the given form; empty if none is similar.

    Examples
    --------
    >>> did_you_mean("asain", ["asian", "white"]), did_you_mean("asain", ["black"])
    (" (did you mean 'asian'?)", '')
    """
    near = difflib.get_close_matches(name, list(names), n=1)
    return form.format(f"did you mean {near[0]!r}?") if near else ""


class AuditError(Exception):
    """A mistake in usage, plan, cohort, run or policy that the user can fix.

    The command line prints it without a traceback and exits with 2.

    Parameters
    ----------
    found : str
        What was found, with file and row if known.
    allowed : str, optional
        What is allowed.
    next_step : str, optional
        What the user can do about it.

    Examples
    --------
    >>> print(AuditError("clips.csv, row 3: language 'klingon-'.", "A BCP-47 code such as en or zh-TW."))
    clips.csv, row 3: language 'klingon-'. Allowed: A BCP-47 code such as en or zh-TW.
    """

    def __init__(self, found: str, allowed: str = "", next_step: str = "") -> None:
        self.found, self.allowed, self.next_step = found, allowed, next_step
        if next_step and allowed and not allowed.endswith((".", "!", "?")):
            allowed += "."
        parts = [found, f"Allowed: {allowed}" if allowed else "", f"Next: {next_step}" if next_step else ""]
        super().__init__(" ".join(part for part in parts if part))


class CohortError(AuditError):
    """The cohort on disk is not valid; ``faults`` lists all validation errors."""

    def __init__(self, faults: list[str], allowed: str = "", next_step: str = "") -> None:
        self.faults = faults
        head = faults[0] if len(faults) == 1 else f"{len(faults)} errors:\n  " + "\n  ".join(faults) + "\n"
        super().__init__(head, allowed, next_step)


class PlanError(AuditError):
    """The plan cannot be read, or asks for something that does not exist."""


class RunError(AuditError):
    """The folder of a run is missing, incomplete, made from something else, or was changed afterwards."""


class ModelError(AuditError):
    """A model or instrument cannot be found, loaded or used as asked."""
