"""The probe: who was asked, what was found, and the tables behind it; written as probe.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from audit.audits.table import Table
from audit.checks.finding import Finding
from audit.core.errors import RunError

SCHEMA_VERSION: Final = "1.0"
PROBE: Final = "probe.json"


@dataclass(frozen=True)
class Probe:
    """All that was found about one model; the same model, voices and settings give the same bytes.

    Attributes
    ----------
    model, instrument, cohort : Mapping
        What was asked, what read its faces, and whose voices were heard; names, versions and digests.
    settings : Mapping
        Voices, seed, confidence, margins, and the versions of what the figures depend on.
    notices : tuple of str
        What a reader must know before the first figure.
    findings : tuple of Finding
        One for each factor and property, by the codes ``language.face``, ``pitch.gender`` and so on.
    sentences : tuple of str
        What was found, in words.
    tables : Mapping of str to Table
        ``effects``, ``reads``, ``voices``, ``faces``, ``factors``, ``missing`` and ``strip``.
    """

    model: Mapping[str, object]
    instrument: Mapping[str, object]
    cohort: Mapping[str, object]
    settings: Mapping[str, object]
    notices: tuple[str, ...]
    findings: tuple[Finding, ...]
    sentences: tuple[str, ...]
    tables: Mapping[str, Table]
    schema_version: str = SCHEMA_VERSION

    def finding(self, code: str) -> Finding:
        """The finding of that code.

        Raises
        ------
        KeyError
            If there is none.
        """
        for finding in self.findings:
            if finding.code == code:
                return finding
        raise KeyError(f"{code}: this probe holds {', '.join(finding.code for finding in self.findings)}")

    def frame(self) -> pd.DataFrame:
        """Every factor, property, group and sex: change, yardstick, excess, outcome and p-values."""
        return self.tables["effects"].frame.copy()

    @property
    def digest(self) -> str:
        """sha256 over all that probe.json holds beside its version and this digest."""
        return hashlib.sha256(_written(self._document()).encode("utf-8", "surrogatepass")).hexdigest()

    def to_json(self) -> str:
        """probe.json."""
        head = {"schema_version": self.schema_version, "content_sha256": self.digest}
        return _written(head | self._document()) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Probe:
        """The probe that :meth:`to_json` wrote.

        Raises
        ------
        RunError
            If the text is no probe, one of another schema, or one that was changed after it was written.
        """
        again = "Probe the model again: audit probe --model NAME -o OUT."
        try:
            data = json.loads(text)
            version = str(data["schema_version"])
            if version.split(".", maxsplit=1)[0] != SCHEMA_VERSION.split(".", maxsplit=1)[0]:
                raise RunError(f"{PROBE} has schema version {version}.", SCHEMA_VERSION, again)
            made = cls(
                model=data["model"],
                instrument=data["instrument"],
                cohort=data["cohort"],
                settings=data["settings"],
                notices=tuple(data["notices"]),
                findings=tuple(Finding.from_dict(item) for item in data["findings"]),
                sentences=tuple(data["sentences"]),
                tables={name: Table.from_dict(item) for name, item in data["tables"].items()},
                schema_version=version,
            )
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise RunError(f"This is no {PROBE}: {error}.", next_step=again) from error
        if made.digest != data.get("content_sha256"):
            raise RunError(f"{PROBE} was changed after it was written.", next_step=again)
        return made

    @classmethod
    def read(cls, folder: str | Path) -> Probe:
        """The probe in a folder.

        Raises
        ------
        RunError
            If the folder holds none.
        """
        path = Path(folder) / PROBE
        if not path.is_file():
            raise RunError(f"{folder} holds no {PROBE}.", next_step="Make one: audit probe --model NAME -o OUT.")
        return cls.from_json(path.read_text(encoding="utf-8"))

    def _document(self) -> dict[str, object]:
        return {
            "model": dict(self.model),
            "instrument": dict(self.instrument),
            "cohort": dict(self.cohort),
            "settings": dict(self.settings),
            "notices": list(self.notices),
            "findings": [finding.as_dict() for finding in self.findings],
            "sentences": list(self.sentences),
            "tables": {name: table.as_dict() for name, table in self.tables.items()},
        }


def _written(document: Mapping[str, object]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
