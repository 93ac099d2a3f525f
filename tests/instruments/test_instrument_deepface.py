"""The instrument and DeepFace: the extension point, DeepFace's own weights, and no network unasked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from audit.core.errors import ModelError
from audit.instruments import available, instrument
from audit.instruments.faces import FaceFinder, cut_as_deepface

REGISTERED = """
import json, sys
import cv2, numpy as np
from deepface import DeepFace
from benchmarks.embedded_analyze import serve_analyze
from audit.instruments import registered
from audit.instruments.faces import FaceFinder, cut_face
from audit.instruments.network import network

registered.register()
paths = sys.argv[1:]
cuts = []
for path in paths:
    picture = cv2.imread(path)
    finder = FaceFinder()
    cuts.append(cut_face(picture, finder.faces(picture)[0], finder.detector.geometry))
expected = [network().read(cut) for cut in cuts]
with serve_analyze():
    said = DeepFace.analyze(cuts[0], actions=["age", "gender", "race"], detector_backend="skip", silent=True)[0]
own_again = DeepFace.modeling.AVAILABLE_MODELS["facial_attribute"]["Race"]["pytorch"]
feature = np.array(DeepFace.represent(cuts[0], model_name="FaceRes", detector_backend="skip")[0]["embedding"])
many = DeepFace.represent(cuts, model_name="FaceRes", detector_backend="skip")
pair = DeepFace.verify(cuts[0], cuts[0], model_name="FaceRes", detector_backend="skip", silent=True)
race = DeepFace.modeling.build_model("facial_attribute", "FaceRes-Race").predict(np.stack(cuts) / 255)
print(json.dumps({
    "race": abs(np.array([said["race"][k] for k in ("asian", "indian", "black", "white", "middle eastern",
                "latino hispanic")]) / 100 - expected[0].race).max(),
    "gender": abs(said["gender"]["Man"] / 100 - expected[0].man),
    "age": abs(said["age"] - int(expected[0].age)),
    "feature": abs(feature - expected[0].feature).max(),
    "many": len(many),
    "verified": bool(pair["verified"]),
    "batch": list(race.shape),
    "batch_agrees": abs(race - np.stack([one.race for one in expected])).max(),
    "own_again": own_again,
}))
"""

OWN_RACE = """
import json, sys
import cv2, numpy as np, torch
from deepface.models.demography.pytorch.Race import base_model
from audit.instruments import instrument
from audit.instruments.offline import attribute_file, sha256

picture = np.ascontiguousarray(cv2.imread(sys.argv[1])[:, :, ::-1])
before = instrument("auto", similarity=["FaceRes"])
path = attribute_file("race")
path.parent.mkdir(parents=True)
torch.manual_seed(0)
torch.save(base_model().state_dict(), path)
after = instrument("auto", similarity=["FaceRes"])
one, other, batch = before.read([picture])[0], after.read([picture])[0], after.read([picture[:, ::-1], picture])[1]
print(json.dumps({
    "before": dict(one.race), "after": dict(other.race), "again": dict(batch.race), "man": [one.man, other.man],
    "digest": sha256(path), "described": after.describe(), "name": [before.name, after.name],
    "plain": before.describe()["attributes"]["race"],
}))
"""


def run(code: str, home: Path, *arguments: Path) -> dict[str, Any]:
    """Run code in a process of its own, with an empty DeepFace home on DeepFace's PyTorch backend."""
    environment = {**os.environ, "DEEPFACE_HOME": str(home), "DEEPFACE_BACKEND_ENGINE": "pytorch"}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.fixture(scope="session")
def photographs(shared_data: Path) -> list[Path]:
    """Two portraits of the release."""
    return sorted((shared_data / "speech2face_released" / "figures" / "voxceleb" / "Face_ori").glob("0*.jpg"))[:2]


def test_the_embedded_models_work_in_deepface_itself(tmp_path: Path, photographs: list[Path]) -> None:
    answer = run(REGISTERED, tmp_path, *photographs)
    assert answer["race"] < 1e-4 and answer["gender"] < 1e-4 and answer["age"] == 0
    assert answer["feature"] < 1e-5 and answer["many"] == 2 and answer["verified"]
    assert answer["batch"] == [2, 6] and answer["batch_agrees"] < 1e-4
    assert answer["own_again"] == "deepface.models.demography.pytorch.Race.RaceClient"


