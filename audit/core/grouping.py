"""Groupings: the columns whose values divide the speakers or clips into groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audit.core.vocabulary import UNKNOWN, is_known

CROSSED: Final = " x "
"""Written between the columns of a crossing."""


@dataclass(frozen=True)
class Grouping:
    """A division of the clips by one or several columns of the observations.

    Attributes
    ----------
    columns : tuple of str
        The columns; several are crossed.

    Raises
    ------
    ValueError
        If there is no column, a name is empty, or one is repeated.

    Examples
    --------
    >>> Grouping.parse("accent x gender")
    Grouping(columns=('accent', 'gender'))
    >>> Grouping.parse("accent x gender").name
    'accent x gender'
    """

    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.columns or not all(self.columns) or len(set(self.columns)) < len(self.columns):
            raise ValueError(
                f"the grouping {CROSSED.join(self.columns)!r} needs different columns, such as 'accent' or "
                "'accent x gender'"
            )

    @classmethod
    def parse(cls, text: str) -> Grouping:
        """The grouping of a text such as ``accent x gender``."""
        return cls(tuple(part.strip() for part in text.split(CROSSED)))

    @property
    def name(self) -> str:
        """The columns, joined by `` x ``."""
        return CROSSED.join(self.columns)

    @property
    def column(self) -> str:
        """The column of a frame with the labels of the groups.

        Examples
        --------
        >>> GROUP.column, Grouping.parse("accent x gender").column
        ('group', 'by accent x gender')
        """
        return self.name if self == GROUP else f"by {self.name}"

    def crossed(self, columns: Sequence[str]) -> Grouping:
        """The grouping crossed with further columns, if it does not have them yet.

        Examples
        --------
        >>> GROUP.crossed(["gender", "language"]).name
        'group x gender x language'
        """
        return Grouping(tuple(dict.fromkeys((*self.columns, *columns))))

    def label(self, values: Sequence[object]) -> str:
        """The label of the cell with these values of the columns; ``unknown`` if any value is.

        Examples
        --------
        >>> Grouping(("group", "gender")).label(["asian", "woman"])
        'asian, woman'
        """
        return ", ".join(map(str, values)) if all(map(is_known, values)) else UNKNOWN


GROUP: Final = Grouping(("group",))
"""The default: the column ``group``."""
