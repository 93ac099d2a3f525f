"""Estimate: a number with its interval and the counts it is based on."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Estimate:
    """A point estimate with its interval.

    Attributes
    ----------
    value, low, high : float or None
        Point estimate and interval, in the unit of the metric. All ``None`` if not estimable; ``low`` and ``high``
        ``None`` if there is no valid interval.
    n_speakers, n_clips : int
        Number of speakers, and of their clips, that the estimate is based on.
    n_missing : int
        Number of clips that could not be read.
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
        """``(low, high)``, or ``None`` if there is no interval."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    def as_dict(self) -> dict[str, float | int | str | None]:
        """The JSON form: value, low, high, n_speakers, n_clips, n_missing, method."""
        return asdict(self)
