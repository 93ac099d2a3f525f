"""Language identification: a label counts where two identifiers agree, and whose labels are rejected is counted."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import audit
from audit.cli import app
from audit.cohorts.identification import IDENTIFIERS, LanguageIdentifier, load_identifier
from audit.cohorts.identification.agreement import Guess, guesses, outcome
from audit.cohorts.identification.journal import JOURNAL
from audit.cohorts.identifiers.faster_whisper import NEEDED
from audit.core.identification import COLUMNS, OUTCOMES
from tests.cli.test_cli import command
from tests.language_fixture import FakeIdentifier, tone, unlabelled_cohort

CLIPS = [
    ("a", "asian", "en"),
    ("a", "asian", "en, accented"),
    ("b", "asian", "en, accented"),
    ("b", "asian", "zh"),
    ("w", "white", "en"),
    ("w", "white", "en, doubtful"),
]
FAKE = "tests.language_fixture:fake_identifier"


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    return unlabelled_cohort(tmp_path / "tones", CLIPS)


def identified(root: Path, out: Path, **options: object) -> audit.Cohort:
    """The cohort as identified by one identifier that confuses accented English and one that does not."""
    pair = FakeIdentifier("sound"), FakeIdentifier("confused", confused=True)
    return audit.identify_cohort(root, out, *pair, **options)[0]  # type: ignore[arg-type]


# the rule


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("zh", 0.8), ("zh", 0.8), "accepted"),  # at the threshold
        (("zh", 0.8), ("zh", 0.7999), "low_probability"),
        (("zh", 0.7999), ("zh", 1.0), "low_probability"),
        (("zh", 1.0), ("en", 1.0), "disagreement"),
        (("zh", 0.1), ("en", 0.1), "disagreement"),
        (("en-GB", 0.9), ("en", 0.9), "accepted"),  # one language
        (("yue", 0.9), ("zh", 0.9), "disagreement"),
        (("und", 1.0), ("und", 1.0), "disagreement"),  # not a language
    ],
)
def test_a_label_counts_where_both_agree_with_enough_probability(
    first: tuple[str, float], second: tuple[str, float], expected: str
) -> None:
    assert outcome(Guess(*first), Guess(*second), 0.8) == expected


class Returning(FakeIdentifier):
    def __init__(self, *found: tuple[object, float]):
        super().__init__("returning")
        self.found = list(found)

    def identify(self, waveforms: object, sample_rate: int) -> list[tuple[str, float]]:
        return self.found  # type: ignore[return-value]  # some are wrong on purpose


def test_codes_are_canonical_and_the_rounded_probability_decides() -> None:
    found = guesses(Returning(("iw", 0.79996), ("jw", 1.0000001), ("cmn", 0.0)), [np.zeros(9, np.float32)] * 3)
    assert found == [("he", 0.8), ("jv", 1.0), ("zh", 0.0)]


@pytest.mark.parametrize(
    ("found", "error"),
    [([("english", 1.0)], "the language 'english'"), ([("en", 1.5)], "probability 1.5"), ([], "0 languages for 1")],
)
def test_what_an_identifier_returns_is_validated(found: list[tuple[object, float]], error: str) -> None:
    with pytest.raises(audit.ModelError, match=error):
        guesses(Returning(*found), [np.zeros(9, np.float32)])


# the new cohort


def test_accepted_languages_are_labels_and_all_others_stay_undetermined(cohort: Path, tmp_path: Path) -> None:
    made = identified(cohort, tmp_path / "new")
    rows = made.clips[["language", "language_source", "identified_first", "identified_second", "identification"]]
    assert rows.to_numpy().tolist() == [
        ["en", "inferred", "en", "en", "accepted"],
        ["und", "unstated", "en", "zh", "disagreement"],
        ["und", "unstated", "en", "zh", "disagreement"],
        ["zh", "inferred", "zh", "zh", "accepted"],
        ["en", "inferred", "en", "en", "accepted"],
        ["und", "unstated", "en", "en", "low_probability"],
    ]
    assert made.clips["identified_first_probability"].tolist() == [0.95, 0.95, 0.95, 0.95, 0.95, 0.5]
    assert set(made.clips["declared_language"]) == {"und"}
    assert all((made.root / path).is_file() for path in made.clips["audio"])


def test_the_notes_name_identifiers_threshold_and_counts_by_group(cohort: Path, tmp_path: Path) -> None:
    notes = identified(cohort, tmp_path / "new").notes
    assert notes.name == "tones" and notes.notes == (
        "Made for a test. Languages were identified by sound (version False 0.95) and by confused (version True 0.95): "
        "a clip without a language has the one that both name with a probability of at least 0.8. Identified clips "
        "without a language, by group: asian: 2 of 4 accepted, 2 disagreement; white: 1 of 2 accepted, 1 low "
        "probability."
    )


def test_clips_that_cannot_be_identified_say_why(cohort: Path, tmp_path: Path) -> None:
    tone(cohort / "audio" / "0.wav", "en", 0, seconds=0.5)
    (cohort / "audio" / "1.wav").write_bytes(b"no audio")
    tone(cohort / "audio" / "2.wav", "en", -100)  # without a sound
    assert identified(cohort, tmp_path / "new").clips["identification"].tolist()[:3] == [
        "too_short",
        "unreadable",
        "silent",
    ]
    assert identified(cohort, tmp_path / "longer", min_seconds=2).clips["identification"].eq("accepted").sum() == 0


def test_a_clip_with_a_language_is_identified_only_if_asked_and_never_relabelled(cohort: Path, tmp_path: Path) -> None:
    clips = pd.read_csv(cohort / "clips.csv", dtype=str)
    clips["language"] = ["en-GB", "en", "und", "en", "mul", "und"]
    clips["language_source"] = ["annotator", "annotator", "", "annotator", "", ""]
    clips.to_csv(cohort / "clips.csv", index=False)
    plain = identified(cohort, tmp_path / "plain").clips
    assert plain["identification"].tolist() == [
        *("not_run", "not_run", "disagreement", "not_run", "not_run", "low_probability")
    ]
    every = identified(cohort, tmp_path / "every", every_clip=True)
    assert every.clips["language"].tolist() == plain["language"].tolist() == ["en-GB", "en", "und", "en", "und", "und"]
    assert every.clips["language_source"].tolist()[:2] == ["annotator", "annotator"]
    assert every.clips["identification"].tolist()[:5] == [
        *("accepted", "disagreement", "disagreement", "accepted", "accepted")
    ]
    said = "clips with a language, by group: asian: 1 of 3 confirmed, 1 as another language, 1 disagreement."
    assert said in every.notes.notes


def test_the_result_does_not_depend_on_batches_or_on_the_order_of_clips(cohort: Path, tmp_path: Path) -> None:
    one = identified(cohort, tmp_path / "one", batch=1)
    all_at_once = identified(cohort, tmp_path / "all", batch=100)
    clips = pd.read_csv(cohort / "clips.csv", dtype=str)
    clips[::-1].to_csv(cohort / "clips.csv", index=False)
    reversed_ = identified(cohort, tmp_path / "reversed", batch=4)
    assert one.digest == all_at_once.digest == reversed_.digest


class Failing(FakeIdentifier):
    """Stops at the second batch."""

    def identify(self, waveforms: object, sample_rate: int) -> list[tuple[str, float]]:
        if self.batches:
            raise KeyboardInterrupt
        return super().identify(waveforms, sample_rate)  # type: ignore[arg-type]


def test_an_interrupted_identification_is_resumed(cohort: Path, tmp_path: Path) -> None:
    out, other = tmp_path / "new", FakeIdentifier("confused", confused=True)
    with pytest.raises(KeyboardInterrupt):
        audit.identify_cohort(cohort, out, Failing("sound"), other, batch=2)
    with (out / JOURNAL).open("a") as stream:
        stream.write('["half a li')  # killed while it wrote
    with pytest.raises(audit.CohortError, match="made with other identifiers"):
        audit.identify_cohort(cohort, out, FakeIdentifier("sound", sure=0.9), other)
    resumed = FakeIdentifier("sound")
    made, _ = audit.identify_cohort(cohort, out, resumed, other)
    assert resumed.batches == [4] and not (out / JOURNAL).exists()
    assert made.digest == identified(cohort, tmp_path / "whole").digest
    with pytest.raises(audit.AuditError, match="is not empty"):
        audit.identify_cohort(cohort, out, resumed, other)
    with pytest.raises(audit.AuditError, match="identified before"):
        audit.identify_cohort(out, tmp_path / "again", resumed, other)


def test_links_categories_and_own_files_of_the_cohort_are_kept(tmp_path: Path) -> None:
    """An imported cohort links to the download; joined clips lie in the cohort."""
    root, download = tmp_path / "cohort", tmp_path / "download"
    unlabelled_cohort(root, CLIPS)
    (root / "audio").rename(download)
    (root / "files").symlink_to(download)
    tone(root / "joined" / "x.flac", "zh", 9)
    clips = pd.read_csv(root / "clips.csv", dtype=str)
    clips["audio"] = [*("files/" + clips["audio"].str.removeprefix("audio/"))[:5], "joined/x.flac"]
    clips.assign(accent="sco").to_csv(root / "clips.csv", index=False)
    (root / "cohort.toml").write_text(f'files = "{download}"\n[categories.accent]\nsco = "scottish"\n')
    made = identified(root, tmp_path / "new")
    assert (made.root / "files").readlink() == download and made.name == "cohort"
    assert not (made.root / "joined").is_symlink() and made.clips["identification"].tolist()[5] == "accepted"
    assert set(made.clips["accent"]) == {"scottish"} and audit.Cohort.read(made.root).digest == made.digest


def test_wrong_columns_of_identification_are_errors(cohort: Path, tmp_path: Path) -> None:
    path = identified(cohort, tmp_path / "new").root / "clips.csv"
    good = pd.read_csv(path, dtype=str, keep_default_na=False)
    good.assign(identification="perhaps", identified_first_probability="1.5").to_csv(path, index=False)
    with pytest.raises(audit.CohortError, match="identification 'perhaps'") as error:
        audit.Cohort.read(path.parent)
    assert "identified_first_probability '1.5'" in str(error.value)
    good.drop(columns="identified_second").to_csv(path, index=False)
    with pytest.raises(audit.CohortError, match="'identified_second' is missing"):
        audit.Cohort.read(path.parent)


def test_the_columns_are_in_a_run_with_their_types(cohort: Path, tmp_path: Path) -> None:
    from tests.fakes import ColourInstrument, LoudnessModel

    made = identified(cohort, tmp_path / "new")
    seen = audit.run(made, model=LoudnessModel(), instrument=ColourInstrument(), out=tmp_path / "run").observations
    assert {*COLUMNS} < {*seen.columns} and set(seen["identification"]) <= {*OUTCOMES}
    assert seen["identified_first_probability"].tolist() == [0.95] * 5 + [0.5]


@pytest.mark.parametrize("threshold", [0, 1.01, float("nan")])
def test_a_threshold_is_a_probability(cohort: Path, tmp_path: Path, threshold: float) -> None:
    with pytest.raises(audit.AuditError, match="The threshold is"):
        identified(cohort, tmp_path / "new", threshold=threshold)
    with pytest.raises(audit.AuditError, match="same weights"):
        audit.identify_cohort(cohort, tmp_path / "new", FakeIdentifier(), FakeIdentifier())


# the command and the shipped identifiers


def test_the_command_takes_identifiers_by_name(cohort: Path, tmp_path: Path) -> None:
    words = ["cohort", "identify", str(cohort), "--first", FAKE, "--second", f"{FAKE}=confused", "-o"]
    done = CliRunner().invoke(app, [*words, str(tmp_path / "new"), "--json"], catch_exceptions=False)
    assert done.exit_code == 0 and '"accepted": 3' in done.stdout and '"disagreement": 2' in done.stdout
    assert "asian: 2 of 4 accepted" in done.stderr


def test_the_shipped_identifiers_are_listed() -> None:
    assert list(IDENTIFIERS.shipped) == ["faster_whisper", "voxlingua107"]
    assert isinstance(FakeIdentifier(), LanguageIdentifier)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The connections that were tried; each fails."""
    tried: list[object] = []

    def refuse(*words: object, **options: object) -> None:
        tried.append(words)
        raise OSError("no network here")

    for name in ("create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return tried


@pytest.mark.parametrize("name", ["faster_whisper", "voxlingua107"])
def test_without_weights_the_files_are_named_and_no_connection_is_tried(
    name: str, tmp_path: Path, no_network: list[object]
) -> None:
    with pytest.raises(audit.ModelError, match="needs weights; nothing is downloaded"):
        load_identifier(name)
    with pytest.raises(audit.ModelError, match="nowhere is not a directory"):
        load_identifier(f"{name}=nowhere")
    with pytest.raises(audit.ModelError, match=r"lacks .*(tokenizer.json|label_encoder.txt)"):
        load_identifier(f"{name}={tmp_path}")
    assert no_network == []


def test_a_missing_package_is_an_error_that_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in NEEDED:
        (tmp_path / file.partition("|")[0]).write_bytes(b"")
    monkeypatch.setitem(__import__("sys").modules, "faster_whisper", None)
    with pytest.raises(audit.ModelError, match="speech2face-audit\\[lid\\]"):
        load_identifier(f"faster_whisper={tmp_path}")


def test_the_command_reports_missing_weights_as_a_mistake_of_the_user(cohort: Path, tmp_path: Path) -> None:
    done = command("cohort", "identify", str(cohort), "-o", str(tmp_path / "new"))
    assert done.returncode == 2 and "model.bin" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "new").exists()


REAL = {"faster_whisper": "AUDIT_LID_FASTER_WHISPER", "voxlingua107": "AUDIT_LID_VOXLINGUA107"}
"""The variables that name folders with weights."""


@pytest.mark.parametrize("name", REAL)
def test_the_real_identifiers_name_languages_offline(name: str, no_network: list[object]) -> None:
    """Of any weights: codes and probabilities are valid and do not depend on the other clips."""
    folder = os.environ.get(REAL[name])
    if not folder:
        pytest.skip(f"the variable {REAL[name]} names no folder with weights")
    pytest.importorskip({"faster_whisper": "faster_whisper", "voxlingua107": "speechbrain"}[name])
    identifier = load_identifier(f"{name}={folder}")
    noise = [np.random.default_rng(0).normal(0, 0.1, n).astype(np.float32) for n in (16_000, 50_000, 480_000)]
    found = guesses(identifier, noise)
    assert found == guesses(identifier, noise[::-1])[::-1] and all(0 < p <= 1 for _, p in found)
    assert any(len(value) == 64 for value in identifier.describe().values())
    assert no_network == []
