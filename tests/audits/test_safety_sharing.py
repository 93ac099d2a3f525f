"""What leaves a run's folder: no name, no path, no figure of a few people."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import audit
from audit.audits.privacy.sharing import pseudonym_key, withheld, without_paths
from audit.audits.privacy.small_cells import SmallCells
from audit.audits.privacy.suppressing import suppressed
from audit.cli import app
from audit.core.plan import CohortSettings, MeasureSettings, Plan
from audit.reports import write_report
from audit.reports.comparison.page import write_comparison
from audit.reports.decision import junit_xml, sarif_json, summary_markdown
from audit.runs.faces import face_file
from tests.fakes import ColourInstrument, LoudnessModel

NAME = "Janina Sentinel"
"""Stands in every id, file's name, further column and folder."""
SHARED = ("audit.json", "report.html", "comparison.html", "comparison.json", "tables/*.csv", "figures/*.svg", "gate.*")


class Talkative(LoudnessModel):
    """Fails on one clip with words that name a person and a path, and describes itself with the path of its weights."""

    def __init__(self, weights: Path, raise_on: float | None = None) -> None:
        super().__init__(raise_on)
        self.weights = weights

    def describe(self) -> dict[str, object]:
        return {"weights": str(self.weights), "files": {str(self.weights): "ab" * 32}, "said": f"read {self.weights}!"}

    def _render(self, waveform: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]  # as the model's
        try:
            return super()._render(waveform)
        except FloatingPointError as error:
            raise FileNotFoundError(f"{NAME}: {self.weights}") from error


@pytest.fixture
def folder(make_cohort: Callable[..., Path], tmp_path: Path) -> Path:
    """A cohort in which everything that may be a person's name is one."""
    made = make_cohort(12, name=f"{NAME} home/cohort")
    speakers = pd.read_csv(made / "speakers.csv", dtype=str)
    clips = pd.read_csv(made / "clips.csv", dtype=str)
    for frame, column in ((speakers, "portrait"), (clips, "audio")):
        for i, path in enumerate(frame[column]):
            new = f"{NAME}/{i}{Path(path).suffix}"
            (made / new).parent.mkdir(exist_ok=True)
            (made / path).rename(made / new)
            frame.loc[i, column] = new
    for frame in (speakers, clips):
        frame["speaker_id"] = f"{NAME} " + frame["speaker_id"]
    clips["clip_id"] = f"{NAME} " + clips["clip_id"]
    speakers["street"] = clips["remark"] = NAME
    clips["cluster"] = [f"{NAME} {i // 4}" for i in range(len(clips))]
    speakers["accent"] = "harbour"
    speakers.to_csv(made / "speakers.csv", index=False)
    clips.to_csv(made / "clips.csv", index=False)
    (made / clips["audio"][0]).write_text(NAME)
    return made


def ran(folder: Path, out: Path, fails_on: float | None = 0.104) -> audit.Run:
    plan = Plan(
        title="a title",
        cohort=CohortSettings(path=str(folder)),
        measure=MeasureSettings(by=("group", "language", "accent")),
    )
    weights = folder.parent / "weights.pt"
    return audit.run(
        audit.Cohort.read(folder), model=Talkative(weights, fails_on), instrument=ColourInstrument(), out=out, plan=plan
    )


def shared(*folders: Path) -> dict[str, str]:
    """The text of every file that is made to be passed on."""
    files = [path for folder in folders for pattern in SHARED for path in folder.glob(pattern)]
    return {str(path): path.read_text(encoding="utf-8") for path in files}


def everything(folder: Path, tmp_path: Path, *options: str) -> dict[str, str]:
    """Two runs, one of them measured, reported and gated, and both compared, by the command line."""
    first, second, both = (tmp_path / f"{name}{len(options)}" for name in ("first", "second", "both"))
    ran(folder, first)
    ran(folder, second, fails_on=None)
    gate = [f"--{kind}={first / f'gate.{kind}'}" for kind in ("junit", "sarif", "summary")]
    for words in (
        ["measure", first, *options],
        ["report", first, *options],
        ["compare", first, second, "-o", both, *options],
        ["gate", first, *gate],
    ):
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exception is None or isinstance(done.exception, SystemExit), (words, done.output)
        assert done.exit_code in (0, 10, 11, 12, 13), (words, done.output)
    return shared(first, second, both)


