"""Damaged inputs by seed: valid files of every kind that audit reads, mutated, and what reads them.

Used by tests/test_fuzzing.py in small numbers, and by benchmarks/fuzzing.py in large ones.
"""

from __future__ import annotations

import copy
import io
import json
import random
import struct
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import soundfile
import tomli_w
from PIL import Image

import audit
from audit.audits.cohort_check import check_cohort
from audit.audits.human_readings import read_human_readings
from audit.audits.measure import identity
from audit.checks.calibration import read_calibration
from audit.cohorts.importing.adapter import Imported
from audit.cohorts.importing.labels import with_labels
from audit.core.audio import read_clip
from audit.core.document import Document
from audit.core.errors import AuditError
from audit.core.pictures import read_picture
from audit.runs.simulation.truth import Truth
from audit.training import TrainPlan
from tests.document_fixture import sealed

Outcome = Literal["accepted", "refused"]

HOSTILE: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 2**31, 2**63, 10**40, -0.0, 0.5, 1e308, float("nan"), float("inf"), "", " ", "\0",
    "nan", "-inf", "1e999", "../..", "/dev/zero", "\x1b[2J", "\u202e", "\ud800", "all", "unknown", "asian|indian", "|",
    "a" * 5000, [], {}, [[]], [None], {"": {}}, {"a": [{"b": None}]}, "=1+1", "<script>", "{{7*7}}", "[/bold]",
)  # fmt: skip
"""What takes the place of a value somewhere in a document."""


@dataclass(frozen=True)
class Kind:
    """A kind of input.

    Attributes
    ----------
    name : str
        Its name.
    seeds : callable
        Gives valid contents.
    mutate : callable
        A random generator and one of them to a damaged one.
    read : callable
        Reads a damaged one, in a folder of its own; says what became of it, and raises nothing but AuditError.
    """

    name: str
    seeds: Callable[[], tuple[bytes, ...]]
    mutate: Callable[[random.Random, bytes], bytes]
    read: Callable[[bytes, Path], Outcome]


def damaged(kind: Kind, seed: int) -> bytes:
    """The damaged input of a kind and seed: the same ones give the same bytes."""
    rng = random.Random(f"{kind.name}/{seed}")
    return kind.mutate(rng, rng.choice(kind.seeds()))


