"""The adapter common_voice on several locales under one root: the same volunteers in several languages."""

from __future__ import annotations

from pathlib import Path

import audit
from tests.conftest import tone

CLIPS = {"en": ("aa", "aa", "bb", "cc"), "zh-TW": ("aa",), "zh-CN": ("aa", "dd"), "de": ("bb", "dd")}
"""Volunteers of the clips of each locale."""


def test_speakers_with_clips_in_two_locales_are_counted(tmp_path: Path) -> None:
    """aa speaks en and zh (two regions of one language), bb en and de, cc en, dd zh and de."""
    root = tmp_path / "cv"
    for locale, volunteers in CLIPS.items():
        rows = "client_id\tpath\tgender\n"
        for i, volunteer in enumerate(volunteers):
            rows += f"{volunteer}\t{tone(root / locale / 'clips' / f'{locale}_{i}.wav').name}\tfemale_feminine\n"
        (root / locale / "validated.tsv").write_text(rows)
    cohort, remarks = audit.import_cohort("common_voice", root, tmp_path / "C")
    assert (
        "In the download, 3 of 4 speakers have clips in two or more languages; 2 have English and another language "
        "(de 1, zh 1), and 1 English and one of zh, yue, nan, ja, ko, vi."
    ) in remarks
    assert cohort.clips.groupby("speaker_id")["language"].nunique().to_dict() == {"aa": 3, "bb": 2, "cc": 1, "dd": 2}
    assert set(cohort.speakers["gender"]) == {"woman"}
    _, of_one = audit.import_cohort("common_voice", root / "en", tmp_path / "D")
    assert "two or more languages" not in "\n".join(of_one)
