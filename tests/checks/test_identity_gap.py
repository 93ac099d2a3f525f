"""S2F005 by planted features: what a model's faces say about the speaker, next to how similar the portraits are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import audit
from audit.checks.metrics.metric_frame import metric_frame
from audit.core.plan import MeasureSettings
from audit.release import Policy
from tests.release_fixture import ALLOW

Features = NDArray[np.float64]
SIZE = 16
POLICY = f'schema = 1\nname = "p"\n{ALLOW}[[rule]]\nid = "it"\ncheck = "S2F005"\nlimit = 0.1\n'


def planted(faces: str, speakers: int = 100, *, alike: float = 0.0, seed: int = 0) -> audit.Run:
    """A run of two groups with random portraits, and rendered faces by a model.

    ``alike`` moves the portraits of asian speakers towards each other, which changes no speaker's identity.
    """
    rng = np.random.default_rng(seed)
    run = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": speakers, "clips_per_language": 1})
    seen = run.observations
    ids, who = np.unique(seen["speaker_id"], return_inverse=True)
    asian = (seen["group"] == "asian").to_numpy()
    people = rng.normal(size=(len(ids), SIZE))
    people[np.unique(who[asian])] += alike * rng.normal(size=SIZE)
    portraits, noise = people[who], rng.normal(size=(len(seen), SIZE))
    rendered = {
        "perfect": portraits,
        "constant": np.broadcast_to(noise[0], noise.shape),
        "shuffled": shuffled(seen["group"] + seen["gender"], people, who),
        "biased": np.where(asian[:, None], noise, portraits + noise),
        "alike": portraits + 2 * noise,
    }[faces]
    features = {"portrait": portraits, "ceiling": portraits, "rendered": rendered}
    unit = {(stage, "FaceRes"): _unit(of) for stage, of in features.items()}
    cosines = {
        f"{stage}_similarity": np.einsum("ij,ij->i", unit[stage, "FaceRes"], unit["portrait", "FaceRes"])
        for stage in ("ceiling", "rendered")
    }
    manifest: dict[str, Any] = {
        **run.manifest,
        "instrument": {**run.manifest["instrument"], "similarity_models": ["FaceRes"]},
    }
    return audit.Run(seen.assign(**cosines), manifest, features=unit)


def shuffled(demographic: pd.Series, people: Features, who: NDArray[np.int64]) -> Features:
    """Every speaker gets the portrait of another one of the same group and gender."""
    other = np.arange(len(people))
    for name in np.unique(demographic):
        here = np.unique(who[(demographic == name).to_numpy()])
        other[here] = np.roll(here, 1)
    return people[other][who]


def _unit(features: Features) -> NDArray[np.float32]:
    return (features / np.linalg.norm(features, axis=1, keepdims=True)).astype(np.float32)


def finding(run: audit.Run, **settings: Any) -> Any:
    return audit.measure(run, with_tables=False, **settings).finding("S2F005")


@pytest.mark.parametrize("speakers", [12, 32, 100])
@pytest.mark.parametrize("alike", [0.0, 2.0])
def test_a_model_that_renders_every_speakers_own_portrait_is_never_shown(speakers: int, alike: float) -> None:
    """However similar the portraits of one group are: by their cosines alone it would be shown."""
    found = finding(planted("perfect", speakers, alike=alike))
    assert found.outcome == ("inconclusive" if speakers == 12 else "not_shown")
    assert found.estimates["asian.own"].value == found.estimates["white.own"].value == 1
    assert found.estimates["asian"].value == 0
    similarity = found.estimates["asian.similarity_gap"]
    assert similarity.harm is None and similarity.unit == "cosine"
    assert (similarity.high < -0.05) == (alike > 0)


@pytest.mark.parametrize("faces", ["constant", "shuffled"])
def test_a_model_whose_faces_say_nothing_is_not_evaluable(faces: str) -> None:
    run = planted(faces)
    found = finding(run)
    assert found.outcome == "not_evaluable"
    assert found.estimates["asian.own"].value == pytest.approx(0.5, abs=0.05)
    assert "better than chance (50%)" in found.reason and found.estimates["asian.own"].text in found.reason
    assert "asian" not in found.estimates, "a gate rule would take the gap for judged"
    for groups in ("", 'groups = ["asian"]\n'):
        assert audit.gate(run, policy=Policy.parse(POLICY + groups)).exit_code in (11, 12, 13)


def test_a_group_without_identity_is_shown() -> None:
    found = finding(planted("biased"))
    assert (found.outcome, found.by_group["asian"]) == ("shown", "shown")
    assert (found.estimate.name, found.estimate.unit, found.threshold) == ("identification_gap", "share", 0.1)
    assert found.estimates["asian.own"].value == pytest.approx(0.5, abs=0.05)
    assert found.estimates["asian"].value == pytest.approx(
        found.estimates["asian.own"].value - found.estimates["asian.others"].value
    )
    assert "of the portraits of others of the same group and gender are less similar" in found.sentence


def test_as_much_identity_in_portraits_that_are_more_similar_is_not_shown() -> None:
    assert finding(planted("alike", 200)).outcome == "not_shown"


def test_the_margin_has_the_code_as_its_key() -> None:
    found = finding(planted("biased"), settings=MeasureSettings(margins={"S2F005": 0.9}))
    assert (found.outcome, found.threshold) == ("not_shown", 0.9)


def test_a_change_between_two_models_is_one_of_identification() -> None:
    change = next(
        change
        for change in audit.compare(planted("perfect"), planted("biased")).checks
        if (change.figure, change.group, change.headline) == ("S2F005", "asian", False)
    )
    assert (change.change.unit, change.word) == ("share", "pays")
    assert change.change.value == pytest.approx(change.after.value, abs=0.03)  # the perfect model has no gap


def test_without_group_or_gender_nobody_has_impostors() -> None:
    run = planted("perfect", 20)
    unknown = run.observations["speaker_id"].isin(sorted(set(run.observations["speaker_id"]))[:4])
    seen = run.observations.assign(gender=run.observations["gender"].where(~unknown, "unknown"))
    frame = metric_frame(replace(run, held=seen))
    assert frame["rendered.identification_faceres"].isna().tolist() == unknown.tolist()
    assert frame["ceiling.identification_faceres"].isna().tolist() == unknown.tolist()
