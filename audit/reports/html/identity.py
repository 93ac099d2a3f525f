"""The identity of a run as names and values: cohort, model, instrument and its card, settings and versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from audit.audits.audit import Audit
from audit.core.clean_text import clean
from audit.core.units import write_interval, write_value
from audit.reports.html.records import count, mapping, number, strings
from audit.reports.html.tabular import Cell, Column, TableView, head

Value = str | tuple[str]
"""Text, or a tuple of one text that is shown as code: a digest, a path, a version."""
Fact = tuple[str, Value]

NOT_RECORDED: Final = "not recorded"


@dataclass(frozen=True)
class Card:
    """The instrument's card: plain values as facts, and tables."""

    facts: tuple[Fact, ...]
    tables: tuple[TableView, ...]


def name_of(value: object, default: str = NOT_RECORDED) -> str:
    """The title, else the name, of a model, instrument or cohort, stored as a text or as a mapping with one."""
    found = mapping(value).get("title") or mapping(value).get("name") if isinstance(value, Mapping) else value
    return clean(str(found)) if found else default


def cohort_facts(audit: Audit) -> list[Fact]:
    """Licence, consent, notes and digest of the cohort."""
    cohort = mapping(audit.run.get("cohort"))
    facts = [(key.capitalize(), _written(cohort.get(key))) for key in ("licence", "consent", "notes")]
    return [*facts, ("Digest", (_plain(cohort.get("digest")),))]


def instrument_facts(audit: Audit) -> list[Fact]:
    """Facts about the instrument as a whole."""
    parts = mapping(audit.run.get("instrument"))
    return [fact for key, value in parts.items() if not isinstance(value, Mapping) for fact in _flat({key: value}, "")]


def instrument_parts(audit: Audit) -> list[Fact]:
    """Facts about the instrument's parts, including the digests of their weights."""
    parts = mapping(audit.run.get("instrument"))
    return [fact for key, value in parts.items() if isinstance(value, Mapping) for fact in _flat({key: value}, "")]


def digest_facts(audit: Audit) -> list[Fact]:
    """Digests and seed that identify the run."""
    run = audit.run
    return [
        ("Run", (_plain(run.get("digest")),)),
        ("Cohort", (_plain(mapping(run.get("cohort")).get("digest")),)),
        ("Model", (_plain(run.get("model")),)),
        ("Weights of the model", (_plain(run.get("weights_sha256") or "none: the model has no weights"),)),
        ("Seed of the run", _plain(run.get("seed"))),
    ]


def model_facts(audit: Audit) -> list[Fact]:
    """The model's own description."""
    return _flat(mapping(audit.run.get("model_description")), "")


def settings_facts(audit: Audit) -> list[Fact]:
    """The measurement settings."""
    return _flat(audit.settings, "")


def version_facts(audit: Audit) -> list[Fact]:
    """Packages and their versions."""
    return [(name, (_plain(version),)) for name, version in sorted(mapping(audit.run.get("versions")).items())]


def instrument_card(audit: Audit) -> Card | None:
    """The instrument's card; each nested mapping becomes a table."""
    card = mapping(audit.run.get("instrument_card"))
    facts: list[Fact] = []
    tables: list[TableView] = []
    for key, value in card.items():
        inner = mapping(value)
        rows = {name: mapping(item) for name, item in inner.items() if isinstance(item, Mapping)}
        if inner and len(rows) == len(inner):
            tables.append(_card_table(key, rows))
        else:
            facts.extend(_flat({key: value}, ""))
    return Card(tuple(facts), tuple(tables)) if card else None


def _card_table(key: str, rows: Mapping[str, Mapping[str, object]]) -> TableView:
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    columns = [Column("Label"), *(Column(_label(name), numeric=True) for name in names)]
    view = TableView(f"card-{key}", _label(key), columns)
    for name, row in rows.items():
        view.rows.append([head(clean(name.replace("_", " "))), *(_card_cell(row.get(column)) for column in names)])
    return view


def _card_cell(value: object) -> Cell:
    """A number, an estimate with its interval, or a text."""
    inner = mapping(value)
    if "value" in inner:
        ends = [number(inner, key) for key in ("value", "low", "high")]
        unit: str = "share" if all(end is not None and 0 <= end <= 1 for end in ends) else "years"
        point, low, high = ends
        if point is None:
            return Cell("not estimable", kind="missing")
        size = count(inner, "n_speakers") or count(inner, "n")
        lines = (write_interval(low, high, unit), *([f"n\N{NO-BREAK SPACE}{size:,}"] if size else []))
        return Cell(write_value(point, unit), lines, sort=repr(point), kind="estimate")
    if value is None:
        return Cell("\N{EN DASH}", kind="missing")
    return Cell(_plain(value), sort=_plain(value), kind="number" if isinstance(value, (int, float)) else "text")


def _flat(value: object, name: str) -> list[Fact]:
    """Nested mappings as one list of pairs with joined names."""
    if isinstance(value, Mapping):
        facts = []
        for key, item in value.items():
            facts.extend(_flat(item, f"{name}, {clean(str(key))}" if name else _label(str(key))))
        return facts
    return [(name or "Name", _written(value))]


def _written(value: object) -> Value:
    """A value in words; digests and paths as code."""
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return ", ".join(strings(value)) or "none"
    written = _plain(value)
    return (
        (written,)
        if isinstance(value, str) and " " not in written and (len(written) > 30 or "/" in written)
        else written
    )


def _plain(value: object) -> str:
    if value is None or value == "":
        return NOT_RECORDED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (Mapping, list, tuple)):
        return clean(json.dumps(value, ensure_ascii=False, sort_keys=True))
    return clean(str(value))


def _label(key: str) -> str:
    words = clean(key.replace("_", " "))
    return (words[:1].upper() + words[1:]).replace("Deepface", "DeepFace")
