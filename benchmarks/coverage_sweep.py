"""How the failure depends on what training covers and on how plainly timbre tells the groups apart.

    python benchmarks/coverage_sweep.py -o SWEEP [--processes 2]

For each draw a cohort is dealt afresh from the embedded one: within split, sex and language pair every voice gets
another speaker's portrait, age and group and newly drawn jitter, and each clip is filtered from its old cue of timbre
to its new one. So groups, cues and faces are new, while the speech is that of the embedded clips. Then the voice
encoder is trained, against the decoder that ships, on a share of the clips that the gap leaves out (0 is the gap, 1
full coverage), and the audited speakers of the new cohort are audited. Cells that stand in SWEEP/cells.csv are not
done again.

Two things differ from the shipped training: fewer steps, and no distillation (weights carry no identity layer). No
choice was made from what this prints; it is the table of docs/validation/speech2face.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

import audit
from audit.cohorts.drawing import timbre
from audit.training import TrainPlan

EMBEDDED = audit.embedded("synthetic_bilingual")

STRENGTHS = (0.5, 2.0)
"""Times the shipped reach and jitter of axis v, which alone tells asian from white and indian from black."""
SHARES = (0.125, 0.25, 0.5)
"""Between the gap (0) and full coverage (1)."""
FACE = ("group", "age", "portrait", "portrait_seed", "lean_u", "lean_v")
"""What a voice takes over from the speaker whose face it is dealt."""


@dataclass(frozen=True)
class Cell:
    """One training: strength of axis v, share of the left-out clips that is heard, draw of cohort and seed."""

    strength: float
    share: float
    draw: int


def cells(draws: int) -> list[Cell]:
    """All of them: the two ends for every draw, then draw by draw other strengths of the cue and what lies between."""
    made = [Cell(1.0, share, draw) for draw in range(draws) for share in (0.0, 1.0)]
    for draw in range(draws):
        made += [Cell(strength, share, draw) for strength in STRENGTHS for share in (0.0, 1.0)]
        made += [Cell(1.0, share, draw) for share in SHARES]
    return made


def dealt(speakers: pd.DataFrame, strength: float, draw: int) -> pd.DataFrame:
    """The speakers with faces dealt anew and cues to match; the old cues are kept as ``from_u`` and so on."""
    rng = np.random.default_rng([draw, 20261124])
    new = speakers.rename(columns={f"cue_{axis}": f"from_{axis}" for axis in timbre.AXES}).copy()
    for rows in speakers.groupby(["split", "gender", "other_language"], sort=True).groups.values():
        new.loc[rows, list(FACE)] = speakers.loc[rng.permutation(rows), list(FACE)].to_numpy()
    new = new.astype({name: speakers[name].dtype for name in FACE})
    for name in ("jitter_u", "jitter_v", "jitter_age"):
        new[name] = rng.standard_normal(len(new)).round(4)
    cue = timbre.coordinates(new)
    return new.assign(cue_u=cue["cue_u"], cue_v=(strength * cue["cue_v"]).round(3), cue_age=cue["cue_age"])


def write_cohort(source: Path, out: Path, strength: float, draw: int) -> None:
    """The cohort of one folder, dealt anew."""
    speakers = dealt(pd.read_csv(source / "speakers.csv", keep_default_na=False), strength, draw)
    clips = pd.read_csv(source / "clips.csv", keep_default_na=False)
    (out / "audio").mkdir(parents=True)
    shutil.copytree(source / "portraits", out / "portraits")
    shutil.copy(source / "cohort.toml", out)
    for row in clips.merge(speakers, on="speaker_id").itertuples():
        change = {axis: getattr(row, f"cue_{axis}") - getattr(row, f"from_{axis}") for axis in timbre.AXES}
        sound = timbre.filtered(soundfile.read(source / row.audio)[0], timbre.equaliser(change))
        soundfile.write(out / "audio" / f"{row.clip_id}.wav", 0.5 * sound, timbre.RATE, subtype="PCM_16")
    clips.assign(audio="audio/" + clips["clip_id"] + ".wav").to_csv(out / "clips.csv", index=False)
    speakers.drop(columns=[f"from_{axis}" for axis in timbre.AXES]).to_csv(out / "speakers.csv", index=False)


def train_and_audit(cell: Cell, cohort: Path, steps: int) -> pd.DataFrame:
    """The figures of one cell: every group's reads, in English and otherwise."""
    import torch

    from audit.models.speech2face import weights_of
    from audit.training import train

    torch.set_num_threads(1)
    os.nice(5)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan = plan_of(cell, cohort / "training", steps)
        weights = train(plan, folder / "trained", decoder=weights_of("speech2face-small-gap"), device="cpu").weights
        run = audit.run(
            audit.Cohort.read(cohort / "audited"),
            model=audit.model("speech2face", weights=weights),
            instrument=audit.instrument(similarity=("FaceRes",)),
            out=folder / "run",
        )
        return figures(audit.measure(run)).assign(**vars(cell))


