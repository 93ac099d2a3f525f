"""The comparison of runs: Run, Run, ... -> Comparison, a pure function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from audit.comparisons.comparison import Comparison
from audit.comparisons.groups import check_changes, compared_checks, metric_changes
from audit.comparisons.levelling import Levelling, levellings
from audit.comparisons.sentences import sentences
from audit.comparisons.tables import given_tables
from audit.core.errors import RunError
from audit.core.grouping import GROUP, Grouping
from audit.core.plan import PORTRAITS, MeasureSettings
from audit.runs.run import Run
from audit.runs.run_like import RunLike, as_run
from audit.runs.simulation import REFERENCE, SIMULATED
from audit.stats import Curve, benjamini_hochberg, holm

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
    >>> audit.compare(audit.simulate(worse), audit.simulate(truth)).sentences[0][:70]
    'Read as white in English: excess over the portrait, B against A: asian'
    """
    if len(runs) > len(LETTERS):
        raise RunError(f"{len(runs)} runs were given to compare.", f"at most {len(LETTERS)}")
    return _compare([as_run(run) for run in runs], _without_files(settings or MeasureSettings()))


def _compare(runs: Sequence[Run], chosen: MeasureSettings) -> Comparison:
    refuse_what_differs(runs, [_name(letter, run) for letter, run in zip(LETTERS, runs, strict=False)])
    for run in runs:
        if run.folder is not None and (run.folder / Audit.FILE).is_file():
            stored = Audit.read_stored(run.folder)
            refuse_other_method(stored.content.get("method_version"), f"{run.folder}/{Audit.FILE}", str(run.folder))
    asked, evidence = chosen_checks(chosen.checks, chosen.metrics), _evidence(runs, chosen)
    order, small = [check.code for check in asked], SmallCells.of(runs[0].observations, chosen)
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
        headlines = adjusted([change for change in found if change.headline], holm)
        groups = adjusted([change for change in found if not change.headline], benjamini_hochberg)
        checks += sorted(
            [*headlines, *groups],
            key=lambda change: (groupings.index(change.grouping), order.index(change.figure)),
        )
        of_metrics = adjusted(metric_changes(asked, pair, letter), benjamini_hochberg)
        metrics += of_metrics
        here = _shared_levellings(levellings(pair, of_metrics), small)
        levelled += here
        seen = [change for change in of_metrics if not _hidden(change, small)]
        named = next((change for change in headlines if change.figure == "S2F001" and not _hidden(change, small)), None)
        words += sentences(named, seen, here, _shown_metrics(evidence[0]), chosen.confidence)
    return Comparison(
        runs=tuple(_identity(letter, run) for letter, run in zip(LETTERS, runs, strict=False)),
        settings=chosen.model_dump(mode="json", exclude=UNUSED),
        notices=(*_notices(runs), *_suppression_notice([*checks, *metrics], small)),
        checks=tuple(_shared(change, small) for change in checks),
        metrics=tuple(_shared(change, small) for change in metrics),
        levelled=tuple(levelled),
        sentences=tuple(words),
        given=pseudonymous(suppressed_tables(given_tables(LETTERS, evidence, chosen), small)[0], runs[0].observations),
        folders=tuple(run.folder for run in runs),
    )


def _hidden(change: Change, small: SmallCells) -> bool:
    """Whether a change belongs to a small cell."""
    return any(small.hides(figure) for figure in (change.before, change.after, change.change))


def _shared(change: Change, small: SmallCells) -> Change:
    """The change, without its figures if it belongs to a small cell; its word stays."""
    if not _hidden(change, small):
        return change
    before, after, between = (figure.emptied(small.words) for figure in (change.before, change.after, change.change))
    return replace(change, before=before, after=after, change=between, p_value=None, p_adjusted=None)


def _shared_levellings(levelled: Sequence[Levelling], small: SmallCells) -> list[Levelling]:
    """The levellings, without those of small groups."""
    return [
        replace(item, losers={group: by for group, by in item.losers.items() if not small.hide(group)})
        for item in levelled
        if not small.hides(item.own)
    ]


