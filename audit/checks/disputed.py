"""Disputed group labels: speakers whose group depends on which annotator is right."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from audit.checks.strata import Mask, Strata
from audit.core.grouping import GROUP
from audit.core.votes import GROUP_VOTES, voted


def has_votes(strata: Strata) -> bool:
    """Whether the groups are those of the column ``group``, and the clips have votes of annotators."""
    return strata.grouping == GROUP and GROUP_VOTES in strata.frame


def memberships(strata: Strata, allows: Callable[[str], bool]) -> tuple[Mask, Mask]:
    """The clips of speakers who belong to a group by every label that they have, and by some of them only.

    The labels of a speaker are the one that the audit uses and those that at least one annotator gave. ``allows`` says
    whether speakers with a label belong to the group.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"group": ["asian", "asian", "unknown", "white"],
    ...                       "group_votes": ["asian:2", "asian:2 white:1", "asian:1 white:1", ""]})
    >>> certain, disputed = memberships(Strata(frame), lambda label: label == "asian")
    >>> certain.tolist(), disputed.tolist()
    ([True, False, False, False], [False, True, True, False])
    """
    (groups, names), (votes, texts) = strata._numbered("group"), strata._numbered(GROUP_VOTES)
    used = np.array([allows(str(name)) for name in names], bool)[groups]
    given = [[allows(label) for label in voted(text)] if isinstance(text, str) else [] for text in texts]
    some, every = (np.array([*map(test, given)], bool)[votes] for test in (any, all))
    return used & every, (used | some) & ~(used & every)
