"""Planning a policy: chances of the exit codes at stated true values, and the number of speakers that a pass needs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import audit
from audit.checks.power import group_clips
from audit.cli import main
from audit.release import Assumptions, Policy, RulePlan, plan_policy
from audit.release.plans import Chance, PolicyChance, assumed
from audit.reports.decision import summary_markdown
from audit.stats import Settings, paired
from audit.stats.planning import Simulated, Speakers, fewest_speakers, reads_distribution, scaled
from tests.cli.test_cli import command
from tests.release.test_gating import TRUTH

ALPHA = 0.025
NO_EVENT = Assumptions(base_rate=0, data_sets=40)
RULE = '[[rule]]\nid = "{id}"\ncheck = "{check}"\nlimit = {limit}\n'


def policy(*rules: str) -> Policy:
    return Policy.parse('schema = 1\nname = "p"\n' + "\n".join(rules), "policy.toml")


def rule(check: str, limit: float, more: str = "") -> str:
    return RULE.format(id=f"{check}-{limit}", check=check, limit=limit) + more


def cohort(n: int, groups: tuple[str, ...] = ("asian", "white"), clips: int = 1) -> pd.DataFrame:
    """``n`` speakers in each group, with clips in English."""
    rows = [(f"{group}{i}", group, "en") for group in groups for i in range(n) for _ in range(clips)]
    return pd.DataFrame(rows, columns=["speaker_id", "group", "language"])


def of(plan: RulePlan, case: str) -> Chance:
    return next(each for each in plan.chances if each.case == case)


class TestTheSimulation:
    @pytest.mark.parametrize("icc", [0.0, 0.3, 1.0])
    def test_a_speakers_reads_have_the_stated_mean_and_correlation(self, icc: float) -> None:
        chance, reads = reads_distribution(4, 0.2, icc), np.arange(5)
        mean = float(chance @ reads) / 4
        variance = float(chance @ (reads / 4 - mean) ** 2)
        assert chance.sum() == pytest.approx(1)
        assert mean == pytest.approx(0.2)
        # Donner and Klar 2000: p (1 - p) (1 + (m - 1) icc) / m
        assert variance == pytest.approx(0.2 * 0.8 * (1 + 3 * icc) / 4)

    def test_each_data_set_is_estimated_as_the_same_clips_are_one_by_one(self) -> None:
        truth = Speakers(((2, 30), (3, 10)), rate=0.3, before=0.1)
        drawn = Simulated.draw(truth, 3, np.random.default_rng(0))
        for i, curve in enumerate(drawn.curves(Settings())):
            entries = drawn.data_set == i
            change, who, n = [], [], 0
            columns = (drawn.total[entries], drawn.clips[entries], drawn.number[entries])
            for total, clips, number in zip(*columns, strict=True):
                for _ in range(number):  # any clips with this sum have the same estimate
                    change += [total / clips] * clips
                    who += [n] * clips
                    n += 1
            expected = paired(np.maximum(-np.array(change), 0), np.maximum(change, 0), who).difference()
            found = curve.at(0.95)
            assert n == 40
            assert (found.value, found.low, found.high) == pytest.approx(
                (expected.value, expected.low, expected.high), abs=1e-9
            )

    def test_other_numbers_of_speakers_have_the_same_distribution_of_clips(self) -> None:
        assert scaled([4, 1, 1, 2], 8) == ((1, 4), (2, 2), (4, 2))
        assert scaled([1, 2], 1) == ((2, 1),)
        assert scaled([1, 2], 0) == ()

    def test_the_search_finds_the_first_number_that_reaches_the_power(self) -> None:
        assert fewest_speakers(lambda n: float(n >= 37), 0.8, least=10, most=100) == 37
        assert fewest_speakers(lambda n: float(n >= 3), 0.8, least=10, most=100) == 10
        assert fewest_speakers(lambda n: 0.5, 0.8, least=10, most=100) is None

    @pytest.mark.parametrize("wrong", [{"rate": 1.2}, {"rate": 0.1, "icc": -1}, {"rate": 0.1, "before": 2}])
    def test_rates_outside_their_range_are_refused(self, wrong: dict[str, float]) -> None:
        with pytest.raises(ValueError, match="lies outside"):
            Speakers(((1, 10),), **wrong)


class TestOneRule:
    def test_without_any_event_the_chance_of_a_pass_is_zero_or_one(self) -> None:
        """With equal clips for all, data without an event are always the same: one interval decides."""
        terms = policy(rule("S2F001", 0.1))
        needed = of(plan_policy(terms, cohort(20), NO_EVENT).rules[0], "no effect").speakers
        assert needed is not None
        for n, passes in ((needed - 1, 0.0), (needed, 1.0), (3 * needed, 1.0)):
            chance = of(plan_policy(terms, cohort(n), NO_EVENT).rules[0], "no effect")
            assert (chance.passes, chance.breach, chance.inconclusive) == (passes, 0.0, 1 - passes)
            # the interval itself: no change in any of n speakers
            found = paired(np.zeros(n), np.zeros(n), np.arange(n)).difference()
            assert (terms.rules[0].outcome(found_figure(terms, found))[0] == "pass") == bool(passes)

    def test_the_chance_of_a_pass_agrees_with_the_binomial_distribution(self) -> None:
        """One clip a speaker, and no read of white before: the number of events is binomial."""
        n, effect = 100, 0.05
        terms = policy(rule("S2F001", 0.1))
        chance = of(plan_policy(terms, cohort(n), Assumptions(base_rate=0, data_sets=1000)).rules[0], "half the limit")
        most = max(
            k
            for k in range(n)
            if terms.rules[0].outcome(
                found_figure(terms, paired(np.zeros(n), np.arange(n) < k, np.arange(n)).difference())
            )[0]
            == "pass"
        )
        exact = float(stats.binom.cdf(most, n, effect))
        assert chance.passes == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 1000))

    @pytest.mark.parametrize("check", ["S2F001", "S2F003", "S2F006"])
    def test_at_the_limit_a_pass_and_a_breach_are_rare(self, check: str) -> None:
        """At most alpha; four standard errors and the excess of mid-P for one number of speakers are allowed for."""
        assumed = Assumptions(base_rate=0.05, data_sets=400)
        chance = of(plan_policy(policy(rule(check, 0.1)), cohort(60, clips=2), assumed).rules[0], "the limit")
        assert chance.breach <= 2 * ALPHA + 4 * np.sqrt(ALPHA / 400)
        assert chance.passes <= 2 * ALPHA + 4 * np.sqrt(ALPHA / 400)
        assert chance.speakers is None
        assert chance.needed == "none: limit reached"

    def test_more_speakers_are_needed_for_a_smaller_limit_and_a_larger_effect(self) -> None:
        terms = policy(*(rule("S2F003", limit) for limit in (0.05, 0.1, 0.2)))
        plans = plan_policy(terms, cohort(30, clips=2), Assumptions(data_sets=100)).rules
        needed = [[of(plan, case).speakers or 0 for case in ("no effect", "half the limit")] for plan in plans]
        assert needed[0][0] > needed[1][0] > needed[2][0] > 0
        assert needed[0][1] > needed[1][1] > needed[2][1] > 0
        assert all(of_half > of_none for of_none, of_half in needed)

    def test_every_group_must_pass(self) -> None:
        """A group that cannot pass blocks the rule, also where all others pass for certain."""
        both = pd.concat([cohort(300, ("asian",)), cohort(12, ("white",))])
        groups, only = rule("S2F003", 0.1, 'groups = "all"'), rule("S2F003", 0.11, 'groups = ["asian"]')
        plans = plan_policy(policy(groups, only), both, NO_EVENT).rules
        assert [of(plan, "no effect").passes for plan in plans] == [0.0, 1.0]

    def test_a_large_gap_of_one_group_is_a_breach(self) -> None:
        chance = of(
            plan_policy(policy(rule("S2F004", 0.3)), cohort(200), Assumptions(data_sets=100)).rules[0],
            "twice the limit",
        )
        assert chance.true_value == pytest.approx(-0.6)  # gender is read less well
        assert chance.breach == 1

    def test_min_speakers_of_the_rule_count(self) -> None:
        terms = policy(rule("S2F001", 0.3, "min_speakers = 80"))
        chance = of(plan_policy(terms, cohort(60), NO_EVENT).rules[0], "no effect")
        assert (chance.passes, chance.inconclusive, chance.speakers) == (0.0, 1.0, 80)

    def test_the_same_seed_gives_the_same_plan(self) -> None:
        terms, clips = policy(rule("S2F001", 0.1)), cohort(60, clips=2)
        plans = [plan_policy(terms, clips, Assumptions(data_sets=50, seed=seed)) for seed in (1, 1, 2)]
        assert plans[0] == plans[1] != plans[2]

    @pytest.mark.parametrize(
        ("terms", "reason"),
        [
            (rule("S2F008", 5), "computed for rates, not for degrees"),
            (rule("S2F001", 0.1, 'figure = "rendered"\nside = "at_most"'), "rendered is not a judged figure of S2F001"),
            (rule("S2F007", 0.1), "S2F007 declares no comparisons"),
        ],
    )
    def test_a_rule_that_cannot_be_planned_says_why(self, terms: str, reason: str) -> None:
        plan = plan_policy(policy(terms, rule("S2F001", 0.2)), cohort(40), NO_EVENT)
        assert reason in plan.rules[0].reason
        assert reason in plan.rules[0].sentence
        assert plan.left_out == [plan.rules[0].rule]
        assert plan.whole[0].passes == plan.rules[1].chances[0].passes

    @pytest.mark.parametrize(
        ("terms", "groups", "reason"),
        [
            (rule("S2F003", 0.1, 'groups = ["black"]'), ("asian", "white"), "no speakers of the group black"),
            (rule("S2F001", 0.1), ("white",), "no speakers of the cohort can be compared"),
            (rule("S2F006", 0.1), ("white",), "only one known group"),
        ],
    )
    def test_a_rule_that_the_cohort_cannot_answer_blocks_the_policy(
        self, terms: str, groups: tuple[str, ...], reason: str
    ) -> None:
        plan = plan_policy(policy(terms, rule("S2F003", 0.9)), cohort(40, groups), NO_EVENT)
        assert reason in plan.rules[0].obstacle
        assert plan.left_out == []
        assert [each.passes for each in plan.whole] == [0.0] * 4
        assert [each.needed for each in plan.whole[:1]] == ["none: no speakers"]

    def test_a_change_from_the_baseline_is_planned_as_a_change(self) -> None:
        change = '[[rule]]\nid = "worse"\ncheck = "{}"\nkind = "non_inferiority"\nmargin = 0.1\n'
        plans = plan_policy(
            policy(change.format("S2F001"), change.format("S2F006").replace("worse", "gap")), cohort(200)
        )
        assert all(of(each, "no effect").speakers for each in plans.rules)
        assert [each.limit for each in plans.rules] == [0.1, 0.1]


class TestTheWholePolicy:
    def test_independence_and_the_bounds_by_hand(self) -> None:
        found = PolicyChance.of([Chance("no effect", 0, 0.9, 0.05, 0.05), Chance("no effect", 0, 0.8, 0.1, 0.1)])
        assert (found.passes, found.breach) == pytest.approx((0.72, 1 - 0.95 * 0.9))
        assert found.inconclusive == pytest.approx(1 - 0.72 - 0.145)
        assert found.passes_bounds == pytest.approx((0.7, 0.8))
        assert found.breach_bounds == pytest.approx((0.1, 0.15))
        assert found.inconclusive_bounds == pytest.approx((0.05, 0.2))

    def test_the_policy_needs_as_many_speakers_as_its_most_demanding_rule(self) -> None:
        plan = plan_policy(policy(rule("S2F001", 0.1), rule("S2F001", 0.2)), cohort(30), NO_EVENT)
        needed = [of(each, "no effect").speakers for each in plan.rules]
        assert plan.whole[0].speakers == max(each or 0 for each in needed)
        assert plan.whole[2].needed == "none: limit reached"


def found_figure(terms: Policy, found: audit.stats.Estimate) -> audit.checks.Figure:
    """An estimate as the figure of the policy's first rule."""
    judged = terms.rules[0].judged
    return judged.figure(audit.stats.Curve(lambda _: found), 0.95, judged.margin)


