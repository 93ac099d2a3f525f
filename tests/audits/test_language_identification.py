"""The table of language identification, by hand, and its section of the report."""

from __future__ import annotations

from pathlib import Path

import pytest

import audit
from audit.core.plan import MeasureSettings
from audit.reports import write_report

NAME = "language_identification"
ADDED = ("declared_language", "identified_first", "identified_first_probability", "identification")


@pytest.fixture(scope="module")
def run() -> audit.Run:
    """Asian speakers' clips had no language, half are rejected; white speakers' English ones are called Chinese."""
    made = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 10, "languages": ["en", "zh"]})
    frame = made.observations.copy()
    asian, english = frame["group"] == "asian", frame["language"] == "en"
    values = (frame["language"].mask(asian, "und"), "zh", [i / len(frame) for i in range(len(frame))], "accepted")
    for name, value in zip(ADDED, values, strict=True):
        frame.insert(int(frame.columns.get_indexer(["status"])[0]), name, value)  # as in a run
    frame.loc[asian & english, ["language", "identification"]] = ["und", "disagreement"]
    first = frame.index[asian & english][:3]
    frame.loc[first, "identification"] = ["too_short", "silent", "low_probability"]
    frame.loc[~asian & ~english, "identification"] = "not_run"
    return audit.Run(frame, made.manifest)


def test_the_counts_and_the_share_rejected_are_those_by_hand(run: audit.Run) -> None:
    tables = audit.measure(run).tables
    rows = tables[NAME].frame.drop(columns=["rejected_low", "rejected_high", "method"])
    # speakers, clips, accepted, contradicted, disagreement, low probability, not identified, share rejected;
    # of eight asian speakers one of two clips is rejected, of the other two none of one
    assert rows.to_numpy().tolist() == [
        ["asian", "und", 10, 20, 10, 0, 7, 1, 2, pytest.approx(8 * 0.5 / 10)],
        ["white", "en", 10, 10, 0, 10, 0, 0, 0, 1.0],
    ]
    found = tables["worst_slices"].frame["slice"].astype(str)  # slices and trends are not searched by it
    assert not found.str.contains("identif|declared").any()
    assert "trends" not in tables or not {*ADDED} & {*tables["trends"].frame["attribute"]}


def test_small_cells_are_suppressed(run: audit.Run) -> None:
    made = audit.measure(run, settings=MeasureSettings(suppress_below=11)).tables[NAME].frame
    assert made.drop(columns=["group", "declared_language", "method"]).isna().all(axis=None)


def test_the_section_is_in_the_report_of_such_a_cohort_only(run: audit.Run, tmp_path: Path) -> None:
    page = write_report(audit.measure(run), tmp_path / "with").read_text(encoding="utf-8")
    section = page[page.index(f'id="{NAME}"') :].split("</section>")[0]
    assert "Accepted as another language" in section and "40%" in section
    plain = audit.Run(run.observations.drop(columns=[*ADDED]), run.manifest)
    assert "Language identification" not in write_report(audit.measure(plain), tmp_path / "without").read_text("utf-8")
