"""A/A test: a run is split at random into two halves by speaker, which differ by chance only, and they are compared.

    python benchmarks/a_a.py RUN [RUN ...] [--splits 200] [--seed 0]

Every judged figure of the shipped checks except S2F007 is estimated in both halves of each split, over all speakers and
in each group, and the second half minus the first is compared with a margin of zero, the strictest, and with the
check's own. The gap checks are also run whole, with the half in place of the group; one that is not evaluable is not
shown. Any `shown` is false. Prints the tables of docs/validation/a-a.md. One process, some minutes a run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

import audit
from audit.audits.measure import evidence_of
from audit.checks import Check, Evidence, Finding, shipped
from audit.checks.flips import flip_figures
from audit.checks.strata import Mask
from audit.core.plan import MeasureSettings
from audit.core.vocabulary import group_members
from audit.stats import ALL, Curve, Estimate, difference_curve, verdict

CHECKS = {check.code: check for check in shipped()}
GAP_CHECKS = ("S2F004", "S2F005", "S2F006")
WHITE = "white"
HALVES = ("black", "white")
"""Stand-ins for the two halves: a group must have a race label, which the gap checks do not use."""

CurveOf = Callable[[Evidence, Mask], Curve]


@dataclass(frozen=True)
class Compared:
    """A judged figure of a check, how it is estimated from some clips, and the clips that it is about."""

    check: Check
    name: str
    estimate: CurveOf
    about: Callable[[Evidence], Mask] = lambda evidence: evidence.where()

    @property
    def key(self) -> str:
        return f"{self.check.code} {self.name}"

    @property
    def margin(self) -> float:
        return self.check.declared(self.name).margin


def changed(metric: str, before: str, after: str) -> CurveOf:
    return lambda evidence, mask: evidence.changed(metric, before, after, mask).curve()


def rate(metric: str) -> CurveOf:
    return lambda evidence, mask: evidence.figure_curve(metric, "rendered", mask)


def language_effect(evidence: Evidence, mask: Mask) -> Curve:
    english = evidence.where(english=True)
    return evidence.contrasted("read_white", "rendered", mask & ~english, mask & english).curve()


def flip_excess(evidence: Evidence, mask: Mask) -> Curve:
    return flip_figures(evidence, mask).excess.curve()


def not_white(evidence: Evidence) -> Mask:
    """The clips of speakers whose label does not include white."""
    return ~evidence.frame["group"].astype(str).map(lambda group: WHITE in group_members(group)).to_numpy(bool)


def english_not_white(evidence: Evidence) -> Mask:
    return not_white(evidence) & evidence.where(english=True)


def figures(evidence: Evidence) -> Iterator[Compared]:
    """The judged figures that the run can answer."""
    white, fall, gender = CHECKS["S2F001"], CHECKS["S2F003"], CHECKS["S2F004"]
    yield Compared(white, "excess_over_portrait", changed("read_white", "portrait", "rendered"), english_not_white)
    yield Compared(white, "excess_over_ceiling", changed("read_white", "ceiling", "rendered"), english_not_white)
    if len(evidence.languages) > 1:
        yield Compared(white, "language_effect", language_effect, not_white)
        yield Compared(CHECKS["S2F002"], "excess", flip_excess)
    yield Compared(fall, "fall", changed("read_own_group", "rendered", "ceiling"))
    for stage, name in (("rendered", "gap"), ("ceiling", "gap_ceiling")):
        yield Compared(gender, f"gender_{name}", changed("gender_right", "portrait", stage))
        yield Compared(gender, f"age_{name}", changed("age_error", "portrait", stage))
    identity = CHECKS["S2F005"]
    yield Compared(identity, "identification_gap", rate(identity.metric(evidence)))  # type: ignore[attr-defined]
    yield Compared(CHECKS["S2F006"], "failure_gap", rate("no_face"))
    if "skin_ita" in evidence.metrics:
        yield Compared(CHECKS["S2F008"], "shift", changed("skin_ita", "ceiling", "rendered"))


def half_of(evidence: Evidence, rng: np.random.Generator) -> Mask:
    """The clips of a random half of the speakers."""
    speakers = int(evidence.speakers.max()) + 1
    chosen = rng.permutation(speakers) < speakers // 2
    return np.asarray(chosen[evidence.speakers], np.bool_)


def differences(evidence: Evidence, half: Mask) -> Iterator[tuple[Compared, str, Curve]]:
    """The second half minus the first of every figure, over all speakers and in each group, where both have it."""
    for figure in figures(evidence):
        about = figure.about(evidence)
        for group in (ALL, *evidence.groups):
            mask = about if group == ALL else about & evidence.where(group=group)
            if (mask & half).any() and (mask & ~half).any():
                first, second = (figure.estimate(evidence, mask & side) for side in (half, ~half))
                yield figure, group, difference_curve(first, second)


def gap_findings(evidence: Evidence, half: Mask) -> Iterator[Finding]:
    """The findings of the gap checks with the half of each speaker as the group."""
    halves = pd.Categorical(np.where(half, *HALVES))
    split = replace(evidence, frame=evidence.frame.assign(group=halves))
    for code in GAP_CHECKS:
        yield CHECKS[code].measure(split)


Row = dict[str, object]
HOW = {"each alone": "", "adjusted for all of them": ", adjusted"}


def compare(evidence: Evidence, splits: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every difference and every finding of the splits: whether it is shown."""
    confidence, rows, findings = evidence.settings.confidence, list[Row](), list[Row]()
    for split in range(splits):
        half = half_of(evidence, np.random.default_rng([seed, split]))
        found = [each for each in differences(evidence, half) if each[2].at(confidence).interval is not None]
        for figure, group, curve in found:
            row: Row = {"split": split, "figure": figure.key, "group": group}
            for word, margin in (("zero", 0.0), ("margin", figure.margin)):
                row[word] = shown(curve.at(confidence), margin)
                # the adjusted interval is the wider one
                row[f"{word}, adjusted"] = row[word] and shown(curve.together(len(found)).at(confidence), margin)
            rows.append(row)
        for finding in gap_findings(evidence, half):
            judged = {item.name for item in CHECKS[finding.code].judged}
            gaps = [figure for figure in finding.estimates.values() if figure.name in judged]
            row = {"split": split, "figure": finding.code, "evaluable": finding.outcome != "not_evaluable"}
            row |= {"margin": finding.outcome == "shown", "zero": any(shown(gap, 0.0) for gap in gaps)}
            findings.append(row)
    return pd.DataFrame(rows), pd.DataFrame(findings)