def outcome(kind: Kind, data: bytes, folder: Path | None = None) -> Outcome:
    """What becomes of an input; any error but audit's own is raised."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        try:
            return kind.read(data, Path(place))
        except AuditError:
            return "refused"


# mutations


def of_bytes(rng: random.Random, data: bytes, others: tuple[bytes, ...] = ()) -> bytes:
    """Flips, cuts, doubled and foreign pieces, and extreme numbers, one to eight of them."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 5, 8))):
        if not found:
            break
        # heads are where formats lie about what follows
        place = rng.randrange(min(len(found), rng.choice((16, 64, 512, len(found)))))
        length = rng.choice((1, 2, 4, 16, 256, len(found) // 2 + 1))
        match rng.randrange(9):
            case 0:
                found[place] ^= 1 << rng.randrange(8)
            case 1:
                found[place] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                del found[place:]
            case 3:
                del found[place : place + length]
            case 4:
                found[place:place] = found[place : place + min(length, 4096)]
            case 5:
                found[place:place] = rng.randbytes(min(length, 64))
            case 6 if others:
                other = rng.choice(others)
                start = rng.randrange(len(other) + 1)
                found[place : place + length] = other[start : start + length]
            case 7:
                number = rng.choice((0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0xFFFF))
                found[place : place + 4] = struct.pack(rng.choice("<>") + "I", number)
            case _:
                found[place] = rng.randrange(256)
    return bytes(found)


def of_document(rng: random.Random, value: Any) -> Any:
    """A JSON value with one to four of its places changed: other values, lost and foreign keys, doubled items."""
    root = {"": value}
    for _ in range(rng.choice((1, 1, 2, 4))):
        node: Any = root
        key: Any = ""
        while isinstance(node[key], (dict, list)) and node[key] and rng.random() < 0.85:
            node = node[key]
            key = rng.choice(list(node)) if isinstance(node, dict) else rng.randrange(len(node))
        match rng.randrange(6):
            case 0 if node is not root:
                del node[key]
            case 1 if isinstance(node, dict):
                node[rng.choice(("x", "", "value", "name", "\0", str(key) + "s"))] = copy.deepcopy(rng.choice(HOSTILE))
            case 2 if isinstance(node, list):
                node.append(copy.deepcopy(rng.choice((node[key], *HOSTILE))))
            case 3 if isinstance(node[key], (int, float)) and not isinstance(node[key], bool):
                node[key] = rng.choice((-node[key], node[key] + 1, node[key] * 1e9, str(node[key]), float(node[key])))
            case _:
                node[key] = copy.deepcopy(rng.choice(HOSTILE))
    return root[""]


def of_json(rng: random.Random, data: bytes) -> bytes:
    """A document in JSON, changed in its structure or in its bytes."""
    if rng.random() < 0.3:
        return of_bytes(rng, data)
    return json.dumps(of_document(rng, json.loads(data))).encode("utf-8", "surrogatepass")


def of_toml(rng: random.Random, data: bytes) -> bytes:
    """A document in TOML, changed in its structure or in its lines or bytes."""
    draw = rng.random()
    if draw < 0.25:
        return of_bytes(rng, data)
    if draw < 0.4:
        return of_lines(rng, data)
    try:
        return tomli_w.dumps(of_document(rng, tomllib.loads(data.decode()))).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, AttributeError):  # TOML has no null, and no document but a table
        return of_lines(rng, data)


def of_lines(rng: random.Random, data: bytes) -> bytes:
    """A text with lines lost, doubled, exchanged, joined, or with a hostile cell or word in one."""
    lines = data.split(b"\n")
    for _ in range(rng.choice((1, 2, 4))):
        i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
        cells = lines[i].split(b",")
        cell = rng.randrange(len(cells))
        hostile = str(rng.choice(HOSTILE)).encode("utf-8", "surrogatepass")
        match rng.randrange(7):
            case 0 if len(lines) > 1:
                del lines[i]
            case 1:
                lines.insert(i, lines[j])
            case 2:
                lines[i], lines[j] = lines[j], lines[i]
            case 3:
                cells[cell] = rng.choice((hostile, b'"' + hostile, b"", b'"a\nb"', b"\xff\xfe", b"\xef\xbb\xbf"))
                lines[i] = b",".join(cells)
            case 4:
                del cells[cell]
                lines[i] = b",".join(cells)
            case 5:
                lines[i] += rng.choice((b",", b",x", b"\r", b'"', b"\0", b"]", b" = 1"))
            case _:
                lines[i] = rng.choice((b"", b"\xef\xbb\xbf" + lines[i], hostile, b"[[rule]]", b"x = [" * 200))
    return b"\n".join(lines)


def of_table(rng: random.Random, data: bytes) -> bytes:
    """A CSV file, changed in its lines or bytes."""
    return of_bytes(rng, data) if rng.random() < 0.25 else of_lines(rng, data)


# valid contents


@cache
def sounds() -> tuple[bytes, ...]:
    """Short clips in every form that is read: one and two channels, several rates and sample forms."""
    found = []
    wave = np.random.default_rng(0).normal(0, 0.1, (16_000, 2)).astype(np.float32)
    for form, subtype, rate in (
        ("WAV", "PCM_16", 16_000), ("WAV", "FLOAT", 8_000), ("WAV", "ULAW", 44_100), ("FLAC", "PCM_16", 16_000),
        ("FLAC", "PCM_24", 48_000), ("OGG", "VORBIS", 22_050), ("OGG", "OPUS", 48_000),
        ("MP3", "MPEG_LAYER_III", 16_000), ("AIFF", "PCM_16", 16_000), ("CAF", "ALAC_16", 16_000),
        ("AU", "PCM_16", 8_000), ("W64", "PCM_16", 16_000),
    ):  # fmt: skip
        buffer = io.BytesIO()
        soundfile.write(buffer, wave[:, : 1 + len(found) % 2], rate, format=form, subtype=subtype)
        found.append(buffer.getvalue())
    return tuple(found)


@cache
def pictures() -> tuple[bytes, ...]:
    """Small pictures in every form that is read, and in some that are not."""
    picture = Image.effect_noise((48, 40), 80).convert("RGB")
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "words"
    found = []
    for form, mode, options in (
        ("PNG", "RGB", {"exif": exif, "icc_profile": b"x" * 200}), ("PNG", "P", {}), ("PNG", "I;16", {}),
        ("JPEG", "RGB", {"exif": exif}), ("JPEG", "RGB", {"progressive": True}), ("JPEG", "CMYK", {}),
        ("GIF", "P", {"save_all": True, "append_images": [picture.rotate(90)] * 3}), ("WEBP", "RGB", {"exif": exif}),
        ("WEBP", "RGBA", {"lossless": True}), ("TIFF", "RGB", {"compression": "tiff_lzw"}), ("TIFF", "L", {}),
        ("TIFF", "RGB", {"compression": "jpeg"}), ("BMP", "RGB", {}), ("PPM", "RGB", {}), ("ICO", "RGBA", {}),
        ("JPEG2000", "RGB", {}), ("EPS", "RGB", {}), ("TGA", "RGB", {}),
    ):  # fmt: skip
        buffer = io.BytesIO()
        mode_of = picture.convert("L").convert("I").convert(mode) if mode == "I;16" else picture.convert(mode)
        mode_of.save(buffer, form, **options)
        found.append(buffer.getvalue())
    return tuple(found)


PLAN = b"""title = "a plan"
[cohort]
path = "cohort"
[model]
name = "planted"
weights = "w.safetensors"
[model.options]
rendered = {asian = {en = {white = 0.7}}}
[model.mitigation]
names = ["leace"]
[model.mitigation.options]
leace = {rank = 2}
[instrument]
name = "auto"
similarity = ["FaceRes"]
[run]
seed = 1
part = 64
max_seconds = 6.0
[measure]
by = ["group", "language"]
confidence = 0.95
margins = {S2F001 = 0.1}
calibration = "labelled.csv"
suppress_below = 5
"""
POLICY = b"""schema = 1
name = "a policy"
[[rule]]
id = "white"
check = "S2F001"
figure = "excess_over_portrait"
side = "at_most"
limit = 0.1
groups = ["asian"]
[[rule]]
id = "worse"
check = "S2F003"
kind = "non_inferiority"
margin = 0.05
[instrument]
min_recall = 0.6
allowed = ["embedded"]
[data]
max_missing = 0.1
[data.label_sources]
group = ["self_reported"]
[[data.strata]]
group = "asian"
language = "en"
speakers = 30
[[waiver]]
rule = "white"
name = "Ann"
reason = "a reason"
granted = 2026-01-01
expires = 2026-12-31
run = "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
worst = 0.5
[evidence]
allow = ["simulated", "shared_audio", "shared_portrait", "baseline_is_run", "unpinned"]
[pins]
seed = 0
"""
TRAINING = b"""name = "x"
configuration = "small"
cohort = "synthetic_bilingual/training"
seed = 3
[coverage]
asian = {en = 0.0, other = 1.0}
white = ["en"]
[faces]
steps = 10
[voices]
steps = 10
[mitigation]
names = ["coverage", "group_dro"]
[mitigation.group_dro]
rate = 0.01
"""
TRUTH = b"""groups = ["asian", "white", "asian|indian"]
speakers_per_group = 50
clips_per_language = 2
languages = ["en", "zh"]
icc = 0.3
icc_between_languages = 0.2
missing = {asian = 0.1}
gender_right = 0.9
[rendered.asian.en]
white = 0.6
black = 0.1
[portrait.white]
asian = 0.1
"""
NOTES = b'name = "a cohort"\nlicence = "CC0"\nconsent = "given"\nnotes = "none"\nfictional = true\nfiles = ""\n'
SPEAKERS = (
    b"speaker_id,group,gender,age,portrait,group_source,gender_source,native_language,split,accent\n"
    b"a,asian,woman,30,a.png,self_reported,annotator,zh,test,x\n"
    b'b,asian|indian,man,,"b.png",metadata,,en-GB,,\n'
    b"c,unknown,unknown,119.5,,inferred,synthetic,,training,=1\n"
)
CLIPS = (
    b"clip_id,speaker_id,audio,language,language_source,portrait,rendered,ceiling\n"
    b"1,a,a.wav,en,annotator,,a.png,\n2,a,b.wav,zh-TW,metadata,,,\n3,b,,en,assumed,b.png,r.png,c.png\n4,c,d.wav,fr,,,,\n"
)
LABELS = b"speaker_id,group,group_source,gender,gender_source,age\na,white,annotator,man,annotator,40\nb,,,,,\n"
CALIBRATION = b"truth,read,subject\nasian,asian,a\nasian,white,a\nwhite,white,\nblack,black,c\n"


@cache
def run_files() -> dict[str, bytes]:
    """A small run of planted truth, and what is made of it."""
    truth = {"groups": ["asian", "white"], "speakers_per_group": 6, "languages": ["en", "zh"], "missing": 0.1}
    with tempfile.TemporaryDirectory() as place:
        run = audit.simulate(truth, out=Path(place) / "run")
        audit.measure(run).write(Path(place) / "run")
        made = audit.compare(run, run).to_json().encode()
        files = {str(path.relative_to(place)): path.read_bytes() for path in Path(place).rglob("*") if path.is_file()}
    clips = run.observations.loc[run.observations["rendered_status"] == "ok", "clip_id"].head(6)
    readings = "clip_id,reader,race\n" + "".join(f"{clip},Ann,asian\n{clip},Bo,cannot_tell\n" for clip in clips)
    manifest = {**json.loads(files["run/manifest.json"]), "status": "running", "parts": {}}  # so any part is read
    return {
        **files,
        "comparison": made,
        "readings": readings.encode(),
        "manifest": json.dumps(manifest).encode(),
    }


def run_in(place: Path, **changed: bytes) -> Path:
    """That run in a folder, some of its files changed."""
    part = next(name for name in run_files() if name.endswith(".parquet"))
    files = {"manifest.json": run_files()["manifest"], part.removeprefix("run/"): run_files()[part], **changed}
    files |= {part.removeprefix("run/"): changed["part"]} if "part" in changed else {}
    for name, data in files.items():
        if name != "part":
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(data)
    return place


@cache
def tensors() -> tuple[bytes, ...]:
    """Small safetensors files: one that says it is a network, one of a training's state, one of neither."""
    import torch
    from safetensors.torch import save

    from audit.models.speech2face.checkpoint import FORMAT, Card
    from audit.models.speech2face.config import CONFIGURATIONS

    some = {"a.weight": torch.ones(3, 4), "b": torch.zeros(2, dtype=torch.float16)}
    configuration = next(iter(CONFIGURATIONS.values()))
    told = {"configuration": configuration.model_dump(mode="json"), "card": Card(name="x").model_dump(mode="json")}
    return (
        save(some, {FORMAT: json.dumps(told)}),
        save(some, {"identity": "x", "stage": "faces", "step": "3"}),
        save(some),
    )


@cache
def checkpoints() -> tuple[bytes, ...]:
    """Small files as torch writes them, in both of its forms."""
    import torch

    found = []
    for zipped in (True, False):
        buffer = io.BytesIO()
        torch.save({"model.0.weight": torch.ones(2, 3)}, buffer, _use_new_zipfile_serialization=zipped)
        found.append(buffer.getvalue())
    return tuple(found)


@cache
def parquet_tables() -> tuple[bytes, ...]:
    """The speakers as Parquet, as texts and as numbers."""
    texts = pd.read_csv(io.BytesIO(SPEAKERS), dtype=str, keep_default_na=False)
    found = []
    for frame in (texts, texts.assign(age=[30.0, None, 119.5]), texts.assign(accent=[{"a": 1}, None, {"a": 2}])):
        buffer = io.BytesIO()
        frame.to_parquet(buffer)
        found.append(buffer.getvalue())
    return tuple(found)


# what reads them


def _file(place: Path, data: bytes, name: str) -> Path:
    (place / name).write_bytes(data)
    return place / name


def _cohort(place: Path, **files: bytes) -> Outcome:
    contents = {"speakers.csv": SPEAKERS, "clips.csv": CLIPS, "cohort.toml": NOTES, **files}
    if "speakers.parquet" in files:
        del contents["speakers.csv"]
    for name, data in contents.items():
        (place / name).write_bytes(data)
    cohort = audit.Cohort.read(place)
    check_cohort(cohort).as_dict()
    assert cohort.digest and cohort.audited().table is not None
    return "accepted"


def _labels(data: bytes, place: Path) -> Outcome:
    speakers, clips = (pd.read_csv(io.BytesIO(table), dtype=str, keep_default_na=False) for table in (SPEAKERS, CLIPS))
    with_labels(Imported(speakers, clips, audit.CohortNotes()), _file(place, data, "labels.csv"))
    return "accepted"


def _sound(data: bytes, place: Path) -> Outcome:
    clip = read_clip(_file(place, data, "a.wav"))
    assert clip.waveform is None or (clip.waveform.dtype == np.float32 and np.isfinite(clip.waveform).all())
    assert "0x" not in clip.detail, "no address in memory, which would differ from run to run"
    return "accepted" if clip.status == "ok" else "refused"


def _picture(data: bytes, place: Path) -> Outcome:
    _file(place, data, "a.png")
    found = read_picture(place / "a.png")
    assert found.pixels is None or (found.pixels.dtype == np.uint8 and found.pixels.shape[2] == 3)
    return "accepted" if found.status == "ok" else "refused"


def _manifest(data: bytes, place: Path) -> Outcome:
    run = audit.Run.read(run_in(place, **{"manifest.json": data}))
    identity(run)
    assert run.digest
    return "accepted"


def _part(data: bytes, place: Path) -> Outcome:
    run = audit.Run.read(run_in(place, part=data))
    assert run.digest and identity(run)
    return "accepted"


def _network(data: bytes, place: Path) -> Outcome:
    from audit.models.speech2face.checkpoint import load_checkpoint

    load_checkpoint(_file(place, data, "w.safetensors"))
    return "accepted"


def _state(data: bytes, place: Path) -> Outcome:
    from audit.training.state import read_state

    read_state(_file(place, data, "state.safetensors").parent, "x")
    return "accepted"


def _published(data: bytes, place: Path) -> Outcome:
    from audit.models.wen2019 import GENERATOR_FILE, VOICE_FILE, Wen2019

    for name in (VOICE_FILE, GENERATOR_FILE):
        _file(place, data, name)
    Wen2019(place, vad="none", device="cpu")
    return "accepted"


def _done(_: object) -> Outcome:
    return "accepted"


def _document(kind: type[Document], data: bytes, place: Path) -> Outcome:
    """A document as it was damaged; and where it is still JSON, with a digest that fits the damaged content."""
    try:
        kind.read(_file(place, data, kind.FILE).parent)
    except audit.RunError as refused:
        try:
            fitting = sealed(json.loads(data))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise refused from None
        kind.from_json(fitting)
    return "accepted"


def _readings(data: bytes, place: Path) -> Outcome:
    return _done(read_human_readings(_file(place, data, "readings.csv"), _run_of_the_readings()))


@cache
def _run_of_the_readings() -> audit.Run:
    return audit.simulate(
        {"groups": ["asian", "white"], "speakers_per_group": 6, "languages": ["en", "zh"], "missing": 0.1}
    )


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("plan", lambda: (PLAN,), of_toml, lambda d, p: _done(audit.Plan.read(_file(p, d, "p.toml")))),
        Kind("policy", lambda: (POLICY,), of_toml, lambda d, p: _done(audit.Policy.read(_file(p, d, "p.toml")))),
        Kind("training plan", lambda: (TRAINING,), of_toml, lambda d, p: _done(TrainPlan.read(_file(p, d, "p.toml")))),
        Kind("planted truth", lambda: (TRUTH,), of_toml, lambda d, p: _done(Truth.of(_file(p, d, "t.toml")))),
        Kind("speakers.csv", lambda: (SPEAKERS,), of_table, lambda d, p: _cohort(p, **{"speakers.csv": d})),
        Kind("clips.csv", lambda: (CLIPS,), of_table, lambda d, p: _cohort(p, **{"clips.csv": d})),
        Kind("cohort.toml", lambda: (NOTES,), of_toml, lambda d, p: _cohort(p, **{"cohort.toml": d})),
        Kind("speakers.parquet", parquet_tables, of_bytes, lambda d, p: _cohort(p, **{"speakers.parquet": d})),
        Kind("labels", lambda: (LABELS,), of_table, _labels),
        Kind(
            "calibration", lambda: (CALIBRATION,), of_table, lambda d, p: _done(read_calibration(_file(p, d, "c.csv")))
        ),
        Kind("human readings", lambda: (run_files()["readings"],), of_table, _readings),
        Kind("manifest.json", lambda: (run_files()["manifest"],), of_json, _manifest),
        Kind(
            "audit.json",
            lambda: (run_files()["run/audit.json"],),
            of_json,
            lambda d, p: _document(audit.Audit, d, p),
        ),
        Kind(
            "comparison.json",
            lambda: (run_files()["comparison"],),
            of_json,
            lambda d, p: _document(audit.Comparison, d, p),
        ),
        Kind(
            "observations",
            lambda: tuple(data for name, data in run_files().items() if name.endswith(".parquet")),
            of_bytes,
            _part,
        ),
        Kind("weights", tensors, of_bytes, _network),
        Kind("state of a training", tensors, of_bytes, _state),
        Kind("published checkpoint", checkpoints, of_bytes, _published),
        Kind("audio", sounds, lambda rng, data: of_bytes(rng, data, sounds()), _sound),
        Kind("pictures", pictures, lambda rng, data: of_bytes(rng, data, pictures()), _picture),
    )
}
