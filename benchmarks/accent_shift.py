"""How often S2F009 is wrong on simulated speakers whose truth is known: the table of docs/validation/any-group.md.

    python benchmarks/accent_shift.py [--runs 500]

Two clips a speaker with an intra-class correlation of 0.3. Each run is measured by the check as an audit does, without
the worst cell. One process, some fifteen minutes.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import audit
from audit.audits.measure import evidence_of
from audit.checks.catalogue.accent_shift import CHECK
from audit.core.grouping import Grouping
from audit.core.plan import MeasureSettings

SETTINGS = MeasureSettings()
CODES = ("zh", "ko", "hi", "es", "ar")


@dataclass(frozen=True)
class Row:
    """A scenario: speakers of every side, first languages, and the share read as asian.

    ``shift`` is added to the first one's share of the rendered faces. With ``portraits``, a tenth of the native
    speakers looks asian, and faces are rendered as people look.
    """

    speakers: int
    languages: int = 1
    share: float = 0.5
    shift: float = 0.0
    portraits: bool = False

    @property
    def truth(self) -> dict[str, Any]:
        """The parameters of the simulation."""
        looks = dict.fromkeys(("natives", *CODES[: self.languages]), self.share)
        looks |= {"natives": 0.1} if self.portraits else {}
        shown = {side: share + self.shift * (side == CODES[0]) for side, share in looks.items()}
        rendered = {side: {"en": reads(share)} for side, share in shown.items()}
        sizes = {"groups": list(looks), "speakers_per_group": self.speakers, "clips_per_language": 2, "icc": 0.3}
        portrait = {side: reads(share) for side, share in looks.items()}
        return {**sizes, "portrait": portrait, "ceiling": rendered, "rendered": rendered}


ROWS = (
    *(Row(speakers) for speakers in (12, 32, 100)),
    Row(32, share=0.05),
    Row(32, languages=5),
    *(Row(speakers, portraits=True) for speakers in (32, 100)),
    *(Row(100, shift=shift, portraits=portraits) for shift in (0.1, 0.3) for portraits in (False, True)),
    Row(32, shift=0.3),
)


def reads(share: float) -> dict[str, float]:
    return {"asian": share, "white": 1 - share}


def measured(row: Row, seed: int) -> list[bool]:
    """Whether it is shown and not shown, and whether the first size and all sizes are covered."""
    run = audit.simulate(row.truth, seed=seed)
    seen = run.observations.assign(native_language=run.observations["group"].replace({"natives": "en"}))
    if not row.portraits:
        columns = [name for name in map(str, seen) if name.startswith("portrait_race")]
        seen = seen.assign(portrait_status="missing", **dict.fromkeys(columns))
    evidence = evidence_of(audit.Run(seen, run.manifest, None), SETTINGS).by(Grouping(("native_language",)))
    found = CHECK.measure(evidence)
    sizes = [(found.estimates[code], row.shift * (code == CODES[0])) for code in CODES[: row.languages]]
    inside = [size.low <= truth <= size.high for size, truth in sizes]  # type: ignore[operator]  # it has an interval
    return [found.outcome == "shown", found.outcome == "not_shown", inside[0], all(inside)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    runs = parser.parse_args().runs
    print("| speakers a side | first languages | portraits | share | shift | shown | not shown | covered | all |")
    print(f"| {'---: | ' * 9}")
    for row in ROWS:
        found = [measured(row, seed) for seed in range(runs)]
        shares = [sum(each) for each in zip(*found, strict=True)]
        known = [row.speakers, row.languages, "yes" if row.portraits else "no", row.share, row.shift]
        print(f"| {' | '.join([*map(str, known), *(f'{100 * share / runs:.1f}' for share in shares)])} |", flush=True)


if __name__ == "__main__":
    main()
