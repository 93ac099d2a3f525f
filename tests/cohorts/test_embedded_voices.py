"""The voices of the embedded cohort: speakers, clips, and absence of unintended cues."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import soundfile

from audit.cohorts.drawing import timbre

COHORT = Path(__file__).parents[2] / "datasets" / "synthetic_bilingual"
TRAINING = COHORT / "training"
BUILD = COHORT / "build"
GROUPS = {"asian", "indian", "black", "white"}
PER_GROUP = {"audited": 32, "training": 40, "validation": 8}
RATE, SAMPLES = 16_000, 96_000

pytestmark = pytest.mark.skipif(not (TRAINING / "clips.csv").exists(), reason="the embedded cohort has not been built")


def built_with(name: str) -> ModuleType:
    """A module of the build script that needs no build-time dependency."""
    spec = importlib.util.spec_from_file_location(f"embedded_{name}", BUILD / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def speakers(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "speakers.csv", keep_default_na=False)


def clips(folder: Path) -> pd.DataFrame:
    listed = pd.read_csv(folder / "clips.csv", keep_default_na=False)
    return listed.merge(speakers(folder), on="speaker_id", validate="many_to_one")


@pytest.fixture(scope="module")
def everyone() -> pd.DataFrame:
    return pd.concat([speakers(COHORT), speakers(TRAINING)])


@pytest.fixture(scope="module")
def everything() -> pd.DataFrame:
    return pd.concat(
        [clips(COHORT).assign(folder=str(COHORT)), clips(TRAINING).assign(folder=str(TRAINING))], ignore_index=True
    )


@pytest.fixture(scope="module")
def audible(everything: pd.DataFrame) -> pd.DataFrame:
    """The first clip of every audited speaker in every language, and of every third other speaker, with its sound."""
    first = everything[everything["clip_id"].str.endswith("1")]
    audited = first["split"] == "audited"
    chosen = pd.concat([first[audited], first[~audited].iloc[::3]])
    sounds = [
        soundfile.read(Path(folder) / name)[0] for folder, name in zip(chosen["folder"], chosen["audio"], strict=True)
    ]
    return chosen.assign(sound=sounds)


def levels(sound: np.ndarray) -> np.ndarray:
    """dB of every 10 ms."""
    return np.asarray(10 * np.log10((sound.reshape(-1, RATE // 100) ** 2).mean(1) + 1e-12))


class TestWhoIsInIt:
    def test_each_split_has_every_group_in_equal_numbers_half_women_half_men(self, everyone: pd.DataFrame) -> None:
        counts = everyone.groupby(["split", "group", "gender"]).size()
        assert set(everyone["group"]) == GROUPS
        for split, per_group in PER_GROUP.items():
            here = counts.xs(split)
            assert list(here) == [per_group // 2] * 2 * len(GROUPS)

    def test_language_is_crossed_with_group_and_sex(self, everyone: pd.DataFrame) -> None:
        counts = everyone.groupby(["split", "group", "gender"])["other_language"].value_counts().unstack()
        assert (counts["zh"] == counts["es"]).all()

    def test_audited_and_other_speakers_are_in_separate_folders(self) -> None:
        assert set(speakers(COHORT)["split"]) == {"audited"}
        assert set(speakers(TRAINING)["split"]) == {"training", "validation"}

    def test_half_of_the_audited_speakers_of_every_cell_have_a_voice_not_in_training(
        self, everyone: pd.DataFrame
    ) -> None:
        voices = {
            split: set(rows["voice_a"]) | set(rows["voice_b"])
            for split, rows in everyone.groupby(everyone["split"].where(everyone["split"] != "validation", "training"))
        }
        audited = everyone[everyone["split"] == "audited"]
        unseen = audited[["voice_a", "voice_b"]].apply(voices["training"].isdisjoint, axis=1)
        assert (unseen == audited["unseen_voice"]).all()
        assert (audited.groupby(["group", "gender", "other_language"])["unseen_voice"].mean() == 0.5).all()

    def test_every_base_voice_is_as_frequent_in_each_group(self, everyone: pd.DataFrame) -> None:
        both = everyone.melt(["split", "group", "gender", "unseen_voice"], ["voice_a", "voice_b"], value_name="voice")
        counts = both.groupby(["split", "unseen_voice", "voice", "group"]).size().unstack(fill_value=0)
        assert (counts.max(axis=1) - counts.min(axis=1)).max() <= 1

    def test_ages_are_adult_and_equally_distributed_in_every_group(self, everyone: pd.DataFrame) -> None:
        assert everyone["age"].between(18, 75).all()
        middle = everyone.groupby(["split", "group"])["age"].mean()
        assert (middle - 46.5).abs().max() < 4

    def test_the_tables_are_what_the_seed_draws(self, everyone: pd.DataFrame) -> None:
        drawn = built_with("speakers").draw()
        drawn = drawn.join(timbre.coordinates(drawn))
        found = everyone.sort_values("speaker_id")[drawn.columns]
        assert found.to_csv(index=False) == drawn.to_csv(index=False)

    def test_the_page_on_the_voices_states_the_digests_of_the_tables(self) -> None:
        page = (BUILD / "VOICES.md").read_text(encoding="utf-8")
        for table in (COHORT / "speakers.csv", COHORT / "clips.csv", TRAINING / "speakers.csv", TRAINING / "clips.csv"):
            assert hashlib.sha256(table.read_bytes()).hexdigest() in page, table.relative_to(COHORT)


class TestClips:
    def test_every_speaker_has_two_clips_in_english_and_two_in_the_other_language(
        self, everything: pd.DataFrame
    ) -> None:
        counts = everything.groupby(["speaker_id", "language"]).size()
        assert (counts == 2).all() and len(counts) == 2 * 320
        assert everything["language"].isin(["en"]).sum() == 640
        foreign = everything[everything["language"] != "en"]
        assert (foreign["language"] == foreign["other_language"]).all()

    def test_every_clip_is_six_seconds_of_one_channel_at_16_khz(self, everything: pd.DataFrame) -> None:
        for folder, name in zip(everything["folder"], everything["audio"], strict=True):
            info = soundfile.info(Path(folder) / name)
            assert (info.samplerate, info.channels, info.frames) == (RATE, 1, SAMPLES), name

    def test_no_speaker_says_a_sentence_twice(self, everything: pd.DataFrame) -> None:
        said = everything.assign(sentence=everything["sentences"].str.split()).explode("sentence")
        assert not said.duplicated(["speaker_id", "sentence"]).any()

    def test_no_sentence_is_shared_between_splits(self, everything: pd.DataFrame) -> None:
        said = everything.assign(sentence=everything["sentences"].str.split()).explode("sentence")
        assert (said.groupby("sentence")["split"].nunique() == 1).all()

    def test_nothing_is_clipped_silent_or_broken(self, audible: pd.DataFrame) -> None:
        for clip_id, sound in zip(audible["clip_id"], audible["sound"], strict=True):
            assert np.isfinite(sound).all() and 0.05 < np.abs(sound).max() < 0.95, clip_id
            loud = levels(sound)
            assert (loud > np.percentile(loud, 95) - 35).mean() >= 0.75, clip_id

    def test_no_clip_begins_or_ends_with_a_click(self, audible: pd.DataFrame) -> None:
        for clip_id, sound in zip(audible["clip_id"], audible["sound"], strict=True):
            # The fades end at zero; Opus leaves a little there, at most .056 of the peak in all 1,280 clips when built.
            assert max(abs(sound[0]), abs(sound[-1])) < 0.1 * np.abs(sound).max(), clip_id


class TestWhatMustNotBeLearnt:
    def test_loudness_is_independent_of_the_group(self, audible: pd.DataFrame) -> None:
        loudness = audible.assign(loudness=[10 * np.log10((sound**2).mean()) for sound in audible["sound"]])
        by_speaker = loudness.groupby(["speaker_id", "group"])["loudness"].mean().reset_index()
        half = np.arange(len(by_speaker)) % 2 == 0
        centres = by_speaker[half].groupby("group")["loudness"].mean()
        others = by_speaker[~half]
        nearest = [(centres - value).abs().idxmin() for value in others["loudness"]]
        by_chance = 1 / len(GROUPS)
        assert (others["group"] == nearest).mean() < by_chance + 3 * np.sqrt(by_chance * (1 - by_chance) / len(others))
        assert centres.max() - centres.min() < 0.5

    def test_no_axis_of_the_cue_is_stronger_than_its_setting(self, everyone: pd.DataFrame) -> None:
        for axis, reach, jitter in (("u", 2.4, 1.0), ("v", 1.0, 0.4)):
            about = everyone[f"cue_{axis}"] - reach * everyone[f"lean_{axis}"]
            assert about.std() == pytest.approx(jitter, rel=0.15)
            assert (np.sign(everyone[f"cue_{axis}"]) != everyone[f"lean_{axis}"]).mean() < 0.02


class TestHowLargeItIs:
    def test_the_cohort_is_small(self) -> None:
        training = sum(file.stat().st_size for file in TRAINING.rglob("*") if file.is_file())
        whole = sum(file.stat().st_size for file in COHORT.rglob("*") if file.is_file())
        assert training < 14e6
        assert whole - training < 12e6
