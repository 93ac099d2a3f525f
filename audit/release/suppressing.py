"""The decision as it is passed on: without the figures of small cells, with every outcome and the exit code."""

from __future__ import annotations

from dataclasses import replace

from audit.audits.privacy.small_cells import SmallCells
from audit.release.decision import Decision, Held, Ruling


def suppressed_decision(decision: Decision, small: SmallCells) -> Decision:
    """A decision without the figures of small cells; nothing that was decided changes.

    Parameters
    ----------
    decision : Decision
        As the gate made it, with all figures.
    small : SmallCells
        Of the run.
    """
    if small.below < 2:
        return decision
    return replace(decision, rulings=tuple(_ruling(ruling, small) for ruling in decision.rulings))


def _ruling(ruling: Ruling, small: SmallCells) -> Ruling:
    held = tuple(_held(item, small) for item in ruling.held)
    figure = ruling.estimate
    hidden = figure is not None and (small.hides(figure) or small.hide(ruling.group))
    if hidden or any(small.hide(group) or small.any_of(group) for group in ruling.groups):
        what = " ".join(filter(None, (ruling.check, ruling.figure or ruling.id)))
        emptied = None if figure is None else figure.emptied(small.words)
        sentence = f"{what}: {ruling.outcome}; the figures are {small.words}."
        return replace(ruling, held=held, estimate=emptied, sentence=sentence)
    return replace(ruling, held=held)


def _held(item: Held, small: SmallCells) -> Held:
    figure = item.estimate
    if not (small.hide(item.group) or (figure is not None and small.hides(figure))):
        return item
    return replace(item, estimate=None if figure is None else figure.emptied(small.words), reason=small.words)
