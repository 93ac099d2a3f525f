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
embedded import_cohort Cohort CohortNotes model mitigate instrument run Run Plan measure Audit Finding Estimate Table
compare Comparison gate Policy Decision probe Probe labelling_sheet simulate track with_ids
AuditError CohortError ModelError PlanError RunError
"""
"""The names of ``audit``, in the order of an audit."""
ROOMS = {
    "audit.core.document": "How audits, comparisons, probes and decisions are written and read.",
    "audit.models.protocol": "What a model is: `Reconstructor`, and what it may have beside.",
    "audit.instruments": "What an instrument is.",
    "audit.training.mitigations": "What a piece that acts after training is.",
    "audit.cohorts.importing": "Adapters, and labels for what a data set does not tell.",
    "audit.comparisons": "Changes between two runs, at every confidence.",
    "audit.audits.fairness": "With fairlearn.",
    "audit.testing": "The gate in a test.",
    "audit.stats": "The statistics, which know numbers and ids alone.",
}
"""Rooms whose names are for others too, and what they are for."""
HEAD = """# Python

The names in `audit`, in the order of an audit, then the modules that a third-party model, instrument, adapter, check or
table needs. These names are public; all others may change without notice. For an introduction see the
[README](../../README.md), [first steps](../guide/first-steps.md) and the notebooks. The files that you write have pages
of their own: [plan](plan.md), [policy](../guide/gate.md#the-policy), [simulated truth](../guide/simulate.md#the-truth).

`python scripts/api_page.py` generates this page from the docstrings; a test compares the two and runs the examples.
"""


class Told(str):
    """A type as it is written in the code."""

    def __repr__(self) -> str:
        return str(self)


def signature(thing: Any, name: str) -> str:
    """How it is called, with types as they are written."""
    told = inspect.signature(thing)
    put = [
        p.replace(annotation=Told(p.annotation)) if isinstance(p.annotation, str) else p
        for p in told.parameters.values()
    ]
    back = Told(told.return_annotation) if isinstance(told.return_annotation, str) else told.return_annotation
    plain = re.sub(r"typing\.|~| -> None$", "", str(told.replace(parameters=put, return_annotation=back)))
    text = name + re.sub(r"<function (\w+) at \w+>", r"\1", plain).replace("<factory>", "...")
    if len(text) <= 100:
        return text
    inside, _, after = text[len(name) + 1 :].rpartition(")")
    parts = re.split(r", (?=(?:\*|\w+:|\w+=|\*\*|\w+$))", inside)
    return f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){after}"


def prose(doc: str) -> str:
    """A docstring as Markdown: sections in bold, what they name as lists, examples in fences."""
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
    """Entries of a section: a line of its own each, with what is said below it."""
    made: list[str] = []
    for line in lines:
        if line.startswith(" "):
            made[-1] += f"{'' if made[-1].endswith(':') else ' '}{' ' if made[-1].endswith(':') else ''}{line.strip()}"
        else:
            made.append(f"- `{line}`:")
    return "\n".join(made)


def methods(kind: type) -> list[str]:
    """What a class of ours can do: its public methods and properties, as they stand."""
    if issubclass(kind, Exception):
        return []
    made = []
    for name, thing in vars(kind).items():
        call = thing.__func__ if isinstance(thing, classmethod | staticmethod) else getattr(thing, "func", thing)
        doc = inspect.getdoc(thing.fget if isinstance(thing, property) else call)
        if name.startswith("_") or not doc or not (callable(call) or isinstance(thing, property)):
            continue
        told = f"{kind.__name__}.{name}"
        if inspect.isfunction(call) and call is getattr(thing, "__func__", thing):
            told = re.sub(r"\((\s*)(?:self|cls)(?:,\s*)?", r"(\1", signature(call, told))
        made.append(f"```text\n{told}\n```\n\n{prose(doc)}")
    return made


def entry(thing: Any, name: str, level: str) -> str:
    """One public name."""
    doc = inspect.getdoc(thing) if inspect.isclass(thing) or callable(thing) else None
    parts = [f"{level} {name}"]
    if callable(thing) and not (inspect.isclass(thing) and issubclass(thing, Exception)):
        built = not inspect.isclass(thing) or is_dataclass(thing) or issubclass(thing, BaseModel)
        parts.append(f"```text\n{signature(thing, name) if built else name}\n```")
    parts.append(prose(doc) if doc else f"`{thing!r}`")
    return "\n\n".join([*parts, *(methods(thing) if inspect.isclass(thing) else [])])


def page() -> str:
    """The whole page."""
    parts = [HEAD, *(entry(getattr(audit, name), name, "##") for name in ORDER.split())]
    for room, purpose in ROOMS.items():
        module = importlib.import_module(room)
        own = [name for name, thing in vars(module).items() if getattr(thing, "__module__", "") == room]
        names = getattr(module, "__all__", [name for name in own if name[0] != "_"])
        parts.append(f"## {room}\n\n{purpose}")
        parts += [entry(getattr(module, name), name, "###") for name in names if name not in audit.__all__]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def main() -> None:
    """Write the page, or say that it is not what the code tells."""
    if missing := {*audit.__all__} - {*ORDER.split(), "__version__"}:
        raise SystemExit(f"These names have no place on the page: {', '.join(sorted(missing))}.")
    made = page()
    if "--check" in sys.argv[1:]:
        if PAGE.read_text(encoding="utf-8") != made:
            raise SystemExit(f"{PAGE.name} is not what the code tells. Next: python scripts/api_page.py")
        return
    PAGE.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
