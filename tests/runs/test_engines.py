"""Engines and the cache: no result depends on where a run is done, nor on what is known already."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

import audit
from audit.core.arrays import Picture, Waveform
from audit.core.errors import RunError
from audit.core.plan import EngineSettings, Plan, RunSettings
from audit.core.vocabulary import RACES
from audit.instruments.protocol import Reading
from audit.models.fitted import FittedOn
from audit.runs.harness.answering import pictures_of, readings_of
from audit.runs.harness.cache import Cache, cache_folder, cache_key
from audit.runs.harness.work import NUMBER, Parts
from audit.training.mitigations.leace import Leace
from audit.training.mitigations.mitigated import Mitigated
from tests.fakes import ColourInstrument, LoudnessModel, fake_face

MakeCohort = Callable[..., Path]
PICTURES = 8 + 5 * 2 + 1
"""Eight portraits; in five parts of three clips two different rendered faces, in the last part's one clip one."""


class KnownModel(LoudnessModel):
    """A fake model that says when its answers change."""

    name = "loudness, known (fake)"

    def describe(self) -> dict[str, object]:
        return {"cache_key": "loudness 1"}


class KnownInstrument(ColourInstrument):
    """A fake instrument that says when its answers change."""

    def __init__(self, version: int = 1) -> None:
        super().__init__()
        self.version = version

    def describe(self) -> dict[str, object]:
        return {"cache_key": f"colours {self.version}"}


def run(
    cohort: Path,
    out: Path,
    model: object = None,
    instrument: object = None,
    progress: Callable[[int, int], None] | None = None,
    **engine: object,
) -> audit.Run:
    return audit.run(
        audit.Cohort.read(cohort),
        model=model or LoudnessModel(),  # type: ignore[arg-type]  # fakes of several kinds
        instrument=instrument or ColourInstrument(),  # type: ignore[arg-type]
        out=out,
        settings=RunSettings(part=3),
        engine=EngineSettings(**engine),  # type: ignore[arg-type]
        progress=progress,
    )


def parts(done: audit.Run) -> object:
    return done.manifest["parts"]


def journal(done: audit.Run) -> object:
    return done.manifest["journal"], done.manifest["content"]


def test_worker_processes_leave_the_same_parts_as_one_process(make_cohort: MakeCohort, tmp_path: Path) -> None:
    cohort = make_cohort()
    one, two = run(cohort, tmp_path / "one"), run(cohort, tmp_path / "two", workers=2)
    assert parts(two) == parts(one)
    assert two.digest == one.digest
    assert journal(two) == journal(one)
    assert two.manifest["engine"] == {"name": "local", "workers": 2}


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_ray_leaves_the_same_parts_as_one_process_and_listens_on_loopback_only(
    make_cohort: MakeCohort, tmp_path: Path
) -> None:
    pytest.importorskip("ray", reason="the extra ray is not installed")
    listening: set[str] = set()
    cohort = make_cohort()
    one = run(cohort, tmp_path / "one")
    ray = run(
        cohort, tmp_path / "ray", progress=lambda _, __: listening.update(listened_on()), name="ray", workers=2
    )  # fmt: skip
    assert parts(ray) == parts(one)
    assert ray.digest == one.digest
    assert journal(ray) == journal(one)
    assert len(listening) > 0
    assert {address for address in listening if not is_loopback(address)} == set()


