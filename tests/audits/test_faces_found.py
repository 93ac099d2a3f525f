"""How many faces a picture has: counted by the instrument, stored for each clip, reported where there are several."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import audit
from audit.core.arrays import Picture
from audit.core.errors import RunError
from audit.core.files import file_digest
from audit.instruments.protocol import Reading
from audit.reports import write_report
from audit.runs.harness.answering import readings_of
from audit.runs.harness.cache import Cache
from tests.fakes import NOT_A_FACE, ColourInstrument, LoudnessModel, fake_face

MakeCohort = Callable[..., Path]
RULE = "the face with the largest corner"


class CountingInstrument(ColourInstrument):
    """Finds three faces in every picture of a white person, one in the others, none in those without a face."""

    name = "counting colours (fake)"

    def read(self, pictures: Sequence[Picture]) -> list[Reading]:
        return [self._counted(reading) for reading in super().read(pictures)]

    def describe(self) -> dict[str, object]:
        return {"detector": {"name": "corners", "reads": RULE}, "cache_key": "counting 1"}

    @staticmethod
    def _counted(reading: Reading) -> Reading:
        if reading.status != "ok":
            return Reading("no_face", faces=0)
        faces = 3 if reading.race["white"] == 1 else 1
        return Reading("ok", reading.race, reading.man, reading.age, reading.embeddings, faces=faces)


class SilentInstrument(CountingInstrument):
    """Counts, but does not say which face it reads."""

    def describe(self) -> dict[str, object]:
        return {"detector": "corners"}


def run(cohort: Path, out: Path, instrument: ColourInstrument | None = None) -> audit.Run:
    return audit.run(
        audit.Cohort.read(cohort), model=LoudnessModel(), instrument=instrument or CountingInstrument(), out=out
    )


@pytest.fixture
def counted(make_cohort: MakeCohort, tmp_path: Path) -> audit.Run:
    """Eight speakers, whose loud English clips are shown as white; half of the portraits are white."""
    return run(make_cohort(), tmp_path / "run")


def notice(result: audit.Audit) -> list[str]:
    notices = result.run["notices"]
    assert isinstance(notices, list)
    return [text for text in notices if "More than one face" in text]


def without_counts(folder: Path) -> audit.Run:
    """The run as it was before faces were counted."""
    manifest = json.loads((folder / "manifest.json").read_text())
    for path in (folder / "observations").glob("part-*.parquet"):
        kept = pq.read_table(path)
        kept = kept.drop_columns([name for name in kept.column_names if name.endswith("_faces")])
        pq.write_table(kept, path)
        manifest["parts"][path.name] = file_digest(path)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return audit.Run.read(folder)


def test_the_number_of_faces_is_a_column_of_each_stage(counted: audit.Run) -> None:
    seen = counted.observations
    for stage in ("portrait", "ceiling", "rendered"):
        expected = seen[f"{stage}_race"].eq("white").map({True: 3, False: 1})
        assert seen[f"{stage}_faces"].tolist() == expected.tolist()
        assert seen[f"{stage}_faces"].dtype.kind == "i"


def test_a_picture_without_a_face_has_none(make_cohort: MakeCohort, tmp_path: Path) -> None:
    class Faceless(LoudnessModel):
        def _render(self, waveform: object) -> Picture:
            return NOT_A_FACE

    cohort = audit.Cohort.read(make_cohort())
    seen = audit.run(cohort, model=Faceless(), instrument=CountingInstrument(), out=tmp_path / "run").observations
    assert set(seen["rendered_status"]) == {"no_face"} and set(seen["rendered_faces"]) == {0}


def test_the_counts_are_a_table_of_the_audit(counted: audit.Run) -> None:
    result = audit.measure(counted)
    found = result.tables["faces_found"].frame.set_index(["stage", "group"])
    seen = counted.observations
    for stage in ("portrait", "ceiling", "rendered"):
        for group, of in seen.groupby("group"):
            several = int((of[f"{stage}_race"] == "white").sum())
            expected = [len(of), several, 3 if several else 1]
            assert found.loc[(stage, group), ["n_clips", "n_several", "most_faces"]].tolist() == expected
    assert "faces_found" in json.loads(result.to_json())["tables"]


def test_the_notice_has_the_counts_and_which_face_is_read(counted: audit.Run) -> None:
    seen = counted.observations
    portraits, rendered = ((seen[f"{stage}_race"] == "white").sum() for stage in ("portrait", "rendered"))
    assert portraits > 0 and rendered == 8
    assert notice(audit.measure(counted)) == [
        f"More than one face was found in {portraits} of 16 portrait pictures, in {portraits} of 16 ceiling pictures "
        f"and in 8 of 16 rendered pictures, counted once for each clip. Of each picture, {RULE} is read."
    ]


def test_the_notice_says_where_the_rule_is_not_known(make_cohort: MakeCohort, tmp_path: Path) -> None:
    (text,) = notice(audit.measure(run(make_cohort(), tmp_path / "run", SilentInstrument())))
    assert text.endswith("Which of them the instrument reads is not recorded.")


def test_the_report_shows_counts_and_rule(counted: audit.Run, tmp_path: Path) -> None:
    result = audit.measure(counted)
    page = write_report(result, tmp_path / "report").read_text()
    assert page.count(RULE) == 2  # in the notice and among the instrument's parts
    assert "Pictures with more than one face" in page


def test_a_run_with_one_face_a_picture_has_no_notice(counted: audit.Run, tmp_path: Path) -> None:
    ones = {f"{stage}_faces": 1 for stage in ("portrait", "ceiling", "rendered")}
    result = audit.measure(audit.Run(counted.observations.assign(**ones), counted.manifest))
    assert notice(result) == []
    assert not result.tables["faces_found"].frame["n_several"].any()
    assert "Pictures with more than one face" not in write_report(result, tmp_path / "report").read_text()


def test_an_instrument_that_does_not_count_works_as_before(make_cohort: MakeCohort, tmp_path: Path) -> None:
    plain = run(make_cohort(), tmp_path / "run", ColourInstrument())
    assert plain.observations["rendered_faces"].isna().all()
    result = audit.measure(plain)
    assert "faces_found" not in result.tables and notice(result) == []


def test_a_run_made_before_faces_were_counted_is_measured_the_same(counted: audit.Run) -> None:
    after = audit.measure(counted, with_tables=False)
    assert counted.folder is not None
    before = audit.measure(without_counts(counted.folder))
    assert "faces_found" not in before.tables and notice(before) == []
    assert [finding.as_dict() for finding in before.findings] == [finding.as_dict() for finding in after.findings]


def test_reading_an_older_run_again_counts_its_faces(counted: audit.Run, tmp_path: Path) -> None:
    columns = [f"{stage}_faces" for stage in ("portrait", "ceiling", "rendered")]
    before = counted.observations[columns]
    assert counted.folder is not None
    older = without_counts(counted.folder)
    again = audit.read_again(older, instrument=CountingInstrument(), out=tmp_path / "again")
    pd.testing.assert_frame_equal(again.observations[columns], before)


def test_the_cache_keeps_the_counts(make_cohort: MakeCohort, tmp_path: Path) -> None:
    cohort = make_cohort()
    one, other = (run(cohort, tmp_path / name).observations for name in ("one", "other"))
    pd.testing.assert_frame_equal(one, other)
    cache = Cache(tmp_path / "cache")
    readings = {"a": Reading("no_face", faces=0), "b": Reading("no_face"), "c": Reading("ok", age=3.0, faces=2)}
    cache.keep_readings(readings, "somebody")
    assert cache.readings("abc", "somebody") == readings
    cache.close()


@pytest.mark.parametrize(
    ("status", "faces", "words"),
    [
        ("ok", 0, "counted 0 faces with the status ok, not a whole number from 1 on, or None"),
        ("ok", 1.5, "counted 1.5 faces with the status ok"),
        ("ok", True, "counted True faces"),
        ("no_face", 2, "counted 2 faces with the status no_face, not 0 or None"),
    ],
)
def test_an_impossible_count_is_an_instrument_error(status: str, faces: object, words: str) -> None:
    class Odd(ColourInstrument):
        def read(self, pictures: Sequence[Picture]) -> list[Reading]:
            good = super().read(pictures)
            one = good[0]
            odd = Reading(status, one.race, one.man, one.age, one.embeddings, faces=faces)  # type: ignore[arg-type]  # what is not allowed
            return [odd, *good[1:]]

    odd, good = readings_of(Odd(), [fake_face("asian"), fake_face("white")])
    assert isinstance(odd, str) and words in odd
    assert isinstance(good, Reading)


def test_a_part_with_counts_of_another_type_is_refused(counted: audit.Run) -> None:
    folder = counted.folder
    assert folder is not None
    manifest = json.loads((folder / "manifest.json").read_text())
    path = next((folder / "observations").glob("part-*.parquet"))
    table = pq.read_table(path)
    place, texts = table.schema.get_field_index("rendered_faces"), pa.array(["three"] * len(table))
    pq.write_table(table.set_column(place, "rendered_faces", texts), path)
    manifest["parts"][path.name] = file_digest(path)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RunError, match="rendered_faces"):
        _ = audit.Run.read(folder).observations
