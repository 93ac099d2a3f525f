"""The recipes for public models: their files are written and run, with fakes in place of the models themselves."""

from __future__ import annotations

import runpy
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

import audit
from audit.cli import app
from audit.core.arrays import Picture
from audit.instruments.protocol import Reading
from tests.conftest import tone
from tests.pages import files_of, of, small_cohort, standing_in

CMP = "docs/guide/models/cross-modal-perceptionist.md"
VOICESTYLE = "docs/guide/models/voicestyle.md"

FAKE_MESH = """
import numpy as np
import soundfile

def ellipsoid(width):
    up, around = np.meshgrid(np.linspace(-np.pi / 2, np.pi / 2, 15), np.linspace(0, 2 * np.pi, 30), indexing="ij")
    points = np.stack([width * np.cos(up) * np.sin(around), np.sin(up), np.cos(up) * np.cos(around)], -1).reshape(-1, 3)
    at = np.arange(14 * 30).reshape(14, 30)[:, :-1].ravel()
    return points, np.concatenate([np.stack([at, at + 1, at + 30], 1), np.stack([at + 1, at + 31, at + 30], 1)])

def mesh(path):
    level = soundfile.read(path)[0].std()
    return None if level < 0.01 else ellipsoid(0.5 + level)
"""
"""A fake in place of the model: a face as wide as its voice is loud, and none for a silent one."""


class SilhouetteReader:
    """A fake: finds a face in every picture, with the jaw as wide as what is drawn and the eyes 40 pixels apart."""

    name, similarity_models = "silhouettes (fake)", ()

    def read(self, pictures: Sequence[Picture]) -> list[Reading]:
        made = []
        for picture in pictures:
            columns = np.flatnonzero(picture[:, :, 0].any(0))
            points = np.stack([np.linspace(60, 200, 68), np.linspace(70, 190, 68)], 1).astype(np.float32)
            points[4, 0], points[12, 0] = columns[0], columns[-1]
            points[36:42], points[42:48] = (100, 100), (140, 100)
            made.append(Reading("ok", landmarks=points, faces=1))
        return made

    def describe(self) -> dict[str, object]:
        return {"fake": True}


def fake_instrument() -> object:
    """The page's instrument, with the fake reader."""
    from geometry_only import GeometryOnly  # type: ignore[import-not-found]  # the page's file

    return GeometryOnly(SilhouetteReader())


def commands_of(page: str, number: int) -> None:
    """Run an example of the page, in the current folder."""
    for line in of(page, "sh")[number].lines:
        words = shlex.split(line)
        if words[0] == "python":
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(sys, "argv", words[1:])
                runpy.run_path(words[1], run_name="__main__")
        else:
            done = CliRunner().invoke(app, words[1:], catch_exceptions=False)
            assert done.exit_code == 0, done.output


