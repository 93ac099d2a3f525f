"""All that the package ``audit_extras`` adds, from a download to the gate, by its entry points alone."""

from __future__ import annotations

import json
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import audit
from audit.cli import main
from audit.cohorts.importing import embedded
from audit.core.attributes import attributes
from audit.core.pictures import read_picture
from tests.conftest import tone
from tests.fakes import fake_face
from tests.glasses import wear_glasses

FOLDER = Path(__file__).parent
POLICY = """schema = 1
name = "extras"
evidence.allow = ["planted_model", "simulated", "shared_audio", "shared_portrait", "baseline_is_run", "unpinned"]
checks = ["own_group"]
[[rule]]
id = "own-group"
check = "XTR001"
limit = {limit}
min_speakers = 5
"""
PLAN = """[cohort]
path = "cohort"
[model]
name = "{model}"
[instrument]
name = "tests.glasses:GlassesInstrument"
[engine]
cache = "none"
[measure]
checks = ["own_group"]
metrics = ["certainty"]
tables = ["glasses_worn"]
resamples = 200
[measure.margins]
XTR001 = 0.2
XTR002 = 0.3
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> object:
    """The package as an installer leaves it: importable, and its entry points in a dist-info folder."""
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text("utf-8"))["project"]
    site = tmp_path_factory.mktemp("site")
    (site / "audit_extras").symlink_to(FOLDER / "audit_extras", target_is_directory=True)
    info = site / f"audit_extras-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: audit-extras\nVersion: {project['version']}\n")
    lines = [
        line
        for group, points in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()), "")
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        attributes.cache_clear()
        yield project
    attributes.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "audit_extras"]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def work(installed: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a download of the studio: two groups, two languages, every second Asian speaker with glasses."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "studio" / "faces").mkdir(parents=True)
    rows = []
    for number in range(12):
        group, gender = ("asian", "white")[number % 2], ("woman", "man")[number // 2 % 2]
        face, worn = fake_face(group, gender, 30 + number), number % 4 == 0
        Image.fromarray(wear_glasses(face) if worn else face).save(folder / "studio" / "faces" / f"p{number}.png")
        rows.append((f"p{number}", group, gender, 30 + number, "with" if worn else "without"))
        for language in ("en", "zh"):  # loud: the fake model shows a white man
            tone(folder / "studio" / "voices" / f"p{number}-{language}.wav", level=0.3, seconds=1.2)
    columns = ["speaker_id", "group", "gender", "age", "glasses"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "studio" / "people.csv", index=False)
    return folder


def command(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str]:
    """The exit code and the output of a command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["audit", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
    out, err = capsys.readouterr()
    return int(end.value.code or 0), out if end.value.code != 2 else err


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("checks", "own_group"),
        ("metrics", "certainty"),
        ("datasets", "studio"),
        ("attributes", "glasses"),
        ("similarity", "Colour"),
        ("tables", "glasses_worn"),
    ],
)
def test_audit_list_shows_it(installed: object, capsys: pytest.CaptureFixture[str], what: str, name: str) -> None:
    code, out = command(capsys, "list", what, "--json")
    assert code == 0
    assert json.loads(out)[name].startswith("from audit_extras.")
    assert command(capsys, "list", what)[1].count(name) >= 1


def test_every_entry_point_is_found(installed: dict[str, dict[str, dict[str, str]]]) -> None:
    for group, points in installed["entry-points"].items():
        for name in points:
            (point,) = entry_points(group=group, name=name)
            assert point.load() is not None


def test_the_package_is_used_from_the_download_to_the_gate(
    work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(work)
    # adapter: from the download to a cohort
    code, out = command(capsys, "cohort", "import", "studio", "studio", "-o", "cohort", "--json")
    assert (code, json.loads(out)["n_speakers"], json.loads(out)["n_clips"]) == (0, 12, 24)

    # attribute, check, metric and table: from pictures to the report
    for name, model in (("before", "planted"), ("after", "tests.fakes:LoudnessModel")):
        (work / f"{name}.toml").write_text(PLAN.format(model=model))
        code, out = command(capsys, "run", f"{name}.toml", "-o", name)
        assert code == 0, out
        assert "XTR001" in out
    seen = audit.Run.read("after").observations
    assert seen.groupby("group")["portrait_glasses_with"].mean().to_dict() == {"asian": 0.5, "white": 0.0}
    assert set(seen["rendered_glasses"]) == {"without"}
    words = ("--check", "own_group", "--metric", "certainty", "--table", "glasses_worn")
    code, out = command(capsys, "measure", "after", *words, "--json")
    result = audit.Audit.from_json(out)
    certainty = result.finding("XTR002")
    assert certainty.threshold == 0.3 and {"asian.own", "white.own"} <= {*certainty.estimates}
    defined = result.tables["metric_definitions"].frame.set_index("metric")
    assert defined.loc["certainty", "label"] == "certainty of the race read"
    finding = result.finding("XTR001")
    assert (code, finding.outcome, finding.group, finding.threshold) == (0, "shown", "asian", 0.2)
    assert finding.estimate is not None and finding.estimate.text.startswith("\N{MINUS SIGN}100 points")
    worn = result.tables["glasses_worn"].frame.set_index("group")
    assert worn["worn"].to_dict() == {"asian": 0.5, "white": 0.0}
    assert worn["lost"].to_dict() == {"asian": -0.5, "white": 0.0}
    power = result.tables["power"].frame
    assert power.loc[power["check"] == "XTR001", "group"].tolist() == ["asian", "white"]
    page = (work / "after" / "report.html").read_text("utf-8")
    for words in (
        "Read as their own group less often in some groups",  # the check
        "Glasses read as labelled",  # the attribute
        "Certainty of the race read",  # the metric
        "Worn in the portrait",  # the table's own column
        "\N{MINUS SIGN}50 points",
    ):
        assert words in page, words
    assert (work / "after" / "tables" / "glasses_worn.csv").is_file()

    # check: comparison and gate
    assert command(capsys, "compare", "before", "after", "-o", "comparison")[0] == 0
    changes = {
        change.group: change.word
        for change in audit.Comparison.read("comparison").checks
        if change.figure == "XTR001" and not change.headline
    }
    assert changes["asian"] == "pays"
    for limit, model, expected in ((0.05, "after", 10), (0.9, "before", 0)):
        (work / "policy.toml").write_text(POLICY.format(limit=limit))
        code, out = command(capsys, "gate", model, "--policy", "policy.toml")
        assert code == expected, out
        assert "XTR001" in out


def test_the_similarity_model_is_used_by_the_embedded_instrument(installed: object) -> None:
    cohort = audit.Cohort.read(embedded("synthetic_bilingual"))
    picture = read_picture(cohort.root / cohort.table["portrait"].iloc[0]).pixels
    assert picture is not None
    reader = audit.instrument("embedded", similarity=["Colour"])
    feature = reader.read([picture])[0].embeddings["Colour"]
    assert feature.shape == (3,) and np.linalg.norm(feature) == pytest.approx(1)
