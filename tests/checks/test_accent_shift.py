"""S2F009: English by people of another first language, rendered differently from English by native speakers."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import audit
from audit.audits.measure import evidence_of
from audit.checks import Finding, findings
from audit.checks.catalogue.accent_shift import CHECK
from audit.checks.largest_size import change_of_size, largest_size
from audit.comparisons.compare import paired_changes
from audit.core.errors import PlanError
from audit.core.grouping import Grouping
from audit.core.plan import MeasureSettings
from audit.core.vocabulary import RACES, STAGES
from audit.release import Policy
from audit.stats import Curve, Estimate, Settings, difference, figure_curve

SIDES = {"natives": "en-GB", "korean": "ko", "mandarin": "zh"}
WHITE = {"en": {"white": 1.0}}
TRUTH: dict[str, Any] = {
    "groups": list(SIDES),
    "speakers_per_group": 60,
    "clips_per_language": 2,
    "icc": 0.3,
    "portrait": {side: {"white": 1.0} for side in SIDES},
    "ceiling": dict.fromkeys(SIDES, WHITE),
    "rendered": dict.fromkeys(SIDES, WHITE),
}
ASIAN = {**dict.fromkeys(SIDES, WHITE), "mandarin": {"en": {"white": 0.5, "asian": 0.5}}}
POLICY = (
    'schema = 1\nname = "p"\nevidence.allow = ["simulated", "unpinned", "unknown_groups", "baseline_is_run"]\n'
    '[[rule]]\nid = "it"\ncheck = "S2F009"\nlimit = 0.15\n'
)


def with_columns(run: audit.Run, **columns: Any) -> audit.Run:
    return audit.Run(run.observations.assign(**columns), run.manifest, None)


def spoken(run: audit.Run, languages: dict[str, str] = SIDES) -> audit.Run:
    """The run with the first language of each group."""
    return with_columns(run, native_language=[languages.get(group, "") for group in run.observations["group"]])


@cache
def fair() -> audit.Run:
    return spoken(audit.simulate(TRUTH))


@cache
def planted() -> audit.Run:
    """Half of the faces from English by Mandarin speakers are read as asian, all portraits as white."""
    return spoken(audit.simulate(TRUTH | {"rendered": ASIAN}))


def without_portraits(run: audit.Run) -> audit.Run:
    columns = [name for name in map(str, run.observations) if name.startswith("portrait_race")]
    return with_columns(run, portrait_status="missing", **dict.fromkeys(columns))


def of(run: audit.Run, **settings: Any) -> Finding:
    chosen = MeasureSettings(**settings)
    evidence = evidence_of(run, chosen).by(Grouping(("native_language",)))
    (found,) = findings([CHECK], evidence, chosen.intersect)
    return found


def test_the_interval_of_a_small_case_by_hand() -> None:
    """Of 8 native speakers 2 are read as asian, of 6 others 5; the difference of `white` is the opposite."""
    sides = [1, 1, 0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 0]
    asian = np.array([*sides[0], *sides[1]], float)
    run = audit.simulate({"groups": ["asian"], "speakers_per_group": 14})
    reads = {"rendered_race": np.where(asian, "asian", "white"), "rendered_race_asian": asian}
    run = with_columns(run, **reads, rendered_race_white=1 - asian, native_language=["en"] * 8 + ["ko"] * 6)
    found = of(without_portraits(run)).estimates
    settings = Settings(confidence=1 - 0.05 / 6)  # one first language, six reads
    natives, others = (figure_curve(x, np.arange(len(x)), settings).at(settings.confidence) for x in sides)
    by_hand = difference(natives, others)
    assert by_hand.low is not None and by_hand.low < 0
    assert found["ko"].value == found["ko.difference_asian"].value == pytest.approx(5 / 6 - 1 / 4)
    assert found["ko"].low == 0 and found["ko"].high == pytest.approx(by_hand.high)
    assert (found["ko"].n_speakers, found["ko"].n_smaller) == (14, 6)


def test_a_planted_shift_is_shown_for_its_first_language() -> None:
    found = of(planted())
    assert (found.outcome, found.group, found.grouping) == ("shown", "zh", "native_language")
    assert found.by_group == {"ko": "not_shown", "zh": "shown"}
    seen = planted().observations
    share = (seen["rendered_race"] == "asian")[seen["native_language"] == "zh"].mean()
    assert found.estimate is not None and found.estimate.value == pytest.approx(share)
    assert found.estimates["zh.difference_asian"].value == pytest.approx(share)
    assert found.estimates["zh.difference_white"].value == pytest.approx(-share)
    assert found.estimates["zh.natives_rendered"].value == found.estimates["zh.portrait"].value == 0
    assert "English by speakers of first language zh" in found.sentence and "read as asian" in found.sentence
    assert of(fair()).outcome == "not_shown"


def test_with_portraits_the_speakers_own_faces_cancel() -> None:
    """Mandarin speakers look asian and are rendered so: no shift, unless their portraits are not known."""
    looks = {"portrait": TRUTH["portrait"] | {"mandarin": {"asian": 1.0}}}
    run = spoken(audit.simulate(TRUTH | looks | {"rendered": {**ASIAN, "mandarin": {"en": {"asian": 1.0}}}}))
    assert of(run).outcome == "not_shown"
    raw = of(without_portraits(run))
    assert raw.outcome == "shown" and "not by itself an error" in raw.sentence
    assert "zh.portrait" not in raw.estimates
    assert "not by itself an error" not in of(run).sentence


def test_it_is_made_where_a_first_language_is_known_and_not_twice() -> None:
    codes = [(each.code, each.grouping) for each in audit.measure(planted(), with_tables=False).findings]
    assert codes[-1] == ("S2F009", "native_language")
    named = audit.measure(planted(), group_by=["native_language"], with_tables=False)
    assert [each.grouping for each in named.findings if each.code == "S2F009"] == ["native_language"]
    assert audit.measure(planted(), with_tables=False).finding("S2F009").group == "zh"
    for languages in (dict.fromkeys(SIDES, "en"), {}):
        made = audit.measure(spoken(planted(), languages), with_tables=False).findings
        assert "S2F009" not in {each.code for each in made}


@pytest.mark.parametrize(
    ("languages", "words"),
    [
        ({}, "The first language of no speaker is known."),
        (dict.fromkeys(SIDES, "und"), "The first language of no speaker is known."),
        (dict.fromkeys(SIDES, "zh"), "No native speaker of English has an English clip."),
        (dict.fromkeys(SIDES, "en-US"), "No speaker of another known first language has an English clip."),
    ],
)
def test_what_the_data_cannot_answer(languages: dict[str, str], words: str) -> None:
    found = of(spoken(planted(), languages))
    assert (found.outcome, found.reason) == ("not_evaluable", words)


def test_unknown_first_languages_are_left_out_and_counted() -> None:
    found = of(spoken(planted(), {"natives": "en", "mandarin": "zh", "korean": "und"}))
    assert list(found.by_group) == ["zh"]
    assert "60 speakers whose first language is not known are left out." in found.sentence


def test_too_few_speakers_are_no_pass_and_do_not_widen_the_others() -> None:
    seen = fair().observations
    rest = seen[seen["native_language"] != "ko"]
    few = seen[seen.index.isin(rest.index) | seen["speaker_id"].isin(["korean-00", "korean-01"])]
    found, alone = (of(audit.Run(part.reset_index(drop=True), fair().manifest, None)) for part in (few, rest))
    assert (found.outcome, found.by_group) == ("inconclusive", {"ko": "not_evaluable", "zh": "not_shown"})
    assert found.estimates["zh"].high == alone.estimates["zh"].high


# Texts


def with_texts(run: audit.Run, of_side: dict[str, list[str]]) -> audit.Run:
    """The run whose speakers read the texts of their first language in turn."""
    texts = [of_side[code][i % 2] for i, code in enumerate(run.observations["native_language"])]
    return with_columns(run, text_id=texts)


def test_only_shared_texts_are_compared_where_every_side_has_them() -> None:
    """Of the Mandarin speakers' two texts, only the one that natives never read is read as asian."""
    texts = with_texts(fair(), {"en-GB": ["a", "b"], "ko": ["a", "b"], "zh": ["a", "c"]})
    other = texts.observations["text_id"] == "c"
    asian: dict[str, Any] = {"rendered_race": texts.observations["rendered_race"].mask(other, "asian")}
    asian |= {f"rendered_race_{race}": np.where(other, race == "asian", race == "white") * 1.0 for race in RACES}
    run = with_columns(texts, **asian)
    found = of(run)
    assert found.outcome == "not_shown" and "Only clips of texts that both sides read" in found.sentence
    differ = of(with_texts(run, {"en-GB": ["a", "b"], "ko": ["d", "d"], "zh": ["a", "c"]}))
    assert differ.outcome == "shown" and "read different texts" in differ.sentence
    shares = [differ.estimates[key].value for key in ("zh.same_text", "zh.natives_same_text", "ko.same_text")]
    assert shares == [0.5, 0.5, 0.0]