def test_a_mesh_is_judged_by_its_geometry_only(tmp_path: Path) -> None:
    """The page's plan on twelve speakers with voices as loud as their portraits are wide; one has a silent clip too."""
    speakers, clips = [], []
    with standing_in(tmp_path):
        files_of(CMP, tmp_path)
        Path("cmp_mesh.py").write_text(FAKE_MESH, encoding="utf-8")
        plan = Path("cmp.toml").read_text(encoding="utf-8")
        for real, fake in (
            ("geometry_only:make", f"{__name__}:fake_instrument"),
            ('"conda", "run", "-n", "CMP", "python"', f'"{sys.executable}"'),
        ):
            assert real in plan
            plan = plan.replace(real, fake)
        Path("cmp.toml").write_text(plan, encoding="utf-8")
        import cmp_faces  # type: ignore[import-not-found]  # the page's file
        import cmp_mesh  # type: ignore[import-not-found]  # the fake

        Path("people", "portraits").mkdir(parents=True)
        for i in range(12):
            level, name = 0.05 + 0.02 * i, f"s{i:02}"
            picture = cmp_faces.draw(*cmp_mesh.ellipsoid(0.5 + level))
            Image.fromarray(picture).save(f"people/portraits/{name}.png")
            tone(Path("people", f"{name}.wav"), level)
            group = {"group": ("asian", "white")[i % 2], "gender": "woman"}
            speakers.append({"speaker_id": name, **group, "portrait": f"portraits/{name}.png"})
            clips.append({"clip_id": name, "speaker_id": name, "audio": f"{name}.wav", "language": "en"})
        tone(Path("people", "silent.wav"), 0.002)
        clips.append(clips[0] | {"clip_id": "silent", "audio": "silent.wav"})
        pd.DataFrame(speakers).to_csv("people/speakers.csv", index=False)
        pd.DataFrame(clips).to_csv("people/clips.csv", index=False)
        commands_of(CMP, 0)
    run = audit.Run.read(tmp_path / "cmp-run")
    statuses = run.observations.set_index("clip_id")["rendered_status"]
    assert statuses.to_dict()["silent"] == "not_rendered" and (statuses.drop("silent") == "ok").all()
    made = audit.measure(run)
    table = made.tables["craniofacial"].frame.set_index(["measure", "stage", "group"])["value"]
    assert table["jaw_width", "rendered", "all"] == pytest.approx(1, abs=0.01)
    assert table["jaw_width", "rendered", "asian"] == pytest.approx(1, abs=0.01)
    assert np.isnan(table["nose_height", "rendered", "all"]), "the same in every face"
    outcomes = {finding.code: finding.outcome for finding in made.findings}
    assert outcomes.pop("S2F006") != "not_evaluable"
    assert set(outcomes.values()) == {"not_evaluable"}, outcomes


def test_the_pages_instrument_reads_landmarks_and_nothing_else(tmp_path: Path) -> None:
    with standing_in(tmp_path):
        files_of(CMP, tmp_path)
        from geometry_only import make  # type: ignore[import-not-found]  # the page's file

        instrument = make()
    portrait = next((audit.embedded("synthetic_bilingual") / "portraits").glob("*.jpg"))
    (found,) = instrument.read([np.asarray(Image.open(portrait).convert("L").convert("RGB"))])
    assert found.status == "ok" and found.landmarks.shape == (68, 2)
    assert not found.attributes and not found.embeddings


FAKE_RETRIEVER = """
import shutil
from pathlib import Path
import soundfile

def render(audio, picture):
    gallery = sorted(Path("voxceleb").rglob("*.jpg"))
    if audio.stem.endswith("2"):
        return []
    at = len(soundfile.read(audio)[0]) % len(gallery)
    shutil.copyfile(gallery[at], picture)
    return [gallery[at], gallery[at - 1]]
"""
"""A fake in place of VoiceStyle: shows a picture of its gallery as it is, and none for second clips."""


def test_recorded_pictures_and_their_gallery(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_cohort(tmp_path / "people")
    with standing_in(tmp_path):
        files_of(VOICESTYLE, tmp_path)
        Path("voicestyle_clip.py").write_text(FAKE_RETRIEVER, encoding="utf-8")
        gallery = Path("voxceleb", "VGG_ALL_FRONTAL", "somebody")
        gallery.mkdir(parents=True)
        for path in sorted((audit.embedded("synthetic_bilingual") / "portraits").glob("*.jpg"))[:6]:
            (gallery / path.name).write_bytes(path.read_bytes())
        Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(gallery / "wall.jpg")
        commands_of(VOICESTYLE, 0)
        commands_of(VOICESTYLE, 1)
        pictures, prototypes = (
            audit.Run.read(Path(name).absolute()).observations for name in ("voicestyle-run", "prototypes-run")
        )
        capsys.readouterr()
        commands_of(VOICESTYLE, 2)
        printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert len(pictures) == 6
    # the fake shows the prototype itself, so both audits read the same
    assert pictures["rendered_race"].fillna("").tolist() == prototypes["rendered_race"].fillna("").tolist()
    counts = {tuple(words[:-2]): int(words[-2]) for words in printed}
    assert counts["no", "face"] == 1 and sum(counts.values()) == 7
    shown = set(pictures["rendered_race"].dropna()) - {""}
    assert shown and shown <= {race for race, _ in counts}, "only what is in the gallery is shown"
