"""Addresses: what they may be, how files get there whole, and one process at a time."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import fsspec
import pytest

from audit.core import lock_object
from audit.core.addresses import is_address, local_path, place, recorded
from audit.core.errors import AuditError, RunError
from audit.core.files import file_digest, replacing, write_whole
from audit.core.lock import claim
from audit.core.transfer import at_hand, copy, fetched, listing, put_bytes, put_new, read_bytes, remove
from audit.core.written_files import LIST, refuse_foreign_files, write_files


@pytest.fixture
def there() -> Iterator[Path]:
    """An empty folder at an address in this process's memory."""
    folder = place(f"memory://{uuid4().hex}/run")
    yield folder
    fsspec.filesystem("memory").store.clear()


@pytest.mark.parametrize("given", ["reports/run", "/tmp/run", "C:/run", "s3", "a:b", "module:factory"])
def test_paths_of_this_machine_stay_paths(given: str) -> None:
    assert place(given) == Path(given) and not is_address(given) and not is_address(Path(given))


def test_an_address_that_was_made_a_path_is_that_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(place(Path("memory://bucket/run"))) == "memory://bucket/run"
    monkeypatch.chdir(tmp_path)
    Path("memory:").mkdir()
    assert place(Path("memory:/run")) == Path("memory:/run"), "a folder of that name is a folder"


@pytest.mark.parametrize("address", ["s3://key:secret@bucket/run", "memory://bucket/run?token=secret"])
def test_an_address_with_a_secret_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(AuditError, match="has a password, a query or several protocols") as refused:
        place(address)
    assert "secret" not in str(refused.value) and "secret" not in recorded(address)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nowhere://bucket/run", "Unsupported filesystem"),
        ("s3://", "names no folder"),
        ("simplecache::s3://bucket/run", "several protocols"),
    ],
)
def test_an_address_that_cannot_be_opened_is_refused(address: str, said: str) -> None:
    with pytest.raises(AuditError, match=said):
        place(address)


def test_a_missing_package_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    with pytest.raises(AuditError) as refused:
        place("s3://bucket/run")
    assert refused.value.next_step == "pip install 'speech2face-audit[s3]'"


def test_what_works_on_this_machine_only_refuses_an_address() -> None:
    for given in ("s3://bucket/sheet", Path("s3://bucket/sheet")):
        with pytest.raises(AuditError, match=r"The sheet is s3://bucket/sheet, an address\."):
            local_path(given, "The sheet")


def test_files_get_to_an_address_and_back(there: Path, tmp_path: Path) -> None:
    write_whole(there / "a.txt", "one")
    with replacing(there / "b.txt", durable=True) as stream:
        stream.write(b"two")
        assert [path.name for path in listing(there)] == ["a.txt"]
    with pytest.raises(KeyError), replacing(there / "a.txt") as stream:
        stream.write(b"half")
        raise KeyError
    assert read_bytes(there / "a.txt") == b"one"
    assert [path.name for path in listing(there)] == ["a.txt", "b.txt"]
    assert not put_new(b"three", there / "b.txt") and read_bytes(there / "b.txt") == b"two"
    copy(there / "b.txt", there / "c.txt")
    copy(there / "c.txt", tmp_path / "c.txt")
    assert (tmp_path / "c.txt").read_text() == "two" and file_digest(there / "c.txt") == file_digest(tmp_path / "c.txt")
    remove(there / "a.txt")
    remove(there / "a.txt")
    assert not at_hand(there / "a.txt").exists()


def test_a_file_at_hand_is_fetched_again_when_it_changed(there: Path) -> None:
    put_bytes(b"one", there / "a.txt")
    assert at_hand(there / "a.txt").read_bytes() == b"one"
    put_bytes(b"two", there / "a.txt")
    assert at_hand(there / "a.txt").read_bytes() == b"two" and at_hand(there / "a.txt").name == "a.txt"


def test_copies_of_a_cohorts_files_are_removed_and_large_ones_are_not_fetched(there: Path) -> None:
    put_bytes(b"12345", there / "large.wav")
    put_bytes(b"1", there / "small.wav")
    with fetched(there, ["small.wav", "large.wav", "missing.wav", ""], most_bytes=4) as files:
        assert files["small.wav"].read_bytes() == b"1" and not files["missing.wav"].exists()
        assert files["large.wav"].stat().st_size == 5 and files["large.wav"].read_bytes() == bytes(5)
    assert not files["small.wav"].exists()


def test_a_store_that_fails_is_an_error_with_a_sentence(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConnectionError("the line is dead")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.pipe_file", fail)
    with pytest.raises(RunError, match=r"cannot be read or written: the line is dead\. .*repeat the command"):
        put_bytes(b"1", there / "a.txt")


def test_only_files_that_the_tool_wrote_are_replaced_or_removed(there: Path) -> None:
    put_bytes(b"mine", there / "tables" / "mine.csv")
    write_files(there, {"audit.json": "{}", "tables/a.csv": "a", "tables/b.csv": "b"})
    put_bytes(b"changed by a person", there / "tables" / "b.csv")
    write_files(there, {"audit.json": "{ }"}, instead_of=("tables",))
    assert [path.name for path in listing(there / "tables")] == ["b.csv", "mine.csv"]
    assert {*json.loads(read_bytes(there / LIST))["files"]} == {"audit.json"}
    with pytest.raises(RunError, match=r"tables/mine\.csv was not written by this tool"):
        write_files(there, {"report.html": "", "tables/mine.csv": "ours"})
    assert [path.name for path in listing(there)] == [LIST, "audit.json", "tables"], "nothing was written"
    with pytest.raises(RunError, match="was not written by this tool"):
        refuse_foreign_files(there, ["tables/mine.csv"])


def lock_of(host: str, pid: int) -> bytes:
    return json.dumps({"host": host, "pid": pid, "token": "another", "beats": 0}).encode()


def test_a_folder_is_used_by_one_process_at_a_time(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_object, "BEAT_S", 0.05)
    monkeypatch.setattr(lock_object, "WATCHED_S", 0.2)
    with (
        claim(there),
        pytest.raises(RunError, match=f"Another process is using .* {socket.gethostname()}"),
        claim(there),
    ):
        pass
    assert not listing(there)


def test_the_lock_of_a_process_that_died_is_taken_over(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_object, "BEAT_S", 0.05)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    put_bytes(lock_of(socket.gethostname(), ended.pid), there / lock_object.LOCK)
    with claim(there):
        assert b'"another"' not in read_bytes(there / lock_object.LOCK)
    monkeypatch.setattr(lock_object, "WATCHED_S", 0.2)
    put_bytes(lock_of("another machine", 1), there / lock_object.LOCK)
    with claim(there):
        assert b'"another"' not in read_bytes(there / lock_object.LOCK)


def test_a_lock_that_was_taken_over_is_reported(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_object, "BEAT_S", 0.05)
    with pytest.raises(RunError, match="has taken over"), claim(there):
        put_bytes(lock_of("another machine", 1), there / lock_object.LOCK)
    assert json.loads(read_bytes(there / lock_object.LOCK))["token"] == "another"
