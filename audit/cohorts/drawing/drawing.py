"""The draw of a cohort: plan, work speaker by speaker, tables at the end."""

from __future__ import annotations

import json
import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal

import cv2
import pandas as pd
import tomli_w

from audit.cohorts.accented_clips import AccentedClip, write_accents
from audit.cohorts.cohort import Cohort
from audit.cohorts.drawing import timbre
from audit.cohorts.drawing.accents import ACCENTS
from audit.cohorts.drawing.derived import Derived
from audit.cohorts.drawing.ogg import opus
from audit.cohorts.drawing.resuming import ClipRow, Settings, is_draw, open_folder
from audit.cohorts.drawing.seeds import key_of, new_seed, seeded_number
from audit.cohorts.drawing.speakers import GROUPS, OTHER_LANGUAGES, people
from audit.cohorts.drawing.speech import Speaker, Speech, source_voice
from audit.cohorts.drawing.synthesised import Synthesised
from audit.cohorts.notes import CohortNotes
from audit.core.columns import CLUSTER
from audit.core.errors import AuditError, did_you_mean
from audit.core.files import write_whole

ENGLISH: Final = "en"
FOR_ALL: Final = "hi"
"""The accent of a language that no drawn speaker speaks."""
LANGUAGES: Final = (ENGLISH, *OTHER_LANGUAGES)
MOST_SPEAKERS: Final = 10_000
QUALITY: Final = 90
"""JPEG quality of the portraits, as in the embedded cohort."""


@dataclass(frozen=True)
class _Work:
    """What a process needs to draw a speaker."""

    folder: Path
    speech: Speech
    settings: Settings
    key: str
    accents: tuple[str, ...]


