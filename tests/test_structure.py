"""What scripts/structure.py counts, on a package that is made for it."""

from pathlib import Path

from scripts.structure import by_top, cycles_in, graph_of, lines_with, modules_of, upward_imports

FILES = {
    "__init__.py": "",
    "stats/__init__.py": "from .rates import rate\n",
    "stats/rates.py": "def rate():\n    from audit.cli import main\n",
    "models.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from audit.cohorts import Cohort\n",
    "cohorts.py": "from audit import models, stats\n",
    "cli.py": "import audit.cohorts\n# Nothing was told.\n",
}


def package(folder: Path) -> Path:
    for name, text in FILES.items():
        path = folder / "audit" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "audit"


def test_imports_on_loading_and_all_imports(tmp_path: Path) -> None:
    modules = modules_of(package(tmp_path))
    assert graph_of(modules) == {
        "audit.cli": {"audit.cohorts"},
        "audit.cohorts": {"audit.models", "audit.stats"},
        "audit.models": set(),
        "audit.stats": {"audit.stats.rates"},
        "audit.stats.rates": set(),
    }
    assert graph_of(modules, later=True)["audit.models"] == {"audit.cohorts"}
    assert graph_of(modules, later=True)["audit.stats.rates"] == {"audit.cli"}


def test_cycles_and_upward_imports(tmp_path: Path) -> None:
    modules = modules_of(package(tmp_path))
    assert cycles_in(graph_of(modules)) == []
    assert cycles_in(by_top(graph_of(modules, later=True))) == [["cli", "cohorts", "models", "stats"]]
    assert upward_imports(graph_of(modules, later=True)) == [
        "audit.cohorts -> audit.models",
        "audit.models -> audit.cohorts",
        "audit.stats.rates -> audit.cli",
    ]


def test_words_are_counted_by_line_in_any_case(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Told once, told twice.\nUntold.\nHe is TOLD.\n")
    assert lines_with(r"\btold\b", [tmp_path / "a.md"]) == 2
