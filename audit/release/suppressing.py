"""Suppression of small cells in a decision; outcomes and the exit code stay."""

from __future__ import annotations

from dataclasses import replace

from audit.audits.privacy.small_cells import SmallCells
from audit.release.decision import Decision, FigureRuling, Ruling


def suppressed_decision(decision: Decision, small: SmallCells) -> Decision:
    """A decision without the figures of the run's small cells; outcomes stay."""
    if small.below < 2:
        return decision
    return replace(decision, rulings=tuple(_ruling(ruling, small) for ruling in decision.rulings))


def _ruling(ruling: Ruling, small: SmallCells) -> Ruling:
    shown = tuple(_figure_ruling(item, small, ruling.by) for item in ruling.held)
    planned = ruling.plan.groups if ruling.plan else ()
    if any(small.hide(item.group, grouping=ruling.by) or 0 < item.n_speakers < small.below for item in planned):
        ruling = replace(ruling, plan=None)
    figure = ruling.estimate
    hidden = figure is not None and (small.hides(figure) or small.hide(ruling.group, grouping=ruling.by))
    if hidden or any(small.hide(group) or small.any_of(group) for group in ruling.groups):
        what = " ".join(filter(None, (ruling.check, ruling.figure or ruling.id)))
        emptied = None if figure is None else figure.emptied(small.words)
        sentence = f"{what}: {ruling.outcome}; the figures are {small.words}."
        return replace(ruling, held=shown, estimate=emptied, sentence=sentence, plan=None)
    return replace(ruling, held=shown)


def _figure_ruling(item: FigureRuling, small: SmallCells, by: str) -> FigureRuling:
    figure = item.estimate
    if not (small.hide(item.group, grouping=by) or (figure is not None and small.hides(figure))):
        return item
    return replace(item, estimate=None if figure is None else figure.emptied(small.words), reason=small.words)
