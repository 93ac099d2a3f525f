"""Registries: the models, instruments, checks, adapters and mitigations that can be asked for by name."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from audit.core.errors import AuditError, did_you_mean


@dataclass(frozen=True, kw_only=True)
class Part:
    """Declares a function or class as a part of a registry: ``value`` is what :meth:`Registry.get` returns.

    ``name`` is what the user writes, and ``summary`` one line for ``audit list``. An object with a name of its own
    needs no ``Part``.
    """

    name: str
    summary: str
    value: object


@dataclass(frozen=True)
class Declaration:
    """What the source of a shipped part says of it, read without importing its ``module``.

    ``fields`` has all keyword arguments of the declaration that are strings.
    """

    name: str
    summary: str
    module: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Registry:
    """Parts of one kind, by name.

    A shipped part is one module of a folder. The module assigns a call to the variable ``declared_as``; the name and
    the summary are string literals among its keyword arguments, or attributes of the class that it calls, so that they
    can be read without importing the module (and torch with it). Nothing else registers it::

        MODEL = Part(name="wen2019", summary="Wen et al. 2019", value=wen2019)

    Other parts come from the entry points of installed packages, which are not imported before they are asked for, or
    are named as ``module:name``. A shipped name takes precedence over an entry point of the same name.

    Parameters
    ----------
    kind : str
        The word for a part in messages, such as ``model``.
    package : str
        The package whose modules are searched; its other modules are ignored.
    group : str
        The group of entry points; what follows its first dot is the word that ``audit list`` takes.
    declared_as : str
        The variable that makes a module a part.
    name_field, summary_field : str
        The keyword arguments that hold the name and the summary.
    error : type
        The error to raise.

    Examples
    --------
    >>> models = Registry("model", "audit.models", group="audit.models", declared_as="MODEL")
    >>> models.get("json:loads")("[1]")
    [1]
    """

    kind: str
    package: str
    group: str
    declared_as: str
    name_field: str = "name"
    summary_field: str = "summary"
    error: type[AuditError] = AuditError

    @cached_property
    def shipped(self) -> dict[str, Declaration]:
        """The declarations of the shipped parts, sorted by name.

        Raises ValueError for a mistake in the package itself: a declaration that cannot be read, or a repeated name.
        """
        found: dict[str, Declaration] = {}
        for folder in map(Path, importlib.import_module(self.package).__path__):
            for file in [*folder.glob("[!_]*.py"), *folder.glob("*/__init__.py")]:
                declaration = self._declaration(file, file.stem if file.parent == folder else file.parent.name)
                if declaration is None:
                    continue
                if declaration.name in found:
                    raise ValueError(f"{file}: the {self.kind} {declaration.name!r} is declared twice.")
                found[declaration.name] = declaration
        return dict(sorted(found.items()))

    def available(self) -> dict[str, str]:
        """The names that :meth:`get` takes, each with one line: shipped parts, then those of installed packages."""
        shipped = {name: declaration.summary for name, declaration in self.shipped.items()}
        points = sorted((point.name, point.value) for point in entry_points(group=self.group))
        return shipped | {name: f"from {value}" for name, value in points if name not in shipped}

    def get(self, name: str) -> object:
        """The part of a name of :meth:`available`, or of ``module:name``, which may lie in the current folder.

        What is named is imported, which runs its code.

        Raises
        ------
        AuditError
            (``error``) If there is no such part, or it cannot be imported.
        """
        if name in self.shipped:
            value = getattr(importlib.import_module(self.shipped[name].module), self.declared_as)
        else:
            value = self._foreign(name)
        return value.value if isinstance(value, Part) else value

    def factory(self, name: str) -> Callable[..., object]:
        """The part of that name, which must be callable; raises ``error`` if it is not, or as :meth:`get`."""
        value = self.get(name)
        if not callable(value):
            raise self.error(f"The {self.kind} {name!r} is a {type(value).__name__}.", "something that can be called")
        return value

    def takes(self, name: str, option: str) -> bool:
        """Whether the factory of that name has such a keyword argument; raises ``error`` as :meth:`factory`."""
        try:
            parameters = inspect.signature(self.factory(name)).parameters
        except ValueError:  # callables written in C may have no signature
            return False
        return option in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values())

    def create(self, name: str, options: Mapping[str, object]) -> object:
        """What the part of that name, a factory, makes with these keyword arguments.

        Raises ``error`` if there is no such factory, it cannot be imported, or it takes other options.
        """
        factory = self.factory(name)
        try:
            signature = inspect.signature(factory)
        except ValueError:  # callables written in C may have no signature
            return factory(**options)
        try:
            signature.bind(**options)
        except TypeError as error:
            raise self.error(
                f"The {self.kind} {name!r} cannot be made with {', '.join(options) or 'no options'}: {error}.",
                f"the options {', '.join(signature.parameters)}" if signature.parameters else "no options",
            ) from error
        return factory(**options)

    def _foreign(self, name: str) -> object:
        points = {point.value: point for point in entry_points(group=self.group) if point.name == name}
        if len(points) > 1:
            raise self.error(
                f"Two installed packages have a {self.kind} {name!r}: {', '.join(sorted(points))}.",
                "one of these, as module:name",
            )
        if not points and ":" not in name:
            names = list(self.available())
            raise self.error(
                f"There is no {self.kind} {name!r}{did_you_mean(name, names)}.",
                f"{', '.join(names)} or module:name",
                f"See them: audit list {self.group.partition('.')[2]}.",
            )
        if (here := str(Path.cwd())) not in sys.path:
            sys.path.append(here)  # sys.path of the command starts with the folder of its script
        try:
            return next(iter(points.values()), EntryPoint(name, name, self.group)).load()
        except Exception as error:  # a third-party module may raise anything when it is imported
            raise self.error(
                f"The {self.kind} {name!r} cannot be imported: {error}.",
                "module:name, importable from here",
                "Check the spelling and the current folder.",
            ) from error

    def _declaration(self, file: Path, module: str) -> Declaration | None:
        """The declaration in a file, if it has one."""
        source = file.read_text("utf-8")
        if f"\n{self.declared_as}" not in source:
            return None  # spares parsing
        constants: dict[str, str] = {}
        classes: dict[str, dict[str, str]] = {}
        for statement in ast.parse(source).body:
            if isinstance(statement, ast.ClassDef):
                own = dict(filter(None, map(_assigned, statement.body)))
                classes[statement.name] = {k: said for k, v in own.items() if (said := _text(v, constants)) is not None}
            found = _assigned(statement)
            if found is None:
                continue
            target, value = found
            text = _text(value, constants)
            if text is not None:
                constants[target] = text
            if target == self.declared_as:
                keywords = value.keywords if isinstance(value, ast.Call) else []
                made = value.func.id if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) else ""
                fields = dict(classes.get(made, {}))
                fields |= {k.arg: said for k in keywords if k.arg and (said := _text(k.value, constants)) is not None}
                if missing := {self.name_field, self.summary_field} - set(fields):
                    raise ValueError(f"{file}: {target} has no {' and '.join(sorted(missing))} as a string literal.")
                return Declaration(
                    fields[self.name_field], fields[self.summary_field], f"{self.package}.{module}", fields
                )
        return None


def _assigned(statement: ast.stmt) -> tuple[str, ast.expr] | None:
    """The name and the value of a simple assignment."""
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id, statement.value
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
        return statement.target.id, statement.value
    return None


def _text(value: ast.expr, constants: Mapping[str, str]) -> str | None:
    """A string literal, or a constant of the module that is one."""
    if isinstance(value, ast.Name):
        return constants.get(value.id)
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
