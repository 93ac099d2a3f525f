"""Import of a download as a cohort on disk: adapter, labels, selection, tables and links."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import pandas as pd
import tomli_w

from audit.cohorts import Cohort
from audit.cohorts.importing.adapter import Imported, counted, read_download
from audit.cohorts.importing.assumptions import with_inferred_groups, with_language
from audit.cohorts.importing.existing import with_files_checked
from audit.cohorts.importing.joining import joined
from audit.cohorts.importing.labels import with_labels
from audit.cohorts.importing.language_lists import with_language_lists
from audit.cohorts.importing.pairs import PairSelection, with_pairs
from audit.cohorts.importing.portraits import with_portraits
from audit.cohorts.importing.public_labels import with_public_labels
from audit.cohorts.importing.selection import Selection, lengths, selected
from audit.cohorts.languages import with_canonical
from audit.cohorts.paths import FILE_COLUMNS
from audit.cohorts.writing import FILES, PORTRAITS, table_text
from audit.core.audio_formats import INSTALL, PYAV_SUFFIXES, is_pyav_installed
from audit.core.errors import AuditError, CohortError

NEW_FOLDER: Final = "Choose another folder for -o."


def import_cohort(
    name: str,
    root: Path,
    out: Path,
    *,
    labels: Path | None = None,
    labels_from: Sequence[tuple[str, Path]] = (),
    language_lists: Sequence[tuple[str, Path]] = (),
    copy: bool = False,
    portraits: Path | None = None,
    language: str | None = None,
    group_from_nationality: Path | None = None,
    clip_seconds: float | None = None,
    clips_per_speaker: int | None = None,
    join: bool = False,
    pairs_only: bool = False,
    undetermined: bool = False,
    speakers_per_group: int | None = None,
    seed: int = 0,
    **options: str,
) -> tuple[Cohort, tuple[str, ...]]:
    """Import a download as a cohort.

    Parameters
    ----------
    name : str
        The adapter.
    root : Path
        The download.
    out : Path
        Folder of the new cohort, new or empty. Nothing is left in it if the import fails.
    labels : Path, optional
        A labels file; its labels take precedence over those of the data set and of published files.
    labels_from : sequence of tuple of str and Path
        Names of label sources with a published file each, for speakers of unknown group; see
        :func:`audit.cohorts.importing.public_labels.with_public_labels`.
    language_lists : sequence of tuple of str and Path
        BCP-47 codes with a published list of clips each, for clips of undetermined language; see
        :func:`audit.cohorts.importing.language_lists.with_language_lists`.
    copy : bool
        Copy the files instead of linking to the download.
    portraits : Path, optional
        Folder with a subfolder of pictures for each speaker, by id or name; one picture is drawn by the seed.
    language : str, optional
        BCP-47 code to assume for clips without a language; default ``und``.
    group_from_nationality : Path, optional
        CSV with the columns nationality and group, to infer unknown groups.
    clip_seconds : float, optional
        Minimum length of clips.
    clips_per_speaker : int, optional
        Maximum number of clips per speaker and language, drawn by the seed.
    join : bool
        Join shorter clips of a speaker in one language to ``clip_seconds``.
    pairs_only : bool
        Only speakers with at least two videos in English and two in another language.
    undetermined : bool
        Whether, for ``pairs_only``, videos of undetermined language count as another language.
    speakers_per_group : int, optional
        Maximum number of speakers of each group, drawn by the seed and balanced by gender.
    seed : int
        Seed of the draw of portraits, clips and speakers.
    **options : str
        Options of the adapter.

    Returns
    -------
    tuple of Cohort and tuple of str
        The cohort, and remarks on everything left out, drawn or assumed, which are also in the cohort's notes.

    Raises
    ------
    AuditError
        If the root is not such a download, or ``out`` is not empty.
    """
    wanted = Selection(clip_seconds, clips_per_speaker, join, seed)
    pairs = PairSelection(pairs_only, undetermined, speakers_per_group, seed)
    if out.is_symlink() or out.resolve() == Path.cwd():
        raise AuditError(f"{out} is a link or the current directory.", "a new or empty folder", NEW_FOLDER)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise AuditError(f"{out} is not empty.", "a new or empty folder", NEW_FOLDER)
    found = read_download(name, root, options)
    if found.packed is None:
        found = with_files_checked(found, root)
    found = replace(found, speakers=_below_files(found.speakers), clips=_below_files(found.clips))
    if labels_from:
        found = with_public_labels(found, labels_from)
    if language_lists:
        found = with_language_lists(found, language_lists)
    if labels is not None:
        found = with_labels(found, labels)
    if language is not None:
        found = with_language(found, language)
    if group_from_nationality is not None:
        found = with_inferred_groups(found, group_from_nationality)
    found = replace(found, clips=with_canonical(found.clips, "language"))
    if language_lists or pairs.pairs_only or pairs.per_group is not None:
        found = with_pairs(found, pairs)
    links = {FILES: root.resolve()} if found.packed is None else {}
    requested = portraits is not None
    if portraits is None and found.portraits:
        portraits = root / found.portraits
    if portraits is not None:
        prefix = _prefix(portraits, root) if found.packed is None else f"{PORTRAITS}/"
        if prefix == f"{PORTRAITS}/":
            links[PORTRAITS] = portraits.resolve()
        found = with_portraits(found, portraits, prefix, seed, wanted=requested)
    found = replace(found, remarks=(*found.remarks, *_missing_data(found)))
    return _written(found, wanted, links, out, copy)


def _written(
    found: Imported, wanted: Selection, links: dict[str, Path], out: Path, copy: bool
) -> tuple[Cohort, tuple[str, ...]]:
    """Select and join clips, and write the cohort; it is written to a temporary folder first and then moved."""

    def where(path: str) -> Path:
        first, _, rest = path.partition("/")
        # a clip with a picture only has no audio; files without a link are the cohort's own
        return links.get(first, folder / first) / rest if rest else folder

    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as unfinished:
        folder = Path(unfinished) / "cohort"
        folder.mkdir()
        if found.packed is not None:
            found.packed.write(folder / FILES)
        if wanted.join:
            found = joined(found, wanted, where, folder)
        elif wanted.seconds is not None or wanted.per_speaker is not None:
            found = selected(found, wanted, partial(lengths, where))
        if found.packed is not None:
            found.packed.remove_unused(folder / FILES, set(found.clips["audio"].str.removeprefix(f"{FILES}/")))
        for link, target in links.items():
            if copy:
                _copy(found, folder, link, target)
            else:
                (folder / link).symlink_to(target, target_is_directory=True)
        targets = {} if copy else {link: str(target) for link, target in links.items()}
        notes = " ".join([found.notes.notes, *found.remarks]).strip()
        about = found.notes.model_copy(update={**targets, "notes": notes}).model_dump()
        text = tomli_w.dumps({key: value for key, value in about.items() if value})
        (folder / "cohort.toml").write_text(text, encoding="utf-8")
        for name, key, frame in (("speakers", "speaker_id", found.speakers), ("clips", "clip_id", found.clips)):
            table = frame[[key, *frame.columns.drop(key)]].sort_values(key)
            (folder / f"{name}.csv").write_text(table_text(table), encoding="utf-8")
        cohort = Cohort.read(folder)
        if out.exists():
            out.rmdir()
        folder.rename(out)
    return replace(cohort, root=out), (*found.remarks, *cohort.set_aside)


def _below_files(frame: pd.DataFrame) -> pd.DataFrame:
    """Replace paths of the download by paths of the cohort."""
    paths = {name: frame[name].fillna("").astype(str) for name in FILE_COLUMNS if name in frame}
    return frame.assign(**{name: (f"{FILES}/" + values).where(values != "", "") for name, values in paths.items()})


def _prefix(portraits: Path, root: Path) -> str:
    """Prefix of portrait paths: the link of the download if it contains them, else a separate link."""
    if not portraits.resolve().is_relative_to(root.resolve()):
        return f"{PORTRAITS}/"
    return f"{(Path(FILES) / portraits.resolve().relative_to(root.resolve())).as_posix()}/"


def _missing_data(found: Imported) -> tuple[str, ...]:
    """Remarks on unknown languages and undecodable clips."""
    language = found.clips["language"]
    unsaid = int((language == "und").sum())
    by_pyav = int(found.clips["audio"].str.lower().str.endswith(tuple(PYAV_SUFFIXES)).sum())
    hint = "give it in a labels file, or have one assumed with --language"
    return counted(
        (unsaid, f"The language of {unsaid} of {len(language)} clips is not known (und): {hint}."),
        (
            by_pyav and not is_pyav_installed(),
            f"{by_pyav} clips are in formats that need PyAV, which is not installed: {INSTALL}.",
        ),
    )


def _copy(found: Imported, folder: Path, link: str, target: Path) -> None:
    named = {
        path
        for frame in (found.speakers, found.clips)
        for name in FILE_COLUMNS
        if name in frame
        for path in frame[name]
    }
    for path in sorted(path for path in named if path.startswith(f"{link}/")):
        source = target / path.removeprefix(f"{link}/")
        if not source.resolve().is_relative_to(target):
            raise CohortError([f"{source} is outside {target} (through a link)."], "files of the download itself")
        if not source.is_file():  # reported by the check of the cohort, as with links
            continue
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / path)
