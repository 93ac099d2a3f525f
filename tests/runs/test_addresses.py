"""Runs at addresses: cohort, run, faces and cache at an fsspec address give what they give on one machine.

Most are in this process's memory; one is on S3, served on the loopback address by moto.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import fsspec
import pandas as pd
import pytest
from typer.testing import CliRunner

import audit
from audit.cli import app
from audit.core.addresses import place, shared_folder
from audit.core.errors import AuditError, RunError
from audit.core.lock_object import LOCK
from audit.core.plan import EngineSettings, Plan, RunSettings
from audit.core.transfer import entries, files_below, put_bytes, read_bytes, remove
from audit.models import model
from audit.runs.face_keys import keys_folder
from audit.runs.faces import face_file, open_face, recorded_face
from audit.runs.forgetting import remove_speaker
from audit.runs.harness.cache import cache_folder, nodes_may_share
from audit.runs.harness.dry_run import dry_run
from audit.runs.harness.pruning import contents, prune, remove_answers
from audit.runs.harness.running import prepare
from audit.runs.journal import Journal, journal_state
from audit.runs.run import FACES
from tests.conftest import write_cohort
from tests.fakes import ColourInstrument, LoudnessModel

SETTINGS = RunSettings(part=3)
"""Eight clips in three parts."""


class KnownModel(LoudnessModel):
    """A fake model that says when its answers change, and that is killed after a number of clips."""

    name = "loudness, known (fake)"
    lives = 1_000

    def describe(self) -> dict[str, object]:
        return {"cache_key": "loudness 1"}

    def _render(self, waveform):  # type: ignore[no-untyped-def]
        self.lives -= 1
        if self.lives < 0:
            raise KeyboardInterrupt
        return super()._render(waveform)


class KnownInstrument(ColourInstrument):
    """A fake instrument that says when its answers change."""

    def describe(self) -> dict[str, object]:
        return {"cache_key": "colours 1"}


def run(cohort: Path | str, out: Path | str, of: LoudnessModel | None = None, **engine: object) -> audit.Run:
    return audit.run(
        audit.Cohort.read(cohort),
        model=of or KnownModel(),
        instrument=KnownInstrument(),
        out=out,
        settings=SETTINGS,
        engine=EngineSettings(**engine),  # type: ignore[arg-type]
    )


@dataclass(frozen=True)
class Local:
    """A cohort and its run in folders of this machine."""

    cohort: Path
    run: audit.Run


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    folder = tmp_path_factory.mktemp("local")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HOME", str(folder))
        yield _local(folder)


def _local(folder: Path) -> Local:
    cohort = write_cohort(folder / "people", 4)
    return Local(cohort, run(cohort, folder / "run"))


def said(*words: str) -> str:
    """The last line on stdout of a command that ends well."""
    done = CliRunner().invoke(app, [*words])
    assert done.exit_code == 0, done.output
    return done.stdout.strip().splitlines()[-1]


def uploaded(cohort: Path, address: str) -> str:
    """The address of a copy of a cohort."""
    for path in sorted(cohort.rglob("*")):
        if path.is_file():
            put_bytes(path.read_bytes(), place(f"{address}/people") / path.relative_to(cohort).as_posix())
    return f"{address}/people"


@pytest.fixture
def memory(local: Local) -> Iterator[str]:
    """An address in this process's memory with the cohort in it."""
    address = f"memory://{uuid4().hex}"
    uploaded(local.cohort, address)
    yield address
    fsspec.filesystem("memory").store.clear()


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """A bucket of an S3 server on the loopback address of this machine."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    s3fs = pytest.importorskip("s3fs")
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t")
        environment.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        s3fs.S3FileSystem.clear_instance_cache()
        s3fs.S3FileSystem().call_s3(
            "create_bucket", Bucket="audits", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        yield "s3://audits"
        s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def test_a_cohort_run_faces_and_cache_on_s3_give_the_run_of_one_machine(
    bucket: str, local: Local, tmp_path: Path
) -> None:
    cohort, out = uploaded(local.cohort, bucket), f"{bucket}/runs/first"
    killed = KnownModel()
    killed.lives = 3
    with pytest.raises(KeyboardInterrupt):
        run(cohort, out, killed)
    begun = len(entries(place(out) / "observations"))
    assert 1 <= begun < 3 and not audit.Run.read(out).complete
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    put_bytes(json.dumps({"host": socket.gethostname(), "pid": ended.pid}).encode(), place(out) / LOCK)
    resumed = run(cohort, out)
    assert resumed.complete and resumed.digest == local.run.digest
    remove(place(out) / "observations" / "part-000002.parquet")
    assert run(cohort, out).digest == local.run.digest, "a lost part is made again, from the cache"
    assert {*entries(place(bucket) / "runs" / ".audit-cache")} == {"answers", "pictures"}

    assert said("measure", out, "--show-faces").endswith(f"{out}/report.html")
    assert b"data:image/webp" in read_bytes(place(out) / "report.html")
    assert audit.Audit.read(out).run["digest"] == local.run.digest
    assert audit.gate(out).exit_code == audit.gate(local.run).exit_code
    assert said("sheet", out, "-o", str(tmp_path / "sheet"), "--faces", "2").endswith("index.html")
    assert len([*(tmp_path / "sheet" / "pictures").iterdir()]) == 2
    assert "renderings" in said("cache", "info", f"{bucket}/runs/.audit-cache")
    kept = [read_bytes(path) for path, *_ in files_below(place(out)) if path.suffix in (".json", ".toml", ".html")]
    assert not any(b"s3cr3t" in content for content in kept), "no secret is written"


def test_a_missing_bucket_is_an_error_with_a_sentence(bucket: str, local: Local) -> None:
    with pytest.raises(RunError, match=r"cannot be read or written: .*bucket does not exist"):
        run(local.cohort, f"{bucket}-missing/run", cache="none")


def test_a_run_in_memory_has_the_parts_of_a_local_one(memory: str, local: Local) -> None:
    there = run(f"{memory}/people", f"{memory}/run")
    assert there.manifest["parts"] == local.run.manifest["parts"] and there.digest == local.run.digest
    assert audit.Cohort.read(f"{memory}/people").digest == audit.Cohort.read(local.cohort).digest
    again = run(f"{memory}/people", f"{memory}/again")
    assert again.manifest["answers"] | {"rendered": 0, "read": 0} == again.manifest["answers"], "all from the cache"
    assert again.digest == there.digest
    with pytest.raises(RunError, match="contains another run"):
        run(f"{memory}/people", f"{memory}/run", LoudnessModel())


def test_journal_content_and_faces_there_are_those_of_a_local_run(memory: str, local: Local) -> None:
    there = run(f"{memory}/people", f"{memory}/run")
    assert there.folder is not None and local.run.folder is not None
    assert Journal.read(there.folder).entries.keys() == Journal.read(local.run.folder).entries.keys()
    assert journal_state(there.folder, there.manifest) == "one_writer"
    assert there.manifest["content"] == local.run.manifest["content"]
    assert audit.verify(there, audit.Cohort.read(f"{memory}/people")).n_different == 0
    seen = there.observations.to_dict("records")[0]
    face = recorded_face(seen, "rendered")
    assert face is not None and open_face(there.folder, face).shape[-1] == 3
    assert not [path for path, *_ in files_below(place(memory)) if path.suffix == ".key"], "keys stay on this machine"
    put_bytes(b"other", face_file(there.folder / FACES, face.name))
    with pytest.raises(RunError, match="not a readable picture"):
        open_face(there.folder, face)


def test_keys_are_never_at_an_address(memory: str, local: Local) -> None:
    with pytest.raises(AuditError, match="The folder of the keys is memory://"):
        run(local.cohort, f"{memory}/run", keys=f"{memory}/keys")
    assert keys_folder("beside", place(f"{memory}/run")).is_relative_to(Path.home())


def test_a_speaker_is_not_removed_there(memory: str) -> None:
    made = run(f"{memory}/people", f"{memory}/run")
    assert made.folder is not None
    with pytest.raises(AuditError, match="The run from which a speaker is removed is memory://"):
        remove_speaker(made.folder, "s0")
    with pytest.raises(AuditError, match="The cache from which a speaker is removed is memory://"):
        remove_answers(place(f"{memory}/.audit-cache"), audio=[], pictures=[])


def test_a_cohort_here_and_a_run_there_and_a_cache_here(memory: str, local: Local, tmp_path: Path) -> None:
    for cache in (f"{memory}/cache", str(tmp_path / "cache"), (tmp_path / "shared").as_uri(), "none"):
        assert run(local.cohort, f"{memory}/{uuid4().hex}", cache=cache).digest == local.run.digest
    assert run(f"{memory}/people", tmp_path / "here", cache=f"{memory}/cache").digest == local.run.digest
    assert {*entries(place(f"{memory}/cache"))} == {"answers", "pictures"}


def test_the_faces_of_a_run_there_are_read_again(memory: str, local: Local) -> None:
    run(f"{memory}/people", f"{memory}/run")
    read = audit.read_again(f"{memory}/run", instrument=ColourInstrument(), out=f"{memory}/read")
    columns = [f"{stage}_{what}" for stage in ("portrait", "ceiling", "rendered") for what in ("race", "age")]
    pd.testing.assert_frame_equal(read.observations[columns], local.run.observations[columns])


def test_a_changed_part_there_is_refused(memory: str) -> None:
    run(f"{memory}/people", f"{memory}/run")
    part = place(f"{memory}/run") / "observations" / "part-000001.parquet"
    put_bytes(read_bytes(part)[:-1] + b"x", part)
    with pytest.raises(RunError, match="was changed after the run"):
        audit.Run.read(f"{memory}/run")
    assert run(f"{memory}/people", f"{memory}/run").complete


def test_recorded_pictures_and_missing_files_of_a_cohort_there(memory: str, local: Local, tmp_path: Path) -> None:
    clips = pd.read_csv(local.cohort / "clips.csv", dtype=str)
    clips["rendered"] = [f"portraits/{speaker}.png" for speaker in clips["speaker_id"]]
    clips.loc[3, ["audio", "rendered"]] = ["audio/missing.wav", "portraits/missing.png"]
    here = write_cohort(tmp_path / "people", 4)
    clips.to_csv(here / "clips.csv", index=False)
    there = uploaded(here, f"{memory}/recorded")
    made = [
        audit.run(audit.Cohort.read(of), model=model("recorded"), instrument=ColourInstrument(), out=out)
        for of, out in ((here, tmp_path / "run"), (there, f"{memory}/recorded-run"))
    ]
    assert made[0].digest == made[1].digest
    assert {"audio_unreadable", "ok"} <= {*made[0].observations["status"]}


@pytest.mark.parametrize("audio", ["../outside.wav", "s3://elsewhere/a.wav", "memory://elsewhere/a.wav", "/etc/passwd"])
def test_a_cohort_there_names_no_file_outside(memory: str, local: Local, audio: str) -> None:
    clips = pd.read_csv(local.cohort / "clips.csv", dtype=str)
    clips.loc[0, "audio"] = audio
    put_bytes(clips.to_csv(index=False).encode(), place(f"{memory}/people/clips.csv"))
    with pytest.raises(AuditError, match="is outside the folder"):
        audit.Cohort.read(f"{memory}/people")


def test_paths_written_in_other_habits_are_found_there(memory: str, local: Local) -> None:
    clips = pd.read_csv(local.cohort / "clips.csv", dtype=str)
    clips["audio"] = [f"./{name}" if i % 2 else name.replace("/", "\\") for i, name in enumerate(clips["audio"])]
    clips.loc[0, "audio"] = f"{memory}/people/audio/s0-en.wav"
    put_bytes(clips.to_csv(index=False).encode(), place(f"{memory}/people/clips.csv"))
    read = audit.Cohort.read(f"{memory}/people")
    assert [*read.clips["audio"]] == [*audit.Cohort.read(local.cohort).clips["audio"]]
    assert any("absolute and inside" in remark for remark in read.remarks)


def test_what_is_no_cohort_there_is_refused(memory: str) -> None:
    with pytest.raises(AuditError, match="holds no cohort"):
        audit.Cohort.read(f"{memory}/nothing")


def test_a_dry_run_there_writes_nothing(memory: str) -> None:
    ready = prepare(
        audit.Cohort.read(f"{memory}/people"), model=KnownModel(), instrument=KnownInstrument(),
        out=f"{memory}/run", settings=SETTINGS, cache="beside",
    )  # fmt: skip
    found = dry_run(ready)
    assert (found.state, found.n_left, found.free_bytes) == ("new", 8, None) and not found.unusable
    assert {*entries(place(memory))} == {"people"}


def test_nodes_share_a_cache_at_an_address_only() -> None:
    assert nodes_may_share(place("memory://bucket/cache")) and nodes_may_share(shared_folder("file:///mnt/cache"))
    assert not nodes_may_share(place("file:///mnt/cache"))
    assert str(cache_folder("beside", place("memory://bucket/runs/mine"))) == "memory://bucket/runs/.audit-cache"


def test_a_damaged_answer_there_stops_the_run(memory: str) -> None:
    run(f"{memory}/people", f"{memory}/run")
    answer = next(path for path, *_ in files_below(place(f"{memory}/.audit-cache")) if "answers" in str(path))
    put_bytes(read_bytes(answer) + b"x", answer)
    with pytest.raises(RunError, match=r"The cache .* is damaged"):
        run(f"{memory}/people", f"{memory}/again")


def test_a_cache_there_is_described_and_pruned(memory: str) -> None:
    run(f"{memory}/people", f"{memory}/run")
    cache = place(f"{memory}/.audit-cache")
    before = contents(cache)
    assert before.renderings and before.readings and before.pictures and before.oldest == before.newest
    assert prune(cache, older_than=1).freed_bytes == 0
    would = prune(cache, max_bytes=before.bytes // 2, dry_run=True)
    assert contents(cache) == before and would.left_bytes <= before.bytes // 2
    assert prune(cache, max_bytes=before.bytes // 2) == would
    assert run(f"{memory}/people", f"{memory}/again").complete, "what was pruned is made again"
    with pytest.raises(RunError, match="is not a cache"):
        contents(place(f"{memory}/run"))


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["report", "memory://bucket/run", "--pdf"], "The folder of the report that is to be printed"),
        (["sheet", "memory://bucket/run", "-o", "memory://bucket/sheet"], "The out of audit sheet"),
        (["simulate", "truth.toml", "-o", "memory://bucket/run"], "The out of audit simulate"),
    ],
)
def test_what_works_on_this_machine_only_is_refused_by_the_verbs(words: list[str], what: str) -> None:
    refused = CliRunner().invoke(app, words).exception
    assert isinstance(refused, AuditError) and str(refused).startswith(f"{what} is memory://bucket/")


def test_the_gate_takes_a_run_there(memory: str, local: Local) -> None:
    assert local.run.folder is not None
    put_bytes((local.run.folder / "manifest.json").read_bytes(), place(f"{memory}/begun/manifest.json"))
    assert CliRunner().invoke(app, ["gate", f"{memory}/begun", "--baseline", f"{memory}/begun"]).exit_code in (2, 13)


def test_a_plan_records_addresses_without_the_user() -> None:
    plan = Plan.parse('[cohort]\npath = "sftp://ann@host/people"\n[engine]\ncache = "sftp://ann@host/cache"\n')
    assert "ann@" not in plan.to_toml() and 'path = "sftp://host/people"' in plan.to_toml()


@pytest.mark.parametrize("engine", [{"workers": 2}, {"name": "ray"}])
def test_several_processes_refuse_the_memory_of_one(memory: str, tmp_path: Path, engine: dict[str, object]) -> None:
    with pytest.raises(RunError, match="people is in the memory of this process.*--workers 1"):
        run(f"{memory}/people", tmp_path / "run", cache="none", **engine)


def test_the_journal_there_is_written_at_intervals_and_at_the_end(
    memory: str, local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    def put(data: bytes, path: Path) -> None:
        written.append(data)
        put_bytes(data, path)

    monkeypatch.setattr("audit.runs.journal.put_bytes", put)
    there = run(f"{memory}/people", f"{memory}/run")
    assert len(there.manifest["parts"]) > 2 == len(written)
    assert there.manifest["journal"] == local.run.manifest["journal"]
