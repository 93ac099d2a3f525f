"""Opening files of strangers: no pipe is waited for, no link is followed, and memory is bounded."""

from __future__ import annotations

import io
import os
import pickle
import threading
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

import audit
import audit.cli
from audit.core import files, memory, parquet, pictures
from audit.core.errors import AuditError, RunError
from audit.core.files import TEMPORARY, make_folder, replacing, temporary_path, write_whole
from audit.core.lock import claim
from audit.core.memory import MemoryLimit
from audit.core.opening import UnsafeFile, check_inside, read_regular
from audit.core.plan import EngineSettings
from audit.models.pytorch import read_saved
from audit.runs.harness.answering import pictures_of
from audit.training.plan import TrainPlan
from tests.fakes import ColourInstrument, LoudnessModel
from tests.test_safety_loading import zipped

TRUTH = {"groups": ["asian", "white"], "languages": ["en", "zh"], "speakers_per_group": 4}
pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a small simulated run."""
    audit.simulate(TRUTH, out=tmp_path / "run")
    return tmp_path / "run"


def in_place(path: Path, kind: str) -> None:
    """Put a pipe or a link in the place of a file."""
    kept = path.rename(path.with_name(f"{path.name}.kept"))
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(kept)


@pytest.mark.parametrize("kind", ["pipe", "link"])
@pytest.mark.parametrize("name", ["observations/part-000000.parquet", "manifest.json"])
def test_a_pipe_or_link_in_a_run_is_refused(run: Path, kind: str, name: str) -> None:
    """A pipe as a part made measure and gate wait forever, whether or not the manifest has its digest."""
    in_place(run / name, kind)
    if name != "manifest.json":
        text = (run / "manifest.json").read_text(encoding="utf-8").replace('"complete"', '"running"')
        (run / "manifest.json").write_text(text.replace("part-000000.parquet", "part-000009.parquet"), encoding="utf-8")
    for read in (audit.Run.read, audit.gate):
        with pytest.raises(RunError, match=f"it is a {kind}"):
            read(run)  # type: ignore[operator]  # both take a path


def test_a_folder_of_parts_that_is_a_link_is_refused(run: Path) -> None:
    in_place(run / "observations", "link")
    with pytest.raises(RunError, match="inside a folder that is one"):
        audit.Run.read(run)


@pytest.mark.parametrize("read", [audit.Plan.read, audit.Policy.read, TrainPlan.read, audit.FrontMatter.read])
def test_a_pipe_or_device_in_place_of_a_text_is_refused(tmp_path: Path, read: Callable[[Path], object]) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    for path, words in ((tmp_path / "pipe.toml", "it is a pipe"), (Path("/dev/zero"), "it is a device")):
        with pytest.raises(AuditError, match=words):
            read(path)


def test_a_document_or_a_table_that_is_a_pipe_is_refused(run: Path, tmp_path: Path) -> None:
    os.mkfifo(run / "audit.json")
    with pytest.raises(RunError, match="it is a pipe"):
        audit.Audit.read(run)
    os.mkfifo(tmp_path / "readings.csv")
    with pytest.raises(AuditError, match="it is a pipe"):
        audit.measure(run, human_readings=tmp_path / "readings.csv")


def test_row_groups_that_would_not_fit_are_refused_by_the_footer(
    run: Path, make_cohort: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort = make_cohort()
    pd.read_csv(cohort / "clips.csv").to_parquet(cohort / "clips.parquet")
    (cohort / "clips.csv").unlink()
    assert audit.Cohort.read(cohort).clips.shape[0] == 16
    for limit in ("MAX_GROUP_VALUES", "MAX_GROUP_BYTES"):
        with monkeypatch.context() as patch:
            patch.setattr(parquet, limit, 10)
            for read, folder in ((audit.Run.read, run), (audit.Cohort.read, cohort)):
                with pytest.raises(AuditError, match="smaller row groups"):
                    read(folder)  # type: ignore[operator]  # both take a path


def test_a_file_is_only_opened_inside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_text("a", encoding="utf-8")
    (tmp_path / "in" / "b").symlink_to(tmp_path / "in" / "a")
    (tmp_path / "c").symlink_to(tmp_path / "in", target_is_directory=True)
    assert check_inside(tmp_path, "in/a").read_text(encoding="utf-8") == "a"
    for name, words in (
        ("in/b", "a link"),
        ("c/a", "a link"),
        ("../x", "outside"),
        ("in", "a folder"),
        ("/x", "outside"),
    ):
        with pytest.raises(UnsafeFile, match=words):
            check_inside(tmp_path, name)
    with pytest.raises(UnsafeFile, match="larger than 3 bytes"):
        read_regular(write(tmp_path / "large", b"1234"), 3)


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


# writing


def test_runs_faces_and_caches_are_private_unless_shared(make_cohort: Callable[..., Path], tmp_path: Path) -> None:
    cohort, old = audit.Cohort.read(make_cohort()), os.umask(0o022)
    modes = {}
    try:
        for shared in (False, True):
            place = tmp_path / str(shared) / "runs"
            audit.run(
                cohort,
                model=LoudnessModel(),
                instrument=ColourInstrument(),
                out=place / "run",
                engine=EngineSettings(shared=shared),
            )
            made = [path for top in (place / "run", place / ".audit-cache") for path in (top, *top.rglob("*"))]
            modes[shared] = {(path.is_dir(), path.stat().st_mode & 0o777) for path in made if path.name != ".lock"}
    finally:
        os.umask(old)
    assert modes == {False: {(True, 0o700), (False, 0o600)}, True: {(True, 0o755), (False, 0o644)}}


def test_a_run_is_on_the_disk_before_it_says_that_it_is_complete(
    make_cohort: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file and folder of a run is waited for, before the manifest that says so is."""
    waited: list[int] = []
    monkeypatch.setattr(files.os, "fsync", lambda descriptor: waited.append(os.fstat(descriptor).st_ino))
    folder = tmp_path / "run"
    audit.run(audit.Cohort.read(make_cohort()), model=LoudnessModel(), instrument=ColourInstrument(), out=folder)
    manifest = (folder / "manifest.json").stat().st_ino
    before = {*waited[: len(waited) - 1 - waited[::-1].index(manifest)]}
    needed = [folder, *(folder / name for name in ("observations", "faces")), *folder.glob("*/*")]
    assert {path.stat().st_ino for path in needed} <= before
    assert waited[-1] == folder.stat().st_ino, "the new name of the manifest, too"


