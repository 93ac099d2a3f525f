"""English names of languages, for reports."""

from __future__ import annotations

from typing import Final

from audit.core.clean_text import clean

_LANGUAGES: Final = {
    "ar": "Arabic", "bn": "Bengali", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "fa": "Persian", "fi": "Finnish", "fil": "Filipino", "fr": "French", "he": "Hebrew", "hi": "Hindi",
    "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "ms": "Malay",
    "nb": "Norwegian", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian",
    "sv": "Swedish", "sw": "Swahili", "ta": "Tamil", "th": "Thai", "tr": "Turkish",
    "uk": "Ukrainian", "und": "language not known", "ur": "Urdu", "vi": "Vietnamese",
    "yue": "Cantonese", "zh": "Chinese",
}  # fmt: skip


def language_name(code: str) -> str:
    """The display name of a language: its English name, or its code if it is not a common one.

    Examples
    --------
    >>> language_name("zh"), language_name("en-GB"), language_name("qaa"), language_name("all")
    ('Chinese', 'English (en-GB)', 'qaa', 'all languages')
    """
    if code == "all":
        return "all languages"
    name = _LANGUAGES.get(code.split("-", maxsplit=1)[0])
    if name is None:
        return clean(code)
    return name if "-" not in code else f"{name} ({clean(code)})"
