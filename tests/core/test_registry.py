"""The registry: shipped parts are files of a folder, others are entry points or ``module:name``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from audit.core.errors import ModelError
from audit.core.registry import Part, Registry

PACKAGE = "registry_example"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An importable package in which parts can be written."""
    package = tmp_path / PACKAGE
    package.mkdir()
    (package / "__init__.py").write_text('"""Tools."""\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    yield package
    for module in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[module]


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> list[EntryPoint]:
    """The entry points of installed packages; none to begin with."""
    listed: list[EntryPoint] = []
    monkeypatch.setattr(
        "audit.core.registry.entry_points", lambda group: [point for point in listed if point.group == group]
    )
    return listed


def registry() -> Registry:
    return Registry("tool", PACKAGE, group="audit.tools", declared_as="TOOL", error=ModelError)


def write_tool(file: Path, name: str, before: str = "") -> None:
    file.write_text(
        f"from audit.core.registry import Part\n{before}\n\ndef make():\n    return {name!r}\n\n\n"
        f"TOOL = Part(name={name!r}, summary='Makes {name}.', value=make)\n"
    )


def test_a_file_in_the_folder_is_listed_and_loaded(folder: Path, points: list[EntryPoint]) -> None:
    write_tool(folder / "saw.py", "saw")
    write_tool(folder / "drill_small.py", "drill-small")
    assert registry().available() == {"drill-small": "Makes drill-small.", "saw": "Makes saw."}
    assert registry().factory("drill-small")() == "drill-small"


def test_a_sub_package_is_a_part(folder: Path, points: list[EntryPoint]) -> None:
    (folder / "lathe").mkdir()
    write_tool(folder / "lathe" / "__init__.py", "lathe")
    write_tool(folder / "lathe" / "inner.py", "inner")
    assert list(registry().available()) == ["lathe"]
    assert registry().factory("lathe")() == "lathe"


def test_a_module_without_the_declaration_is_ignored(folder: Path, points: list[EntryPoint]) -> None:
    (folder / "protocol.py").write_text("TOOLS = 3\nTOOL_BOX = 'TOOL'\n")
    assert registry().available() == {}


def test_listing_imports_no_part(folder: Path, points: list[EntryPoint]) -> None:
    write_tool(folder / "heavy.py", "heavy", before="raise RuntimeError('imported')")
    points.append(EntryPoint("theirs", "nowhere.at_all:thing", "audit.tools"))
    assert registry().available() == {"heavy": "Makes heavy.", "theirs": "from nowhere.at_all:thing"}


def test_other_declarations_name_their_own_fields(folder: Path, points: list[EntryPoint]) -> None:
    (folder / "first.py").write_text(
        "from types import SimpleNamespace as Tool\nCODE = 'T1'\n"
        "TOOL: Tool = Tool(code=CODE, title='A saw ' 'that cuts', stage='late', size=3)\n"
    )
    tools = Registry("tool", PACKAGE, group="audit.tools", declared_as="TOOL", name_field="code", summary_field="title")
    assert tools.available() == {"T1": "A saw that cuts"}
    assert tools.shipped["T1"].fields == {"code": "T1", "title": "A saw that cuts", "stage": "late"}
    assert vars(tools.get("T1"))["size"] == 3  # an object of its own, not a Part, is returned as it is


@pytest.mark.parametrize(
    "declaration",
    ["TOOL = 3", "TOOL = Part(name='saw', value=3)", "TOOL = Part(name=f'saw{1}', summary='Saws.', value=3)"],
)
def test_a_declaration_that_cannot_be_read_is_an_error(folder: Path, declaration: str) -> None:
    (folder / "saw.py").write_text(f"from audit.core.registry import Part\n{declaration}\n")
    with pytest.raises(ValueError, match=r"saw\.py: TOOL has no .* as a string literal"):
        registry().available()


def test_two_declarations_of_one_name_are_an_error(folder: Path) -> None:
    write_tool(folder / "one.py", "saw")
    write_tool(folder / "two.py", "saw")
    with pytest.raises(ValueError, match="the tool 'saw' is declared twice"):
        registry().available()


def test_an_entry_point_is_loaded_by_name(folder: Path, points: list[EntryPoint]) -> None:
    points.append(EntryPoint("loads", "json:loads", "audit.tools"))
    points.append(EntryPoint("dumps", "json:dumps", "audit.others"))
    assert registry().available() == {"loads": "from json:loads"}
    assert registry().factory("loads")("[1]") == [1]


def test_a_shipped_name_takes_precedence(folder: Path, points: list[EntryPoint]) -> None:
    write_tool(folder / "saw.py", "saw")
    points.append(EntryPoint("saw", "json:loads", "audit.tools"))
    assert registry().available() == {"saw": "Makes saw."}
    assert registry().factory("saw")() == "saw"


def test_two_packages_with_one_name_are_an_error(folder: Path, points: list[EntryPoint]) -> None:
    points.extend(EntryPoint("saw", value, "audit.tools") for value in ("json:loads", "json:dumps"))
    with pytest.raises(ModelError, match="Two installed packages have a tool 'saw': json:dumps, json:loads"):
        registry().get("saw")


def test_a_module_of_the_current_folder(
    folder: Path, points: list[EntryPoint], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "registry_own_tool.py").write_text(
        "from audit.core.registry import Part\nplain = len\nwrapped = Part(name='x', summary='X.', value=len)\n"
    )
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert registry().get("registry_own_tool:plain") is len
    assert registry().get("registry_own_tool:wrapped") is len
    del sys.modules["registry_own_tool"]


def test_errors_say_what_is_allowed(folder: Path, points: list[EntryPoint]) -> None:
    write_tool(folder / "saw.py", "saw")
    with pytest.raises(ModelError) as unknown:
        registry().get("sawe")
    assert str(unknown.value) == (
        "There is no tool 'sawe' (did you mean 'saw'?). Allowed: saw or module:name. Next: See them: audit list tools."
    )
    with pytest.raises(ModelError, match=r"The tool 'nowhere\.at_all:x' cannot be imported: No module named"):
        registry().get("nowhere.at_all:x")
    with pytest.raises(ModelError, match="The tool 'json:__name__' is a str. Allowed: something that can be called"):
        registry().factory("json:__name__")


def test_a_part_needs_all_its_fields() -> None:
    with pytest.raises(TypeError):
        Part(name="saw", summary="Saws.")  # type: ignore[call-arg]
