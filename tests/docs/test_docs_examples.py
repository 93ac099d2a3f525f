"""Every example in the README and the docs: run here or in the page's own test, parsed, or marked as not run.

Python is run, or a comment above it says why not; even then its names and arguments are checked. Commands are parsed by
the command itself; those of the pages in ``RUN`` are run too. TOML is read by its class.
"""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import audit
from audit.cli import app
from audit.cohorts.importing.adapter import read_download
from audit.cohorts.notes import CohortNotes
from audit.core.pictures import read_picture
from audit.core.plan import Plan
from audit.instruments.protocol import attribute_names
from audit.release import Policy
from audit.runs.simulation.truth import Truth
from audit.testing import assert_audit
from audit.training.plan import TrainPlan
from tests.conftest import ROOT, tone
from tests.pages import PAGES, Block, blocks, of, small_cohort, standing_in

BLOCKS = [block for page in PAGES for block in blocks(page)]
KINDS = ("python", "sh", "toml", "text", "pycon")
"""What a fence may hold: text is what something printed, pycon a docstring's example, which the doctests run."""
ELSEWHERE = {
    "docs/guide/own-model.md": "test_own_model_page.py",
    "docs/guide/datasets.md": "test_datasets_page.py",
    "datasets/cards/edacc.md": "test_by_folder.py",
    "docs/guide/models/cross-modal-perceptionist.md": "test_public_model_pages.py",
    "docs/guide/models/voicestyle.md": "test_public_model_pages.py",
}
"""Pages whose own test runs all of their Python and commands."""
COMMANDS = typer.main.get_command(app)
RELEASE_POLICY = ROOT / "docs" / "guide" / "release-policy.toml"
OF_A_TRAINING = '[data]\ncohort = "synthetic_bilingual/training"\n'


def named(block: Block) -> str:
    return f"{block.page}:{block.line}"


def having(*kinds: str) -> list[Block]:
    return [block for block in BLOCKS if block.kind in kinds]


# what is on the pages


def test_every_example_has_a_language() -> None:
    assert [named(block) for block in BLOCKS if block.kind not in KINDS] == []
    strays = [
        f"{page.name}: {line}"
        for page in PAGES
        for line in re.sub(r"(?ms)^ *```.*?^ *```$", "", page.read_text(encoding="utf-8")).splitlines()
        if re.match(r" {4,}(audit|python|pip|make) ", line) and "build" not in page.parts
    ]
    assert strays == [], "commands belong in fences, where they are checked"


def test_every_python_example_is_run_or_has_a_reason_not_to() -> None:
    pages = {block.page for block in having("python") if not block.reason}
    assert pages == {*RUN, *ELSEWHERE} - {page for page in ELSEWHERE if not of(page, "python")}
    marked = Counter(block.kind for block in BLOCKS if block.reason)
    assert marked == {"python": 3, "sh": 1}, "another example is not run"


# Python


@pytest.mark.parametrize("block", having("python"), ids=named)
def test_names_and_arguments_exist(block: Block) -> None:
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "audit":
            assert hasattr(audit, node.attr), f"audit.{node.attr}"
        if isinstance(node, ast.Call) and re.fullmatch(r"audit(\.\w+)+", ast.unparse(node.func)):
            called = eval(ast.unparse(node.func), {"audit": audit})
            keywords = {word.arg: None for word in node.keywords if word.arg}
            inspect.signature(called).bind(*[None] * len(node.args), **keywords)


# commands


def variants(line: str) -> list[list[str]]:
    """A command with and without its optional parts; the first of alternatives."""
    if "[" not in line:
        return [shlex.split(line, comments=True)]
    full = re.sub(r"\|[^\s\]]+", "", line).replace("[", "").replace("]", "").replace("...", "")
    return [shlex.split(re.sub(r"\[[^\]]*\]", "", line), comments=True), shlex.split(full, comments=True)]


def parsed(words: list[str]) -> None:
    """Let the command parse its words without running; N and K are replaced by a number."""
    context = COMMANDS.make_context("audit", ["1" if word in ("N", "K") else word for word in words])
    while hasattr(context.command, "resolve_command"):  # a group; of what click, typer keeps to itself
        _, command, rest = context.command.resolve_command(context, [*context._protected_args, *context.args])
        assert command is not None
        context = command.make_context(command.name, rest, parent=context)


@pytest.mark.parametrize("line", ["run --nope", "nope", "gate", "cohort import folder", "measure R --no"])
def test_unknown_options_and_commands_are_detected(line: str) -> None:
    with pytest.raises(Exception, match=r"No such|Missing|not a valid"):
        parsed(shlex.split(line))


