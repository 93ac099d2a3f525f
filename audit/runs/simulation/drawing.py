"""Drawing simulated runs with known probabilities and correlations."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tomli_w
from numpy.typing import NDArray

from audit.core.addresses import local_path
from audit.core.attributes import attributes
from audit.core.columns import CLUSTER, schema
from audit.core.errors import PlanError, RunError
from audit.core.files import file_digest, make_folder, replacing
from audit.core.plan import CohortSettings, InstrumentSettings, ModelSettings, Plan, RunSettings
from audit.core.provenance import code_version, hardware, versions
from audit.core.vocabulary import GENDERS, RACES, group_members, ordered_groups
from audit.core.written_files import refuse_foreign_files, write_files
from audit.runs.manifest import MANIFEST, read_manifest
from audit.runs.run import OBSERVATIONS, PLAN, Run, part_files, part_path
from audit.runs.simulation.truth import ROUNDING, Reads, Truth

SIMULATED: Final = "simulated"
TRUTH: Final = "truth.toml"
PER_PART: Final = 100_000


def simulate(truth: Mapping[str, Any] | str | Path | Truth, seed: int = 0, out: str | Path | None = None) -> Run:
    """Simulate a run with planted truth: reads are drawn at random, without voices or pictures.

    Parameters
    ----------
    truth : mapping, or path of a TOML file
        As :class:`Truth`.
    seed : int
        The same truth and seed give the same run. Each stage has its own random numbers, so a change in the table of
        one stage does not affect the others.
    out : path, optional
        The run's folder, for ``audit measure`` and ``audit report``; by default the run stays in memory.

    Returns
    -------
    Run
        The complete run; its manifest marks it as simulated and contains the truth.

    Raises
    ------
    PlanError
        If the truth cannot be read, has an unknown key, or is inconsistent.
    RunError
        If the folder contains another run.

    Examples
    --------
    >>> truth = {"groups": ["asian", "white"], "speakers_per_group": 40, "rendered": {"asian": {"en": {"white": 1}}}}
    >>> simulate(truth).observations.groupby("group")["rendered_race"].unique().map(list).to_dict()
    {'asian': ['white'], 'white': ['white']}
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise PlanError(f"The seed is {seed!r}.", "a whole number")
    planted = Truth.of(truth)
    manifest = _manifest(planted, int(seed))
    if out is not None:
        folder = local_path(out, "The folder of a simulated run")
        if not _is_there(folder, manifest):
            _write(folder, _observations(planted, int(seed)), manifest)
        return Run.read(folder)
    frame = _observations(planted, int(seed)).to_pandas()
    return Run(frame.sort_values("clip_id", ignore_index=True), manifest)


def shared_uniforms(
    rng: np.random.Generator,
    shape: tuple[int, int, int],
    within: float,
    between: float,
    cluster: NDArray[np.int64] | None = None,
    shared: float = 0.0,
) -> NDArray[np.float64]:
    """Uniform random numbers of clips, correlated within speakers and clusters by copying.

    The correlations are in [0, 1], with ``shared <= between <= within``.

    Every speaker, every speaker and language, and every clip gets a number. The number of a language is replaced by
    that of the speaker with probability ``sqrt(between / within)``, and the number of a clip by that of the language
    with probability ``sqrt(within)``. So two clips in one language have equal numbers with probability ``within``, two
    clips in two languages with probability ``between``, and independent numbers otherwise. Each number is uniform on
    [0, 1), and every function of the numbers, such as the indicator of a read, has these correlations.

    If two languages have different tables of probabilities, indicators with probabilities ``p`` and ``q`` have the
    correlation ``between * (J - p q) / sqrt(p (1 - p) q (1 - q))``, where ``J`` is the length of the intersection of
    their intervals: ``min(p, q)``, the maximum, for the first named read and for the own group's.

    With clusters of speakers (``cluster`` has that of each), every cluster gets a number too, which replaces that of a
    speaker with probability ``sqrt(shared / between)``. So two clips of different speakers of a cluster have equal
    numbers with probability ``shared``, in one language or two.

    ``shape`` is that of the numbers: speakers, languages, clips in each language.

    Examples
    --------
    >>> u = shared_uniforms(np.random.default_rng(0), (20_000, 2, 2), 0.3, 0.1)
    >>> alike = [float(np.mean(u[:, 0, 0] == u[:, language, 1])) for language in (0, 1)]
    >>> [round(share, 2) for share in alike]
    [0.3, 0.1]
    >>> u = shared_uniforms(np.random.default_rng(0), (20_000, 1, 1), 0.3, 0.3, np.arange(20_000) // 2, 0.2).ravel()
    >>> round(float(np.mean(u[::2] == u[1::2])), 1)
    0.2
    """
    speakers, languages, _ = shape
    own, spoken, clip = (rng.random(size) for size in ((speakers, 1, 1), (speakers, languages, 1), shape))
    copies = math.sqrt(between / within) if within else 0.0
    of_speaker, of_language = rng.random((speakers, languages, 1)) < copies, rng.random(shape) < math.sqrt(within)
    if cluster is not None and shared:
        # drawn last, so that the other numbers do not depend on it
        numbers, chance = rng.random(speakers), math.sqrt(shared / between)
        own = np.where(rng.random((speakers, 1, 1)) < chance, numbers[cluster][:, None, None], own)
    return np.where(of_language, np.where(of_speaker, own, spoken), clip)


