"""Whole audits with the real instrument: from files to verdicts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import audit

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that ``audit run`` makes when it is given nothing, by a process."""
    out = tmp_path_factory.mktemp("demo") / "run"
    command = [sys.executable, "-m", "audit.cli", "run", "-o", str(out)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().split("\n")[-1] == str(out / "report.html")
    return out


def test_the_demonstration_finds_what_the_gap_in_training_did(demonstration: Path) -> None:
    finding = audit.Audit.read(demonstration).finding("S2F001")
    assert finding.outcome == "shown"
    assert finding.estimate is not None and finding.estimate.n_speakers >= 24
    effect, ceiling = finding.estimates["language_effect"], finding.estimates["excess_over_ceiling"]
    assert effect.low is not None and effect.low > 0.1
    assert ceiling.low is not None and ceiling.low > 0.1


def test_the_effect_is_in_the_voice_encoder(demonstration: Path) -> None:
    figures = (
        audit.Audit.read(demonstration).frame().set_index(["metric", "stage", "group", "language", "unseen_voice"])
    )
    for group in ("asian", "indian", "black", "white"):
        assert figures.loc[("read_own_group", "ceiling", group, "all", "all"), "value"] >= 0.75


def test_the_demonstration_says_what_it_is(demonstration: Path) -> None:
    notices = audit.Audit.read(demonstration).run["notices"]
    assert any("fictional" in notice for notice in notices)  # type: ignore[attr-defined]
    unheard = "contain no clips of asian and indian speakers in en, nor black and white speakers in es and zh"
    assert any(unheard in notice for notice in notices)  # type: ignore[attr-defined]
    assert unheard in (demonstration / "report.html").read_text(encoding="utf-8")


def test_every_stage_of_the_demonstration_is_read(demonstration: Path) -> None:
    seen = audit.Run.read(demonstration).observations
    assert set(seen["status"]) == {"ok"}
    assert set(seen["ceiling_status"]) == {"ok"}
    assert seen["rendered_similarity_faceres"].notna().all()


def test_the_committed_sample_is_of_this_demonstration(demonstration: Path) -> None:
    """The same observations: the same audit to the last digit, but for versions and the code's own state.

    Another machine may round a picture otherwise, so that its run has another digest: then checks, outcomes, counts and
    the form of every table must be the same, and every headline figure within two points.
    """
    made, kept = audit.Audit.read(demonstration), audit.Audit.read(ROOT / "reports" / "sample")
    hint = "Next: python scripts/sample_report.py"
    for one, other in zip(made.findings, kept.findings, strict=True):
        assert (one.code, one.title, one.outcome, one.threshold) == (
            other.code, other.title, other.outcome, other.threshold,
        ), hint  # fmt: skip
        assert one.estimates.keys() == other.estimates.keys(), hint
        assert (one.estimate is None) == (other.estimate is None), hint
        if one.estimate is None or other.estimate is None:
            continue
        assert one.estimate.n_speakers == other.estimate.n_speakers
        assert one.estimate.value == pytest.approx(other.estimate.value, abs=0.02), hint
    assert {name: (*table.frame.columns, len(table.frame)) for name, table in made.tables.items()} == {
        name: (*table.frame.columns, len(table.frame)) for name, table in kept.tables.items()
    }, hint
    if made.run["digest"] == kept.run["digest"]:
        for name in (made.run.keys() | kept.run.keys()) - {"versions", "code"}:
            assert made.run.get(name) == kept.run.get(name), f"{name}. {hint}"
        assert made.settings == kept.settings and made.findings == kept.findings, hint
        for name, table in made.tables.items():
            assert table.as_dict() == kept.tables[name].as_dict(), f"{name}. {hint}"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> audit.Audit:
    """The audit of the twin that heard every group in every language."""
    run = audit.run(
        audit.Cohort.read(audit.embedded("synthetic_bilingual")),
        model=audit.model("speech2face-small-full"),
        instrument=audit.instrument(similarity=("FaceRes",)),
        out=tmp_path_factory.mktemp("full") / "run",
    )
    return audit.measure(run)


@pytest.mark.study
def test_full_coverage_makes_the_effect_of_language_clearly_smaller(demonstration: Path, full: audit.Audit) -> None:
    gap, twin = (result.finding("S2F001").estimates for result in (audit.Audit.read(demonstration), full))
    for name in ("excess_over_portrait", "language_effect"):
        assert twin[name].high is not None and gap[name].low is not None
        assert twin[name].high < gap[name].low


@pytest.mark.study
def test_with_full_coverage_a_face_is_more_like_its_speaker_than_like_others_of_the_group(full: audit.Audit) -> None:
    over = full.finding("S2F005").estimates["faceres.all"]
    assert over.low is not None and over.low > 0


@pytest.mark.study
def test_the_genders_of_the_rendered_faces_are_read_as_labelled(demonstration: Path, full: audit.Audit) -> None:
    for result in (audit.Audit.read(demonstration), full):
        table = result.frame()
        whole = (table[["group", "language"]] == "all").all(axis=1)
        if "unseen_voice" in table:
            whole &= table["unseen_voice"] == "all"
        right = table[whole & (table["metric"] == "gender_right") & (table["stage"] == "rendered")]
        assert right["value"].item() >= 0.90


@pytest.fixture(scope="module")
def planted(demonstration: Path) -> audit.Run:
    """Portraits with a failure that was planted: asian speakers' English clips show a white speaker's portrait.

    Beside the demonstration, whose cache has the readings of all portraits.
    """
    return audit.run(
        audit.Cohort.read(audit.embedded("synthetic_bilingual")),
        model=audit.model("planted", options={"rendered": {"asian": {"en": {"white": 0.6}}}}),
        instrument=audit.instrument(),
        out=demonstration.with_name("planted"),
    )


def test_what_is_planted_is_found(planted: audit.Run) -> None:
    result = audit.measure(planted, with_tables=False)
    finding = result.finding("S2F001")
    assert finding.outcome == "shown"
    # the dial shows a white speaker's portrait with probability .6; the instrument reads not all of those as white
    seen = planted.observations
    dialled = seen[(seen["group"] == "asian") & (seen["language"] == "en")]
    shown = (dialled["rendered_face"] != dialled["portrait_face"]).mean()
    assert shown == pytest.approx(0.6, abs=3 * (0.24 / len(dialled)) ** 0.5)
    rendered = finding.estimates["rendered"]
    assert rendered.value is not None
    assert 0.2 < rendered.value <= shown
    own = seen[seen["language"] != "en"]
    assert (own["portrait_race"] == own["rendered_race"]).all()
    assert any("with probability 0.6" in notice for notice in result.run["notices"])  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def released(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> audit.Run:
    """The audit of the published Speech2Face outputs."""
    folder = tmp_path_factory.mktemp("released")
    cohort, _ = audit.import_cohort("speech2face_released", shared_data / "speech2face_released", folder / "C")
    instrument = audit.instrument(similarity=("FaceRes",))
    return audit.run(cohort, model=audit.model("recorded"), instrument=instrument, out=folder / "R")


def read_as(run: audit.Run, group: str, stage: str) -> pd.Series:
    seen = run.observations[run.observations["group"] == group]
    return seen[f"{stage}_race"].value_counts(normalize=True)


@pytest.mark.study
def test_black_speakers_are_erased_in_the_released_faces(released: audit.Run) -> None:
    assert read_as(released, "black", "portrait")["black"] > 0.85
    assert read_as(released, "black", "ceiling")["black"] > 0.85
    assert read_as(released, "black", "rendered").get("black", 0.0) < 0.1
    finding = audit.measure(released, with_tables=False).finding("S2F003")
    assert (finding.outcome, finding.group) == ("shown", "black")


@pytest.mark.study
def test_no_asian_or_indian_speaker_is_read_as_such_in_the_released_faces(released: audit.Run) -> None:
    reads = read_as(released, "asian|indian", "rendered")
    assert reads.get("asian", 0.0) + reads.get("indian", 0.0) < 0.1
    assert reads.idxmax() in ("latino_hispanic", "middle_eastern")


@pytest.mark.study
def test_five_speakers_settle_nothing(released: audit.Run) -> None:
    finding = audit.measure(released, with_tables=False).finding("S2F001")
    assert finding.outcome == "inconclusive"
    assert "more speakers" in finding.would_change


def test_a_run_opens_no_network_connection(tmp_path: Path) -> None:
    code = (
        "import socket\n"
        "def refuse(*_, **__): raise OSError('the network was asked for')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "import audit\n"
        "cohort = audit.Cohort.read(audit.embedded('synthetic_bilingual'))\n"
        "few = audit.Cohort(cohort.root, cohort.speakers, cohort.clips.head(8), cohort.notes)\n"
        "model, instrument = audit.model('planted'), audit.instrument()\n"
        f"run = audit.run(few, model=model, instrument=instrument, out={str(tmp_path / 'run')!r})\n"
        "audit.measure(run)\n"
        "print(len(run.observations))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, text=True, cwd=ROOT,
        env={name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
    )  # fmt: skip
    assert done.stdout.strip() == "8", done.stderr
