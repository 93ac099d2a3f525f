"""Kept faces: the pictures of a run, named by a keyed digest and verified whenever they are opened.

A picture is the file ``faces/<first two hex digits>/<name>.png``. Its name is an HMAC-SHA256 of the digest of its
pixels, with the key of the cohort (:mod:`audit.runs.face_keys`), so whoever has a portrait cannot recognise its name.
The observations hold for each clip and stage the name (``<stage>_face``) and a digest of the clip's id, the stage and
the pixels (``<stage>_face_check``). By the latter a picture is verified without the key, also in a copy of the run.

Names depend on the key and are not part of :attr:`audit.Run.digest`; the checks do not, and are. Runs of earlier
versions have no checks: their pictures are named by the digest of their pixels and lie directly in ``faces``.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import os
import re
import stat
import warnings
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from PIL import Image

from audit.core.addresses import is_address, refuse_address
from audit.core.arrays import Picture
from audit.core.columns import face_check_column, face_column
from audit.core.errors import RunError
from audit.core.files import is_private, make_folder
from audit.core.pictures import MAX_FILE_BYTES, MAX_PIXELS, keep_picture, picture_digest
from audit.core.transfer import at_hand
from audit.core.vocabulary import STAGES
from audit.core.written_files import write_files
from audit.runs.manifest import MANIFEST, read_manifest
from audit.runs.run import FACES, Run

DIGITS: Final = 32
_NAME: Final = re.compile(rf"[0-9a-f]{{{DIGITS}}}")
_SUBFOLDER: Final = re.compile(r"[0-9a-f]{2}")


class FaceError(RunError):
    """A picture that was not opened; ``reason`` says why in a few words."""

    def __init__(self, path: Path | str, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"The picture {path} was not opened: {reason}.",
            "the pictures as the run kept them",
            "Restore them, or run the model again.",
        )


@dataclass(frozen=True)
class FaceNames:
    """The names of a run's pictures.

    Without a key, pictures are named by the digest of their pixels, as in probes, whose voices are fictional.

    Examples
    --------
    >>> FaceNames(b"key").name("0" * 32), FaceNames().name("0" * 32)
    ('3a94e7f3e0d284db532c793621888659', '00000000000000000000000000000000')
    """

    key: bytes | None = field(default=None, repr=False)

    def name(self, digest: str) -> str:
        """The name of the picture with this digest of its pixels."""
        return digest if self.key is None else _hmac(self.key, digest)

    def columns(self, clip_id: str, stage: str, digest: str) -> dict[str, str | None]:
        """What an observation records of a picture; null where there is none (an empty digest)."""
        if self.key is None:
            return {face_column(stage): digest or None}
        check = face_check(clip_id, stage, digest) if digest else None
        return {face_column(stage): self.name(digest) if digest else None, face_check_column(stage): check}

    @property
    def identity(self) -> dict[str, str]:
        """What the manifest says of the key: a digest that does not reveal it."""
        return {} if self.key is None else {"key": _hmac(self.key, "the identity of this key")}


@dataclass(frozen=True)
class RecordedFace:
    """What the observations record of a picture; without a ``check``, the name is the digest of the pixels."""

    clip_id: str
    stage: str
    name: str
    check: str | None = None

    def is_shown_by(self, digest: str) -> bool:
        """Whether pixels with this digest are the recorded picture."""
        expected = self.name if self.check is None else self.check
        found = digest if self.check is None else face_check(self.clip_id, self.stage, digest)
        return hmac.compare_digest(expected.encode(), found.encode())


def face_check(clip_id: str, stage: str, digest: str) -> str:
    """The check of a picture: the first 32 hex digits of a SHA-256 of the clip's id, the stage and the pixels' digest.

    It does not depend on the key, and equal pictures of two clips have different ones.
    """
    text = "\0".join((clip_id, stage, digest))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]


def recorded_face(observation: Mapping[Any, Any], stage: str) -> RecordedFace | None:
    """The picture that an observation records at a stage; ``None`` if there is none."""
    name, check = observation.get(face_column(stage)), observation.get(face_check_column(stage))
    if not isinstance(name, str):
        return None
    return RecordedFace(str(observation["clip_id"]), stage, name, check if isinstance(check, str) else None)


def has_faces(observations: pd.DataFrame) -> bool:
    """Whether the observations record any picture."""
    return bool(observations[[face_column(stage) for stage in STAGES]].notna().any(axis=None))


def folder_with_faces(run: Run) -> Path | None:
    """The folder of a run that kept the pictures that it recorded; ``None`` for other runs."""
    settings = run.manifest.get("settings")
    wanted = settings.get("keep_faces", True) if isinstance(settings, Mapping) else True
    if not wanted or run.folder is None or not (run.folder / FACES).is_dir() or not has_faces(run.coded):
        return None
    return run.folder


def face_file(folder: Path, name: str) -> Path:
    """The file of a picture that is written into a run's folder ``faces``."""
    return folder / name[:2] / f"{name}.png"


def keep_face(pixels: Picture, folder: Path, name: str) -> None:
    """Write a picture into a run's folder ``faces`` atomically, unless it is there."""
    path = face_file(folder, name)
    make_folder(path.parent, shared=not is_private(folder))
    keep_picture(pixels, path.parent, name)


def subfolders(run: Path) -> list[str]:
    """The existing subfolders of pictures, relative to the run's folder, links to elsewhere among them."""
    faces = run / FACES
    if is_address(faces) or faces.is_symlink() or not faces.is_dir():
        return []
    return sorted(f"{FACES}/{name}" for name in os.listdir(faces) if _SUBFOLDER.fullmatch(name))  # noqa: PTH208  # names


