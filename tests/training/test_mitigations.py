"""Mitigations after training: planted truth is erased, moved or kept back; nobody fitted on is audited; still blind."""

from __future__ import annotations

import inspect
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import audit
from audit.core.arrays import Picture, Waveform
from audit.models.fitted import FittedOn, refuse_fitted
from audit.models.protocol import Decoder, Featured, Reconstructor, VoiceFeatures
from audit.models.speech2face import SMALL
from audit.models.speech2face.model import Speech2Face, untrained
from audit.training.mitigations import available
from audit.training.mitigations.abstention import Abstention
from audit.training.mitigations.correlation_remover import CorrelationRemoval
from audit.training.mitigations.language import language_posterior
from audit.training.mitigations.leace import Leace
from audit.training.mitigations.protocol import FeatureMitigation, FittedStep, TrainingVoices
from audit.training.mitigations.recentred import Recentred
from audit.training.mitigations.registry import MITIGATIONS, after_training, in_training
from tests.fakes import ColourInstrument, fake_face

LANGUAGES = ("en", "es", "zh")


def planted(count: int = 600, size: int = 8, strength: float = 4.0, seed: int = 0) -> TrainingVoices:
    """Speakers heard in three languages; two directions tell the language, a third tells the speaker's sex."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, count)
    features = rng.standard_normal((count, size))
    features[:, 0] += strength * (codes == 0)
    features[:, 1] += strength * (codes == 2)
    features[:, 2] += 6.0 * (np.arange(count) % 2)
    features = features @ np.linalg.qr(np.random.default_rng(99).standard_normal((size, size)))[0] + 3.0
    return TrainingVoices(features, np.array(LANGUAGES)[codes], np.arange(count).astype(str))


def told(features: np.ndarray, labels: np.ndarray) -> float:
    """The share that an unpenalised linear classifier gets right on the very voices it learnt from."""
    scaled = (features - features.mean(0)) / features.std(0)
    return float(LogisticRegression(C=1e6, max_iter=5000).fit(scaled, labels).score(scaled, labels))


def most_frequent(labels: np.ndarray) -> float:
    return float(np.unique(labels, return_counts=True)[1].max() / len(labels))


def test_after_leace_no_linear_classifier_finds_the_language() -> None:
    voices = planted()
    assert told(voices.features, voices.languages) > 0.95
    erased = Leace().fit(voices).change(voices.features)
    assert told(erased, voices.languages) == pytest.approx(most_frequent(voices.languages), abs=0.005)
    indicators = np.stack([voices.languages == language for language in LANGUAGES], 1).astype(float)
    crossed = (erased - erased.mean(0)).T @ (indicators - indicators.mean(0)) / len(erased)
    assert np.abs(crossed).max() < 1e-10


def test_leace_leaves_what_has_nothing_to_do_with_the_language() -> None:
    voices = planted()
    sex = np.arange(len(voices.features)) % 2
    erased = Leace().fit(voices).change(voices.features)
    assert told(erased, sex) > 0.99
    assert np.linalg.matrix_rank(voices.features - erased, tol=1e-8) == 2  # languages less one


def test_leace_erases_voices_that_it_was_not_fitted_on() -> None:
    step, new = Leace().fit(planted(4000)), planted(4000, seed=1)
    assert told(new.features, new.languages) > 0.95
    assert told(step.change(new.features), new.languages) < most_frequent(new.languages) + 0.03


def test_leace_moves_the_feature_less_than_projecting_the_means_differences_out() -> None:
    voices = planted()
    step = Leace().fit(voices)
    moved = np.square(voices.features - step.change(voices.features)).sum()
    means = np.stack([voices.features[voices.languages == language].mean(0) for language in LANGUAGES])
    _, _, axes = np.linalg.svd(means - means.mean(0))
    centred = voices.features - voices.features.mean(0)
    assert moved < np.square(centred @ axes[:2].T @ axes[:2]).sum()


def test_leace_where_there_are_fewer_clips_than_dimensions() -> None:
    voices = planted(30, 64)
    step = Leace().fit(voices)
    erased = step.change(voices.features)
    means = np.stack([erased[voices.languages == language].mean(0) for language in set(voices.languages)])
    np.testing.assert_allclose(means, means[:1].repeat(len(means), 0), atol=1e-8)
    assert step.found["rank"] == 2


def test_a_null_of_no_language_is_left_almost_as_it_is() -> None:
    voices = planted(5000, strength=0.0)
    for mitigation in (CorrelationRemoval(), Recentred()):
        moved = voices.features - mitigation.fit(voices).change(voices.features)
        assert np.square(moved).mean() < 0.01 * voices.features.var()


@pytest.mark.parametrize("mitigation", [Recentred(), CorrelationRemoval()])
def test_recentred_languages_have_one_mean(mitigation: FeatureMitigation) -> None:
    voices = planted(strength=30.0)
    changed = mitigation.fit(voices).change(voices.features)
    before, after = (
        np.ptp([some[voices.languages == language].mean(0) for language in LANGUAGES], 0).max()
        for some in (voices.features, changed)
    )
    assert before > 10 and after < 0.05 * before
    np.testing.assert_allclose(changed.mean(0), voices.features.mean(0), atol=0.05 * before)


def test_recentring_and_removing_all_correlation_are_one() -> None:
    """Least squares on indicators gives the means."""
    voices = planted()
    one, other = (mitigation.fit(voices).change(voices.features) for mitigation in (Recentred(), CorrelationRemoval()))
    np.testing.assert_allclose(one, other, atol=1e-9)


def test_half_of_the_correlation_can_be_left() -> None:
    voices = planted()
    none, half, whole = (
        voices.features - CorrelationRemoval(alpha=alpha).fit(voices).change(voices.features) for alpha in (0, 0.5, 1)
    )
    assert not none.any()
    np.testing.assert_allclose(half, whole / 2, atol=1e-12)


def test_the_posterior_of_the_language_is_calibrated() -> None:
    voices, plain = planted(4000, strength=3.0), planted(4000, strength=0.0)
    posterior = language_posterior(voices)(voices.features)
    assert posterior.sum(1) == pytest.approx(np.ones(4000))
    right = np.array(LANGUAGES)[posterior.argmax(1)] == voices.languages
    assert posterior.max(1).mean() == pytest.approx(right.mean(), abs=0.02)
    assert language_posterior(plain)(plain.features).max() < 0.6


def test_one_language_alone_is_refused() -> None:
    voices = planted(20)
    alone = TrainingVoices(voices.features, np.full(20, "en"), voices.speakers)
    for mitigation in (Leace(), CorrelationRemoval(), Recentred()):
        with pytest.raises(audit.CohortError, match="have the languages: en"):
            mitigation.fit(alone)


@pytest.mark.parametrize("coverage", [0.25, 0.8, 1.0])
def test_abstention_keeps_the_share_that_was_asked_for_as_if_the_speaker_were_new(coverage: float) -> None:
    voices = planted(200)
    step = Abstention(coverage=coverage).fit(voices)
    assert step.found["training_clips_kept"] == pytest.approx(coverage)
    assert step.keeps(planted(2000, seed=1).features).mean() == pytest.approx(coverage, abs=0.1)


def test_abstention_scores_a_speaker_against_others_only() -> None:
    """Twenty clips of each speaker, all alike: against their own clips every distance would be 0."""
    rng = np.random.default_rng(0)
    features = np.repeat(rng.standard_normal((10, 4)), 20, axis=0)
    voices = TrainingVoices(features, np.full(200, "en"), np.repeat(np.arange(10).astype(str), 20))
    assert Abstention(coverage=0.5).fit(voices).found["threshold"] > 0.05


def test_abstention_keeps_back_a_voice_unlike_all_others() -> None:
    rng = np.random.default_rng(0)
    features = np.eye(4)[0] + 0.05 * rng.standard_normal((50, 4))
    step = Abstention(coverage=1.0).fit(TrainingVoices(features, np.full(50, "en"), np.arange(50).astype(str)))
    assert step.keeps(np.array([[1.0, 0, 0, 0], [0, 1.0, 0, 0]])).tolist() == [True, False]


def test_options_out_of_range_are_refused() -> None:
    for make in (lambda: Abstention(coverage=0), lambda: Abstention(neighbours=0), lambda: CorrelationRemoval(alpha=2)):
        with pytest.raises(audit.PlanError):
            make()
    with pytest.raises(audit.CohortError, match="of other speakers"):
        Abstention(neighbours=10).fit(planted(5))


class Loud:
    """Its feature is the loudness of a voice and nothing else; its face white where that is high, asian where low."""

    name = "loud"

    def voice_features(self, waveforms: Sequence[Waveform], sample_rate: int) -> VoiceFeatures:
        assert sample_rate == 16_000
        return np.array([[np.sqrt(np.mean(wave**2)), 1.0] for wave in waveforms], np.float32)

    def from_features(self, features: VoiceFeatures) -> list[Picture | None]:
        return [fake_face("white" if row[0] > 0.2 else "asian") for row in features]

    def render(self, waveforms: Sequence[Waveform], sample_rate: int) -> list[Picture | None]:
        return self.from_features(self.voice_features(waveforms, sample_rate))


@pytest.fixture
def taught(make_cohort: Callable[..., Path]) -> audit.Cohort:
    """Training speakers, who are louder in English, with names and tones of their own."""
    folder = make_cohort(8, "taught")
    for name in ("speakers", "clips"):
        table = pd.read_csv(folder / f"{name}.csv", dtype=str)
        table["speaker_id"] = "t" + table["speaker_id"]
        if name == "speakers":
            table["split"] = "training"
        table.to_csv(folder / f"{name}.csv", index=False)
    for place, path in enumerate(sorted((folder / "audio").glob("*.wav"))):
        with path.open("ab") as file:  # other bytes, same sound
            file.write(b"LIST" + (4).to_bytes(4, "little") + place.to_bytes(4, "little"))
    return audit.Cohort.read(folder)


def audited(make_cohort: Callable[..., Path]) -> audit.Cohort:
    return audit.Cohort.read(make_cohort(8, "audited"))


def test_without_the_language_the_planted_failure_is_gone(
    taught: audit.Cohort, make_cohort: Callable[..., Path], tmp_path: Path
) -> None:
    people = audited(make_cohort)
    plain = audit.run(people, model=Loud(), instrument=ColourInstrument(), out=tmp_path / "plain").observations
    assert (plain.loc[plain["language"] == "en", "rendered_race"] == "white").all()
    assert (plain.loc[plain["language"] == "zh", "rendered_race"] == "asian").all()
    mended = audit.mitigate(Loud(), "leace", cohort=taught)
    run = audit.run(people, model=mended, instrument=ColourInstrument(), out=tmp_path / "mended")
    after = run.observations.groupby("language")["rendered_race"].agg(lambda read: (read == "white").mean())
    assert after["en"] == after["zh"]
    (record,) = run.manifest["model"]["mitigations"]
    assert record["name"] == "leace" and record["cohort_digest"] == taught.digest
    assert (record["n_speakers"], record["n_clips"], record["heard_only"]) == (8, 16, True)


def test_abstained_clips_have_no_face_and_are_counted(
    taught: audit.Cohort, make_cohort: Callable[..., Path], tmp_path: Path
) -> None:
    model = audit.mitigate(Loud(), "abstention", cohort=taught, options={"abstention": {"coverage": 0.5}})
    run = audit.run(audited(make_cohort), model=model, instrument=ColourInstrument(), out=tmp_path / "run")
    statuses = run.observations["status"].value_counts()
    assert statuses["no_face"] == (run.observations["rendered_status"] == "not_rendered").sum() > 0
    assert statuses.sum() == 16
    table = audit.measure(run).frame()
    rates = table[(table["metric"] == "no_face") & (table["stage"] == "rendered") & (table["language"] == "all")]
    assert {"asian", "white"} <= set(rates["group"])


def test_a_speaker_who_is_audited_is_refused_by_name(
    make_cohort: Callable[..., Path], tmp_path: Path
) -> None:  # fmt: skip
    people = audited(make_cohort)
    model = audit.mitigate(Loud(), "leace", cohort=people)  # it has no split: all of them are training speakers here
    with pytest.raises(audit.AuditError, match="8 audited speakers have ids of those on whom"):
        audit.run(people, model=model, instrument=ColourInstrument(), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_recording_under_another_name_is_refused(
    taught: audit.Cohort, make_cohort: Callable[..., Path], tmp_path: Path
) -> None:
    model = audit.mitigate(Loud(), "leace", cohort=taught)
    folder = make_cohort(8, "audited")
    shutil.copy(taught.root / "audio" / "s0-en.wav", folder / "audio" / "s3-zh.wav")
    with pytest.raises(audit.AuditError, match=r"1 audited clips are recordings on which .* s3-zh"):
        audit.run(audit.Cohort.read(folder), model=model, instrument=ColourInstrument(), out=tmp_path / "run")


def test_the_audited_part_of_a_cohort_is_never_fitted_on() -> None:
    with pytest.raises(audit.CohortError, match="no speaker has the split training"):
        audit.mitigate(Loud(), "leace", cohort=audit.Cohort.read(audit.embedded("synthetic_bilingual")))


def test_digests_of_whom_it_was_fitted_on_hold_no_name() -> None:
    fitted = FittedOn.of(["Ada"], ["ab" * 32])
    assert "Ada" not in json.dumps(fitted.record())
    assert FittedOn.from_record(fitted.record()) == fitted
    refuse_fitted(object(), pd.DataFrame({"speaker_id": ["Ada"]}), Path())  # a model that was fitted on nobody


def test_groups_that_the_training_does_not_cover_are_left_out(taught: audit.Cohort) -> None:
    class Gap(Loud):
        def describe(self) -> dict[str, Any]:
            heard = {"speakers": 4, "clips": 4, "seconds": 8.0}
            none = {"speakers": 0, "clips": 0, "seconds": 0.0}
            return {"training_coverage": [{"group": "asian", "language": "en", **none},
                                          {"group": "asian", "language": "zh", **heard}]}  # fmt: skip

    heard, every = (audit.mitigate(Gap(), "leace", cohort=taught, heard_only=only) for only in (True, False))
    assert [dict(model.records[0])["n_clips"] for model in (heard, every)] == [12, 16]


@pytest.mark.parametrize("name", after_training())
def test_a_mitigated_model_is_given_waveforms_and_nothing_else(name: str, taught: audit.Cohort) -> None:
    model = audit.mitigate(Loud(), name, cohort=taught)
    assert isinstance(model, Reconstructor) and not isinstance(model, Decoder)
    assert [*inspect.signature(model.render).parameters] == ["waveforms", "sample_rate"]
    for part in (model.steps[0].change, model.steps[0].keeps):
        assert len(inspect.signature(part).parameters) == 1


@pytest.mark.parametrize("name", after_training())
def test_fitted_twice_it_is_the_same_and_faces_do_not_depend_on_company(name: str, taught: audit.Cohort) -> None:
    rng = np.random.default_rng(0)
    waves = [(level * rng.standard_normal(16_000)).astype(np.float32) for level in (0.05, 0.1, 0.3, 0.6)]
    base = Speech2Face(untrained(SMALL), device="cpu", batch=4)
    one, other = (audit.mitigate(base, name, cohort=taught) for _ in range(2))
    together, again = one.render(waves, 16_000), other.render(waves, 16_000)
    alone = [one.render([wave], 16_000)[0] for wave in waves]
    for faces in zip(together, again, alone, strict=True):
        assert len({None if face is None else face.tobytes() for face in faces}) == 1


def test_the_row_order_of_the_training_cohort_does_not_matter(taught: audit.Cohort) -> None:
    shuffled = audit.Cohort(taught.root, taught.speakers, taught.clips.sample(frac=1, random_state=0), taught.notes)
    one, other = (audit.mitigate(Loud(), ["leace", "recentred"], cohort=some) for some in (taught, shuffled))
    row = np.array([[0.25, 1.0]])
    for step, same in zip(one.steps, other.steps, strict=True):
        assert (step.change(row) == same.change(row)).all()


def test_each_is_fitted_on_what_those_before_it_made() -> None:
    seen: list[np.ndarray] = []

    class Doubling:
        name = "doubling"

        def fit(self, voices: TrainingVoices) -> FittedStep:
            seen.append(voices.features.copy())
            return FittedStep(change=lambda features: 2 * features)

    people = audit.Cohort.read(audit.embedded("synthetic_bilingual") / "training")
    few = people.speakers[people.speakers["split"] == "training"].head(3)
    some = audit.Cohort(
        people.root, few, people.clips[people.clips["speaker_id"].isin(few["speaker_id"])], people.notes
    )
    model = audit.mitigate(Loud(), [Doubling(), Doubling()], cohort=some)
    np.testing.assert_array_equal(seen[1], 2 * seen[0])
    assert model.name == "loud+doubling+doubling"
    wave = np.full(16_000, 0.06, np.float32)
    (face,) = model.render([wave], 16_000)
    assert face is not None and (face == fake_face("white")).all()  # 4 * 0.06 is loud


def test_speech2faces_face_is_that_of_its_own_feature() -> None:
    model = Speech2Face(untrained(SMALL), device="cpu", batch=4)
    assert isinstance(model, Featured)
    waves = [np.random.default_rng(i).standard_normal(32_000).astype(np.float32) / 10 for i in range(5)]
    features = model.voice_features(waves, 16_000)
    assert features.shape == (5, SMALL.feature) and features.dtype == np.float32
    for one, other in zip(model.render(waves, 16_000), model.from_features(features), strict=True):
        assert one is not None and other is not None and (one == other).all()


def test_a_mitigated_speech2face_still_shows_its_ceiling(taught: audit.Cohort) -> None:
    base = Speech2Face(untrained(SMALL), device="cpu", batch=4)
    model = audit.mitigate(base, "leace", cohort=taught)
    assert isinstance(model, Decoder)
    portrait = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    (one,), (other,) = model.ceiling([portrait]), base.ceiling([portrait])
    assert one is not None and other is not None and (one == other).all()


@pytest.mark.parametrize(
    ("names", "options", "words"),
    [
        ("leac", {}, "did you mean 'leace'"),
        ("group_dro", {}, "takes effect in training"),
        ("leace", {"abstention": {"coverage": 0.5}}, "There are options for abstention"),
        ("leace", {"leace": {"strength": 1}}, "'leace' cannot be made with strength"),
        ([], {}, "No mitigation is named"),
    ],
)
def test_a_mistake_is_named(names: Any, options: Any, words: str, taught: audit.Cohort) -> None:
    with pytest.raises(audit.PlanError, match=words):
        audit.mitigate(Loud(), names, cohort=taught, options=options)


def test_a_model_without_a_voice_feature_is_refused(taught: audit.Cohort) -> None:
    from tests.fakes import LoudnessModel

    with pytest.raises(audit.ModelError, match="does not expose its voice feature"):
        audit.mitigate(LoudnessModel(), "leace", cohort=taught)


def test_every_mitigation_is_listed_and_on_its_page() -> None:
    assert set(available()) == {*in_training(), *after_training()} == set(MITIGATIONS.shipped)
    page = (Path(__file__).parents[2] / "docs" / "guide" / "mitigations.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in available())