def _observations(truth: Truth, seed: int) -> pa.Table:
    """The observations, in no particular order."""
    groups, languages = ordered_groups(truth.groups), sorted(truth.languages)
    per_group, clips = truth.speakers_per_group, truth.clips_per_language
    shape = (len(groups) * per_group, len(languages), clips)
    speakers = [
        f"{group.replace('|', '-or-')}-{i:0{len(str(per_group - 1))}d}" for group in groups for i in range(per_group)
    ]
    ids = [
        f"{speaker}-{language}-{clip:0{len(str(clips - 1))}d}"
        for speaker in speakers
        for language in languages
        for clip in range(clips)
    ]
    group_of = np.repeat(np.arange(len(groups)), per_group)
    place_in_group, per_cluster = np.arange(shape[0]) % per_group, truth.speakers_per_cluster
    cluster = None if per_cluster is None else group_of * per_group + place_in_group // per_cluster
    man = place_in_group % 2 == GENDERS.index("man")
    ages = generator(seed, "age").integers(18, 81, shape[0]).astype(np.float64)

    def by_group(given: float | Mapping[str, float], otherwise: float) -> NDArray[np.float64]:
        shares = [given.get(group, otherwise) if isinstance(given, Mapping) else given for group in groups]
        return np.array(shares, np.float64)[group_of, None, None]

    def shared(what: str) -> NDArray[np.float64]:
        return shared_uniforms(generator(seed, what), shape, *truth.correlations, cluster, truth.cluster_icc or 0.0)

    def of_clips(values: NDArray[Any]) -> NDArray[Any]:
        """Values of speakers, repeated for each clip."""
        return np.broadcast_to(values[:, None, None], shape).ravel()

    missing = (shared("missing") < by_group(truth.missing, 0.0)).ravel()
    right = (shared("gender_right") < by_group(truth.gender_right, 1.0)).ravel()
    reads = {"portrait": np.empty(shape[0], np.int64)}
    drawn = generator(seed, "portrait").random(shape[0])
    uniform = {stage: shared(stage) for stage in ("ceiling", "rendered")}
    reads |= {stage: np.empty(shape, np.int64) for stage in uniform}
    for g, group in enumerate(groups):
        of = slice(g * per_group, (g + 1) * per_group)
        reads["portrait"][of] = _reads(drawn[of], truth.portrait.get(group, {}), group)
        for stage, dial in (("ceiling", truth.ceiling), ("rendered", truth.rendered)):
            for i, language in enumerate(languages):
                table = dial.get(group, {}).get(language, {})
                reads[stage][of, i] = _reads(uniform[stage][of, i], table, group)

    fields = schema((), {} if cluster is None else {CLUSTER: pa.string()}, optional=False)
    columns: dict[str, Any] = {
        "clip_id": ids,
        "speaker_id": of_clips(np.array(speakers, object)),
        "group": of_clips(np.array(groups, object)[group_of]),
        "gender": of_clips(np.array(["woman", "man"], object)[man.astype(int)]),
        "age": of_clips(ages),
        "language": np.broadcast_to(np.array(languages, object)[None, :, None], shape).ravel(),
        "status": np.where(missing, "no_face", "ok").astype(object),
        "detail": [""] * len(ids),
    }
    columns |= {f"{label}_source": ["synthetic"] * len(ids) for label in ("group", "gender", "language")}
    if cluster is not None:
        columns[CLUSTER] = of_clips(np.array([f"video-{number}" for number in cluster], object))
    for stage, index in reads.items():
        flat = of_clips(index) if stage == "portrait" else index.ravel()
        there = ~missing if stage == "rendered" else np.ones(len(ids), bool)
        gender = np.where(right, of_clips(man), ~of_clips(man)) if stage == "rendered" else of_clips(man)
        columns[f"{stage}_status"] = np.where(there, "ok", "no_face").astype(object)
        shown = {"race": flat, "gender": gender.astype(np.int64), "age": np.ascontiguousarray(of_clips(ages))}
        for attribute in attributes():
            for name, values in attribute.exact(stage, shown[attribute.name]).items():
                columns[name] = pa.array(values, fields.field(name).type, mask=~there)
    absent = pa.nulls(len(ids))
    return pa.table(
        [pa.array(columns[f.name], f.type) if f.name in columns else absent.cast(f.type) for f in fields], fields
    )


def _reads(uniform: NDArray[np.float64], table: Reads, group: str) -> NDArray[np.int64]:
    """The read of each uniform number: the named reads in the fixed order, then the own group."""
    own = min((RACES.index(race) for race in group_members(group)), default=None)
    order = [i for i, race in enumerate(RACES) if i != own and table.get(race, 0) > 0]
    ends = np.cumsum([table[RACES[i]] for i in order])
    rest = 1 - math.fsum(share for race, share in table.items() if own is None or race != RACES[own])
    if own is not None and rest >= ROUNDING:
        order.append(own)
    # the last read gets the remainder, so that rounding errors of the sum have no effect
    place = np.searchsorted(ends, uniform, side="right").clip(max=len(order) - 1)
    return np.asarray(np.array(order, np.int64)[place])