def test_nothing_that_is_passed_on_holds_a_name_or_a_path(folder: Path, tmp_path: Path) -> None:
    files = everything(folder, tmp_path)
    assert {Path(path).suffix for path in files} >= {".json", ".html", ".csv", ".svg", ".junit", ".sarif", ".summary"}
    assert len(files) > 40
    for path, text in files.items():
        for secret in (NAME, NAME.split()[1], str(tmp_path), "/home", str(folder)):
            assert secret not in text, (path, text[max(0, text.find(secret) - 80) :][:160])
    told = json.loads(files[str(tmp_path / "first0" / "audit.json")])
    assert told["run"]["model_description"]["weights"] == "weights.pt"
    assert 'path = "cohort"' in told["run"]["plan"]
    rows = dict(zip(told["tables"]["failures"]["columns"], told["tables"]["failures"]["rows"][0], strict=True))
    assert re.fullmatch("speaker [0-9a-f]{10}", rows["speaker_id"]) and rows["detail"] is None
    assert "harbour" in files[str(tmp_path / "first0" / "tables" / "disparities.csv")], "stratified by, so asked for"


def test_ids_are_shown_on_request_but_paths_never(folder: Path, tmp_path: Path) -> None:
    files = everything(folder, tmp_path, "--show-ids")
    for name in ("first1/report.html", "first1/tables/failures.csv", "both1/comparison.html", "both1/tables/faces.csv"):
        assert NAME in files[str(tmp_path / name)]
    assert NAME not in files[str(tmp_path / "first1" / "audit.json")], "audit.json has pseudonyms whatever is shown"
    assert not any(str(folder.parent) in text for text in files.values())


def test_a_labelling_sheet_holds_no_id_and_no_portrait(folder: Path, tmp_path: Path) -> None:
    run = ran(folder, tmp_path / "run")
    made = audit.labelling_sheet(run, tmp_path / "sheet", faces=8)
    for path in made.folder.rglob("*"):
        assert NAME not in str(path.relative_to(tmp_path))
        assert path.suffix == ".png" or path.is_dir() or NAME not in path.read_text(encoding="utf-8")
    kept = {hashlib.sha256(path.read_bytes()).digest() for path in (made.folder / "pictures").iterdir()}
    seen = run.observations
    shown = {
        stage: {
            hashlib.sha256(face_file(tmp_path / "run" / "faces", name).read_bytes()).digest()
            for name in seen[f"{stage}_face"].dropna()
        }
        for stage in ("portrait", "rendered")
    }
    assert kept and kept <= shown["rendered"] and not kept & (shown["portrait"] - shown["rendered"])


def test_the_same_run_has_the_same_pseudonyms_and_another_run_others(folder: Path, tmp_path: Path) -> None:
    first = ran(folder, tmp_path / "a")
    again = ran(folder, tmp_path / "b")
    other = ran(folder, tmp_path / "c", fails_on=None)
    assert audit.measure(first).to_json() == audit.measure(again).to_json()
    names = [set(audit.measure(run).tables["gallery"].frame["speaker_id"]) for run in (first, other)]
    assert names[0] and not names[0] & names[1], "a person cannot be followed from run to run"


def test_pseudonyms_cannot_be_computed_from_names_and_published_data() -> None:
    run = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 6})
    changed = run.observations.copy()
    changed.loc[0, "rendered_race_asian"] += 1e-15
    assert pseudonym_key(run.observations) != pseudonym_key(changed), "the key takes every digit of every reading"
    assert pseudonym_key(run.observations).hex() not in audit.measure(run).to_json()
    assert pseudonym_key(run.observations).hex() != run.digest


def test_with_ids_gives_back_what_the_run_holds(folder: Path, tmp_path: Path) -> None:
    run = ran(folder, tmp_path / "run")
    named = audit.with_ids(audit.measure(run), run).tables["failures"].frame.set_index("clip_id")
    seen = run.observations.set_index("clip_id")
    assert set(named.index) == set(seen.index[seen["status"] != "ok"])
    told = seen.loc[named.index, "detail"].map(without_paths)
    assert named["detail"].to_dict() == told.to_dict() and told.str.contains(NAME).any()


def test_an_audit_of_before_is_withheld_in_the_report(tmp_path: Path) -> None:
    run = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 6, "missing": 0.5})
    old = audit.with_ids(audit.measure(run), run)
    write_report(old, tmp_path)
    assert set(pd.read_csv(tmp_path / "tables" / "failures.csv")["speaker_id"]) == {"withheld"}
    assert set(withheld(old.tables)["gallery"].frame["clip_id"]) == {"withheld"}


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ("/home/ann/my models/w.pt", "w.pt"),
        ("C:\\Users\\Ann B\\w.pt", "w.pt"),
        ("~/w/x.pt", "x.pt"),
        ("../ann/cohort", "cohort"),
        ("file:///home/ann/x", "x"),
        ("FileNotFoundError: '/home/ann/a.wav'", "FileNotFoundError: 'a.wav'"),
        ("python --to=/srv/ann/x.py", "python --to=x.py"),
        ("plans/../Ann B/people", "people"),
        ("open:/home/ann/x.wav", "open:x.wav"),
        ("/", "a folder"),
        ("synthetic_bilingual/training", "synthetic_bilingual/training"),
        ("man/woman, https://example.org/a/b", "man/woman, https://example.org/a/b"),
    ],
)
def test_a_path_is_cut_down_to_its_last_part(told: str, left: str) -> None:
    assert without_paths({told: [told]}) == {left: [left]}


