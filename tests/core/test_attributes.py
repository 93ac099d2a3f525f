"""Attributes: three are shipped; another one travels from a picture to the report without a change to ``audit``."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import audit
from audit.core.arrays import Picture, Waveform
from audit.core.attributes import ALWAYS, REGISTRY, Attribute, Number, attributes, known_attributes
from audit.core.columns import schema
from audit.core.errors import AuditError
from audit.instruments.protocol import Reading
from audit.runs.harness.answering import readings_of
from tests.fakes import ColourInstrument, LoudnessModel, fake_face
from tests.glasses import GlassesInstrument, wear_glasses
from tests.probing_fixture import AfraidOfTelephones, bilingual_voices

RACE, GENDER, AGE = attributes()
POINT = EntryPoint("glasses", "tests.glasses:ATTRIBUTE", "audit.attributes")


@pytest.fixture
def installed_glasses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package is installed that declares the attribute ``glasses``."""
    monkeypatch.setattr(
        "audit.core.registry.entry_points", lambda group: [POINT] if group == "audit.attributes" else []
    )
    attributes.cache_clear()


def test_the_shipped_attributes_have_the_published_columns() -> None:
    assert list(REGISTRY.shipped) == list(REGISTRY.available()) == ["age", "gender", "race", "skin_tone"]
    assert [*RACE.columns("rendered")][:3] == ["rendered_race", "rendered_race_asian", "rendered_race_indian"]
    assert GENDER.columns("portrait") == {"portrait_gender": str, "portrait_gender_man": float}
    assert AGE.columns("ceiling") == {"ceiling_age": float}


@pytest.mark.parametrize(
    ("attribute", "read", "fault"),
    [
        (RACE, {"asian": 0.6, "indian": 0.4, "black": 0, "white": 0, "middle_eastern": 0, "latino_hispanic": 0}, ""),
        (RACE, {"asian": 0.6, "indian": 0.5, "black": 0, "white": 0, "middle_eastern": 0, "latino_hispanic": 0}, "sum"),
        (RACE, {"asian": 1.0}, "asian in [0, 1]"),
        (RACE, None, "race = None"),
        (GENDER, 0.5, ""),
        (GENDER, {"man": 0.5}, ""),
        (GENDER, 1.5, "gender = 1.5, not man in [0, 1]"),
        (GENDER, math.nan, "gender = nan"),
        (GENDER, None, "gender = None"),
        (AGE, None, ""),
        (AGE, 33.3, ""),
        (AGE, math.inf, "age = inf, not a number"),
    ],
)
def test_a_value_out_of_its_range_is_not_valid(attribute: Attribute, read: Any, fault: str) -> None:
    found = attribute.fault(read)
    assert fault in found and bool(found) is bool(fault)


def test_a_reading_becomes_the_columns_of_a_stage() -> None:
    assert GENDER.row("rendered", 0.5) == {"rendered_gender_man": 0.5, "rendered_gender": "man"}
    assert GENDER.row("rendered", 0.49)["rendered_gender"] == "woman"
    assert AGE.row("rendered", None) == {"rendered_age": None}
    tie = dict.fromkeys(RACE.labels, 0.0) | {"white": 0.5, "black": 0.5}
    assert RACE.row("rendered", tie)["rendered_race"] == "black"  # the first of equal labels


def test_an_attribute_of_several_numbers_may_find_its_label_itself() -> None:
    """As a skin tone: an angle and a hue in degrees, and the nearest of some swatches."""
    tone = Attribute(
        name="tone",
        summary="Skin tone",
        numbers=(Number("ita", "degrees", -90, 90), Number("hue", "degrees", 0, 360)),
        labels=("dark", "light"),
        label_of=lambda numbers: (numbers[:, 0] > 28).astype(np.int64),
        optional=True,
    )
    assert tone.fault({"ita": 41.0, "hue": 60.0}) == ""
    assert tone.row("portrait", {"ita": 41.0, "hue": 60.0}) == {
        "portrait_tone_ita": 41.0,
        "portrait_tone_hue": 60.0,
        "portrait_tone": "light",
    }
    assert tone.row("portrait", None) == dict.fromkeys(tone.columns("portrait"))
    assert "portrait_tone_hue" in schema((), {}, read=(tone,)).names


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"name": "Skin tone"}, "lower case"),
        ({"numbers": ()}, "no number"),
        ({"numbers": (Number("a"), Number("a"))}, "the same name"),
        ({"labels": ("no", "yes")}, "without a name"),
        ({"numbers": (Number("a"),), "labels": ("x", "y", "z")}, "label_of is missing"),
    ],
)
def test_a_contradictory_declaration_is_refused(given: dict[str, Any], fault: str) -> None:
    with pytest.raises(AuditError, match=fault):
        Attribute(**{"name": "tone", "summary": "Skin tone", "numbers": (Number(),)} | given)


