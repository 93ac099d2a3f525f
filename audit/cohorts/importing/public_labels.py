"""Labels of speakers from published files, joined on the id that the file uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from audit.cohorts.importing.adapter import Imported, counted
from audit.cohorts.importing.metadata import GENDER_WORDS
from audit.core.errors import AuditError, CohortError
from audit.core.registry import Registry
from audit.core.sentences import group_words, listing
from audit.core.vocabulary import RACES, UNKNOWN, group_members, ordered_groups
from audit.core.votes import GROUP_VOTES, votes

SOURCES: Final = Registry(
    "label source", "audit.cohorts.label_sources", group="audit.label_sources", declared_as="SOURCE"
)
"""The published label files that can be read."""
WHERE: Final = "Give vox2_meta.csv with --option meta=FILE."


@dataclass(frozen=True, kw_only=True)
class LabelSource:
    """A kind of published label file.

    Attributes
    ----------
    name, summary : str
        The name for ``--labels-from``, and one line on it.
    ids : str
        The kind of the ids in the file, such as ``vggface2``; see :attr:`Imported.ids`.
    source : str
        How the labels were made, in the vocabulary of label sources.
    maker : str
        Who made the labels, for the cohort's notes.
    read : callable
        Reads a file to a frame of strings with the columns ``id``, ``group`` and optionally ``gender``; an id may have
        several rows. See :func:`as_groups`.
    """

    name: str
    summary: str
    ids: str
    source: str
    maker: str
    read: Callable[[Path], pd.DataFrame]


def label_source(name: str) -> LabelSource:
    """The label source of that name.

    Examples
    --------
    >>> label_source("vgg1200").ids
    'vggface2'

    Raises
    ------
    AuditError
        If it does not exist or is not a :class:`LabelSource`.
    """
    found = SOURCES.get(name)
    if not isinstance(found, LabelSource):
        raise AuditError(f"The label source {name!r} is a {type(found).__name__}.", "a LabelSource")
    return found


def as_groups(table: pd.DataFrame, groups: Mapping[str, str], file: str) -> pd.DataFrame:
    """The table with the file's words for groups replaced by the audit's.

    Raises
    ------
    CohortError
        If the file has another word.

    Examples
    --------
    >>> as_groups(pd.DataFrame({"id": ["n1"], "group": ["African"]}), {"African": "black"}, "file")["group"].tolist()
    ['black']
    """
    others = sorted({*table["group"]} - {*groups, ""})
    if others:
        raise CohortError([f"{file} has the group {word!r}." for word in others[:5]], ", ".join(groups))
    return table.assign(group=table["group"].map({**groups, "": UNKNOWN}))


def with_public_labels(found: Imported, files: Sequence[tuple[str, Path]]) -> Imported:
    """Give speakers of unknown group the labels of published files.

    Where several sources label a speaker, the label is what they all allow (``white`` and ``white|latino_hispanic`` are
    ``white``); where they allow nothing together, the group remains unknown, and the column ``group_votes`` has their
    labels, so that they enter the bounds. The column ``group_maker`` has the names of the sources of the label used.

    Parameters
    ----------
    found : Imported
        The adapter's result.
    files : sequence of tuple of str and Path
        The names of label sources, each with a file; a source may have several files.

    Raises
    ------
    AuditError
        If a source does not exist, its file cannot be read, or the data set lacks the ids that it uses.
    """
    speakers, remarks = found.speakers, list(found.remarks)
    labels: dict[str, pd.Series] = {}
    sources = {name: label_source(name) for name, _ in files}
    for name, source in sources.items():
        labels[name], said = _labels_of(found, source, [path for of, path in files if of == name])
        remarks += said
    lacking = ~speakers["group"].map(lambda group: bool(group_members(str(group)))).to_numpy(bool)
    given = pd.DataFrame(labels)
    joint = [_joint(row) for row in given.itertuples(index=False)]
    group = pd.Series([label for label, _ in joint], index=speakers.index, dtype=object)
    taken = lacking & (group != UNKNOWN).to_numpy()
    makers = [[name for name in labels if row[name] != UNKNOWN] for row in given.to_dict("records")]
    kinds = [sources[names[0]].source if names else "" for names in makers]
    speakers = speakers.assign(
        group=group.where(taken, speakers["group"]),
        group_source=pd.Series(kinds, index=speakers.index).where(taken, speakers["group_source"]),
        group_maker=pd.Series([" ".join(names) for names in makers], index=speakers.index).where(taken, ""),
    )
    disputed = np.array([bool(words) for _, words in joint], bool) & lacking
    if disputed.any():
        cast = [votes(label for label in row if label != UNKNOWN) for row in given.itertuples(index=False)]
        speakers = speakers.assign(**{GROUP_VOTES: pd.Series(cast, index=speakers.index).where(disputed, "")})
    against = Counter(words for (_, words), lacks in zip(joint, lacking, strict=True) if words and lacks)
    several = int((given != UNKNOWN).sum(axis=1).ge(2).sum())
    shown = "; ".join(f"{words}: {n}" for words, n in sorted(against.items()))
    remarks += counted(
        (several, f"{several} speakers are labelled by several sources, {several - against.total()} consistently."),
        (len(against), f"In {against.total()} speakers sources disagree, so that the group is unknown ({shown})."),
    )
    return replace(found, speakers=speakers, remarks=tuple(remarks))


def _labels_of(found: Imported, source: LabelSource, paths: list[Path]) -> tuple[pd.Series, list[str]]:
    """The label of each speaker by one source, ``unknown`` where it has none, and remarks."""
    ids = found.ids.get(source.ids)
    if not ids:
        stated = f"The data set states no {source.ids} ids of its speakers, which {source.name} uses."
        raise AuditError(stated, "voxceleb2 with its metadata file", WHERE)
    files = ", ".join(path.name for path in paths)
    table = pd.concat([source.read(path) for path in paths], ignore_index=True).drop_duplicates()
    several = table.loc[table["group"] != UNKNOWN].groupby("id")["group"].nunique()
    contradictory = several.index[several > 1]
    known = table[(table["group"] != UNKNOWN) & ~table["id"].isin(contradictory)].drop_duplicates("id").set_index("id")
    of = found.speakers["speaker_id"].map(ids)
    label = of.map(known["group"]).fillna(UNKNOWN).astype(object)
    n = label[label != UNKNOWN].value_counts()
    counts = ", ".join(f"{group_words(group)} {n[group]}" for group in ordered_groups(n.index))
    remarks = [
        f"Group by {source.name} ({files}; source {source.source}: {source.maker}): {int(n.sum())} of {len(of)} "
        f"speakers ({counts or 'none'}), joined on the {source.ids} id."
    ]
    wrong = 0
    if "gender" in known:
        other = of.map(known["gender"].str.lower().map(GENDER_WORDS)).fillna(UNKNOWN)
        own = found.speakers["gender"]
        wrong = int(((other != UNKNOWN) & (own != UNKNOWN) & (other != own)).sum())
    unused = len(known.index.difference(pd.Index(of.dropna())))
    remarks += counted(
        (unused, f"{unused} identities of {files} have no speaker in the download."),
        (len(contradictory), f"{len(contradictory)} identities have several groups in {files}: unknown."),
        (wrong, f"{wrong} speakers have another gender in {files} than in the data set: is it the right file?"),
    )
    return label, remarks


def _joint(labels: Sequence[str]) -> tuple[str, str]:
    """The group that all known labels allow, or ``unknown``; and the labels in words if they allow nothing together.

    Examples
    --------
    >>> _joint(("white", "white|latino_hispanic")), _joint(("unknown", "asian")), _joint(("asian", "white"))
    (('white', ''), ('asian', ''), ('unknown', 'asian and white'))
    """
    known = [label for label in labels if label != UNKNOWN]
    if not known:
        return UNKNOWN, ""
    allowed = frozenset.intersection(*map(group_members, known))
    if not allowed:
        return UNKNOWN, listing([group_words(label) for label in known])
    return "|".join(race for race in RACES if race in allowed), ""
