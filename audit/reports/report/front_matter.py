"""The section "Front matter" of the report, and the same in a model card."""

from __future__ import annotations

from typing import Final

from audit.audits.audit import Audit

SECTION: Final = "front_matter"
NOT_STATED: Final = "not stated"


def front_matter(audit: Audit) -> tuple[tuple[str, str], ...]:
    """The title and text of every field, ``not stated`` where it is empty."""
    return tuple((title, text or NOT_STATED) for title, text in audit.front_matter.lines)