# small cells


def sizes(**speakers: int) -> audit.Run:
    """A run with so many speakers of each group, in English and Chinese; the first group heard less in Chinese."""
    run = audit.simulate({"groups": list(speakers), "speakers_per_group": max(speakers.values()), "missing": 0.1})
    frame = run.observations
    kept = [
        name
        for group, n in speakers.items()
        for name in sorted(frame.loc[frame["group"] == group, "speaker_id"].unique())[:n]
    ]
    frame = frame[frame["speaker_id"].isin(kept)].reset_index(drop=True)
    return replace(run, held=frame)


def test_a_small_cell_takes_the_next_smallest_with_it() -> None:
    run = sizes(asian=3, black=9, white=12)
    assert small_groups(run, 5) >= {("asian", "all"), ("black", "all")}
    assert ("white", "all") not in small_groups(run, 5)
    assert not small_groups(run, 3), "three speakers are not fewer than three"
    assert not small_groups(run, 0)


def small_groups(run: audit.Run, below: int) -> frozenset[tuple[str, str]]:
    """The suppressed cells of group and language."""
    settings = MeasureSettings(suppress_below=below, intersect=())
    return SmallCells.of(run.observations, settings).cells.get("group", frozenset())


def numbers_of(document: object, group: str) -> list[float]:
    """Every figure that a JSON document holds in a row or estimate of a group."""
    found: list[float] = []
    tables = document["tables"]  # type: ignore[index]  # an audit.json
    for table in tables.values():
        for cells in table["rows"]:
            row = dict(zip(table["columns"], cells, strict=True))
            if group in (row.get("group"), row.get("truth")):
                found += [
                    value
                    for key, value in row.items()
                    if isinstance(value, (int, float)) and key not in ("margin", "clips_trained", "gallery")
                ]
    for finding in document["findings"]:  # type: ignore[index]  # an audit.json
        for name, item in finding["estimates"].items():
            if group in name.split("."):
                declared = ("margin", "two_sided", "cell")  # by the check or the grouping, whatever the data
                values = [value for key, value in item.items() if key not in declared]
                found += [value for value in values if isinstance(value, float) or value not in (None, 0)]
    return [value for value in found if not isinstance(value, str)]


def test_no_figure_of_a_small_group_is_left_and_no_verdict_changes() -> None:
    run = sizes(asian=3, black=9, white=12)
    whole = audit.measure(run)
    left_out = audit.measure(run, settings=MeasureSettings(suppress_below=5))
    assert [f.outcome for f in left_out.findings] == [f.outcome for f in whole.findings]
    told = json.loads(left_out.to_json())
    for group in ("asian", "black"):
        assert numbers_of(json.loads(whole.to_json()), group)
        assert numbers_of(told, group) == []
        assert not any(group in left_out.tables[name].frame["group"].tolist() for name in ("gallery", "failures"))
    assert numbers_of(told, "white")
    assert "suppressed" in left_out.run["notices"][-1]  # type: ignore[index]  # a list
    assert not any(re.search(r"\d+%", f.sentence) for f in left_out.findings if f.group in ("asian", "black"))


def test_no_row_of_a_table_is_suppressed_alone_beside_its_total() -> None:
    run = sizes(asian=6, black=9, white=12)
    frame = run.observations.copy()
    women = frame["speaker_id"].isin(sorted(frame.loc[frame["group"] == "white", "speaker_id"].unique())[:2])
    frame["gender"] = np.where(women, "woman", "man")
    found = audit.measure(replace(run, held=frame), settings=MeasureSettings(suppress_below=5))
    strata = found.tables["strata"].frame
    white = strata[strata["group"] == "white"]
    assert len(white) > 1 and white["n_speakers"].isna().all(), "two women, so that the men are not told either"
    assert strata.loc[strata["group"] == "asian", "n_speakers"].isna().all(), "or all men less the others told of them"
    assert strata.loc[strata["group"] == "black", "n_speakers"].notna().all()


def test_suppressing_below_nothing_changes_no_byte_but_its_own_setting() -> None:
    run = sizes(asian=3, black=9)
    whole = audit.measure(run)
    assert suppressed(whole, SmallCells.of(run.observations, MeasureSettings())) is whole


