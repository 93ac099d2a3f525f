"""The strength of the evidence behind a recommendation, from four criteria."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from audit.audits.recommendations.rule import Case
from audit.core.grouping import GROUP

Strength = Literal["strong", "moderate", "weak"]
Size = Literal["enough", "some", "few"]
STRENGTHS: Final[tuple[Strength, ...]] = get_args(Strength)
SIZES: Final[tuple[Size, ...]] = get_args(Size)
ENOUGH: Final = 30
FEW: Final = 10
"""Speakers of the smaller compared group: from ``ENOUGH`` on the evidence may be strong; below ``FEW`` it is weak."""
DEFINITION: Final = (
    "Strong: the check is still shown after adjustment for the number of checks (Holm), the interval begins at "
    "twice the margin or beyond, the verdict stays shown however missing faces and disputed labels would turn out, "
    f"and at least {ENOUGH} speakers are behind it. Weak: the check is no longer shown after adjustment, a worst case "
    f"changes the verdict, there are fewer than {FEW} speakers, or the figures are suppressed. Moderate: otherwise."
)
_WORST: Final = ("missing_faces", "disputed_labels")


@dataclass(frozen=True)
class Criteria:
    """What is known of the evidence for one group; ``worst_case`` and ``adjusted`` are ``None`` where not computed."""

    known: bool
    adjusted: bool | None
    far: bool
    worst_case: bool | None
    size: Size

    @classmethod
    def least(cls, of: Sequence[Criteria]) -> Criteria:
        """What holds for every one of some groups."""
        return cls(
            all(each.known for each in of),
            _all([each.adjusted for each in of]),
            all(each.far for each in of),
            _all([each.worst_case for each in of]),
            max((each.size for each in of), key=SIZES.index),
        )

    @property
    def strength(self) -> Strength:
        """By :data:`DEFINITION`."""
        if not (self.known and self.adjusted) or self.worst_case is False or self.size == "few":
            return "weak"
        return "strong" if self.far and self.worst_case and self.size == "enough" else "moderate"

    @property
    def reason(self) -> str:
        """The criteria in words."""
        if not self.known:
            return "the figures are suppressed"
        adjusted = {
            True: "still shown after adjustment",
            False: "no longer shown after adjustment",
            None: "no adjusted p-value",
        }
        worst = {True: "no worst case changes it", False: "a worst case changes it", None: "worst cases not computed"}
        sizes = (f"{ENOUGH} speakers or more", f"fewer than {ENOUGH} speakers", f"fewer than {FEW} speakers")
        return "; ".join(
            (
                adjusted[self.adjusted],
                f"interval {'beyond' if self.far else 'within'} twice the margin",
                worst[self.worst_case],
                sizes[SIZES.index(self.size)],
            )
        )


def criteria(case: Case, group: str) -> Criteria:
    """The evidence of a case for one of its groups."""
    finding, judged = case.finding, case.judged(group)
    confidence, p = case.audit.settings.get("confidence"), finding.p_adjusted
    adjusted = p <= 1 - confidence + 1e-9 if isinstance(confidence, float) and p is not None else None
    ends = [max(f.interval[0], -f.interval[1]) - 2 * (f.margin or 0.0) for f in judged if f.interval is not None]
    speakers = [f.n_speakers if f.n_smaller is None else min(f.n_speakers, f.n_smaller) for f in judged]
    fewest = min(speakers, default=0)
    return Criteria(
        known=bool(judged),
        adjusted=adjusted,
        far=bool(ends) and max(ends) >= 0,
        worst_case=_worst_case(case, group),
        size="enough" if fewest >= ENOUGH else "few" if fewest < FEW else "some",
    )


def _all(of: Sequence[bool | None]) -> bool | None:
    """Whether all hold; ``None`` where that is not known."""
    return False if False in of else None if None in of else True


def _worst_case(case: Case, group: str) -> bool | None:
    """Whether the verdict stays shown in every worst case of the table ``sensitivity``; ``None`` if it has none."""
    if case.finding.grouping != GROUP.name:
        return None
    rows = [row for row in case.rows("sensitivity", check=case.finding.code, group=group) if row["doubt"] in _WORST]
    found = ["shown" if row["n_available"] == 0 else row["outcome_if_all"] for row in rows]
    known = [each for each in found if each is not None]
    return all(each == "shown" for each in known) if known else None
