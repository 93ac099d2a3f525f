"""The comparison of runs: Run, Run, ... -> Comparison, a pure function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any, Final

import numpy as np

from audit.audits.audit import Audit
from audit.audits.measure import evidence_of
from audit.audits.method import refuse_other_method
from audit.audits.privacy.sharing import plan_without_paths, pseudonymous, without_paths
from audit.audits.privacy.small_cells import SmallCells, suppressed_tables
from audit.checks import Evidence, groupings_of
from audit.checks import chosen as chosen_checks
from audit.checks.metrics.metric_frame import files_usable, over_impostors
from audit.checks.pair import Pair
from audit.comparisons.changes import Change, adjusted
from audit.comparisons.comparable import refuse_what_differs, same_model
from audit.comparisons.comparison import Comparison, NotCompared
from audit.comparisons.groups import check_changes, compared_checks, metric_changes
from audit.comparisons.harms import harms
from audit.comparisons.levelling import Levelling, levellings
from audit.comparisons.sentences import not_compared_words, sentences
from audit.comparisons.sharing import shared, shared_levellings, suppression_notice
from audit.comparisons.tables import given_tables
from audit.core.errors import RunError
from audit.core.grouping import GROUP, Grouping
from audit.core.plan import PORTRAITS, MeasureSettings
from audit.runs.run import Run
from audit.runs.run_like import RunLike, as_run
from audit.runs.simulation import REFERENCE, SIMULATED
from audit.stats import Curve

LETTERS: Final = ascii_uppercase
UNUSED: Final = {
    *("human_readings", "calibration", "checks", "metrics", "tables"),
    *("intersect", "adjust_for", "slice_depth", "slice_columns"),
}
"""Settings that do not affect a comparison, or are not shared."""


def compare(*runs: RunLike, settings: MeasureSettings | None = None) -> Comparison:
    """Compare models on the same speakers: each run against the first.

    Parameters
    ----------
    runs : Run, Audit or path
        Two or more complete runs; the first is the baseline A, the others are B, C and so on.
    settings : MeasureSettings, optional
        Measurement settings, as in a plan's section ``measure``. Human readings and calibration files are not used.

    Returns
    -------
    Comparison
        Every check and metric in each run, their changes by group, and what was levelled down.

    Raises
    ------
    RunError
        If there are fewer than two runs or more than 26, if one is incomplete, or if they differ in anything but the
        model: cohort, instrument, seed, harness settings, clips, labels or the reads of the portraits. If the
        audit.json of one was measured by another version of the method.

    Examples
    --------
    >>> import audit
    >>> truth = {"groups": ["asian", "white"], "speakers_per_group": 40}
    >>> worse = truth | {"rendered": {"asian": {"en": {"white": 0.9}}}}
    >>> audit.compare(audit.simulate(worse), audit.simulate(truth)).sentences[0]
    'B against A: two of four harms became smaller and two are undecided.'
    """
    if len(runs) > len(LETTERS):
        raise RunError(f"{len(runs)} runs were given to compare.", f"at most {len(LETTERS)}")
    return _compare([as_run(run) for run in runs], without_files(settings or MeasureSettings()))


def _compare(runs: Sequence[Run], chosen: MeasureSettings) -> Comparison:
    refuse_what_differs(runs, [_name(letter, run) for letter, run in zip(LETTERS, runs, strict=False)])
    for run in runs:
        if run.folder is not None and (run.folder / Audit.FILE).is_file():
            stored = Audit.read_stored(run.folder)
            refuse_other_method(stored.content.get("method_version"), f"{run.folder}/{Audit.FILE}", str(run.folder))
    asked, evidence = chosen_checks(chosen.checks, chosen.metrics), shared_evidence(runs, chosen)
    order, small = [check.code for check in asked], SmallCells.of(runs[0].coded, chosen)
    made_by = groupings_of(asked, evidence[0].frame, chosen.groupings)
    groupings = [grouping.name for grouping, _ in made_by]
    checks: list[Change] = []
    metrics: list[Change] = []
    levelled: list[Levelling] = []
    words: list[str] = []
    for letter, candidate in zip(LETTERS[1:], evidence[1:], strict=False):
        pair = Pair(evidence[0], candidate)
        found = [
            change
            for grouping, checks_of in made_by
            for of_grouping in (pair.by(grouping),)
            for check, compared in compared_checks(checks_of, of_grouping)
            for change in check_changes(check, compared, letter, of_grouping)
        ]
        family = adjusted([*found, *metric_changes(asked, pair, letter)])
        of_metrics = family[len(found) :]
        of_checks = sorted(
            family[: len(found)],
            key=lambda change: (groupings.index(change.grouping), order.index(change.figure), not change.headline),
        )
        here = shared_levellings(levellings(pair, of_metrics), small)
        shown_checks, shown_metrics = shared(of_checks, small), shared(of_metrics, small)
        checks += shown_checks
        metrics += shown_metrics
        levelled += here
        seen = [change for change in shown_metrics if change.change.value is not None]
        words += sentences(harms(shown_checks), seen, here, _shown_metrics(evidence[0]), chosen.confidence)
    answered = {change.figure for change in checks}
    absent = tuple(NotCompared(check.code, check.title) for check in asked if check.code not in answered)
    return Comparison(
        runs=tuple({"letter": letter, **identity(run)} for letter, run in zip(LETTERS, runs, strict=False)),
        settings=chosen.model_dump(mode="json", exclude=UNUSED),
        notices=(*notices(runs), *suppression_notice([*checks, *metrics], small)),
        checks=tuple(checks),
        metrics=tuple(metrics),
        levelled=tuple(levelled),
        sentences=(*words, *not_compared_words(absent)),
        not_compared=absent,
        given=pseudonymous(suppressed_tables(given_tables(LETTERS, evidence, chosen), small)[0], runs[0].coded),
        folders=tuple(run.folder for run in runs),
    )


def _name(letter: str, run: Run) -> str:
    where = f" in {run.folder}" if run.folder else ""
    return f"{letter} ({run.manifest['model']['name']}{where})"


def _shown_metrics(evidence: Evidence) -> list[str]:
    """The metrics that the sentences report."""
    similarity = [over_impostors(model) for model in evidence.similarity_models[:1]]
    return ["read_own_group", "gender_right", "age_error", *similarity, "no_face"]


def identity(run: Run) -> dict[str, Any]:
    """A run's identity, without paths and independent of machine and time."""
    manifest, model = run.manifest, run.manifest["model"]
    facts = {
        "digest": run.digest,
        "title": manifest.get("title", ""),
        "model": model["name"],
        "model_description": model,
        "weights_sha256": model.get("weights_sha256"),
        "cohort": {key: manifest["cohort"].get(key) for key in ("name", "digest", "licence", "fictional")},
        "instrument": str(manifest["instrument"].get("title", manifest["instrument"]["name"])),
        "n_speakers": int(run.coded["speaker_id"].nunique()),
        "n_clips": len(run.coded),
        "seed": manifest.get("seed"),
        "versions": manifest.get("versions", {}),
    }
    return {**without_paths(facts), "plan": plan_without_paths(str(manifest.get("plan", "")))}