VERBS = "attest|run|measure|report|compare|gate|probe|sheet|simulate|train|track|list|cohort"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_in_sentences_exist(page: Path) -> None:
    """Required arguments may be missing, but every command and option exists."""
    prose = re.sub(r"(?ms)^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"))
    for line in re.findall(rf"`audit ((?:{VERBS})\b[^`]*)`", prose):
        try:
            parsed(shlex.split(line.removesuffix("...")))
        except Exception as error:  # noqa: BLE001  # of the click that typer keeps to itself
            assert re.search(r"Missing|requires an argument", str(error)), (line, str(error))


@pytest.mark.parametrize(("where", "line"), [(named(block), line) for block in having("sh") for line in block.lines])
def test_commands_can_be_parsed(where: str, line: str) -> None:
    for words in variants(line):
        match words:
            case ["audit", *rest]:
                parsed(rest)
            case ["make", target]:
                assert re.search(rf"(?m)^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"))
            case ["pip", "install", *_]:
                extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
                asked = re.findall(r"\[(\w+)\]", line)
                assert set(asked) <= set(extras)
            case ["python", "-m", module, *options]:
                file = ROOT / (module.replace(".", "/") + ".py")
                assert all(option in file.read_text(encoding="utf-8") for option in options if option[:1] == "-")
            case ["python", script, *options]:
                page = where.split(":", maxsplit=1)[0]
                if not any(block.text.startswith(f"# {script}\n") for block in of(page, "python")):
                    source = (ROOT / script).read_text(encoding="utf-8")
                    assert all(option in source for option in options if option[:1] == "-")
            case _:
                raise AssertionError(f"{where}: nothing here knows {line!r}")


# TOML


def read_as(block: Block) -> object:
    """The TOML of a page, read by its class."""
    text = block.text
    if "project.entry-points" in text:
        return tomllib.loads(text)["project"]["entry-points"]
    match block.page:
        case "docs/guide/own-check.md" | "docs/guide/own-metric.md" if "schema" in text:
            return tomllib.loads(text)  # a policy with a third-party check, which the page's function below runs
        case "docs/guide/gate.md" | "docs/guide/attest.md":
            whole = text if "schema" in text else f'schema = 1\nname = "a part"\n{text}'
            return Policy.parse(whole, named(block))
        case "docs/guide/pins.md":
            rule = '[[rule]]\nid = "white"\ncheck = "S2F001"\nlimit = 0.1\n'
            return Policy.parse(f'schema = 1\nname = "a part"\n{text}\n{rule}', named(block))
        case "docs/guide/exit-11.md":  # a waiver, for the policy of the worked example
            return Policy.parse(f"{RELEASE_POLICY.read_text(encoding='utf-8')}\n{text}", named(block))
        case "docs/guide/simulate.md":
            return Truth.of(tomllib.loads(text))
        case "docs/guide/mitigations.md" | "docs/reference/speech2face.md":
            shipped = tomllib.loads(
                (ROOT / "audit" / "core" / "plans" / "train-small-gap.toml").read_text(encoding="utf-8")
            )
            return TrainPlan.model_validate(shipped | tomllib.loads(text))
        case "docs/guide/any-group.md" if "[categories]" in text:
            return CohortNotes.model_validate(tomllib.loads(text))
        case _:
            return Plan.parse(text, named(block))


@pytest.mark.parametrize("block", having("toml"), ids=named)
def test_toml_is_read_by_its_class(block: Block) -> None:
    assert read_as(block)


# what is run


def do(block: Block, space: dict[str, object]) -> None:
    """Run an example in the current folder; a file has its name in its first line."""
    file = re.match(r"# ([\w-]+\.py)\n", block.text)
    if file is not None:
        Path(file[1]).write_text(block.text, encoding="utf-8")
    elif block.kind == "python":
        exec(compile(block.text, named(block), "exec"), space)
    elif block.kind == "sh":
        for line in block.lines:
            words = variants(line)[0]
            if words[0] == "python":
                exec(compile(Path(words[1]).read_text(encoding="utf-8"), words[1], "exec"), {"__name__": "__main__"})
            else:
                assert words[0] == "audit", line
                done = CliRunner().invoke(app, words[1:], catch_exceptions=False)
                assert done.exit_code == 0, (line, done.output)


def readme(place: Path) -> None:
    small_cohort(place / "people", rendered="portraits")
    space: dict[str, object] = {}
    do(of("README.md", "python")[0], space)
    assert isinstance(space["result"], audit.Audit) and Path("reports", "mine").is_dir()


