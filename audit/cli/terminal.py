"""Terminal output: data on stdout, progress and the next step on stderr."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Final

import pandas as pd
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table as RichTable
from rich.text import Text

from audit.core.clean_text import clean
from audit.core.document import Document

_WIDTH: Final = 160
"""The width in columns where there is no terminal."""


class Terminal(Console):
    """A console that neutralises control characters in all text."""

    def render_str(self, text: str, **options: Any) -> Text:
        """The text with visible control characters; data must be printed without markup."""
        return super().render_str(clean(text), **options)


stderr, stdout = (
    Terminal(stderr=errors, highlight=False, soft_wrap=True, emoji=False, width=None if stream.isatty() else _WIDTH)
    for errors, stream in ((True, sys.stderr), (False, sys.stdout))
)


def speak(*, quiet: bool, verbose: bool) -> None:
    """Set the verbosity of stderr: errors only, or including the package's log."""
    stderr.quiet = quiet and not verbose
    log = logging.getLogger("audit")
    log.handlers = [RichHandler(console=stderr, show_path=False, show_level=False, markup=False)] if verbose else []
    log.setLevel(logging.INFO if verbose else logging.WARNING)


def say(sentence: str) -> None:
    """Print a message on stderr."""
    stderr.print(sentence, markup=False)


def suggest(step: str) -> None:
    """Print the suggested next step on stderr."""
    say(f"Next: {step}")


def give(text: str | RichTable) -> None:
    """Print a line or table of data on stdout."""
    stdout.print(text, markup=False)


def give_text(text: str) -> None:
    """Write a document to stdout."""
    stdout.file.write(text)


def give_json(document: object) -> None:
    """Write a document to stdout as JSON."""
    give_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def give_either(line: str, document: object, *, as_json: bool) -> None:
    """Print a line, or the document as JSON."""
    if as_json:
        give_json(document)
    else:
        give(line)


def give_result(lines: Iterable[str | RichTable], path: Path, document: Document, *, as_json: bool) -> None:
    """Print lines and the path of the page, or the document in JSON and the path on stderr."""
    if as_json:
        give_text(document.to_json())
        say(str(path))
        return
    for line in (*lines, str(path)):
        give(line)


@contextmanager
def only_data_on_stdout() -> Iterator[None]:
    """Redirect what other code prints to stderr."""
    stdout.file = sys.stdout
    with redirect_stdout(sys.stderr):
        yield


class _Rate(ProgressColumn):
    """Clips per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "")


def progress() -> Progress:
    """A progress bar on stderr, with counts, speed, elapsed and remaining time."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=stderr,
        disable=stderr.quiet,
    )


def rich_table(title: str, frame: Any) -> RichTable:
    """A frame as a terminal table."""
    table = RichTable(title=escape(title), title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in frame.columns:
        table.add_column(escape(str(column)), justify="right" if frame[column].dtype.kind in "fi" else "left")
    for row in frame.itertuples(index=False):
        table.add_row(*map(_cell, row))
    return table


def _cell(value: Any) -> str:
    if pd.isna(value):
        return ""
    return f"{value:.3g}" if isinstance(value, float) else escape(str(value))
