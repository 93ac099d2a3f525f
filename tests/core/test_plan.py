"""The plan: every key typed, unknown keys refused, near misses named."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

import audit
from audit.checks import margins_of, shipped


def test_the_shipped_plan_is_a_plan() -> None:
    plan = audit.Plan.parse(files("audit.core").joinpath("plans/default.toml").read_text(encoding="utf-8"))
    assert plan.cohort.path == "synthetic_bilingual"


def test_every_plan_on_the_page_is_valid() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "plan.md"
    blocks = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    plans = [audit.Plan.parse(text) for text in blocks]
    assert [plan.model.name for plan in plans] == [
        "recorded", "planted", "speech2face-small-gap", "speech2face-small-full",
    ]  # fmt: skip
    assert plans[2].model.mitigation.names == ("leace", "abstention")
    heard = audit.model(plans[-1].model.name, options=plans[-1].model.options)
    assert heard.describe()["seconds"] == 3.0  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[modle]\nname = 'x'\n", "there is no key modle, did you mean 'model'?"),
        ("[measure]\nmin_speaker = 3\n", "there is no key measure.min_speaker, did you mean 'min_speakers'?"),
        ("[measure]\nconfidence = 95\n", "measure.confidence is 95"),
        ("[measure]\nconfidence = 'high'\n", "measure.confidence is 'high'"),
        ("[run]\npart = 0\n", "run.part is 0"),
        ("[instrument.options]\nsimilarity = []\n", "instrument.options: similarity belongs in [instrument]"),
        ("[run]\nmax_seconds = inf\n", "run.max_seconds is inf"),
        ("[run]\nmin_seconds = nan\n", "run.min_seconds is nan"),
        ("[run]\nmin_seconds = 5.0\nmax_seconds = 5.0\n", "run: min_seconds = 5 is not below max_seconds = 5"),
        ("title = 3\n", "title is 3"),
        ("[audit]\ndate = 20260301\n", "audit.date is 20260301: not a date, such as 2026-03-01"),
        ("[audit]\ndate = 2026-03-01T12:00:00\n", "not a date, such as 2026-03-01"),
        ("[audit]\ncontact = 3\n", "audit.contact is 3"),
        ("[audit]\nauditer = 'x'\n", "there is no key audit.auditer, did you mean 'auditor'?"),
        ("[run\n", "is not a TOML file"),
    ],
)
def test_a_mistake_is_named(text: str, message: str) -> None:
    with pytest.raises(audit.PlanError) as caught:
        audit.Plan.parse(text)
    assert message in str(caught.value)


def test_a_cohorts_path_is_taken_from_the_plans_folder(tmp_path: Path) -> None:
    (tmp_path / "people").mkdir()
    (tmp_path / "plan.toml").write_text('[cohort]\npath = "people"\n')
    assert Path(audit.Plan.read(tmp_path / "plan.toml").cohort.path) == tmp_path / "people"


def test_margins_left_out_keep_their_defaults() -> None:
    plan = audit.Plan.parse("[measure.margins]\nS2F001 = 0.2\n")
    margins = margins_of(shipped(), plan.measure.margins)
    assert (margins["S2F001"], margins["S2F003"]) == (0.2, 0.1)


@pytest.mark.parametrize(
    ("margins", "words"),
    [
        ({"S2F999": 0.1}, "there is no check S2F999"),
        ({"S2F001": 2.0}, "the margin of S2F001 is 2; allowed"),
    ],
)
def test_a_wrong_margin_is_refused(margins: dict[str, float], words: str) -> None:
    with pytest.raises(audit.PlanError, match=words):
        margins_of(shipped(), margins)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**31),
    confidence=st.floats(0.51, 0.99),
    name=st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable()),
)
def test_a_plan_written_is_the_plan_read(seed: int, confidence: float, name: str) -> None:
    plan = audit.Plan.model_validate({"title": name, "run": {"seed": seed}, "measure": {"confidence": confidence}})
    assert audit.Plan.parse(plan.to_toml()) == plan


def test_a_plan_without_front_matter_is_written_as_before_there_was_any() -> None:
    plan = audit.Plan(title="older runs resume with the same bytes")
    expected = plan.model_dump(mode="json", exclude_none=True, exclude={"audit": True, "model": {"name"}})
    assert plan.to_toml() == tomli_w.dumps(expected)
    stated = audit.Plan.parse('[audit]\ndate = 2026-03-01\ncontact = "x"\n')
    assert audit.Plan.parse(stated.to_toml()) == stated


@given(st.text(max_size=200))
def test_any_text_is_a_plan_or_a_plan_error(text: str) -> None:
    try:
        audit.Plan.parse(text)
    except audit.PlanError as error:
        assert str(error)
