"""A trial of deletion: a folder full of other people's files survives every verb byte for byte."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from typer.testing import CliRunner

import audit
from audit.cli import app
from audit.cohorts.annotating.labels import AnnotationRound
from audit.cohorts.identification import identify_cohort
from audit.core.errors import AuditError
from benchmarks.faults import QUICK
from tests.conftest import write_cohort
from tests.fakes import ColourInstrument, LoudnessModel

TRUTH = {"groups": ["asian", "white"], "languages": ["en", "zh"], "speakers_per_group": 4}
COLLIDING = (
    *("manifest.json", "plan.toml", "truth.toml", "audit.json", "report.html", "model-card.md", "report.pdf", ".lock"),
    *("comparison.html", "comparison.json", "probe.html", "probe.json", "history.html", "history.json", "sweep.html"),
    *("tables/findings.csv", "tables/checks.csv", "figures/mine.svg", "index.html", "sheet.csv", "README.txt"),
    *("cohort.toml", "speakers.csv", "clips.csv", "labels.csv", "annotations.csv", "drawing/s1.json", "pictures/a.png"),
    *("losses.csv", "training.json", "state.safetensors", "faces/aa.png", "observations/mine.parquet", "gate.xml"),
)
OTHERS = ("notes.txt", ".hidden", "tables/mine.csv", "deep/er/.state.tmp", "sub/.audit-theirs.9.tmp")


class Place:
    """A folder of foreign files, a folder outside that its links lead to, and what a verb needs."""

    def __init__(self, root: Path, cohort: Path, run: Path) -> None:
        self.out, self.outside, self.cohort, self.source = root / "out", root / "outside", cohort, run
        self.outside.mkdir()
        (self.outside / "theirs.txt").write_text("theirs", encoding="utf-8")
        self.run = shutil.copytree(run, root / "run")

    def fill(self, folder: Path, names: tuple[str, ...]) -> None:
        """Put foreign files and links into a folder, in place of nothing that is there."""
        for name in names:
            if not (folder / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(f"not of this tool: {name}", encoding="utf-8")
        (folder / "a link").symlink_to(self.outside / "theirs.txt")
        (folder / "a link to nothing.csv").symlink_to(self.outside / "nothing")
        (folder / "linked").symlink_to(self.outside, target_is_directory=True)

    def files(self) -> dict[str, bytes | str]:
        """What is in all folders: the bytes of files, and where links lead."""
        found: dict[str, bytes | str] = {}
        for top in (self.out, self.outside, self.run):
            for path in sorted(top.rglob("*")):
                if path.is_symlink():
                    found[str(path)] = os.readlink(path)  # noqa: PTH115  # as it is stored
                elif path.is_file():
                    found[str(path)] = path.read_bytes()
        return found


def verb(*words: str) -> Callable[[Place], None]:
    """A command, in which OUT, RUN and COHORT are replaced."""

    def run(place: Place) -> None:
        names = {"OUT": place.out, "RUN": place.source, "COHORT": place.cohort}
        given = [
            "/".join([str(names.get(first, first)), *rest]) for first, *rest in (word.split("/") for word in words)
        ]
        done = CliRunner().invoke(app, given)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception

    return run


def identify(place: Place) -> None:
    first, second = (SimpleNamespace(name=name, describe=dict) for name in ("one", "other"))
    identify_cohort(place.cohort, place.out, first, second)  # type: ignore[arg-type]  # the folder is looked at first


VERBS: dict[str, Callable[[Place], None]] = {
    "run": verb("run", "--cohort", "COHORT", "--model", "constant", "-o", "OUT"),
    "measure": verb("measure", "OUT"),
    "report": verb("report", "OUT"),
    "compare": verb("compare", "RUN", "RUN", "-o", "OUT"),
    "probe": verb("probe", "--model", "speech2face-small-gap", "-o", "OUT"),
    "simulate": lambda place: (audit.simulate(TRUTH, out=place.out), None)[1],
    "sheet": verb("sheet", "RUN", "-o", "OUT"),
    "history": verb("history", "RUN", "RUN", "-o", "OUT"),
    "sweep": verb("sweep", "--models", "constant", "--cohort", "COHORT", "-o", "OUT"),
    "read": lambda place: (audit.read_again(place.source, instrument=ColourInstrument(), out=place.out), None)[1],
    "gate --junit": verb("gate", "RUN", "--junit", "OUT/gate.xml"),
    "gate --summary over a link": verb("gate", "RUN", "--summary", "OUT/a link"),
    "train": verb("train", "train-small-gap", "-o", "OUT"),
    "cohort import": verb("cohort", "import", "folder", "COHORT", "-o", "OUT"),
    "cohort draw": verb("cohort", "draw", "--speakers", "4", "-o", "OUT"),
    "cohort annotate": verb("cohort", "annotate", "COHORT", "-o", "OUT"),
    "cohort annotate --answers": lambda place: (
        AnnotationRound(pd.DataFrame(), pd.DataFrame(), {}).write(place.out / "labels.csv"),
        None,
    )[1],
    "cohort labels": verb("cohort", "labels", "folder", "COHORT", "-o", "OUT/labels.csv"),
    "cohort labels over a link": verb("cohort", "labels", "folder", "COHORT", "-o", "OUT/a link to nothing.csv"),
    "cohort identify": identify,
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A cohort and a run of it, with faces and audit.json but without a report."""
    root = tmp_path_factory.mktemp("prepared")
    cohort = write_cohort(root / "cohort", 8, 16)
    made = audit.run(audit.Cohort.read(cohort), model=LoudnessModel(), instrument=ColourInstrument(), out=root / "run")
    audit.measure(made, settings=QUICK).write(root / "run")
    return cohort, root / "run"


