"""Measure the structure of a checkout: modules, cycles, imports against the layers, code entered, lines and words.

python scripts/structure.py [CHECKOUT]    default: this checkout

An import cycle is a strongly connected component of more than one module. It is counted twice: over the imports that
run when a module is loaded, and over all imports (also inside functions and under ``if TYPE_CHECKING``). "Entered" are
the packages and top-level modules of audit/ that have a function called while a small simulated run is measured, gated
or reported; what only loads a module does not count. Words are counted by line, in any case, in all text files.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGE: Final = "audit"
LAYERS: Final = (
    ("cli",),
    ("reports",),
    ("release",),
    ("series",),
    ("comparisons", "probes"),
    ("audits",),
    ("checks",),
    ("runs", "training"),
    ("cohorts", "models", "instruments"),
    ("core",),
    ("stats",),
)
"""The packages, highest first. One may import only from lines below its own."""

WORDS: Final = {
    "told": r"\btold\b",
    "held": r"\bheld\b",
    "is no": r"\bis no\b",
    "stands beside, stands for": r"\bstands? (beside|for)\b",
    "so many": r"\bso many\b",
    "nobody's": r"\bnobody's\b",
    "of one's own": r"\bof one's own\b",
}
TEXT_FILES: Final = frozenset({".py", ".toml", ".jinja", ".css", ".js", ".json", ".md", ".txt"})

ENTERED: Final = """
import importlib, json, sys, tempfile, threading
from pathlib import Path
import audit

package = str(Path(audit.__file__).parent) + "/"
names = set()

def enter(frame, event, argument):
    place = frame.f_code.co_filename
    if event == "call" and place.startswith(package):
        name = place.removeprefix(package).split("/")[0].removesuffix(".py")
        if name not in names and not loading(frame):
            names.add(name)

def loading(frame):
    while frame and not (frame.f_code.co_name == "<module>" and frame.f_code.co_filename.startswith(package)):
        frame = frame.f_back
    return frame is not None

def entered(function):
    names.clear()
    threading.setprofile(enter)
    sys.setprofile(enter)
    try:
        result = function()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    print(json.dumps(sorted(names - {"__init__"})))
    return result

def write_report(result, out):
    if hasattr(result, "write_report"):
        return result.write_report(out)
    for name in ("audit.reports", "audit.report"):  # the second before the package had layers
        try:
            write = importlib.import_module(name).write_report
        except (ImportError, AttributeError):
            continue
        return write(result, out)
    raise SystemExit("write_report was not found; name its module in scripts/structure.py")

truth = {"groups": ["asian", "white"], "speakers_per_group": 8, "clips_per_language": 2, "languages": ["en", "zh"]}
with tempfile.TemporaryDirectory() as place:
    run = audit.simulate(truth, seed=0, out=place + "/run")
    result = entered(lambda: audit.measure(run))
    entered(lambda: audit.gate(run))
    entered(lambda: write_report(result, place + "/run"))
"""


def modules_of(package: Path) -> dict[str, Path]:
    """Every module of a package, by its dotted name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(name: str, path: Path, modules: Mapping[str, Path], later: bool = False) -> set[str]:
    """The modules of the package that a module imports when it is loaded; with ``later`` all that it imports."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree) if later else _loaded(tree):
        if isinstance(node, ast.Import):
            found |= {_module(alias.name, modules) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {_module(f"{base}.{alias.name}", modules) for alias in node.names}
    return found - {name, "", PACKAGE}


def _loaded(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run when the module is loaded."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _loaded(child)


def _module(dotted: str, modules: Mapping[str, Path]) -> str:
    """The longest beginning of a dotted name that is a module; empty if none is."""
    while dotted and dotted not in modules:
        dotted = dotted.rpartition(".")[0]
    return dotted


def cycles_in(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """The strongly connected components of more than one node."""
    reach = {node: _reachable(node, graph) for node in graph}
    components = {frozenset({other for other in reach[node] if node in reach[other]} | {node}) for node in graph}
    return sorted(sorted(component) for component in components if len(component) > 1)


def _reachable(node: str, graph: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [node]
    while waiting:
        for other in graph[waiting.pop()] - seen:
            seen.add(other)
            waiting.append(other)
    return seen


def graph_of(modules: Mapping[str, Path], later: bool = False) -> dict[str, set[str]]:
    """The imports of every module but the package's own ``__init__``, which only forwards names."""
    return {name: imports_of(name, path, modules, later) for name, path in modules.items() if name != PACKAGE}


