"""Small cells: figures of so few speakers that they tell of single people are left out of what is passed on.

A figure left out could be reckoned again from a total and the figures beside it. So wherever one cell alone of a row of
cells is left out, the next smallest is left out with it (complementary suppression: Willenborg & de Waal 2001, chapter
5). Verdicts are made before, and stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from audit.audits.audit import Audit
from audit.audits.table import Table
from audit.checks.finding import Finding
from audit.stats import ALL, Estimate

FIGURES: Final = frozenset({
    "value", "low", "high", "raw", "least", "most", "others", "chance", "p_value", "q_value", "condition_number",
    "effective_speakers", "smallest_detectable", "n_speakers", "n_clips", "n_missing", "n_unknown",
})  # fmt: skip
"""The columns that are emptied where a row is suppressed."""
OF_A_GROUP: Final = ("worst_group", "worst", "apart", "ratio", "n_speakers_worst")
"""The columns that are of the worst group alone, where a table names one."""
NO_KEY: Final = frozenset({"method", "note"})
PEOPLE: Final = ("gallery", "failures", "faces")
"""The tables that have a row for a clip."""
OUTCOME_WORDS: Final = {
    "shown": "shown",
    "not_shown": "not shown",
    "inconclusive": "inconclusive",
    "not_evaluable": "not evaluable",
}

Cell = tuple[str, str]


@dataclass(frozen=True)
class SmallCells:
    """Which cells of group and language are suppressed.

    Attributes
    ----------
    below : int
        A cell of fewer speakers is small; 0 suppresses nothing.
    cells : frozenset of (str, str)
        Group and language of each, ``all`` for over all of them: the small ones, and those that would tell of them.
    """

    below: int
    cells: frozenset[Cell] = frozenset()

    @classmethod
    def of(cls, observations: pd.DataFrame, below: int) -> SmallCells:
        """The small cells of a run.

        Examples
        --------
        >>> frame = pd.DataFrame({"speaker_id": list("aabcdefg"), "group": ["asian"] * 3 + ["black"] * 5,
        ...                       "language": ["en", "zh", "en", "en", "en", "en", "zh", "zh"]})
        >>> sorted(SmallCells.of(frame, 2).cells)
        [('asian', 'en'), ('asian', 'zh'), ('black', 'en'), ('black', 'zh')]
        """
        if below < 2 or observations.empty:
            return cls(below)
        frame = observations[["group", "language", "speaker_id"]].astype(object).drop_duplicates()
        everywhere = [frame, frame.assign(language=ALL), frame.assign(group=ALL)]
        counts = pd.concat(everywhere).groupby(["group", "language"])["speaker_id"].nunique()
        speakers = dict(zip(((str(one), str(other)) for one, other in counts.index), counts.tolist(), strict=True))
        return cls(below, frozenset(_hidden(speakers, below)))

    def hide(self, group: object, language: object = ALL) -> bool:
        """Whether a cell is suppressed."""
        return (str(group), str(language)) in self.cells

    def few(self, estimate: Estimate | None) -> bool:
        """Whether a figure rests on too few speakers."""
        return estimate is not None and 0 < estimate.n_speakers < self.below

    def named(self, figure: str) -> bool:
        """Whether the name of a finding's figure tells that it is of a suppressed cell."""
        parts = figure.split(".")
        of_language = parts[parts.index("language") + 1 :][:1] if "language" in parts else []
        return any(self.hide(part) for part in parts) or any(self.hide(ALL, code) for code in of_language)

    @property
    def words(self) -> str:
        """Why a figure is left out."""
        return f"suppressed: fewer than {self.below} speakers, or it would tell of a cell with fewer"

    def emptied(self, estimate: Estimate) -> Estimate:
        """The figure without its numbers; its counts are 0, as its method says."""
        return Estimate(None, None, None, 0, 0, 0, self.words)


def suppressed(audit: Audit, small: SmallCells) -> Audit:
    """An audit without the figures of small cells.

    The outcome of every check stays. Where its headline is suppressed, so are its sentence and its p-values. Rows for
    single clips are left out with their cell.

    Parameters
    ----------
    audit : Audit
        As it was measured.
    small : SmallCells
        Of the same run.
    """
    if small.below < 2:
        return audit
    found = [_finding(finding, small) for finding in audit.findings]
    tables, count = suppressed_tables(audit.tables, small)
    count += sum(hidden for _, hidden in found)
    notice = (
        f"{count:,} figures and rows are suppressed: they are of fewer than {small.below} speakers, or would tell of a "
        "cell with fewer. The verdicts were made with all of them."
    )
    notices = [*_texts(audit.run.get("notices")), notice]
    return replace(audit, run={**audit.run, "notices": notices}, findings=tuple(f for f, _ in found), tables=tables)


def suppressed_tables(tables: Mapping[str, Table], small: SmallCells) -> tuple[dict[str, Table], int]:
    """The tables without the figures of small cells, and how many rows that are."""
    made, count = {}, 0
    statuses = tables.get("statuses")
    lost = set() if statuses is None else _lost(statuses.frame, small)
    for name, table in tables.items():
        frame, hidden = _people(table.frame, small, lost) if name in PEOPLE else _table(table.frame, small)
        count += hidden
        note = (
            f"{table.note} {hidden} rows are suppressed (fewer than {small.below} speakers)." if hidden else table.note
        )
        made[name] = replace(table, frame=frame, note=note.strip())
    return made, count


def complement(hidden: set[Cell], speakers: Mapping[Cell, int], line: Sequence[Cell]) -> Cell | None:
    """The cell to hide too, of a line of cells that add up to a total: the smallest seen, where one alone is hidden."""
    there = [cell for cell in line if speakers.get(cell, 0) > 0]
    seen = [cell for cell in there if cell not in hidden]
    return min(seen, key=lambda cell: (speakers[cell], cell)) if seen and len(there) - len(seen) == 1 else None