def notices(runs: Sequence[Run], names: Sequence[str] = LETTERS) -> list[str]:
    """Warnings to show before any figure, by the names of the runs."""
    first, made = runs[0].manifest, []
    if first["model"]["kind"] in (SIMULATED, REFERENCE):
        made.append("These runs are simulated: no model was audited, and the figures describe no model and no person.")
    elif first["cohort"].get("fictional"):
        made.append(
            "The speakers are fictional and their voices synthetic: nothing here says how any real group sounds or "
            "looks."
        )
    for i, run in enumerate(runs):
        if alike := [names[j] for j in range(i) if same_model(runs[j], run)]:
            made.append(
                f"By its own description, {names[i]} is the same model as {alike[0]}: they differ only by chance."
            )
    for name, run in zip(names[1:], runs[1:], strict=False):
        before, now = first.get("versions", {}), run.manifest.get("versions", {})
        differ = [
            f"{package} {before.get(package, 'absent')} and {now.get(package, 'absent')}"
            for package in sorted({*before, *now})
            if before.get(package) != now.get(package)
        ]
        if differ:
            made.append(f"{names[0]} and {name} were made with different versions: {', '.join(differ)}.")
    return made


def paired_changes(
    baseline: Run,
    candidate: Run,
    settings: MeasureSettings,
    names: tuple[str, str] = ("baseline", "candidate"),
    grouping: Grouping = GROUP,
) -> Mapping[str, Curve]:
    """The change of every check's figure, candidate minus baseline, on the same clips and speakers.

    Parameters
    ----------
    baseline, candidate : Run
        Complete runs of one cohort by one instrument.
    settings : MeasureSettings
        Measurement settings for both.
    names : tuple of str
        The names of the runs in error messages.
    grouping : Grouping
        The grouping of the groups.

    Returns
    -------
    Mapping of str to Curve
        ``CODE`` for a check's headline figure and ``CODE.group`` for each group's, in the unit and with the sign of
        the finding's figure. The headline of a check of all groups is the worst change of any group, simultaneous over
        them; the groups' own curves are not adjusted. Figures that neither run has are left out; the method of a figure
        without an interval gives the reason.

    Raises
    ------
    RunError
        If the runs differ in more than the model, or one is incomplete.

    Examples
    --------
    >>> import audit
    >>> truth = {"groups": ["asian", "white"], "speakers_per_group": 40}
    >>> worse = truth | {"rendered": {"asian": {"en": {"white": 1}}}}
    >>> runs = audit.simulate(truth), audit.simulate(worse)
    >>> paired_changes(*runs, MeasureSettings())["S2F001"].at(0.95).value
    1.0
    """
    refuse_what_differs([baseline, candidate], names)
    plain = without_files(settings)
    pair = Pair(*shared_evidence((baseline, candidate), plain)).by(grouping)
    changes: dict[str, Curve] = {}
    for check, found in compared_checks(chosen_checks(plain.checks, plain.metrics), pair):
        changes[check.code] = found.headline.change
        changes |= {f"{check.code}.{group.group}": group.change for group in found.groups}
    return changes


def shared_evidence(runs: Sequence[Run], settings: MeasureSettings) -> list[Evidence]:
    """The clips of each run without those whose own files cannot be used in any of the runs, in the same rows."""
    found = [evidence_of(run, settings) for run in runs]
    usable = np.logical_and.reduce([files_usable(each.frame) for each in found])
    return [each.only(usable) for each in found]


def without_files(settings: MeasureSettings) -> MeasureSettings:
    """The settings without human readings and calibration files: a comparison uses the instrument's raw reads."""
    return settings.model_copy(update={"human_readings": None, "calibration": PORTRAITS})
