"""What an audit says of the videos and sessions that clips share, and that it names none of them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import audit
from audit.audits.cohort_check import check_cohort
from audit.audits.privacy.sharing import withheld
from audit.audits.table import Column, Table
from audit.audits.tables.spec import TableSpec
from audit.core.clusters import Clusters
from audit.reports import write_report

TRUTH = {"groups": ["asian", "white"], "speakers_per_group": 8, "clips_per_language": 2}
ASSUMED = (
    "No clip names the video, session or source voice it comes from, so intervals assume that different speakers are "
    "independent."
)
VIDEOS = TableSpec(
    "videos",
    "Videos",
    "",
    (Column("cluster", "cluster", "Video"), Column("n_clips", "count", "Clips")),
    lambda source: source.evidence.frame.groupby("cluster", observed=True).size().rename("n_clips").reset_index(),
)


def facts_of(result: audit.Audit) -> dict[str, int]:
    found = result.run["clusters"]
    assert isinstance(found, dict)
    return found


def clips_of(speakers: str, clusters: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame({"speaker_id": [*speakers], "cluster": clusters})


def test_the_clusters_of_clips_are_counted() -> None:
    found = Clusters.of(clips_of("aabbcd", ["u", "v", "u", "", None, "w"]))
    assert found.model_dump() == {
        "n_speakers": 4,
        "n_clips": 6,
        "n_unnamed": 2,
        "n_clusters": 3,
        "n_shared": 1,
        "largest": 2,
    }
    assert found.sentence == (
        "The clips of 4 speakers come from 3 named videos, sessions or source voices; 1 of them has clips of several "
        "speakers, the largest of 2; intervals allow for what such speakers share. 2 of 6 clips name none: for these, "
        "different speakers are assumed to be independent."
    )


def test_clusters_of_one_speaker_each_need_no_allowance() -> None:
    found = Clusters.of(clips_of("aab", ["u", "v", "w"]))
    assert "none of them has clips of several speakers, so intervals over speakers need no further" in found.sentence


@pytest.mark.parametrize("clusters", [None, ["", "", ""], [None, None, None]])
def test_without_clusters_the_assumption_is_stated(clusters: list[str | None] | None) -> None:
    clips = clips_of("aab", clusters) if clusters else clips_of("aab", [""] * 3).drop(columns="cluster")
    assert Clusters.of(clips).sentence == ASSUMED
    assert not Clusters.of(clips).warning


@pytest.mark.parametrize(
    ("speakers", "in_one", "too_large"),
    [
        (4, 4, False),
        (16, 4, False),
        (5, 5, True),
        (20, 5, False),
        (19, 5, True),
        (400, 19, False),
        (400, 20, True),
        (800, 39, False),
        (800, 40, True),
    ],
)
def test_a_cluster_of_very_many_speakers_is_reported(speakers: int, in_one: int, too_large: bool) -> None:
    clips = pd.DataFrame({"speaker_id": range(speakers)})
    found = Clusters.of(clips.assign(cluster=["one" if i < in_one else str(i) for i in range(speakers)]))
    assert bool(found.warning) is too_large
    assert (f"One cluster has clips of {in_one} of {speakers} speakers" in found.warning) is too_large


def test_the_check_of_a_cohort_says_what_is_known_of_clusters(tmp_path: Path) -> None:
    rows = [f"c{i},s{i},{i}.wav,en,all" for i in range(6)]
    (tmp_path / "clips.csv").write_text("\n".join(["clip_id,speaker_id,audio,language,cluster", *rows]) + "\n")
    (tmp_path / "speakers.csv").write_text("speaker_id,group\n" + "".join(f"s{i},asian\n" for i in range(6)))
    warning, sentence = check_cohort(audit.Cohort.read(tmp_path)).notes
    assert warning.startswith("One cluster has clips of 6 of 6 speakers")
    assert sentence.startswith("The clips of 6 speakers come from 1 named videos, sessions or source voices; 1 of them")
    without = "\n".join(line.rpartition(",")[0] for line in (tmp_path / "clips.csv").read_text().splitlines())
    (tmp_path / "clips.csv").write_text(without)
    assert check_cohort(audit.Cohort.read(tmp_path)).notes == (ASSUMED,)


def test_audit_json_and_report_state_the_clusters_or_the_assumption(tmp_path: Path) -> None:
    for clusters, words in (({}, ASSUMED), ({"speakers_per_cluster": 2}, "8 of them have clips of several speakers")):
        result = audit.measure(audit.simulate(TRUTH | clusters))
        read = audit.Audit.from_json(result.to_json())
        assert facts_of(read)["n_shared"] == (8 if clusters else 0)
        page = write_report(read, tmp_path / f"{len(clusters)}").read_text(encoding="utf-8")
        assert words in page and "Videos, sessions, source voices." in page


def test_a_cluster_of_everybody_is_a_notice_of_the_run() -> None:
    notices = audit.measure(audit.simulate(TRUTH | {"speakers_per_cluster": 8}), with_tables=False).run["notices"]
    assert isinstance(notices, list)
    assert any("One cluster has clips of 8 of 16 speakers" in notice for notice in notices)


def test_no_cluster_is_named_in_what_is_shared(tmp_path: Path) -> None:
    run = audit.simulate(TRUTH | {"speakers_per_cluster": 2})
    names = set(run.observations["cluster"])
    result = audit.measure(run, tables=["tests.audits.test_clusters:VIDEOS"])
    write_report(result, tmp_path)
    for path in tmp_path.rglob("*.*"):
        assert not any(name in path.read_text(encoding="utf-8") for name in names), path
    assert not any(name in result.to_json() for name in names)
    shown = result.tables["videos"].frame["cluster"]
    assert shown.str.fullmatch("cluster [0-9a-f]{10}").all() and shown.nunique() == 8
    named = audit.with_ids(result, run)
    assert set(named.tables["videos"].frame["cluster"]) == names
    assert set(withheld(named.tables)["videos"].frame["cluster"]) == {"withheld"}


def test_a_clip_without_a_cluster_has_no_pseudonym() -> None:
    table = Table("Videos", "", pd.DataFrame({"cluster": ["u", "", None]}), (Column("cluster", "cluster"),))
    assert withheld({"videos": table})["videos"].frame["cluster"].tolist() == ["withheld", "", ""]


@pytest.mark.parametrize("column", ["cluster", "speaker_id", "clip_id"])
def test_a_column_that_identifies_people_does_not_stratify_an_audit(column: str) -> None:
    run = audit.simulate(TRUTH | {"speakers_per_cluster": 2})
    with pytest.raises(audit.PlanError, match=f"measure.by names {column}, whose values may identify people"):
        audit.measure(run, by=[column])


def test_an_audit_from_before_clusters_has_a_report(tmp_path: Path) -> None:
    result = audit.measure(audit.simulate(TRUTH))
    assert isinstance(result.run, dict)
    del result.run["clusters"]
    page = write_report(audit.Audit.from_json(result.to_json()), tmp_path).read_text(encoding="utf-8")
    assert "Videos, sessions, source voices." not in page
    with pytest.raises(audit.RunError, match="clusters"):
        audit.Audit.from_json(json_with(result, {"clusters": {"n_speakers": "many"}}))


def json_with(result: audit.Audit, facts: dict[str, object]) -> str:
    """The audit.json of a changed audit, with its digest."""
    assert isinstance(result.run, dict)
    result.run.update(facts)
    text = result.to_json()
    assert json.loads(text)["run"]["clusters"] == facts["clusters"]
    return text
