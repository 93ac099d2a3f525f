"""Enumeration of slices: combinations of the values of columns, each membership once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audit.stats.speakers import Ints

Mask = NDArray[np.bool_]
Words = NDArray[np.uint64]
Coded = tuple[str, Ints, int]
"""A column: its name, the value of each part as an index or -1, and the number of values."""


@dataclass(frozen=True)
class Incidence:
    """The pairs of a slice and a speaker with clips in it.

    A unit is a speaker with some of the parts; different slices share units.

    Attributes
    ----------
    slice, unit : int arrays of shape (pairs,)
        Slice and unit of each pair, sorted by slice.
    unit_speaker : int array of shape (units,)
        The speaker of each unit.
    member_unit, member_part : int arrays of shape (members,)
        The parts of each unit.
    """

    slice: Ints
    unit: Ints
    unit_speaker: Ints
    member_unit: Ints
    member_part: Ints


class Enumeration:
    """Slices by sets of columns, with enough speakers inside and outside.

    Parameters
    ----------
    speaker : int array of shape (parts,)
        The speaker of each part, from 0 without gaps. A part is the clips of one speaker with equal values.
    min_speakers : int
        The fewest speakers of a slice and of its complement.
    apart : int
        Complementary suppression: among the slices that divide another by one column, so many are left out that the
        clips in none of the others are of no speaker or of at least this number; so are all slices within those that
        are left out. 0 leaves out none.
    """

    def __init__(self, speaker: Ints, min_speakers: int, apart: int) -> None:
        self.speaker, self.min_speakers, self.apart = speaker, max(min_speakers, apart), apart
        self.values: list[dict[str, int]] = []
        """The code of each column that defines a slice, for each slice."""
        self.n_small = self.n_merged = 0
        self._n_speakers = int(speaker.max(initial=-1)) + 1
        self._parts_of = np.bincount(speaker, minlength=self._n_speakers)
        # sums of random words identify sets of parts; the seed is fixed, so that results do not vary
        self._word = np.random.default_rng(0).integers(0, 2**64, len(speaker), dtype=np.uint64)
        self._seen: set[int] = set()
        self._left_out: set[tuple[tuple[str, int], ...]] = set()
        self._pairs: list[tuple[Ints, Words, Ints]] = []
        self._places: list[Ints] = []

    def add(self, columns: Sequence[Coded]) -> None:
        """Add the slices by these columns; sets of fewer columns must be added before."""
        label, known = _joint(columns, len(self.speaker))
        inside = np.flatnonzero(known)
        keys, which = np.unique(label[inside], return_inverse=True)
        if not len(keys):
            return
        pair, of_part = np.unique(which * self._n_speakers + self.speaker[inside], return_inverse=True)
        of_slice, of_speaker = pair // self._n_speakers, pair % self._n_speakers
        whole = np.bincount(of_part) == self._parts_of[of_speaker]
        speakers = np.bincount(of_slice, minlength=len(keys))
        able = np.minimum(speakers, self._n_speakers - np.bincount(of_slice, whole, len(keys))) >= self.min_speakers
        named = _named(keys, columns)
        if self.apart:
            self._leave_out(able, speakers, columns, inside, which, named)
        self.n_small += int((~able).sum())
        word = _summed(self._word[inside], of_part)
        index = np.full(len(keys), -1, np.int64)
        for i, member in enumerate(_summed(word, of_slice).tolist()):
            if able[i] and member in self._seen:
                self.n_merged += 1
            elif able[i]:
                self._seen.add(member)
                index[i] = len(self.values)
                self.values.append(named[i])
        kept = index[of_slice] >= 0
        self._pairs.append((index[of_slice][kept], word[kept], of_speaker[kept]))
        place = np.full(len(self.speaker), -1, np.int64)
        place[inside] = np.where(kept, np.cumsum(kept) - 1, -1)[of_part]
        self._places.append(place)

    def _leave_out(
        self,
        able: Mask,
        speakers: Ints,
        columns: Sequence[Coded],
        inside: Ints,
        which: Ints,
        named: list[dict[str, int]],
    ) -> None:
        """Apply the complementary suppression to the slices of one set of columns."""
        for i, values in enumerate(named):
            parents = (tuple((c, v) for c, v in values.items() if c != dropped) for dropped in values)
            able[i] &= not any(parent in self._left_out for parent in parents)
        changed = True
        while changed:
            changed = False
            for column in columns:
                parent, known = _joint([other for other in columns if other is not column], len(self.speaker))
                above = np.zeros(len(named), np.int64)
                above[which] = parent[inside]
                covered = np.zeros(len(self.speaker), bool)
                covered[inside] = able[which]
                rest = np.unique(np.column_stack([parent, self.speaker])[known & ~covered], axis=0)[:, 0]
                labels, number = np.unique(rest, return_counts=True)
                for few in labels[number < self.apart].tolist():
                    shown = np.flatnonzero(able & (above == few))
                    if len(shown):
                        able[shown[np.argmin(speakers[shown])]] = False
                        changed = True
        self._left_out |= {tuple(named[i].items()) for i in np.flatnonzero(~able).tolist()}

    def incidence(self) -> Incidence:
        """The pairs of all slices added so far."""
        of_slice, word, of_speaker = (np.concatenate(parts) for parts in zip(*self._pairs, strict=True))
        _, first, unit = np.unique(word, return_index=True, return_inverse=True)
        unit_at = np.full(len(word), -1, np.int64)
        unit_at[first] = np.arange(len(first))
        members, start = [], 0
        for place, (pairs, _, _) in zip(self._places, self._pairs, strict=True):
            part = np.flatnonzero(place >= 0)
            found = unit_at[start + place[part]]
            members.append((found[found >= 0], part[found >= 0]))
            start += len(pairs)
        member_unit, member_part = (np.concatenate(parts) for parts in zip(*members, strict=True))
        order = np.argsort(of_slice, kind="stable")
        return Incidence(of_slice[order], unit[order], of_speaker[first], member_unit, member_part)


def _joint(columns: Sequence[Coded], length: int) -> tuple[Ints, Mask]:
    """A number for the values of several columns together, and where all of them are known."""
    label, known = np.zeros(length, np.int64), np.ones(length, bool)
    for _, codes, number in columns:
        label = label * max(number, 1) + codes
        known &= codes >= 0
    return label, known


def _named(keys: Ints, columns: Sequence[Coded]) -> list[dict[str, int]]:
    """The code of each column, for each number of :func:`_joint`."""
    codes = {}
    for name, _, number in reversed(columns):
        codes[name] = (keys % number).tolist()
        keys = keys // number
    names = [name for name, _, _ in columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*(codes[name] for name in names), strict=True)]


def _summed(words: Words, group: Ints) -> Words:
    """Sums of 64-bit words by group, modulo 2**64; every group occurs."""
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    return np.add.reduceat(words[order], starts)
