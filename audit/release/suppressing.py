"""Suppression of small cells in a decision; outcomes and the exit code stay."""

from __future__ import annotations

from dataclasses import replace

from audit.audits.privacy.findings import hidden_figures, quotes
from audit.audits.privacy.small_cells import SmallCells
from audit.release.decision import Decision, FigureRuling, Ruling


def suppressed_decision(decision: Decision, small: SmallCells) -> Decision:
    """A decision without the figures of the run's small cells; outcomes stay."""
    if small.below < 2:
        return decision
    return replace(decision, rulings=tuple(_ruling(ruling, small) for ruling in decision.rulings))


def _ruling(ruling: Ruling, small: SmallCells) -> Ruling:
    figures = {place: item.estimate for place, item in enumerate(ruling.held) if item.estimate is not None}
    gone = hidden_figures(figures, small)
    gone |= {place for place, item in enumerate(ruling.held) if small.hide(item.group, grouping=ruling.by)}
    shown = tuple(_figure_ruling(item, small) if place in gone else item for place, item in enumerate(ruling.held))
    planned = ruling.plan.groups if ruling.plan else ()
    if any(small.hide(item.group, grouping=ruling.by) or 0 < item.n_speakers < small.below for item in planned):
        ruling = replace(ruling, plan=None)
    figure = ruling.estimate
    hidden = figure is not None and (small.hides(figure) or small.hide(ruling.group, grouping=ruling.by))
    hidden |= figure is not None and any(figures.get(place) == figure for place in gone)
    lost = [figures[place] for place in gone if place in figures]
    if not hidden and quotes(ruling.sentence, lost):
        what = " ".join(filter(None, (ruling.check, ruling.figure or ruling.id)))
        found = "" if figure is None else f", {figure.text}"
        sentence = f"{what}: {ruling.outcome}{found}. Other figures are {small.words}."
        return replace(ruling, held=shown, sentence=sentence)
    if hidden or any(small.hide(group) or small.any_of(group) for group in ruling.groups):
        what = " ".join(filter(None, (ruling.check, ruling.figure or ruling.id)))
        emptied = None if figure is None else figure.emptied(small.words)
        sentence = f"{what}: {ruling.outcome}; the figures are {small.words}."
        return replace(ruling, held=shown, estimate=emptied, sentence=sentence, plan=None)
    return replace(ruling, held=shown)


def _figure_ruling(item: FigureRuling, small: SmallCells) -> FigureRuling:
    figure = item.estimate
    return replace(item, estimate=None if figure is None else figure.emptied(small.words), reason=small.words)
