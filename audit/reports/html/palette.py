"""The colours of the charts, each in a light and a dark form.

The hues are Okabe and Ito's (distinct for colour-blind readers), shifted to differ in lightness too; every use of
colour comes with a shape, a word or a number. Each light colour is unique, so that the codes in a chart can be replaced
by CSS variables.
"""

from __future__ import annotations

from typing import Final

COLOURS: Final[dict[str, tuple[str, str]]] = {
    "ink": ("#1d2126", "#e6e4df"),
    "muted": ("#5a626c", "#a3a9b0"),
    "rule": ("#c9cdd2", "#4a5058"),
    "grid": ("#e7e9ec", "#2f343a"),
    "paper": ("#fefefd", "#191c20"),
    "portrait": ("#3d4854", "#c2c9d1"),
    "ceiling": ("#0072b2", "#64b5e6"),
    "rendered": ("#c24d12", "#f59d62"),
    "woman": ("#7a3b9a", "#cda6ea"),
    "man": ("#0b736e", "#6fd0c8"),
    "on_fill": ("#fdfdff", "#0e1418"),
}

_HEAT_LIGHT: Final = (
    "#f6f7f8", "#e8eff5", "#d6e4ef", "#c0d6e8", "#a6c6df", "#8fb9da",
    "#76aad2", "#5f9ccb", "#2f6fa4", "#1d5a8e", "#0d4273",
)  # fmt: skip
_HEAT_DARK: Final = (
    "#20252a", "#212c35", "#223441", "#243d4e", "#27465b", "#2a5069",
    "#2d5a78", "#316587", "#5f9cc4", "#82b6d8", "#a9d0ec",
)  # fmt: skip

for _level, _pair in enumerate(zip(_HEAT_LIGHT, _HEAT_DARK, strict=True)):
    COLOURS[f"heat{_level}"] = _pair


def light(name: str) -> str:
    """The light form of a colour, in which charts are drawn."""
    return COLOURS[name][0]


TURN: Final = 8
"""The step from which text on a fill has the colour ``on_fill``; the contrast is always at least 4.5."""


def heat_level(value: float) -> int:
    """The step, 0 to 10, of a share's fill.

    Examples
    --------
    >>> heat_level(0.0), heat_level(0.52), heat_level(1.0)
    (0, 5, 10)
    """
    return min(10, max(0, round(10 * value)))


def css_variables(dark: bool) -> str:
    """The declarations of ``--f-<name>`` for one colour scheme."""
    return " ".join(f"--f-{name}: {pair[dark]};" for name, pair in COLOURS.items())


def with_variables(svg: str) -> str:
    """The chart with each light colour replaced by the page's CSS variable."""
    for name, (colour, _) in COLOURS.items():
        svg = svg.replace(colour, f"var(--f-{name})")
    return svg