def shown(estimate: Estimate, margin: float) -> bool:
    return verdict(estimate, margin).outcome == "shown"


def share(shown: pd.Series, split: pd.Series) -> str:
    """A share in per cent, and its standard error from the means of the splits."""
    of_split = shown.astype(float).groupby(split).mean()
    error = of_split.std(ddof=1) / len(of_split) ** 0.5 if len(of_split) > 1 else float("nan")
    return f"{100 * of_split.mean():.1f} ({100 * error:.1f})"


def table(head: list[str], rows: Iterable[list[object]]) -> None:
    print(f"| {' | '.join(head)} |\n| --- |{' ---: |' * (len(head) - 1)}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")
    print(flush=True)


def report(differences: pd.DataFrame, findings: pd.DataFrame) -> None:
    def line(name: str, rows: pd.DataFrame, n: int) -> list[object]:
        return [name, n, *(share(rows[column], rows["split"]) for column in ("zero", "margin"))]

    columns = ["shown at 0, %", "shown at the margin, %"]
    table(
        ["figure", "comparisons", *columns],
        [line(name, rows, len(rows)) for name, rows in [*differences.groupby("figure"), ("all", differences)]],
    )
    any_shown = differences.groupby("split")[["zero", "margin", "zero, adjusted", "margin, adjusted"]].any()
    splits, n = any_shown.index.to_series(), len(differences) / differences["split"].nunique()
    rows = [
        [words, *(share(any_shown[name + how], splits) for name in ("zero", "margin"))] for words, how in HOW.items()
    ]
    table([f"any of about {n:.0f} differences, share of splits", *columns], rows)
    rows = [line(code, rows, rows["evaluable"].sum()) for code, rows in findings.groupby("figure")]
    table(["check, the half as the group", "evaluable", *columns], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", help="run directories")
    parser.add_argument("--splits", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for path in given.runs:
        began, run = time.monotonic(), audit.Run.read(path)
        evidence = evidence_of(run, MeasureSettings())
        name = run.manifest["cohort"].get("name", path)
        n = run.observations["speaker_id"].nunique()
        print(f"### {run.manifest['model']['name']} over {name}: {n} speakers, {len(run.observations)} clips\n")
        report(*compare(evidence, given.splits, given.seed))
        print(f"{given.splits} splits, seed {given.seed}; {time.monotonic() - began:.0f} s.\n", flush=True)


if __name__ == "__main__":
    main()
