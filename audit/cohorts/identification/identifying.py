"""Identification of the languages of a cohort's clips."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from audit.cohorts.cohort import Cohort
from audit.cohorts.identification.identifier import Guess, LanguageIdentifier, guesses
from audit.cohorts.identification.journal import JOURNAL, Journal, Pair
from audit.cohorts.languages import GIVEN
from audit.cohorts.writing import write_derived
from audit.core.audio import AudioStatus, Clip, read_clip
from audit.core.errors import AuditError
from audit.core.identification import COLUMNS, DECLARED, FIRST, IDENTIFICATION, PROBABILITIES, Outcome, contradicted
from audit.core.languages import NO_LANGUAGE, UNDETERMINED, language_of, same_language
from audit.core.vocabulary import ordered_groups

MAX_SECONDS: Final = 30.0
"""Identifiers are given the first 30 s of a clip, which is as much as Whisper takes."""
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
    threshold: float = 0.8,
    every_clip: bool = False,
    batch: int = 16,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> tuple[Cohort, tuple[str, ...]]:
    """Write a cohort in which clips without a language have one where two identifiers agree; see :func:`outcome`.

    The new labels have the source ``inferred``; all others are kept. The same call again resumes.

    Parameters
    ----------
    root, out : Path
        The cohort, and the folder of the new one: new, empty, or that of an interrupted call.
    first, second : LanguageIdentifier
        From :func:`audit.cohorts.identification.load_identifier`.
    threshold : float
        The smallest probability that counts, in (0, 1].
    every_clip : bool
        Identify clips that have a language too; they keep it.
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
        If the cohort is invalid or was identified before, ``out`` is not empty, or a parameter is invalid.
    """
    one, other = ({"name": identifier.name, **identifier.describe()} for identifier in (first, second))
    cohort = Cohort.read(root)
    if not 0 < threshold <= 1:
        raise AuditError(f"The threshold is {threshold}.", "a probability above 0, up to 1")
    if one == other:
        raise AuditError(f"Both identifiers are {first.name} with the same weights.", "two different ones")
    if IDENTIFICATION in cohort.clips:
        raise AuditError(f"The languages of {root} were identified before.", "the cohort from which it was made")
    begun = (out / JOURNAL).is_file() and not (out / JOURNAL).is_symlink()
    if out.is_symlink() or (out.exists() and not begun and (out.is_file() or any(out.iterdir()))):
        raise AuditError(f"{out} is not empty.", "a new or empty folder", "Choose another folder for -o.")
    out.mkdir(parents=True, exist_ok=True)
    journal = Journal(out / JOURNAL, json.dumps([one, other]))
    unlabelled = _unlabelled(cohort.clips)
    chosen = (cohort.clips["audio"] != "") & (unlabelled | every_clip)
    paths = list(dict.fromkeys(cohort.clips.loc[chosen, "audio"]))
    found = dict(_identified(cohort.root, paths, (first, second), journal, batch, progress))
    clips = _labelled(cohort.clips, chosen, unlabelled, found, threshold, f"{first.name} {second.name}")
    by, also = (", ".join(f"{key} {value}" for key, value in each.items() if key != "name") for each in (one, other))
    sentences = (
        f"Languages were identified by {first.name} ({by}) and by {second.name} ({also}): a clip without a language "
        f"has the one that both name with a probability of at least {threshold:g}.",
        *_counts(clips.merge(cohort.speakers[["speaker_id", "group"]], on="speaker_id")),
    )
    made = write_derived(cohort, clips, " ".join(sentences), out)
    (out / JOURNAL).unlink()
    return made, sentences


def outcome(first: Guess, second: Guess, threshold: float) -> Outcome:
    """Whether a label counts: both name one language, and both probabilities are at least the threshold.

    Scripts and regions do not matter. An undetermined language is never agreed on.

    Examples
    --------
    >>> [outcome(Guess("zh", 0.8), Guess(code, p), 0.8) for code, p in (("zh-TW", 0.8), ("zh", 0.79), ("en", 1.0))]
    ['accepted', 'low_probability', 'disagreement']
    """
    if not same_language(first.language, second.language):
        return "disagreement"
    return "accepted" if min(first.probability, second.probability) >= threshold else "low_probability"


def _unlabelled(clips: pd.DataFrame) -> pd.Series:
    """The clips without a language, except those of which it is known that they have several or no speech."""
    given = clips.get("language" + GIVEN, pd.Series("", clips.index))
    return (clips["language"] == UNDETERMINED) & ~given.isin(NO_LANGUAGE - {UNDETERMINED})


def _identified(
    root: Path,
    paths: Sequence[str],
    identifiers: tuple[LanguageIdentifier, LanguageIdentifier],
    journal: Journal,
    batch: int,
    progress: Callable[[int, int], None],
) -> Iterator[tuple[str, Pair | Outcome]]:
    """What was named for each file, or the outcome if it cannot be identified."""
    waiting: dict[str, Clip] = {}
    for done, path in enumerate(paths, 1):
        clip = read_clip(root / path, max_seconds=MAX_SECONDS)
        if clip.status != "ok":
            yield path, _OUTCOMES[clip.status]
        else:
            waiting[path] = clip
        if len(waiting) >= batch or done == len(paths):
            new = {clip.sha256: clip.waveform for clip in waiting.values() if clip.sha256 not in journal.found}
            waveforms = [waveform for waveform in new.values() if waveform is not None]
            one, other = (guesses(identifier, waveforms) if new else [] for identifier in identifiers)
            journal.add(dict(zip(new, zip(one, other, strict=True), strict=True)))
            yield from ((path, journal.found[clip.sha256]) for path, clip in waiting.items())
            waiting.clear()
        progress(done, len(paths))


def _labelled(
    clips: pd.DataFrame,
    chosen: pd.Series,
    unlabelled: pd.Series,
    found: dict[str, Pair | Outcome],
    threshold: float,
    makers: str,
) -> pd.DataFrame:
    """The clips with the columns of identification, and with the languages that were accepted."""
    rows: list[tuple[object, ...]] = []
    for path, asked in zip(clips["audio"], chosen, strict=True):
        pair = found[path] if asked else "not_run"
        rows.append(
            ("", None, "", None, pair) if isinstance(pair, str) else (*pair[0], *pair[1], outcome(*pair, threshold))
        )
    columns = pd.DataFrame(rows, columns=list(COLUMNS[1:]), index=clips.index)
    columns = columns.astype(dict.fromkeys(PROBABILITIES, "float64"))
    made = pd.concat([clips.assign(**{DECLARED: clips["language"]}), columns], axis=1)
    accepted = unlabelled & (made[IDENTIFICATION] == "accepted")
    named = made[FIRST].map({code: language_of(code) for code in made.loc[accepted, FIRST].unique()})
    return made.assign(
        language=made["language"].mask(accepted, named),
        language_source=made["language_source"].mask(accepted, "inferred"),
        language_maker=made.get("language_maker", pd.Series("", made.index)).mask(accepted, makers),
    )


def _counts(clips: pd.DataFrame) -> Iterator[str]:
    """The outcomes by group, of clips without and with a language."""
    clips = clips[clips[IDENTIFICATION] != "not_run"]
    without = clips[DECLARED] == UNDETERMINED
    for what, part in (("without", clips[without]), ("with", clips[~without])):
        texts = []
        for group in ordered_groups(part["group"]):
            of = part[part["group"] == group]
            outcomes = of[IDENTIFICATION].mask(contradicted(of), "accepted as another language").value_counts()
            counts = ", ".join(f"{n} {str(name).replace('_', ' ')}" for name, n in outcomes.sort_index().items())
            texts.append(f"{group}: {counts}")
        if texts:
            yield f"Identified clips {what} a language, by group: {'; '.join(texts)}."