def first_steps(place: Path) -> None:
    for block in of("docs/guide/first-steps.md", "python", "sh")[1:]:
        do(block, {})
    assert {"mine-run/report.html", "my-run/report.html"} <= {path.as_posix() for path in Path().glob("*/report.html")}
    shown = audit.Run.read("my-run").observations
    assert len(shown) == 24 and (shown["status"] == "no_face").all()


def compare(place: Path) -> None:
    truth = {"groups": ["asian", "white"], "speakers_per_group": 20}
    audit.simulate(truth | {"rendered": {"asian": {"en": {"white": 0.9}}}}, out="BEFORE")
    audit.simulate(truth, out="AFTER")
    space: dict[str, object] = {"audit": audit}
    command, python, *_ = of("docs/guide/compare.md", "sh", "python")
    do(python, space)
    do(command, space)
    assert Path("COMPARISON", "comparison.html").is_file() and isinstance(space["comparison"], audit.Comparison)


def gate(place: Path) -> None:
    for name in ("candidate", "released"):
        audit.simulate({"groups": ["asian"], "speakers_per_group": 80}, out=Path("reports", name))
    Path("policy.toml").write_text(
        'schema = 1\nname = "small"\nevidence.allow = ["simulated", "baseline_is_run", "unpinned"]\n'
        '[[rule]]\nid = "as-white"\ncheck = "S2F001"\nfigure = "excess_over_portrait"\n'
        'side = "at_most"\nlimit = 0.10\n',
        encoding="utf-8",
    )
    do(of("docs/guide/gate.md", "sh")[0], {})
    assert all(Path(name).is_file() for name in ("gate.xml", "gate.sarif", "gate.md"))
    space: dict[str, Callable[..., None]] = {}
    do(of("docs/guide/gate.md", "python")[0], space)  # type: ignore[arg-type]  # it holds functions once it has run
    space["test_the_release"](assert_audit)


def draw(place: Path) -> None:
    space: dict[str, object] = {"audit": audit}
    do(of("docs/guide/draw.md", "python")[0], space)
    assert len(space["cohort"].clips) == 8  # type: ignore[attr-defined]  # a Cohort


def known_truth(place: Path) -> None:
    command, python, toml, *_ = of("docs/guide/simulate.md", "sh", "python", "toml")
    Path("truth.toml").write_text(toml.text, encoding="utf-8")
    do(command, {})
    space: dict[str, object] = {"audit": audit}
    do(python, space)
    assert space["run"].digest == audit.Run.read("R").digest  # type: ignore[attr-defined]  # a Run


def objects(place: Path) -> None:
    space: dict[str, object] = {}
    do(of("docs/guide/python.md", "python")[0], space)
    space["plt"].close("all")  # type: ignore[attr-defined]  # the module
    pages = ("report/report.html", "comparison/comparison.html", "decision/decision.md")
    assert all(Path(page).is_file() for page in pages)


def history(place: Path) -> None:
    run = audit.simulate({"groups": ["asian"], "speakers_per_group": 8})
    space: dict[str, object] = {"audit": audit, **dict.fromkeys(("first", "second", "third"), run)}
    do(of("docs/guide/history.md", "python")[0], space)
    assert isinstance(space["history"], audit.History) and not space["history"].marked


def recommendations(place: Path) -> None:
    use, rule = of("docs/guide/recommendations.md", "python")
    do(use, {})
    Path("lab_rules.py").write_text(rule.text, encoding="utf-8")
    lost = {"asian": {"en": {"white": 0.9}}}
    run = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 40, "rendered": lost})
    found = audit.recommend(audit.measure(run), ["lab_rules:RULE"])
    assert "Ask asian speakers whether they agree to such pictures." in [each.text for each in found]


def method(place: Path) -> None:
    space: dict[str, object] = {}
    do(of("docs/reference/method.md", "python")[0], space)
    assert space["frame"].by_group["right"].to_dict() == {"asian": 0.75, "white": 1.0}  # type: ignore[attr-defined]


def own_table(place: Path) -> None:
    Path("lab_tables.py").write_text(of("docs/guide/own-table.md", "python")[0].text, encoding="utf-8")
    run = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 6})
    made = audit.measure(run, tables=["lab_tables:OWN_GROUP_READS"]).tables["own_group_reads"]
    assert made.frame["value"].tolist() == [1.0, 1.0]