class TestTheGate:
    def test_an_inconclusive_rule_has_a_plan_from_what_the_run_has(self) -> None:
        run = audit.simulate(TRUTH | {"speakers_per_group": 30})
        decision = audit.gate(run, policy=policy(rule("S2F003", 0.1)), plans=True)
        ruling = next(each for each in decision.rulings if each.check == "S2F003")
        assert ruling.outcome == "inconclusive"
        assert ruling.plan is not None
        assert {each.n_speakers for each in ruling.plan.groups} == {30}
        assert ruling.plan.assumptions.base_source == "observed"
        assert ruling.plan.sentence in summary_markdown(decision).replace("\\", "")
        stored = json.loads(decision.to_json())["rulings"]
        kept = next(each["plan"] for each in stored if each["id"] == ruling.id)
        assert kept["chances"][0]["case"] == "no effect"

    def test_a_rule_that_passes_has_none(self) -> None:
        decision = audit.gate(
            audit.simulate(TRUTH | {"speakers_per_group": 30}), policy=policy(rule("S2F001", 1)), plans=True
        )
        assert all(each.plan is None for each in decision.rulings)


class TestSharedClusters:
    """Speakers of one source voice, video or session are not independent; the plan allows for it as intervals do."""

    @staticmethod
    def shared(n: int, clusters: int) -> pd.DataFrame:
        clips = cohort(n, clips=2)
        number = clips["speaker_id"].str.extract(r"(\d+)")[0].astype(int)
        return clips.assign(cluster=number % clusters)

    def test_two_speakers_of_a_cluster_have_the_stated_correlation(self) -> None:
        truth = Speakers(((1, 2),), rate=0.2, icc=0.6, clusters=(4, 4), cluster_share=0.5)
        drawn = Simulated.draw(truth, 40_000, np.random.default_rng(0))
        reads = drawn.total.reshape(-1, 2)
        assert reads.mean() == pytest.approx(0.2, abs=0.01)
        assert np.corrcoef(reads.T)[0, 1] == pytest.approx(0.6 * 0.5, abs=0.02)

    def test_clips_of_a_speaker_keep_their_correlation(self) -> None:
        """The variance of a mean of two clips, p (1 - p) (1 + icc) / 2, is that without clusters."""
        truth = Speakers(((2, 1),), rate=0.2, icc=0.6, clusters=(4,), cluster_share=0.5)
        drawn = Simulated.draw(truth, 40_000, np.random.default_rng(0))
        assert float((drawn.total / 2).var()) == pytest.approx(0.2 * 0.8 * 1.6 / 2, rel=0.03)

    def test_each_data_set_is_estimated_as_the_same_clips_are_one_by_one(self) -> None:
        clusters = tuple(i // 2 for i in range(40))
        truth = Speakers(((2, 40),), rate=0.3, before=0.1, clusters=clusters)
        drawn = Simulated.draw(truth, 3, np.random.default_rng(0))
        for i, curve in enumerate(drawn.curves(Settings())):
            of = drawn.data_set == i
            change = np.repeat(drawn.total[of] / 2, 2)
            where = np.repeat(drawn.cluster[of], 2) if drawn.cluster is not None else None
            who = np.repeat(np.arange(40), 2)
            pair = np.maximum(-change, 0), np.maximum(change, 0)
            expected, found = paired(*pair, who, clusters=where).difference(), curve.at(0.95)
            assert (found.value, found.low, found.high) == pytest.approx(
                (expected.value, expected.low, expected.high), abs=1e-9
            )

    def test_with_few_clusters_no_number_of_speakers_is_enough(self) -> None:
        """31 independent speakers without an event pass a limit of 0.1, so 20 clusters never do."""
        terms = policy(rule("S2F001", 0.1))
        plans = [
            of(plan_policy(terms, clips, NO_EVENT).rules[0], "no effect")
            for clips in (cohort(60, clips=2), self.shared(60, clusters=40), self.shared(60, clusters=20))
        ]
        assert [plan.passes for plan in plans] == [1.0, 1.0, 0.0]
        assert plans[0].speakers == 31
        assert plans[1].speakers is not None and 31 <= plans[1].speakers <= 60
        assert plans[2].needed == "none: 20 clusters"

    def test_the_plan_says_that_clusters_are_shared(self) -> None:
        plan = plan_policy(policy(rule("S2F003", 0.1)), self.shared(60, clusters=20), NO_EVENT).rules[0]
        assert [group.clusters for group in plan.groups] == [20, 20]
        assert plan.speakers.endswith("the speakers of a group share 20 clusters")
        assert "no number (none: 20 clusters)" in plan.sentence
        assert "no number of speakers may be enough" in assumed([plan])

    def test_clusters_that_nobody_shares_change_nothing(self) -> None:
        terms, clips = policy(rule("S2F001", 0.1), rule("S2F004", 0.3)), cohort(40, clips=2)
        own = clips.assign(cluster="video of " + clips["speaker_id"])
        assumptions = Assumptions(data_sets=40)
        assert plan_policy(terms, own, assumptions) == plan_policy(terms, clips, assumptions)

    def test_a_gap_counts_the_clusters_of_all_groups(self) -> None:
        chances = [
            of(plan_policy(policy(rule("S2F006", 0.1)), clips, NO_EVENT).rules[0], "no effect")
            for clips in (cohort(60), self.shared(60, clusters=20))
        ]
        assert [chance.passes for chance in chances] == [1.0, 0.0]

    def test_a_speaker_with_several_clusters_counts_in_the_one_with_most_clips(self) -> None:
        clips = pd.DataFrame(
            {"speaker_id": [*"aaab"], "group": "asian", "language": "en", "cluster": ["x", "y", "y", "y"]}
        )
        found = group_clips(clips)[0].clusters()
        assert found is not None and found[0] == found[1]


class TestTheCommand:
    def test_the_embedded_cohort(self) -> None:
        done = command("cohort", "check", "synthetic_bilingual", "--policy", "default", "--base-rate", "0")
        assert done.returncode == 0
        text = done.stdout[done.stdout.index("Plan for the policy") :]
        assert all(len(line.rstrip()) <= 80 for line in text.splitlines())
        for resolved in Policy.default().rules:
            assert f"{resolved.rule.id}: {resolved.rule.check}" in text
        assert "The whole policy" in text
        assert "32 speakers" in text

    def test_json(self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "policy.toml"
        path.write_text('schema = 1\nname = "p"\n' + rule("S2F001", 0.3))
        found = json.loads(checked(monkeypatch, capsys, "--policy", path, "--json")[1])["plan"]
        assert found["rules"][0]["groups"] == [{"group": "all", "n_speakers": 32, "clips": 2.0, "clusters": 0}]
        cases = ["no effect", "half the limit", "the limit", "twice the limit"]
        assert [each["case"] for each in found["whole"]] == cases

    def test_a_policy_that_does_not_exist(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        code, out, err = checked(monkeypatch, capsys, "--policy", "nowhere.toml")
        assert (code, out) == (2, "")
        assert "nowhere.toml" in err
        assert "Traceback" not in err


def checked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str | Path
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of ``audit cohort check`` with the embedded cohort."""
    monkeypatch.setattr("sys.argv", ["audit", "cohort", "check", "synthetic_bilingual", *map(str, arguments)])
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0), *capsys.readouterr()
