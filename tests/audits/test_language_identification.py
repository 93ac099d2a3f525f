"""The table of language identification, by hand, and its section of the report."""

from __future__ import annotations

from pathlib import Path

import pytest

import audit
from audit.core.plan import MeasureSettings
from audit.reports import write_report

NAME = "language_identification"
COUNTS = ["n_speakers", "n_clips", "accepted", "contradicted", "disagreement", "low_probability", "not_identified"]


@pytest.fixture(scope="module")
def run() -> audit.Run:
    """Asian speakers' clips had no language, half of them rejected; white speakers' English ones are called Chinese."""
    made = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 10, "languages": ["en", "zh"]})
    frame = made.observations.copy()
    asian, english = frame["group"] == "asian", frame["language"] == "en"
    frame["declared_language"] = frame["language"].mask(asian, "und")
    frame["identified_first"] = "zh"
    frame["identification"] = "accepted"
    frame.loc[asian & english, "identification"] = "disagreement"
    frame.loc[asian & english, "language"] = "und"
    first = frame.index[asian & english][:3]
    frame.loc[first, "identification"] = ["too_short", "silent", "low_probability"]
    frame.loc[~asian & ~english, "identification"] = "not_run"
    return audit.Run(frame, made.manifest)


def test_the_counts_and_the_share_rejected_are_those_by_hand(run: audit.Run) -> None:
    table = audit.measure(run).tables[NAME].frame.set_index(["group", "declared_language"])
    assert list(table.index) == [("asian", "und"), ("white", "en")]
    # clips: 10 speakers with one clip in each language
    assert table.loc[("asian", "und"), COUNTS].tolist() == [10, 20, 10, 0, 7, 1, 2]
    # eight speakers have one of two clips rejected, the other two none of one
    assert table.loc[("asian", "und"), "rejected"] == pytest.approx(8 * 0.5 / 10)
    assert table.loc[("white", "en"), COUNTS].tolist() == [10, 10, 0, 10, 0, 0, 0]
    assert table.loc[("white", "en"), "rejected"] == 1.0
    assert (table["rejected_low"] < table["rejected"]).all() and (table["rejected_high"] >= table["rejected"]).all()


def test_small_cells_are_suppressed(run: audit.Run) -> None:
    made = audit.measure(run, settings=MeasureSettings(suppress_below=11)).tables[NAME].frame
    assert made[[*COUNTS, "rejected"]].isna().all(axis=None)


def test_the_section_is_in_the_report_of_such_a_cohort_only(run: audit.Run, tmp_path: Path) -> None:
    page = write_report(audit.measure(run), tmp_path / "with").read_text(encoding="utf-8")
    section = page[page.index(f'id="{NAME}"') :].split("</section>")[0]
    assert "Accepted as another language" in section and "40%" in section
    plain = run.observations.drop(columns=["declared_language", "identified_first", "identification"])
    result = audit.measure(audit.Run(plain, run.manifest))
    assert NAME not in result.tables
    assert "Language identification" not in write_report(result, tmp_path / "without").read_text(encoding="utf-8")
    assert NAME not in audit.measure(audit.Run(plain.assign(identification="not_run"), run.manifest)).tables


def test_slices_and_trends_are_not_searched_by_how_labels_were_made(run: audit.Run) -> None:
    frame = run.observations.copy()
    at = frame.columns.get_loc("status")
    for name in ("declared_language", "identified_first", "identification"):
        frame.insert(at, f"{name}_", frame.pop(name))
    frame = frame.rename(columns=lambda name: name.removesuffix("_"))
    frame.insert(at, "identified_first_probability", [i / len(frame) for i in range(len(frame))])
    tables = audit.measure(audit.Run(frame, run.manifest)).tables
    assert not tables["worst_slices"].frame["slice"].astype(str).str.contains("identif|declared").any()
    assert "trends" not in tables or "identified_first_probability" not in set(tables["trends"].frame["attribute"])