# Skin tone


def with_skin(run: audit.Run, shift: float) -> audit.Run:
    """The run with skin tones by speaker, and a shift of the Mandarin speakers' rendered faces."""
    seen, rng = run.observations, np.random.default_rng(3)
    own = seen["speaker_id"].map({name: rng.normal(20, 8) for name in seen["speaker_id"].unique()}).to_numpy(float)
    rendered = own + np.where(seen["native_language"] == "zh", shift, 0) + rng.normal(0, 4, len(seen))
    columns: dict[str, Any] = {}
    for stage, angle in (("portrait", own + 8), ("ceiling", own), ("rendered", rendered)):
        columns |= {f"{stage}_skin_tone": "monk_05", f"{stage}_skin_tone_ita": angle}
        columns |= {f"{stage}_skin_tone_{name}": 60.0 for name in ("hue", "lightness", "chroma")}
    instrument = run.manifest["instrument"] | {"attributes_read": ["race", "gender", "age", "skin_tone"]}
    return audit.Run(seen.assign(**columns), {**run.manifest, "instrument": instrument}, None)


@pytest.mark.parametrize("shift", [12.0, -12.0])
def test_a_planted_shift_of_skin_tone_is_shown(shift: float) -> None:
    found = of(with_skin(fair(), shift))
    assert (found.outcome, found.group) == ("shown", "zh")
    assert found.estimate is not None and found.estimate.name == "skin_difference"
    assert found.estimate.value == pytest.approx(shift, abs=2.5) and found.estimate.margin == 5.0
    assert "typology angle" in found.sentence
    assert found.estimates["zh.skin_ceiling"].unit == "degrees"
    assert of(with_skin(fair(), 0.0)).outcome == "not_shown"


