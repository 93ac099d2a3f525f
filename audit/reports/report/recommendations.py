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
    """The recommendations for one shown finding.

    ``place`` is the place of the finding among all, from 1; ``by_evidence`` has the recommendations by strength and
    reason; ``figures`` are those that any of them rests on, in words.
    """

    verdict: Verdict
    place: int
    by_evidence: tuple[tuple[str, str, tuple[str, ...]], ...]
    figures: tuple[str, ...]


def recommendations(audit: Audit, found: Sequence[Verdict], rules: Sequence[str] = ()) -> tuple[Advice, ...]:
    """The recommendations of an audit by finding, with those of third-party ``rules``."""
    made: dict[tuple[str, str], list[Recommendation]] = {}
    for each in recommend(audit, rules):
        made.setdefault((each.code, each.grouping), []).append(each)
    places = {(verdict.finding.code, verdict.finding.grouping): i for i, verdict in enumerate(found)}
    return tuple(_advice(found[places[key]], places[key] + 1, of) for key, of in made.items())


def _advice(verdict: Verdict, place: int, of: Sequence[Recommendation]) -> Advice:
    texts: dict[tuple[str, str], list[str]] = {}
    for each in of:
        texts.setdefault((each.strength, each.reason), []).append(clean(each.text))
    used = {key for each in of for key in each.figures}
    figures = [figure for key, figure in verdict.finding.estimates.items() if key in used]
    return Advice(
        verdict,
        place,
        tuple((strength, reason, tuple(words)) for (strength, reason), words in texts.items()),
        tuple(f"{figure_name(figure)}: {clean(figure.text)}" for figure in figures),
    )
