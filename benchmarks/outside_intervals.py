"""How often verdicts are wrong through errors that no interval covers, and how often the report and the gate say so.

    python -m benchmarks.outside_intervals [--runs 300] [--speakers 300] [--seed 0]

Three kinds of errors in simulated runs, two clips a speaker, whose true excess of white reads lies beyond the margin of
.10. `not shown` is the share of runs with that wrong verdict, which passes a gate's rule. `planted` is the number of
errors, and `tipping point` the number in the table `sensitivity` that would change the verdict: medians, with the
smallest and largest. `named` is the share of all runs in which it is at most the planted number (of misclassified
faces: in which its rate is at most the planted rate). `strict pass` is the share that passes
the gate's remedy: `missing = "worst_case"`, or `readings = "human"` with the faces of 100 speakers read by people.
There is none for wrong labels.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

import audit
from audit.audits.measure import evidence_of
from audit.checks.catalogue.rendered_as_white import CHECK
from audit.checks.sensitivity import Doubt, Sensitivity
from audit.core.plan import MeasureSettings
from audit.stats import prediction_powered_change, verdict
from audit.stats.verdict import Outcome
from tests.sensitivity_fixture import missing_if_white

TRUE, PEOPLE, LOST, MISREAD, WRONG = 0.15, 100, 0.6, 0.6, 0.1
OUTCOMES: frozenset[Outcome] = frozenset({"shown", "not_shown", "inconclusive"})


class Answer(NamedTuple):
    not_shown: bool
    planted: int
    tipping: int | None
    named: bool
    strict: bool | None


def missing(speakers: int, seed: int) -> Answer:
    """60 % of the white faces, 9 % of the clips, have no readable face."""
    found = excess(missing_if_white(speakers, seed=seed))
    worst = found.changed("missing_faces", True, found.n_missing)
    return answer(found, "missing_faces", found.n_missing, worst.verdict.outcome == "not_shown")


def misclassified(speakers: int, seed: int) -> Answer:
    """60 % of the white faces are read as the own group; people read 100 speakers' faces rightly."""
    run = simulated(speakers, TRUE, seed)
    frame, rng = run.observations, np.random.default_rng(seed)
    white = (frame["group"] == "asian") & (frame["rendered_race"] == "white")
    hidden = white & (rng.random(len(frame)) < MISREAD)
    frame = frame.assign(rendered_race=frame["rendered_race"].mask(hidden, "asian"))
    found = excess(replace(run, held=frame))
    readers = rng.choice(frame.loc[frame["group"] == "asian", "speaker_id"].unique(), PEOPLE, replace=False)
    asian = (frame["group"] == "asian").to_numpy()
    first = ~frame.duplicated("speaker_id").to_numpy()  # one clip of each
    human = np.where(frame["speaker_id"].isin(readers).to_numpy() & first & asian, white, np.nan)
    read = found.evidence
    by_people = prediction_powered_change(
        *(read.values(stage, "read_white")[asian] for stage in ("portrait", "rendered")),
        human[asian],
        read.speakers[asian],
        read.settings,
    )
    strict = verdict(by_people, 0.10, "greater").outcome == "not_shown"
    rates = [found.rate("misclassified_faces", up, n) for up, n in tipping(found, "misclassified_faces")]
    made = answer(found, "misclassified_faces", int(hidden.sum()), strict)
    return made._replace(named=min(rates, default=1) <= MISREAD)


def mislabelled(speakers: int, seed: int) -> Answer:
    """10 % of the speakers labelled asian are white, and read so at every stage; the others' excess is .125."""
    run = simulated(speakers, 0.125, seed)
    frame = run.observations
    ids = {group: sorted(frame.loc[frame["group"] == group, "speaker_id"].unique()) for group in ("asian", "white")}
    wrong = round(WRONG * speakers)
    frame = frame[~frame["speaker_id"].isin(ids["asian"][:wrong])].reset_index(drop=True)
    frame.loc[frame["speaker_id"].isin(ids["white"][:wrong]), "group"] = "asian"
    found = excess(replace(run, held=frame))
    return answer(found, "wrong_labels", wrong, None)


def simulated(speakers: int, white: float, seed: int) -> audit.Run:
    truth = {
        "groups": ["asian", "white"],
        "speakers_per_group": speakers,
        "clips_per_language": 2,
        "rendered": {"asian": {"en": {"white": white}}},
    }
    return audit.simulate(truth, seed=seed)


def excess(run: audit.Run) -> Sensitivity:
    return next(iter(CHECK.sensitivity(evidence_of(run, MeasureSettings()))))


def answer(found: Sensitivity, doubt: Doubt, planted: int, strict: bool | None) -> Answer:
    """The verdict of a run, and whether the report's tipping point is at most the planted number of errors."""
    fewest = min((number for _, number in tipping(found, doubt)), default=None)
    named = fewest is not None and fewest <= planted
    return Answer(found.figure.verdict.outcome == "not_shown", planted, fewest, named, strict)


def tipping(found: Sensitivity, doubt: Doubt) -> list[tuple[bool, int]]:
    """The directions in which the report asks for the tipping point and that have one, with the number of errors."""
    others = OUTCOMES - {found.figure.verdict.outcome}
    points = [
        (up, found.tipping_points(doubt, up, lambda changed: changed.verdict.outcome, [others])[0])
        for up in found.directions()
    ]
    return [(up, number) for up, number in points if number is not None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--speakers", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print("| error | runs | not shown | planted | tipping point | named | strict pass |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for make in (missing, misclassified, mislabelled):
        answers = [make(asked.speakers, asked.seed + run) for run in range(asked.runs)]
        columns = [
            share([each.not_shown for each in answers]),
            range_of([each.planted for each in answers]),
            range_of([each.tipping for each in answers]),
            share([each.named for each in answers]),
            share([each.strict for each in answers]),
        ]
        print(f"| {make.__name__} | {len(answers)} | {' | '.join(columns)} |", flush=True)


def range_of(found: Sequence[int | None]) -> str:
    """Median, smallest and largest of the numbers that there are."""
    numbers = [number for number in found if number is not None]
    return f"{np.median(numbers):.0f} ({min(numbers)} to {max(numbers)})" if numbers else "none"


def share(found: Sequence[bool | None]) -> str:
    """The share with its standard error."""
    if None in found:
        return "no remedy"
    rate = float(np.mean(np.array(found, float)))
    return f"{rate:.3f} ({(rate * (1 - rate) / len(found)) ** 0.5:.3f})"


if __name__ == "__main__":
    main()
