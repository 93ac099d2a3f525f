"""A chart of the losses of a training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audit.training.loop import Row


def losses_chart(rows: Sequence[Row], path: Path) -> None:
    """Draw every term of both stages (training thin, validation thick) as SVG; the same rows give the same bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    stages = list(dict.fromkeys(row[0] for row in rows))
    with mpl.rc_context({"svg.hashsalt": "losses", "font.size": 9}):
        figure = Figure(figsize=(9, 3.2 * max(1, len(stages))), layout="constrained")
        for place, stage in enumerate(stages):
            axes = figure.add_subplot(len(stages), 1, place + 1)
            terms = list(dict.fromkeys(row[3] for row in rows if row[0] == stage and row[3] != "loss"))
            for number, term in enumerate(terms):
                for part, width in (("training", 0.8), ("validation", 2.0)):
                    points = [(row[1], row[4]) for row in rows if row[0] == stage and row[3] == term and row[2] == part]
                    if points:
                        axes.plot(*zip(*points, strict=True), color=f"C{number}", linewidth=width,
                                  label=f"{term}, {part}", linestyle="-" if part == "training" else "--")  # fmt: skip
            axes.set_yscale("log")
            axes.set_title(f"stage {stage}", loc="left")
            axes.set_xlabel("step")
            axes.legend(fontsize=7, ncols=2, frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
