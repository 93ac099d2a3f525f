"""How often S2F002 and S2F007 are wrong, on runs of planted truth whose speakers are read otherwise in English.

Asian speakers are read as white with one probability in English and never in Chinese; white speakers are read as
themselves. What is planted lies at the margin of .10, where ``shown`` and ``not_shown`` are both false. For S2F002 and
a probability ``w`` that is where ``w**2 + icc * w * (1 - w) = .10`` (two clips of a speaker have the same read with
probability ``icc`` beyond chance); for S2F007, whose training never heard asian speakers in English, it is ``w = .10``.
Then a null: everybody asian is read as white in half of the clips of either language.

    python benchmarks/known_truth_languages.py [--runs 200] [--seed 0]

prints the table of docs/validation/known-truth.md as Markdown.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections import Counter
from typing import Any

import audit
from audit.checks import margins_of, shipped

MARGINS = margins_of(shipped())

SPEAKERS = (10, 20, 50, 200)
CLIPS = (2, 5)
ICCS = (0.0, 0.3, 0.6)
HEARD = {("asian", "en"): 0, ("asian", "zh"): 80, ("white", "en"): 80, ("white", "zh"): 80}


def at_margin(code: str, icc: float) -> float:
    """The probability of a white read in English at which the check's figure is its margin."""
    margin = MARGINS[code]
    if code == "S2F007":
        return margin
    return (-icc + (icc**2 + 4 * (1 - icc) * margin) ** 0.5) / (2 * (1 - icc))


def outcome(code: str, english: float, chinese: float, speakers: int, clips: int, icc: float, seed: int) -> str:
    truth: dict[str, Any] = {
        "groups": ["asian", "white"],
        "speakers_per_group": speakers,
        "clips_per_language": clips,
        "languages": ["en", "zh"],
        "icc": icc,
        "icc_between_languages": icc,
        "rendered": {"asian": {"en": {"white": english}, "zh": {"white": chinese}}},
    }
    run = audit.simulate(truth, seed)
    told = [
        {"group": group, "language": language, "speakers": number, "clips": number, "seconds": 0.0}
        for (group, language), number in HEARD.items()
    ]
    manifest = {**run.manifest, "model": {**run.manifest["model"], "training_coverage": told}}
    heard = dataclasses.replace(run, manifest=manifest)
    return audit.measure(heard, with_tables=False).finding(code).outcome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--speakers", type=int, nargs="+", default=SPEAKERS, help="in each group")
    parser.add_argument("--clips", type=int, nargs="+", default=CLIPS, help="in each language")
    given = parser.parse_args()
    began, seed = time.monotonic(), given.seed * 1_000_000
    print("| check | speakers | clips | " + " | ".join(f"at the margin, icc {icc:g}" for icc in ICCS), end="")
    print(" | nothing, icc 0.3 |\n|" + " ---: |" * (4 + len(ICCS)))
    for code in ("S2F002", "S2F007"):
        for speakers in given.speakers:
            for clips in given.clips:
                cells = []
                for icc, same in [*((icc, False) for icc in ICCS), (0.3, True)]:
                    english, chinese = (0.5, 0.5) if same else (at_margin(code, icc), 0.0)
                    seen: Counter[str] = Counter()
                    for _ in range(given.runs):
                        seen[outcome(code, english, chinese, speakers, clips, icc, seed)] += 1
                        seed += 1
                    shown, not_shown = (100 * seen[word] / given.runs for word in ("shown", "not_shown"))
                    cells.append(f"{shown:.1f} / {not_shown:.1f}")
                print(f"| {code} | {speakers} | {clips} | " + " | ".join(cells) + " |", flush=True)
    print(f"\n{given.runs} runs a number, seed {given.seed}, {time.monotonic() - began:.0f} s.")


if __name__ == "__main__":
    main()
