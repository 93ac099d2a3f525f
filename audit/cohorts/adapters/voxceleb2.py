"""VoxCeleb2, as distributed; see datasets/cards/voxceleb2.md."""

from __future__ import annotations

from pathlib import Path

from audit.cohorts import CohortNotes
from audit.cohorts.adapters.voxceleb1 import folders_of, video_clips
from audit.cohorts.importing.adapter import Imported
from audit.cohorts.importing.metadata import find_file, known_speakers, read_metadata, with_gender
from audit.cohorts.importing.scanning import clips_in_layout
from audit.core.registry import Part
from audit.core.vocabulary import UNKNOWN

META = "vox2_meta.csv"


def read_voxceleb2(root: Path, meta: str = "") -> Imported:
    """The cohort in a download of VoxCeleb2: ``aac/idNNNNN/<video id>/NNNNN.m4a``.

    Gender comes from ``vox2_meta.csv``, in either of its two formats: separated by tabs with spaces after each
    value, or by commas with a byte-order mark and without names.

    Parameters
    ----------
    root : Path
        The folder with ``aac`` (or ``wav``, ``flac`` or ``m4a``, if it was converted), or with ``dev/aac`` and
        ``test/aac``.
    meta : str
        Path of ``vox2_meta.csv``, if not in the download.

    Raises
    ------
    CohortError
        If no clip is in that layout, or the metadata cannot be read.
    """
    layout = clips_in_layout(root, ("aac", "wav", "flac", "m4a"), 2, "aac/idNNNNN/<video id>/NNNNN.m4a")
    clips, remarks = video_clips(layout)
    path = find_file(root, [META], meta)
    columns = {"VoxCeleb2 ID": "speaker_id", "Gender": "gender"}
    further = {"Name": "name", "VGGFace2 ID": "vggface2", "Set": "set"}
    known = known_speakers(clips["speaker_id"], read_metadata(path, columns, further) if path else None, META)
    speakers, odd = with_gender(known.speakers, "metadata", META)
    return Imported(
        speakers.drop(columns=["name", "vggface2"], errors="ignore").assign(group=UNKNOWN, group_source=""),
        clips.assign(language="und", language_source=""),
        CohortNotes(
            name="VoxCeleb2",
            licence="VoxCeleb's own terms: not checked here",
            consent="none known: celebrities in videos that others put online",
            notes="Gender is the data set's metadata. It has no labels of race, nationality or language.",
        ),
        (*remarks, *known.remarks, *odd),
        folders=folders_of(speakers, "name", "vggface2"),
        without_clips=known.without_clips,
    )


ADAPTER = Part(
    name="voxceleb2",
    summary="VoxCeleb2: aac/<id>/<video>/*.m4a and vox2_meta.csv",
    value=read_voxceleb2,
)