def by_top(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The same imports between packages and top-level modules."""
    tops: dict[str, set[str]] = {top_of(name): set() for name in graph}
    for name, others in graph.items():
        tops[top_of(name)] |= {top_of(other) for other in others} - {top_of(name)}
    return tops


def upward_imports(graph: Mapping[str, set[str]]) -> list[str]:
    """Imports between packages of one line of ``LAYERS``, or from a lower line to a higher one."""
    layer = {name: level for level, names in enumerate(LAYERS) for name in names}
    found = []
    for name, others in graph.items():
        for other in others:
            one, two = top_of(name), top_of(other)
            if one != two and one in layer and two in layer and layer[two] <= layer[one]:
                found.append(f"{name} -> {other}")
    return sorted(found)


def top_of(name: str) -> str:
    """The first name below the package."""
    return name.split(".")[1] if "." in name else name


def entered_by(checkout: Path) -> dict[str, list[str]]:
    """The packages and top-level modules that measure, gate and write_report enter."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", ENTERED], cwd=checkout, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    found = [json.loads(line) for line in done.stdout.splitlines()[-3:]]
    return dict(zip(("measure", "gate", "write_report"), found, strict=True))


def text_files(folder: Path) -> list[Path]:
    """The text files below a folder."""
    return [path for path in sorted(folder.rglob("*")) if path.suffix in TEXT_FILES and path.is_file()]


def lines_with(pattern: str, paths: list[Path]) -> int:
    """How many lines match a pattern, in any case."""
    wanted = re.compile(pattern, re.IGNORECASE)
    return sum(bool(wanted.search(line)) for path in paths for line in path.read_text(encoding="utf-8").splitlines())


def main() -> None:
    checkout = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    package = checkout / PACKAGE
    modules = modules_of(package)
    graph = graph_of(modules)
    tops = by_top(graph)
    print(f"top-level modules and packages of audit/, and its __init__: {len(tops) + 1}: {' '.join(sorted(tops))}")
    for when, edges in (("imports on loading", graph), ("all imports", graph_of(modules, later=True))):
        for what, nodes in (("modules", edges), ("packages and top-level modules", by_top(edges))):
            cycles = cycles_in(nodes)
            print(f"import cycles between {what}, {when}: {len(cycles)}")
            print(
                *(f"  {len(cycle)} of them: {' '.join(cycle)}" for cycle in cycles), sep="\n", end="\n" * bool(cycles)
            )
    placed = {name for names in LAYERS for name in names}
    if "core" in tops:
        upward = upward_imports(graph_of(modules, later=True))
        print(f"imports upward or within a layer: {len(upward)}", *upward, sep="\n  ")
        print(f"in no layer: {' '.join(sorted(set(tops) - placed)) or 'none'}")
    else:
        print("imports upward: cannot be counted, because this checkout does not have the layers")
    for function, names in entered_by(checkout).items():
        print(f"packages and top-level modules that {function} enters: {len(names)}: {' '.join(names)}")
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in text_files(package)}
    python = [n for path, n in lines.items() if path.suffix == ".py"]
    print(f"lines of audit/: {sum(python)} in {len(python)} Python files; with other text files {sum(lines.values())}")
    print(f"Python files of more than 400 lines: {sum(n > 400 for n in python)}")
    for word, pattern in WORDS.items():
        counts = {folder: lines_with(pattern, text_files(checkout / folder)) for folder in (PACKAGE, "docs")}
        print(f'lines with "{word}": audit/ {counts[PACKAGE]}, docs/ {counts["docs"]}')


if __name__ == "__main__":
    main()
