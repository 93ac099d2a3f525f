"""The one form in which a number leaves the statistics: with its interval and with how many stand behind it."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Estimate:
    """A figure with its uncertainty.

    Attributes
    ----------
    value, low, high : float or None
        The point and the ends of its interval, in the unit of the metric; all ``None`` where not estimable,
        ``low`` and ``high`` ``None`` where there is a point but no honest interval.
    n_speakers, n_clips : int
        How many speakers, and how many of their clips, the figure rests on.
    n_missing : int
        Clips that belong here but could not be read.
    method : str
        How the interval was made, or why there is none.

    Examples
    --------
    >>> Estimate(0.5, 0.2, 0.8, 10, 20, 0, "exact").interval
    (0.2, 0.8)
    """

    value: float | None
    low: float | None
    high: float | None
    n_speakers: int
    n_clips: int
    n_missing: int
    method: str

    @property
    def interval(self) -> tuple[float, float] | None:
        """The interval, or ``None`` where there is none."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def as_dict(self) -> dict[str, float | int | str | None]:
        """The contract's JSON form: value, low, high, n_speakers, n_clips, n_missing, method."""
        return asdict(self)
