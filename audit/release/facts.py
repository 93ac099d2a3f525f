"""Facts of a run: what a policy may pin or refuse, and what an attestation states, as typed fields."""

from __future__ import annotations

import datetime as dt
import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from audit.audits.audit import Audit
from audit.audits.tables.your_files import AUDIO_DAMAGE
from audit.core.grouping import GROUP, Grouping
from audit.core.vocabulary import is_known
from audit.release.candidate import candidate_key
from audit.release.writers import Writers
from audit.runs.journal import State
from audit.runs.run import OBSERVATIONS, Run
from audit.runs.simulation.drawing import SIMULATED
from audit.runs.simulation.reference import REFERENCE

PLANTED: Final = "planted"
"""The name of the model that shows portraits, some of the wrong group on purpose."""


@dataclass(frozen=True)
class RunFacts:
    """What identifies a run, and what its evidence is.

    Attributes
    ----------
    run : str
        The run's digest.
    model, model_kind : str
        The model's name and kind, such as ``reconstructor`` or ``playback``.
    weights_sha256, model_code_sha256 : str or None
        Digests of the model's weights, and of its code and description; ``None`` if it has no weights, or the run does
        not record them.
    cohort : str
        The cohort's name.
    cohort_digest, content_sha256 : str or None
        Digests of the cohort's tables, and of the bytes of all its files.
    instrument : str
        The name that the instrument gives itself.
    instrument_code_sha256 : str or None
        The digest of its code and weights; ``None`` if the run does not record it.
    code_version, code_commit : str or None
        The version of this package that made the run, and its commit; ``None`` if it is not known.
    code_dirty : bool or None
        Whether the files of that checkout had changes.
    plan_sha256 : str
        The digest of the plan without paths, as decisions contain it.
    seed : int or None
        The run's seed.
    estimand : str or None
        What the figures average: ``speaker`` (macro average) or ``clip`` (micro average).
    baseline : str or None
        The digest of the baseline run.
    finished : datetime or None
        When the run was completed, in UTC.
    simulated, reference_model, planted_model : bool
        Whether the reads were drawn at random, the model is a reference model, or it is ``planted``.
    names_model : bool
        Whether the plan names the model; without a name, ``audit run`` audits ``planted``.
    unknown_share : Mapping of str to float
        The share of speakers whose group is unknown, in [0, 1], by grouping.
    n_shared_audio, n_shared_portrait : int or None
        The number of speakers with an audio file, or a portrait, that another speaker has too; ``None`` if that is not
        known, as in an audit that was read without its run.
    baseline_is_run : bool
        Whether the baseline is the run itself, or another run of the same weights.
    journal : {"none", "one_writer", "several_writers", "changed"}
        Whether one combination of model, instrument and code wrote all parts, by the run's journal.
    rechecked_share : float or None
        The share, in [0, 1], of the answers from a cache that were computed again; 1 if none came from a cache,
        ``None`` if that is not known.
    """

    run: str
    model: str
    model_kind: str
    weights_sha256: str | None
    model_code_sha256: str | None
    cohort: str
    cohort_digest: str | None
    content_sha256: str | None
    instrument: str
    instrument_code_sha256: str | None
    code_version: str | None
    code_commit: str | None
    code_dirty: bool | None
    plan_sha256: str
    seed: int | None
    estimand: str | None
    baseline: str | None = None
    finished: dt.datetime | None = None
    simulated: bool = False
    reference_model: bool = False
    planted_model: bool = False
    names_model: bool = True
    unknown_share: Mapping[str, float] = field(default_factory=dict)
    n_shared_audio: int | None = None
    n_shared_portrait: int | None = None
    baseline_is_run: bool = False
    journal: State = "none"
    rechecked_share: float | None = None

    @classmethod
    def of(
        cls, audit: Audit, baseline: Mapping[str, object] | None = None, groupings: Iterable[str] = (GROUP.name,)
    ) -> RunFacts:
        """The facts of the run of an audit.

        Parameters
        ----------
        audit : Audit
            The audit. If it knows its run, the facts come from the run's manifest and observations.
        baseline : Mapping, optional
            The identity of the baseline run, as in :attr:`Audit.run`.
        groupings : iterable of str
            The groupings whose unknown groups are counted.

        Raises
        ------
        RunError
            If the run that the audit was read from was changed.
        """
        run, known = _run_of(audit), audit.run
        manifest: Mapping[str, Any] = run.manifest if run is not None else {}
        described = known.get("model_description")
        model: Mapping[str, Any] = manifest.get("model") or (described if isinstance(described, Mapping) else {})
        instrument = _mapping(manifest.get("instrument") or known.get("instrument"))
        cohort = _mapping(manifest.get("cohort") or known.get("cohort"))
        code = _mapping(manifest.get("code") or known.get("code"))
        kind, name = str(model.get("kind", known.get("model_kind", ""))), str(known.get("model"))
        weights, plan = known.get("weights_sha256"), str(known.get("plan", ""))
        frame = None if run is None else run.coded
        writers = Writers.of(None if run is None else run.folder, manifest)
        return cls(
            run=str(known["digest"]),
            model=name,
            model_kind=kind,
            weights_sha256=_text(weights),
            model_code_sha256=writers.model,
            cohort=str(cohort.get("name", "")),
            cohort_digest=_text(cohort.get("digest")),
            content_sha256=_text(_mapping(manifest.get("content")).get("sha256")),
            instrument=str(instrument.get("name", "")),
            instrument_code_sha256=writers.instrument,
            code_version=_text(code.get("version")),
            code_commit=_text(code.get("commit")),
            code_dirty=code.get("dirty"),
            plan_sha256=plan_digest(known),
            seed=_number(known.get("seed")),
            estimand=_text(audit.settings.get("estimand")),
            baseline=None if baseline is None else str(baseline["digest"]),
            finished=_time(manifest.get("finished")),
            simulated=kind == SIMULATED or (kind != REFERENCE and instrument.get("name") == SIMULATED),
            reference_model=kind == REFERENCE,
            planted_model=name == PLANTED,
            names_model=name != PLANTED or _names_model(plan),
            unknown_share=unknown_shares(frame, groupings) if frame is not None else _of_tables(audit, groupings),
            n_shared_audio=None if frame is None else _n_sharing_audio(frame),
            n_shared_portrait=None if frame is None else n_sharing(frame, "portrait_face"),
            baseline_is_run=baseline is not None and _is_same(known, baseline),
            journal=writers.state,
            rechecked_share=_rechecked(manifest, writers),
        )