def listened_on() -> set[str]:
    """The addresses on which this process and those that it started listen."""
    me = psutil.Process()
    found = set()
    for process in (me, *me.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            found |= {each.laddr.ip for each in process.net_connections("inet") if each.status == psutil.CONN_LISTEN}
    return found


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches an address; an IPv4 one may be written as IPv6."""
    found = ipaddress.ip_address(address)
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback


def test_a_run_begun_by_one_engine_goes_on_by_another(make_cohort: MakeCohort, tmp_path: Path) -> None:
    cohort = make_cohort()
    one, other = run(cohort, tmp_path / "one"), run(cohort, tmp_path / "other", workers=2)
    (tmp_path / "other" / "observations" / "part-000001.parquet").unlink()
    assert parts(run(cohort, tmp_path / "other")) == parts(other) == parts(one)


def test_the_size_of_a_part_is_written_as_a_number_and_kept_when_a_run_is_resumed(
    make_cohort: MakeCohort, tmp_path: Path
) -> None:
    people = audit.Cohort.read(make_cohort())

    def run_with(folder: str, plan: Plan | None = None, settings: RunSettings | None = None) -> audit.Run:
        return audit.run(
            people,
            model=LoudnessModel(),
            instrument=ColourInstrument(),
            out=tmp_path / folder,
            plan=plan,
            settings=settings,
        )

    chosen = run_with("auto", Plan())
    assert chosen.manifest["settings"]["part"] == 64
    assert "part = 64" in (tmp_path / "auto" / "plan.toml").read_text()
    stated = run_with("stated", settings=RunSettings(part=5))
    assert parts(run_with("stated")) == parts(run_with("stated", Plan())) == parts(stated)
    assert stated.digest == chosen.digest
    with pytest.raises(RunError, match="contains another run: its settings was part 5, now it is part 64"):
        run_with("stated", settings=RunSettings(part=64))


def test_only_actors_of_ray_claim_cpus_and_gpus() -> None:
    with pytest.raises(ValueError, match="num_gpus = 0.5 is for the engine ray, and this one is local"):
        EngineSettings(num_gpus=0.5)
    with pytest.raises(ValueError, match="num_gpus = 1.5 is neither a part of one GPU nor a number of GPUs"):
        EngineSettings(name="ray", num_gpus=1.5)
    assert EngineSettings(name="ray", num_gpus=0.5).model_dump(exclude_none=True)["num_gpus"] == 0.5


def test_a_model_that_cannot_be_sent_says_what_to_do(make_cohort: MakeCohort, tmp_path: Path) -> None:
    model = LoudnessModel()
    model.secret = lambda: None  # type: ignore[attr-defined]  # what pickle cannot write
    with pytest.raises(RunError, match="cannot be sent to worker processes.*Next: Run in one process: --workers 1"):
        run(make_cohort(), tmp_path / "run", model, workers=2)


def test_the_embedded_model_and_instrument_can_be_sent(tmp_path: Path) -> None:
    import pickle

    instrument = audit.instrument("embedded", similarity=["FaceRes"])
    again = pickle.loads(pickle.dumps(instrument))
    assert again.describe() == instrument.describe()
    model = audit.model("speech2face-small-gap")
    sound = [np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32)]
    sent = pickle.loads(pickle.dumps(model))
    assert (sent.render(sound, 16_000)[0] == model.render(sound, 16_000)[0]).all()


def test_a_second_run_asks_neither_model_nor_instrument_again(make_cohort: MakeCohort, tmp_path: Path) -> None:
    cohort = make_cohort()
    first = run(cohort, tmp_path / "first", KnownModel(), KnownInstrument())
    model, instrument = KnownModel(), KnownInstrument()
    second = run(cohort, tmp_path / "second", model, instrument)
    assert (model.heard, instrument.pictures_read) == (0, 0)
    assert parts(second) == parts(first)
    answers = second.manifest["answers"]
    assert (answers["rendered"], answers["read"], answers["read_before"]) == (0, 0, PICTURES)
    assert answers["rendered_before"] > 0
    faces = [sorted(path.name for path in (tmp_path / name / "faces").iterdir()) for name in ("first", "second")]
    assert faces[0] == faces[1]


def test_a_new_instrument_renders_nothing_and_a_new_model_reads_no_portrait(
    make_cohort: MakeCohort, tmp_path: Path
) -> None:
    cohort = make_cohort()
    run(cohort, tmp_path / "first", KnownModel(), KnownInstrument())
    model, instrument = KnownModel(), KnownInstrument(version=2)
    run(cohort, tmp_path / "second", model, instrument)
    assert (model.heard, instrument.pictures_read) == (0, 10)

    class Grey(KnownModel):
        name = "grey (fake)"

        def describe(self) -> dict[str, object]:
            return {"cache_key": "grey"}

        def render(self, waveforms: Sequence[Waveform], sample_rate: int) -> list[Picture | None]:
            return [fake_face("black", "man", 33)] * len(waveforms)

    instrument = KnownInstrument()
    run(cohort, tmp_path / "third", Grey(), instrument)
    assert instrument.pictures_read == 1


def test_what_says_nothing_of_its_answers_is_always_asked(make_cohort: MakeCohort, tmp_path: Path) -> None:
    cohort = make_cohort()
    assert cache_key(LoudnessModel(), {}) is None
    run(cohort, tmp_path / "first")
    model, instrument = LoudnessModel(), ColourInstrument()
    run(cohort, tmp_path / "second", model, instrument)
    assert (model.heard, instrument.pictures_read) == (16, PICTURES)


def test_a_third_party_mitigation_is_not_cached() -> None:
    """Two own steps may have one name and other code: the model's weights alone do not tell their faces apart."""

    class Shift:
        name = "shift (fake)"

    model, nobody = audit.model("speech2face-small-gap"), FittedOn()
    assert cache_key(Mitigated(model, [], [], nobody, [Leace()]), {}) is not None
    assert cache_key(Mitigated(model, [], [], nobody, [Shift()]), {}) is None


def test_a_failure_is_not_kept(make_cohort: MakeCohort, tmp_path: Path) -> None:
    cohort = make_cohort()
    failed = run(cohort, tmp_path / "first", KnownModel(raise_on=0.3), KnownInstrument()).observations
    assert (failed["status"] == "model_error").sum() == 8
    model = KnownModel()
    again = run(cohort, tmp_path / "second", model, KnownInstrument()).observations
    assert model.heard == 1  # eight clips of one sound
    assert set(again["status"]) == {"ok"}


def test_the_key_changes_with_the_seed_and_with_the_weights() -> None:
    gap, full = audit.model("speech2face-small-gap"), audit.model("speech2face-small-full")
    keys = {cache_key(gap, {"seed": 0}), cache_key(gap, {"seed": 1}), cache_key(full, {"seed": 0})}
    assert len(keys) == 3
    assert None not in keys


def test_a_run_without_faces_keeps_no_picture_anywhere(make_cohort: MakeCohort, tmp_path: Path) -> None:
    audit.run(
        audit.Cohort.read(make_cohort()),
        model=KnownModel(),
        instrument=KnownInstrument(),
        out=tmp_path / "run",
        settings=RunSettings(keep_faces=False),
    )
    assert not [*tmp_path.glob("**/*.png")] or all("cohort" in str(path) for path in tmp_path.glob("**/*.png"))
    assert (tmp_path / ".audit-cache" / "answers.sqlite").is_file()


def test_no_cache_is_no_cache(make_cohort: MakeCohort, tmp_path: Path) -> None:
    run(make_cohort(), tmp_path / "run", KnownModel(), KnownInstrument(), cache="none")
    assert not (tmp_path / ".audit-cache").exists()
    assert cache_folder("elsewhere", tmp_path / "run") == Path("elsewhere")


def test_a_reading_comes_back_to_the_last_digit(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    reading = Reading(
        "ok",
        {race: float(value) for race, value in zip(RACES, draw.dirichlet(np.ones(6)), strict=True)},
        0.1234567890123456,
        33.3,
        {"FaceRes": draw.normal(size=1024).astype(np.float32), "Dlib": draw.normal(size=128).astype(np.float32)},
        draw.normal(size=(68, 2)).astype(np.float32),
    )
    cache = Cache(tmp_path / "cache")
    cache.keep_readings({"a": reading, "b": Reading("no_face")}, "somebody")
    found = cache.readings(["a", "b", "c"], "somebody")
    cache.close()
    assert set(found) == {"a", "b"}
    assert found["b"] == Reading("no_face")
    assert (found["a"].race, found["a"].man, found["a"].age) == (reading.race, reading.man, reading.age)
    assert all((found["a"].embeddings[name] == reading.embeddings[name]).all() for name in ("FaceRes", "Dlib"))
    assert (found["a"].landmarks == reading.landmarks).all()


def test_a_damaged_answer_is_refused(tmp_path: Path) -> None:
    import sqlite3

    cache = Cache(tmp_path / "cache")
    cache.keep_readings({"a": Reading("no_face")}, "somebody")
    cache.close()
    with sqlite3.connect(tmp_path / "cache" / "answers.sqlite") as answers:
        answers.execute("UPDATE answers SET answer = x'00'")
    answers.close()
    cache = Cache(tmp_path / "cache")
    with pytest.raises(RunError, match="is damaged: the answer to a.*Delete the folder"):
        cache.readings(["a"], "somebody")
    cache.close()


def test_an_invalid_reading_is_an_instrument_error(make_cohort: MakeCohort, tmp_path: Path) -> None:
    class Drunk(ColourInstrument):
        def read(self, pictures: Sequence[Picture]) -> list[Reading]:
            return [
                Reading("ok", {race: float("nan") for race in RACES}, 0.5, 30.0, reading.embeddings)
                if reading.race.get("white")
                else reading
                for reading in super().read(pictures)
            ]

    seen = run(make_cohort(), tmp_path / "run", instrument=Drunk()).observations
    assert set(seen.loc[seen["rendered_status"] == "instrument_error", "status"]) == {"instrument_error"}
    assert seen.loc[seen["rendered_status"] == "instrument_error", "rendered_race"].isna().all()
    assert seen["detail"].str.contains("rendered: the instrument read race = ").any()


def test_what_is_read_beside_the_rendering_is_the_same(make_cohort: MakeCohort, tmp_path: Path) -> None:
    class Elsewhere(LoudnessModel):
        """A fake model that says that it has a device of its own."""

        device = "cpu"

        def describe(self) -> dict[str, object]:
            return {"device": self.device}

    cohort = make_cohort()
    here = run(cohort, tmp_path / "here", Elsewhere())
    beside = Elsewhere()
    beside.device = "cuda"
    assert parts(run(cohort, tmp_path / "beside", beside)) == parts(here)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "the instrument returned NoneType, not a Reading"),
        (Reading("maybe"), "the status 'maybe', not ok or no_face"),  # type: ignore[arg-type]  # what is not allowed
        (Reading("ok", dict.fromkeys(RACES, "high")), "cannot be checked: TypeError"),  # type: ignore[arg-type]  # texts where numbers belong
    ],
)
def test_an_invalid_reading_affects_only_its_picture(answer: Reading, words: str) -> None:
    class Odd(ColourInstrument):
        def read(self, pictures: Sequence[Picture]) -> list[Reading]:
            return [answer, *super().read(pictures[1:])]

    odd, good = readings_of(Odd(), [fake_face("asian"), fake_face("white")])
    assert isinstance(odd, str) and words in odd
    assert isinstance(good, Reading)


def test_a_model_is_asked_for_a_limited_number_of_clips_at_once() -> None:
    asked: list[int] = []

    def make(clips: list[int]) -> list[Picture | None]:
        asked.append(len(clips))
        return [None] * len(clips)

    assert len(pictures_of(make, list(range(150)))) == 150
    assert asked == [64, 64, 22]


def test_an_invalid_picture_affects_only_its_clip() -> None:
    (none, why, _), (face, *_) = pictures_of(lambda _: [[[1], [1, 2]], fake_face("white")], [0, 1])  # type: ignore[list-item]  # a ragged picture
    assert none is None and why.startswith("the model returned an invalid picture: ValueError")
    assert face is not None


@pytest.mark.parametrize("numbers", [[0, 1, 2], [3, 7, 14], [14], [2, 3]])
def test_parts_in_arrow_have_the_rows_and_number_of_each_part(numbers: list[int]) -> None:
    parts = Parts(pd.DataFrame({"clip_id": [f"{number:03}" for number in range(103)]}), 7)
    found = parts.in_arrow(numbers).to_pydict()
    expected = [(name, number) for number in numbers for name in parts.part(number).rows["clip_id"]]
    assert list(zip(found["clip_id"], found[NUMBER], strict=True)) == expected