def test_old_and_new_forms_of_a_reading_are_the_same() -> None:
    race = dict.fromkeys(RACE.labels, 0.0) | {"white": 1.0}
    old, new = Reading("ok", race, 0.5, 30.0), Reading("ok", attributes={"race": race, "gender": 0.5, "age": 30.0})
    assert old == new
    assert (new.race, new.man, new.age) == (race, 0.5, 30.0)
    assert Reading("ok", attributes={"gender": {"man": 0.5}}).man == 0.5


def test_a_reading_must_hold_what_its_instrument_names(installed_glasses: None) -> None:
    class Undeclared(GlassesInstrument):
        attributes = ALWAYS

    class Missing(ColourInstrument):
        attributes = GlassesInstrument.attributes

    assert "read glasses, which is not among its attributes" in str(readings_of(Undeclared(), [fake_face("asian")])[0])
    assert "the instrument read glasses = None" in str(readings_of(Missing(), [fake_face("asian")])[0])


def test_a_run_does_not_make_its_reader_import_a_module() -> None:
    known, unknown = known_attributes(("race", "gender", "age", "elsewhere:ATTRIBUTE", "not_installed"))
    assert [attribute.name for attribute in known] == list(ALWAYS)
    assert unknown == ("elsewhere:ATTRIBUTE", "not_installed")
    assert [attribute.name for attribute in known_attributes(("tests.glasses:ATTRIBUTE",))[0]] == [*ALWAYS, "glasses"]


