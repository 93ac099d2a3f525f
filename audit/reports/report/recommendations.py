"""The section "Recommendations" of the report: what would help with each shown finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audit.audits.audit import Audit
from audit.audits.recommendations import Recommendation, recommend
from audit.core.clean_text import clean
from audit.reports.html.verdicts import Verdict
from audit.reports.html.wording import figure_name

SECTION: Final = "recommendations"


@dataclass(frozen=True)
class Advice:
    """One recommendation; ``figures`` are those that it rests on, in words."""

    recommendation: Recommendation
    figures: tuple[str, ...]


@dataclass(frozen=True)
class Advised:
    """The recommendations for one shown finding; ``place`` is its place among all findings, from 1."""

    verdict: Verdict
    place: int
    advice: tuple[Advice, ...]


def recommendations(audit: Audit, found: Sequence[Verdict], rules: Sequence[str] = ()) -> tuple[Advised, ...]:
    """The recommendations of an audit by finding, with those of third-party ``rules``."""
    made = recommend(audit, rules)
    return tuple(
        Advised(verdict, place, advice)
        for place, verdict in enumerate(found, 1)
        if (advice := tuple(_advice(verdict, each) for each in made if _is_about(each, verdict)))
    )


def _is_about(each: Recommendation, verdict: Verdict) -> bool:
    return (each.code, each.grouping) == (verdict.finding.code, verdict.finding.grouping)


def _advice(verdict: Verdict, each: Recommendation) -> Advice:
    figures = [verdict.finding.estimates[key] for key in each.figures]
    return Advice(each, tuple(f"{figure_name(figure)} {clean(figure.text)}" for figure in figures))