@pytest.fixture
def place(tmp_path: Path, prepared: tuple[Path, Path]) -> Place:
    return Place(tmp_path, *prepared)


@pytest.mark.parametrize("name", VERBS)
def test_a_folder_of_foreign_files_survives_every_verb(place: Place, name: str) -> None:
    place.fill(place.out, COLLIDING + OTHERS)
    before = place.files()
    with pytest.raises(AuditError):
        VERBS[name](place)
    assert place.files() == before


@pytest.mark.parametrize("name", ["measure", "report"])
def test_foreign_files_in_a_run_survive(place: Place, name: str) -> None:
    place.fill(place.run, ("report.html", "model-card.md", "tables/findings.csv", "figures/mine.svg", *OTHERS))
    foreign = {path: data for path, data in place.files().items() if "audit.json" not in path and ".audit-" not in path}
    with pytest.raises(AuditError, match="was not written by this tool"):
        verb(name, str(place.run))(place)
    after = place.files()
    assert {path: after.get(path) for path in foreign} == foreign


@pytest.mark.parametrize(
    "name", [name for name in VERBS if "/" not in name and "labels" not in name and "--" not in name]
)
def test_an_output_folder_that_is_a_link_is_refused(place: Place, name: str) -> None:
    place.out.symlink_to(place.outside, target_is_directory=True)
    before = place.files()
    with pytest.raises(AuditError):
        VERBS[name](place)
    assert place.files() == before


def test_a_list_that_names_files_outside_leads_to_none_of_them(place: Place) -> None:
    """A stranger's run may have any list of written files."""
    stray = place.outside / ".audit-report.html.9.tmp"
    stray.write_text("theirs", encoding="utf-8")
    names = ["../outside/theirs.txt", "linked/theirs.txt", str(place.outside / "theirs.txt")]
    digest = audit.core.files.file_digest(place.outside / "theirs.txt")
    listed = ", ".join(f'"{name}": "{digest}"' for name in names)
    (place.run / ".audit-files.json").write_text(f'{{"older": false, "files": {{{listed}}}}}', encoding="utf-8")
    (place.run / "linked").symlink_to(place.outside, target_is_directory=True)
    before = {path: data for path, data in place.files().items() if "outside" in path}
    audit.core.written_files.write_files(place.run, {"tables/a.csv": "a"}, instead_of=("tables", "../outside"))
    audit.core.written_files.remove_temporary_files(place.run, ("tables",))
    assert {path: data for path, data in place.files().items() if "outside" in path} == before
