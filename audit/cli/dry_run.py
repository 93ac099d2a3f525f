"""Printing what ``audit run --dry-run`` found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Final

import pandas as pd
from rich.table import Table as RichTable

from audit.cli.terminal import give, give_json, rich_table, suggest
from audit.core.errors import RunError
from audit.core.units import write_size
from audit.runs.harness.dry_run import DryRun, Known, Span

_STATE: Final = {
    "new": "a new run would be written to {folder}",
    "resumed": "the run in {folder} would be resumed: {n_left} of {n_clips} clips are left",
    "complete": "the run in {folder} is complete: it would be measured and reported again",
    "refused": "{folder} would be refused",
}


def give_dry_run(found: DryRun, *, as_json: bool) -> None:
    """Print a dry run; raises RunError, as the run would, if it would be refused."""
    if as_json:
        give_json(asdict(found))
    else:
        for line in _lines(found):
            give(line)
    if found.refused:
        raise RunError(f"The run would be refused: {found.refused}")
    suggest("nothing was rendered or written; the same command without --dry-run does it")


def _lines(found: DryRun) -> Iterator[str | RichTable]:
    yield f"cohort      {found.cohort}: {found.n_speakers} speakers, {found.n_clips} clips to audit"
    yield f"model       {found.model}, read by {found.instrument}"
    yield f"folder      {_STATE[found.state].format(folder=found.folder, n_left=found.n_left, n_clips=found.n_clips)}"
    yield f"time        {_span(found.seconds, _seconds)} to render and read what is left ({found.basis})"
    yield f"disk        {_span(found.bytes, write_size)}{_free(found.free_bytes)}"
    of = "" if found.n_decoded == found.n_clips else f", of a sample of {found.n_decoded} clips"
    if found.cache is None:
        yield "cache       none"
    else:
        words = f"{_known(found.renderings, 'renderings')}, {_known(found.readings, 'readings')}{of}"
        yield f"cache       {found.cache} would answer {words}"
    if not found.unusable:
        yield f"files       every clip and portrait can be read{of}"
    for each in found.unusable:
        named = ", ".join(each.first) + (", ..." if each.count > len(each.first) else "")
        yield f"files       {each.count} {each.file} files are {each.status}{of}: {named}"
    yield rich_table("Clips", pd.DataFrame([*found.strata]))


def _free(size: int | None) -> str:
    return "" if size is None else f"; {write_size(size)} are free"


def _known(answers: Known, what: str) -> str:
    if answers.known is None:
        return f"not known how many {what} ({answers.why_unknown})"
    return f"{answers.known} of at most {answers.asked} {what}"


def _span(span: Span | None, write: Callable[[float], str]) -> str:
    if span is None:
        return "not known"
    low, high = write(span.low), write(span.high)
    return f"about {low}" if low == high else f"{low} to {high}"


def _seconds(seconds: float) -> str:
    """A duration in words.

    Examples
    --------
    >>> _seconds(42.4), _seconds(600), _seconds(90_000)
    ('42 s', '10 min', '25.0 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
