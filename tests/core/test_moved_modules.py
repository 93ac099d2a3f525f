"""Old names of modules warn, and give the module itself."""

from __future__ import annotations

import importlib
import subprocess
import sys
import warnings
from collections.abc import Iterator

import pytest

from audit.core.moved import MOVED


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Old names are imported anew in each test."""
    yield
    for name in [name for name in sys.modules if name in MOVED or name.rpartition(".")[0] in MOVED]:
        del sys.modules[name]


@pytest.mark.parametrize(("old", "new"), MOVED.items())
def test_an_old_name_is_the_new_module(old: str, new: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert importlib.import_module(old) is importlib.import_module(new)
    assert str(caught[-1].message).startswith(f"{old} is now {new};")
    assert sys.modules[new].__name__ == new
    assert sys.modules[new].__spec__ is not None and sys.modules[new].__spec__.name == new
    assert all(warning.category is DeprecationWarning for warning in caught)


def test_a_module_of_a_moved_package_is_not_loaded_twice() -> None:
    from audit.training.mitigations.protocol import FittedStep

    with pytest.warns(DeprecationWarning):
        old = importlib.import_module("audit.mitigations.protocol")
    assert old.FittedStep is FittedStep


def test_the_warning_names_the_line_of_the_import() -> None:
    code = "import warnings\nwith warnings.catch_warnings(record=True) as seen:\n    warnings.simplefilter('always')\n"
    code += "    from audit.finding import Finding\nprint(seen[0].filename, seen[0].lineno, Finding.__module__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["<string>", "4", "audit.checks.finding"]


def test_an_unknown_name_is_not_found() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"audit\.nowhere"):
        importlib.import_module("audit.nowhere")
    with pytest.warns(DeprecationWarning), pytest.raises(ModuleNotFoundError, match="nowhere"):
        importlib.import_module("audit.mitigations.nowhere")


def test_importing_the_package_uses_no_old_name() -> None:
    code = "import sys, audit, audit.cli, audit.core.moved as a\nprint([m for m in sys.modules if m in a.MOVED])"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr
