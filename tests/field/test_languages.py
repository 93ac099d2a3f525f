"""Language codes as people write them: one language is one code, whatever it was called."""

from __future__ import annotations

import string
import subprocess
import sys
from pathlib import Path

import langcodes
import pytest

import audit
from audit.audits.cohort_check import check_cohort
from audit.core.languages import (
    NO_LANGUAGE,
    REPLACED,
    UNDETERMINED,
    canonical_language,
    is_language,
    language_of,
    same_language,
)
from audit.release.sections import Stratum
from audit.training import TrainPlan

CANONICAL = {
    "eng": "en", "cmn": "zh", "zho": "zh", "chi": "zh", "fre": "fr", "deu": "de", "ger": "de",  # ISO 639-2 and 639-3
    "iw": "he", "in": "id", "ji": "yi", "mo": "ro", "sh": "sr-Latn",  # deprecated
    "arb": "ar", "swh": "sw", "pes": "fa", "ekk": "et", "npi": "ne", "zsm": "ms",  # of a macrolanguage
    "no": "nb", "nor": "nb", "no-NO": "nb-NO", "nob": "nb", "nno": "nn",
    "zh-yue": "yue", "zh-cmn-Hans-CN": "zh-Hans-CN", "cmn-Hant-TW": "zh-Hant-TW", "zh-min-nan": "nan",  # extlangs
    "zh-HK": "yue", "zh-Hant-HK": "yue", "yue-HK": "yue", "zh-yue-HK": "yue", "cmn-HK": "zh",
    "en-GB-oed": "en-GB-oxendict", "i-klingon": "tlh", "sgn-BE-FR": "sfb", "art-lojban": "jbo",  # grandfathered
    "EN": "en", "en-gb": "en-GB", "ZH-hant-tw": "zh-Hant-TW",
    "en": "en", "zh": "zh", "zh-TW": "zh-TW", "yue": "yue", "arz": "arz", "de-DE-1901": "de-DE-1901", "qaa": "qaa",
    "und": "und", "mul": "und", "zxx": "und", "und-Latn": "und",
}  # fmt: skip


@pytest.mark.parametrize(("code", "canonical"), CANONICAL.items())
def test_a_code_has_one_canonical_form(code: str, canonical: str) -> None:
    assert is_language(code)
    assert canonical_language(code) == canonical == canonical_language(canonical)


@pytest.mark.parametrize(
    "text", ["", "e", "English", "en_US", "my_folder", "klingon-", "x-en", "en-", "abcd", "en--GB"]
)
def test_other_texts_are_no_codes(text: str) -> None:
    assert not is_language(text)
    with pytest.raises(ValueError, match="is not a BCP-47 code, such as en or zh-TW"):
        canonical_language(text)


def test_codes_of_two_letters_that_are_replaced_are_listed() -> None:
    letters = string.ascii_lowercase
    codes = [one + other for one in letters for other in letters]
    replaced = {code for code in codes if langcodes.standardize_tag(code, macro=True) != code}
    assert replaced | {"no"} == REPLACED


def test_the_same_language() -> None:
    same = [
        ("en", "eng"),
        ("en-GB", "en-US"),
        ("cmn", "zh"),
        ("zh-HK", "yue"),
        ("iw", "he"),
        ("no", "nb"),
        ("sh", "sr"),
    ]
    assert all(same_language(*pair) for pair in same)
    different = [("zh", "yue"), ("zh", "zh-HK"), ("nb", "nn"), ("en", "und"), ("cmn", "nan"), ("ar", "arz")]
    assert not any(same_language(*pair) for pair in different)
    assert not any(same_language(code, code) for code in NO_LANGUAGE)
    assert language_of("zh-cmn-Hans-CN") == "zh" and language_of("mul") == UNDETERMINED


