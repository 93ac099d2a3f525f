"""A probe's figures: hand-computed ones, models that hear one thing alone, and what is refused."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import audit
from audit.core.attributes import attributes
from audit.core.errors import CohortError, ModelError, RunError
from audit.core.sentences import p_words
from audit.probes import asking
from audit.probes.answers import findings
from audit.probes.asking import UNCHANGED, Asked, ask
from audit.probes.changes import properties_of, reads_of, voice_changes, voice_reads
from audit.probes.effects import effect_table, effects, read_table
from audit.probes.factors import AGAIN, ALTERED, TELEPHONE
from audit.probes.voices import bilingual, drawn
from audit.stats import Settings
from tests.fakes import ColourInstrument
from tests.probing_fixture import AfraidOfTelephones, Deaf, Drawing, PitchAndLanguage, bilingual_voices

PROPERTIES = properties_of(attributes())

Face = tuple[str, str, float]
"""What is read in a face: race, gender, age; its feature is the race's own axis."""


def asked_of(voices: dict[str, dict[str, list[Face | None]]], groups: dict[str, str] | None = None) -> Asked:
    """Hand-made faces: by voice, ``en`` and ``zh`` hold its own clips, every factor one face; ``None`` was not read."""
    rows, features = [], []
    for name, of in voices.items():
        for key, faces in of.items():
            for i, face in enumerate(faces):
                natural = key in ("en", "zh")
                rows.append(
                    {
                        "speaker_id": name,
                        "group": (groups or {}).get(name, "asian"),
                        "gender": "woman",
                        "language": key if natural else "en",
                        "clip_id": f"{name}_{key}{i}",
                        "factor": UNCHANGED if natural else key,
                        "of": f"{name}_{key}{i}" if natural else f"{name}_en0",
                        "base": not natural or (key == "en" and i == 0),
                        "status": "ok" if face else "model_error",
                        "race": face[0] if face else None,
                        "man": float(face[1] == "man") if face else None,
                        "age": face[2] if face else None,
                        "face": str(face),
                    }
                )
                axis = ["asian", "white", "black"].index(face[0]) if face else 0
                features.append(np.eye(3)[axis] if face else np.full(3, np.nan))
    frame = pd.DataFrame(rows)
    frame["man"], frame["age"] = frame["man"].astype(float), frame["age"].astype(float)
    return Asked(frame, np.array(features))


def test_the_changes_of_one_voice_by_hand() -> None:
    asked = asked_of(
        {
            "a": {
                "en": [("asian", "woman", 30), ("white", "woman", 34)],
                "zh": [("asian", "woman", 40), ("asian", "man", 40)],
                "telephone": [("white", "man", 41)],
                "again": [("asian", "woman", 30)],
            }
        }
    )
    found = voice_changes(asked).set_index("factor")
    # clip: the English pair differs in race, the Chinese one in gender; 4 and 0 years
    assert found.loc["clip", ["race", "gender", "age", "face"]].tolist() == [0.5, 0.5, 2.0, 0.5]
    # language: en1-zh1, en1-zh2, en2-zh1, en2-zh2: race 0 0 1 1, gender 0 1 0 1, years 10 10 6 6
    assert found.loc["language", ["race", "gender", "age", "face"]].tolist() == [0.5, 0.5, 8.0, 0.5]
    assert found.loc["telephone", ["race", "gender", "age", "face"]].tolist() == [1.0, 1.0, 11.0, 1.0]
    assert found.loc["again", ["race", "gender", "age", "face"]].tolist() == [0.0] * 4
    assert found["n_clips"].to_dict() == {"clip": 4, "language": 4, "telephone": 2, "again": 2}
    reads = voice_reads(asked).set_index("factor")
    assert reads.loc["telephone", ["read_white.before", "read_white.after"]].tolist() == [0.0, 1.0]
    assert reads.loc["language", ["read_white.before", "read_white.after"]].tolist() == [0.5, 0.0]
    assert reads.loc["language", ["read_age.before", "read_age.after"]].tolist() == [32.0, 40.0]
    assert reads.loc["clip", ["read_own_group.before", "read_own_group.after"]].tolist() == [1.0, 0.0]


def test_a_face_that_was_not_read_is_counted_and_its_pairs_are_left_out() -> None:
    asked = asked_of({"a": {"en": [("asian", "man", 30), None], "zh": [("white", "man", 30)] * 2, "telephone": [None]}})
    found = voice_changes(asked).set_index("factor")
    assert found.loc["clip", "race"] == 0.0, "the Chinese pair alone"
    assert found.loc["language", "race"] == 1.0, "two of four pairs"
    assert np.isnan(found.loc["telephone", "race"])
    assert found["n_missing"].to_dict() == {"clip": 1, "language": 1, "telephone": 1}