def _hidden(speakers: Mapping[Cell, int], below: int) -> set[Cell]:
    """The small cells, and others until none of them can be reckoned from its row or column."""
    hidden = {cell for cell, n in speakers.items() if n < below}
    groups = sorted({group for group, _ in speakers} - {ALL})
    languages = sorted({language for _, language in speakers} - {ALL})
    lines = [[(group, language) for group in groups] for language in (*languages, ALL)]
    lines += [[(group, language) for language in languages] for group in (*groups, ALL)]
    while True:
        parts = {
            cell
            for cell in speakers.keys() - hidden
            if ALL not in cell and ((cell[0], ALL) in hidden or (ALL, cell[1]) in hidden)
        }
        found = next((cell for line in lines if (cell := complement(hidden, speakers, line))), None)
        if not parts and found is None:
            return hidden
        hidden |= parts | ({found} if found else set())


def _finding(finding: Finding, small: SmallCells) -> tuple[Finding, int]:
    masked = {name for name, item in finding.estimates.items() if small.few(item) or small.named(name)}
    estimates = {name: small.emptied(item) if name in masked else item for name, item in finding.estimates.items()}
    head = small.few(finding.estimate) or small.hide(finding.group)
    # a figure without a group in its name is the headline group's own, and may stand in the sentence
    own = {name for name in masked if not small.named(name)}
    changed = replace(finding, estimates=estimates)
    if head or own or any(f"{finding.group}." in name or name == finding.group for name in masked):
        words = f"{finding.title}: {OUTCOME_WORDS[finding.outcome]}; the figures are {small.words}."
        changed = replace(changed, sentence=words, reason=words, would_change="")
    if head:
        emptied = None if finding.estimate is None else small.emptied(finding.estimate)
        changed = replace(changed, estimate=emptied, p_value=None, p_adjusted=None)
    return changed, len(masked) + (head and finding.estimate is not None)


def _mask(frame: pd.DataFrame, small: SmallCells) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which rows of a table are suppressed."""
    counted = next((name for name in ("n_speakers", "n_clips") if name in frame), None)
    if counted is None:
        return np.zeros(len(frame), bool)
    n = pd.to_numeric(frame[counted], errors="coerce").fillna(0).to_numpy(float)
    group = next((frame[name] for name in ("group", "truth") if name in frame), pd.Series(ALL, frame.index))
    language = frame["language"] if "language" in frame else pd.Series(ALL, frame.index)
    mask = np.array(
        [0 < count < small.below or small.hide(*cell) for count, *cell in zip(n, group, language, strict=True)], bool
    )
    keys = [str(name) for name in frame.columns if name not in FIGURES | NO_KEY and frame[name].dtype.kind not in "fc"]
    if mask.any() and keys:
        _complete(mask, n, frame[keys].astype(str), keys)
    return mask


def _complete(
    mask: np.ndarray[tuple[int], np.dtype[np.bool_]],
    n: np.ndarray[tuple[int], np.dtype[np.float64]],
    keys: pd.DataFrame,
    names: Iterable[str],
) -> None:
    """Hide further rows until none stands alone among those that differ from it in one key."""
    lines = []
    for name in names:
        parts = keys[keys[name] != ALL]
        others = [other for other in keys.columns if other != name]
        grouped = parts.groupby(others, sort=True).indices.values() if others else [np.arange(len(parts))]
        lines += [parts.index.to_numpy()[places] for places in grouped if len(places) > 1]
    places = {label: place for place, label in enumerate(keys.index)}
    rows = [np.array([places[label] for label in line]) for line in lines]
    changed = True
    while changed:
        changed = False
        for line in rows:
            able = line[n[line] > 0]
            if mask[able].sum() == 1 and len(able) > 1:
                seen = able[~mask[able]]
                mask[seen[np.argmin(n[seen])]] = changed = True


def _table(frame: pd.DataFrame, small: SmallCells) -> tuple[pd.DataFrame, int]:
    if "worst_group" in frame:
        mask = np.array([small.hide(group) for group in frame["worst_group"]], bool)
        emptied = [
            name for name in frame if any(str(name) == of or str(name).startswith(f"{of}_") for of in OF_A_GROUP)
        ]
    else:
        mask = _mask(frame, small)
        emptied = [name for name in frame if name in FIGURES]
    if not mask.any():
        return frame, 0
    made = frame.copy()
    for name in emptied:
        column = made[name].astype(object)
        column[mask] = None
        made[name] = column
    for name in NO_KEY & set(made.columns):
        made[name] = made[name].astype(object).mask(mask, small.words)
    return made, int(mask.sum())


def _lost(statuses: pd.DataFrame, small: SmallCells) -> set[tuple[str, ...]]:
    """Group, language and status of what is suppressed among the statuses."""
    keys = statuses[["group", "language", "status"]].astype(str)
    return set(keys[_mask(statuses, small)].itertuples(index=False, name=None))


def _people(frame: pd.DataFrame, small: SmallCells, lost: set[tuple[str, ...]]) -> tuple[pd.DataFrame, int]:
    """The rows of clips whose cell may be seen."""
    columns = ["group", "language", *(["status"] if "status" in frame else [])]
    kept = [
        not small.hide(*row[:2]) and not small.hide(row[0]) and row not in lost
        for row in frame[columns].astype(str).itertuples(index=False, name=None)
    ]
    return frame[kept].reset_index(drop=True), len(kept) - sum(kept)


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, (list, tuple)) else []
