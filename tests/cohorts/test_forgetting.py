"""Forgetting a speaker of a cohort: the rows are gone, all other bytes stay, and what is left is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import audit
from audit.cohorts.forgetting import remove_from_cohort, without_speaker
from audit.core.errors import CohortError


def test_only_the_rows_of_the_speaker_are_removed(make_cohort: Callable[..., Path]) -> None:
    folder = make_cohort()
    before = audit.Cohort.read(folder)
    speaker = before.speakers["speaker_id"].iloc[0]
    lines = (folder / "clips.csv").read_bytes().splitlines(keepends=True)
    (folder / "notes.txt").write_text(f"{speaker} was recorded twice.\n")
    left = remove_from_cohort(folder, speaker)
    after = audit.Cohort.read(folder)
    assert set(before.speakers["speaker_id"]) - set(after.speakers["speaker_id"]) == {speaker}
    assert sorted(left.clip_ids) == sorted(before.clips.loc[before.clips["speaker_id"] == speaker, "clip_id"])
    kept = (folder / "clips.csv").read_bytes().splitlines(keepends=True)
    assert kept == [line for line in lines if line in kept]
    assert len(lines) - len(kept) == len(left.clip_ids)
    assert left.mentions == ("notes.txt",)
    assert all((folder / path).is_file() for path in left.files), "files of the user are not removed"


def test_a_row_of_several_lines_is_removed_whole(tmp_path: Path) -> None:
    path = tmp_path / "speakers.csv"
    path.write_bytes(b'speaker_id;group;remark\r\na;asian;"two\r\nlines; and a semicolon"\r\nb;white;"a"\r\n')
    assert without_speaker(path, "a") == b'speaker_id;group;remark\r\nb;white;"a"\r\n'
    assert without_speaker(path, "b").endswith(b'semicolon"\r\n')


def test_a_parquet_table(tmp_path: Path) -> None:
    path = tmp_path / "speakers.parquet"
    pd.DataFrame({"speaker_id": ["a", "b"], "group": ["asian", "white"]}).to_parquet(path)
    path.write_bytes(without_speaker(path, "a"))
    assert pd.read_parquet(path)["speaker_id"].tolist() == ["b"]


def test_an_unknown_speaker_is_refused_without_repeating_the_id(make_cohort: Callable[..., Path]) -> None:
    with pytest.raises(CohortError) as error:
        remove_from_cohort(make_cohort(), "nobody of this name")
    assert "nobody" not in str(error.value)
