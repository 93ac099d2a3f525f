"""The probe document: model, voices, findings and tables; written as probe.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pandas as pd
from pydantic import JsonValue

from audit.audits.table import StoredTable, Table
from audit.checks.finding import Finding, findings_frame, outcomes_in_line
from audit.core.attributes import ALWAYS, Attribute, known_attributes
from audit.core.document import SCHEMA_VERSION, Document, Form
from audit.core.shown import Shown, name_in_line, provided


class ProbeForm(Form):
    """The content of probe.json."""

    model: dict[str, JsonValue]
    instrument: dict[str, JsonValue]
    cohort: dict[str, JsonValue]
    settings: dict[str, JsonValue]
    notices: tuple[str, ...]
    findings: tuple[Finding, ...]
    sentences: tuple[str, ...]
    tables: dict[str, StoredTable]


@dataclass(frozen=True, repr=False)
class Probe(Shown, Document):
    """The result of probing one model; the same model, voices and settings give the same bytes.

    Attributes
    ----------
    model, instrument, cohort : Mapping
        Names, versions and digests of the model, the instrument and the voices.
    settings : Mapping
        Seed, confidence, margins, and versions of packages.
    notices : tuple of str
        Warnings to show before any figure.
    findings : tuple of Finding
        One for each factor and property, by the codes ``language.face``, ``pitch.gender`` and so on.
    sentences : tuple of str
        The findings in words.
    tables : Mapping of str to Table
        ``effects``, ``reads``, ``voices``, ``faces``, ``factors``, ``missing`` and ``strip``.
    """

    FILE: ClassVar[str] = "probe.json"
    COMMAND: ClassVar[str] = "audit probe --model NAME -o OUT"
    FORM: ClassVar[type[Form]] = ProbeForm

    model: Mapping[str, object]
    instrument: Mapping[str, object]
    cohort: Mapping[str, object]
    settings: Mapping[str, object]
    notices: tuple[str, ...]
    findings: tuple[Finding, ...]
    sentences: tuple[str, ...]
    tables: Mapping[str, Table]
    schema_version: str = SCHEMA_VERSION

    def _line(self) -> str:
        outcomes = outcomes_in_line(finding.outcome for finding in self.findings)
        return f"{name_in_line(self.model)}: {self.cohort.get('n_voices')} voices; {outcomes}"

    def write_report(self, folder: str | Path) -> Path:
        """Write ``probe.html``, ``probe.json`` and ``tables/*.csv`` into the folder given to :func:`audit.probe`.

        Returns
        -------
        Path
            The page.

        Raises
        ------
        RunError
            If a file to be replaced was not written by this tool.
        """
        page: Path = provided("write_probe_report")(self, folder)
        return page

    def findings_frame(self) -> pd.DataFrame:
        """A row for each finding, with the columns of :meth:`audit.Audit.findings_frame`."""
        return findings_frame(self.findings)

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes that were read and that this installation knows."""
        names = self.instrument.get("attributes_read", ALWAYS)
        return known_attributes(names if isinstance(names, (list, tuple)) else ())[0]

    def finding(self, code: str) -> Finding:
        """The finding with this code.

        Raises
        ------
        KeyError
            If there is none.
        """
        for finding in self.findings:
            if finding.code == code:
                return finding
        raise KeyError(f"{code}: this probe has {', '.join(finding.code for finding in self.findings)}")

    def frame(self) -> pd.DataFrame:
        """Every factor, property, group and sex: change, yardstick, excess, outcome and p-values."""
        return self.tables["effects"].frame.copy()
