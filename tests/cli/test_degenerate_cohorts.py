"""Cohorts that can answer little or nothing: a report that says so, no traceback, and never a pass."""

from __future__ import annotations

import csv
import html
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import audit
from audit.audits.cohort_check import check_cohort
from audit.checks.flips import flips, repeated
from audit.cli import app
from audit.core.plan import MeasureSettings, Plan
from audit.models.protocol import Picture, Waveform
from audit.reports import write_report
from audit.reports.comparison.page import write_comparison
from tests.conftest import tone
from tests.fakes import NOT_A_FACE, ColourInstrument, fake_face

NO_ANSWER = {"not_evaluable", "inconclusive"}
GATE_REFUSES = {10, 11, 12, 13}
LABELS = ("language", "group", "gender", "age", "portrait", "rendered")
SOURCED = {"language", "group", "gender"}
PLAN = Plan(measure=MeasureSettings(min_speakers=3, resamples=200))
"""Few speakers are enough for the checks to be evaluated, so that the figures behind them are made too."""


class FakePicturelessModel:
    """A fake model that renders no picture of any clip."""

    name = "pictureless (fake)"

    def render(self, waveforms: Sequence[Waveform], sample_rate: int) -> list[Picture | None]:
        return [None] * len(waveforms)


@dataclass(frozen=True)
class Folder:
    """A folder of audio with a table of labels, complete unless said otherwise."""

    speakers: int = 6
    clips: int = 2
    languages: tuple[str, ...] = ("en", "es")
    groups: tuple[str, ...] = ("asian", "white")
    without: tuple[str, ...] = ()
    level: float = 0.1
    faces: bool = True

    def write(self, root: Path) -> None:
        """Write ``labels.csv``, the audio that it names and the pictures."""
        rows = []
        for i in range(self.speakers):
            labels = {
                "group": self.groups[i % len(self.groups)],
                "gender": ("woman", "man")[i // 2 % 2],
                "age": str(30 + i),
                "portrait": f"s{i}.png",
                "rendered": f"s{i}.png",
            }
            root.mkdir(parents=True, exist_ok=True)
            face = fake_face(labels["group"], labels["gender"], 30 + i) if self.faces else NOT_A_FACE
            Image.fromarray(face).save(root / f"s{i}.png")
            for language in self.languages:
                for k in range(self.clips):
                    audio = f"s{i}-{language}-{k}.wav"
                    tone(root / audio, level=self.level * (1 + 0.01 * k))
                    every = {**labels, "language": language}
                    kept = {name: value for name, value in every.items() if name not in self.without}
                    sources = {f"{name}_source": "annotator" for name in SOURCED & kept.keys()}
                    rows.append({"audio": audio, "speaker_id": f"s{i}"} | kept | sources)
        with (root / "labels.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)


MATRIX = {
    "one clip": Folder(speakers=1, clips=1, languages=("en",)),
    "one speaker": Folder(speakers=1),
    "no language": Folder(without=("language",)),
    "no group": Folder(without=("group",)),
    "no gender, no age": Folder(languages=("en",), without=("gender", "age")),
    "no portrait": Folder(without=("portrait",)),
    "no rendered picture": Folder(without=("rendered",)),
    "no label": Folder(without=LABELS),
    "one group": Folder(groups=("asian",), languages=("en",)),
    "no English": Folder(languages=("es",)),
    "every clip silent": Folder(level=0.0),
    "every face missing": Folder(faces=False),
}


@pytest.mark.parametrize("folder", MATRIX.values(), ids=MATRIX.keys())
def test_a_cohort_that_can_answer_little_ends_with_a_report_and_no_pass(folder: Folder, tmp_path: Path) -> None:
    folder.write(tmp_path / "files")
    cohort, _ = audit.import_cohort("folder", tmp_path / "files", tmp_path / "cohort")
    checked = check_cohort(cohort)
    assert checked.tables["Strata"]["n_clips"].sum() == len(cohort.clips)

    pictureless = FakePicturelessModel()
    model = pictureless if "rendered" in folder.without else audit.model("recorded")
    run, other = (
        audit.run(cohort, model=each, instrument=ColourInstrument(), out=tmp_path / name, plan=PLAN)
        for name, each in (("run", model), ("other", pictureless))
    )
    result = audit.measure(run, settings=PLAN.measure)
    assert {finding.outcome for finding in result.findings} <= NO_ANSWER
    assert all(finding.reason for finding in result.findings)
    result.write(tmp_path / "run")
    said = words_of(write_report(result, tmp_path / "run"))
    assert all(finding.sentence in said for finding in result.findings)

    compared = audit.compare(run, other, settings=PLAN.measure)
    words_of(write_comparison(compared, tmp_path / "comparison", [tmp_path / "run", tmp_path / "other"]))

    assert audit.gate(tmp_path / "run", baseline=tmp_path / "other").exit_code in GATE_REFUSES


def words_of(page: Path) -> str:
    """The words of a page; no figure in it is a missing value that was written as a number."""
    source = page.read_text(encoding="utf-8")
    without_code = re.sub(r"<(script|style)\b.*?</\1>", "", source, flags=re.DOTALL)
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", "", without_code)).split())
    assert not re.search(r"\b(nan|NaN|NaT|inf)\b", text)
    return text


def test_a_clip_of_an_unknown_language_is_in_no_pair() -> None:
    reads, speakers, unknown = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]), np.full(4, -1)
    assert repeated(reads, speakers, unknown).tolist() == [False] * 4
    assert all(len(part) == 0 for part in flips(reads, speakers, unknown))
    assert repeated(reads, speakers, np.array([0, 0, -1, -1])).tolist() == [True, True, False, False]
    assert repeated(reads, speakers, np.array([-1, 0, -1, 0])).tolist() == [False] * 4


