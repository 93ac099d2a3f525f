"""Write docs/reference/api.md: every public name, its signature and its docstring.

python scripts/api_page.py [--check]
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import audit

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "api.md"
ORDER = """
embedded import_cohort identify_cohort draw_cohort Cohort CohortNotes model mitigate instrument run Run read_again
Plan FrontMatter measure Audit Finding Estimate Table recommend
compare Comparison history History sweep Sweep plot
gate Policy Decision attest probe Probe labelling_sheet simulate reference_verdicts track with_ids verify
forget Forgotten
AuditError CohortError ModelError PlanError RunError
"""
"""The names of ``audit``, in the order of an audit."""
MODULES: dict[str, tuple[str, str]] = {
    "audit.models.protocol": ("The interface of a model: `Reconstructor`, and its optional methods.", ""),
    "audit.instruments": ("The interface of an instrument.", ""),
    "audit.checks": (
        "The parts of a check.",
        "Check Judged Figure Evidence GroupFigure GapCheck judge judge_groups not_evaluable",
    ),
    "audit.checks.compared": ("The comparison of a check.", "Compared CheckCompared compare_groups"),
    "audit.checks.pair": ("Two runs that are compared.", "Pair"),
    "audit.checks.power": ("The power of a check.", "GroupClips Comparison"),
    "audit.audits.reference_models": ("The expected verdicts of a check on the reference models.", "Expectation"),
    "audit.core.attributes": ("The declaration of an attribute.", "Attribute Number Reads Probed"),
    "audit.instruments.similarity": ("The declaration of a similarity model.", "SimilarityModel FoundFace"),
    "audit.audits.table": ("The columns of a table.", "Column estimate_columns"),
    "audit.audits.tables.spec": ("The declaration of a table.", "TableSpec Source"),
    "audit.audits.recommendations": ("The rules of recommendations.", "RecommendationRule Case Recommendation"),
    "audit.cohorts.importing": ("Adapters, and labels that a data set lacks.", ""),
    "audit.training.mitigations": ("The interface of a mitigation that acts after training.", ""),
    "audit.comparisons": ("Changes between two runs, at every confidence.", ""),
    "audit.series": ("Histories and sweeps: several runs in one document.", "Series"),
    "audit.core.document": ("The files of audits, comparisons, probes and decisions.", ""),
    "audit.audits.fairness": ("Use with fairlearn.", ""),
    "audit.testing": ("The gate in a test.", ""),
    "audit.stats": ("Statistics of numbers and speaker ids.", ""),
}
"""Modules with further public names: what they are for, and the names; those of ``__all__`` where none are given."""
HEAD = """# Python