def own_check(place: Path) -> None:
    block, reference = of("docs/guide/own-check.md", "python")
    Path("lab_checks.py").write_text(block.text, encoding="utf-8")
    truth = {"groups": ["asian", "white"], "speakers_per_group": 40, "languages": ["en", "zh"]}
    before = audit.simulate(truth | {"rendered": {"asian": {"en": {"white": 0.8}}}}, out="BEFORE")
    after = audit.simulate(truth, out="AFTER")
    plan, policy, _ = of("docs/guide/own-check.md", "toml")
    settings = Plan.parse(plan.text, named(plan)).measure
    result = audit.measure(before, checks=settings.checks, with_tables=False)
    finding = result.finding("LAB001")
    assert finding.outcome == "shown" and finding.estimate is not None and finding.estimate.unit == "share"
    assert audit.measure(after, checks=settings.checks, with_tables=False).finding("LAB001").outcome == "not_shown"
    Path("policy.toml").write_text(policy.text, encoding="utf-8")
    assert audit.gate(before, policy="policy.toml").exit_code == 10
    space: dict[str, object] = {}
    do(reference, space)
    assert len(space["found"]) == 4 * 2  # type: ignore[arg-type]  # a frame: four models, two sizes


def own_metric(place: Path) -> None:
    (block,) = of("docs/guide/own-metric.md", "python")
    Path("lab_metrics.py").write_text(block.text, encoding="utf-8")
    plan, policy, _ = of("docs/guide/own-metric.md", "toml")
    run = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 80})
    result = audit.measure(run, settings=Plan.parse(plan.text, named(plan)).measure, with_tables=False)
    finding = result.finding("LAB-OLDER")
    assert (finding.outcome, finding.threshold) == ("not_shown", 0.15)
    Path("policy.toml").write_text(policy.text, encoding="utf-8")
    assert audit.gate(run, policy="policy.toml").exit_code == 0


def own_attribute(place: Path) -> None:
    files, use = of("docs/guide/own-attribute.md", "python")
    Path("lab_attributes.py").write_text(files.text, encoding="utf-8")
    space: dict[str, object] = {}
    do(use, space)
    instrument = space["instrument"]
    assert "lab_attributes:BRIGHTNESS" in attribute_names(instrument)  # type: ignore[arg-type]  # an instrument
    cohort = audit.Cohort.read(audit.embedded("synthetic_bilingual"))
    picture = read_picture(cohort.root / cohort.table["portrait"].iloc[0]).pixels
    (reading,) = instrument.read([picture])  # type: ignore[attr-defined]
    assert 0 < reading.attributes["brightness"] < 255


def own_similarity_model(place: Path) -> None:
    files, use = of("docs/guide/own-similarity-model.md", "python")
    Path("lab_similarity.py").write_text(files.text, encoding="utf-8")
    space: dict[str, object] = {}
    do(use, space)
    assert space["instrument"].similarity_models == ("FaceRes", "Colour")  # type: ignore[attr-defined]


def own_detector(place: Path) -> None:
    files, use = of("docs/guide/own-detector.md", "python")
    Path("lab_detector.py").write_text(files.text, encoding="utf-8")
    space: dict[str, object] = {}
    do(use, space)
    instrument = space["instrument"]
    (reading,) = instrument.read([np.full((64, 64, 3), 128, np.uint8)])  # type: ignore[attr-defined]
    assert (reading.status, reading.faces) == ("ok", 1)


def own_adapter(place: Path) -> None:
    (block,) = of("docs/guide/own-adapter.md", "python")
    Path("lab_adapter.py").write_text(block.text, encoding="utf-8")
    tone(place / "HOSPITAL" / "ann" / "1.wav")
    found = read_download("lab_adapter:read_hospital", place / "HOSPITAL", {"language": "es"})
    assert found.clips["clip_id"].tolist() == ["ann/1"] and found.remarks == ("The language es is assumed.",)


RUN: dict[str, Callable[[Path], None]] = {
    "README.md": readme,
    "docs/guide/first-steps.md": first_steps,
    "docs/guide/compare.md": compare,
    "docs/guide/draw.md": draw,
    "docs/guide/gate.md": gate,
    "docs/guide/simulate.md": known_truth,
    "docs/reference/method.md": method,
    "docs/guide/own-adapter.md": own_adapter,
    "docs/guide/own-attribute.md": own_attribute,
    "docs/guide/own-check.md": own_check,
    "docs/guide/own-detector.md": own_detector,
    "docs/guide/own-metric.md": own_metric,
    "docs/guide/own-similarity-model.md": own_similarity_model,
    "docs/guide/own-table.md": own_table,
    "docs/guide/python.md": objects,
    "docs/guide/history.md": history,
    "docs/guide/recommendations.md": recommendations,
}
"""How the examples of a page are run, after preparing what the page assumes."""


@pytest.mark.parametrize("page", RUN)
def test_the_examples_of_a_page_run(page: str, tmp_path: Path) -> None:
    with standing_in(tmp_path):
        RUN[page](tmp_path)
