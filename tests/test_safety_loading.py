"""Files from strangers: nothing in them is run, nothing waits for ever, and none takes more memory than is allowed."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import re
import resource
import signal
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

import audit
from audit.core.audio import clip_seconds, read_clip
from audit.core.errors import AuditError, CohortError
from audit.core.pictures import read_picture
from audit.models.speech2face.checkpoint import load_checkpoint
from audit.models.wen2019 import GENERATOR_FILE, VOICE_FILE, Wen2019, generator_network, voice_network
from audit.training.state import STATE, read_state

ROOT = Path(__file__).parent.parent


class Bomb:
    """Writes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return os.system, (f"touch '{self.path}'",)


def zipped(data: bytes) -> bytes:
    """A pickle inside a checkpoint as torch writes them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
    return buffer.getvalue()


@pytest.fixture(params=["protocol 0", "protocol 2", "protocol 4", "torch's zip", "torch's old form"])
def malicious(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[bytes, Path]:
    """A checkpoint that writes a file when it is unpickled, and that file."""
    mark = tmp_path / "it ran"
    bomb = {"weight": Bomb(mark)}
    if request.param.startswith("protocol"):
        return pickle.dumps(bomb, int(request.param[-1])), mark
    if request.param == "torch's zip":
        return zipped(pickle.dumps(bomb, 2)), mark
    buffer = io.BytesIO()
    torch.save(bomb, buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue(), mark


def test_the_bomb_works(malicious: tuple[bytes, Path], tmp_path: Path) -> None:
    data, mark = malicious
    (tmp_path / "x").write_bytes(data)
    with contextlib.suppress(RuntimeError):  # of a bare pickle, once it has run
        torch.load(tmp_path / "x", weights_only=False)
    assert mark.exists(), "else the tests below could not fail"


@pytest.mark.parametrize("name", ["w.safetensors", "w.pt", "w.bin", "w"])
def test_weights_that_run_code_are_refused(malicious: tuple[bytes, Path], tmp_path: Path, name: str) -> None:
    data, mark = malicious
    (tmp_path / name).write_bytes(data)
    with pytest.raises(AuditError):
        audit.model("speech2face", weights=tmp_path / name)
    assert not mark.exists()


@pytest.mark.parametrize("name", [VOICE_FILE, GENERATOR_FILE])
def test_published_checkpoints_that_run_code_are_refused(
    malicious: tuple[bytes, Path], tmp_path: Path, name: str
) -> None:
    data, mark = malicious
    torch.save({f"model.{key}": v for key, v in voice_network().state_dict().items()}, tmp_path / VOICE_FILE)
    torch.save({f"model.{key}": v for key, v in generator_network().state_dict().items()}, tmp_path / GENERATOR_FILE)
    assert Wen2019(tmp_path, vad="none", device="cpu").name == "wen2019", "the plain ones load"
    (tmp_path / name).write_bytes(data)
    with pytest.raises(AuditError, match="more than tensors"):
        audit.model("wen2019", weights=tmp_path, options={"vad": "none"})
    assert not mark.exists()


def test_the_state_of_a_training_that_runs_code_is_refused(malicious: tuple[bytes, Path], tmp_path: Path) -> None:
    data, mark = malicious
    (tmp_path / STATE).write_bytes(data)
    with pytest.raises(AuditError):
        read_state(tmp_path, "identity")
    assert not mark.exists()


def test_a_checkpoint_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / VOICE_FILE, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}, 2))
        archive.writestr("archive/data/0", bytes(300 << 20))
    (tmp_path / GENERATOR_FILE).write_bytes(b"")
    with pytest.raises(AuditError, match="bytes unpacked"):
        Wen2019(tmp_path, vad="none", device="cpu")


def test_no_module_of_the_package_unpickles() -> None:
    word = re.compile(
        r"torch\.load\(|np\.load\(|pickle\.loads?\(|read_pickle\(|joblib|shelve|marshal\.|(?<![\w.])(eval|exec)\("
    )
    allowed = {
        "appearance.py": "np.load(path, allow_pickle=False)",
        "local.py": "pickle.loads(sent)  # written by the parent process",
    }
    found = [
        (path.name, line.strip())
        for path in (ROOT / "audit").rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if word.search(line)
    ]
    assert {name for name, line in found if allowed.get(name, "?") in line} == allowed.keys()
    assert len(found) == len(allowed), found


# what is no file


@pytest.fixture
def soon() -> Iterator[None]:
    """Ends a test that waits."""

    def end(*_: object) -> None:
        raise TimeoutError("it waited")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def stall(kind: str, path: Path) -> None:
    """A pipe that nobody writes into, or a link to a device that never ends."""
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")


@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.usefixtures("soon")
def test_special_files_are_not_read(tmp_path: Path, kind: str) -> None:
    stall(kind, path := tmp_path / "x")
    assert read_clip(path).status == "audio_unreadable"
    assert clip_seconds(path) is None
    assert read_picture(path).status == "unreadable"
    with pytest.raises(AuditError):
        load_checkpoint(path)
    stall(kind, tmp_path / VOICE_FILE)
    with pytest.raises(AuditError):
        Wen2019(tmp_path, vad="none", device="cpu")
    stall(kind, tmp_path / STATE)
    assert read_state(tmp_path, "x") is None


@pytest.mark.usefixtures("soon")
def test_a_pipe_in_a_cohort_costs_one_clip(make_cohort: Callable[..., Path], tmp_path: Path) -> None:
    from tests.fakes import ColourInstrument, LoudnessModel

    folder = make_cohort()
    stall("pipe", folder / "audio" / "s0-en.wav")
    stall("pipe", folder / "portraits" / "s1.png")
    seen = audit.run(
        audit.Cohort.read(folder), model=LoudnessModel(), instrument=ColourInstrument(), out=tmp_path / "r"
    )
    statuses = seen.observations.set_index("clip_id")["status"]
    assert statuses["s0-en"] == "audio_unreadable" and statuses["s1-en"] == "portrait_missing"
    assert (statuses == "ok").sum() == 13


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("name", ["speakers.csv", "clips.csv", "cohort.toml"])
def test_a_cohort_whose_table_is_a_pipe_is_refused(make_cohort: Callable[..., Path], name: str) -> None:
    folder = make_cohort()
    stall("pipe", folder / name)
    with pytest.raises(CohortError):
        audit.Cohort.read(folder)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/hostname",
        "../outside.wav",
        "a/../../outside.wav",
        "link.wav",
        "folder/outside.wav",
        "..\\outside.wav",
        "a\0b",
    ],
)
def test_a_path_may_not_leave_the_cohort(make_cohort: Callable[..., Path], path: str) -> None:
    folder = make_cohort()
    outside = folder.parent / "outside.wav"
    outside.write_bytes((folder / "audio" / "s0-en.wav").read_bytes())
    (folder / "link.wav").symlink_to(outside)
    (folder / "folder").symlink_to(folder.parent)
    for table, old in (("clips.csv", "audio/s0-en.wav"), ("speakers.csv", "portraits/s0.png")):
        text = (folder / table).read_text()
        (folder / table).write_text(text.replace(old, path))
        with pytest.raises(CohortError, match="is outside the folder|is not a CSV file"):
            audit.Cohort.read(folder)
        (folder / table).write_text(text)


# bombs


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of one grey tone that claims a size, with further chunks before its pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = zlib.compress(bytes(64 * 65))
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + b"".join(chunk(*one) for one in chunks)
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


def many_frames(form: str) -> bytes:
    """A small picture with five hundred frames."""
    frames = [Image.effect_noise((64, 64), 60 + i % 20).convert("RGB") for i in range(20)] * 25
    buffer = io.BytesIO()
    frames[0].save(buffer, form, save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def claimed(data: bytes, size: tuple[int, int]) -> bytes:
    """A JPEG whose head claims another size."""
    place = data.index(b"\xff\xc0") + 5
    return data[:place] + struct.pack(">HH", size[1], size[0]) + data[place + 4 :]


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((64, 64), 60).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


def wav(channels: int, rate: int, frames: int, claimed_bytes: int | None = None) -> bytes:
    """A WAV file of 16-bit samples whose head claims what it likes."""
    data = np.random.default_rng(0).integers(-9000, 9000, frames * channels).astype("<i2").tobytes()
    size = len(data) if claimed_bytes is None else claimed_bytes
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2 & 0xFFFFFFFF, channels * 2 & 0xFFFF, 16)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + size & 0xFFFFFFFF)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + b"data"
        + struct.pack("<I", size)
        + data
    )


def flac_of_ten_hours() -> bytes:
    """A FLAC file of two seconds whose head claims ten hours."""
    buffer = io.BytesIO()
    soundfile.write(buffer, np.random.default_rng(0).normal(0, 0.1, 32_000), 16_000, format="FLAC")
    data = bytearray(buffer.getvalue())
    place = 8 + 13  # after the marker and the block's head: four bits, then 32 of the number of samples
    data[place : place + 5] = bytes([data[place] & 0xF0]) + struct.pack(">I", 36_000 * 16_000)
    return bytes(data)


BOMBS: dict[str, Callable[[], bytes]] = {
    "png of 900 million pixels": lambda: png(30_000, 30_000),
    "png with a text of 200 MB": lambda: png(64, 64, (b"zTXt", b"a\0\0" + zlib.compress(bytes(200 << 20)))),
    "png with a profile of 200 MB": lambda: png(64, 64, (b"iCCP", b"a\0\0" + zlib.compress(bytes(200 << 20)))),
    "gif of many frames": lambda: many_frames("GIF"),
    "animated png": lambda: many_frames("PNG"),
    "tiff of many frames": lambda: many_frames("TIFF"),
    "jpeg that claims 65,000 pixels a side": lambda: claimed(jpeg(), (65_000, 65_000)),
    "svg": lambda: (
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>'
    ),
    "postscript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n%%EOF\n",
    "wav of 1,000 channels": lambda: wav(1000, 192_000, 300),
    "wav at 1 Hz": lambda: wav(1, 1, 40_000),
    "wav at 10 MHz": lambda: wav(1, 10_000_000, 40_000),
    "wav that claims 4 GB": lambda: wav(1, 16_000, 40_000, 0xFFFFFFF0),
    "flac that claims ten hours": flac_of_ten_hours,
}

READ = """
import resource, sys
from pathlib import Path
import audit.core.audio, audit.core.pictures, numpy, PIL.Image, soundfile, soxr
PIL.Image.init()
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (700 << 20),) * 2)
for path in map(Path, sys.argv[1:]):
    print(path.name, audit.core.audio.read_clip(path).status, audit.core.pictures.read_picture(path).status, sep="|")
"""


@pytest.fixture(scope="module")
def bombs_read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """What is made of each bomb, by a process that may take no more than 700 MB."""
    folder = tmp_path_factory.mktemp("bombs")
    for name, make in BOMBS.items():
        (folder / name).write_bytes(make())
    paths = [str(folder / name) for name in BOMBS]
    done = subprocess.run(
        [sys.executable, "-c", READ, *paths], capture_output=True, text=True, check=False, cwd=ROOT, timeout=120
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split("|") for line in done.stdout.splitlines()]
    return {name: (clip, picture) for name, clip, picture in rows}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_bounded(bombs_read: dict[str, tuple[str, str]], name: str) -> None:
    clip, picture = bombs_read[name]
    if "frames" in name or "animated" in name:
        assert picture == "ok", "its first frame is a picture like any other"
    elif "claims" in name and "jpeg" not in name:
        assert clip == "ok" or clip == "audio_unreadable"
    else:
        assert clip == "audio_unreadable" and picture in ("unreadable", "file_unsupported")


def test_memory_stays_within_the_stated_limit() -> None:
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY, "the limit is the subprocess's alone"