def test_an_attribute_of_a_package_travels_from_picture_to_report(
    installed_glasses: None, make_cohort: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_cohort()
    speakers = pd.read_csv(folder / "speakers.csv")
    wears = speakers.index % 4 == 0  # two of the four Asian speakers, no White speaker
    for path in speakers.loc[wears, "portrait"]:
        Image.fromarray(wear_glasses(np.asarray(Image.open(folder / path)))).save(folder / path)
    labels = np.where(wears, "with", "without")
    labels[0] = "without"  # a wrong label: the instrument's error at the portrait
    speakers.assign(glasses=labels).to_csv(folder / "speakers.csv", index=False)

    def run(out: str) -> tuple[audit.Run, GlassesInstrument]:
        instrument = GlassesInstrument()
        return audit.run(
            audit.Cohort.read(folder), model=LoudnessModel(), instrument=instrument, out=tmp_path / out
        ), instrument

    first, asked = run("first")
    again, answered_before = run("again")
    assert asked.pictures_read > 0 and answered_before.pictures_read == 0  # the cache keeps it
    pd.testing.assert_frame_equal(first.observations, again.observations)
    assert first.manifest["instrument"]["attributes_read"] == ["race", "gender", "age", "glasses"]
    seen = first.observations
    assert set(seen.loc[seen["speaker_id"] == "s0", "portrait_glasses"]) == {"with"}
    assert set(seen["rendered_glasses_with"].dropna()) == {0.0}

    result = audit.measure(audit.Run.read(tmp_path / "first"))
    table = result.tables["disparities"].frame.set_index(["metric", "stage", "group", "language"])["value"]
    assert table["glasses_read", "portrait", "asian", "all"] == 0.5
    assert table["glasses_read", "rendered", "asian", "all"] == 0.0
    assert table["glasses_read", "portrait", "white", "all"] == 0.0
    errors = result.tables["instrument"].frame.set_index(["metric", "group", "gender"])["value"]
    assert errors["glasses_right", "asian", "all"] == 0.75

    from audit.reports.report.page import write_report

    page = Path(write_report(result, tmp_path / "first")).read_text("utf-8")
    assert page.count("Glasses read") > 2 and page.count("Glasses read as labelled") > 2
    assert "glasses_read" in (tmp_path / "first" / "tables" / "disparities.csv").read_text("utf-8")


def test_a_run_with_an_attribute_that_is_not_installed_is_measured_without_it(
    make_cohort: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("audit.core.registry.entry_points", lambda group: [POINT] if "attributes" in group else [])
        attributes.cache_clear()
        cohort = audit.Cohort.read(make_cohort())
        run = audit.run(cohort, model=LoudnessModel(), instrument=GlassesInstrument(), out=tmp_path / "run")
    result = audit.measure(run, with_tables=False)
    assert any("The instrument read glasses, which is not installed here" in each for each in result.run["notices"])


def test_a_probe_compares_an_attribute_of_a_package(installed_glasses: None) -> None:
    from audit.probes.asking import UNCHANGED, Asked
    from audit.probes.changes import properties_of, reads_of, voice_changes, voice_reads

    read = attributes(GlassesInstrument.attributes)
    faces = pd.DataFrame(
        {
            "speaker_id": "s0",
            "group": "asian",
            "gender": "woman",
            "language": ["en", "en", "zh", "zh"],
            "clip_id": ["a", "b", "c", "d"],
            "of": ["a", "b", "c", "d"],
            "factor": UNCHANGED,
            "base": [True, False, False, False],
            "status": "ok",
            "race": ["asian", "asian", "white", "asian"],
            "man": [0.0, 0.0, 0.0, 1.0],
            "age": [30.0, 32.0, 30.0, 30.0],
            "glasses": ["with", "with", "without", "with"],
        }
    )
    asked = Asked(faces, np.eye(4), read)
    changes = voice_changes(asked).set_index("factor")
    assert [each.name for each in properties_of(read)] == ["face", "race", "gender", "age", "glasses"]
    assert changes.loc["language", "glasses"] == 0.5  # two of the four pairs of an English and a Chinese clip
    assert changes.loc["clip", "glasses"] == 0.5  # none of one English pair, the one Chinese pair
    assert [metric.name for metric in reads_of(read)] == ["read_woman", "read_white", "read_own_group", "read_age"]
    assert voice_reads(asked).set_index("factor").loc["language", "read_woman.after"] == 0.5


def test_a_probe_draws_an_attribute_of_a_package(
    installed_glasses: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audit.probes import asking
    from audit.probes.factors import AGAIN, TELEPHONE
    from audit.reports.probe.page import write_probe

    class GlassesByTelephone(AfraidOfTelephones):
        def face(self, waveform: Waveform) -> Picture | None:
            try:
                return super().face(waveform)
            except FloatingPointError:
                return wear_glasses(fake_face("white", "man", 40))

    monkeypatch.setattr(asking, "ALTERED", (TELEPHONE, AGAIN))
    voices = audit.Cohort.read(bilingual_voices(tmp_path / "voices", 8))
    made = audit.probe(GlassesByTelephone(), instrument=GlassesInstrument(), cohort=voices, out=tmp_path / "out")
    effects = made.frame().set_index(["property", "factor", "group", "gender"])["changed"]
    assert effects["glasses", "telephone", "all", "all"] == 1 and effects["glasses", "clip", "all", "all"] == 0
    assert made.tables["faces"].frame["glasses"].value_counts().to_dict() == {"without": 40, "with": 8}
    assert set(made.tables["strip"].frame.query("factor == 'telephone'")["read_glasses"]) == {"with"}
    assert set(made.tables["voices"].frame.query("factor == 'telephone'")["glasses"]) == {1.0}
    page = write_probe(audit.Probe.from_json(made.to_json()), tmp_path / "out").read_text("utf-8")
    assert 'id="far-glasses' in page and "The read glasses" in page


def test_exact_readings_of_numbers_have_their_label() -> None:
    (skin,) = attributes(("skin_tone",))
    numbers = np.array([[55.0, 60.0, 75.0, 18.0], [-40.0, 50.0, 35.0, 18.0]])  # ITA, hue, lightness, chroma
    columns = skin.exact("rendered", numbers)
    assert columns["rendered_skin_tone_ita"].tolist() == [55.0, -40.0]
    rows = [skin.row("rendered", dict(zip(("ita", "hue", "lightness", "chroma"), row, strict=True))) for row in numbers]
    assert {name: values.tolist() for name, values in columns.items()} == {
        name: [row[name] for row in rows] for name in rows[0]
    }