The names in `audit`, in the order of an audit, then the modules that a third-party model, instrument, adapter, check or
table needs. These names are public; all others may change without notice. For an introduction see the
[README](../../README.md), [first steps](../guide/first-steps.md) and the notebooks. The files that you write have pages
of their own: [plan](plan.md), [policy](../guide/gate.md#the-policy), [simulated truth](../guide/simulate.md#the-truth).

`python scripts/api_page.py` generates this page from the docstrings; a test compares the two and runs the examples.
"""


class Verbatim(str):
    """A type annotation, shown as it is written in the code."""

    def __repr__(self) -> str:
        return str(self)


def signature(thing: Any, name: str) -> str:
    """The call signature, with types as they are written."""
    found = inspect.signature(thing)
    parameters = [
        p.replace(annotation=Verbatim(p.annotation)) if isinstance(p.annotation, str) else p
        for p in found.parameters.values()
    ]
    returns = Verbatim(found.return_annotation) if isinstance(found.return_annotation, str) else found.return_annotation
    plain = re.sub(r"typing\.|~| -> None$", "", str(found.replace(parameters=parameters, return_annotation=returns)))
    plain = re.sub(r"<function [\w.]*<lambda> at \w+>", "...", plain)
    text = name + re.sub(r"<function (\w+) at \w+>", r"\1", plain).replace("<factory>", "...")
    if len(text) <= 100:
        return text
    inside, _, after = text[len(name) + 1 :].rpartition(")")
    parts = re.split(r", (?=(?:\*|\w+:|\w+=|\*\*|\w+$))", inside)
    return f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){after}"


def prose(doc: str) -> str:
    """A docstring as Markdown: section names in bold, entries as lists, examples in fences."""
    text = re.sub(r":\w+:`~?(?:audit\.)?([^`]+)`", r"`\1`", doc).replace("``", "`")
    made: list[str] = []
    section = ""
    for block in re.split(r"\n\n+", text):
        lines = block.splitlines()
        if len(lines) > 1 and set(lines[1]) == {"-"}:
            section, lines = lines[0], lines[2:]
            made.append(f"**{section}**")
        if not lines:
            continue
        if lines[0].startswith(">>>"):
            made.append("\n".join(["```pycon", *lines, "```"]))
        elif section in ("Parameters", "Attributes", "Raises", "Returns") and not lines[0].startswith(" "):
            made.append(listed(lines))
        elif re.match(r"=+ +=+", lines[0]) or any(line.startswith("    ") for line in lines):
            made.append("\n".join(["```text", *lines, "```"]))
        else:
            made.append("\n".join(lines))
    return "\n\n".join(made)


def listed(lines: list[str]) -> str:
    """The entries of a section, one line each with its description."""
    made: list[str] = []
    for line in lines:
        if line.startswith(" "):
            made[-1] += f"{'' if made[-1].endswith(':') else ' '}{' ' if made[-1].endswith(':') else ''}{line.strip()}"
        else:
            made.append(f"- `{line}`:")
    return "\n".join(made)


def methods(kind: type) -> list[str]:
    """The public methods and properties of a class, in the order of the code."""
    if issubclass(kind, Exception):
        return []
    made = []
    for name, thing in vars(kind).items():
        call = thing.__func__ if isinstance(thing, classmethod | staticmethod) else getattr(thing, "func", thing)
        doc = inspect.getdoc(thing.fget if isinstance(thing, property) else call)
        if name.startswith("_") or not doc or not (callable(call) or isinstance(thing, property)):
            continue
        title = f"{kind.__name__}.{name}"
        if inspect.isfunction(call) and call is getattr(thing, "__func__", thing):
            title = re.sub(r"\((\s*)(?:self|cls)(?:,\s*)?", r"(\1", signature(call, title))
        made.append(f"```text\n{title}\n```\n\n{prose(doc)}")
    return made


def entry(thing: Any, name: str, level: str) -> str:
    """One public name."""
    module = inspect.ismodule(thing)
    doc = inspect.getdoc(thing) if module or callable(thing) else None
    parts = [f"{level} {name}"]
    if callable(thing) and not (inspect.isclass(thing) and issubclass(thing, Exception)):
        built = not inspect.isclass(thing) or is_dataclass(thing) or issubclass(thing, BaseModel)
        parts.append(f"```text\n{signature(thing, name) if built else name}\n```")
    parts.append(prose(doc) if doc else f"`{thing!r}`")
    inner = [entry(getattr(thing, each), f"{name}.{each}", f"{level}#") for each in thing.__all__] if module else []
    return "\n\n".join([*parts, *(methods(thing) if inspect.isclass(thing) else inner)])


def page() -> str:
    """The whole page."""
    parts = [HEAD, *(entry(getattr(audit, name), name, "##") for name in ORDER.split())]
    for path, (purpose, listed_names) in MODULES.items():
        module = importlib.import_module(path)
        defined = [name for name, thing in vars(module).items() if getattr(thing, "__module__", "") == path]
        public = getattr(module, "__all__", [name for name in defined if name[0] != "_"])
        names = listed_names.split() or public
        parts.append(f"## {path}\n\n{purpose}")
        parts += [entry(getattr(module, name), name, "###") for name in names if name not in audit.__all__]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def main() -> None:
    """Write the page, or fail if it differs from the docstrings."""
    if missing := {*audit.__all__} - {*ORDER.split(), "__version__"}:
        raise SystemExit(f"These public names are missing in ORDER: {', '.join(sorted(missing))}.")
    made = page()
    if "--check" in sys.argv[1:]:
        if PAGE.read_text(encoding="utf-8") != made:
            raise SystemExit(f"{PAGE.name} differs from the docstrings. Next: python scripts/api_page.py")
        return
    PAGE.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
