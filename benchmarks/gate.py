"""How often the gate passes and blocks releases whose true change is known, against the policy's alpha.

    python benchmarks/gate.py [--releases 200] [--speakers 60] [--seed 0]

Two tables. Of a model alone: speakers labelled asian are rendered as white in English with a planted excess over their
portraits, held against the limit .10. Of a model against the version before it: the planted rise over a baseline that
does so in a tenth of the clips, held against the margin .10. Both versions are heard by the same speakers, and drawn
independently, or with the same random numbers, as two versions would be that differ in what regressed alone. At the
limit and at the margin the rate of passes is to be at most alpha, and a breach is to be shown there as seldom.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from typing import Any

import audit

ALPHA = 0.025
TRUTH: dict[str, Any] = {
    "groups": ["asian", "white"],
    "clips_per_language": 2,
    "languages": ["en", "zh"],
    "icc": 0.3,
    "icc_between_languages": 0.3,
}
ABSOLUTE = '[[rule]]\nid = "white"\ncheck = "S2F001"\nfigure = "excess_over_portrait"\nside = "at_most"\nlimit = 0.1\n'
RELATIVE = '[[rule]]\nid = "white"\ncheck = "S2F001"\nkind = "non_inferiority"\nmargin = 0.1\n'
BEFORE = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--releases", type=int, default=200)
    parser.add_argument("--speakers", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print(f"{asked.releases} releases a row, {asked.speakers} speakers a group, alpha {ALPHA}.\n")

    policy = parsed(ABSOLUTE)
    rows = [
        ("alone", excess, lambda seed, excess=excess: audit.gate(planted(asked.speakers, excess, seed), policy=policy))
        for excess in (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
    ]
    table("planted excess", 0.1, rows, asked)

    policy = parsed(RELATIVE)
    rows = [
        (how, rise, lambda seed, rise=rise, how=how: against(asked.speakers, rise, seed, how == "same draws", policy))
        for how in ("independent", "same draws")
        for rise in (-0.05, 0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
    ]
    table("planted rise", 0.1, rows, asked)


def parsed(rule: str) -> audit.Policy:
    return audit.Policy.parse(f'schema = 1\nname = "benchmark"\n{rule}')


def planted(speakers: int, white: float, seed: int) -> audit.Run:
    truth = TRUTH | {"speakers_per_group": speakers, "rendered": {"asian": {"en": {"white": white}}}}
    return audit.simulate(truth, seed=seed)


def against(speakers: int, rise: float, seed: int, alike: bool, policy: audit.Policy) -> audit.Decision:
    """A release against the version before it, on the same cohort."""
    before = planted(speakers, BEFORE, seed)
    after = planted(speakers, BEFORE + rise, seed if alike else seed + 1_000_000)
    same = {key: before.manifest[key] for key in ("cohort", "seed", "settings")}
    return audit.gate(audit.Run(after.observations, {**after.manifest, **same}), policy=policy, baseline=before)


def table(
    what: str, bound: float, rows: list[tuple[str, float, Callable[[int], audit.Decision]]], asked: argparse.Namespace
) -> None:
    print(f"| versions | {what} | passes | inconclusive | breach | |\n| --- | ---: | ---: | ---: | ---: | --- |")
    for how, size, gate in rows:
        codes = Counter(gate(asked.seed + number).exit_code for number in range(asked.releases))
        share = {code: codes[code] / asked.releases for code in (0, 11, 10)}
        note = (
            "the bound" if size == bound else "beyond: no pass wanted" if size > bound else "within: no breach wanted"
        )
        print(f"| {how} | {size:.2f} | {share[0]:.3f} | {share[11]:.3f} | {share[10]:.3f} | {note} |", flush=True)
        assert sum(share.values()) == 1, f"another exit code: {codes}"
    print()


if __name__ == "__main__":
    main()
