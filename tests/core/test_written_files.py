"""Files of other people in the folders that the tool writes into: never removed, replaced or written through."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

import audit
from audit.core.errors import RunError
from audit.core.plan import RunSettings
from audit.core.written_files import LIST, write_files
from audit.reports import print_pdf, write_report
from audit.reports.comparison.page import write_comparison
from audit.reports.probe.page import write_probe
from benchmarks.faults import QUICK
from tests.fakes import ColourInstrument, LoudnessModel
from tests.probing_fixture import PitchAndLanguage, bilingual_voices
from tests.report_fixture import fictional_audit

TRUTH = {"groups": ["asian", "white"], "languages": ["en", "zh"], "speakers_per_group": 12}
FOREIGN = (
    "tables/mine.csv",
    "figures/mine.svg",
    "report.pdf",
    "notes.txt",
    "sub/.state.tmp",
    ".state.tmp",
    "observations/.mine.tmp",
    "faces/mine.png",
)
RUN = ("manifest.json", "plan.toml")
REPORT = ("report.html", "model-card.md", "tables/findings.csv")


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def foreign_files(folder: Path) -> dict[str, bytes]:
    """Write the foreign files into a folder; their bytes by name."""
    for name in FOREIGN:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"not of this tool: {name}", encoding="utf-8")
    return {name: (folder / name).read_bytes() for name in FOREIGN}


def write_run(folder: Path) -> None:
    cohort = audit.Cohort.read(folder.parent / "cohort")
    audit.run(
        cohort, model=LoudnessModel(), instrument=ColourInstrument(), out=folder, settings=RunSettings(part=8)
    )  # fmt: skip


def write_measurement(folder: Path) -> None:
    audit.measure(audit.simulate(TRUTH, out=folder), settings=QUICK).write(folder)


def write_the_report(folder: Path) -> None:
    write_report(fictional_audit(), folder)


def write_a_comparison(folder: Path) -> None:
    write_comparison(compared(), folder)


@cache
def compared() -> audit.Comparison:
    return audit.compare(audit.simulate(TRUTH), audit.simulate(TRUTH), settings=QUICK)


def write_a_probe(folder: Path) -> None:
    voices = folder.parent / "voices"
    cohort = audit.Cohort.read(voices if voices.exists() else bilingual_voices(voices, 2))
    instrument = ColourInstrument()
    write_probe(audit.probe(PitchAndLanguage(), instrument=instrument, cohort=cohort, out=folder, cache="none"), folder)


WRITERS: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "run": (write_run, ("faces", "observations")),
    "measure": (write_measurement, ("observations",)),
    "report": (write_the_report, ("tables", "figures")),
    "compare": (write_a_comparison, ("tables",)),
    "probe": (write_a_probe, ("tables", "faces")),
}


@pytest.mark.parametrize("verb", WRITERS)
def test_foreign_files_survive_every_writer_byte_for_byte(
    make_cohort: Callable[..., Path], tmp_path: Path, verb: str
) -> None:
    make_cohort()
    write, folders = WRITERS[verb]
    foreign = foreign_files(tmp_path / "out")
    for _ in range(2):  # the second time the tool finds its own files too
        write(tmp_path / "out")
        left = bytes_of(tmp_path / "out")
        assert {name: left.get(name) for name in FOREIGN} == foreign
    for name in folders:
        elsewhere, linked = tmp_path / f"elsewhere-{name}", tmp_path / f"linked-{name}"
        before = foreign_files(elsewhere)
        linked.mkdir()
        (linked / name).symlink_to(elsewhere, target_is_directory=True)
        with pytest.raises(RunError, match=f"{name} is a link.*Next: Move .* away"):
            write(linked)
        assert bytes_of(elsewhere) == before
        # the faces that a probe makes before its page is refused are new files, which replace nothing
        left = {
            path
            for path in bytes_of(linked)
            if name == "faces" or not re.fullmatch("faces/[0-9a-f]{2}/[0-9a-f]{32}.png", path)
        }
        assert left <= {f"{name}/{mine}" for mine in FOREIGN} | {"probe.json", ".lock", LIST}


@pytest.mark.parametrize(
    ("verb", "name"),
    [
        ("run", "plan.toml"),
        ("measure", "plan.toml"),
        ("measure", "audit.json"),
        ("report", "report.html"),
        ("report", "tables/disparities.csv"),
        ("compare", "comparison.json"),
        ("compare", "tables/checks.csv"),
        ("probe", "probe.json"),
    ],
)
def test_a_foreign_file_in_the_way_is_refused_and_left_alone(
    make_cohort: Callable[..., Path], tmp_path: Path, verb: str, name: str
) -> None:
    make_cohort()
    mine = tmp_path / "out" / name
    mine.parent.mkdir(parents=True)
    mine.write_text('{"mine": true}', encoding="utf-8")
    with pytest.raises(RunError, match=f"{mine.name} was not written by this tool.*Next: Move .* away"):
        WRITERS[verb][0](tmp_path / "out")
    assert mine.read_text(encoding="utf-8") == '{"mine": true}'


def test_a_link_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.html").write_text("mine", encoding="utf-8")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.html").symlink_to(tmp_path / "mine.html")
    with pytest.raises(RunError, match="not written by this tool"):
        write_the_report(tmp_path / "out")
    assert (tmp_path / "mine.html").read_text(encoding="utf-8") == "mine"


def test_a_listed_file_is_removed_only_if_it_has_the_bytes_that_were_written(tmp_path: Path) -> None:
    write_files(tmp_path, {"tables/old.csv": "a\n", "tables/edited.csv": "a\n", "other/old.csv": "a\n"})
    (tmp_path / "tables" / "edited.csv").write_text("b\n")
    write_files(tmp_path, {"tables/new.csv": "c\n"}, instead_of=("tables",))
    found = bytes_of(tmp_path)
    found.pop(LIST)
    assert found == {"tables/edited.csv": b"b\n", "tables/new.csv": b"c\n", "other/old.csv": b"a\n"}


def test_the_list_names_what_was_written_and_no_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_files(tmp_path / name, {"b/c.csv": "c", "a.txt": "a"})
    assert (tmp_path / "one" / LIST).read_bytes() == (tmp_path / "two" / LIST).read_bytes()
    text = (tmp_path / "one" / LIST).read_text(encoding="utf-8")
    assert hashlib.sha256(b"a").hexdigest() in text and "b/c.csv" in text


def test_a_folder_of_an_earlier_version_is_written_into_again(tmp_path: Path) -> None:
    write_measurement(tmp_path)
    write_the_report(tmp_path)
    (tmp_path / "tables" / "disparities.csv").write_text("of an earlier version")
    (tmp_path / LIST).unlink()  # earlier versions kept none
    foreign = foreign_files(tmp_path)
    write_the_report(tmp_path)
    left = bytes_of(tmp_path)
    assert left["tables/disparities.csv"].startswith(b"metric,stage")
    assert {name: left[name] for name in FOREIGN} == foreign


def test_a_damaged_list_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / LIST).write_text("[]")
    with pytest.raises(RunError, match="not a list of written files.*Next: Restore it, or delete it"):
        write_the_report(tmp_path)


def test_what_a_killed_run_left_half_written_is_removed(make_cohort: Callable[..., Path], tmp_path: Path) -> None:
    make_cohort()
    write_run(tmp_path / "run")
    half = [
        tmp_path / "run" / place
        for place in (
            ".audit-manifest.json.17.tmp",
            "observations/.audit-part-000000.parquet.17.tmp",
            "faces/.audit-00.png.17.tmp",
        )
    ]
    for path in half:
        path.write_text("half")
    write_run(tmp_path / "run")
    assert not [path for path in half if path.exists()]


def test_the_digest_and_results_of_a_run_do_not_depend_on_the_list(tmp_path: Path) -> None:
    write_measurement(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    (tmp_path / "two" / LIST).unlink()
    one, two = audit.Run.read(tmp_path / "one"), audit.Run.read(tmp_path / "two")
    assert one.digest == two.digest
    assert audit.measure(one, settings=QUICK).to_json() == audit.measure(two, settings=QUICK).to_json()


def test_a_foreign_pdf_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr("audit.reports.html.pdf.browser_path", lambda: "no-browser-is-asked")
    write_the_report(tmp_path)
    (tmp_path / "report.pdf").write_text("mine")
    with pytest.raises(RunError, match="report.pdf was not written by this tool"):
        print_pdf(tmp_path / "report.html")
    assert (tmp_path / "report.pdf").read_text() == "mine"