def plan_of(cell: Cell, training: Path, steps: int) -> TrainPlan:
    """The plan of train-small-gap, with the cell's coverage and seed and so many steps."""
    shipped = TrainPlan.read("train-small-gap")
    shorter = {"steps": steps, "decay_every": max(1, round(shipped.voices.decay_every * steps / shipped.voices.steps))}
    coverage = {group: {"en": cell.share, "other": 1.0} for group in ("asian", "indian")}
    coverage |= {group: {"en": 1.0, "other": cell.share} for group in ("black", "white")}
    return shipped.model_copy(
        update={
            "cohort": str(training),
            "draw": None,
            "coverage": coverage,
            "seed": cell.draw,
            "voices": shipped.voices.model_copy(update=shorter),
            "save_every": steps,
        }
    )


def figures(result: audit.Audit) -> pd.DataFrame:
    """One row a figure: what S2F001 rests on, and each group's reads by language."""
    finding = result.finding("S2F001")
    rows = [
        ("asian", name, estimate.value, estimate.low, estimate.high) for name, estimate in finding.estimates.items()
    ]
    table = result.frame()
    table = table[(table["stage"] == "rendered") & (table["group"] != "all")]
    wanted = table["metric"].isin(["read_own_group", "read_white", "read_asian", "gender_right"])
    rows += [
        (row.group, f"{row.metric}, {row.language}", row.value, row.low, row.high) for row in table[wanted].itertuples()
    ]
    return pd.DataFrame(rows, columns=["group", "figure", "value", "low", "high"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of cells.csv")
    parser.add_argument("--processes", type=int, default=2, help="trainings at a time, one thread each")
    parser.add_argument("--draws", type=int, default=3, help="cohorts and seeds")
    parser.add_argument("--steps", type=int, default=500, help="of each voice training")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / "cells.csv"
    done = pd.read_csv(path) if path.is_file() else pd.DataFrame(columns=["strength", "share", "draw"])
    known = {Cell(*key) for key in done[["strength", "share", "draw"]].drop_duplicates().itertuples(index=False)}
    todo = [cell for cell in cells(given.draws) if cell not in known]
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor(given.processes) as pool:
        cohorts = {(cell.strength, cell.draw): Path(name) / f"{cell.strength}-{cell.draw}" for cell in todo}
        parts = ((EMBEDDED, "audited"), (EMBEDDED / "training", "training"))
        written = [
            pool.submit(write_cohort, source, folder / part, *key)
            for key, folder in cohorts.items()
            for source, part in parts
        ]
        for job in written:
            job.result()
        jobs = {
            pool.submit(train_and_audit, cell, cohorts[cell.strength, cell.draw], given.steps): cell for cell in todo
        }
        for made in as_completed(jobs):
            made.result().to_csv(path, mode="a", header=not path.is_file(), index=False, float_format="%.4f")
            print(f"{jobs[made]} done", file=sys.stderr, flush=True)
    print(table(pd.read_csv(path)))


def table(found: pd.DataFrame) -> str:
    """What S2F001 rests on, over the draws: mean, and lowest to highest, in per cent."""
    wanted = {
        "rendered": "read white, English",
        "rendered_other_language": "read white, other",
        "language_effect": "effect of language",
        "not_own": "not read asian, English",
    }
    rows = found[found["figure"].isin(wanted)].assign(value=100 * found["value"])
    wide = rows.groupby(["strength", "share", "figure"])["value"].agg(["mean", "min", "max", "size"]).reset_index()
    lines = [f"| strength | share heard | draws | {' | '.join(wanted.values())} |", "| --- |" + " --- |" * 6]
    for (strength, share), part in wide.groupby(["strength", "share"]):
        cells = part.set_index("figure")
        words = [per_cent(row) for _, row in cells.loc[[*wanted]].iterrows()]
        lines.append(f"| {strength:g} | {share:g} | {int(cells['size'].iloc[0])} | {' | '.join(words)} |")
    return "\n".join(lines)


def per_cent(row: pd.Series) -> str:
    spread = f" ({row['min']:.0f} to {row['max']:.0f})" if row["size"] > 1 else ""
    return f"{row['mean']:.0f}{spread}"


if __name__ == "__main__":
    main()
