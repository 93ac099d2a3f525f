"""The adapter sre21 on a miniature of the development set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

import audit
from audit.core.audio import read_clip

KEY = """segmentid subjectid gender partition language source_type
aa.sph 100001 male enrollment english cts
ab.flac 100001 male enrollment mandarin cts
ac.flac 100001 male test cantonese afv
ad.jpg 100001 male enrollment na na
ba.sph 100002 female test YUE.HK cts
bb.sph 100002 male test USE cts
bc.sph 100002 female test TGL cts
bd.mp4 100002 female test english na
be.sph 100002 female test english cts
"""
FILES = ("audio/enrollment/aa.sph", "audio/enrollment/ab.flac", "audio/test/ac.flac", "image/enrollment/ad.jpg")
FILES += ("audio/test/ba.sph", "audio/test/bb.sph", "audio/test/bc.sph", "audio/test/zz.sph", "video/test/bd.mp4")


def test_clips_portraits_and_corrected_channels(tmp_path: Path) -> None:
    root = tmp_path / "sre"
    for name in FILES:
        path = root / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        if path.suffix in (".sph", ".flac"):
            how = {"format": "NIST", "subtype": "ULAW"} if path.suffix == ".sph" else {"format": "FLAC"}
            soundfile.write(path, 0.1 * np.sin(np.arange(4000) / 5), 8000, **how)
    with pytest.raises(audit.CohortError, match=r"has no docs/\*_segment_key.tsv.*published after the evaluation"):
        audit.import_cohort("sre21", root, tmp_path / "C")
    (root / "docs").mkdir()
    (root / "docs" / "sre21_dev_segment_key.tsv").write_text(KEY.replace(" ", "\t"))
    cohort, remarks = audit.import_cohort("sre21", root, tmp_path / "C")
    clips = cohort.clips.set_index("clip_id")
    assert list(clips.index) == ["aa.sph", "ab.flac", "ac.flac", "ba.sph", "bb.sph", "bc.sph"]
    assert list(clips["language"]) == ["en", "zh", "yue", "yue", "en", "und"]
    assert list(clips["source_type"]) == ["cts", "afv", "afv", "cts", "cts", "cts"]  # ab.flac is from video
    assert list(cohort.speakers["portrait"]) == ["files/data/image/enrollment/ad.jpg", ""]
    assert list(cohort.speakers["gender"]) == ["man", "unknown"] and set(cohort.speakers["group"]) == {"unknown"}
    for remark in (
        "1 rows of the segment key name a file that is not in data/",
        "1 files of data/ are not in the segment key",
        "1 videos were left out.",
        "1 FLAC files are from video, and the key says cts: source_type is afv.",
        "1 clips are in other languages (TGL): und.",
        "1 subjects have different genders",
        "1 subjects have no picture.",
        "2 of 2 speakers have clips in two or more languages; 2 have English and another language (yue 2, zh 1), and 2",
    ):
        assert remark in "\n".join(remarks)
    sphere = read_clip(cohort.root / clips.loc["ba.sph", "audio"], min_seconds=0.1)
    assert sphere.status == "ok" and sphere.detail == "resampled from 8000 Hz"
