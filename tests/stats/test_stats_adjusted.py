"""Adjusted gaps: the regression agrees with statsmodels, and standardisation removes what covariates cause."""

from __future__ import annotations

import math

import numpy as np
import pytest

from audit.stats import Settings
from audit.stats.adjusted import AdjustedGap, Adjustment
from audit.stats.covariates import Covariate, Design
from audit.stats.e_value import e_value, e_value_of_means
from audit.stats.regression import Floats, Ints, NotEstimable, regression
from audit.stats.settings import Kind
from audit.stats.standardised import standardised

SETTINGS = Settings()


def sample(seed: int = 1) -> tuple[Floats, Floats, Ints, Floats]:
    """Outcomes of 0 and 1, a design, and clusters of one to four rows with equal weights."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, 40)
    clusters = np.repeat(np.arange(40), sizes)
    design = np.column_stack([np.ones(len(clusters)), rng.normal(size=(len(clusters), 2)), clusters % 2])
    chance = 1 / (1 + np.exp(-design @ [0.2, 0.5, -0.3, 0.4]))
    return (rng.random(len(clusters)) < chance).astype(float), design, clusters, 1 / sizes[clusters]


@pytest.mark.parametrize("kind", ["rate", "mean"])
def test_coefficients_and_covariance_agree_with_statsmodels(kind: Kind) -> None:
    import statsmodels.api as sm

    values, design, clusters, weights = sample()
    family = sm.families.Binomial() if kind == "rate" else sm.families.Gaussian()
    independence = sm.cov_struct.Independence()
    model = sm.GEE(values, design, groups=clusters, family=family, cov_struct=independence, weights=weights)
    expected = model.fit(ctol=1e-12, maxiter=200)
    found = regression(values, design, clusters, weights, kind, corrected=False)
    assert found.coefficients == pytest.approx(expected.params, abs=1e-6)
    assert found.covariance == pytest.approx(expected.cov_robust, abs=1e-6)


@pytest.mark.parametrize("kind", ["rate", "mean"])
def test_the_correction_is_that_of_mancl_and_derouen(kind: Kind) -> None:
    values, design, clusters, weights = sample(2)
    found = regression(values, design, clusters, weights, kind)
    predicted = found.predicted(design @ found.coefficients)
    slope = found.slope(predicted)
    bread = np.linalg.inv(design.T @ (design * (weights * slope)[:, None]))
    middle = np.zeros((4, 4))
    for i in range(40):
        x, w, v = (part[clusters == i] for part in (design, weights, slope))
        leverage = (v[:, None] * x) @ bread @ (x * w[:, None]).T
        residual = np.linalg.solve(np.eye(len(x)) - leverage, (values - predicted)[clusters == i])
        score = x.T @ (w * residual)
        middle += np.outer(score, score)
    assert found.covariance == pytest.approx(bread @ middle @ bread, abs=1e-10)


@pytest.mark.parametrize(
    ("values", "design", "reason"),
    [
        ([0, 0, 0, 1, 1, 1], [[1, -3], [1, -2], [1, -1], [1, 1], [1, 2], [1, 3]], "separated"),
        ([0, 1, 0, 1, 1, 1], [[1, 0], [1, 0], [1, 0], [1, 1], [1, 1], [1, 1]], "separated"),
        ([0, 1, 0, 1, 0, 1], [[1, 2]] * 6, "cannot be told apart"),
        ([0, 1, 0, 1, 0, 1], [[1, 0]] * 5 + [[1, 1]], "separated"),
    ],
)
def test_data_that_do_not_determine_a_regression_are_refused(values: list[int], design: list[int], reason: str) -> None:
    with pytest.raises(NotEstimable, match=reason):
        regression(np.array(values, float), np.array(design, float), np.arange(6), np.ones(6), "rate")


def test_too_few_speakers_and_a_speaker_who_is_alone_are_refused() -> None:
    ones, design = np.ones(6), np.array([[1.0, 0]] * 5 + [[1, 1]])
    with pytest.raises(NotEstimable, match=r"too few speakers \(2\)"):
        regression(np.arange(6.0), design, np.array([0, 0, 0, 1, 1, 1]), ones, "mean")
    with pytest.raises(NotEstimable, match="alone"):
        regression(np.arange(6.0), design, np.arange(6), ones, "mean")


def gaps(values: Floats, group: Ints, *covariates: Covariate, kind: Kind = "rate", n: int = 2) -> list[AdjustedGap]:
    number = np.arange(len(values))
    return Adjustment(group, n, number, number, covariates, SETTINGS).gaps(values, kind)


def test_a_standardised_gap_by_hand() -> None:
    """Linear outcome ``1 + 2 group + 3 x``: the gap at equal x is 2, and without adjustment 2 + 3."""
    group = np.repeat([0, 1], 20)
    x = np.tile([0.0, 1.0, 2.0, 3.0], 10) + group
    noise = np.tile([0.1, -0.1, -0.1, 0.1], 10)
    found = gaps(1 + 2.0 * group + 3 * x + noise, group, Covariate("x", x), kind="mean")
    assert found[1].unadjusted.value == pytest.approx(5)
    assert found[1].adjusted.value == pytest.approx(2)
    assert found[0].adjusted.value == pytest.approx(-2)
    assert found[1].adjusted.method.startswith("linear regression; t with ")


def test_standardised_rates_by_hand() -> None:
    """A logistic model with a group and a category is saturated but for their interaction, here absent."""
    odds = {(0, 0): 1 / 3, (0, 1): 1.0, (1, 0): 1.0, (1, 1): 3.0}  # rates 1/4, 1/2, 1/2, 3/4
    sizes = {(0, 0): 24, (0, 1): 8, (1, 0): 8, (1, 1): 24}
    rows = []
    for (g, x), size in sizes.items():
        right = round(size * odds[g, x] / (1 + odds[g, x]))
        rows += [(g, x, float(i < right)) for i in range(size)]
    group, x, values = (np.array(column) for column in zip(*rows, strict=True))
    found = gaps(values, group, Covariate("x", x.astype(float), categories=True))[1]
    assert found.unadjusted.value == pytest.approx((4 + 18) / 32 - (6 + 4) / 32)
    assert found.adjusted.value == pytest.approx((0.5 + 0.75) / 2 - (0.25 + 0.5) / 2)
    assert found.e_value is not None
    ratio = 0.625 / 0.375
    assert found.e_value.point == pytest.approx(ratio + math.sqrt(ratio * (ratio - 1)))


def test_influences_are_those_of_leaving_a_speaker_out() -> None:
    """The standard error is close to the jackknife's, which includes the sampling of covariates and shares."""
    rng = np.random.default_rng(4)
    group = np.repeat([0, 1, 2], [60, 30, 45])
    x = rng.normal(0.5 * group)
    values = (rng.random(len(group)) < 1 / (1 + np.exp(-x + 0.5 * group))).astype(float)
    every, ones = np.arange(len(group)), np.ones(len(group))

    def gap(rows: Ints) -> float:
        return standardised(values[rows], group[rows], 3, rows, ones[rows], x[rows, None], "rate").difference(1).value

    left_out = np.array([gap(np.delete(every, i)) for i in every])
    jackknife = math.sqrt((len(group) - 1) / len(group) * ((left_out - left_out.mean()) ** 2).sum())
    found = standardised(values, group, 3, every, ones, x[:, None], "rate").difference(1)
    assert found.error == pytest.approx(jackknife, rel=0.03)