def generator(seed: int, what: str) -> np.random.Generator:
    """Random numbers for one purpose, which do not depend on those for other purposes."""
    digest = hashlib.sha256(f"{seed}\x1f{what}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))


def _manifest(truth: Truth, seed: int) -> dict[str, Any]:
    """The manifest of a simulated run."""
    planted = truth.model_dump(mode="json", exclude_none=True)
    # the digest depends on the speakers but not on their reads, so that runs of two truths can be compared
    people = [ordered_groups(truth.groups), truth.speakers_per_group, sorted(truth.languages), truth.clips_per_language]
    if truth.speakers_per_cluster is not None:
        people = [*people, truth.speakers_per_cluster]
    return simulated_manifest(
        {"name": SIMULATED, "kind": SIMULATED, "truth": planted},
        ModelSettings(name=SIMULATED, options=planted),
        people=people,
        n_speakers=len(truth.groups) * truth.speakers_per_group,
        n_clips=truth.n_clips,
        seed=seed,
    ) | {"command": f"audit simulate {TRUTH} -o OUT --seed {seed}"}


def simulated_manifest(
    model: Mapping[str, Any],
    settings: ModelSettings,
    *,
    people: Sequence[object],
    n_speakers: int,
    n_clips: int,
    seed: int,
    similarity: Sequence[str] = (),
    read: Sequence[str] = (),
) -> dict[str, Any]:
    """The manifest of a run in which speakers, model and instrument are simulated.

    Parameters
    ----------
    model : mapping
        The description of the model, with its ``name`` and ``kind``.
    settings : ModelSettings
        The model in the plan.
    people : sequence
        What identifies the speakers and clips: runs with the same ``people`` and ``seed`` have the same cohort digest.
    n_speakers, n_clips, seed : int
        The size of the cohort, and the seed of its random numbers.
    similarity, read : sequence of str
        The similarity models and the attributes of the instrument; by default no similarity model, and the attributes
        of :data:`audit.core.attributes.ALWAYS`.
    """
    # for measuring the run; it cannot be run again
    plan = Plan(
        cohort=CohortSettings(path=SIMULATED),
        model=settings,
        instrument=InstrumentSettings(name=SIMULATED, similarity=tuple(similarity)),
        run=RunSettings(seed=seed).sized(n_clips),
    )
    instrument = {"name": SIMULATED, "title": "a simulated instrument", "similarity_models": [*similarity]}
    return {
        "cohort": {
            "name": SIMULATED,
            "digest": hashlib.sha256(json.dumps([*people, seed]).encode()).hexdigest(),
            "n_speakers": n_speakers,
            "n_clips": n_clips,
            "licence": "",
            "consent": "nobody is in it",
            "notes": "Speakers, clips and labels are made up; nothing was recorded.",
            "fictional": True,
            "set_aside": [],
        },
        "model": dict(model),
        "instrument": instrument | ({"attributes_read": [*read]} if read else {}),
        "settings": plan.run.in_manifest(),
        "seed": seed,
        "schema_version": "1.0",
        "status": "complete",
        "title": "",
        "plan": plan.to_toml(),
        "command": "",
        "versions": versions(),
        "code": code_version(),
    }


def _is_there(folder: Path, manifest: Mapping[str, Any]) -> bool:
    """Whether the folder contains this run; raises if it contains another one."""
    if (folder / MANIFEST).is_file():
        found = read_manifest(folder)
        if any(found.get(key) != manifest[key] for key in ("cohort", "model", "instrument", "seed")):
            raise RunError(
                f"{folder} contains another run.",
                "a new folder, or the one of the same truth and seed",
                "Choose another folder for -o.",
            )
        return True
    if part_files(folder):
        raise RunError(f"{folder} has observations but no {MANIFEST}.", next_step="Choose another folder for -o.")
    return False


def _write(folder: Path, table: pa.Table, manifest: Mapping[str, Any]) -> None:
    """Write the run's folder like the harness; the manifest is last, so that a folder with one is complete."""
    refuse_foreign_files(folder, [MANIFEST], folders=[OBSERVATIONS])
    make_folder(folder)
    write_files(folder, {TRUTH: tomli_w.dumps(dict(manifest["model"]["truth"])), PLAN: str(manifest["plan"])})
    make_folder(folder / OBSERVATIONS)
    for number, start in enumerate(range(0, table.num_rows, PER_PART)):
        with replacing(part_path(folder, number), durable=True) as stream:
            pq.write_table(table.slice(start, PER_PART), stream, compression="zstd", store_schema=True)
    parts = {path.name: file_digest(path) for path in part_files(folder)}
    written = {**manifest, "hardware": hardware(), "parts": parts}
    write_files(folder, {MANIFEST: json.dumps(written, indent=1) + "\n"}, durable=True)
