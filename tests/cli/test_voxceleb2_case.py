"""The paper's case on the file layouts of VoxCeleb2 and of the published label files: from the download to a finding.

Speakers and pictures are those of the embedded cohort, so that nobody is real: the layouts and forms are.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest
import soundfile

import audit
from audit.core.audio import read_clip
from tests.cli.test_any_group import command

GAP = "speech2face-small-gap"
RACE = {"asian": "Asian", "white": "Caucasian"}


def write_m4a(source: Path, target: Path) -> None:
    """A clip as the download has it: AAC in an MP4 container."""
    waveform = read_clip(source).waveform
    assert waveform is not None
    target.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(target), "w", format="mp4") as file:
        stream = file.add_stream("aac", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(waveform[None].astype(np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16_000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)


def write_wav(source: Path, target: Path) -> None:
    """A clip as it lies in a converted copy of the download."""
    target.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(target, read_clip(source).waveform, 16_000)


@pytest.fixture(scope="module")
def download(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Speakers with two videos in English and two in another language, and the label files next to them.

    The clips of four speakers are as distributed, those of the others converted. One speaker's videos in the other
    language are in no list.
    """
    home = tmp_path_factory.mktemp("download")
    cohort = audit.Cohort.read(audit.embedded("synthetic_bilingual"))
    able = cohort.speakers[cohort.speakers["group"].isin([*RACE])]
    people = pd.concat([of.head(6 if group == "asian" else 2) for (group, _), of in able.groupby(["group", "gender"])])
    people = people.assign(vox=[f"id{10 + i:05d}" for i in range(len(people))])
    people = people.assign(vgg=[f"n{700 - 7 * i:06d}" for i in range(len(people))])  # other numbers, in another order
    english, other = [], []
    unlisted = people.loc[people["group"] == "white", "vox"].iloc[-1]
    for place, person in enumerate(people.itertuples()):
        clips = cohort.clips[cohort.clips["speaker_id"] == person.speaker_id]
        for i, clip in enumerate(clips.sort_values("clip_id").itertuples()):
            name = f"{person.vox}/video_{person.vgg[3:]}_{i}/00001"
            if place < 4:
                write_m4a(cohort.root / clip.audio, home / "VOX2" / "dev" / "aac" / f"{name}.m4a")
            else:
                write_wav(cohort.root / clip.audio, home / "VOX2" / "dev" / "wav" / f"{name}.wav")
            if clip.language == "en" or person.vox != unlisted:
                (english if clip.language == "en" else other).append(f"dev/mp4/{name}")
        (home / "FACES" / person.vgg).mkdir(parents=True)
        shutil.copy(cohort.root / person.portrait, home / "FACES" / person.vgg / "0001_01.jpg")
    letter = {"woman": "f", "man": "m"}
    meta = [f"Person_{p.vox} \t{p.vox} \t{p.vgg} \t{letter[p.gender]} \tdev " for p in people.itertuples()]
    (home / "VOX2" / "vox2_meta.csv").write_text(
        "\n".join(["Name \tVoxCeleb2 ID \tVGGFace2 ID \tGender \tSet ", *meta])
    )
    race = [f'1,{p.vgg}," ""Person""",9,1,{letter[p.gender]},{RACE[p.group]}' for p in people.itertuples()]
    (home / "vgg1200.csv").write_text("\n".join([",Class_ID,Name,Sample_Num,Flag,Gender,Race", *race]))
    (home / "vox-en.id").write_text("\n".join(english))
    (home / "others.txt").write_text("\n".join(f"{name}.mp4\twhat was said" for name in other))
    return home


def test_the_case_goes_from_the_download_to_a_report(download: Path) -> None:
    given = ("--labels-from", f"vgg1200={download / 'vgg1200.csv'}", "--language-list", f"en={download / 'vox-en.id'}")
    given += ("--language-list", f"zh={download / 'others.txt'}", "--portraits", download / "FACES", "--pairs-only")
    code, said = command("cohort", "import", "voxceleb2", download / "VOX2", *given, "-o", download / "cohort")
    assert code == 0, said
    assert "asian 12 (12), white 3 (4)" in " ".join(said.split())
    cohort = audit.Cohort.read(download / "cohort")
    assert cohort.speakers["group"].value_counts().to_dict() == {"asian": 12, "white": 3}
    assert (cohort.speakers["portrait"] != "").all()
    assert pd.unique(cohort.clips["language_source"]).tolist() == ["inferred"]

    code, said = command("run", "--cohort", download / "cohort", "--model", GAP, "-o", download / "run")
    assert code == 0, said
    document = json.loads((download / "run" / "audit.json").read_text())
    finding = next(each for each in document["findings"] if each["code"] == "S2F001")
    assert finding["outcome"] == "shown"  # the shipped model was trained without asian speakers in English
    assert finding["estimate"]["n_speakers"] == 12 and finding["estimates"]["language_effect"]["n_speakers"] == 12
    page = (download / "run" / "report.html").read_text()
    assert "annotators of Durham University" in page and "nobody listened" in page
    assert "Person_" not in page
