"""Identification of the languages of a cohort's clips."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from audit.cohorts.cohort import Cohort
from audit.cohorts.identification.agreement import guesses, outcome
from audit.cohorts.identification.identifier import LanguageIdentifier
from audit.cohorts.identification.journal import JOURNAL, Journal, Pair
from audit.cohorts.languages import GIVEN
from audit.cohorts.writing import write_derived
from audit.core.audio import MIN_SECONDS, AudioStatus, Clip, read_clip
from audit.core.errors import AuditError, CohortError
from audit.core.identification import (
    COLUMNS,
    DECLARED,
    FIRST,
    IDENTIFICATION,
    PROBABILITIES,
    Outcome,
    contradicted,
)
from audit.core.languages import NO_LANGUAGE, UNDETERMINED, language_of
from audit.core.vocabulary import ordered_groups

THRESHOLD: Final = 0.8
MAX_SECONDS: Final = 30.0
"""Identifiers are given the first 30 s of a clip, which is as much as Whisper takes."""
BATCH: Final = 16
_OUTCOMES: Final[dict[AudioStatus, Outcome]] = {
    "audio_unreadable": "unreadable",
    "audio_too_short": "too_short",
    "audio_silent": "silent",
}


def identify_cohort(
    root: Path,
    out: Path,
    first: LanguageIdentifier,
    second: LanguageIdentifier,
    *,
    threshold: float = THRESHOLD,
    every_clip: bool = False,
    min_seconds: float = MIN_SECONDS,
    batch: int = BATCH,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> tuple[Cohort, tuple[str, ...]]:
    """Write a cohort in which clips without a language have one where two identifiers agree.

    A clip whose language is ``und`` gets the language that both identifiers name, with the source ``inferred``, if
    both probabilities are at least the threshold. All others keep their label. The same call again resumes.

    Parameters
    ----------
    root : Path
        The cohort.
    out : Path
        Folder of the new cohort: new, empty, or that of the same call which was interrupted.
    first, second : LanguageIdentifier
        The identifiers, from :func:`load_identifier`.
    threshold : float
        The smallest probability that counts, in (0, 1].
    every_clip : bool
        Identify clips that have a language too. Their label stays; what was identified is recorded.
    min_seconds : float
        Shorter clips are not identified.
    batch : int
        The number of clips given to an identifier at once; the result does not depend on it.
    progress : callable
        Called with the number of finished files and their total number.

    Returns
    -------
    tuple of Cohort and tuple of str
        The new cohort, and the sentences that were added to its notes.

    Raises
    ------
    AuditError
        If the cohort is invalid or was identified before, ``out`` is not empty, the threshold is not in (0, 1], or the
        two identifiers are the same.
    """
    if not 0 < threshold <= 1:
        raise AuditError(f"The threshold is {threshold}.", "a probability above 0, up to 1")
    if (described := dict(first.describe())) == dict(second.describe()) and first.name == second.name:
        raise AuditError(f"Both identifiers are {first.name} with the same weights.", "two different ones")
    cohort = Cohort.read(root)
    if IDENTIFICATION in cohort.clips:
        raise CohortError(
            [f"The languages of {root} were identified before."], "a cohort as it was imported", "Identify that one."
        )
    if not _is_usable(out):
        raise AuditError(f"{out} is not empty.", "a new or empty folder", "Choose another folder for -o.")
    out.mkdir(parents=True, exist_ok=True)
    identity = {
        "first": {"name": first.name, **described},
        "second": {"name": second.name, **second.describe()},
        "max_seconds": MAX_SECONDS,
    }
    journal = Journal(out / JOURNAL, identity)
    unlabelled = _unlabelled(cohort.clips)
    chosen = (cohort.clips["audio"] != "") & (unlabelled | every_clip)
    paths = list(dict.fromkeys(cohort.clips.loc[chosen, "audio"]))
    found = dict(_identified(cohort.root, paths, (first, second), journal, min_seconds, batch, progress))
    clips = _labelled(cohort.clips, chosen, unlabelled, found, threshold)
    sentences = (
        _made(first, second, threshold),
        *_counts(clips.merge(cohort.speakers[["speaker_id", "group"]], on="speaker_id")),
    )
    made = write_derived(cohort, clips, " ".join(sentences), out)
    journal.remove()
    return made, sentences


def _is_usable(out: Path) -> bool:
    """Whether a folder is new, empty, or was left by an interrupted identification."""
    if out.is_symlink() or out.exists():
        return out.is_dir() and not out.is_symlink() and ((out / JOURNAL).is_file() or not any(out.iterdir()))
    return True


def _unlabelled(clips: pd.DataFrame) -> pd.Series:
    """The clips without a language, except those of which it is known that they have several or no speech."""
    given = clips.get("language" + GIVEN, pd.Series("", clips.index))
    return (clips["language"] == UNDETERMINED) & ~given.isin(NO_LANGUAGE - {UNDETERMINED})


def _identified(
    root: Path,
    paths: Sequence[str],
    identifiers: tuple[LanguageIdentifier, LanguageIdentifier],
    journal: Journal,
    min_seconds: float,
    batch: int,
    progress: Callable[[int, int], None],
) -> Iterator[tuple[str, Pair | Outcome]]:
    """The guesses for each file, or the outcome if it cannot be identified."""
    waiting: list[tuple[str, Clip]] = []

    def flushed() -> Iterator[tuple[str, Pair | Outcome]]:
        new = {clip.sha256: clip.waveform for _, clip in waiting if clip.waveform is not None}
        one, other = (guesses(identifier, list(new.values())) for identifier in identifiers)
        journal.add(dict(zip(new, zip(one, other, strict=True), strict=True)))
        for path, clip in waiting:
            pair = journal.get(clip.sha256)
            assert pair is not None
            yield path, pair
        waiting.clear()

    progress(0, len(paths))
    for done, path in enumerate(paths, 1):
        clip = read_clip(root / path, min_seconds=min_seconds, max_seconds=MAX_SECONDS)
        if clip.status != "ok":
            yield path, _OUTCOMES[clip.status]
        elif (known := journal.get(clip.sha256)) is not None:
            yield path, known
        else:
            waiting.append((path, clip))
        if waiting and (len(waiting) == batch or done == len(paths)):
            yield from flushed()
        progress(done, len(paths))


def _labelled(
    clips: pd.DataFrame,
    chosen: pd.Series,
    unlabelled: pd.Series,
    found: dict[str, Pair | Outcome],
    threshold: float,
) -> pd.DataFrame:
    """The clips with the columns of identification, and with the languages that were accepted."""
    rows = [
        _row(found[path] if asked else "not_run", threshold) for path, asked in zip(clips["audio"], chosen, strict=True)
    ]
    names = [name for name in COLUMNS if name != DECLARED]
    columns = pd.DataFrame(rows, columns=names, index=clips.index).astype(dict.fromkeys(PROBABILITIES, "float64"))
    made = pd.concat([clips.assign(**{DECLARED: clips["language"]}), columns], axis=1)
    accepted = unlabelled & (made[IDENTIFICATION] == "accepted")
    return made.assign(
        language=made["language"].mask(accepted, made[FIRST].map(lambda code: language_of(code) if code else code)),
        language_source=made["language_source"].mask(accepted, "inferred"),
    )


def _row(found: Pair | Outcome, threshold: float) -> tuple[str, float | None, str, float | None, Outcome]:
    """The values of the columns, except for the declared language."""
    if isinstance(found, str):
        return "", None, "", None, found
    return *found[0], *found[1], outcome(*found, threshold)


def _made(first: LanguageIdentifier, second: LanguageIdentifier, threshold: float) -> str:
    """How the languages were identified, in one sentence."""
    one, other = (
        f"{identifier.name} ({', '.join(f'{key} {value}' for key, value in identifier.describe().items())})"
        for identifier in (first, second)
    )
    return (
        f"Languages were identified by {one} and by {other}: a clip without a language has the one that both name with "
        f"a probability of at least {threshold:g}."
    )


def _counts(clips: pd.DataFrame) -> Iterator[str]:
    """The outcomes by group, of clips without and with a language."""
    run = clips[clips[IDENTIFICATION] != "not_run"]
    for labelled, what in ((False, "clips without a language"), (True, "clips with a language")):
        part = run[(run[DECLARED] != UNDETERMINED) == labelled]
        texts = []
        for group in ordered_groups(part["group"]):
            of = part[part["group"] == group]
            texts.append(f"{group}: {_outcomes(of, labelled)}")
        if texts:
            yield f"Identified {what}, by group: {'; '.join(texts)}."


def _outcomes(clips: pd.DataFrame, labelled: bool) -> str:
    """The number of clips of each outcome."""
    counts = clips[IDENTIFICATION].value_counts()
    accepted = int(counts.get("accepted", 0))
    texts = [f"{accepted} of {len(clips)} accepted"]
    if labelled:
        other = contradicted(clips)
        texts = [f"{accepted - int(other.sum())} of {len(clips)} confirmed", f"{int(other.sum())} as another language"]
    further = [name for name in counts.index.sort_values() if name != "accepted"]
    return ", ".join([*texts, *(f"{counts[name]} {name.replace('_', ' ')}" for name in further)])
