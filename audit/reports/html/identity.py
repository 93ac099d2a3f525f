"""The identity of a run as names and values: cohort, model, instrument and its card, settings and versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from audit.audits.audit import Audit
from audit.core.clean_text import clean
from audit.reports.html.records import Value, count, mapping, strings, text
from audit.reports.html.tabular import DASH, Cell, Column, TableView, estimate, head, missing

Fact = tuple[str, str | tuple[str]]
"""A name and its value: text, or a tuple of one text that is shown as code: a digest, a path, a version."""

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


def fictional(run: Mapping[str, object]) -> bool:
    """Whether the cohort is declared fictional."""
    return mapping(run.get("cohort")).get("fictional") is True


def facts(audit: Audit) -> dict[str, list[Fact]]:
    """Facts about cohort, model, instrument and its parts, settings and versions, and the digests of the run."""
    run = audit.run
    cohort, instrument = mapping(run.get("cohort")), mapping(run.get("instrument"))
    parts = {key: value for key, value in instrument.items() if isinstance(value, Mapping)}
    digest = _plain(cohort.get("digest"))
    return {
        "cohort": [
            *((key.capitalize(), _written(cohort.get(key))) for key in ("licence", "consent", "notes")),
            ("Digest", (digest,)),
        ],
        "instrument": _flat({key: value for key, value in instrument.items() if key not in parts}),
        "instrument_parts": _flat(parts),
        "model": _flat(mapping(run.get("model_description"))),
        "settings": _flat(audit.settings),
        "versions": [(name, (_plain(version),)) for name, version in sorted(mapping(run.get("versions")).items())],
        "digests": [
            ("Run", (_plain(run.get("digest")),)),
            ("Cohort", (digest,)),
            ("Model", (_plain(run.get("model")),)),
            ("Weights of the model", (_plain(run.get("weights_sha256") or "none: the model has no weights"),)),
            ("Seed of the run", _plain(run.get("seed"))),
        ],
    }


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
            facts.extend(_flat({key: value}))
    return Card(tuple(facts), tuple(tables)) if card else None


def _card_table(key: str, rows: Mapping[str, Mapping[str, object]]) -> TableView:
    def named(name: str) -> Column[str]:
        return Column(_label(name), lambda row: _card_cell(rows[row].get(name)), numeric=True)

    columns = [Column[str]("Label", lambda row: head(row.replace("_", " ")))]
    columns += [named(name) for name in dict.fromkeys(name for row in rows.values() for name in row)]
    return TableView.of(f"card-{key}", _label(key), columns, rows)


def _card_cell(value: object) -> Cell:
    """A number, an estimate with its interval, or a text."""
    inner = mapping(value)
    if "value" in inner:
        found = Value.of(inner)
        unit = text(inner, "unit")
        if not unit:  # a card of a former version, which had no units
            ends = (found.value, found.low, found.high)
            unit = "share" if all(end is not None and 0 <= end <= 1 for end in ends) else "years"
        if found.value is None:
            return missing()
        size = count(inner, "n_speakers") or count(inner, "n") or None
        return estimate(replace(found, n_speakers=size), unit)
    if value is None:
        return DASH
    return Cell(_plain(value), sort=_plain(value), kind="number" if isinstance(value, (int, float)) else "text")


def _flat(value: object, name: str = "") -> list[Fact]:
    """Nested mappings as one list of pairs with joined names."""
    if isinstance(value, Mapping):
        facts = []
        for key, item in value.items():
            facts.extend(_flat(item, f"{name}, {key}" if name else _label(str(key))))
        return facts
    return [(name or "Name", _written(value))]


def _written(value: object) -> str | tuple[str]:
    """A value in words; digests and paths as code."""
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return ", ".join(strings(value)) or "none"
    written = _plain(value)
    as_code = isinstance(value, str) and " " not in written and (len(written) > 30 or "/" in written)
    return (written,) if as_code else written


def _plain(value: object) -> str:
    if value is None or value == "":
        return NOT_RECORDED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (Mapping, list, tuple)):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return str(value)


def _label(key: str) -> str:
    words = key.replace("_", " ")
    return (words[:1].upper() + words[1:]).replace("Deepface", "DeepFace")
