"""The power of every check on this cohort."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache

import pandas as pd

from audit.audits.table import GROUP as GROUP_COLUMN
from audit.audits.table import LANGUAGE, METHOD, N_SPEAKERS, Column
from audit.audits.tables.spec import TableSpec
from audit.checks import Check, chosen, groupings_of
from audit.checks.power import GroupClips, group_clips
from audit.core.grouping import GROUP, Grouping
from audit.stats import Detectable, Settings, smallest_detectable
from audit.stats.power import Design


def detectable(
    clips: pd.DataFrame,
    checks: Iterable[Check],
    margins: Mapping[str, float],
    settings: Settings,
    groupings: Sequence[Grouping] = (GROUP,),
) -> pd.DataFrame:
    """The minimum detectable effect with a power of .80, at a rate of one half.

    Parameters
    ----------
    clips : DataFrame
        One row per clip: speaker_id, group, language.
    checks : iterable of Check
        The checks.
    margins : mapping of str to float
        The margins, by their keys in a plan: a difference is detected where its interval lies beyond the margin.
    settings : Settings
        Confidence, and the minimum number of speakers.
    groupings : sequence of Grouping
        The groupings, whose columns ``clips`` has. Checks about race labels have rows by ``group`` only, those with a
        grouping of their own by that one.

    Returns
    -------
    DataFrame
        One row per comparison and group (adjusted for the number of groups, as in the checks), then one per cell of
        group and language, compared with a fixed rate. ``smallest_detectable`` is NaN where no difference would be
        detected; ``note`` has the reason, or the assumptions.

    Examples
    --------
    >>> from audit.checks import shipped
    >>> clips = pd.DataFrame({"speaker_id": range(60), "group": "asian", "language": "en"})
    >>> found = detectable(clips, shipped()[:1], {"S2F001": 0.1}, Settings())
    >>> found.loc[found["group"] == "asian", ["check", "n_speakers", "smallest_detectable"]].values.tolist()
    [['S2F001', 60, 0.344], ['S2F001', 0, nan], ['', 60, 0.18]]
    """
    parts = []
    for grouping, asked in groupings_of([*checks], clips, groupings):
        able = [check for check in asked if check.fits(grouping)]
        part = _detectable(group_clips(clips, grouping), able, margins, settings).assign(grouping=grouping.name)
        parts.append(part if grouping in groupings else part[part["check"] != ""])
    found = pd.concat(parts, ignore_index=True)[TABLE.names]
    return found.astype({"margin": float, "smallest_detectable": float})


def _detectable(
    parts: Sequence[GroupClips], checks: Sequence[Check], margins: Mapping[str, float], settings: Settings
) -> pd.DataFrame:
    """The rows of one grouping."""
    rows: list[tuple[object, ...]] = []
    cells: list[tuple[object, ...]] = []
    for part in parts:
        for check in checks:
            for each in check.power(part):
                head = (check.code, each.words, part.group, each.language, each.n_speakers)
                if each.judged.unit != "share":
                    # the variance of a rate follows from the rate; that of other means has to be measured
                    why = (
                        f"computed for rates, not for {each.judged.unit}, whose variance between speakers is not known"
                    )
                    rows.append((*head, None, None, why))
                    continue
                margin = check.margin(each.judged, margins)
                number = each.figures * (len(parts) if each.simultaneous else 1)
                at = replace(settings, confidence=1 - (1 - settings.confidence) / number)
                found = _found(each.n_speakers, each.design, each.other_speakers, margin, at)
                rows.append((*head, margin, found.size, found.method))
        for language, clips_in in part.clips.groupby("language", observed=True, sort=True):
            n = clips_in["speaker_id"].nunique()
            found = _found(n, "one", None, 0.0, settings)
            head = ("", "one rate against a fixed one", part.group, str(language), n)
            cells.append((*head, None, found.size, found.method))
    columns = [name for name in TABLE.names if name != "grouping"]
    return pd.DataFrame(rows + cells, columns=columns).astype({"margin": float, "smallest_detectable": float})


@cache
def _found(speakers: int, design: Design, other: int | None, margin: float, settings: Settings) -> Detectable:
    return smallest_detectable(speakers, design=design, other_speakers=other, margin=margin, settings=settings)


TABLE = TableSpec(
    name="power",
    title="Power: minimum detectable effects",
    note="The smallest true difference whose interval would lie beyond the check's margin with a power of .80, at a "
    "rate of one half.",
    columns=(
        Column("check", "key", "Check"),
        Column("comparison", "key", "Comparison"),
        Column("grouping", "grouping", "Grouping"),
        GROUP_COLUMN,
        LANGUAGE,
        N_SPEAKERS,
        Column("margin", "setting", "Margin", "share", signed=True),
        Column("smallest_detectable", "value", "Minimum detectable effect", "share", signed=True),
        Column("note", METHOD.kind, "Method"),
    ),
    make=lambda source: detectable(
        source.evidence.frame,
        chosen(source.settings.checks, source.settings.metrics),
        source.evidence.margins,
        source.evidence.settings,
        source.settings.groupings,
    ),
)
