"""The decision as SARIF 2.1.0, for code scanning: each ruling points to its line of the policy."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Final
from urllib.parse import quote

from audit.core.clean_text import clean
from audit.release.decision import Decision, Ruling

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HOME: Final = "https://github.com/speech2face-audit/speech2face-audit"
FINGERPRINT: Final = "auditRuling/v1"


def sarif_json(decision: Decision) -> str:
    """One run with a result for each ruling that does not pass; a waived one is suppressed, with the waiver as reason.

    Rule ids are the policy's. A fingerprint depends only on the policy's name, the rule's id and its check, so that the
    same result is recognised in the next release even if its figures or its line change.
    """
    rules = [_described(ruling) for ruling in decision.rulings]
    results = [
        _result(decision, index, ruling) for index, ruling in enumerate(decision.rulings) if ruling.outcome != "pass"
    ]
    document = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "speech2face-audit gate",
                        "version": str(decision.code.get("version", "")),
                        "informationUri": HOME,
                        "rules": rules,
                    }
                },
                "automationDetails": {"id": f"audit-gate/{decision.policy['name']}/"},
                "invocations": [{"executionSuccessful": True, "exitCode": decision.exit_code}],
                "artifacts": [
                    {
                        "location": {"uri": _uri(decision)},
                        "hashes": {"sha-256": decision.policy["sha256"]},
                        "roles": ["analysisTarget"],
                    }
                ],
                "results": results,
                "properties": {
                    "outcome": decision.outcome,
                    "sentence": decision.sentence,
                    "decided": decision.decided,
                    "policy": dict(decision.policy),
                    "run": dict(decision.run),
                    "baseline": None if decision.baseline is None else dict(decision.baseline),
                    "code": dict(decision.code),
                    "ledger": None if decision.ledger is None else dict(decision.ledger),
                    "not_checked": list(decision.not_checked),
                    "waivers": [waiver.sentence for waiver in decision.waivers],
                },
            }
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _described(ruling: Ruling) -> dict[str, Any]:
    words = f"{ruling.check} {ruling.kind.replace('_', ' ')}".strip()
    required = f"{words}: {ruling.required}" if ruling.required else words
    return {
        "id": ruling.id,
        "shortDescription": {"text": f"{ruling.id} ({required})"},
        "helpUri": f"{HOME}/blob/main/docs/guide/gate.md",
        "defaultConfiguration": {"level": "error"},
    }


def _result(decision: Decision, index: int, ruling: Ruling) -> dict[str, Any]:
    named = f"{decision.policy['name']}\0{ruling.id}\0{ruling.check}"
    result: dict[str, Any] = {
        "ruleId": ruling.id,
        "ruleIndex": index,
        "kind": "fail",
        "level": "error",
        "message": {"text": _plain(f"{ruling.outcome}: {ruling.sentence}")},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(decision), "index": 0},
                    "region": {"startLine": ruling.line},
                }
            }
        ],
        "partialFingerprints": {FINGERPRINT: hashlib.sha256(named.encode()).hexdigest()},
        "properties": {"outcome": ruling.outcome, "figure": ruling.figure},
    }
    if ruling.outcome == "waived":
        words = [clean(waiver.sentence) for waiver in decision.waivers if waiver.rule == ruling.id]
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": "; ".join(words)}]
    return result


def _plain(text: str) -> str:
    """A message with link syntax escaped (SARIF 2.1.0, 3.11.6)."""
    return re.sub(r"[\\\[\]]", r"\\\g<0>", clean(text))


def _uri(decision: Decision) -> str:
    """The policy's path as a reference to it."""
    return quote(decision.policy["source"])
