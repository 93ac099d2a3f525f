"""How often two clips of one speaker are read differently: in one language, and in two."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence import Evidence
from audit.stats import Estimate, Pairs, paired, rate
from audit.strata import Mask


def flips(
    reads: NDArray[np.int64], speakers: NDArray[np.int64], languages: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Disagreement of a speaker's reads within a language and between languages.

    For a speaker whose reads have the distribution ``p_l`` in language ``l``, a pair of clips of that language differs
    with probability ``1 - sum_r p_l(r)**2``, one of two languages with ``1 - sum_r p_l(r) * p_m(r)`` (Gini 1912;
    Lieberson 1969 for the second). With two languages the second minus the mean of the first is
    ``sum_r (p_l(r) - p_m(r))**2 / 2``: zero where the language changes nothing, and never expected below it. Each is
    estimated from all pairs of the clips that were read, so that it has no bias however few there are.

    Parameters
    ----------
    reads : int array of shape (clips,)
        What was read, from 0; negative where nothing was.
    speakers, languages : int arrays of shape (clips,)
        Who is heard, in which language, numbered from 0.

    Returns
    -------
    speakers, within, between : arrays of shape (speakers with a read,)
        Shares in [0, 1]: of the pairs in one language (mean over the languages that have a pair) and of the pairs in
        two languages; NaN where the speaker has no such pair.

    Examples
    --------
    >>> who, within, between = flips(np.array([0, 0, 1, 1]), np.zeros(4, int), np.array([0, 0, 1, 1]))
    >>> within.tolist(), between.tolist()
    ([0.0], [1.0])
    """
    read = reads >= 0
    frame = pd.DataFrame({"speaker": speakers[read], "language": languages[read], "read": reads[read]})
    same = frame.groupby(["speaker", "language", "read"], sort=True).size()
    spoken = _pairs(same.groupby(level=[0, 1]).sum())
    alike = _pairs(same).groupby(level=[0, 1]).sum()
    all_pairs = _pairs(same.groupby(level=0).sum())
    all_alike = _pairs(same.groupby(level=[0, 2]).sum()).groupby(level=0).sum()
    able = spoken > 0
    within = (1 - alike[able] / spoken[able]).groupby(level=0).mean().reindex(all_pairs.index)
    crossing = all_pairs - spoken.groupby(level=0).sum()
    agreeing = all_alike - alike.groupby(level=0).sum()
    between = (1 - agreeing / crossing.where(crossing > 0)).where(crossing > 0)
    return (
        np.asarray(all_pairs.index, np.int64),
        np.asarray(within, np.float64),
        np.asarray(between, np.float64),
    )


@dataclass(frozen=True)
class FlipFigures:
    """How often two clips of one speaker are read as different races, over some speakers.

    ``within`` a language and ``between`` two; ``excess`` holds the speakers who have both, the second minus the first.
    """

    within: Estimate
    between: Estimate
    excess: Pairs


def flip_figures(evidence: Evidence, mask: Mask) -> FlipFigures:
    """The flips of the rendered faces of some clips; two regions of a language are one language."""
    cells = evidence.cells("language")
    spoken = pd.factorize(np.array([str(key[0]).split("-")[0].lower() for key in cells.keys], object))[0]
    reads, who = evidence.reads("rendered")[mask], evidence.speakers[mask]
    able, within, between = flips(reads, who, np.asarray(spoken, np.int64)[cells.number[mask]])
    heard = pd.Series(reads >= 0).groupby(who).sum()

    def counts(part: NDArray[np.bool_]) -> dict[str, int]:
        """Clips, not speakers, are what stands behind a figure."""
        clips = int(heard[heard.index.isin(able[part])].sum())
        return {"n_clips": clips, "n_missing": len(who) - clips}

    one, two = ~np.isnan(within), ~np.isnan(between)
    settings = evidence.settings
    return FlipFigures(
        replace(rate(within, able, settings, name="flips within"), **counts(one)),  # type: ignore[arg-type]  # whole numbers
        replace(rate(between, able, settings, name="flips between"), **counts(two)),  # type: ignore[arg-type]  # the same
        replace(paired(within, between, able, settings, name="flips"), **counts(one & two)),  # type: ignore[arg-type]  # the same
    )


def _pairs(number: pd.Series) -> pd.Series:
    return number * (number - 1) / 2
