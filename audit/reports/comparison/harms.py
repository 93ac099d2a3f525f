"""The harms of a comparison for display: what happened to each, in words and as a chart of its groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audit.checks.figure import Figure
from audit.comparisons.comparison import Comparison
from audit.comparisons.harms import COUNTED, HarmChange, tally
from audit.core.clean_text import clean
from audit.reports.html.charts import Row, dots, nice_reach
from audit.reports.html.panels import Panel
from audit.reports.html.records import Value
from audit.reports.html.wording import file_stem, group_name, order_groups
from audit.stats import ALL


@dataclass(frozen=True)
class HarmView:
    """One harm for display; ``direction`` says which side of zero of the chart is less harm."""

    harm: HarmChange
    title: str
    sentence: str
    would_change: str
    panel: Panel | None
    direction: str


@dataclass(frozen=True)
class CandidateView:
    """The harms of one candidate, the grown ones first, and how many there are of each outcome."""

    letter: str
    tally: str
    harms: tuple[HarmView, ...]


def candidates(comparison: Comparison) -> list[CandidateView]:
    """Every candidate with its harms; charts of one unit have one scale in the whole page."""
    limits = _limits(comparison.harms)
    views = []
    for run in comparison.runs[1:]:
        letter = str(run["letter"])
        mine = [harm for harm in comparison.harms if harm.candidate == letter]
        in_order = sorted(mine, key=lambda harm: [*COUNTED].index(harm.outcome))
        views.append(CandidateView(letter, tally(mine), tuple(_view(harm, comparison, limits) for harm in in_order)))
    return views


def _view(harm: HarmChange, comparison: Comparison, limits: Mapping[str, float]) -> HarmView:
    return HarmView(
        harm,
        _capital(harm.quantity),
        _capital(harm.by_group(comparison.confidence)),
        harm.would_change,
        _panel(harm, limits[harm.headline.change.unit]),
        f"{'Left' if harm.headline.worse == 'high' else 'Right'} of zero: less harm.",
    )


def _panel(harm: HarmChange, reach: float) -> Panel | None:
    """The chart of the groups that are not suppressed; ``None`` if all are."""
    unit = harm.headline.change.unit
    changes = {change.group: _value(change.change) for change in harm.groups if not change.is_suppressed}
    places = order_groups(changes)
    if not places:
        return None
    rows = [Row("all" if group == ALL else group_name(group), {"ink": changes[group]}) for group in places]
    spoken = "; ".join(f"{group_name(group)} {changes[group].words(unit, signed=True)}" for group in places)
    title = f"{harm.figure}: change, {harm.candidate} minus A"
    return Panel(
        file_stem(f"harm-{harm.candidate}-{harm.figure}-{harm.headline.grouping}"),
        dots(title, rows, unit, signed=True, limits=(-reach, reach)),
        f"{clean(harm.figure)}, {clean(harm.quantity)}, {harm.candidate} minus A. {spoken}.",
    )


def _value(figure: Figure) -> Value:
    return Value(figure.value, figure.low, figure.high, figure.n_speakers, figure.method)


def _limits(found: Sequence[HarmChange]) -> dict[str, float]:
    """The end of the scale of each unit."""
    ends: dict[str, list[float]] = {}
    for figure in (change.change for harm in found for change in (harm.headline, *harm.groups)):
        known = (figure.value, figure.low, figure.high)
        ends.setdefault(figure.unit, []).extend(abs(end) for end in known if end is not None)
    return {unit: nice_reach(max(of, default=0.0)) for unit, of in ends.items()}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
