"""Crude accents: the phonemes of an English sentence mapped to the nearest ones of another language.

The mapping is of segments only. Stress marks, words and punctuation stay, so the synthesiser keeps English rhythm and
melody. It is a caricature with one outcome for every phoneme; real speakers vary, and most substitute less.

Inventories are the symbols that the phonemiser of each language gives (misaki for Chinese, espeak-ng for Spanish and
Hindi), all of which are in the synthesiser's vocabulary. The reasons follow the usual descriptions of these languages
and of their speakers' English (Duanmu 2007 for Chinese, Hualde 2005 for Spanish, Ohala 1983 for Hindi; Swan and Smith
2001 for all). They were written from memory and not checked against the books.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from audit.core.errors import AuditError

_VOWEL: Final = "[AIOWYæɑɔəɛɜiɪuʊʌᵊᵻ]"
_CONSONANT: Final = "[Tbdfhjklmnpstvwzðŋɡɹʃʒʤʧθ]"
_END: Final = r"(?!\w)"
_START: Final = r"(?<!\w)"
_BEFORE_VOWEL: Final = f"(?=[ˈˌ]?{_VOWEL})"
_BEFORE_I: Final = "(?=[ˈˌ]?[iɪᵻ])"
_UNRELEASED: Final = f"(?![ˈˌ]?{_VOWEL}|[ɹlwj])"
_CODA_L: Final = f"l(?![ˈˌ]?{_VOWEL}|[jw])"
_BETWEEN_VOWELS: Final = (f"(?<={_VOWEL})", _BEFORE_VOWEL)


@dataclass(frozen=True)
class Rule:
    """English phonemes, a regular expression, and what they become.

    Attributes
    ----------
    english : str
        Pattern over the English phonemes of Kokoro's alphabet: A, I, O, W, Y are the diphthongs of face, price, goat,
        mouth and choice, T is the flap of water.
    becomes : str
        Symbols of the other language.
    reason : str
    """

    english: str
    becomes: str
    reason: str


def _between_vowels(symbol: str, becomes: str, reason: str) -> Rule:
    before, after = _BETWEEN_VOWELS
    return Rule(f"{before}{symbol}{after}", becomes, reason)


_NO_VOICE: Final = "stops differ in aspiration, not in voice"
_NO_FRICATIVE: Final = "no such fricative; the nearest consonant"
_RETROFLEX: Final = "alveolar stops are heard as retroflex"
_NO_LAX: Final = "no tense and lax pair"
_CLUSTER: Final = "no stop ends a cluster"

ACCENTS: Final[dict[str, tuple[Rule, ...]]] = {
    "zh": (
        Rule(f"(?<={_CONSONANT})[pbtdkɡ]{_END}", "", _CLUSTER),
        Rule(f"b{_END}", "pɤ", "no final stops; a vowel follows"),
        Rule(f"d{_END}", "tɤ", "no final stops; a vowel follows"),
        Rule(f"ɡ{_END}", "kɤ", "no final stops; a vowel follows"),
        Rule(f"(?<=s)p|p{_UNRELEASED}|b", "p", _NO_VOICE),
        Rule(f"(?<=s)t|t{_UNRELEASED}|d|T", "t", _NO_VOICE),
        Rule(f"(?<=s)k|k{_UNRELEASED}|ɡ", "k", _NO_VOICE),
        Rule("p", "pʰ", _NO_VOICE),
        Rule("t", "tʰ", _NO_VOICE),
        Rule("k", "kʰ", _NO_VOICE),
        Rule("θ", "s", _NO_FRICATIVE),
        Rule("ð", "t", _NO_FRICATIVE),
        Rule(f"v{_END}", "f", "no voiced fricatives"),
        Rule("v", "w", "no voiced fricatives; the glide is nearest"),
        Rule(f"z{_END}", "s", "no voiced fricatives"),
        Rule("z", "ʦ", "no voiced fricatives; pinyin z is nearest"),
        Rule(f"ʃ{_BEFORE_I}", "ɕ", "alveolo-palatal before i"),
        Rule("ʃ", "ʂ", "retroflex elsewhere"),
        Rule(f"ʧ{_BEFORE_I}", "ʨʰ", "alveolo-palatal before i"),
        Rule("ʧ", "ꭧʰ", "retroflex elsewhere"),
        Rule(f"ʤ{_BEFORE_I}", "ʨ", "alveolo-palatal before i"),
        Rule("ʤ", "ꭧ", "retroflex elsewhere"),
        Rule("ʒ", "ɻ", _NO_FRICATIVE),
        Rule("h", "x", "the velar fricative is nearest"),
        Rule(f"m{_END}", "n", "only n and ŋ end a syllable"),
        Rule("[əɜ]ɹɹ?", "ɚ", "the rhotic vowel"),
        Rule("ɹ", "ɻ", "the retroflex approximant"),
        Rule(f"ᵊ{_CODA_L}", "ou", "l does not end a syllable; vocalised"),
        Rule(_CODA_L, "u", "l does not end a syllable; vocalised"),
        Rule("[əᵊ](?=[nŋ])", "ə", "the vowel of en and eng"),
        Rule("[əɜᵊ]", "ɤ", "the mid vowel of an open syllable"),
        Rule("æ(?=[mnŋ])", "a", "the vowel of an and ang"),
        Rule("æ", "ɛ", "no such vowel"),
        Rule("[ʌɑ]", "a", "one low vowel"),
        Rule("ɔ", "o", "one mid back vowel"),
        Rule("[ɪᵻ]", "i", _NO_LAX),
        Rule("ʊ", "u", _NO_LAX),
        Rule("A", "ei", "the language's diphthong"),
        Rule("I", "ai", "the language's diphthong"),
        Rule("O", "ou", "the language's diphthong"),
        Rule("W", "au", "the language's diphthong"),
        Rule("Y", "oi", "no such diphthong; its two vowels"),
    ),
    "es": (
        Rule(f"(?<={_CONSONANT})[pbtdkɡ]{_END}", "", _CLUSTER),
        Rule(f"{_START}s(?=[ptkmnlwf])", "es", "no word begins with s and a consonant"),
        _between_vowels("[bv]", "β", "an approximant between vowels"),
        _between_vowels("[dð]", "ð", "an approximant between vowels"),
        _between_vowels("ɡ", "ɣ", "an approximant between vowels"),
        Rule("v", "b", "b and v are one phoneme"),
        Rule("ð", "d", "d and ð are one phoneme"),
        Rule("z", "s", "no voiced sibilant"),
        Rule("ʃ", "ʧ", _NO_FRICATIVE),
        Rule("[ʤʒ]", "ʝ", "the voiced palatal is nearest"),
        Rule(f"{_START}j", "ʝ", "a glide that begins a word is a consonant"),
        Rule("h", "x", "the velar fricative is nearest"),
        Rule("T", "ɾ", "the tap"),
        Rule(f"{_START}ɹ|(?<=[nls])ɹ", "r", "the trill begins a word, and follows n, l, s"),
        Rule("[əɜ]ɹɹ?", "eɾ", "no rhotic vowel; a vowel and the tap"),
        Rule("ɹ", "ɾ", "the tap"),
        Rule(f"[mŋ]{_END}", "n", "only n ends a word"),
        Rule("[əɜᵊ]", "e", "no central vowel"),
        Rule("[æʌɑ]", "a", "one low vowel"),
        Rule("ɔ", "o", "one mid back vowel"),
        Rule("ɛ", "e", "one mid front vowel"),
        Rule("[ɪᵻ]", "i", _NO_LAX),
        Rule("ʊ", "u", _NO_LAX),
        Rule("O", "o", "no such diphthong"),
        Rule("Y", "oi", "its two vowels"),
    ),
    "hi": (
        Rule("[tT]", "ʈ", _RETROFLEX),
        Rule("d", "ɖ", _RETROFLEX),
        Rule("θ", "tʰ", "the aspirated dental stop is nearest"),
        Rule("ð", "d", "the dental stop is nearest"),
        Rule("[vw]", "ʋ", "v and w are one phoneme"),
        Rule("ʧ", "c", "the phonemiser's symbol of the palatal affricate"),
        Rule("ʤ", "ɟ", "the phonemiser's symbol of the palatal affricate"),
        Rule("ʒ", "z", _NO_FRICATIVE),
        Rule("[əɜ]ɹɹ?", "ʌɾ", "no rhotic vowel; a vowel and the tap"),
        Rule("ɹ", "ɾ", "the tap"),
        Rule("[əɜᵊ]", "ʌ", "the short central vowel"),
        Rule("æ", "ɛː", "the long open front vowel"),
        Rule("ɑ", "aː", "the long low vowel"),
        Rule("ɔ", "ɔː", "the long open back vowel"),
        Rule("ɛ", "eː", "one mid front vowel"),
        Rule("i", "iː", "tense vowels are long"),
        Rule("u", "uː", "tense vowels are long"),
        Rule("ᵻ", "ɪ", "the short front vowel"),
        Rule("A", "eː", "a long vowel in place of the diphthong"),
        Rule("O", "oː", "a long vowel in place of the diphthong"),
        Rule("I", "aːɪ", "its two vowels"),
        Rule("W", "aːʊ", "its two vowels"),
        Rule("Y", "ɔːɪ", "its two vowels"),
    ),
}
"""Rules by accent, in order: the first that matches at a place applies. Phonemes without a rule exist in both."""


def accented(phonemes: str, accent: str) -> str:
    """An English phoneme string in the phonemes of another language.

    Parameters
    ----------
    phonemes : str
        A sentence in Kokoro's alphabet, as :func:`audit.cohorts.drawing.kokoro.phonemes` gives it for English.
    accent : str
        Language of the accent: zh, es or hi.

    Raises
    ------
    AuditError
        If there is no such accent.

    Examples
    --------
    "The river is very hot", by three accents:

    >>> english = "ðə ɹˈɪvəɹ ɪz vˈɛɹi hˈɑt"
    >>> accented(english, "zh")
    'tɤ ɻˈiwɚ is wˈɛɻi xˈat'
    >>> accented(english, "es")
    'de rˈiβeɾ is bˈeɾi xˈat'
    >>> accented(english, "hi")
    'dʌ ɾˈɪʋʌɾ ɪz ʋˈeːɾiː hˈaːʈ'
    """
    if accent not in ACCENTS:
        raise AuditError(f"There is no accent {accent!r}.", ", ".join(ACCENTS))
    rules = ACCENTS[accent]
    return _pattern(accent).sub(lambda found: rules[int(str(found.lastgroup)[1:])].becomes, phonemes)


@cache
def _pattern(accent: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<r{i}>{rule.english})" for i, rule in enumerate(ACCENTS[accent])))
