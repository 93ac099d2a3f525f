"""Audit a shipped checkpoint on the embedded cohort and write its card.

    python scripts/model_card.py speech2face-small-gap     writes docs/validation/model-card-speech2face-small-gap.md

Every figure of the card comes from the weights' own record or from the audit that this makes in a temporary folder
(about a minute of two cores).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

import audit
from audit.core.vocabulary import ordered_groups
from audit.models.coverage import Heard
from audit.models.speech2face import load_checkpoint, weights_of
from audit.models.speech2face.checkpoint import PACKED, read_checkpoint, unpacked
from audit.models.speech2face.shipped import SHIPPED

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs" / "validation"
APART = "unseen_voice"
ABOUT = {
    "speech2face-small-gap": "Its training covered asian and indian speakers in Chinese and Spanish only, black and\n"
    "white speakers in English only: it is designed to fail as the paper's model did, so that an audit can find it.",
    "speech2face-small-full": "The twin of speech2face-small-gap, trained in the same way with full coverage: every\n"
    "group in English and in the other languages.",
}
VOICES = {
    "all": "all speakers",
    "True": "speakers whose base voices were not used in training or validation",
    "False": "speakers whose base voices were used in training, in blends of other speakers",
}
"""What the column unseen_voice says, in words."""


def main() -> None:
    """Write the card of the checkpoint that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=SHIPPED)
    name = parser.parse_args().name
    with tempfile.TemporaryDirectory() as folder:
        run = audit.run(
            audit.Cohort.read(audit.embedded("synthetic_bilingual")),
            model=audit.model(name),
            instrument=audit.instrument(),
            out=Path(folder) / "run",
        )
        result = audit.measure(run, by=("group", "language", APART))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), undefined=jinja2.StrictUndefined, autoescape=False, trim_blocks=True
    )
    text = environment.get_template("model_card.md.jinja").render(context(name, run, result))
    path = DOCS / f"model-card-{name}.md"
    path.write_text(text.rstrip() + "\n", encoding="utf-8")
    print(path)


def context(name: str, run: audit.Run, result: audit.Audit) -> dict[str, Any]:
    """What the template shows."""
    path = weights_of(name)
    checkpoint, base = load_checkpoint(path), read_checkpoint(path)[0].base
    heard = checkpoint.card.coverage
    return {
        "name": name,
        "about": ABOUT[name],
        "configuration": checkpoint.network.configuration,
        "parameters": sum(parameter.numel() for parameter in checkpoint.network.parameters()),
        "bytes": path.stat().st_size,
        "base": base,
        "base_bytes": base and len(unpacked(path.with_name(base.file + PACKED), base.file)),
        "sha256": checkpoint.sha256,
        "training": checkpoint.card.training,
        "voices": checkpoint.card.training["plan"]["voices"],
        "languages": languages(heard),
        "coverage": coverage(heard),
        "n_speakers": run.manifest["cohort"]["n_speakers"],
        "n_clips": run.manifest["cohort"]["n_clips"],
        "instrument": run.manifest["instrument"].get("title", run.manifest["instrument"]["name"]),
        "findings": result.findings,
        "tables": tables(result),
    }


def languages(heard: tuple[Heard, ...]) -> list[str]:
    """English first, then the others."""
    return sorted({row.language for row in heard}, key=lambda code: (code != "en", code))


def coverage(heard: tuple[Heard, ...]) -> dict[str, list[str]]:
    """Speakers and clips of each group in each language."""
    by_cell = {(row.group, row.language): f"{row.speakers} speakers, {row.clips} clips" for row in heard}
    return {
        group: [by_cell[group, language] for language in languages(heard)]
        for group in ordered_groups({row.group for row in heard})
    }


def tables(result: audit.Audit) -> list[dict[str, Any]]:
    """The tables of the card: what faces were read as, separately for voices that training covered and did not."""
    frame = result.frame()
    codes = sorted(set(frame["language"]) - {"all"}, key=lambda code: (code != "en", code))
    steps = [("portrait", "all"), ("ceiling", "all"), *(("rendered", code) for code in codes)]
    made = [
        table(frame, f"{title}: {VOICES[apart]}", metric, steps, apart)
        for metric, title in (("read_own_group", "Read as the own group"), ("read_white", "Read as white"))
        for apart in VOICES
    ]
    rendered = [("rendered", code) for code in ("all", *codes)]
    return [
        *made,
        table(frame, "Gender read as labelled", "gender_right", rendered, "all"),
        table(frame, "Years between the age read and the age labelled", "age_error", rendered, "all"),
        *(
            table(
                frame,
                f"Cosine to the own portrait over that to others of the group and gender ({model})",
                f"similarity_over_impostor_{model.lower()}",
                [("ceiling", "all"), *rendered],
                "all",
            )
            for model in result.run["instrument"]["similarity_models"]
        ),
    ]


def table(frame: pd.DataFrame, title: str, metric: str, steps: list[tuple[str, str]], apart: str) -> dict[str, Any]:
    """One metric of each group, at the stages and in the languages named."""
    chosen = frame[(frame["metric"] == metric) & (frame[APART].astype(str) == apart)]
    figures = chosen.set_index(["group", "stage", "language"])
    groups = ["all", *ordered_groups(set(chosen["group"]) - {"all"})]
    heads = [stage if code == "all" else f"{stage}, {code}" for stage, code in steps]
    write = years if metric == "age_error" else cosine if metric.startswith("similarity") else per_cent
    return {
        "title": title,
        "heads": ["group", "speakers", *heads],
        "rows": [
            [group, int(figures.loc[(group, "rendered", "all"), "n_speakers"])]
            + [write(figures.loc[(group, *step)]) for step in steps]
            for group in groups
        ],
    }


def per_cent(row: Any) -> str:
    """A rate in per cent with its interval."""
    return f"{100 * row.value:.0f} [{100 * row.low:.0f}, {100 * row.high:.0f}]"


def years(row: Any) -> str:
    """Years with their interval."""
    return f"{row.value:.1f} [{row.low:.1f}, {row.high:.1f}]"


def cosine(row: Any) -> str:
    """A difference of cosines with its interval."""
    return f"{row.value:.3f} [{row.low:.3f}, {row.high:.3f}]"


if __name__ == "__main__":
    main()