def test_common_codes_need_no_import_of_langcodes() -> None:
    code = (
        "import sys, audit.cli; from audit.core.languages import same_language, is_language; "
        "same_language('en', 'zh'), is_language('en-GB'); print('langcodes' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


TRUTH = {
    "groups": ["asian", "white"],
    "speakers_per_group": 60,
    "clips_per_language": 2,
    "icc": 0.3,
}


def simulated(languages: list[str], rendered: str) -> audit.Run:
    return audit.simulate(TRUTH | {"languages": languages, "rendered": {"asian": {rendered: {"white": 0.6}}}}, seed=0)


def test_b_eng_is_english() -> None:
    run, clean = simulated(["eng", "zh"], "eng"), simulated(["en", "zh"], "en")
    assert run.digest == clean.digest and set(run.observations["language"]) == {"en", "zh"}
    result = audit.measure(run, with_tables=False)
    assert result.finding("S2F001").outcome == "shown"
    effect = result.finding("S2F001").estimates["language_effect"].value
    assert effect is not None and effect > 0.3


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [("zh", "cmn", "zh"), ("zh-HK", "yue", "yue"), ("iw", "he", "he"), ("en", "eng", "en")],
    ids=["c", "d", "j", "eng"],
)
def test_one_language_under_two_codes_is_not_two_languages(one: str, other: str, language: str) -> None:
    with pytest.raises(audit.AuditError, match=f"{one} and {other} are the same language, {language}"):
        simulated([one, other], one)


def write_cohort(folder: Path, languages: list[str], native: str = "cmn") -> Path:
    folder.mkdir()
    (folder / "speakers.csv").write_text(f"speaker_id,group,native_language\ns1,asian,{native}\n")
    rows = [f"c{i},s1,{i}.wav,{language}" for i, language in enumerate(languages)]
    (folder / "clips.csv").write_text("\n".join(["clip_id,speaker_id,audio,language", *rows]) + "\n")
    return folder


def test_a_cohort_has_canonical_codes_and_keeps_those_given(tmp_path: Path) -> None:
    cohort = audit.Cohort.read(write_cohort(tmp_path / "C", ["en", "eng", "zh-HK", "yue", "mul", "eng"]))
    assert list(cohort.clips["language"]) == ["en", "en", "yue", "yue", "und", "en"]
    assert list(cohort.clips["language_given"]) == ["", "eng", "zh-HK", "", "mul", "eng"]
    assert list(cohort.speakers["native_language"]) == ["zh"]
    assert list(cohort.speakers["native_language_given"]) == ["cmn"]
    assert cohort.set_aside == (
        "The native language of 1 speakers was given by another code than the canonical one: cmn is read as zh (1).",
        "The language of 4 clips was given by another code than the canonical one: eng is read as en (2), "
        "mul is read as und (1, no language), zh-HK is read as yue (1).",
    )
    assert cohort.set_aside[1] in check_cohort(cohort).notes


def test_a_cohort_of_canonical_codes_has_no_further_column(tmp_path: Path) -> None:
    cohort = audit.Cohort.read(write_cohort(tmp_path / "C", ["en", "zh-TW"], native=""))
    assert not {"language_given", "native_language_given"} & {*cohort.clips, *cohort.speakers}
    assert cohort.set_aside == ()


def test_an_import_joins_the_codes_of_one_language(tmp_path: Path) -> None:
    root = tmp_path / "calls"
    root.mkdir()
    for i in range(3):
        (root / f"{i}.wav").write_bytes(b"")
    (root / "labels.csv").write_text(
        "audio,speaker_id,language,language_source\n0.wav,s,zh-HK,annotator\n1.wav,s,zh-yue,annotator\n2.wav,s,,\n"
    )
    cohort, remarks = audit.import_cohort("folder", root, tmp_path / "C", language="eng", clips_per_speaker=1)
    assert sorted(cohort.clips["language"]) == ["en", "yue"]
    assert any("is read as yue (1)" in remark for remark in remarks)
    assert any("is assumed to be en" in remark for remark in remarks)
    again = audit.Cohort.read(tmp_path / "C")
    assert again.digest == cohort.digest and again.set_aside == cohort.set_aside


def test_plans_and_policies_have_canonical_codes() -> None:
    stages = "[faces]\nsteps=1\n[voices]\nsteps=1\n"
    plan = TrainPlan.parse('name="x"\ncoverage={asian={eng=0.5,"zh-HK"=1,other=0}}\n' + stages)
    assert plan.coverage == {"asian": {"en": 0.5, "yue": 1.0, "other": 0.0}}
    with pytest.raises(audit.AuditError, match="he is he, which has another share"):
        TrainPlan.parse('name="x"\ncoverage={asian={iw=0.5,he=1}}\n' + stages)
    assert Stratum(group="asian", language="cmn").language == "zh"