def test_own_weights_are_used_and_named(tmp_path: Path, photographs: list[Path]) -> None:
    """DeepFace's own race network with random weights, stored where DeepFace looks for it."""
    answer = run(OWN_RACE, tmp_path, photographs[0])
    assert answer["before"] != answer["after"]
    assert answer["after"] == answer["again"]
    assert answer["man"][0] == answer["man"][1]
    assert answer["name"] == ["embedded", "deepface+embedded"]
    attributes = answer["described"]["attributes"]
    assert attributes["race"]["source"] == "deepface"
    assert attributes["race"]["backend"] == "pytorch"
    assert attributes["race"]["weights"] == {"race_model_single_batch.pth": answer["digest"]}
    assert attributes["gender"]["source"] == "embedded"
    assert "gender_model_weights.pth is not in the DeepFace home" in attributes["gender"]["reason"]
    assert "does not apply" in answer["described"]["card"]["note"]
    assert answer["plain"]["source"] == "embedded"
    assert answer["plain"]["reason"] == "race_model_single_batch.pth is not in the DeepFace home"


def test_nothing_is_downloaded_unless_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    with pytest.raises(ModelError, match="nothing is downloaded unless allowed.*--allow-download"):
        instrument("deepface")
    assert list(tmp_path.iterdir()) == []


def test_dlib_features_are_those_of_deepface(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photographs: list[Path]
) -> None:
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    reader = instrument("embedded", similarity=["Dlib", "FaceRes"], detector="dlib")
    from deepface.models.facial_recognition.dlib.Dlib import DlibClient
    from deepface.modules import modeling, representation

    from audit.instruments import offline

    client, _ = offline.build("facial_recognition", "Dlib")
    assert isinstance(client, DlibClient)
    modeling.build_model("face_detector", "opencv")  # makes DeepFace's cache of models exist
    monkeypatch.setitem(modeling.cached_models["facial_recognition"], "Dlib", client)
    for path in photographs:
        picture = np.asarray(cv2.imread(str(path)), np.uint8)
        face = FaceFinder("dlib").faces(picture)[0]
        cut = cut_as_deepface(picture, face, "dlib")
        expected = representation.represent(cut, model_name="Dlib", detector_backend="skip", l2_normalize=True)
        read = reader.read([np.ascontiguousarray(picture[:, :, ::-1])])[0].embeddings
        assert list(read) == ["Dlib", "FaceRes"]
        np.testing.assert_allclose(read["Dlib"], expected[0]["embedding"], atol=1e-6)


def test_every_built_in_instrument_is_listed_with_a_line() -> None:
    assert list(available())[:3] == ["auto", "deepface", "embedded"]
    assert all(available().values())


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "deepfake",
            {},
            "There is no instrument 'deepfake' .did you mean 'deepface'",
        ),
        ("no.such.module:make", {}, "module:name, importable from here"),
        ("json:loads_", {}, "has no attribute 'loads_'"),
        ("json:__name__", {}, "something that can be called"),
        ("builtins:dict", {}, "made a dict"),
        ("embedded", {"similarity": ["VGG-Face"]}, "Each once, of SFace, FaceRes, Dlib"),
        ("embedded", {"detector": "retinaface"}, "no detector 'retinaface'.*dlib, opencv, yunet or module:name"),
        ("embedded", {"detector": ["dlib"]}, "one name of dlib, opencv, yunet"),
        ("embedded", {"detector": "json:loads"}, "is a function. Allowed: an audit.instruments.detectors.Detector"),
        ("embedded", {"foo": 1}, "unexpected keyword argument 'foo'.* Allowed: the options similarity, detector"),
        ("embedded", {"requested": "x"}, "unexpected keyword argument 'requested'"),
        ("embedded", {"threads": -1}, "threads is -1. Allowed: a whole number from 1 on"),
        ("embedded", {"remember": -1}, "remember is -1. Allowed: a whole number from 0 on"),
        ("tests.fakes:ColourInstrument", {"similarity": ["FaceRes"]}, "with similarity.*Allowed: no options"),
        ("tests.fakes:ColourInstrument", {"allow_download": True}, "unexpected keyword argument 'allow_download'"),
    ],
)
def test_an_impossible_instrument_is_refused_with_the_alternatives(
    name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        instrument(name, **options)


def test_a_third_party_instrument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "house.py").write_text(
        "class Mine:\n    name = 'mine'\n    similarity_models = ()\n"
        "    def read(self, pictures): return []\n    def describe(self): return {}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert instrument("house:Mine").name == "mine"
    (tmp_path / "other.py").write_text(
        "from house import Mine\ndef make(**given):\n    Mine.given = given\n    return Mine()\n"
    )
    assert vars(type(instrument("other:make", detector="opencv", light=2)))["given"] == {
        "detector": "opencv",
        "light": 2,
    }


def test_a_description_is_json_without_paths_of_this_machine() -> None:
    text = json.dumps(instrument("embedded").describe())
    assert str(Path.home()) not in text and "/site-packages" not in text
    described = json.loads(text)
    assert described["detector"]["name"] == "yunet"
    assert set(described["similarity"]) == {"SFace", "FaceRes"}
    assert "sface-2021dec-half.onnx" in described["similarity"]["SFace"]["weights"]
