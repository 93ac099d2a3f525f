"""The recipes for continuous integration and the Dockerfile: their files exist, and their gate lines are run here."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import audit
from tests.conftest import ROOT
from tests.docs.test_docs_examples import parsed

RECIPES = ROOT / "docs" / "recipes"
GITHUB, GITLAB, JENKINS = (RECIPES / name for name in ("github-actions.yml", "gitlab-ci.yml", "Jenkinsfile"))
DOCKERFILE = ROOT / "Dockerfile"


def scripts(recipe: Path) -> dict[str, str]:
    """The shell scripts of a recipe, by job or stage, and name."""
    if recipe == JENKINS:
        stages = re.split(r"stage\('(\w+)'\)", recipe.read_text(encoding="utf-8"))
        found = zip(stages[1::2], stages[2::2], strict=True)
        return {
            name: "\n".join(map("".join, re.findall(r"'''(.*?)'''|sh '([^'\n]+)'", text, re.S))) for name, text in found
        }
    jobs = yaml.safe_load(recipe.read_text(encoding="utf-8"))
    if recipe == GITLAB:
        return {
            name: "\n".join(job["script"]) for name, job in jobs.items() if isinstance(job, dict) and "script" in job
        }
    return {
        f"{name} {step['name']}": step["run"]
        for name, job in jobs["jobs"].items()
        for step in job["steps"]
        if "run" in step
    }


def commands(recipe: Path) -> list[list[str]]:
    """The commands of a recipe's scripts that call git, pip or audit."""
    lines = "\n".join(scripts(recipe).values()).replace(".venv/bin/", "").splitlines()
    split = [shlex.split(line.partition("||")[0]) for line in lines if re.match(r"\s*(git|pip|audit) ", line)]
    return [words for words in split if words]


@pytest.mark.parametrize("recipe", [GITHUB, GITLAB, JENKINS], ids=lambda path: path.name)
def test_what_a_recipe_installs_and_calls_exists(recipe: Path) -> None:
    called = commands(recipe)
    assert {"git", "pip", "audit"} == {words[0] for words in called}
    for words in called:
        if words[0] == "audit":
            parsed(words[1:])
        for word in words[1:]:
            if re.match(r"(\./)?audit-source/", word):
                assert (ROOT / word.partition("audit-source/")[2]).exists(), word
        if words[:2] == ["pip", "install"]:
            flags = {"--requirement", "--constraint", "--extra-index-url"}
            given = [word for word in words[1:] if "TORCH_INDEX" not in word]  # an option of pip, where it is set
            named = [word for before, word in itertools.pairwise(given) if before not in flags and word[0] != "-"]
            assert set(named) <= {"./audit-source"}, "the package is on no index"


