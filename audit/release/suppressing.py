"""The decision as it is passed on: without the figures of small cells, with every outcome and the exit code."""

from __future__ import annotations

import re
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
    hidden = {group for group, _ in small.cells}
    counts = ruling.outcome != "pass" and bool(hidden & set(re.findall(r"[\w|]+", ruling.sentence)))
    if small.few(ruling.estimate) or small.named(ruling.figure) or (ruling.kind == "requirement" and counts):
        what = " ".join(filter(None, (ruling.check, ruling.figure or ruling.id)))
        estimate = None if ruling.estimate is None else small.emptied(ruling.estimate)
        return replace(
            ruling, held=held, estimate=estimate, sentence=f"{what}: {ruling.outcome}; the figures are {small.words}."
        )
    return replace(ruling, held=held)


def _held(item: Held, small: SmallCells) -> Held:
    if not (small.few(item.estimate) or small.hide(item.group) or small.named(item.figure)):
        return item
    return replace(item, estimate=None if item.estimate is None else small.emptied(item.estimate), reason=small.words)