def _suppression_notice(changes: Sequence[Change], small: SmallCells) -> list[str]:
    """A notice with the number of suppressed changes; none without suppression."""
    count = sum(_hidden(change, small) for change in changes)
    notice = f"{count:,} of {len(changes):,} changes are suppressed: {small.words.partition(': ')[2]}."
    return [notice] if small.below >= 2 else []


def _name(letter: str, run: Run) -> str:
    where = f" in {run.folder}" if run.folder else ""
    return f"{letter} ({run.manifest['model']['name']}{where})"


def _shown_metrics(evidence: Evidence) -> list[str]:
    """The metrics that the sentences report."""
    similarity = [over_impostors(model) for model in evidence.similarity_models[:1]]
    return ["read_own_group", "gender_right", "age_error", *similarity, "no_face"]


def _identity(letter: str, run: Run) -> dict[str, Any]:
    """A run's identity, without paths and independent of machine and time."""
    manifest, model = run.manifest, run.manifest["model"]
    facts = {
        "letter": letter,
        "digest": run.digest,
        "title": manifest.get("title", ""),
        "model": model["name"],
        "model_description": model,
        "weights_sha256": model.get("weights_sha256"),
        "cohort": {key: manifest["cohort"].get(key) for key in ("name", "digest", "licence", "fictional")},
        "instrument": str(manifest["instrument"].get("title", manifest["instrument"]["name"])),
        "n_speakers": int(run.observations["speaker_id"].nunique()),
        "n_clips": len(run.observations),
        "seed": manifest.get("seed"),
        "versions": manifest.get("versions", {}),
    }
    return {**without_paths(facts), "plan": plan_without_paths(str(manifest.get("plan", "")))}


def _notices(runs: Sequence[Run]) -> list[str]:
    """Warnings to show before any figure."""
    first, made = runs[0].manifest, []
    if first["model"]["kind"] in (SIMULATED, REFERENCE):
        made.append("These runs are simulated: no model was audited, and the figures describe no model and no person.")
    elif first["cohort"].get("fictional"):
        made.append(
            "The speakers are fictional and their voices synthetic: nothing here says how any real group sounds or "
            "looks."
        )
    for i, run in enumerate(runs):
        if alike := [LETTERS[j] for j in range(i) if same_model(runs[j], run)]:
            made.append(
                f"By its own description, {LETTERS[i]} is the same model as {alike[0]}: they differ only by chance."
            )
    for letter, run in zip(LETTERS[1:], runs[1:], strict=False):
        before, now = first.get("versions", {}), run.manifest.get("versions", {})
        differ = [
            f"{name} {before.get(name, 'absent')} and {now.get(name, 'absent')}"
            for name in sorted({*before, *now})
            if before.get(name) != now.get(name)
        ]
        if differ:
            made.append(f"A and {letter} were made with different versions: {', '.join(differ)}.")
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
    plain = _without_files(settings)
    pair = Pair(*_evidence((baseline, candidate), plain)).by(grouping)
    changes: dict[str, Curve] = {}
    for check, found in compared_checks(chosen_checks(plain.checks, plain.metrics), pair):
        changes[check.code] = found.headline.change
        changes |= {f"{check.code}.{group.group}": group.change for group in found.groups}
    return changes


def _evidence(runs: Sequence[Run], settings: MeasureSettings) -> list[Evidence]:
    """The clips of each run without those whose own files cannot be used in any of the runs, in the same rows."""
    found = [evidence_of(run, settings) for run in runs]
    usable = np.logical_and.reduce([files_usable(each.frame) for each in found])
    return [each.only(usable) for each in found]


def _without_files(settings: MeasureSettings) -> MeasureSettings:
    """The settings without human readings and calibration files: a comparison uses the instrument's raw reads."""
    return settings.model_copy(update={"human_readings": None, "calibration": PORTRAITS})