@pytest.mark.parametrize("recipe", [GITHUB, GITLAB, JENKINS], ids=lambda path: path.name)
def test_a_recipe_clones_this_project(recipe: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    cloned = re.findall(r"AUDIT_REPOSITORY\s*[:=]\s*'?(https://[^'\s]+)", recipe.read_text(encoding="utf-8"))
    assert len(cloned) == 1
    assert project["urls"]["Documentation"].startswith(f"{cloned[0]}/")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with a run whose asian speakers are rendered as white, and ``audit`` where the recipes expect it."""
    folder = tmp_path_factory.mktemp("repository")
    truth = {"groups": ["asian", "white"], "speakers_per_group": 12, "rendered": {"asian": {"en": {"white": 0.95}}}}
    audit.simulate(truth, out=folder / "candidate")
    (folder / ".venv" / "bin").mkdir(parents=True)
    command = folder / ".venv" / "bin" / "audit"
    command.write_text(f"#!{sys.executable}\nfrom audit.cli import main\nmain()\n", encoding="utf-8")
    command.chmod(0o755)
    return folder


def gated(recipe: Path, repository: Path, rule: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the gate's lines of a recipe, by ``bash -e`` as its service does, with a policy of one rule."""
    (repository / "policy.toml").write_text(
        'schema = 1\nname = "p"\n'
        'evidence.allow = ["simulated", "shared_audio", "shared_portrait", "baseline_is_run", "unpinned"]\n'
        f"{rule}",
        encoding="utf-8",
    )
    for left in repository.glob("gate.*"):
        left.unlink()
    lines = list(scripts(recipe).values())[-1].splitlines()
    first = next(number for number, line in enumerate(lines) if "audit gate" in line)
    first -= lines[first - 1].strip() == "code=0"
    path = f"{repository / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    summary = {"GITHUB_STEP_SUMMARY": str(repository / "step.md"), "PYTHONPATH": str(ROOT), "PATH": path}
    return subprocess.run(
        ["bash", "-e", "-c", "\n".join(lines[first:])],
        cwd=repository, capture_output=True, text=True, check=False, env=os.environ | summary | variables,
    )  # fmt: skip


BREACHED = '[[rule]]\nid = "white"\ncheck = "S2F001"\nlimit = 0.1\n'
UNDECIDED = '[[rule]]\nid = "white"\ncheck = "S2F001"\nlimit = 0.9\n'


def test_the_gate_of_github_fails_at_a_breach_and_writes_its_results(repository: Path) -> None:
    done = gated(GITHUB, repository, BREACHED)
    assert (done.returncode, "::error::A breach is shown." in done.stdout) == (10, True), done.stderr
    assert (repository / "step.md").read_text(encoding="utf-8") == (repository / "gate.md").read_text(encoding="utf-8")
    assert (repository / "gate.xml").is_file() and (repository / "gate.sarif").is_file()


def test_inconclusive_passes_on_github_only_where_a_variable_says_so(repository: Path) -> None:
    done = gated(GITHUB, repository, UNDECIDED, INCONCLUSIVE="warn")
    assert (done.returncode, "::warning::Inconclusive" in done.stdout) == (0, True), done.stderr
    assert yaml.safe_load(GITHUB.read_text(encoding="utf-8"))["env"]["INCONCLUSIVE"] == "fail"


def test_the_gate_of_gitlab_fails_with_the_code_of_the_gate(repository: Path) -> None:
    assert gated(GITLAB, repository, BREACHED).returncode == 10
    assert (repository / "gate.xml").is_file()


def test_the_gate_of_jenkins_fails_with_the_code_of_the_gate(repository: Path) -> None:
    assert gated(JENKINS, repository, "[[rule]]\n").returncode == 2


@pytest.mark.parametrize("recipe", [GITHUB, GITLAB, JENKINS], ids=lambda path: path.name)
def test_every_exit_code_of_the_gate_has_a_meaning_in_each_recipe(recipe: Path) -> None:
    text = recipe.read_text(encoding="utf-8")
    assert all(re.search(rf"\b{code}\b", text) for code in (10, 11, 12, 13))


# the Dockerfile


def instructions() -> list[list[str]]:
    text = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text(encoding="utf-8"))
    return [line.split() for line in text.splitlines() if line and not line.startswith("#")]


def test_what_the_image_is_built_of_is_in_the_repository_and_not_ignored() -> None:
    sources = [word for words in instructions() if words[0] == "COPY" for word in words[1:-1]]
    mounts = [
        word.removeprefix("--mount=").split(",") for words in instructions() for word in words if "--mount" in word
    ]
    sources += [
        part[7:] for mount in mounts if "from=wheel" not in mount for part in mount if part.startswith("source=")
    ]
    assert {"audit", "datasets/synthetic_bilingual", "constraints.txt", "requirements-core.txt"} <= set(sources)
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in kept
    for source in sources:
        assert (ROOT / source).exists() and f"!{source}" in kept


def test_the_targets_are_pinned_and_do_not_run_as_root() -> None:
    stages: dict[str, list[list[str]]] = {}
    for words in instructions():
        if words[0] == "FROM":
            stages[words[-1]] = []
        else:
            stages[next(reversed(stages))].append(words)
    assert {"core", "full"} <= set(stages)
    assert next(reversed(stages)) == "full", "the target without --target"
    for name in ("core", "full"):
        assert ["USER", "audit"] in stages[name]
        installs = [" ".join(words) for words in stages[name] if "pip install" in " ".join(words)]
        assert "--constraint" in installs[0]
        assert all("--no-deps" in install for install in installs[1:])
