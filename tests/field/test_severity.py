"""Mistakes in the user's pictures of one group, read by the embedded instrument: never a finding against the model."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import audit
from audit.reports import write_report

SPEAKERS = 12


def made(folder: Path, mistake: str) -> Path:
    """English clips of asian and white speakers with perfect renderings, but for a mistake in those of asian ones."""
    cohort = audit.Cohort.read(audit.embedded("synthetic_bilingual"))
    people = cohort.speakers[cohort.speakers["group"].isin(["asian", "white"])].groupby("group").head(SPEAKERS)
    clips = cohort.table[cohort.table["speaker_id"].isin(people["speaker_id"]) & (cohort.table["language"] == "en")]
    rows = []
    (folder / "pictures").mkdir(parents=True)
    for clip in clips.groupby("speaker_id").head(1).to_dict("records"):
        audio, portrait = (f"pictures/{clip['speaker_id']}{Path(clip[name]).suffix}" for name in ("audio", "portrait"))
        shutil.copy(cohort.root / clip["audio"], folder / audio)
        shutil.copy(cohort.root / clip["portrait"], folder / portrait)
        rendered = portrait
        if clip["group"] == "asian" and mistake == "16-bit grey":
            rendered = f"pictures/{clip['speaker_id']}-grey.png"
            grey = np.asarray(Image.open(folder / portrait).convert("L")).astype(np.uint16) * 257
            Image.fromarray(grey).save(folder / rendered)
        elif clip["group"] == "asian":
            rendered = portrait.replace("pictures", "pitcures")
        known = ("clip_id", "speaker_id", "language", "language_source")
        rows.append({name: clip[name] for name in known} | {"audio": audio, "portrait": portrait, "rendered": rendered})
    pd.DataFrame(rows).to_csv(folder / "clips.csv", index=False)
    kept = ["speaker_id", "group", "group_source", "gender", "gender_source"]
    people[kept].to_csv(folder / "speakers.csv", index=False)
    return folder


@pytest.fixture(scope="module", params=["wrong folder", "16-bit grey"])
def damaged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, audit.Run]:
    """The mistake, and a run of the recorded pictures."""
    folder = tmp_path_factory.mktemp("severity")
    cohort = audit.Cohort.read(made(folder / "cohort", request.param))
    run = audit.run(cohort, model=audit.model("recorded"), instrument=audit.instrument("embedded"), out=folder / "run")
    return request.param, run


def test_the_mistake_is_not_the_models_failure(damaged: tuple[str, audit.Run]) -> None:
    mistake, run = damaged
    statuses = run.observations.groupby("group")["status"].value_counts().to_dict()
    expected = "picture_unreadable" if mistake == "wrong folder" else "ok"
    assert statuses == {("asian", expected): SPEAKERS, ("white", "ok"): SPEAKERS}
    assert not [
        finding.code for finding in audit.measure(run, with_tables=False).findings if finding.outcome == "shown"
    ]


def test_the_report_says_what_happened(damaged: tuple[str, audit.Run], tmp_path: Path) -> None:
    mistake, run = damaged
    page = write_report(audit.measure(run), tmp_path).read_text()
    assert ("no usable rendered picture for 12 (12 no such file)" in page) == (mistake == "wrong folder")


def test_the_gate_answers_13_where_files_cannot_be_read(damaged: tuple[str, audit.Run]) -> None:
    mistake, run = damaged
    decision = audit.gate(run)
    outcomes = {ruling.id: ruling.outcome for ruling in decision.rulings}
    assert outcomes["data.max_unreadable"] == ("incomplete" if mistake == "wrong folder" else "pass")
    assert (decision.exit_code == 13) == (mistake == "wrong folder")
