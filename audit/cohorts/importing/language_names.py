"""Language codes of the English names by which data sets call languages."""

from __future__ import annotations

import re
from typing import Final

import pandas as pd

from audit.cohorts.importing.adapter import counted
from audit.cohorts.importing.scanning import named
from audit.core.languages import UNDETERMINED

_NAMES: Final = """
af afrikaans; sq albanian; am amharic; ar arabic; hy armenian; az azerbaijani; bm bambara; eu basque; be belarusian;
bn bengali; bs bosnian; bg bulgarian; my burmese; yue cantonese; ca catalan; ceb cebuano; zh mandarin, chinese; hr
croatian; cs czech; da danish; fa-AF dari; nl dutch; en english; et estonian; ee ewe; fa farsi, persian; fi finnish;
fr french; lg ganda; ka georgian; de german; el greek; gu gujarati; ht haitian creole french; ha hausa; he hebrew; hi
hindi; hmn hmong; hu hungarian; is icelandic; ig igbo; ilo ilocano; id indonesian; it italian; ja japanese; jv
javanese; kn kannada; kk kazakh; km khmer; ki kikuyu; ko korean; ku kurdish; ky kyrgyz; lo lao; lv latvian; lt
lithuanian; mk macedonian; ms malay; ml malayalam; mt maltese; mr marathi; miq miskito; mn mongolian; ne nepali; nb
norwegian; or oriya; om oromo; ps pashto; pl polish; pt portuguese; pa punjabi; qu quechua; ro romanian; ru russian;
sr serbian; sd sindhi; si sinhala, sinhalese; sk slovak; sl slovenian; so somali; es spanish; sw swahili; sv swedish;
fil tagalog, filipino; nan taiwanese; ta tamil; te telugu; th thai; bo tibetan; ti tigrigna; tr turkish; ak twi; uk
ukrainian; ur urdu; ug uyghur; uz uzbek; vi vietnamese; wo wolof; wuu wu; xh xhosa; yi yiddish; yo yoruba; zu zulu
"""
CODES: Final = {
    name.strip(): code
    for code, names in (entry.strip().split(" ", 1) for entry in _NAMES.replace("\n", " ").split(";"))
    for name in names.split(",")
}
"""BCP-47 codes by English name, for the languages that data sets of speech state most often."""


def code_of(name: str) -> str:
    """The BCP-47 code of a language's English name; ``und`` if it is not in :data:`CODES`.

    Case and what is in parentheses are ignored.

    Examples
    --------
    >>> code_of("Mandarin"), code_of("english (united states)"), code_of("chaldean"), code_of("")
    ('zh', 'en', 'und', 'und')
    """
    return CODES.get(re.sub(r"\(.*?\)", "", name).strip().lower(), UNDETERMINED)


def native_languages(stated: pd.Series) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The columns of speakers for stated native languages, and a remark on names without a code.

    Examples
    --------
    >>> native_languages(pd.Series(["korean", "bari"]))[0].values.tolist()
    [['ko', 'korean'], ['und', 'bari']]
    """
    codes = stated.map(code_of).astype(object)
    unnamed = stated[(codes == UNDETERMINED) & (stated != "")]
    remark = (
        f"The native language of {len(unnamed)} speakers has no code here and is und: {named(sorted(set(unnamed)))}. "
        "Column native_language_stated has the name."
    )
    return pd.DataFrame({"native_language": codes, "native_language_stated": stated}), counted((len(unnamed), remark))