def planted(seed: int, voices: int = 60, flip: float = 0.0) -> Asked:
    """Voices whose clips differ by chance alone, and with the other language by so much more."""
    rng = np.random.default_rng(seed)

    def clip(p: float) -> Face:
        return ("white" if rng.random() < p else "asian", "woman", float(rng.normal(40, 3)))

    people = {}
    for i in range(voices):
        p = rng.uniform(0, 0.25)
        people[f"v{i:02}"] = {
            "en": [clip(p), clip(p)],
            "zh": [clip(p + flip), clip(p + flip)],
            **{factor.name: [clip(p)] for factor in ALTERED},
        }
    return asked_of(people, {name: ("asian", "white")[i % 2] for i, name in enumerate(people)})


def test_a_planted_effect_is_found_and_no_other() -> None:
    null, effect = (voice_changes(planted(1, 120, flip)) for flip in (0.0, 0.7))
    found = {f.code: f for f in findings(effects(null, Settings(), PROPERTIES), Settings())}
    assert {code: f.outcome for code, f in found.items() if code.endswith(("gender", "age"))} == {
        f"{family}.{prop}": "not_shown"
        for family in ("language", "pitch", "duration", "telephone")
        for prop in ("gender", "age")
    } | {"accent.gender": "not_evaluable", "accent.age": "not_evaluable"}, "no voice has an accented clip"
    assert not [code for code, f in found.items() if f.outcome == "shown"]
    found = {f.code: f for f in findings(effects(effect, Settings(), PROPERTIES), Settings())}
    assert [code for code, f in found.items() if f.outcome == "shown"] == ["language.face", "language.race"]
    excess = found["language.race"].estimate
    # two reads that differ with p (1 - q) + q (1 - p), against 2 p (1 - p) and 2 q (1 - q): their excess is (p - q)^2
    assert excess.low < 0.7**2 < excess.high


def test_the_excess_of_a_language_that_changes_nothing_has_no_bias() -> None:
    excess = []
    for seed in range(30):
        found = voice_changes(planted(seed, 40)).pivot(index="speaker_id", columns="factor", values="face")
        excess.append((found["language"] - found["clip"]).mean())
    assert abs(np.mean(excess)) < 3 * np.std(excess) / np.sqrt(len(excess))


