"""Objects with a one-line repr, and with methods that the layer of reports provides."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from audit.core.clean_text import clean

MOST: Final = 120
"""The largest number of characters of a repr."""

PROVIDED: Final = {
    "as_html": "audit.reports.notebook",
    "write_audit_report": "audit.reports.writing",
    "write_comparison_report": "audit.reports.writing",
    "write_decision_report": "audit.reports.writing",
    "write_probe_report": "audit.reports.writing",
    "write_series_report": "audit.reports.writing",
}
"""The module of each function that a method of a lower layer calls; imported on first use.

A lower layer may not import reports. Its objects offer some functions of reports as methods nevertheless, and find them
here and nowhere else.
"""


def provided(name: str) -> Callable[..., Any]:
    """A function of the layer of reports, by its name in :data:`PROVIDED`."""
    found: Callable[..., Any] = getattr(import_module(PROVIDED[name]), name)
    return found


class Shown:
    """Base of objects that are shown in one line in a terminal, and as HTML in a notebook."""

    @abstractmethod
    def _line(self) -> str:
        """What the object is about: names, sizes and outcomes."""

    def __repr__(self) -> str:
        line = " ".join(clean(f"{type(self).__name__} {self._line()}").split())
        return f"<{shortened(line, MOST - 2)}>"

    def _repr_html_(self) -> str:
        """HTML for notebooks: verdicts, charts and tables; self-contained and without network access."""
        html: str = provided("as_html")(self)
        return html


def shortened(text: str, most: int) -> str:
    """A text cut to a number of characters.

    Examples
    --------
    >>> shortened("speech2face-small-gap", 12), shortened("planted", 12)
    ('speech2face…', 'planted')
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def name_in_line(named: object) -> str:
    """The name of a model, cohort or instrument, given as text or as a mapping with one, short enough for a repr."""
    found = named.get("title") or named.get("name") if isinstance(named, dict) else named
    return shortened(str(found or "not recorded"), 32)


def sizes_in_line(speakers: object, clips: object) -> str:
    """Numbers of speakers and clips, as in a repr.

    Examples
    --------
    >>> sizes_in_line(128, 512), sizes_in_line(1, None)
    ('128 speakers, 512 clips', '1 speaker')
    """
    counted = [(number, noun) for number, noun in ((speakers, "speaker"), (clips, "clip")) if isinstance(number, int)]
    return ", ".join(f"{number:,} {noun}{'' if number == 1 else 's'}" for number, noun in counted)
