"""The terminal: data to stdout, progress to stderr."""

from __future__ import annotations

import sys
from typing import Any

import pandas as pd
from rich.console import Console
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

from audit.clean_text import clean


class Terminal(Console):
    """A console on which no text can move the cursor, change colours or turn its line round."""

    def render_str(self, text: str, **options: Any) -> Text:
        """The text with control characters made visible; markup is the caller's, never the data's."""
        return super().render_str(clean(text), **options)


stderr = Terminal(stderr=True, highlight=False, soft_wrap=True, emoji=False)
stdout = Terminal(highlight=False, soft_wrap=True, emoji=False, width=None if sys.stdout.isatty() else 160)


class _Rate(ProgressColumn):
    """Clips a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "")


def progress() -> Progress:
    """A bar on stderr."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=stderr,
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