def test_recorded_pictures_that_no_clip_names_are_asked_for(tmp_path: Path) -> None:
    Folder(speakers=1, without=LABELS).write(tmp_path / "files")
    cohort, _ = audit.import_cohort("folder", tmp_path / "files", tmp_path / "cohort")
    with pytest.raises(audit.ModelError, match="no clip of this cohort names one"):
        audit.run(cohort, model=audit.model("recorded"), instrument=ColourInstrument(), out=tmp_path / "run")


def test_a_plain_folder_is_audited_from_the_command_line(tmp_path: Path) -> None:
    """The most common first use: audio, speaker_id and pictures made elsewhere, read by the real instrument."""
    files, cohort, run = (str(tmp_path / name) for name in ("files", "cohort", "run"))
    Folder(speakers=4, clips=1, without=("language", "group", "gender", "age", "portrait")).write(Path(files))
    for i, portrait in enumerate(sorted((audit.embedded("synthetic_bilingual") / "portraits").iterdir())[:4]):
        Image.open(portrait).save(Path(files) / f"s{i}.png")

    def output(*words: str) -> str:
        done = CliRunner().invoke(app, list(words), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    output("cohort", "import", "folder", files, "-o", cohort)
    assert "group is unknown" in output("cohort", "check", cohort)
    ran = output("run", "--cohort", cohort, "--model", "recorded", "-o", run)
    assert ran.strip().split("\n")[-1] == str(tmp_path / "run" / "report.html")
    assert set(audit.Run.read(run).observations["rendered_status"]) == {"ok"}
    output("measure", run)
    output("report", run)
    assert "Not evaluable: No speaker's group is known." in words_of(tmp_path / "run" / "report.html")
    assert {finding.outcome for finding in audit.Audit.read(run).findings} <= NO_ANSWER
    shutil.copytree(run, tmp_path / "again")
    output("compare", run, str(tmp_path / "again"), "-o", str(tmp_path / "comparison"))
    files_of_gate = [f"--{kind}={tmp_path / kind}" for kind in ("junit", "sarif", "summary")]
    gated = CliRunner().invoke(app, ["gate", run, *files_of_gate], catch_exceptions=False)
    assert gated.exit_code == 13, gated.output