def open_face(folder: Path, face: RecordedFace) -> Picture:
    """The picture that a run in ``folder`` recorded, verified by its pixels.

    Raises
    ------
    FaceError
        If it is missing, a link, outside the run, not a readable picture, or another one than the run recorded.
    """
    return verified_face(folder, face)[0]


def verified_face(folder: Path, face: RecordedFace) -> tuple[Picture, str]:
    """The picture as :func:`open_face`, and the digest of its pixels."""
    if not _NAME.fullmatch(face.name):
        raise FaceError(repr(face.name[:80]), "not the name of a picture in the run's folder")
    path = _found(folder, face.name)
    pixels = _decoded(path)
    digest = picture_digest(pixels)
    if not face.is_shown_by(digest):
        raise FaceError(path, "not the picture that the run recorded")
    return pixels, digest


def png(pixels: Picture) -> bytes:
    """A picture as PNG, with its pixels and nothing else."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def faces_only_of(observations: pd.DataFrame, speakers: Collection[str]) -> set[str]:
    """The names of the pictures of these speakers that no other speaker's clips show."""
    columns = [face_column(stage) for stage in STAGES]
    theirs = observations["speaker_id"].isin(set(speakers))
    own, others = (set(pd.unique(observations.loc[of, columns].to_numpy().ravel())) for of in (theirs, ~theirs))
    return {name for name in own - others if isinstance(name, str)}


def remove_faces(folder: Path, names: Iterable[str]) -> int:
    """Remove pictures from a run's folder, and the subfolders that become empty; returns how many were removed.

    A link is removed, never what it leads to. Names that the folder does not have are passed over.

    Raises
    ------
    RunError
        If the folder of faces, or a subfolder, is a link.
    """
    refuse_address(folder, "The run from which pictures are removed")
    removed = 0
    for name in sorted(set(names)):
        if not _NAME.fullmatch(name):
            continue
        for path in (face_file(folder / FACES, name), folder / FACES / f"{name}.png"):
            if not path.is_symlink() and not path.exists():
                continue
            for above in (folder / FACES, path.parent):
                if above.is_symlink():
                    raise FaceError(above, "a link")
            path.unlink()
            removed += 1
            if path.parent.name == name[:2] and not any(path.parent.iterdir()):
                path.parent.rmdir()
    return removed


def speakers_sharing(observations: pd.DataFrame, column: str) -> list[tuple[str, ...]]:
    """The sets of speakers that have a value in common, such as a portrait or the sound of a clip.

    Parameters
    ----------
    observations : DataFrame
        The observations of a run.
    column : str
        ``portrait_face`` or ``audio_sha256``: equal values are equal pictures or equal files.

    Returns
    -------
    list of tuple of str
        The ids of each set of at least two speakers, sorted; a speaker may be in several.

    Examples
    --------
    >>> seen = pd.DataFrame({"speaker_id": list("abbc"), "audio_sha256": ["x", "x", "y", None]})
    >>> speakers_sharing(seen, "audio_sha256")
    [('a', 'b')]
    """
    pairs = observations.loc[observations[column].fillna("") != "", ["speaker_id", column]].drop_duplicates()
    shared = pairs[pairs.duplicated(column, keep=False)]
    return sorted({tuple(sorted(map(str, of))) for _, of in shared.groupby(column, observed=True)["speaker_id"]})


def pin_key(folder: Path, names: FaceNames) -> dict[str, Any]:
    """Note in the manifest by which key a run's pictures are named; returns the entry.

    Raises
    ------
    RunError
        If the run was begun with another key, or completed by an earlier version without one.
    """
    manifest = read_manifest(folder)
    entry = {"faces": names.identity}
    if manifest.get("faces") == entry["faces"]:
        return entry
    if "faces" in manifest or manifest.get("parts"):
        raise RunError(
            f"The pictures in {folder} were named by another key than the one that is there now.",
            "the key with which the run was begun",
            "Restore the key, name its folder with --keys DIR, or run again into a new folder.",
        )
    write_files(folder, {MANIFEST: json.dumps(manifest | entry, indent=1) + "\n"})
    return entry


def _hmac(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()[:DIGITS]


def _found(folder: Path, name: str) -> Path:
    """The file of a picture, in its subfolder or, in runs of earlier versions, directly in ``faces``."""
    faces = folder / FACES
    for path in (face_file(faces, name), faces / f"{name}.png"):
        if is_address(path):
            if (here := at_hand(path)).is_file():
                return here
            continue
        for each in (faces, path.parent, path):
            if each.is_symlink():
                raise FaceError(each, "a link")
        if path.exists():
            return path
    raise FaceError(face_file(faces, name), "file not found")


def _decoded(path: Path) -> Picture:
    """The pixels of a PNG file exactly as they were written."""
    try:
        data = _bytes_of(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about size, which is checked before decoding, and about damage
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise FaceError(path, "too large to open")
                if image.mode != "RGB":
                    raise FaceError(path, "not a picture in RGB")
                return np.asarray(image)
    except FaceError:
        raise
    except Image.DecompressionBombError as error:
        raise FaceError(path, "too large to open") from error
    except Exception as error:  # for damaged data decoders may raise anything
        raise FaceError(path, "not a readable picture") from error


def _bytes_of(path: Path) -> bytes:
    """The bytes of a regular file; neither links nor pipes are opened."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as file:
        place = os.fstat(handle)
        if not stat.S_ISREG(place.st_mode):
            raise FaceError(path, "not a regular file")
        if place.st_size > MAX_FILE_BYTES:
            raise FaceError(path, "too large to open")
        return file.read()
