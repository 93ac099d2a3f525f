"""Candidates: what a release is of, so that several runs of one model are recognised as one candidate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_OF_MODEL = ("name", "options", "command", "files_sha256")
"""Keys of the description of a model without weights that identify it."""


def candidate_key(run: Mapping[str, object]) -> str:
    """What identifies a candidate among the looks of a ledger: its weights and its mitigations.

    A model without weights is identified by its name and options, or by its command and the files in it. So training
    again makes another candidate, and another cohort, instrument or name does not.

    Parameters
    ----------
    run : Mapping
        :attr:`Audit.run`.

    Examples
    --------
    >>> candidate_key({"model": "m", "weights_sha256": "ab12", "model_description": {"name": "m"}})
    'weights ab12'
    >>> candidate_key({"model": "m", "weights_sha256": None, "model_description": {"name": "m", "options": {}}})
    'm 8bfbd408cd53'
    """
    described = run.get("model_description")
    model: dict[str, Any] = described if isinstance(described, dict) else {"name": run.get("model")}
    fitted = [{key: item.get(key) for key in ("name", "options")} for item in model.get("mitigations", ())]
    mitigated = f" mitigated {_digest(fitted)[:12]}" if fitted else ""
    if weights := run.get("weights_sha256"):
        return f"weights {weights}{mitigated}"
    identified = {key: model[key] for key in _OF_MODEL if key in model}
    return f"{run.get('model')} {_digest(identified)[:12]}{mitigated}"


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
