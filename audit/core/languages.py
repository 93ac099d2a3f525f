"""Language codes: canonical BCP-47 tags, and which of them are the same language."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

UNDETERMINED: Final = "und"
"""BCP-47 tag of an undetermined language."""
NO_LANGUAGE: Final = frozenset({UNDETERMINED, "mul", "zxx"})
"""Codes that are no evidence of any language: undetermined, several languages, no linguistic content."""

_COMMON = re.compile(r"[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|[0-9]{3}))?", re.IGNORECASE)
"""Language, script and region, as almost all codes are; they are well formed."""
_OTHER = re.compile(r"([a-z]{2,3}|i)(-[a-z0-9]{1,8})+", re.IGNORECASE)
"""Tags that may be well formed: with extlangs, variants, extensions or private use, or grandfathered."""
_PLAIN = re.compile(r"[a-z]{2}")
REPLACED: Final = frozenset({"bh", "in", "iw", "ji", "jw", "mo", "no", "sh", "tl", "tw"})
"""The codes of two letters that have a canonical replacement; all others are canonical."""
_FURTHER: Final = {"no": "nb", "zsm": "ms"}
"""Individual languages and their macrolanguage that langcodes does not join; ``no`` in practice is Bokmål."""


def is_language(code: str) -> bool:
    """Whether ``code`` is well formed as a BCP-47 tag (RFC 5646), grandfathered tags included.

    Examples
    --------
    >>> is_language("zh-Hant-TW"), is_language("zh-min-nan"), is_language("English")
    (True, True, False)
    """
    if _COMMON.fullmatch(code):
        return True
    try:
        canonical_language(code)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4096)
def canonical_language(code: str) -> str:
    """The canonical BCP-47 tag of a language code.

    By the registry of language tags and CLDR, as `langcodes <https://github.com/georgkrause/langcodes>`_ has them:
    deprecated codes (``iw``), ISO 639-2 and 639-3 codes (``fre``, ``eng``), extlangs (``zh-yue``) and grandfathered
    tags (``zh-min-nan``) are replaced, and a most common language has its macrolanguage's code (``cmn`` is ``zh``).
    Chinese of Hong Kong is Cantonese (``yue``), as its speech is. Codes that are no evidence of a language
    (:data:`NO_LANGUAGE`) are ``und``.

    Raises
    ------
    ValueError
        If the code is not well formed.

    Examples
    --------
    >>> [canonical_language(code) for code in ("eng", "iw", "cmn-Hans-CN", "zh-yue", "zh-HK", "no", "mul", "en-gb")]
    ['en', 'he', 'zh-Hans-CN', 'yue', 'yue', 'nb', 'und', 'en-GB']
    """
    if _PLAIN.fullmatch(code) and code not in REPLACED:
        return code  # langcodes takes a tenth of a second to import, and most cohorts have only such codes
    import langcodes

    try:
        if not (_COMMON.fullmatch(code) or _OTHER.fullmatch(code)):
            raise ValueError("neither a language code nor a grandfathered tag")
        tag = langcodes.standardize_tag(code)
        language, *rest = langcodes.standardize_tag(tag, macro=True).split("-")
    except ValueError as error:
        raise ValueError(f"{code!r} is not a BCP-47 code, such as en or zh-TW") from error
    if language in NO_LANGUAGE:
        return UNDETERMINED
    of_hong_kong = language == "zh" and "HK" in rest
    if of_hong_kong:
        language = "yue" if tag.startswith("zh") else "zh"
    if of_hong_kong or language == "yue":
        rest = [part for part in rest if part not in ("HK", "Hant")]  # the most likely region and script of yue
    found = "-".join([_FURTHER.get(language, language), *rest])
    return found if found == code else canonical_language(found)  # cmn-yue is zh-yue is yue


def language_of(code: str) -> str:
    """The language of a code without script, region and variants, such as ``en`` for ``en-GB``.

    Examples
    --------
    >>> language_of("en-GB"), language_of("zh-cmn-Hans-CN"), language_of("zh-HK")
    ('en', 'zh', 'yue')
    """
    return canonical_language(code).split("-", maxsplit=1)[0]


def same_language(one: str, other: str) -> bool:
    """Whether two codes have the same language, ignoring script and region; an undetermined language has no same one.

    Examples
    --------
    >>> same_language("en-GB", "eng"), same_language("zh-HK", "yue"), same_language("zh", "yue")
    (True, True, False)
    >>> same_language("und", "und")
    False
    """
    return language_of(one) == language_of(other) != UNDETERMINED
