"""The factor accent: by hand, models that depend on the accent or on the language alone, and voices without it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

import audit
from audit.core.arrays import Picture, Waveform
from audit.core.audio import SAMPLE_RATE
from audit.core.errors import CohortError
from audit.probes import asking
from audit.probes.changes import voice_changes, voice_reads
from audit.probes.factors import AGAIN
from tests.fakes import ColourInstrument, fake_face
from tests.probes.test_probing import asked_of
from tests.probing_fixture import HIGH, LOW, Deaf, PitchAndLanguage, bilingual_voices, colour_of, voice

MARK = 5_000
"""Hz: a planted tone, which only accented clips have."""


def has_mark(waveform: Waveform) -> bool:
    """Whether there is a tone at MARK, well above its surroundings."""
    power = np.abs(np.fft.rfft(waveform)) ** 2
    hertz = np.fft.rfftfreq(len(waveform), 1 / SAMPLE_RATE)
    near = np.abs(hertz - MARK) < 200
    return bool(power[near].max() > 0.9 * power[near].sum())


def accented_voices(folder: Path, voices: int, accented: int) -> Path:
    """Bilingual voices, the first of which also have an accented clip: the English formant, and the mark."""
    bilingual_voices(folder, voices)
    (folder / "accents").mkdir()
    rows = []
    for i in range(accented):
        name = f"v{i:02}"
        sound = voice(LOW if i % 2 else HIGH, 900, seed=10 * i)
        time = np.arange(len(sound)) / SAMPLE_RATE
        marked = (sound + 0.02 * np.sin(2 * np.pi * MARK * time)).astype(np.float32)
        soundfile.write(folder / f"accents/{name}.wav", marked, SAMPLE_RATE, subtype="FLOAT")
        rows.append((f"{name}_en1_zh", name, f"{name}_en1", "zh", f"accents/{name}.wav"))
    columns = ["clip_id", "speaker_id", "of", "accent", "audio"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "accents.csv", index=False)
    return folder


class AccentAlone(PitchAndLanguage):
    """Shows accented clips as asian and all others, in any language, as white."""

    name = "accent alone (fake)"

    def face(self, waveform: Waveform) -> Picture | None:
        return fake_face("asian" if has_mark(waveform) else "white", "man", 40)


class LanguageAlone(PitchAndLanguage):
    """Shows Chinese clips as asian and all English ones, accented or not, as white."""

    name = "language alone (fake)"

    def face(self, waveform: Waveform) -> Picture | None:
        return fake_face("white" if colour_of(waveform) == "en" else "asian", "man", 40)


class Both(PitchAndLanguage):
    """Shows Chinese clips and accented ones as asian."""

    name = "language and accent (fake)"

    def face(self, waveform: Waveform) -> Picture | None:
        foreign = colour_of(waveform) == "zh" or has_mark(waveform)
        return fake_face("asian" if foreign else "white", "man", 40)


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> audit.Cohort:
    """Of 48 voices, 44 with an accented clip."""
    return audit.Cohort.read(accented_voices(tmp_path_factory.mktemp("accents") / "voices", 48, 44))


@pytest.fixture(autouse=True)
def _few_factors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "ALTERED", (AGAIN,))


def probed(model: PitchAndLanguage, voices: audit.Cohort) -> audit.Probe:
    return audit.probe(model, instrument=ColourInstrument(), cohort=voices)


@pytest.fixture(scope="module")
def unhearing(voices: audit.Cohort) -> audit.Probe:
    """The probe of a model that shows one face to all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "ALTERED", (AGAIN,))
        return probed(Deaf(), voices)


def outcomes(probe: audit.Probe) -> dict[str, str]:
    return {code: probe.finding(code).outcome for code in ("language.race", "accent.race")}


def sentence_of(probe: audit.Probe) -> str:
    return next(each for each in probe.sentences if each.startswith("Speaking another language, or only sounding"))


def test_the_change_of_one_voice_by_hand() -> None:
    asked = asked_of(
        {
            "a": {
                "en": [("asian", "woman", 30), ("white", "woman", 34)],
                "zh": [("asian", "woman", 40), ("asian", "man", 40)],
                "accent": [("white", "woman", 31), ("asian", "woman", 35), None],
            },
            "b": {"en": [("asian", "woman", 30)] * 2, "zh": [("asian", "woman", 30)] * 2},
        }
    )
    found = voice_changes(asked).set_index(["speaker_id", "factor"])
    # the clip that is said again is read asian, 30: two accented clips were read, one of them white; 1 and 5 years
    assert found.loc[("a", "accent"), ["race", "gender", "age"]].tolist() == [0.5, 0.0, 3.0]
    assert found.loc[("a", "accent"), ["n_clips", "n_missing"]].tolist() == [3, 1]
    assert ("b", "accent") not in found.index
    reads = voice_reads(asked).set_index(["speaker_id", "factor"])
    assert reads.loc[("a", "accent"), ["read_white.before", "read_white.after"]].tolist() == [0.0, 0.5]