def test_clips_without_a_covariate_are_left_out_of_both_gaps() -> None:
    group, x = np.repeat([0, 1], 20), np.tile([0.0, 1.0, 2.0, np.nan], 10)
    values = np.tile([1.0, 0.0], 20)
    values[0] = np.nan
    found = gaps(values, group, Covariate("x", x))
    assert [gap.n_left_out for gap in found] == [5, 5]
    assert [(gap.unadjusted.n_clips, gap.unadjusted.n_missing) for gap in found] == [(14, 1), (15, 0)]
    assert found[0].unadjusted.value == pytest.approx(9 / 14 - 10 / 15)


def test_a_covariate_that_most_speakers_lack_is_not_used() -> None:
    rare, x = np.full(40, np.nan), np.tile([0.0, 1.0], 20)
    rare[:10] = 1.0
    found = Design.of([Covariate("age", rare), Covariate("x", x)], np.repeat([0, 1], 20), 2, np.arange(40))
    assert (found.used, found.unused, found.complete.all()) == (("x",), ("age",), True)


def test_rare_categories_are_pooled_or_unknown() -> None:
    """One nonbinary speaker, or one clipped recording, must not make a regression impossible."""
    group, codes = np.repeat([0, 1], 20), np.tile([0.0, 1.0], 20)
    codes[:2] = 2.0
    clipped = np.zeros(40)
    clipped[7] = 0.5
    made = [Covariate("gender", codes, categories=True), Covariate("clipped", clipped)]
    found = Design.of(made, group, 2, np.arange(40))
    assert (found.used, found.unused) == (("gender",), ("clipped",))
    assert (~found.complete).tolist()[:3] == [True, True, False]
    codes[10:14] = 3.0
    assert Design.of(made[:1], group, 2, np.arange(40)).columns.sum(axis=0).tolist() == [17.0, 17.0]


