"""The table of drawn speakers: balance, and nobody of the training part."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import audit
from audit.cohorts.drawing.derived import SEMITONES, TRACT, Derived
from audit.cohorts.drawing.sentences import sentence_names, sentence_split, sentences_of
from audit.cohorts.drawing.speakers import people, voice_pools
from audit.cohorts.drawing.speech import Speech, source_voice
from audit.cohorts.drawing.synthesised import APART, Synthesised, script
from audit.core.clusters import Clusters

EMBEDDED = audit.embedded("synthetic_bilingual")
SPEECH: dict[str, Speech] = {"derived": Derived(), "synthesised": Synthesised(EMBEDDED / "no parts are needed here")}
CELL = ["group", "gender", "other_language", "unseen_voice"]


def embedded(part: str) -> pd.DataFrame:
    return pd.read_csv(EMBEDDED / part / "speakers.csv", keep_default_na=False)


@pytest.fixture(params=SPEECH)
def table(request: pytest.FixtureRequest) -> pd.DataFrame:
    return people("key", 48, SPEECH[request.param].voices)


class TestBalance:
    def test_group_sex_language_and_unseen_voices_are_crossed(self, table: pd.DataFrame) -> None:
        assert table.groupby(CELL).size().tolist() == [6] * 4 * 2 * 2 * 2

    @pytest.mark.parametrize("per_group", [2, 4, 6, 10])
    def test_every_group_has_the_same_speakers_at_any_even_number(self, per_group: int) -> None:
        table = people("key", per_group, Derived().voices)
        counts = table.groupby(CELL).size().unstack("group", fill_value=0)
        assert (counts.nunique(axis=1) == 1).all()
        assert table.groupby(["group", "gender"]).size().tolist() == [per_group // 2] * 8
        balance = table.groupby("group")["other_language"].value_counts().unstack()
        assert (balance["zh"] == balance["es"]).all()

    def test_one_other_language_is_that_of_everybody(self) -> None:
        assert set(people("key", 4, Derived().voices, others=("es",))["other_language"]) == {"es"}

    def test_ages_are_adult_and_equal_in_the_groups(self, table: pd.DataFrame) -> None:
        assert table["age"].between(18, 75).all()
        assert table.groupby("group")["age"].mean().sub(46.5).abs().max() < 2

    def test_source_voices_are_as_frequent_in_each_group(self, table: pd.DataFrame) -> None:
        voice = table.apply(source_voice, axis=1)
        pair = table["voice_a"] + table["voice_b"]
        source, within = (voice, ["other_language"]) if "source_speaker" in table else (pair, [])
        counts = table.groupby(["gender", "unseen_voice", *within, source.rename("source"), "group"]).size().unstack()
        counts = counts.fillna(0)
        assert (counts.max(axis=1) - counts.min(axis=1)).max() <= 1

    def test_ids_do_not_tell_the_group(self, table: pd.DataFrame) -> None:
        assert table["speaker_id"].is_monotonic_increasing and table["speaker_id"].is_unique
        assert sum(one != other for one, other in pairwise(table["group"])) > 100

    @pytest.mark.parametrize("per_group", [8, 48, 200])
    @pytest.mark.parametrize("name", SPEECH)
    def test_clusters_are_many_and_cause_no_warning(self, per_group: int, name: str) -> None:
        table = people("key", per_group, SPEECH[name].voices)
        voices = [source_voice(row) for row in table.to_dict("records")]
        found = Clusters.of(table[["speaker_id"]].assign(cluster=voices))
        assert found.n_clusters >= (20 if per_group == 8 else 40)
        assert not found.warning


class TestNobodyOfTheTrainingPart:
    def test_synthesised_voices_blend_no_pair_of_a_training_speaker(self) -> None:
        table = people("key", 200, SPEECH["synthesised"].voices)
        training = embedded("training").query("split == 'training'")
        taken = set(zip(training["voice_a"], training["voice_b"], strict=True))
        assert taken.isdisjoint(zip(table["voice_a"], table["voice_b"], strict=True))
        near = table.merge(pd.concat([embedded(""), embedded("training")]), on=["voice_a", "voice_b"])
        assert len(near) and (near["weight_a_x"] - near["weight_a_y"]).abs().min() >= APART - 1e-9
        assert table["weight_a"].between(0.25, 0.75).all()

    def test_unseen_voices_are_those_that_only_audited_speakers_blend(self, table: pd.DataFrame) -> None:
        for gender, pools in voice_pools().items():
            rows = table[table["gender"] == gender]
            for unseen, pool in ((True, "audited"), (False, "training")):
                blended = rows.loc[rows["unseen_voice"] == unseen, ["voice_a", "voice_b"]]
                assert set(np.ravel(blended)) <= set(pools[pool])

    def test_derived_voices_have_an_audited_source_of_the_same_sex_and_languages(self) -> None:
        table = people("key", 48, Derived().voices)
        both = table.merge(embedded(""), left_on="source_speaker", right_on="speaker_id", suffixes=("", "_of_source"))
        assert len(both) == len(table)
        for column in ("gender", "other_language", "unseen_voice", "voice_a", "voice_b", "weight_a"):
            assert (both[column] == both[f"{column}_of_source"]).all(), column
        assert (both["split_of_source"] == "audited").all()
        assert table["pitch_semitones"].abs().max() <= SEMITONES and (table["tract_length"] - 1).abs().max() <= TRACT

    def test_no_sentence_of_a_training_or_validation_speaker_is_offered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("audit.cohorts.drawing.kokoro.phonemes", lambda text, language: text)
        said = pd.read_csv(EMBEDDED / "training" / "clips.csv")["sentences"].str.split().explode()
        for row in people("key", 8, SPEECH["synthesised"].voices).to_dict("records"):
            clips = script(row, "audited", ("en", row["other_language"]), 6, "key")  # type: ignore[arg-type]
            offered = [sentence_names(clip.language, [number]) for clip in clips for number in clip.sentences]
            assert len(offered) == len({*offered}) == 2 * 48
            assert set(offered).isdisjoint(said)

    def test_sentences_are_divided_three_four_one(self) -> None:
        assert [len(sentences_of(split, "en")) for split in ("audited", "training", "validation")] == [48, 64, 16]
        assert {sentence_split(number) for number in sentences_of("audited", "zh")} == {"audited"}