def test_a_link_in_the_place_of_a_temporary_file_is_not_written_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = write(tmp_path / "mine", b"mine")
    planted = temporary_path(tmp_path / "a.json")
    assert TEMPORARY.fullmatch(planted.name)
    planted.symlink_to(mine)
    monkeypatch.setattr(files, "temporary_path", lambda path: planted)
    write_whole(tmp_path / "a.json", "new")
    assert mine.read_bytes() == b"mine" and (tmp_path / "a.json").read_bytes() == b"new"
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "a.json"):
        _ = 1 / 0
    assert (tmp_path / "a.json").read_bytes() == b"new" and not planted.exists()


def test_a_lock_of_another_origin_is_left_alone(tmp_path: Path) -> None:
    mine = write(tmp_path / "mine", b"mine")
    for make in (lambda path: path.symlink_to(mine), lambda path: path.write_bytes(b"theirs")):
        make(tmp_path / ".lock")
        with pytest.raises(RunError, match="was not written by this tool"):
            claim(tmp_path)
        (tmp_path / ".lock").unlink()
    assert mine.read_bytes() == b"mine"
    with claim(tmp_path):
        pass


def test_an_existing_folder_keeps_its_permissions(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    make_folder(tmp_path / "open")
    assert (tmp_path / "open").stat().st_mode & 0o777 == 0o755


# memory


def test_large_pictures_wait_for_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four threads took four times the memory of one."""
    Image.effect_noise((1600, 1600), 50).convert("RGB").save(tmp_path / "a.bmp")
    lock, inside, most = threading.Lock(), 0, 0
    convert = pictures.in_rgb

    def counted(*given: Image.Image) -> tuple[Image.Image, list[str]]:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        made = convert(*given)
        with lock:
            inside -= 1
        return made

    limit = MemoryLimit(2 * 1600 * 1600 * 12 - 1)
    monkeypatch.setattr(pictures, "DECODING", limit)
    monkeypatch.setattr(pictures, "in_rgb", counted)
    with ThreadPoolExecutor(4) as threads:
        found = [*threads.map(pictures.read_picture, [tmp_path / "a.bmp"] * 4)]
    assert {picture.status for picture in found} == {"ok"}
    assert most == 1 and limit.used == 0


def test_one_that_needs_more_than_the_limit_runs_alone() -> None:
    limit = MemoryLimit(100)
    with limit.reserved(10**9):
        assert limit.used == 100
    assert limit.used == 0 and memory.DECODING.n_bytes == memory.DECODER_BYTES


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x02cbuiltins\nbytearray\nJ\x00\x00\x00\x40\x85R.",
        b"\x80\x05\x96\x00\x00\x00\x40\x00\x00\x00\x00x.",
        b"\x80\x02}r\xff\xff\xff\x0fcos\nsystem\n)R.",
        b"\x80\x02ccollections\nOrderedDict\n]\x85R.",
        pickle.dumps({"a": {1, 2}}, 4),
    ],
    ids=["bytearray by call", "bytearray by instruction", "memo", "copies", "a set"],
)
def test_a_checkpoint_cannot_make_the_reader_allocate(tmp_path: Path, data: bytes) -> None:
    """A file of 858 bytes unpickled to a gigabyte, with weights_only=True too."""
    tracemalloc.start()
    try:
        for content in (zipped(data), data):
            with pytest.raises(AuditError, match="more than tensors"):
                read_saved(write(tmp_path / "a.pth", content), 1 << 28)
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def test_a_tensor_is_no_larger_than_its_bytes(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    buffer = io.BytesIO()
    torch.save({"w": torch.ones(4, 4)}, buffer)
    data = buffer.getvalue()
    assert torch.equal(read_saved(write(tmp_path / "a.pth", data), 1 << 20)["w"], torch.ones(4, 4))
    larger = data.replace(b"K\x04K\x04\x86", b"K\xffK\xff\x86")
    assert larger != data
    with pytest.raises(AuditError, match="larger than its bytes|damaged"):
        read_saved(write(tmp_path / "a.pth", larger), 1 << 20)


def test_lack_of_memory_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(error: Exception) -> Callable[[], None]:
        def app() -> None:
            raise error

        return app

    for error, words in (
        (MemoryError("Unable to allocate 9 GiB"), "not enough memory: Unable to allocate 9 GiB"),
        (OSError(5, "Input/output error", "a.csv"), "Input/output error"),
        (OSError(24, "Too many open files"), "Too many open files"),
    ):
        monkeypatch.setattr(audit.cli, "app", fails(error))
        monkeypatch.setattr("sys.argv", ["audit"])
        with pytest.raises(SystemExit) as end:
            audit.cli.main()
        assert end.value.code == 2
        assert words in capsys.readouterr().err


def test_lack_of_memory_is_no_failure_of_the_model() -> None:
    """It must not count in the failure gap: the run stops, and continues where there is more memory."""
    of_torch = type("OutOfMemoryError", (RuntimeError,), {})
    for error in (MemoryError("9 GiB"), of_torch("CUDA out of memory")):

        def render(some: list[int], error: Exception = error) -> list[None]:
            raise error

        with pytest.raises(RunError, match="ran out of memory on a single clip"):
            pictures_of(render, [1, 2])
    assert pictures_of(lambda some: [None for _ in some], [1])[0].picture is None