def test_skin_tone_alone_is_judged_where_no_race_was_read() -> None:
    run = with_skin(fair(), 12.0)
    columns = [f"{stage}_race{end}" for stage in STAGES for end in ("", *(f"_{race}" for race in RACES))]
    found = of(with_columns(run, **dict.fromkeys(columns)))
    assert found.outcome == "shown"
    assert {figure.name for figure in found.estimates.values() if figure.harm} == {"skin_difference"}


# Gate, comparison, cells, power, suppression


def test_a_rule_is_by_first_language_without_saying_so() -> None:
    assert audit.gate(planted(), policy=Policy.parse(POLICY)).exit_code == 10
    decision = audit.gate(fair(), policy=Policy.parse(POLICY))
    assert decision.exit_code == 0
    ruling = decision.rulings[-1]
    assert ruling.by == "native_language" and [item.group for item in ruling.held] == ["ko", "zh"]
    of_one = POLICY + 'figure = "difference_asian"\ngroups = ["zh"]\nside = "within"\n'
    assert audit.gate(planted(), policy=Policy.parse(of_one)).exit_code == 10
    assert audit.gate(spoken(fair(), {}), policy=Policy.parse(POLICY)).exit_code == 11
    with pytest.raises(PlanError, match="S2F009 has figures by native_language only, not by accent"):
        Policy.parse(POLICY + 'by = "accent"\n')