def plan_digest(run: Mapping[str, object]) -> str:
    """The digest of a run's plan without paths; ``run`` is :attr:`Audit.run`."""
    return hashlib.sha256(str(run.get("plan", "")).encode()).hexdigest()


def n_sharing(observations: pd.DataFrame, column: str) -> int:
    """The number of speakers that have a value of a column which another speaker has too.

    Examples
    --------
    >>> n_sharing(pd.DataFrame({"speaker_id": ["a", "a", "b"], "audio_sha256": ["1", "2", "2"]}), "audio_sha256")
    2
    """
    if column not in observations or observations.empty:
        return 0
    values, _ = pd.factorize(observations[column].replace("", None))
    speakers, names = pd.factorize(observations["speaker_id"])
    known = values >= 0
    pairs = np.unique(values[known].astype(np.int64) * len(names) + speakers[known])
    value, speaker = np.divmod(pairs, len(names))
    owners = np.bincount(value) if len(value) else np.zeros(0, np.int64)
    return len(np.unique(speaker[owners[value] > 1]))


def unknown_shares(observations: pd.DataFrame, groupings: Iterable[str]) -> dict[str, float]:
    """The share of speakers with a clip whose group is unknown, by grouping; of columns that the run has.

    Examples
    --------
    >>> unknown_shares(pd.DataFrame({"speaker_id": ["a", "b"], "group": ["asian", "unknown"]}), ["group", "accent"])
    {'group': 0.5}
    """
    speakers, names = pd.factorize(observations["speaker_id"])
    shares = {}
    for grouping in map(Grouping.parse, groupings):
        if not len(names) or not set(grouping.columns) <= set(observations.columns):
            continue
        unknown = np.zeros(len(speakers), bool)
        for column in grouping.columns:
            codes, labels = pd.factorize(observations[column])  # -1 where there is none
            unknown |= ~np.array([*map(is_known, labels), False])[codes]
        shares[grouping.name] = len(np.unique(speakers[unknown])) / len(names)
    return shares


def _run_of(audit: Audit) -> Run | None:
    """The run of an audit; ``None`` if it was read from a text or its folder has no parts."""
    if isinstance(audit.source, Path) and not (audit.source / OBSERVATIONS).is_dir():
        return None
    return None if audit.source is None else audit.measured_run()


def _n_sharing_audio(observations: pd.DataFrame) -> int | None:
    """The number of speakers who share audio that was heard; ``None`` if no clip has the digest of its audio."""
    heard = observations[~observations["status"].isin(AUDIO_DAMAGE)]
    if len(heard) and not heard["audio_sha256"].any():
        return None
    return n_sharing(heard, "audio_sha256")


def _of_tables(audit: Audit, groupings: Iterable[str]) -> dict[str, float]:
    """As :func:`unknown_shares`, for the grouping ``group``, from the table ``strata`` of an audit without its run."""
    table = audit.tables.get("strata")
    if table is None or GROUP.name not in groupings or table.frame.empty:
        return {}
    most = table.frame.groupby(["group", "gender"], observed=True)["n_speakers"].max()
    unknown = [not is_known(group) for group in most.index.get_level_values("group")]
    return {GROUP.name: float(most[unknown].sum() / most.sum())}


def _is_same(run: Mapping[str, object], baseline: Mapping[str, object]) -> bool:
    if run["digest"] == baseline["digest"]:
        return True
    return run.get("weights_sha256") is not None and candidate_key(run) == candidate_key(baseline)


def _rechecked(manifest: Mapping[str, Any], writers: Writers) -> float | None:
    answers, recheck = _mapping(manifest.get("answers")), _mapping(manifest.get("recheck"))
    if recheck:
        return float(recheck.get("share", 0.0))
    if not answers and writers.state == "none":
        return None
    before = answers.get("rendered_before", 0) + answers.get("read_before", 0)
    return 0.0 if before or writers.from_cache else 1.0


def _names_model(plan: str) -> bool:
    try:
        return "name" in _mapping(tomllib.loads(plan).get("model"))
    except tomllib.TOMLDecodeError:
        return False


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _time(value: object) -> dt.datetime | None:
    """A time of the manifest in UTC; ``None`` if there is none or it is not a time."""
    try:
        found = dt.datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if found is None:
        return None
    return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
