"""Two-way clustered intervals, and verdicts by a figure's own interval, recomputed by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

import audit
from audit.checks.figure import Judged
from audit.stats import Estimate, Settings, difference_curve, figure_curve, paired, verdict
from audit.stats.clusters import Sharing
from audit.stats.intervals import FAR
from audit.stats.speakers import speaker_sums

T9 = (scipy_stats.t(9).ppf(0.975) / scipy_stats.norm.ppf(0.975)) ** 2


def rate_in(values, who, videos):
    return figure_curve(values, who, Settings(), clusters=np.asarray(videos)).at(0.95)


@pytest.mark.parametrize("seed", range(5))
def test_the_design_effect_is_a_sum_over_dependent_pairs(seed):
    """Crossed: 30 speakers with four clips each, in 25 videos. Two clips depend if they share speaker or video."""
    rng = np.random.default_rng(seed)
    who, video = np.repeat(np.arange(30), 4), rng.integers(0, 25, 120)
    chance = 0.4 + 0.25 * np.sign(rng.normal(size=30))[who] + 0.3 * np.sign(rng.normal(size=25))[video]
    values = (rng.random(120) < chance).astype(float)
    products = np.outer(values - values.mean(), values - values.mean())
    same_speaker, same_video = who[:, None] == who, video[:, None] == video
    two_way, one_way = products[same_speaker | same_video].sum(), products[same_speaker].sum()
    found = speaker_sums(values, who, clusters=video).sharing
    assert found.effect[0] == pytest.approx(max(1.0, two_way / one_way))
    assert found.clusters[0] == len(np.unique(video))


def test_speakers_of_one_video_count_as_one_for_what_was_not_drawn():
    """20 speakers in 10 videos, none misread: as 10 speakers."""
    found = rate_in(np.zeros(20), np.arange(20), np.arange(20) // 2)
    assert found.high == pytest.approx(1 - (0.025 / FAR) ** (1 / 10))
    assert found.method == "bounded mean on 20 speakers in 10 clusters, effective number 10.0"


def test_speakers_who_agree_within_their_videos_have_a_design_effect_of_two():
    """10 videos of two speakers who agree: effect 2, times Student's factor for 9 degrees of freedom."""
    found = rate_in(np.repeat([1, 0] * 5, 2), np.arange(20), np.arange(20) // 2)
    assert found.method == f"bounded mean on 20 speakers in 10 clusters, effective number {20 / 2 / T9:.1f}"


def test_one_cluster_for_each_speaker_changes_only_the_factor_for_few_clusters():
    sums = speaker_sums(np.array([0.0, 1, 0, 1, 1]), np.arange(5), clusters=np.arange(5))
    assert (sums.sharing.effect[0], sums.sharing.crowding[0]) == (1.0, 1.0)


def test_too_few_clusters_have_no_interval():
    found = rate_in([0, 1] * 10, np.arange(20), np.arange(20) // 5)
    assert found.interval is None and found.method == "not estimable: 4 clusters, at least 5 needed"


def test_a_mean_in_clusters_is_students_t_by_hand():
    """Ten videos of two speakers with equal values: the t interval of ten values, without the jackknife's factor."""
    value = np.arange(10.0) ** 2
    found = figure_curve(np.repeat(value, 2), range(20), Settings(), kind="mean", clusters=np.arange(20) // 2).at(0.95)
    error = np.sqrt(2 * np.repeat(value, 2).var(ddof=1) / 20)  # twice the variance over 20 speakers
    assert (found.high - found.low) / 2 == pytest.approx(scipy_stats.t(9).ppf(0.975) * error)


def test_paired_differences_in_other_clips_use_the_clusters_of_both():
    """Two languages in one video each: a video's speakers change together."""
    change = np.repeat([1.0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0], 2)
    who, video = np.arange(24), np.arange(24) // 2
    alone = paired(np.zeros(24), change, who, second_speakers=who).difference()
    shared = paired(np.zeros(24), change, who, second_speakers=who, clusters=video, second_clusters=video).difference()
    assert shared.value == alone.value and shared.low < alone.low and alone.high < shared.high
    assert "24 speakers in 12 clusters" in shared.method


def test_a_run_with_shared_videos_has_wider_intervals_everywhere():
    truth = {"groups": ["asian", "white"], "speakers_per_group": 40, "icc": 0.5, "languages": ["en", "zh"]}
    truth |= {"speakers_per_cluster": 4, "cluster_icc": 0.4, "rendered": {"asian": {"en": {"white": 0.4}}}}
    run = audit.simulate(truth)
    shared = audit.measure(run)
    without = audit.measure(audit.Run(run.observations.drop(columns="cluster"), run.manifest), with_tables=False)
    for one, other in zip(shared.findings, without.findings, strict=True):
        for key, figure in one.estimates.items():
            if figure.interval and figure.name.startswith(("excess", "fall", "language", "failure", "within")):
                assert figure.value == other.estimates[key].value
                assert figure.high - figure.low > other.estimates[key].high - other.estimates[key].low, (one.code, key)
    assert isinstance(shared.frame(), pd.DataFrame)


def test_sharing_keeps_its_cells_through_joining_and_choosing():
    one = Sharing(np.array([3, 4]), np.array([1.0, 2.0]), np.array([1.5, 2.5]))
    both = Sharing.joined([one, one]).only(np.array([False, True, True, False]))
    assert (both.clusters.tolist(), both.effect.tolist(), both.crowding.tolist()) == ([4, 3], [2.0, 1.0], [2.5, 1.5])
    parted = one.parted(0)
    assert (parted.clusters.tolist(), parted.effect.tolist()) == ([4, 3], [2.0, 1.0])


class TestOwnIntervals:
    """Not shown is an intersection-union test (Berger 1982): every figure by its own interval."""

    curve = figure_curve([0] * 40 + [1], range(41), Settings())

    def test_the_adjusted_curve_keeps_its_own(self):
        adjusted = self.curve.together(4)
        assert adjusted.alone.at(0.95) == self.curve.at(0.95)
        assert adjusted.at(0.95) == self.curve.at(1 - 0.05 / 4)
        assert adjusted.together(2).alone.at(0.95) == self.curve.at(0.95)

    def test_differences_keep_the_own_intervals_of_their_sides(self):
        other = figure_curve([0] * 30, range(30), Settings())
        gap = difference_curve(self.curve.together(3), other.together(3))
        assert gap.alone.at(0.95) == difference_curve(self.curve, other).at(0.95)

    def test_shown_needs_the_adjusted_interval_and_not_shown_the_own(self):
        wide = Estimate(0.0, -0.2, 0.2, 20, 20, 0, "exact")
        assert verdict(wide, 0.1).outcome == "inconclusive"
        found = verdict(wide, 0.1, alone=(-0.05, 0.08))
        assert found.outcome == "not_shown"
        assert found.reason == "its own interval, from -0.050 to 0.080, lies wholly within the margin of ±0.1"
        beyond = Estimate(0.3, 0.05, 0.5, 20, 20, 0, "exact")
        assert verdict(beyond, 0.1, "greater", alone=(0.15, 0.4)).outcome == "inconclusive"

    def test_a_figure_stores_both_and_prints_the_one_that_decides(self):
        judged = Judged("fall", "fall", "share", 0.2, "high", per_group=True)
        figure = judged.figure(self.curve.together(50), 0.95, 0.2)
        own = self.curve.at(0.95)
        assert (figure.alone_low, figure.alone_high) == own.interval
        assert figure.high > 0.2 > own.high and figure.verdict.outcome == "not_shown"
        assert figure.deciding == own.interval
        wider = figure.at(0.999)
        assert wider.alone == self.curve.at(0.999).interval and wider.verdict.outcome == "inconclusive"
        assert wider.deciding == wider.interval

    def test_a_mean_passes_only_if_unseen_speakers_cannot_change_it(self):
        """Of 40 speakers none changes by more than 0.1 years; one unseen in twenty could, by 50."""
        change = np.random.default_rng(0).uniform(-0.1, 0.1, 40)
        curve = paired(np.zeros(40), change, range(40), kind="mean").curve(50.0)
        assert curve.at(0.95).high < 0.1
        unseen = 1 - (0.025 / FAR) ** (1 / 40)
        assert curve.alone.at(0.95).high == pytest.approx(50 * unseen, rel=0.02)
