"""HTML of objects for notebooks: a card with verdicts, charts and tables, without scripts and network access."""

from audit.reports.notebook.cards import card_of
from audit.reports.notebook.html import html_of

__all__ = ["as_html", "card_of", "html_of"]


def as_html(shown: object) -> str:
    """The card of an object as HTML."""
    return html_of(card_of(shown))
