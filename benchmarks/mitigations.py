"""What each mitigation does to the embedded failure, and for whom.

    python benchmarks/mitigations.py -o MITIGATED [--only leace] [--steps 900]

Every row of the table is one model, audited on the embedded cohort. The shipped models stand unmitigated; those that
are mitigated after training are the shipped gap model with one piece (or two) between voice feature and face, fitted
on the training voices that the gap model heard, and once more on all training voices; those that are mitigated in
training train the voice encoder of train-small-gap anew, against the decoder that ships, so that the distillation is
dropped (weights carry no identity layer). `control` is that training without a mitigation, for comparison.

Rows that stand in MITIGATED/rows.csv are not made again. A training that was stopped goes on where it stopped.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

import audit
from audit.training import TrainPlan
from audit.training.mitigations.plan import MitigationPlan

GAP, FULL = "speech2face-small-gap", "speech2face-small-full"
TAUGHT = "synthetic_bilingual"
GROUPS = ("asian", "indian", "black", "white")
METRICS = ("read_own_group", "read_white", "gender_right", "similarity_over_impostor_faceres", "no_face")


@dataclass(frozen=True)
class Row:
    """One model: a shipped one, the gap model with mitigations after its training, or a training with some."""

    name: str
    shipped: str = ""
    after: tuple[str, ...] = ()
    heard_only: bool = True
    training: Mapping[str, Any] | None = None
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def what(self) -> str:
        """What it was made with."""
        if self.training is not None:
            return "training"
        if self.after:
            return "fitted on heard voices" if self.heard_only else "fitted on all training voices"
        return "as shipped"


def rows() -> list[Row]:
    """The cheap ones first."""
    made = [Row("gap", GAP), Row("full", FULL)]
    for after in (("leace",), ("correlation_remover",), ("recentred",), ("abstention",), ("leace", "abstention")):
        made.append(Row("+".join(after), after=after))
        made.append(Row(f"{'+'.join(after)}, all voices", after=after, heard_only=False))
    made.append(Row("control", training={}))
    made += [
        Row(name, training={"names": (name,)})
        for name in ("balanced", "reweighted", "group_dro", "language_adversarial", "coverage")
    ]
    made.append(Row("coverage, a quarter", training={"names": ("coverage",), "coverage": {"share": 0.25}}))
    made.append(Row("coverage+group_dro", training={"names": ("coverage", "group_dro")}))
    return made


def model_of(row: Row, out: Path, steps: int) -> Any:
    """The model of a row; trained in a folder of its own, where it must be."""
    if row.training is None:
        model = audit.model(row.shipped or GAP)
        if not row.after:
            return model
        voices = audit.Cohort.read(audit.embedded(TAUGHT) / "training")
        return audit.mitigate(model, row.after, cohort=voices, heard_only=row.heard_only, options=row.options)
    from audit.models.speech2face import weights_of
    from audit.training import train

    shipped = TrainPlan.read("train-small-gap")
    shorter = {"steps": steps, "decay_every": max(1, round(shipped.voices.decay_every * steps / shipped.voices.steps))}
    plan = shipped.model_copy(
        update={
            "name": "-".join(row.name.replace(",", "").replace("+", " ").split()),
            "voices": shipped.voices.model_copy(update=shorter),
            "mitigation": MitigationPlan.model_validate(row.training),
        }
    )
    done = train(plan, out / "trained" / f"{plan.name}-{steps}", decoder=weights_of(GAP), device="cpu",
                 say=lambda sentence: print(f"{row.name}: {sentence}", file=sys.stderr))  # fmt: skip
    return audit.model("speech2face", weights=done.weights)


def figures(run: audit.Run) -> pd.DataFrame:
    """One line a figure: group, figure, value, low, high."""
    result = audit.measure(run)
    finding = result.finding("S2F001")
    found = [
        ("asian", f"S2F001.{name}", estimate.value, estimate.low, estimate.high)
        for name, estimate in finding.estimates.items()
    ]
    table = result.frame()
    table = table[(table["stage"] == "rendered") & (table["group"].isin([*GROUPS, "all"]))]
    wanted = table["metric"].isin(METRICS)
    found += [
        (line.group, f"{line.metric}, {line.language}", line.value, line.low, line.high)
        for line in table[wanted].itertuples()
    ]
    return pd.DataFrame(found, columns=["group", "figure", "value", "low", "high"]).assign(outcome=finding.outcome)


def table(found: pd.DataFrame) -> str:
    """The table of docs/validation/mitigations.md: per cent, averaged over speakers."""
    heads = ["asian read white, English", "other", *(f"{group} read {group}" for group in GROUPS), "gender right",
             "nearer to own than to impostor", f"no face, {', '.join(GROUPS)}", "S2F001"]  # fmt: skip
    lines = ["| mitigation | made by | " + " | ".join(heads) + " |", "| --- " * (len(heads) + 2) + "|"]
    order = {row.name: place for place, row in enumerate(rows())}
    for name, part in sorted(found.groupby("row"), key=lambda item: order.get(str(item[0]), len(order))):
        cells = part.set_index(["group", "figure"])
        words = [interval(cells, "asian", "S2F001.rendered"), point(cells, "asian", "S2F001.rendered_other_language")]
        for group in GROUPS:
            others = [cells.loc[(group, f"read_own_group, {code}"), "value"] for code in ("es", "zh")]
            words.append(f"{point(cells, group, 'read_own_group, en')} / {100 * sum(others) / 2:.0f}")
        words.append(point(cells, "all", "gender_right, all"))
        words.append(f"{cells.loc[('all', 'similarity_over_impostor_faceres, all'), 'value']:.4f}")
        words.append(" / ".join(point(cells, group, "no_face, all") for group in GROUPS))
        words.append(str(part["outcome"].iloc[0]).replace("_", " "))
        lines.append(f"| {name} | {part['what'].iloc[0]} | {' | '.join(words)} |")
    return "\n".join(lines)


def point(cells: pd.DataFrame, group: str, figure: str) -> str:
    return f"{100 * cells.loc[(group, figure), 'value']:.0f}"


def interval(cells: pd.DataFrame, group: str, figure: str) -> str:
    line = cells.loc[(group, figure)]
    return f"{100 * line['value']:.0f} [{100 * line['low']:.0f}, {100 * line['high']:.0f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of rows.csv")
    parser.add_argument("--only", action="append", choices=[row.name for row in rows()], help="these rows alone")
    parser.add_argument("--kind", choices=["training", "after"], help="only what is trained, or only what is not")
    parser.add_argument("--steps", type=int, default=900, help="of each voice training")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / "rows.csv"
    known = set(pd.read_csv(path)["row"]) if path.is_file() else set()
    for row in rows():
        kind = "after" if row.training is None else "training"
        is_wanted = row.name in given.only if given.only else given.kind in (None, kind)
        if row.name in known or not is_wanted:
            continue
        began = time.monotonic()
        run = audit.run(
            audit.Cohort.read(audit.embedded(TAUGHT)),
            model=model_of(row, given.out, given.steps),
            instrument=audit.instrument(similarity=("FaceRes",)),
            out=given.out / "runs" / "-".join(row.name.replace(",", "").replace("+", " ").split()),
        )
        steps = given.steps if row.training is not None else None
        made = figures(run).assign(row=row.name, what=row.what, steps=steps)
        made.to_csv(path, mode="a", header=not path.is_file(), index=False, float_format="%.6g")
        print(f"{row.name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    if path.is_file():
        print(table(pd.read_csv(path)))


if __name__ == "__main__":
    main()
