"""The display names of a probe's factors, properties and reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from audit.core.attributes import REGISTRY, Attribute, attributes
from audit.core.metric import Metric
from audit.probes.asking import UNCHANGED
from audit.probes.changes import Property, properties_of, reads_of
from audit.probes.factors import FACTORS
from audit.probes.probe import Probe
from audit.reports.html.records import mapping, records, values
from audit.reports.html.wording import group_name
from audit.stats import ALL

TITLES: Final = {UNCHANGED: "as it is", **{factor.name: factor.title for factor in FACTORS}}
"""The display name of every factor."""
SHORT: Final = TITLES | {
    "language": "other language",
    "accent": "other accent",
    "pitch_down_4": "pitch \N{MINUS SIGN}4",
    "pitch_down_2": "pitch \N{MINUS SIGN}2",
    "pitch_up_2": "pitch +2",
    "pitch_up_4": "pitch +4",
    "first_3_s": "first 3 s",
    "first_1_5_s": "first 1.5 s",
    "telephone": "telephone",
    "pitch_back": "pitch and back",
    "again": "same again",
}
"""The same, short enough for a row of a chart."""
_PANELS: Final = {
    "face": "The face itself",
    "race": "Read as another race",
    "gender": "Read as another gender",
    "age": "Years between ages read",
}


def panel_title(prop: Property) -> str:
    """The title of a property's chart."""
    return _PANELS.get(prop.name) or capital(prop.title)


def voices_name(group: str) -> str:
    """The display name of a group of voices."""
    return "all voices" if group == ALL else group_name(group)


def capital(title: str) -> str:
    """The title with a capital, otherwise unchanged."""
    return title[:1].upper() + title[1:]


def properties_in(probe: Probe) -> list[Property]:
    """The properties that the probe compared; one that is not installed here has its name as title and no unit."""
    margins = {name: float(str(margin)) for name, margin in mapping(probe.settings.get("margins")).items()}
    known = [prop for prop in properties_of(_read(margins)) if prop.name in margins]
    further = margins.keys() - {prop.name for prop in known}
    return [
        *(replace(prop, margin=margins[prop.name]) for prop in known),
        *(Property(name, name.replace("_", " "), "mean", margins[name], "", "") for name in sorted(further)),
    ]


def reads_in(probe: Probe) -> list[Metric]:
    """The reads of the table ``reads``, likewise."""
    names = values(records(probe, "reads"), "read")
    known = {read.name: read for read in reads_of(_read(mapping(probe.settings.get("margins"))))}
    further = [Metric(name, "rate", name.replace("_", " "), unit="") for name in names if name not in known]
    return [*(read for name, read in known.items() if name in names), *further]


def _read(names: Iterable[str]) -> tuple[Attribute, ...]:
    """The attributes of these names that are installed here."""
    return attributes(tuple(name for name in names if name in REGISTRY.available()))