@cache
def small() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The changes of twelve voices, and their effects."""
    changes = voice_changes(planted(3, 12, 0.5))
    return changes, effect_table(effects(changes, Settings(), PROPERTIES))


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 1000))
def test_no_figure_depends_on_the_order_of_rows_or_the_names_of_voices(seed: int) -> None:
    changes, plain = small()
    order = np.random.default_rng(seed).permutation(len(changes))
    other = effect_table(effects(changes.iloc[order], Settings(), PROPERTIES))
    pd.testing.assert_frame_equal(plain, other)


def test_intervals_are_simultaneous_over_a_family_and_over_groups() -> None:
    changes = voice_changes(planted(4, 40, 0.5))
    found = effects(changes, Settings(), PROPERTIES)
    wide = {(e.factor.name, e.stratum.group): e for e in found if e.prop.name == "race" and e.stratum.gender == "all"}
    alone = Settings(confidence=1 - 0.05 / 4)
    one = next(e for e in effects(changes, alone, PROPERTIES) if e.factor.name == "telephone" and e.prop.name == "race")
    assert wide["telephone", "all"].excess.interval != one.excess.interval, "a family of one is not widened"
    pitch = next(
        e for e in effects(changes, alone, PROPERTIES) if e.factor.name == "pitch_up_2" and e.prop.name == "race"
    )
    widened = wide["pitch_up_2", "all"].excess
    assert widened.low > pitch.excess.low, "four simultaneous intervals at 98.75 % have 99.69 % each"
    assert (widened.high - widened.low) > (one.excess.high - one.excess.low) * 0.5
    assert wide["language", "asian"].stratum.number == 2


def test_the_change_of_the_read_gender_does_not_hide_the_gender_of_the_voice() -> None:
    asked = planted(7, 40, 0.5)
    sex = {name: ("woman", "man")[i % 2] for i, name in enumerate(asked.faces["speaker_id"].unique())}
    changes = voice_changes(Asked(asked.faces.assign(gender=asked.faces["speaker_id"].map(sex)), asked.features))
    assert dict(zip(changes["speaker_id"], changes["voice_gender"], strict=True)) == sex
    assert set(changes["gender"]) == {0.0}, "no planted face is read as another gender"
    plain, split = (effect_table(effects(each, Settings(), PROPERTIES)) for each in (voice_changes(asked), changes))
    assert set(plain["gender"]) == {"all", "woman"} and set(split["gender"]) == {"all", "woman", "man"}
    row = split[(split["factor"] == "language") & (split["property"] == "face") & (split["gender"] == "man")].iloc[0]
    mine = changes[(changes["voice_gender"] == "man") & (changes["factor"] == "language")]
    assert row["n_voices"] == 20 and row["changed"] == pytest.approx(mine["face"].mean(), abs=1e-12)
    # p-values by sex are adjusted separately, so that those of all voices and of the groups do not depend on the sexes
    first, second = (each[each["gender"] == "all"].reset_index(drop=True) for each in (plain, split))
    pd.testing.assert_frame_equal(first, second)


def test_too_few_voices_are_not_evaluable_and_never_a_pass() -> None:
    made = findings(effects(voice_changes(planted(5, 4, 0.9)), Settings(), PROPERTIES), Settings())
    assert {finding.outcome for finding in made} == {"not_evaluable"}
    assert all(finding.estimate.interval is None and finding.p_value is None for finding in made)


def test_the_directions_are_read_before_and_after() -> None:
    table = read_table(voice_reads(planted(6, 60, 0.6)), Settings(), reads_of(attributes()))
    row = table[(table["factor"] == "language") & (table["read"] == "read_white") & (table["group"] == "all")].iloc[0]
    assert row["shift_low"] > 0.4 and row["shift"] == pytest.approx(0.6, abs=0.15)
    unchanged = table[table["factor"] == UNCHANGED]
    assert unchanged["shift"].isna().all() and unchanged["level"].notna().all()


@pytest.fixture
def voices(harmonic_voices: audit.Cohort) -> audit.Cohort:
    return harmonic_voices


@pytest.fixture
def probed(harmonic_probe: audit.Probe) -> audit.Probe:
    return harmonic_probe


def test_only_the_factors_that_a_model_depends_on_are_shown(probed: audit.Probe) -> None:
    words = {finding.code: finding.outcome for finding in probed.findings}
    assert {code for code, word in words.items() if word == "shown"} == {"language.race", "pitch.gender"}
    face = probed.finding("language.face")
    assert face.estimate.value == pytest.approx(0.64, abs=1e-3) and face.outcome == "not_evaluable", (
        "all voices are alike"
    )
    table = probed.frame()
    overall = table[(table["group"] == "all") & (table["gender"] == "all")].set_index(["factor", "property"])["changed"]
    assert overall["language", "race"] == 1 and overall["language", "gender"] == 0 and overall["clip", "race"] == 0
    # a voice of 140 Hz is at 176 Hz four semitones higher, one of 200 Hz at 159 Hz lower: beyond the border of 170
    gender = {name: overall[name, "gender"] for name in ("pitch_down_4", "pitch_down_2", "pitch_up_2", "pitch_up_4")}
    assert gender == {"pitch_down_4": 0.5, "pitch_down_2": 0, "pitch_up_2": 0, "pitch_up_4": 0.5}
    assert not overall.loc[["telephone", "first_3_s", "first_1_5_s", "pitch_back", "again"]].any()


def test_the_direction_of_a_wrong_gender_is_seen(probed: audit.Probe) -> None:
    reads = probed.tables["reads"].frame
    of = reads[(reads["read"] == "read_woman") & (reads["group"] == "all")].set_index(["factor", "gender"])
    assert of.loc[("pitch_up_4", "man"), "level"] == 1 and of.loc[("pitch_up_4", "man"), "shift"] == 1
    assert of.loc[("pitch_down_4", "woman"), "shift"] == -1 and of.loc[("pitch_down_4", "man"), "shift"] == 0


def test_the_direction_is_reported_in_words(probed: audit.Probe) -> None:
    directions = [sentence for sentence in probed.sentences if sentence.startswith("Which way")]
    assert directions[0].startswith(
        "Which way, the other language minus English: asian voices read as white \N{MINUS SIGN}100 points ["
    )
    assert (
        "asian voices read as the own group +100 points" in directions[0]
        and "white voices read as white" in directions[0]
    )
    assert directions[1].startswith("Which way, 4 semitones higher: voices of men read as a woman +100 points [")
    assert directions[2].startswith(
        "Which way, 4 semitones lower: voices of women read as a woman \N{MINUS SIGN}100 points ["
    )
    assert len(directions) == 3


def test_the_probe_records_its_inputs_and_the_repeated_clip_gave_the_same_face(probed: audit.Probe, voices) -> None:
    assert probed.cohort["n_voices"] == 16 and probed.cohort["digest"] == voices.digest
    assert probed.model["name"] == "pitch and language (fake)" and probed.settings["face_feature"] == "FakeFace"
    assert "The same sound gave the same face, to the pixel, for all 16 voices" in probed.sentences[-1]
    assert "fictional" in probed.notices[0] and "cannot show" in probed.notices[1]
    assert probed.sentences[0].startswith(
        "Shown to change: the read race, by the language; the read gender, by the pitch."
    )
    assert probed.sentences[1] == probed.finding("language.face").sentence
    assert [f.code for f in probed.findings][:4] == [
        "language.face",
        "language.race",
        "language.gender",
        "language.age",
    ]
    adjusted = [f.p_adjusted for f in probed.findings if f.p_value is not None]
    assert all(f.p_adjusted >= f.p_value for f in probed.findings if f.p_value is not None) and adjusted
    rows = probed.frame().query("group == 'all' and gender == 'all'").set_index(["factor", "property"])["p_adjusted"]
    for finding in probed.findings:
        same = {key.removesuffix(".excess") for key, of in finding.estimates.items() if of == finding.estimate}
        assert finding.p_adjusted in {rows[factor, finding.code.split(".")[1]] for factor in same} | {None}, (
            "one effect has one p"
        )
        if finding.p_adjusted is not None:
            assert p_words(finding.p_adjusted) in finding.sentence
    with pytest.raises(KeyError, match="language\\.face"):
        probed.finding("language.shoe_size")


def test_the_same_probe_gives_the_same_bytes_and_comes_back_whole(
    probed: audit.Probe, voices: audit.Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ALTERED", (ALTERED[0], TELEPHONE, AGAIN))  # each is the same twice by its own test
    text = probed.to_json()
    again = audit.Probe.from_json(text)
    assert again.to_json() == text and again.finding("pitch.gender") == probed.finding("pitch.gender")
    made = [
        audit.probe(PitchAndLanguage(), instrument=ColourInstrument(), cohort=voices, voices=4, out=out, cache=cache)
        for out, cache in ((tmp_path / "one", "beside"), (tmp_path / "two", "beside"), (None, "none"))
    ]
    assert len({probe.to_json() for probe in made}) == 1
    assert (tmp_path / "one" / "probe.json").read_bytes() == (tmp_path / "two" / "probe.json").read_bytes()
    changed = text.replace('"outcome": "shown"', '"outcome": "not_shown"', 1)
    with pytest.raises(RunError, match="was changed after it was written"):
        audit.Probe.from_json(changed)
    with pytest.raises(RunError, match="schema version 9"):
        audit.Probe.from_json(text.replace('"schema_version": "1.2"', '"schema_version": "9.0"', 1))
    with pytest.raises(RunError, match="probe.json is not valid"):
        audit.Probe.from_json("{}")


def test_a_model_that_ignores_the_audio_changes_nothing(voices: audit.Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "ALTERED", (TELEPHONE, AGAIN))
    found = audit.probe(Deaf(), instrument=ColourInstrument(), cohort=voices, voices=8).frame()
    assert not found["changed"].dropna().any() and "shown" not in set(found["outcome"])


def test_a_random_model_is_detected(voices: audit.Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "ALTERED", (AGAIN,))
    found = audit.probe(Drawing(), instrument=ColourInstrument(), cohort=voices, voices=8)
    assert "gave another face for 8 of 8 voices" in found.notices[-1] == found.sentences[-1]


def test_failures_of_a_model_are_counted_by_factor(voices: audit.Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "ALTERED", (TELEPHONE, AGAIN))
    found = audit.probe(AfraidOfTelephones(), instrument=ColourInstrument(), cohort=voices, voices=8)
    missing = found.tables["missing"].frame.set_index(["factor", "group"])
    assert missing.loc[("telephone", "all"), ["n_voices_failed", "n_not_read", "model_error"]].tolist() == [8, 8, 8]
    assert missing.loc[("again", "all"), "n_not_read"] == 0
    assert found.finding("telephone.face").outcome == "not_evaluable"
    faces = found.tables["faces"].frame
    assert set(faces.loc[faces["factor"] == "telephone", "detail"]) == {"FloatingPointError: a planted failure"}
    assert found.tables["strip"].frame.query("factor == 'telephone'")["picture"].isna().all()


def test_the_same_clip_again_is_never_taken_from_the_cache(voices: audit.Cohort, tmp_path: Path) -> None:
    class Kept(PitchAndLanguage):
        probed = 0

        def describe(self) -> dict[str, object]:
            return {"cache_key": "1"}

        def face(self, waveform):
            Kept.probed += 1
            return super().face(waveform)

    table = drawn(bilingual(voices), 2, 0)
    for name, expected in (("one", 2 * (4 + len(ALTERED))), ("two", 2)):
        Kept.probed = 0
        (tmp_path / name).mkdir()
        ask(table, voices.root, Kept(), ColourInstrument(), faces=tmp_path / name, cache=tmp_path / "cache", seed=0)
        assert Kept.probed == expected


def test_a_clip_too_short_to_be_shortened_is_reported_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = audit.Cohort.read(bilingual_voices(tmp_path / "short", 2, seconds=1.4))
    monkeypatch.setattr(asking, "ALTERED", ALTERED[4:6])
    found = audit.probe(PitchAndLanguage(), instrument=ColourInstrument(), cohort=short)
    faces = found.tables["faces"].frame
    assert set(faces.loc[faces["factor"] != UNCHANGED, "status"]) == {"not_applicable"}


def test_voices_are_balanced_over_groups_sexes_and_languages_and_drawn_by_the_seed() -> None:
    everyone = bilingual(audit.Cohort.read(audit.embedded("synthetic_bilingual")))
    assert everyone["speaker_id"].nunique() == 128 and len(everyone) == 512
    some = drawn(everyone, 32, 0).drop_duplicates("speaker_id")
    assert set(some.groupby(["group", "gender", "other_language"]).size()) == {2}
    names = [set(drawn(everyone, 16, seed)["speaker_id"]) for seed in (0, 0, 1)]
    assert names[0] == names[1] != names[2]
    assert names[0] <= set(some["speaker_id"]), "more voices are those and others"


def test_unsuitable_models_and_cohorts_are_refused_with_the_reason(tmp_path: Path, voices: audit.Cohort) -> None:
    reader = ColourInstrument()
    for name in ("recorded", "planted"):
        with pytest.raises(ModelError, match="does not use the audio") as refused:
            audit.probe(audit.model(name), instrument=reader)
        assert "audit run" in str(refused.value)
    real = audit.Cohort.read(bilingual_voices(tmp_path / "real", 2, fictional=False))
    with pytest.raises(CohortError, match="not declared fictional"):
        audit.probe(Deaf(), instrument=reader, cohort=real)
    with pytest.raises(CohortError, match="1 to 16"):
        audit.probe(Deaf(), instrument=reader, cohort=voices, voices=17)
    english = voices.clips[voices.clips["language"] == "en"]
    with pytest.raises(CohortError, match="no voice with clips in English"):
        audit.probe(Deaf(), instrument=reader, cohort=audit.Cohort(voices.root, voices.speakers, english, voices.notes))
    blind = SimpleNamespace(name="blind", similarity_models=(), read=reader.read, describe=reader.describe)
    with pytest.raises(ModelError, match="no face feature"):
        audit.probe(Deaf(), instrument=blind, cohort=voices)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "manifest.json").write_text("{}")
    with pytest.raises(RunError, match="contains a run"):
        audit.probe(Deaf(), instrument=reader, cohort=voices, out=tmp_path / "run")


def test_the_shipped_model_is_probed_by_the_real_instrument(tmp_path: Path) -> None:
    found = audit.probe(audit.model("speech2face-small-gap"), voices=2, out=tmp_path)
    assert found.tables["missing"].frame["n_not_read"].sum() == 0
    faces = found.tables["faces"].frame
    expected = 2 * (4 + len(ALTERED)) + int(str(found.cohort["n_accented_clips"]))
    assert len(faces) == expected and set(faces["status"]) == {"ok"}
    table = found.frame()
    overall = table[(table["group"] == "all") & (table["gender"] == "all")].set_index(["factor", "property"])["changed"]
    assert overall["again", "face"] == 0 < overall["clip", "face"]
    assert "never heard asian and indian speakers in en" in found.notices[-1]
    assert len(list((tmp_path / "faces").glob("*/*.png"))) == faces["face"].nunique()
