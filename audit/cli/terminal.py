"""The terminal: data to stdout, progress and the next step to stderr."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
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

_WIDTH: Final = 160
"""Columns where no terminal says how many it has."""


class Terminal(Console):
    """A console on which no text can move the cursor, change colours or turn its line round."""

    def render_str(self, text: str, **options: Any) -> Text:
        """The text with control characters made visible; markup is the caller's, never the data's."""
        return super().render_str(clean(text), **options)


stderr = Terminal(
    stderr=True, highlight=False, soft_wrap=True, emoji=False, width=None if sys.stderr.isatty() else _WIDTH
)
stdout = Terminal(highlight=False, soft_wrap=True, emoji=False, width=None if sys.stdout.isatty() else _WIDTH)


def speak(*, quiet: bool, verbose: bool) -> None:
    """How much is said on stderr: nothing but errors, or also what the package logs."""
    stderr.quiet = quiet and not verbose
    log = logging.getLogger("audit")
    log.handlers = [RichHandler(console=stderr, show_path=False, show_level=False, markup=False)] if verbose else []
    log.setLevel(logging.INFO if verbose else logging.WARNING)


def say(sentence: str) -> None:
    """A sentence about the work, for people."""
    stderr.print(sentence, markup=False)


def suggest(step: str) -> None:
    """What people mostly do next."""
    say(f"Next: {step}")


def give(text: str) -> None:
    """A line of data."""
    stdout.print(text, markup=False)


def give_text(text: str) -> None:
    """A whole document, as it is, on stdout."""
    stdout.file.write(text)


def give_json(document: object) -> None:
    """A document, and nothing else, on stdout."""
    give_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def give_either(line: str, document: object, *, as_json: bool) -> None:
    """What a verb made: a line for people and pipes, or a document where JSON was asked for."""
    if as_json:
        give_json(document)
    else:
        give(line)


@contextmanager
def only_data_on_stdout() -> Iterator[None]:
    """What foreign code prints goes to stderr: stdout is for what is given here."""
    stdout.file = sys.stdout
    with redirect_stdout(sys.stderr):
        yield


class _Rate(ProgressColumn):
    """Clips a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "")


def progress() -> Progress:
    """A bar on stderr: how many of how many, how fast, since when, and how long still."""
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
    """A frame as it is shown."""
    table = RichTable(title=escape(title), title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in frame.columns:
        table.add_column(escape(str(column)), justify="right" if frame[column].dtype.kind in "fi" else "left")
    for row in frame.itertuples(index=False):
        table.add_row(
            *(
                "" if pd.isna(value) else f"{value:.3g}" if isinstance(value, float) else escape(str(value))
                for value in row
            )
        )
    return table
