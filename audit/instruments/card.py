"""The embedded instrument's card: how well it reads labelled photographs (``scripts/instrument_card.py`` measures)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

CARD_FILE: Final = Path(__file__).parent / "card.json"


def embedded_card() -> dict[str, Any]:
    """The card: plain values, and tables of labels with their estimates (value, low, high, n).

    Examples
    --------
    >>> embedded_card()["pictures"]
    2000
    """
    card: dict[str, Any] = json.loads(CARD_FILE.read_text(encoding="utf-8"))
    return card


def card_for(sources: Mapping[str, str], detector: str, *, mirrored: bool) -> dict[str, Any]:
    """The card of an instrument, or a note that there is none.

    The embedded card does not apply to DeepFace's own weights, or to a detector or setting other than its own.

    Examples
    --------
    >>> list(card_for({"race": "deepface", "gender": "embedded", "age": "embedded"}, "yunet", mirrored=False))
    ['note']
    """
    own = [attribute for attribute, source in sources.items() if source != "embedded"]
    card = embedded_card()
    if not own and detector == card["detector"] and mirrored == card["mirrored"]:
        return card
    reason = (
        f"{', '.join(own)} read by DeepFace's own weights"
        if own
        else f"faces found by {detector}, {'with' if mirrored else 'without'} mirrored reading"
    )
    return {"note": f"No card was measured for this instrument ({reason}); the embedded card does not apply to it."}
