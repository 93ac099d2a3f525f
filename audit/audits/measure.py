"""Measuring: from a run to its audit. A pure function that needs neither torch nor DeepFace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from audit.audits.audit import Audit
from audit.audits.front_matter import front_matter_of
from audit.audits.human_readings import HumanReadings, read_human_readings
from audit.audits.privacy.sharing import plan_without_paths, pseudonymous, without_paths
from audit.audits.privacy.small_cells import SmallCells
from audit.audits.privacy.suppressing import suppressed
from audit.audits.tables import tables as audit_tables
from audit.audits.tables.faces_found import faces_found
from audit.audits.tables.your_files import sentence_about_files
from audit.checks import chosen as chosen_checks
from audit.checks import findings, groupings_of, margins_of
from audit.checks.calibration import read_calibration
from audit.checks.evidence import Evidence
from audit.checks.judging import holm_adjusted
from audit.checks.metrics.custom import custom_metrics, scored
from audit.checks.metrics.metric_frame import files_usable, metric_frame, metrics_of
from audit.core.attributes import known_attributes
from audit.core.clusters import Clusters
from audit.core.front_matter import FrontMatter
from audit.core.plan import PORTRAITS, MeasureSettings
from audit.core.sentences import group_words, listing
from audit.core.vocabulary import ordered_groups
from audit.models.coverage import coverage_of
from audit.runs.run import Run
from audit.runs.run_like import RunLike, as_run
from audit.runs.simulation import REFERENCE, SIMULATED
from audit.stats import Settings


def measure(
    run: RunLike,
    *,
    by: Sequence[str] | None = None,
    group_by: Sequence[str] | None = None,
    confidence: float | None = None,
    seed: int | None = None,
    human_readings: str | Path | None = None,
    checks: Sequence[str] | None = None,
    metrics: Sequence[str] | None = None,
    tables: Sequence[str] | None = None,
    settings: MeasureSettings | None = None,
    with_tables: bool = True,
    front_matter: FrontMatter | None = None,
) -> Audit:
    """Measure a run: the findings of all checks, and the tables behind them.

    Parameters
    ----------
    run : Run, Audit or path
        The run, the path of its folder, or an audit of it, which is then measured again.
    by : sequence of str, optional
        Columns of the observations that stratify the main table, in addition to ``group`` and ``language``.
    group_by : sequence of str, optional
        Further groupings for the checks, such as ``accent`` or ``accent x gender``, in addition to ``group``.
    confidence, seed, human_readings, checks, metrics, tables : optional
        Override those of ``settings``.
    settings : MeasureSettings, optional
        As in the section ``[measure]`` of a plan.
    with_tables : bool
        Whether to make the tables. The findings do not depend on it.
    front_matter : FrontMatter, optional
        What the report states of audit, model and use; by default that of the run's plan.

    Returns
    -------
    Audit
        Write it with :meth:`Audit.to_json`.

    Raises
    ------
    PlanError
        If a column of ``by`` is not in the run, or the plan's front matter is invalid.
    AuditError
        If the human readings cannot be read or are of another run, the calibration file is invalid, or a third-party
        check, metric or table is not installed or fails.
    """
    run = as_run(run)
    given = {
        "by": None if by is None else tuple(by),
        "group_by": None if group_by is None else tuple(group_by),
        "confidence": confidence,
        "seed": seed,
        "human_readings": None if human_readings is None else str(human_readings),
        "checks": None if checks is None else tuple(checks),
        "metrics": None if metrics is None else tuple(metrics),
        "tables": None if tables is None else tuple(tables),
    }
    chosen = MeasureSettings.model_validate(
        (settings or MeasureSettings()).model_dump() | {key: value for key, value in given.items() if value is not None}
    )
    human = None if chosen.human_readings is None else read_human_readings(chosen.human_readings, run)
    evidence = evidence_of(run, chosen, human)
    evidence = evidence.only(files_usable(evidence.frame))
    asked = chosen_checks(chosen.checks, chosen.metrics)
    found = holm_adjusted(
        [
            finding
            for grouping, checks_of in groupings_of(asked, evidence.frame, chosen.groupings)
            for finding in findings(checks_of, evidence.by(grouping), chosen.intersect)
        ],
        chosen.confidence,
    )
    labelled = evidence.calibration
    custom = dict(zip(chosen.metrics, custom_metrics(chosen.metrics), strict=True))
    optional = ("checks", "metrics", "tables", "adjust_for")
    unsaid = {"human_readings", *(name for name in optional if not getattr(chosen, name))}
    made = Audit(
        run=identity(run, human),
        # the name and digest of a file, but not its path
        settings=chosen.model_dump(mode="json", exclude=unsaid)
        | {"margins": dict(evidence.margins)}
        | ({"metrics": {name: each.name for name, each in custom.items()}} if custom else {})
        | ({"calibration": Path(chosen.calibration).name, "calibration_sha256": labelled.sha256} if labelled else {}),
        findings=found,
        tables=pseudonymous(audit_tables(evidence, chosen, found), run.coded) if with_tables else {},
        front_matter=front_matter_of(run) if front_matter is None else front_matter,
        scores=_scores(evidence),
        source=run,
    )
    return suppressed(made, SmallCells.of(run.coded, chosen))


def _scores(evidence: Evidence) -> pd.DataFrame:
    """The labels and metrics of every clip, without intermediate columns."""
    columns = [str(name) for name in evidence.every_clip.columns]
    return evidence.every_clip[
        [name for name in columns if "." not in name or name.split(".", 1)[1] in evidence.metrics]
    ]


def evidence_of(run: Run, settings: MeasureSettings, human: HumanReadings | None = None) -> Evidence:
    """The scored clips of a run; raises AuditError if the calibration file or a custom metric is invalid."""
    labelled = None if settings.calibration == PORTRAITS else read_calibration(settings.calibration)
    statistics = Settings(
        confidence=settings.confidence,
        resamples=settings.resamples,
        seed=settings.seed,
        min_speakers=settings.min_speakers,
        estimand=settings.estimand,
    )
    read, _ = known_attributes(run.attributes)
    shipped, custom = metrics_of(run.similarity_models, read), custom_metrics(settings.metrics)
    frame = metric_frame(run, statistics, retrieval_gallery=settings.retrieval_gallery, read=read)
    return Evidence(
        frame=scored(frame, custom, [metric.name for metric in shipped]),
        metrics={metric.name: metric for metric in (*shipped, *custom)},
        settings=statistics,
        margins=margins_of(chosen_checks(settings.checks, settings.metrics), settings.margins),
        instrument=str(run.manifest["instrument"].get("title", run.manifest["instrument"]["name"])),
        similarity_models=run.similarity_models,
        coverage=coverage_of(run.manifest["model"]),
        human=human.frame if human else None,
        n_readers=human.n_readers if human else 0,
        calibration=labelled,
        order={column: tuple(order) for column, order in run.manifest["cohort"].get("categories", {}).items()},
    )


def identity(run: Run, human: HumanReadings | None = None) -> dict[str, Any]:
    """The description of the run in audit.json, without paths and independent of machine and time."""
    manifest = run.manifest
    model, cohort, instrument = (dict(manifest[name]) for name in ("model", "cohort", "instrument"))
    card = instrument.pop("card", None)
    facts = {
        "title": manifest.get("title", ""),
        "model": model["name"],
        "model_kind": model["kind"],
        "model_description": model,
        "weights_sha256": model.get("weights_sha256"),
        "instrument": instrument,
        "instrument_card": card,
        "cohort": {key: cohort.get(key) for key in ("name", "digest", "licence", "consent", "notes", "fictional")},
        "n_speakers": int(run.coded["speaker_id"].nunique()),
        "n_clips": len(run.coded),
        "clusters": Clusters.of(run.coded).model_dump(mode="json"),
        "n_clips_planned": cohort["n_clips"],
        "complete": run.complete,
        "set_aside": list(cohort.get("set_aside", [])),
        "notices": [*_notices(run), *([_human_notice(human)] if human else [])],
        "command": manifest.get("command", ""),
        "versions": manifest.get("versions", {}),
        "code": manifest.get("code"),
        "seed": manifest.get("seed"),
        **({"human_readings": dict(human.facts)} if human else {}),
        **({"categories": manifest["cohort"]["categories"]} if manifest["cohort"].get("categories") else {}),
    }
    plan = plan_without_paths(str(manifest.get("plan", "")))
    return {"digest": run.digest, **without_paths(facts), "plan": plan}


def _human_notice(human: HumanReadings) -> str:
    """The number of human readings, and whether their sampling is known."""
    facts, readers = human.facts, "reader" if human.n_readers == 1 else "readers"
    counts = f"{facts['n_readings']} readings of {facts['n_pictures']} faces by {human.n_readers} {readers}"
    if facts["sampling"]:
        return f"People also read rendered faces: {counts}. The faces were drawn at random within group and language."
    return (
        f"People also read rendered faces: {counts}. It is not known whether the faces are a random sample; the "
        "prediction-powered estimates assume it."
    )


def _notices(run: Run) -> list[str]:
    """The notices that precede all results."""
    manifest = run.manifest
    notices = []
    if not run.complete:
        notices.append(
            f"This run is incomplete: {len(run.coded)} of {manifest['cohort']['n_clips']} clips were observed. "
            "Do not use its results."
        )
    if manifest["model"]["kind"] == SIMULATED:
        notices.append(
            "This run is simulated: there are no speakers, no model and no instrument. All reads were drawn from given "
            "probabilities, and the results say nothing about any model or person."
        )
    elif manifest["model"]["kind"] == REFERENCE:
        notices.append(
            f"This run is simulated: the reference model {manifest['model']['name']} tests the checks. There are no "
            "speakers and no instrument, and the results say nothing about any other model or any person."
        )
    elif manifest["cohort"].get("fictional"):
        notices.append(
            "The speakers are fictional and their voices synthetic: the results say nothing about how any real group "
            "sounds or looks."
        )
    if manifest["model"]["name"] == "planted":
        dial = manifest["model"].get("options", {}).get("rendered", {})
        planted = [
            f"clips of {group} speakers in {language} show the portrait of a speaker of group {target} with "
            f"probability {share:g}"
            for group, languages in dial.items()
            for language, shares in languages.items()
            for target, share in shares.items()
        ]
        notices.append(
            "The model is planted, not trained: every clip shows the speaker's own portrait"
            + (f", except that {'; '.join(planted)}." if planted else ".")
        )
    elif manifest["model"]["kind"] == "playback":
        notices.append(
            "The faces were made elsewhere and are part of the cohort: which model made them cannot be verified."
        )
    if warning := Clusters.of(run.coded).warning:
        notices.append(warning)
    if files := sentence_about_files(run.coded):
        notices.append(files)
    if several := _several_faces(run):
        notices.append(several)
    _, unknown = known_attributes(run.attributes)
    if unknown:
        notices.append(
            f"The instrument read {', '.join(unknown)}, which is not installed here and therefore not scored. Install "
            "the package that declares it and measure again."
        )
    if missing := unheard(manifest["model"].get("training_coverage", [])):
        notices.append(f"According to the model, its training data contain no clips of {missing}.")
    return notices


def _several_faces(run: Run) -> str:
    """The number of clips by stage whose picture has more than one face, and which face is read."""
    table = faces_found(run.coded)
    if table is None or not table["n_several"].any():
        return ""
    counts = table.groupby("stage", sort=False)[["n_clips", "n_several"]].sum().itertuples()
    stages = [f"in {found.n_several} of {found.n_clips} {found.Index} pictures" for found in counts]
    detector = run.manifest["instrument"].get("detector")
    reads = detector.get("reads") if isinstance(detector, Mapping) else None
    which = f"Of each picture, {reads} is read." if reads else "Which of them the instrument reads is not recorded."
    return f"More than one face was found {listing(stages)}, counted once for each clip. {which}"


def unheard(coverage: Sequence[Mapping[str, Any]]) -> str:
    """The groups and languages with no clips in a model's training coverage, in words; empty if there are none.

    Examples
    --------
    >>> unheard([{"group": "asian", "language": "en", "clips": 0}, {"group": "asian", "language": "zh", "clips": 9},
    ...           {"group": "indian", "language": "en", "clips": 0}, {"group": "white", "language": "zh", "clips": 0}])
    'asian and indian speakers in en, nor white speakers in zh'
    """
    missing: dict[str, list[str]] = {}
    for item in coverage:
        if not item["clips"]:
            missing.setdefault(item["group"], []).append(item["language"])
    by_languages: dict[tuple[str, ...], list[str]] = {}
    for group in ordered_groups(missing):
        by_languages.setdefault(tuple(sorted(missing[group])), []).append(group_words(group))
    return ", nor ".join(
        f"{listing(groups)} speakers in {listing(list(languages))}" for languages, groups in by_languages.items()
    )
