"""The losses of a training, as CSV and as a chart."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from audit.core.written_files import write_files

Row = tuple[str, int, str, str, float]
"""Stage, step, part (training or validation), term, value."""

LOSSES = "losses.csv"
CHART = "losses.svg"


class Losses:
    """The losses of a training's folder, in memory and on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[Row] = []
        if (path := folder / LOSSES).is_file():
            with path.open(newline="", encoding="utf-8") as stream:
                self.rows = [(r[0], int(r[1]), r[2], r[3], float(r[4])) for r in list(csv.reader(stream))[1:]]

    def rewind(self, stage: str, step: int, stages: tuple[str, ...]) -> None:
        """Drop the rows after this step of this stage, to resume a training from there."""
        last = (stages.index(stage), step)
        self.rows = [row for row in self.rows if (stages.index(row[0]), row[1]) <= last]

    def add(self, stage: str, step: int, part: str, terms: dict[str, float]) -> None:
        """Add the rows of one step."""
        self.rows += [(stage, step, part, term, value) for term, value in terms.items()]

    def write(self) -> None:
        """Write all rows."""
        lines = [f"{stage},{step},{part},{term},{value:.6g}\n" for stage, step, part, term, value in self.rows]
        write_files(self.folder, {LOSSES: "stage,step,part,term,value\n" + "".join(lines)})

    def draw(self) -> None:
        """Draw every term of both stages (training thin, validation thick); the same rows give the same bytes."""
        stages = list(dict.fromkeys(row[0] for row in self.rows))
        chart = io.BytesIO()
        with mpl.rc_context({"svg.hashsalt": "losses", "font.size": 9}):
            figure = Figure(figsize=(9, 3.2 * max(1, len(stages))), layout="constrained")
            for place, stage in enumerate(stages):
                axes = figure.add_subplot(len(stages), 1, place + 1)
                own = [row[1:] for row in self.rows if row[0] == stage]
                terms = dict.fromkeys(term for _, _, term, _ in own if term != "loss")
                for number, term in enumerate(terms):
                    for part, width, line in (("training", 0.8, "-"), ("validation", 2.0, "--")):
                        points = [(step, value) for step, *which, value in own if which == [part, term]]
                        if points:
                            axes.plot(*zip(*points, strict=True), color=f"C{number}", linewidth=width,
                                      label=f"{term}, {part}", linestyle=line)  # fmt: skip
                axes.set_yscale("log")
                axes.set_title(f"stage {stage}", loc="left")
                axes.set_xlabel("step")
                axes.legend(fontsize=7, ncols=2, frameon=False)
            figure.savefig(chart, format="svg", metadata={"Date": None, "Creator": None})
        write_files(self.folder, {CHART: chart.getvalue()})
