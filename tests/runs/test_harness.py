"""The harness: every clip becomes one observation, whatever happens on the way."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest

import audit
from audit.core.arrays import Picture
from audit.core.plan import MeasureSettings, Plan, RunSettings
from tests.fakes import ColourInstrument, LoudnessModel

MakeCohort = Callable[..., Path]


def run(cohort: Path, out: Path, model: LoudnessModel | None = None, **settings: int) -> audit.Run:
    return audit.run(
        audit.Cohort.read(cohort),
        model=model or LoudnessModel(),
        instrument=ColourInstrument(),
        out=out,
        settings=RunSettings(**settings),
    )


def test_every_clip_is_read_at_three_stages(make_cohort: MakeCohort, tmp_path: Path) -> None:
    seen = run(make_cohort(), tmp_path / "run").observations.set_index("clip_id")
    assert len(seen) == 16
    assert set(seen["status"]) == {"ok"}
    assert list(seen.loc["s0-en", ["portrait_race", "ceiling_race", "rendered_race"]]) == ["asian", "asian", "white"]
    assert list(seen.loc["s0-zh", ["portrait_race", "ceiling_race", "rendered_race"]]) == ["asian", "asian", "asian"]
    assert seen.loc["s0-en", "rendered_similarity"] == pytest.approx(0.36)
    assert seen.loc["s0-zh", "rendered_similarity"] == pytest.approx(1.0)


@pytest.mark.parametrize("part", [1, 3, 64])
def test_results_do_not_depend_on_the_length_of_a_part(make_cohort: MakeCohort, tmp_path: Path, part: int) -> None:
    cohort = make_cohort()
    one, other = run(cohort, tmp_path / "one", part=5), run(cohort, tmp_path / "other", part=part)
    pd.testing.assert_frame_equal(one.observations, other.observations)


def test_a_portrait_is_read_once_however_many_clips_its_speaker_has(make_cohort: MakeCohort, tmp_path: Path) -> None:
    instrument = ColourInstrument()
    audit.run(
        audit.Cohort.read(make_cohort()),
        model=LoudnessModel(),
        instrument=instrument,
        out=tmp_path / "run",
        settings=RunSettings(part=2),
    )
    assert instrument.pictures_read == 8 + 8 * 2  # eight portraits, and in each of eight parts two rendered faces


def test_observations_are_read_on_first_use(make_cohort: MakeCohort, tmp_path: Path) -> None:
    made = run(make_cohort(), tmp_path / "run")
    assert made.held is None
    assert made.complete
    pd.testing.assert_frame_equal(made.observations, audit.Run.read(tmp_path / "run").observations)


def test_parts_are_joined_while_they_are_read(
    make_cohort: MakeCohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = run(make_cohort(), tmp_path / "run", part=3)
    monkeypatch.setattr("audit.runs.run._AT_ONCE", 7)
    again = audit.Run.read(tmp_path / "run")
    pd.testing.assert_frame_equal(again.observations, made.observations)
    assert again.digest == made.digest


def test_a_clip_on_which_the_model_fails_costs_only_itself(make_cohort: MakeCohort, tmp_path: Path) -> None:
    seen = run(make_cohort(), tmp_path / "run", LoudnessModel(raise_on=0.3)).observations
    failed = seen[seen["language"] == "en"]
    assert set(failed["status"]) == {"model_error"}
    assert failed["detail"].str.contains("FloatingPointError: a planted failure").all()
    assert failed["rendered_race"].isna().all()
    assert failed["portrait_race"].notna().all()
    assert set(seen[seen["language"] == "zh"]["status"]) == {"ok"}


def test_why_a_model_has_no_ceiling_stands_in_the_detail(make_cohort: MakeCohort, tmp_path: Path) -> None:
    class Ceilingless(LoudnessModel):
        def ceiling(self, portraits: Sequence[Picture]) -> list[Picture | None]:
            if any(portrait[-1, -1, 0] == 20 for portrait in portraits):  # an Asian face of the fakes
                raise FloatingPointError("a planted failure")
            return super().ceiling(portraits)

    seen = run(make_cohort(), tmp_path / "run", Ceilingless()).observations
    failed = seen["group"] == "asian"
    assert set(seen["status"]) == {"ok"}
    assert set(seen.loc[failed, "detail"]) == {"ceiling: FloatingPointError: a planted failure"}
    assert set(seen.loc[failed, "ceiling_status"]) == {"missing"}
    assert set(seen.loc[~failed, "detail"]) == {""}


def test_the_same_command_again_goes_on_where_it_stopped(make_cohort: MakeCohort, tmp_path: Path) -> None:
    cohort = make_cohort()
    unbroken = run(cohort, tmp_path / "unbroken", part=4)
    broken = tmp_path / "broken"
    run(cohort, broken, part=4)
    (broken / "observations" / "part-000002.parquet").unlink()
    (broken / "observations" / "part-000003.parquet").write_bytes(b"PAR1 cut off")
    model = LoudnessModel()
    again = run(cohort, broken, model, part=4)
    assert model.heard == 8
    pd.testing.assert_frame_equal(again.observations, unbroken.observations)
    assert again.digest == unbroken.digest


def test_the_stored_plan_is_the_last_one_used(make_cohort: MakeCohort, tmp_path: Path) -> None:
    """Who runs again and asks for small cells to be suppressed does not find them published by the next measuring."""
    cohort, out = audit.Cohort.read(make_cohort()), tmp_path / "run"
    for plan in (Plan(), Plan(measure=MeasureSettings(suppress_below=5)), None):
        audit.run(cohort, model=LoudnessModel(), instrument=ColourInstrument(), out=out, plan=plan)
    assert Plan.read(out / "plan.toml").measure.suppress_below == 5
    assert audit.Run.read(out).manifest["plan"] == (out / "plan.toml").read_text(encoding="utf-8")


def test_a_folder_of_another_run_is_refused(make_cohort: MakeCohort, tmp_path: Path) -> None:
    run(make_cohort(name="one"), tmp_path / "run")
    with pytest.raises(audit.RunError, match="another run: its cohort was digest"):
        run(make_cohort(6, name="two"), tmp_path / "run")
    with pytest.raises(audit.RunError, match="its settings was seed 0, now it is seed 1"):
        run(make_cohort(name="one"), tmp_path / "run", seed=1)


def test_a_run_changed_afterwards_is_refused(make_cohort: MakeCohort, tmp_path: Path) -> None:
    run(make_cohort(), tmp_path / "run")
    part = tmp_path / "run" / "observations" / "part-000000.parquet"
    frame = pd.read_parquet(part)
    frame["rendered_race"] = "asian"
    frame.to_parquet(part)
    with pytest.raises(audit.RunError, match="was changed after the run"):
        audit.Run.read(tmp_path / "run")


def test_a_part_that_is_none_of_the_runs_is_neither_read_nor_signed(make_cohort: MakeCohort, tmp_path: Path) -> None:
    cohort = make_cohort()
    run(cohort, tmp_path / "run", part=4)
    part = tmp_path / "run" / "observations" / "part-000000.parquet"
    stray = part.with_name("part-000009.parquet")
    shutil.copy(part, stray)
    with pytest.raises(audit.RunError, match=r"other parts than its manifest names: part-000009\.parquet"):
        audit.Run.read(tmp_path / "run")
    with pytest.raises(audit.RunError, match=r"parts that are not of this run: part-000009\.parquet.*the 4 parts"):
        run(cohort, tmp_path / "run", part=4)
    stray.unlink()
    assert len(run(cohort, tmp_path / "run", part=4).observations) == 16


def test_a_duplicate_clip_is_refused_though_the_run_is_not_complete(make_cohort: MakeCohort, tmp_path: Path) -> None:
    run(make_cohort(), tmp_path / "run", part=4)
    manifest = tmp_path / "run" / "manifest.json"
    told = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**told, "status": "running", "parts": {}}))
    part = tmp_path / "run" / "observations" / "part-000001.parquet"
    shutil.copy(part, part.with_name("part-000009.parquet"))
    with pytest.raises(audit.RunError, match="has 4 clips more than once, for example 's"):
        audit.Run.read(tmp_path / "run")
