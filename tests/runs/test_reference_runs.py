"""Runs of the reference models: each model does to its faces what its description says, and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import audit
from audit.core.attributes import READ_BY_DEFAULT, attributes
from audit.core.errors import PlanError
from audit.runs.simulation import REFERENCE_MODELS, reference_run
from audit.runs.simulation.reference import SIMILARITY

READS = [name for attribute in attributes(READ_BY_DEFAULT) for name in attribute.columns("")]
"""The ends of the columns of all reads."""


def reads(run: audit.Run, stage: str) -> pd.DataFrame:
    """What was read at a stage, with columns that do not name it."""
    return run.observations[[f"{stage}{end}" for end in READS]].set_axis(READS, axis=1)


@pytest.mark.parametrize("model", REFERENCE_MODELS)
def test_portraits_are_read_as_labelled_and_ceilings_equal_them(model: str) -> None:
    run = reference_run(model, 6)  # type: ignore[arg-type]  # a name of the table
    seen = run.observations
    assert (seen["portrait_race"] == seen["group"]).all()
    assert (seen["portrait_gender"] == seen["gender"]).all()
    assert (seen["portrait_age"] == seen["age"]).all()
    pd.testing.assert_frame_equal(reads(run, "portrait"), reads(run, "ceiling"))
    assert seen["clip_id"].is_monotonic_increasing
    assert len(seen) == 4 * 6 * 2 * 2 == run.manifest["cohort"]["n_clips"]
    assert (run.manifest["model"]["kind"], run.manifest["model"]["name"]) == ("reference", model)


def test_groups_differ_only_in_their_label_and_their_portraits() -> None:
    seen = reference_run("perfect", 7).observations
    for column in ("gender", "age", "language"):
        of_groups = [part[column].tolist() for _, part in seen.groupby("group")]
        assert all(values == of_groups[0] for values in of_groups)


def test_perfect_renders_the_own_portrait() -> None:
    run = reference_run("perfect", 6)
    pd.testing.assert_frame_equal(reads(run, "rendered"), reads(run, "portrait"))
    assert (run.observations["rendered_similarity"] == 1).all()


def test_constant_renders_one_face() -> None:
    run = reference_run("constant", 6)
    assert len(reads(run, "rendered").drop_duplicates()) == 1
    assert set(run.observations["rendered_race"]) == {"white"}
    assert len(np.unique(run.embeddings("rendered", SIMILARITY), axis=0)) == 1


def test_shuffled_renders_each_portrait_once_for_another_speaker_of_the_same_group_and_gender() -> None:
    run = reference_run("shuffled", 6)
    seen, portraits = run.observations, run.embeddings("portrait", SIMILARITY)
    rendered = run.embeddings("rendered", SIMILARITY)
    whose = (rendered @ portraits.T).argmax(axis=1)
    for column in ("group", "gender"):
        assert (seen[column].to_numpy()[whose] == seen[column]).all()
    other = seen["speaker_id"].to_numpy()[whose]
    assert (other != seen["speaker_id"]).all()
    clip = seen["clip_id"].str.replace(r"^\w+-\d+", "", regex=True)
    assert pd.Series(other).groupby(clip).nunique().eq(24).all()
    assert (seen["rendered_age"] == seen["portrait_age"].to_numpy()[whose]).all()
    assert (seen["rendered_skin_tone_ita"] == seen["portrait_skin_tone_ita"].to_numpy()[whose]).all()


def test_biased_changes_the_read_race_of_one_group_in_one_language_and_nothing_else() -> None:
    run = reference_run("biased", 400, excess=0.3)
    seen, rendered, portrait = run.observations, reads(run, "rendered"), reads(run, "portrait")
    others = [name for name in READS if not name.startswith("_race")]
    pd.testing.assert_frame_equal(rendered[others], portrait[others])
    planted = (seen["group"] == "asian") & (seen["language"] == "en")
    pd.testing.assert_frame_equal(rendered[~planted], portrait[~planted])
    assert set(seen["rendered_race"][planted]) == {"asian", "white"}
    # 800 clips of 400 speakers: the standard error is below 0.02
    assert (seen["rendered_race"][planted] == "white").mean() == pytest.approx(0.3, abs=0.06)


def test_portraits_of_some_groups_are_more_alike() -> None:
    run = reference_run("perfect", 100)
    features, group = run.embeddings("portrait", SIMILARITY), run.observations["group"].to_numpy()
    alike = {name: float(np.linalg.norm(features[group == name].mean(axis=0)) ** 2) for name in ("asian", "white")}
    assert alike["asian"] == pytest.approx(0.3, abs=0.03)
    assert alike["white"] == pytest.approx(0.0, abs=0.03)


def test_same_seed_same_run_and_same_speakers_for_all_models() -> None:
    one, again, other = (reference_run("shuffled", 6, seed=seed) for seed in (1, 1, 2))
    assert one.digest == again.digest != other.digest
    assert one.manifest["cohort"] == reference_run("biased", 6, seed=1).manifest["cohort"] != other.manifest["cohort"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"model": "perfekt"}, "did you mean 'perfect'"),
        ({"speakers_per_group": 3}, "at least 4"),
        ({"speakers_per_group": 12.5}, "a whole number"),
        ({"speakers_per_group": "many"}, "a whole number"),
        ({"excess": 1.2}, r"a number in \[0, 1\]"),
        ({"icc": -0.1}, r"a number in \[0, 1\]"),
    ],
)
def test_what_is_not_possible_is_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(PlanError, match=words):
        reference_run(**({"model": "biased"} | given))  # type: ignore[arg-type]  # on purpose
