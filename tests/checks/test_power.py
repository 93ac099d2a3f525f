"""What a cohort could show is what its speakers, not its clips, allow."""

from __future__ import annotations

import pandas as pd

import audit
from audit.audits.tables.power import detectable
from audit.checks import margins_of, shipped
from audit.stats import Settings, smallest_detectable

CLIPS = pd.DataFrame(
    [
        (f"{group}{i}", group, language)
        for group, n in (("asian", 40), ("white", 60))
        for i in range(n)
        for language in ("en", "en", "zh", "zh")
    ],
    columns=["speaker_id", "group", "language"],
)


def of_checks(clips: pd.DataFrame) -> pd.DataFrame:
    return detectable(clips, shipped(), margins_of(shipped()), Settings()).set_index(["check", "comparison", "group"])


def test_each_check_has_its_own_design_margin_and_level() -> None:
    found = of_checks(CLIPS)["smallest_detectable"]
    assert found["S2F001", "rendered against portrait, same speakers", "asian"] == (
        smallest_detectable(40, design="paired", margin=0.1).size
    )
    both = Settings(confidence=0.975)  # two groups held together
    assert found["S2F006", "the group against all others", "asian"] == (
        smallest_detectable(40, design="unpaired", other_speakers=60, margin=0.05, settings=both).size
    )
    assert found["", "one rate against a fixed one", "white"].tolist() == [smallest_detectable(60).size] * 2


def test_more_clips_of_the_same_speakers_do_not_help() -> None:
    often = pd.concat([CLIPS, CLIPS, CLIPS], ignore_index=True)
    pd.testing.assert_frame_equal(of_checks(often), of_checks(CLIPS))


def test_a_check_that_too_few_speakers_can_answer_says_so() -> None:
    few = of_checks(CLIPS[CLIPS["speaker_id"].isin([f"asian{i}" for i in range(4)])])
    row = few.loc["S2F001", "rendered against portrait, same speakers", "asian"]
    assert pd.isna(row["smallest_detectable"])
    assert row["note"] == "not estimable: 4 speakers, at least 5 needed"


def test_a_check_in_another_unit_says_why_it_has_no_power() -> None:
    shifts = of_checks(CLIPS).loc["S2F008", "rendered against ceiling or portrait, same speakers", :]
    assert list(shifts.index) == ["asian", "white"] and shifts["n_speakers"].tolist() == [40, 60]
    assert shifts["smallest_detectable"].isna().all()
    assert set(shifts["note"]) == {"computed for rates, not for degrees, whose variance between speakers is not known"}


def test_flips_need_two_clips_of_each_language() -> None:
    once = CLIPS[~(CLIPS.duplicated() & (CLIPS["language"] == "zh"))]
    key = ("S2F002", "two languages against one, same speakers", "asian")
    assert of_checks(CLIPS).loc[key, "n_speakers"] == 40
    assert of_checks(once).loc[key, "n_speakers"] == 0


def test_the_audit_carries_the_same_table() -> None:
    run = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 20})
    pd.testing.assert_frame_equal(
        audit.measure(run).tables["power"].frame,
        detectable(run.observations, shipped(), margins_of(shipped()), Settings()),
    )
