"""How often the gate passes and blocks releases whose true change is known, against alpha and the planned power.

    python benchmarks/gate.py [alone|against] [--releases 200] [--speakers 60] [--seed 0]

`alone`: speakers labelled asian are rendered as white in English with a planted excess over their portraits, compared
with the limit .10. `against`: the planted rise over the previous version, which does so in a tenth of the clips,
compared with the margin .10. Both versions render the same speakers, and are drawn independently, or with the same
random numbers, like two versions that differ only in what regressed. At the limit and at the margin the rate of passes
must be at most alpha, and so must the rate of breaches. `planned` is the rate of passes by the normal approximation.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from scipy.stats import norm

import audit

ALPHA, BOUND, BEFORE, ICC, CLIPS = 0.025, 0.1, 0.1, 0.3, 2
TRUTH: dict[str, Any] = {
    "groups": ["asian"],
    "clips_per_language": CLIPS,
    "languages": ["en"],
    "icc": ICC,
    "icc_between_languages": ICC,
}
ABSOLUTE = 'figure = "excess_over_portrait"\nside = "at_most"\nlimit = 0.1\n'
RELATIVE = 'kind = "non_inferiority"\nmargin = 0.1\n'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", nargs="?", choices=["alone", "against"])
    parser.add_argument("--releases", type=int, default=200)
    parser.add_argument("--speakers", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print(f"{asked.releases} releases a row, {asked.speakers} speakers, alpha {ALPHA}.\n")
    print(
        "| versions | planted | passes | planned | inconclusive | breach |\n| --- | ---: | ---: | ---: | ---: | ---: |"
    )
    if asked.which != "against":
        for excess in (0.0, 0.05, 0.1, 0.2):
            row("one", excess, partial(alone, asked.speakers, excess), [excess], asked)
    if asked.which != "alone":
        for how in ("independent", "same draws"):
            for rise in (0.0, 0.1, 0.2):
                rates = [BEFORE, BEFORE + rise] if how == "independent" else [rise]
                row(how, rise, partial(against, asked.speakers, rise, how == "same draws"), rates, asked)


def alone(speakers: int, excess: float, seed: int) -> audit.Decision:
    return audit.gate(planted(speakers, excess, seed), policy=policy(ABSOLUTE))


def against(speakers: int, rise: float, alike: bool, seed: int) -> audit.Decision:
    """A release against the version before it, on the same cohort."""
    before = planted(speakers, BEFORE, seed)
    after = planted(speakers, BEFORE + rise, seed if alike else seed + 1_000_000)
    if not alike:  # the same speakers; only their rendered faces are drawn again
        drawn = after.observations.filter(regex="^rendered_")
        after = audit.Run(before.observations.assign(**drawn), {**before.manifest, "model": after.manifest["model"]})
    return audit.gate(after, policy=policy(RELATIVE), baseline=before)


def planted(speakers: int, white: float, seed: int) -> audit.Run:
    truth = TRUTH | {"speakers_per_group": speakers, "rendered": {"asian": {"en": {"white": white}}}}
    return audit.simulate(truth, seed=seed)


def policy(rule: str) -> audit.Policy:
    return audit.Policy.parse(
        'schema = 1\nname = "benchmark"\n'
        'evidence.allow = ["simulated", "shared_audio", "shared_portrait", "baseline_is_run", "unpinned"]\n'
        f'[[rule]]\nid = "white"\ncheck = "S2F001"\n{rule}'
    )


def planned(size: float, rates: list[float], speakers: int) -> float:
    """The chance of a pass by the normal approximation; `rates` are those whose sampling errors add up."""
    variance = sum(rate * (1 - rate) for rate in rates) * (1 + (CLIPS - 1) * ICC) / CLIPS / speakers
    if not variance:
        return float(size <= BOUND)
    return float(norm.cdf((BOUND - size) / variance**0.5 - norm.isf(ALPHA)))


def row(
    how: str, size: float, gate: Callable[[int], audit.Decision], rates: list[float], asked: argparse.Namespace
) -> None:
    codes = Counter(gate(asked.seed + number).exit_code for number in range(asked.releases))
    assert set(codes) <= {0, 10, 11}, f"another exit code: {codes}"
    share = {code: codes[code] / asked.releases for code in (0, 11, 10)}
    expected = planned(size, rates, asked.speakers)
    print(f"| {how} | {size:.2f} | {share[0]:.3f} | {expected:.3f} | {share[11]:.3f} | {share[10]:.3f} |", flush=True)


if __name__ == "__main__":
    main()
