"""How often verdicts are wrong through errors that no interval covers, and how often the report and the gate say so.

    python benchmarks/outside_intervals.py [--runs 300] [--speakers 300] [--seed 0]

Three kinds of errors in simulated runs, two clips a speaker, whose true excess of white reads lies beyond the margin of
.10. `not shown` is the share of runs with that wrong verdict, which passes a gate's rule. `named` is the share of all
runs in which the report's tipping point is at most the planted number of errors. `strict pass` is the share that passes
the gate's remedy: `missing = "worst_case"`, or `readings = "human"` with the faces of 100 speakers read by people.
There is none for wrong labels.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import NamedTuple

import numpy as np

import audit
from audit.audits.measure import evidence_of
from audit.checks.catalogue.rendered_as_white import CHECK
from audit.checks.sensitivity import Doubt, Sensitivity
from audit.core.plan import MeasureSettings
from audit.stats import prediction_powered_change, verdict
from tests.sensitivity_fixture import missing_if_white

TRUE, PEOPLE, LOST, MISREAD, WRONG = 0.15, 100, 0.6, 0.6, 0.1
OUTCOMES = frozenset({"shown", "not_shown", "inconclusive"})


class Answer(NamedTuple):
    not_shown: bool
    named: bool
    strict: bool | None


def missing(speakers: int, seed: int) -> Answer:
    """60 % of the white faces, 9 % of the clips, have no readable face."""
    found = excess(missing_if_white(speakers, seed=seed))
    worst = found.changed("missing_faces", True, found.n_missing)
    return Answer(not_shown(found), tips(found, "missing_faces", found.n_missing), worst.verdict.outcome == "not_shown")


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
    points = tipping(found, "misclassified_faces")
    rates = [found.rate("misclassified_faces", up, n) for up, n in points if n is not None]
    return Answer(not_shown(found), min(rates, default=1) <= MISREAD, strict)


def mislabelled(speakers: int, seed: int) -> Answer:
    """10 % of the speakers labelled asian are white, and read so at every stage; the others' excess is .125."""
    run = simulated(speakers, 0.125, seed)
    frame = run.observations
    ids = {group: sorted(frame.loc[frame["group"] == group, "speaker_id"].unique()) for group in ("asian", "white")}
    wrong = round(WRONG * speakers)
    frame = frame[~frame["speaker_id"].isin(ids["asian"][:wrong])].reset_index(drop=True)
    frame.loc[frame["speaker_id"].isin(ids["white"][:wrong]), "group"] = "asian"
    found = excess(replace(run, held=frame))
    return Answer(not_shown(found), tips(found, "wrong_labels", wrong), None)


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


def not_shown(found: Sensitivity) -> bool:
    return found.figure.verdict.outcome == "not_shown"


def tipping(found: Sensitivity, doubt: Doubt) -> list[tuple[bool, int | None]]:
    """The direction and the tipping point, for every direction in which the report asks for it."""
    others = OUTCOMES - {found.figure.verdict.outcome}
    return [
        (up, found.tipping_points(doubt, up, lambda changed: changed.verdict.outcome, [others])[0])
        for up in found.directions()
    ]


def tips(found: Sensitivity, doubt: Doubt, most: int) -> bool:
    return any(number is not None and number <= most for _, number in tipping(found, doubt))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--speakers", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print("| error | runs | not shown | named | strict pass |\n| --- | ---: | ---: | ---: | ---: |")
    for make in (missing, misclassified, mislabelled):
        answers = [make(asked.speakers, asked.seed + run) for run in range(asked.runs)]
        rates = [share([answer[i] for answer in answers]) for i in range(3)]
        print(f"| {make.__name__} | {len(answers)} | {' | '.join(rates)} |", flush=True)


def share(found: list[bool | None]) -> str:
    """The share with its standard error."""
    if None in found:
        return "no remedy"
    rate = float(np.mean(np.array(found, float)))
    return f"{rate:.3f} ({(rate * (1 - rate) / len(found)) ** 0.5:.3f})"


if __name__ == "__main__":
    main()