def test_a_copy_of_a_covariate_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    group, x = np.repeat([0, 1], 50), rng.normal(size=100)
    values = (rng.random(100) < 0.5).astype(float)
    once = gaps(values, group, Covariate("x", x))[1].adjusted
    twice = gaps(values, group, Covariate("x", x), Covariate("y", 5 - 2 * x))[1].adjusted
    assert (once.value, once.low) == (pytest.approx(twice.value), pytest.approx(twice.low))


def test_a_covariate_that_names_the_group_has_no_overlap() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1], 50)
    values = rng.normal(size=100)
    same = gaps(values, group, Covariate("studio", group.astype(float), categories=True), kind="mean")[1]
    assert same.adjusted.value is None
    assert "every group has one value of studio" in same.adjusted.method
    far = gaps(values, group, Covariate("noise", rng.normal(10 * group)), kind="mean")[1]
    assert far.adjusted.value is not None
    assert far.e_value is None
    assert far.adjusted.method.startswith("no overlap: 100% of the speakers are outside the others' range; linear")


def test_a_value_that_no_speaker_of_the_group_has_leaves_overlap() -> None:
    """All speakers of one group have full bandwidth, and a few of the other do not."""
    rng = np.random.default_rng(0)
    group, bandwidth = np.repeat([0, 1], 50), np.full(100, 8000.0)
    bandwidth[:8] = rng.uniform(5000, 7000, 8)
    found = gaps(rng.normal(size=100), group, Covariate("bandwidth", bandwidth), kind="mean")[1]
    assert found.overlap.enough
    assert found.overlap.outside == 0


def test_groups_without_a_failure_have_an_unadjusted_gap_only() -> None:
    rng = np.random.default_rng(3)
    group, x = np.repeat([0, 1, 2], 40), rng.normal(size=120)
    values = np.where(group == 0, 0.0, rng.random(120) < 0.4).astype(float)
    none, one, _ = gaps(values, group, Covariate("x", x), n=3)
    assert none.unadjusted.value == pytest.approx(-values[group > 0].mean())
    reason = "speakers of the group with an outcome above 0: 0, fewer than 3"
    assert (none.unadjusted.interval, none.unadjusted.method) == (None, reason)
    assert none.adjusted.method == f"not adjusted: {reason}"
    assert one.adjusted.interval is not None


def test_few_speakers_give_a_reason() -> None:
    group, values = np.array([0] * 20 + [1] * 3), np.tile([0.0, 1.0], 12)[:23]
    found = gaps(values, group, Covariate("x", np.random.default_rng(0).normal(size=23)))
    assert found[1].adjusted.method == "3 speakers, fewer than 5"
    assert found[0].adjusted.method == "not adjusted: too few speakers of other groups"


def test_clips_of_a_speaker_count_as_one() -> None:
    """Copies of every clip change neither the gap nor its interval."""
    rng = np.random.default_rng(5)
    group, x = np.repeat([0, 1], 30), rng.normal(size=60)
    values = (rng.random(60) < 0.5).astype(float)

    def gap(times: int) -> AdjustedGap:
        number = np.repeat(np.arange(60), times)
        made = Adjustment(group[number], 2, number, number, [Covariate("x", x[number])], SETTINGS)
        return made.gaps(values[number], "rate")[1]

    once, often = gap(1).adjusted, gap(4).adjusted
    assert (once.low, once.high) == (pytest.approx(often.low), pytest.approx(often.high))


def test_e_values_by_hand() -> None:
    assert e_value(3.9).point == pytest.approx(3.9 + math.sqrt(3.9 * 2.9))
    assert e_value(1 / 3.9).point == pytest.approx(7.263, abs=0.001)
    assert e_value(1.0).point == 1.0
    assert e_value(2.0, 0.9, 4.4).end == 1.0
    assert e_value(0.5, 0.25, 0.8).end == pytest.approx(1.25 + math.sqrt(1.25 * 0.25))
    assert e_value_of_means(-2.0, 2.0).point == pytest.approx(e_value(math.exp(0.91)).point)
    with pytest.raises(ValueError, match="positive"):
        e_value(0.0)
    with pytest.raises(ValueError, match="positive"):
        e_value_of_means(1.0, 0.0)


def test_noise_explains_a_gap_and_a_group_does_not() -> None:
    """One planted cohort of each kind; benchmarks/adjustment.py has five hundred."""
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1], 300)
    for shift, effect in ((1.0, 0.0), (0.0, 1.0)):
        noise = rng.normal(shift * group)
        values = (rng.random(600) < 1 / (1 + np.exp(0.5 - noise - effect * group))).astype(float)
        found = gaps(values, group, Covariate("noise", noise))[1]
        assert found.unadjusted.low is not None
        assert found.adjusted.low is not None
        assert found.unadjusted.low > 0
        assert (found.adjusted.low > 0) == (effect > 0)
