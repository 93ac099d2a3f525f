"""Draws of whole cohorts: the same from the same seed, resumable, and secret."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from typer.testing import CliRunner

import audit
from audit.audits.cohort_check import check_cohort
from audit.cli import app
from audit.cohorts.drawing import drawing
from audit.cohorts.drawing.seeds import key_of
from tests.cohorts.drawing.conftest import SEED, bytes_in

GROUPS = ("asian", "white")


class TestSameSeedSameBytes:
    def test_a_draw_by_two_processes_equals_one_by_this_process(self, drawn: Path, tmp_path: Path) -> None:
        audit.draw_cohort(tmp_path / "again", 2, groups=GROUPS, seed=SEED, workers=2)
        assert bytes_in(tmp_path / "again") == bytes_in(drawn)

    def test_an_interrupted_draw_continues_and_ends_equal(
        self, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out, draw_speaker, calls = tmp_path / "again", drawing._draw_speaker, []

        def interrupted(work: drawing._Work, speaker: dict[str, object]) -> list[dict[str, str]]:
            calls.append(speaker["speaker_id"])
            if len(calls) == 3:
                (out / "audio" / "d003_en1.ogg").write_bytes(b"half a cl")
                raise KeyboardInterrupt
            return draw_speaker(work, speaker)

        monkeypatch.setattr(drawing, "_draw_speaker", interrupted)
        with pytest.raises(KeyboardInterrupt):
            audit.draw_cohort(out, 2, groups=GROUPS, seed=SEED)
        with pytest.raises(audit.CohortError, match=r"speakers\.csv"):
            audit.Cohort.read(out)
        seen: list[tuple[int, int]] = []
        audit.draw_cohort(out, 2, groups=GROUPS, seed=SEED, progress=lambda done, of: seen.append((done, of)))
        assert seen == [(2, 4), (3, 4), (4, 4)], "the two finished speakers are kept"
        assert bytes_in(out) == bytes_in(drawn)

    def test_a_complete_draw_is_only_read(self, drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(drawing, "_draw_speaker", None)
        before = bytes_in(drawn)
        assert len(audit.draw_cohort(drawn, 2, groups=GROUPS, seed=SEED).clips) == 8
        assert bytes_in(drawn) == before

    def test_a_lost_clip_is_drawn_again(self, drawn: Path, tmp_path: Path) -> None:
        shutil.copytree(drawn, tmp_path / "copy")
        (tmp_path / "copy" / "audio" / "d002_en1.ogg").unlink()
        audit.draw_cohort(tmp_path / "copy", 2, groups=GROUPS, seed=SEED)
        assert bytes_in(tmp_path / "copy") == bytes_in(drawn)

    def test_another_seed_gives_other_speakers_and_another_sound(self, drawn: Path, tmp_path: Path) -> None:
        other = audit.draw_cohort(tmp_path / "other", 2, groups=GROUPS, seed=SEED + "!")
        before = audit.Cohort.read(drawn)
        for column in ("jitter_u", "portrait_seed", "pitch_semitones"):
            assert not set(other.speakers[column]) & set(before.speakers[column]), column
        mine, theirs = (soundfile.read(folder / "audio" / "d001_en1.ogg")[0] for folder in (drawn, tmp_path / "other"))
        assert abs(np.corrcoef(mine, theirs)[0, 1]) < 0.1


class TestSeed:
    def test_neither_seed_nor_key_is_on_disk(self, drawn: Path) -> None:
        settings = '{"speech":"derived","speakers":2,"languages":["en","zh","es"],"groups":["asian","white"]'
        key = key_of(SEED, settings + ',"clips":1,"recipe":1}')
        for name, data in bytes_in(drawn).items():
            assert SEED.encode() not in data and key.encode() not in data, name
            assert bytes.fromhex(key) not in data, name

    def test_a_seed_that_is_made_is_shown_once_and_needed_to_continue(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        audit.draw_cohort(tmp_path / "made", 2, groups=("black",))
        said = capfd.readouterr()
        (seed,) = [word.rstrip(".") for word in said.err.split() if len(word) > 30]
        assert said.out == "" and said.err.count(seed) == 1
        assert all(seed.encode() not in data for data in bytes_in(tmp_path / "made").values())
        with pytest.raises(audit.AuditError, match="that seed, to continue it"):
            audit.draw_cohort(tmp_path / "made", 2, groups=("black",))
        audit.draw_cohort(tmp_path / "made", 2, groups=("black",), seed=seed)

    def test_the_command_takes_the_seed_from_the_environment_and_never_shows_it(self, drawn: Path) -> None:
        words = ["cohort", "draw", "--speakers", "2", "--groups", "white,asian", "--languages", "en, es, zh"]
        done = CliRunner().invoke(app, [*words, "-o", str(drawn)], env={"AUDIT_DRAW_SEED": SEED})
        assert done.exit_code == 0, done.output
        assert done.stdout.splitlines()[-1] == str(drawn)
        assert "Nothing was left to draw." in done.stderr
        assert SEED not in done.output


class TestRefusals:
    def test_a_folder_with_other_contents_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("mine")
        with pytest.raises(audit.RunError, match="is not empty and was not made by audit cohort draw"):
            audit.draw_cohort(tmp_path, 2, seed=SEED)
        assert bytes_in(tmp_path) == {"notes.txt": b"mine"}

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"seed": "another"}, "drawn with another seed"),
            ({"clips": 2}, "other settings: clips 1, now 2"),
            ({"speakers": 4}, "other settings: speakers 2, now 4"),
            ({"groups": ("asian",)}, "groups asian,white, now asian"),
            ({"languages": ("en", "zh")}, "languages en,zh,es, now en,zh"),
        ],
    )
    def test_other_settings_are_refused_and_nothing_is_changed(
        self, drawn: Path, change: dict[str, object], words: str
    ) -> None:
        before = bytes_in(drawn)
        asked = {"speakers": 2, "groups": GROUPS, "seed": SEED} | change
        with pytest.raises(audit.RunError, match=words):
            audit.draw_cohort(drawn, **asked)  # type: ignore[arg-type]  # of several types
        assert bytes_in(drawn) == before

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"speakers": 3}, "3 speakers in each group.*even number"),
            ({"speakers": 0}, "0 speakers"),
            ({"languages": ("en",)}, "en and at least one of zh, es"),
            ({"languages": ("zh", "es")}, "en and at least one of zh, es"),
            ({"languages": ("en", "fr")}, "The language 'fr'. Allowed: en, zh, es"),
            ({"languages": ("en", "zh", "zh")}, "each once"),
            ({"groups": ("asain",)}, "did you mean 'asian'"),
            ({"groups": ()}, "The groups are none"),
            ({"clips": 3}, "1 to 2 for derived speech.*--parts"),
            ({"clips": 0}, "0 clips"),
            ({"workers": 0}, "0 workers"),
            ({"seed": "  "}, "The seed is empty"),
        ],
    )
    def test_what_is_not_allowed_is_refused_before_anything_is_written(
        self, tmp_path: Path, change: dict[str, object], words: str
    ) -> None:
        asked = {"speakers": 2, "seed": SEED} | change
        with pytest.raises(audit.AuditError, match=words):
            audit.draw_cohort(tmp_path / "new", **asked)  # type: ignore[arg-type]  # of several types
        assert not (tmp_path / "new").exists()


class TestWhatIsDrawn:
    def test_the_cohort_is_valid_fictional_and_complete(self, drawn: Path) -> None:
        cohort = audit.Cohort.read(drawn)
        assert cohort.notes.fictional and "derived" in cohort.notes.notes
        assert sorted(path.name for path in drawn.iterdir()) == [
            ".audit-files.json", "audio", "clips.csv", "cohort.toml", "draw.json", "portraits", "speakers.csv",
        ]  # fmt: skip
        assert cohort.clips.groupby("speaker_id")["language"].apply(sorted).str[0].tolist() == ["en"] * 4
        found = check_cohort(cohort)
        assert not any("One cluster" in note for note in found.notes)
        files = found.tables["Files"]
        assert files.select_dtypes("number").to_numpy().sum() > 0 and "missing" not in files.to_string().split()

    def test_the_command_checks_it(self, drawn: Path) -> None:
        done = CliRunner().invoke(app, ["cohort", "check", str(drawn)])
        assert done.exit_code == 0, done.output
        assert "source voices" in " ".join(done.stdout.split())

    def test_tables_have_the_columns_of_the_embedded_cohort(self, drawn: Path) -> None:
        embedded = audit.embedded("synthetic_bilingual")
        for name, more in (
            ("speakers.csv", {"source_speaker", "pitch_semitones", "tract_length"}),
            ("clips.csv", {"cluster", "source_clip"}),
        ):
            mine, theirs = ({*pd.read_csv(folder / name, nrows=1)} for folder in (drawn, embedded))
            assert mine >= theirs | more

    def test_every_clip_is_six_seconds_at_one_level_and_not_clipped(self, drawn: Path) -> None:
        for path in sorted((drawn / "audio").iterdir()):
            sound, rate = soundfile.read(path)
            assert (rate, sound.shape) == (16_000, (96_000,))
            assert 0.05 < np.abs(sound).max() < 0.95
            frames = 10 * np.log10((sound.reshape(-1, 160) ** 2).mean(1) + 1e-12)
            loud = frames > np.percentile(frames, 95) - 35
            assert loud.mean() > 0.75
            assert 10 * np.log10((sound.reshape(-1, 160)[loud] ** 2).mean()) == pytest.approx(-25, abs=0.7)
