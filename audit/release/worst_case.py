"""Rules that must also hold with every missing face read in the harmful way (``missing = "worst_case"``).

No assumption is made about why a face is missing: the figure is computed again with every missing face read in the
harmful way (Manski 1990), with its sampling interval, and must pass like the figure itself.
"""

from __future__ import annotations

from dataclasses import replace

from audit.audits.audit import Audit
from audit.checks import Check, Evidence, Figure, sensitivities
from audit.checks.metrics.metric_frame import files_usable, metrics_of
from audit.checks.sensitivity import Sensitivity
from audit.core.grouping import Grouping
from audit.core.sentences import typeset
from audit.core.units import write_estimate
from audit.release.decision import FigureRuling
from audit.release.policy import ResolvedRule
from audit.stats import Settings
from audit.stats.verdict import Outcome


def with_missing_faces(ruling: FigureRuling, resolved: ResolvedRule, audit: Audit) -> FigureRuling:
    """The ruling on a figure, inconclusive if it would not pass with every missing face read in the harmful way.

    Unchanged if the rule ignores missing faces, or the figure does not pass anyway. The reason names the tipping point:
    the number of missing faces that is enough for the figure not to pass.
    """
    if resolved.rule.missing == "ignored" or ruling.outcome != "pass" or ruling.estimate is None:
        return ruling
    if audit.scores is None:
        return _inconclusive(ruling, "the worst case of missing faces needs the run, not only its audit")
    evidence = _evidence(audit).by(Grouping.parse(resolved.rule.by))
    found = _sensitivity(resolved.check, ruling.estimate, evidence)
    if found is None:
        why = "has no worst case of missing faces, so the rule cannot be shown to hold; leave out the key missing"
        return _inconclusive(ruling, f"{ruling.figure} {why}")
    if not found.n_missing:
        return replace(ruling, reason=f"{ruling.reason}; no face is missing")
    for up in {"at_most": (True,), "at_least": (False,), "within": (True, False)}[resolved.side]:
        if reason := _failing(found, resolved, up):
            return _inconclusive(ruling, f"{ruling.reason}, but {reason}")
    return replace(ruling, reason=f"{ruling.reason}, however the {found.n_missing} missing faces were read")


def _failing(found: Sensitivity, resolved: ResolvedRule, up: bool) -> str:
    """Why a rule does not hold with all missing faces read so as to raise (or lower) the figure; empty if it does."""

    def outcome(figure: Figure) -> Outcome:
        at = figure if figure.curve is None else figure.at(resolved.rule.confidence)
        return resolved.verdict(at).outcome

    worst = found.changed("missing_faces", up, found.n_missing)
    if outcome(worst) == "not_shown":
        return ""
    fails = frozenset[Outcome]({"shown", "inconclusive", "not_evaluable"})
    (enough,) = found.tipping_points("missing_faces", up, outcome, [fails])
    assert found.read is not None
    read = found.read.words[int(up == found.read.rises)]
    worst = worst if worst.curve is None else worst.at(resolved.rule.confidence)
    written = write_estimate(worst.value, worst.low, worst.high, worst.unit, worst.signed)
    return typeset(
        f"{found.n_missing} faces are missing: if {enough} of them were {read}, it would not be shown to hold, and if "
        f"all were, it would be {written}"
    )


def _sensitivity(check: Check, figure: Figure, evidence: Evidence) -> Sensitivity | None:
    """The figure as one that can be computed again with other missing faces."""
    about = (figure.name, figure.group, figure.language)
    for found in sensitivities(check, evidence):
        if (found.figure.name, found.figure.group, found.figure.language) == about and found.asks("missing_faces"):
            return found
    return None


def _evidence(audit: Audit) -> Evidence:
    """The scored clips of an audit, with the settings that it was measured with."""
    assert audit.scores is not None
    known = {name: audit.settings[name] for name in ("confidence", "resamples", "seed", "min_speakers", "estimand")}
    settings = Settings(**known)  # type: ignore[arg-type]  # JSON values of these types
    metrics = {metric.name: metric for metric in metrics_of(())}
    evidence = Evidence(audit.scores, metrics, settings, margins={}, instrument="", similarity_models=())
    return evidence.only(files_usable(audit.scores))


def _inconclusive(ruling: FigureRuling, reason: str) -> FigureRuling:
    return replace(ruling, outcome="inconclusive", reason=reason)
