"""Verdicts of the shipped checks on the reference models: the tables of docs/validation/reference-models.md.

python benchmarks/reference_models.py [--seed 0]
    the verdicts at 12, 32, 100 and 300 speakers in a group, and the default policy's decision about `perfect`
    at 100 and at other sizes; a minute

python benchmarks/reference_models.py --runs 300 --speakers 60 [--excess 0.3] [--icc 0.3]
    the share of runs of `biased` in which each check for the planted failure is shown; two minutes

python benchmarks/reference_models.py --embedded
    the verdicts on the embedded cohort, read by the embedded instrument, of a model that renders each speaker's own
    portrait; a minute
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Sequence

import audit
from audit.audits.measure import evidence_of
from audit.audits.reference_models import SPEAKERS, TRUTHS
from audit.checks import findings, shipped
from audit.checks.finding import OUTCOME_WORDS
from audit.core.plan import MeasureSettings
from audit.runs.simulation import reference_run

POLICY = audit.Policy.default(allow=["reference_model"])
"""The default policy, which allows reference models here."""
GATED = 100
"""The number of speakers in a group at which `perfect` must pass the default policy."""

SIZES = (30, 31, 32, 36, 48, 61, 62, 72)
"""Numbers of speakers in a group around the smallest ones at which the default policy's rules pass."""


def verdicts(seed: int) -> None:
    found = audit.reference_verdicts(seed=seed)
    row(["model", "check", "failure", *map(str, SPEAKERS)])
    row(["---"] * (len(SPEAKERS) + 3))
    for (model, check), of in found.groupby(["model", "check"], sort=False):
        truth = TRUTHS[check][model] if check in TRUTHS else ""
        cells = [OUTCOME_WORDS[each.outcome] + ("" if each.holds else " (wrong)") for each in of.itertuples()]
        row([model, check, truth.replace("_", " "), *cells])
    wrong = int((~found["holds"]).sum())
    print(f"\nSeed {seed}: {len(found) - wrong} of {len(found)} verdicts are allowed.\n")


def gated(seed: int) -> None:
    decision = audit.gate(reference_run("perfect", GATED, seed=seed), policy=POLICY)
    row(["rule", "outcome", "reason"])
    row(["---"] * 3)
    for ruling in decision.rulings:
        row([ruling.id, ruling.outcome, ruling.sentence])
    print(f"\nExit code {decision.exit_code}: `perfect`, {GATED} speakers in a group, seed {seed}.\n")

    row(["speakers in a group", "exit code", "rules that do not pass"])
    row(["---"] * 3)
    for speakers in SIZES:
        decision = audit.gate(reference_run("perfect", speakers, seed=seed), policy=POLICY)
        row(
            [
                str(speakers),
                str(decision.exit_code),
                ", ".join(each.id for each in decision.rulings if each.outcome != "pass"),
            ]
        )


def power(runs: int, speakers: int, excess: float, icc: float, first: int) -> None:
    checks = [check for check in shipped() if check.code in TRUTHS and TRUTHS[check.code]["biased"] == "present"]
    seen: Counter[tuple[str, str]] = Counter()
    for seed in range(first, first + runs):
        run = reference_run("biased", speakers, seed=seed, excess=excess, icc=icc)
        evidence = evidence_of(run, MeasureSettings())
        seen.update((finding.code, finding.outcome) for finding in findings(checks, evidence))
    row(["check", "shown", "standard error", "not shown"])
    row(["---", "---:", "---:", "---:"])
    for check in checks:
        share = seen[check.code, "shown"] / runs
        error = (share * (1 - share) / runs) ** 0.5
        row([check.code, f"{share:.1%}", f"{error:.1%}", f"{seen[check.code, 'not_shown'] / runs:.1%}"])
    print(f"\n{runs} runs of {speakers} speakers in a group, excess {excess:g}, icc {icc:g}, seeds from {first}.\n")


def embedded() -> None:
    cohort = audit.Cohort.read(audit.embedded("synthetic_bilingual"))
    with tempfile.TemporaryDirectory() as folder:
        run = audit.run(cohort, model=audit.model("planted"), instrument=audit.instrument(), out=folder)
        row(["check", "outcome", "headline"])
        row(["---"] * 3)
        for finding in audit.measure(run, with_tables=False).findings:
            text = finding.estimate.text if finding.estimate else finding.reason
            row([finding.code, OUTCOME_WORDS[finding.outcome], text])


def row(cells: Sequence[str]) -> None:
    print("| " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--speakers", type=int, default=60)
    parser.add_argument("--excess", type=float, default=0.3)
    parser.add_argument("--icc", type=float, default=0.3)
    parser.add_argument("--embedded", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    if asked.embedded:
        embedded()
    elif asked.runs:
        power(asked.runs, asked.speakers, asked.excess, asked.icc, asked.seed)
    else:
        verdicts(asked.seed)
        gated(asked.seed)


if __name__ == "__main__":
    main()
