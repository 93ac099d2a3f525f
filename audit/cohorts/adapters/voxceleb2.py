"""VoxCeleb2, as distributed; see datasets/cards/voxceleb2.md."""

from __future__ import annotations

from pathlib import Path

from audit.cohorts.adapters.voxceleb1 import Version, read_voxceleb
from audit.cohorts.importing.adapter import Imported
from audit.cohorts.importing.metadata import SpeakerFile
from audit.core.registry import Part

META = SpeakerFile(
    ("vox2_meta.csv",),
    {"VoxCeleb2 ID": "speaker_id", "Gender": "gender"},
    {"Name": "name", "VGGFace2 ID": "vggface2", "Set": "set"},
    folders=("name", "vggface2"),
    ids=("vggface2",),
)


def read_voxceleb2(root: Path, meta: str = "") -> Imported:
    """The cohort in a download of VoxCeleb2: ``aac/idNNNNN/<video id>/NNNNN.m4a``.

    ``aac`` may also be in ``dev`` and ``test``, be named ``wav``, ``flac`` or ``m4a`` if it was converted, or be
    missing, as in ``voxceleb2/idNNNNN``, where voxceleb_trainer puts the speakers' folders. Gender comes from
    ``vox2_meta.csv``, or the file ``meta``, in either of its two formats: separated by tabs with spaces after each
    value, or by commas with a byte-order mark and without names.
    """
    tops, layout = ("aac", "wav", "flac", "m4a"), "aac/idNNNNN/<video id>/NNNNN.m4a"
    notes = "Gender is the data set's metadata. The data set itself has no labels of race, nationality or language."
    return read_voxceleb(root, Version("VoxCeleb2", tops, layout, r"id0\d{4}", META, notes), meta)


ADAPTER = Part(
    name="voxceleb2",
    summary="VoxCeleb2: aac/<id>/<video>/*.m4a and vox2_meta.csv",
    value=read_voxceleb2,
)