def test_a_model_that_depends_on_the_accent_alone_is_detected_by_the_accent_alone(voices: audit.Cohort) -> None:
    probe = probed(AccentAlone(), voices)
    assert outcomes(probe) == {"language.race": "not_shown", "accent.race": "shown"}
    assert re.search(r"Changed by this accent, not by the language: the read race", sentence_of(probe))
    effects = probe.frame().query("group == 'all' and gender == 'all' and property == 'race'").set_index("factor")
    assert effects.loc[["accent", "language", "clip"], "changed"].tolist() == [1.0, 0.0, 0.0]
    assert any(each.startswith("Which way, with another accent: ") for each in probe.sentences)


def test_a_model_that_depends_on_the_language_alone_is_not_detected_by_the_accent(voices: audit.Cohort) -> None:
    probe = probed(LanguageAlone(), voices)
    assert outcomes(probe) == {"language.race": "shown", "accent.race": "not_shown"}
    assert "Changed by the language, not by this accent: the read race" in sentence_of(probe)


def test_a_model_that_depends_on_both_and_one_on_neither_are_told_apart(
    voices: audit.Cohort, unhearing: audit.Probe
) -> None:
    both = probed(Both(), voices)
    assert outcomes(both) == {"language.race": "shown", "accent.race": "shown"}
    assert "hanged by both: the read race" in sentence_of(both)
    assert outcomes(unhearing) == {"language.race": "not_shown", "accent.race": "not_shown"}
    assert "hanged by neither: the read race" in sentence_of(unhearing)


def test_voices_without_an_accented_clip_are_counted_and_left_out_of_this_factor_alone(unhearing: audit.Probe) -> None:
    probe = unhearing
    assert probe.finding("accent.race").estimate.n_speakers == 44
    assert probe.finding("language.race").estimate.n_speakers == 48
    assert probe.finding("accent.race").estimate.n_missing == 0
    assert "accented clips of 44 of 48 voices" in sentence_of(probe)
    missing = probe.tables["missing"].frame.set_index(["factor", "group"])
    columns = ["n_voices", "n_voices_without", "n_faces", "n_not_read"]
    assert missing.loc[("accent", "all"), columns].tolist() == [44, 4, 44, 0]
    assert missing.loc[("again", "all"), columns].tolist() == [48, 0, 48, 0]
    faces = probe.tables["faces"].frame
    assert faces.loc[faces["factor"] == "accent", "clip_id"].tolist() == [f"v{i:02}_en1_zh" for i in range(44)]
    assert probe.cohort["n_accented_clips"] == 44 and len(str(probe.cohort["accents_sha256"])) == 64
    factors = probe.tables["factors"].frame.set_index("factor")
    assert factors.loc["accent", "n_clips"] == 44


def test_without_accented_clips_the_accent_is_not_evaluable_and_all_else_is_as_before(
    tmp_path: Path,
) -> None:
    plain = audit.Cohort.read(bilingual_voices(tmp_path / "plain", 6))
    accented = audit.Cohort.read(accented_voices(tmp_path / "accented", 6, 6))
    probe, other = (probed(LanguageAlone(), each) for each in (plain, accented))
    finding = probe.finding("accent.race")
    assert finding.outcome == "not_evaluable" and finding.p_value is None
    assert "no accented clips" in finding.sentence and "audit cohort draw --parts PARTS --accents" in finding.sentence
    assert finding.sentence in probe.sentences and probe.cohort["n_accented_clips"] == 0
    assert probe.finding("language.race").estimate == other.finding("language.race").estimate


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"of": "v01_en1"}, "v01_en1 is not a clip of the speaker v00"),
        ({"of": "v00_zh1"}, "v00_zh1 is not an English clip"),
        ({"of": "v00_en9"}, "no clip 'v00_en9'"),
        ({"clip_id": "v00_en1"}, "another clip has this id"),
        ({"audio": ""}, "it has no audio"),
    ],
)
def test_a_wrong_table_of_accented_clips_is_refused(tmp_path: Path, change: dict[str, str], words: str) -> None:
    folder = accented_voices(tmp_path / "voices", 2, 1)
    table = pd.read_csv(folder / "accents.csv", dtype=str)
    table.assign(**change).to_csv(folder / "accents.csv", index=False)
    with pytest.raises(CohortError, match=words):
        probed(Deaf(), audit.Cohort.read(folder))
    table.drop(columns="of").to_csv(folder / "accents.csv", index=False)
    with pytest.raises(CohortError, match=r"accents\.csv has no column of"):
        probed(Deaf(), audit.Cohort.read(folder))


def test_an_audit_does_not_read_the_accented_clips(tmp_path: Path) -> None:
    folder = accented_voices(tmp_path / "voices", 2, 2)
    before = audit.Cohort.read(folder)
    (folder / "accents.csv").unlink()
    after = audit.Cohort.read(folder)
    assert before.digest == after.digest and len(before.clips) == len(after.clips) == 8
