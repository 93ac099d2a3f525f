"""Language identification: a label counts where two identifiers agree, and whose labels are rejected is counted."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import audit
from audit.cohorts.identification import IDENTIFIERS, LanguageIdentifier, load_identifier
from audit.cohorts.identification.identifier import Guess, guesses
from audit.cohorts.identification.identifying import outcome
from audit.cohorts.identification.journal import JOURNAL
from audit.core.identification import COLUMNS
from tests.cli.test_cli import command
from tests.fakes import ColourInstrument, LoudnessModel
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


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("zh", 0.8), ("zh", 0.8), "accepted"),  # at the threshold
        (("zh", 0.8), ("zh", 0.7999), "low_probability"),
        (("zh", 0.7999), ("zh", 1.0), "low_probability"),
        (("zh", 0.1), ("en", 0.1), "disagreement"),
        (("en-GB", 0.9), ("en", 0.9), "accepted"),
        (("yue", 0.9), ("zh", 0.9), "disagreement"),
        (("und", 1.0), ("und", 1.0), "disagreement"),
    ],
)
def test_a_label_counts_where_both_agree_with_enough_probability(
    first: tuple[str, float], second: tuple[str, float], expected: str
) -> None:
    assert outcome(Guess(*first), Guess(*second), 0.8) == expected


class Returning(FakeIdentifier):
    def __init__(self, *found: tuple[str, float]) -> None:
        super().__init__("returning")
        self.found = list(found)

    def identify(self, waveforms: object, sample_rate: int) -> list[tuple[str, float]]:
        return self.found


def test_codes_are_canonical_and_invalid_answers_are_errors() -> None:
    clip = np.zeros(9, np.float32)
    assert guesses(Returning(("iw", 0.79996), ("jw", 1.0)), [clip] * 2) == [("he", 0.8), ("jv", 1.0)]
    for found in [("english!", 1.0)], [("en", 1.5)], [("en", float("nan"))], []:
        with pytest.raises(audit.ModelError):
            guesses(Returning(*found), [clip])


def test_accepted_languages_are_labels_all_others_stay_undetermined_and_the_notes_count(
    cohort: Path, tmp_path: Path
) -> None:
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
    assert made.clips["language_maker"].tolist() == [*("sound confused", "", "", *["sound confused"] * 2, "")]
    assert made.notes.notes == (
        "Made for a test. Languages were identified by sound (sure 0.95) and by confused (sure 0.95): a clip without a "
        "language has the one that both name with a probability of at least 0.8. Identified clips without a language, "
        "by group: asian: 2 accepted, 2 disagreement; white: 1 accepted, 1 low probability."
    )
    seen = audit.run(made, model=LoudnessModel(), instrument=ColourInstrument(), out=tmp_path / "run").observations
    assert {*COLUMNS} < {*seen.columns} and seen["identified_first_probability"].tolist() == [0.95] * 5 + [0.5]


def test_clips_that_cannot_be_identified_say_why(cohort: Path, tmp_path: Path) -> None:
    tone(cohort / "audio" / "0.wav", "en", 0, seconds=0.5)
    (cohort / "audio" / "1.wav").write_bytes(b"no audio")
    tone(cohort / "audio" / "2.wav", "en", -100)  # of zeros
    found = identified(cohort, tmp_path / "new").clips["identification"]
    assert found.tolist()[:4] == ["too_short", "unreadable", "silent", "accepted"]


def test_a_clip_with_a_language_is_identified_only_if_asked_and_never_relabelled(cohort: Path, tmp_path: Path) -> None:
    clips = pd.read_csv(cohort / "clips.csv", dtype=str)
    clips["language"] = ["en-GB", "en", "und", "en", "mul", "und"]
    clips.to_csv(cohort / "clips.csv", index=False)
    plain = identified(cohort, tmp_path / "plain").clips
    every = identified(cohort, tmp_path / "every", every_clip=True)
    assert every.clips["language"].tolist() == plain["language"].tolist() == ["en-GB", "en", "und", "en", "und", "und"]
    assert plain["identification"].eq("not_run").tolist() == [True, True, False, True, True, False]
    said = "with a language, by group: asian: 1 accepted, 1 accepted as another language, 1 disagreement."
    assert said in every.notes.notes


def test_the_result_does_not_depend_on_batches_or_on_the_order_of_clips(cohort: Path, tmp_path: Path) -> None:
    one, every = (identified(cohort, tmp_path / str(batch), batch=batch) for batch in (1, 100))
    clips = pd.read_csv(cohort / "clips.csv", dtype=str)
    clips[::-1].to_csv(cohort / "clips.csv", index=False)
    assert one.digest == every.digest == identified(cohort, tmp_path / "reversed", batch=4).digest


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
    with pytest.raises(audit.CohortError, match="of other identifiers"):
        audit.identify_cohort(cohort, out, FakeIdentifier("sound", sure=0.9), other)
    resumed = FakeIdentifier("sound")
    made, _ = audit.identify_cohort(cohort, out, resumed, other)
    assert resumed.batches == [4] and made.digest == identified(cohort, tmp_path / "whole").digest
    for root, message in ((cohort, "is not empty"), (out, "identified before")):
        with pytest.raises(audit.AuditError, match=message):
            audit.identify_cohort(root, out, resumed, other)


def test_links_categories_and_own_files_of_the_cohort_are_kept(cohort: Path, tmp_path: Path) -> None:
    download = (cohort / "audio").rename(tmp_path / "download")
    (cohort / "files").symlink_to(download)
    tone(cohort / "joined" / "x.wav", "zh", 9)
    clips = pd.read_csv(cohort / "clips.csv", dtype=str)
    clips["audio"] = [f"files/{i}.wav" for i in range(5)] + ["joined/x.wav"]
    clips.assign(accent="sco").to_csv(cohort / "clips.csv", index=False)
    (cohort / "cohort.toml").write_text(f'files = "{download}"\n[categories.accent]\nsco = "scottish"\n')
    made = identified(cohort, tmp_path / "new")
    assert (made.root / "files").readlink() == download and set(made.clips["accent"]) == {"scottish"}
    assert made.clips["identification"].tolist()[5] == "accepted" and (made.root / "joined" / "x.wav").is_file()


def test_wrong_columns_of_identification_are_errors(cohort: Path, tmp_path: Path) -> None:
    path = identified(cohort, tmp_path / "new").root / "clips.csv"
    good = pd.read_csv(path, dtype=str, keep_default_na=False)
    wrong = good.drop(columns="identified_second").assign(identification="x", identified_first_probability="1.5")
    wrong.to_csv(path, index=False)
    with pytest.raises(audit.CohortError) as error:
        audit.Cohort.read(path.parent)
    for found in ("identification 'x'", "identified_first_probability '1.5'", "'identified_second' is missing"):
        assert found in str(error.value)


def test_the_command_takes_identifiers_by_name(cohort: Path, tmp_path: Path) -> None:
    words = ["cohort", "identify", cohort, "-o", tmp_path / "new"]
    done = command(*words, "--first", FAKE, "--second", f"{FAKE}=confused", "--json")
    assert done.returncode == 0 and '"accepted": 3' in done.stdout and "asian: 2 accepted" in done.stderr
    refused = command(*words)
    assert refused.returncode == 2 and "model.bin" in refused.stderr and "Traceback" not in refused.stderr


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


REAL = {"faster_whisper": "AUDIT_LID_FASTER_WHISPER", "voxlingua107": "AUDIT_LID_VOXLINGUA107"}
"""The shipped identifiers, and the variables that name folders with their weights."""


@pytest.mark.parametrize("name", REAL)
def test_without_weights_the_files_are_named_and_no_connection_is_tried(
    name: str, tmp_path: Path, no_network: list[object]
) -> None:
    assert [*IDENTIFIERS.shipped] == [*REAL] and isinstance(FakeIdentifier(), LanguageIdentifier)
    for where, found in (("", "needs weights"), ("=nowhere", "not a directory"), (f"={tmp_path}", "lacks")):
        with pytest.raises(audit.ModelError, match=rf"{found}.*(tokenizer.json|label_encoder.txt)"):
            load_identifier(name + where)
    assert no_network == []


@pytest.mark.parametrize("name", REAL)
def test_the_real_identifiers_name_languages_offline(name: str, no_network: list[object]) -> None:
    """With any weights, valid answers that do not depend on the other clips."""
    folder = os.environ.get(REAL[name])
    if not folder:
        pytest.skip(f"the variable {REAL[name]} names no folder with weights")
    pytest.importorskip({"voxlingua107": "speechbrain"}.get(name, name))
    identifier = load_identifier(f"{name}={folder}")
    noise = [np.random.default_rng(0).normal(0, 0.1, n).astype(np.float32) for n in (16_000, 50_000, 480_000)]
    assert guesses(identifier, noise) == guesses(identifier, noise[::-1])[::-1]
    assert no_network == []