def test_the_gate_uses_all_figures_and_shows_no_suppressed_one(tmp_path: Path) -> None:
    truth = {
        "groups": ["asian", "black", "white"],
        "speakers_per_group": 8,
        "rendered": {"asian": {"en": {"white": 1}}},
    }
    decisions = []
    for below in (0, 20):
        run = audit.simulate(truth, out=tmp_path / str(below))
        audit.measure(run, settings=MeasureSettings(suppress_below=below)).write(tmp_path / str(below))
        decisions.append(audit.gate(tmp_path / str(below), policy=audit.Policy.default(allow=["simulated"])))
    whole, left_out = decisions
    assert (left_out.exit_code, left_out.outcome) == (whole.exit_code, whole.outcome)
    assert [r.outcome for r in left_out.rulings] == [r.outcome for r in whole.rulings]
    assert any(r.estimate is not None and r.estimate.value is not None for r in whole.rulings)
    assert not any(r.estimate is not None and r.estimate.value is not None for r in left_out.rulings)
    assert not any(h.estimate is not None and h.estimate.value is not None for r in left_out.rulings for h in r.held)
    for written in (left_out.to_json(), junit_xml(left_out), sarif_json(left_out), summary_markdown(left_out)):
        assert "suppressed" in written


def test_a_comparison_does_not_reveal_small_groups(tmp_path: Path) -> None:
    truth = {"groups": ["asian", "black", "white"], "speakers_per_group": 8}
    runs = [
        audit.simulate(truth, seed=0),
        audit.simulate({**truth, "rendered": {"asian": {"en": {"white": 1}}}}, seed=0),
    ]
    whole = audit.compare(*runs)
    left_out = audit.compare(*runs, settings=MeasureSettings(suppress_below=20))
    assert [change.word for change in left_out.checks] == [change.word for change in whole.checks]
    assert all(change.change.value is None for change in left_out.metrics if change.group != "all")
    assert any(change.change.value is not None for change in left_out.metrics if change.group == "all")
    assert not any("asian" in sentence for sentence in left_out.sentences)
    assert any("suppressed" in notice for notice in left_out.notices)
    write_comparison(left_out, tmp_path)


def test_the_report_says_what_is_suppressed(tmp_path: Path) -> None:
    run = sizes(asian=3, black=9, white=12)
    page = write_report(audit.measure(run, settings=MeasureSettings(suppress_below=5)), tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "fewer than 5 speakers" in text and ">suppressed<" in text


def accents(sizes: dict[str, int]) -> audit.Run:
    """A simulated run of white speakers with a column of accents of the given numbers of speakers."""
    truth = {"groups": ["white"], "speakers_per_group": sum(sizes.values()), "languages": ["en", "zh"]}
    run = audit.simulate({**truth, "clips_per_language": 2})
    labels = np.repeat([*sizes], [*sizes.values()])
    names = sorted(run.observations["speaker_id"].unique())
    accent = run.observations["speaker_id"].map(dict(zip(names, labels, strict=True)))
    return replace(run, held=run.observations.assign(accent=accent))


def test_small_groups_of_other_groupings_are_suppressed_too() -> None:
    run = accents({"welsh": 3, "scottish": 12, "irish": 14})
    settings = MeasureSettings(suppress_below=5, group_by=("accent",))
    small = SmallCells.of(run.observations, settings)
    assert small.hide("welsh", grouping="accent"), "three speakers"
    assert small.hide("scottish", grouping="accent"), "or the three would be the total less the others"
    assert not small.hide("irish", grouping="accent")
    assert small.hide("scottish, man", grouping="accent x gender"), "whose group is hidden"
    made, whole = audit.measure(run, settings=settings), audit.measure(run, group_by=["accent"], with_tables=False)
    for code in ("S2F002", "S2F006"):
        found, all_of_it = made.finding(code, by="accent"), whole.finding(code, by="accent")
        assert found.by_group == all_of_it.by_group
        for figure in found.estimates.values():
            if figure.group in ("welsh", "scottish"):
                assert (figure.value, figure.low, figure.n_speakers) == (None, None, 0)
        assert all_of_it.estimates["welsh"].n_speakers
    table = made.tables["groupings"].frame.set_index("group")["n_speakers"]
    assert pd.isna(table["welsh"]) and pd.isna(table["scottish"]) and table["irish"] == 14
    cells = made.tables["intersections"].frame
    hidden = cells[(cells["grouping"] == "accent") & cells["group"].isin(["welsh", "scottish"])]
    assert len(hidden) and hidden[["value", "low", "high", "n_speakers"]].isna().all(axis=None)


def test_a_comparison_hides_small_groups_of_other_groupings() -> None:
    run = accents({"welsh": 3, "scottish": 12, "irish": 14})
    settings = MeasureSettings(suppress_below=5, group_by=("accent",))
    changes = audit.compare(run, run, settings=settings).checks
    hidden = [change for change in changes if change.grouping == "accent" and change.group == "scottish"]
    assert hidden and all(change.change.value is None for change in hidden)
    assert any(change.change.value is not None for change in changes if change.group == "irish")
