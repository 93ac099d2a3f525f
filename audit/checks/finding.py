"""What one check found: an outcome, the figures behind it, and one plain sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from audit.stats import Estimate
from audit.stats.verdict import Outcome

OUTCOMES: tuple[Outcome, ...] = ("shown", "not_shown", "inconclusive", "not_evaluable")


@dataclass(frozen=True)
class Finding:
    """The answer of one check.

    Attributes
    ----------
    code : str
        The check's stable code, such as ``S2F001``.
    title : str
        The question that the check asks, in a few words.
    outcome : {"shown", "not_shown", "inconclusive", "not_evaluable"}
        ``shown``: the interval lies beyond the margin. ``not_shown``: it lies inside (equivalence).
        ``inconclusive``: neither. ``not_evaluable``: the data cannot answer.
    group : str
        The group that the headline figure is about, ``all`` where it is about no single one.
    estimate : Estimate or None
        The headline figure that the outcome rests on.
    estimates : Mapping[str, Estimate]
        Every figure that the check used, by name.
    threshold : float or None
        The margin that the interval was held against, in the unit of ``estimate``.
    sentence : str
        The finding in one plain sentence.
    reason : str
        Why this outcome and no other.
    would_change : str
        What would change the verdict.
    p_value : float or None
        The smallest error probability at which the check would still be ``shown``; ``shown`` is where it is at most
        one minus the audit's confidence. ``None`` where the check is not evaluable.
    p_adjusted : float or None
        The same for all checks of the audit together (Holm 1979).
    """

    code: str
    title: str
    outcome: Outcome
    group: str
    estimate: Estimate | None
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    threshold: float | None = None
    sentence: str = ""
    reason: str = ""
    would_change: str = ""
    p_value: float | None = None
    p_adjusted: float | None = None

    def as_dict(self) -> dict[str, object]:
        """The contract's JSON form."""
        return {
            "code": self.code,
            "title": self.title,
            "outcome": self.outcome,
            "group": self.group,
            "estimate": self.estimate.as_dict() if self.estimate else None,
            "estimates": {name: estimate.as_dict() for name, estimate in self.estimates.items()},
            "threshold": self.threshold,
            "sentence": self.sentence,
            "reason": self.reason,
            "would_change": self.would_change,
            "p_value": self.p_value,
            "p_adjusted": self.p_adjusted,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> Finding:
        """The finding that :meth:`as_dict` wrote."""
        values = dict(data)
        head = values.pop("estimate")
        named = values.pop("estimates")
        return cls(
            **values,  # type: ignore[arg-type]  # the fields of as_dict are the fields of the class
            estimate=None if head is None else Estimate(**head),  # type: ignore[arg-type]  # JSON numbers and texts
            estimates={name: Estimate(**item) for name, item in named.items()},  # type: ignore[attr-defined]  # a JSON object
        )
