"""Crude accents: which English phonemes become which, and that all are symbols of the other language."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import soundfile

import audit
from audit.cohorts.accented_clips import read_accented_clips
from audit.cohorts.drawing import kokoro
from audit.cohorts.drawing.accents import ACCENTS, accented
from audit.cohorts.drawing.sentences import sentences
from audit.core.errors import AuditError
from tests.cohorts.drawing.test_synthesised import PARTS

ENGLISH = "AIOWYTbdfhijklmnpstuvwzæðŋɑɔəɛɜɡɪɹʃʊʌʒʤʧθᵊᵻ"
"""The phonemes of the 128 English sentences, and ʒ."""
INVENTORIES = {
    "zh": "aefijklmnopstuwxyŋɕəɚɛɤɥɨɻʂʊʦʨʰꭧ",
    "es": "AIWabdefijklmnoprstuwxðŋɛɡɣɪɲɾʎʝʤʧβθ",
    "hi": "abcdefhijklmnoprstuzŋɔɖɛɟɡɪɳɾʃʈʊʋʌʰː",
}
"""What the phonemisers give for sentences of these languages; all in the synthesiser's vocabulary."""


@pytest.mark.parametrize("accent", sorted(ACCENTS))
def test_every_phoneme_becomes_one_of_the_other_language(accent: str) -> None:
    for symbol in ENGLISH:
        for text in (symbol, f"ˈɑ{symbol}ˈɑ", f"s{symbol}", f"{symbol}i", f"ɑ{symbol}."):
            rest = set(accented(text, accent)) - set(INVENTORIES[accent]) - set("ˈ.")
            assert not rest, (text, accented(text, accent))


@pytest.mark.parametrize("accent", sorted(ACCENTS))
def test_words_stress_and_punctuation_stay(accent: str) -> None:
    text = "pˌʊt ðɪ ˈʌniənz ɪn fˈɜɹst, ðˈɛn ˈæd ə lˈɪTᵊl sˈɔlt."
    kept = [re.sub(r"[^ ˈˌ,.]", "", each) for each in (text, accented(text, accent))]
    assert kept[0] == kept[1]


@pytest.mark.parametrize(
    ("accent", "english", "expected"),
    [
        ("zh", "θˈɪŋk", "sˈiŋ"),  # θ is s; no stop ends a cluster
        ("zh", "bˈæd", "pˈɛtɤ"),  # b is unaspirated p; a vowel follows the last stop
        ("zh", "tˈOst", "tʰˈous"),  # t is aspirated
        ("zh", "spˈIs", "spˈais"),  # but not after s
        ("zh", "ʃˈip", "ɕˈip"),  # alveolo-palatal before i
        ("zh", "ʃˈu", "ʂˈu"),  # retroflex elsewhere
        ("es", "stˈɑp", "estˈap"),  # no word begins with s and a consonant
        ("es", "vˈɛɹi", "bˈeɾi"),  # v is b
        ("es", "ˈOvəɹ", "ˈoβeɾ"),  # an approximant between vowels
        ("es", "ɹˈɛd", "rˈed"),  # the trill begins a word
        ("hi", "tˈɑt", "ʈˈaːʈ"),  # retroflex
        ("hi", "wˈɛst", "ʋˈeːsʈ"),  # w is ʋ
        ("hi", "ðə", "dʌ"),  # ð is a dental stop
    ],
)
def test_a_phoneme_becomes_its_nearest(accent: str, english: str, expected: str) -> None:
    assert accented(english, accent) == expected


def test_every_rule_has_a_reason_and_is_reached() -> None:
    for accent, rules in ACCENTS.items():
        assert all(rule.reason for rule in rules)
        assert max(Counter(rule.english for rule in rules).values()) == 1, accent


def test_an_unknown_accent_is_refused() -> None:
    with pytest.raises(AuditError, match="zh, es, hi"):
        accented("ðə", "fr")


@pytest.fixture(scope="module")
def embedded() -> audit.Cohort:
    return audit.Cohort.read(audit.embedded("synthetic_bilingual"))


@pytest.fixture(scope="module")
def clips(embedded: audit.Cohort) -> pd.DataFrame:
    """The accented clips of the embedded cohort with their speakers."""
    return read_accented_clips(embedded).merge(embedded.speakers, on="speaker_id")


class TestEmbeddedAccents:
    def test_one_voice_of_each_group_sex_language_and_kind_has_its_own_accent(self, clips: pd.DataFrame) -> None:
        assert len(clips) == clips["speaker_id"].nunique() == 32
        assert (clips["accent"] == clips["other_language"]).all()
        assert set(clips.groupby(["group", "gender", "accent", "unseen_voice"]).size()) == {1}

    def test_it_is_the_first_english_clip_with_another_sound(self, embedded: audit.Cohort, clips: pd.DataFrame) -> None:
        assert (clips["of"] == clips["speaker_id"] + "_en1").all()
        for row in clips.itertuples():
            sound, rate = soundfile.read(embedded.root / row.audio)
            base, _ = soundfile.read(embedded.root / "audio" / f"{row.of}.ogg")
            assert rate == 16_000 and sound.shape == base.shape == (96_000,)
            assert 0.05 < abs(sound).max() < 0.95
            assert abs((sound * base).sum()) < 0.5 * (base**2).sum(), row.clip_id
        assert sum(path.stat().st_size for path in (embedded.root / "accents").iterdir()) < 500_000


@pytest.mark.skipif(PARTS is None, reason="the synthesiser's parts (AUDIT_SYNTHESISER_PARTS) are not on this machine")
def test_the_synthesiser_has_every_symbol() -> None:
    pytest.importorskip("misaki")
    assert PARTS is not None
    vocabulary = set(kokoro.read_parts(Path(PARTS))[1])
    for accent, inventory in INVENTORIES.items():
        assert set(inventory) <= vocabulary
        for text in sentences("en"):
            english = kokoro.phonemes(text, "en")
            assert set(english) <= set(ENGLISH + "ˈˌ ,.") and set(accented(english, accent)) <= vocabulary