def draw_cohort(
    out: str | Path,
    speakers: int,
    *,
    languages: Sequence[str] = LANGUAGES,
    seed: str | None = None,
    clips: int = 1,
    parts: str | Path | None = None,
    groups: Sequence[str] = GROUPS,
    split: Literal["audited", "training"] = "audited",
    accents: Sequence[str] = (),
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Cohort:
    """Draw a cohort of new fictional speakers: voices, portraits and tables.

    The same arguments again continue a draw that was interrupted, and only read one that is complete. The same seed and
    settings give the same bytes on one machine with the same versions, whatever the number of workers.

    Parameters
    ----------
    out : path
        The cohort's folder: new, empty, or of a draw with the same settings and seed.
    speakers : int
        Number of speakers in each group: even, since half are women and half men. With a multiple of 8, the other
        language and base voices unseen in training are crossed with group and sex in equal numbers.
    languages : sequence of str
        English and at least one of zh and es. Each speaker speaks English and one of the others.
    seed : str, optional
        Any text. It is never written to a file; whoever knows it can make the cohort. By default one is made that
        cannot be guessed, and printed once on stderr.
    clips : int
        Number of clips of each speaker in each language: at most 6, or 2 without ``parts``.
    parts : path, optional
        Folder of the downloaded parts of the synthesiser, for new speech; without it, voices are derived from the
        embedded cohort's audited clips.
    groups : sequence of str
        Among asian, indian, black, white.
    split : {"audited", "training"}
        For an audit, or for training a model: the voices are then derived from those of the training speakers. No
        speaker, clip or sentence of one split occurs in the other.
    accents : sequence of str
        Among zh, es and hi: the first English clip of each speaker again, with a crude accent
        (:mod:`audit.cohorts.drawing.accents`), for :func:`audit.probe`; needs ``parts``. zh is given to speakers of
        Chinese, es to those of Spanish, hi to all. A complete draw can be given them later.
    workers : int
        Number of processes.
    progress : callable, optional
        Called with the numbers of finished speakers and of all.

    Returns
    -------
    Cohort
        The column ``cluster`` of its clips names the base voice with the larger weight.

    Raises
    ------
    AuditError
        If an argument is not allowed, a part is missing, or the folder has other contents.

    Examples
    --------
    >>> import audit, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cohort = audit.draw_cohort(folder, 2, groups=("asian",), seed="an example, and therefore not secret")
    >>> cohort.name, len(cohort.speakers), len(cohort.clips), sorted(cohort.speakers["gender"])
    ('drawn_derived', 2, 4, ['man', 'woman'])
    """
    _check(
        parts is None or split == "audited",
        "Parts of the synthesiser for training speakers.",
        "derived voices, without parts",
    )
    _check_accents(accents, parts)
    speech: Speech = Derived(split) if parts is None else Synthesised(Path(parts).resolve())
    settings = _settings(speakers, languages, clips, groups, speech, split)
    _check(workers >= 1, f"{workers} workers.", "1 or more")
    _check(seed is None or bool(seed.strip()), "The seed is empty.", "any text")
    continued = is_draw(Path(out))
    _check(
        not (continued and seed is None), f"{out} was drawn with a seed.", "that seed, to continue it", "Pass --seed."
    )
    secret = new_seed() if seed is None else seed
    key = key_of(secret, settings.model_dump_json())
    folder = open_folder(Path(out), settings, key)
    table = people(key, speakers, speech.voices, split=split, groups=settings.groups, others=settings.languages[1:])
    records = folder.finished(table["speaker_id"])
    accented = {str(row["speaker_id"]): accent_rows(row, accents) for row in _rows(table)}
    records = {
        name: rows for name, rows in records.items() if all((Path(out) / row.audio).is_file() for row in accented[name])
    }
    missing = [row for row in _rows(table) if row["speaker_id"] not in records]
    report = progress or (lambda done, of: None)
    report(len(records), len(table))
    if missing:
        speech.check()
        folder.begin()
        if seed is None:  # on stderr whatever the verbosity: it is the only copy
            print(f"The seed of this draw is {secret}. It is written nowhere: keep it secret.", file=sys.stderr)
        work = partial(_draw_speaker, _Work(Path(out), speech, settings, key, tuple(accents)))
        for speaker, rows in _done(work, missing, workers):
            records[speaker] = rows
            report(len(records), len(table))
    if accents:
        write_accents(Path(out), [row for rows in accented.values() for row in rows])
    if missing or not folder.complete:
        clip_rows = pd.DataFrame([row for speaker in table["speaker_id"] for row in records[speaker]])
        folder.finish(
            {
                "cohort.toml": tomli_w.dumps(_notes(settings, speech).model_dump(exclude={"files", "portraits"})),
                "clips.csv": clip_rows.to_csv(index=False, lineterminator="\n"),
                "speakers.csv": table.to_csv(index=False, lineterminator="\n"),
            },
            table["speaker_id"],
        )
    return Cohort.read(out)


def _check_accents(accents: Sequence[str], parts: str | Path | None) -> None:
    for accent in accents:
        _check(accent in ACCENTS, f"The accent {accent!r}{did_you_mean(accent, ACCENTS)}.", ", ".join(ACCENTS))
    _check(
        not accents or parts is not None,
        "Accents without the parts of the synthesiser.",
        "accents of synthesised speech",
        "Pass --parts.",
    )


def accent_rows(speaker: Speaker, accents: Sequence[str]) -> list[AccentedClip]:
    """The accented clips of a speaker: that of the other language, and Hindi for everybody, if asked for.

    Examples
    --------
    >>> [row.clip_id for row in accent_rows({"speaker_id": "d001", "other_language": "es"}, ("zh", "es", "hi"))]
    ['d001_en1_es', 'd001_en1_hi']
    """
    name, own = str(speaker["speaker_id"]), (speaker["other_language"], FOR_ALL)
    return [AccentedClip.of_clip(f"{name}_{ENGLISH}1", name, accent) for accent in accents if accent in own]


def _check(allowed: bool, found: str, words: str, next_step: str = "") -> None:
    if not allowed:
        raise AuditError(found, words, next_step)


def _settings(
    speakers: int, languages: Sequence[str], clips: int, groups: Sequence[str], speech: Speech, split: str
) -> Settings:
    """The settings of the draw, validated and in a fixed order."""
    _check(
        2 <= speakers <= MOST_SPEAKERS and speakers % 2 == 0,
        f"{speakers} speakers in each group.",
        f"an even number from 2 to {MOST_SPEAKERS}: half are women, half men",
    )
    for name, given, known in (("language", languages, LANGUAGES), ("group", groups, GROUPS)):
        for value in given:
            _check(value in known, f"The {name} {value!r}{did_you_mean(value, known)}.", ", ".join(known))
        _check(len({*given}) == len(given) > 0, f"The {name}s {', '.join(given) or 'are none'}.", "each once")
    _check(
        ENGLISH in languages and len(languages) > 1,
        f"The languages {', '.join(languages)}.",
        f"en and at least one of {', '.join(OTHER_LANGUAGES)}: each speaker speaks English and one other language",
    )
    _check(
        1 <= clips <= speech.most_clips,
        f"{clips} clips of each speaker in each language.",
        f"1 to {speech.most_clips} for {speech.name} speech",
        "For more, pass the parts of the synthesiser (--parts)." if isinstance(speech, Derived) else "",
    )
    return Settings(
        speech=speech.name,
        split=split,
        speakers=speakers,
        languages=tuple(language for language in LANGUAGES if language in languages),
        groups=tuple(group for group in GROUPS if group in groups),
        clips=clips,
    )


def _rows(table: pd.DataFrame) -> list[dict[str, object]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _done(
    work: Callable[[Speaker], list[ClipRow]], speakers: list[dict[str, object]], workers: int
) -> Iterator[tuple[str, list[ClipRow]]]:
    """Draw the speakers, here or in several processes; each as soon as it is finished."""
    if workers == 1 or len(speakers) == 1:
        for speaker in speakers:
            yield str(speaker["speaker_id"]), work(speaker)
        return
    fresh = multiprocessing.get_context("spawn")  # a fork would copy the threads' locks of the libraries in use
    with ProcessPoolExecutor(min(workers, len(speakers)), fresh) as pool:
        jobs = {pool.submit(work, speaker): str(speaker["speaker_id"]) for speaker in speakers}
        try:
            for job in as_completed(jobs):
                yield jobs[job], job.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _draw_speaker(work: _Work, speaker: Speaker) -> list[ClipRow]:
    """Write the clips and the portrait of a speaker, then the record that they are finished."""
    rows: list[ClipRow] = []
    name = str(speaker["speaker_id"])
    spoken = (ENGLISH, str(speaker["other_language"]))
    for clip in work.speech.clips(speaker, spoken, work.settings.clips, work.key):
        path = f"audio/{clip.clip_id}.ogg"
        write_whole(work.folder / path, opus(clip.sound, timbre.RATE, clip.serial))
        rows.append(
            {
                "clip_id": clip.clip_id,
                "speaker_id": name,
                "audio": path,
                "language": clip.language,
                "language_source": "synthetic",
                CLUSTER: source_voice(speaker),
                "sentences": clip.sentences,
                "speech_seconds": f"{timbre.speaking(clip.sound).mean() * timbre.SECONDS:.2f}",
                **clip.columns,
            }
        )
    if isinstance(work.speech, Synthesised):
        for row in accent_rows(speaker, work.accents):
            sound = work.speech.accented(speaker, work.settings.clips, work.key, row.accent)
            serial = seeded_number(work.key, "clip", row.clip_id)
            (work.folder / row.audio).parent.mkdir(exist_ok=True)
            write_whole(work.folder / row.audio, opus(sound, timbre.RATE, serial))
    write_whole(work.folder / str(speaker["portrait"]), _portrait(speaker))
    write_whole(work.folder / "drawing" / f"{name}.json", json.dumps(rows))
    return rows


def _portrait(speaker: Speaker) -> bytes:
    """The portrait as JPEG."""
    from audit.cohorts.drawing.portraits import portrait

    group, gender = str(speaker["group"]), str(speaker["gender"])
    picture = portrait(group, gender, float(speaker["age"]), int(speaker["portrait_seed"]))
    _, data = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return bytes(data)


def _notes(settings: Settings, speech: Speech) -> CohortNotes:
    """What a reader must know of the cohort before using it."""
    others = " or ".join({"zh": "Chinese", "es": "Spanish"}[language] for language in settings.languages[1:])
    return CohortNotes(
        name=f"drawn_{speech.name}" if settings.split == "audited" else f"drawn_{settings.split}",
        licence="CC0-1.0 for the tables, the recordings and the portraits",
        consent="No real person: every speaker is fictional, voice and face.",
        fictional=True,
        notes=(
            f"Drawn: {settings.speakers} new fictional speakers in each group, each in English and in {others}. "
            f"Speech is {speech.name}. {speech.description} The group is carried by a synthetic cue of timbre; nothing "
            "here says how any real group of people sounds or looks. The column cluster names the base voice with the "
            "larger weight: speakers who share it are not independent."
        ),
    )