def test_the_change_between_two_runs() -> None:
    def change(first: audit.Run, second: audit.Run) -> Estimate:
        by = Grouping(("native_language",))
        return paired_changes(first, second, MeasureSettings(), grouping=by)["S2F009.zh"].at(0.95)

    worse, better, size = change(fair(), planted()), change(planted(), fair()), of(planted()).estimates["zh"].value
    assert size is not None and (worse.value, better.value) == (size, -size)
    assert worse.low is not None and worse.low > 0.1
    assert better.high is not None and better.high < -0.1
    changes = audit.compare(fair(), planted()).checks
    words = {change.group: change.word for change in changes if change.figure == "S2F009" and not change.headline}
    assert words["zh"] == "pays" and words["ko"] != "pays"
    for run, margin, code in ((fair(), 0.2, 0), (planted(), 0.1, 10)):
        terms = POLICY.replace("limit = 0.15", f'kind = "non_inferiority"\nmargin = {margin}')
        assert audit.gate(run, baseline=fair(), policy=Policy.parse(terms)).exit_code == code


def test_small_groups_are_suppressed() -> None:
    seen = planted().observations
    few = seen[(seen["native_language"] != "ko") | (seen["speaker_id"] < "korean-08")].reset_index(drop=True)
    run = audit.Run(few, planted().manifest, None)
    found = audit.measure(run, settings=MeasureSettings(suppress_below=10), with_tables=False).finding("S2F009")
    assert found.outcome == "shown"
    assert all(figure.value is None for key, figure in found.estimates.items() if key.startswith("ko"))


def test_cells_are_compared_with_native_speakers_of_the_same_gender() -> None:
    """All faces of men are read as asian: no difference within a gender."""
    man = fair().observations["gender"] == "man"
    reads = {"rendered_race": np.where(man, "asian", "white"), "rendered_race_asian": man * 1.0}
    cell = of(with_columns(fair(), **reads, rendered_race_white=1.0 - man)).worst_cell
    assert cell is not None and (cell.n_cells, cell.figure.value) == (4, 0)
    assert cell.figure.grouping == Grouping(("native_language", "gender"))


def test_power_against_the_native_speakers() -> None:
    table = audit.measure(planted()).tables["power"].frame
    rows = table[(table["check"] == "S2F009") & table["margin"].notna()]
    assert rows["group"].tolist() == ["ko", "zh"] and (rows["n_speakers"] == 60).all()
    assert rows["smallest_detectable"].notna().all() and set(rows["grouping"]) == {"native_language"}
    assert set(table["check"][table["grouping"] == "native_language"]) == {"S2F009"}


# The size of the largest difference


def curve(value: float, low: float, high: float) -> Curve:
    return Curve(lambda confidence: Estimate(value, low, high, 9, 9, 0, "x"))


def test_the_largest_size_is_beyond_a_margin_if_any_difference_is() -> None:
    found = largest_size([curve(-0.4, -0.6, -0.2), curve(0.3, 0.25, 0.35), curve(0.0, -0.1, 0.1)], 3).at(0.95)
    assert (found.value, found.low, found.high) == (0.4, 0.25, 0.6)
    without = Curve(lambda confidence: Estimate(0.1, None, None, 2, 2, 0, "too few"))
    assert largest_size([curve(-0.4, -0.6, -0.2), without], 2).at(0.95).interval is None


def test_the_change_of_a_size_is_bounded_by_both_sizes_and_by_the_changes() -> None:
    """From a size in [.3, .5] to one in [0, .1], by changes of at most .45: at least .2 and at most .45 less."""
    change = change_of_size([curve(-0.4, -0.5, -0.3)], [curve(0.05, -0.1, 0.1)], [curve(0.45, 0.42, 0.45)])
    found = change.at(0.95)
    assert [found.low, found.value, found.high] == pytest.approx([-0.45, -0.35, -0.2])
