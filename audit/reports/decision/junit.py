"""The decision as JUnit XML: every rule that does not pass is a failure or an error, never skipped."""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree

from audit.core.clean_text import clean
from audit.release.decision import Decision
from audit.release.outcomes import Outcome

FAILURES: Final[tuple[Outcome, ...]] = ("breach", "inconclusive")
ERRORS: Final[tuple[Outcome, ...]] = ("instrument", "incomplete")


def junit_xml(decision: Decision) -> str:
    """One test case for each ruling: breach and inconclusive are failures, instrument and incomplete are errors.

    A waived rule is a passed case; the suite's output and properties contain the waiver. Valid by Jenkins's schema.
    """
    root = ElementTree.Element("testsuites")
    outcomes = [ruling.outcome for ruling in decision.rulings]
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        {
            "name": f"audit gate: {clean(decision.policy['name'])}",
            "package": "audit.gate",
            "id": "0",
            "timestamp": f"{decision.decided}T00:00:00",
            "hostname": "localhost",
            "tests": str(len(outcomes)),
            "failures": str(sum(outcome in FAILURES for outcome in outcomes)),
            "errors": str(sum(outcome in ERRORS for outcome in outcomes)),
            "time": "0",
        },
    )
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in _facts(decision).items():
        ElementTree.SubElement(properties, "property", {"name": name, "value": clean(value)})
    for ruling in decision.rulings:
        case = ElementTree.SubElement(
            suite, "testcase", {"name": ruling.id, "classname": f"audit.gate.{ruling.check or 'policy'}", "time": "0"}
        )
        kind = "failure" if ruling.outcome in FAILURES else "error" if ruling.outcome in ERRORS else None
        if kind:
            element = ElementTree.SubElement(
                case, kind, {"type": ruling.outcome, "message": f"{ruling.outcome}: {clean(ruling.sentence)}"}
            )
            # the message has the reason of a rule with one figure
            several = ruling.held if len(ruling.held) > 1 else ()
            figures = [f"{item.figure}: {item.outcome}: {item.reason}" for item in several]
            element.text = clean("\n".join([f"{decision.policy['source']}:{ruling.line}", *figures]))
    output = [decision.sentence, *(waiver.sentence for waiver in decision.waivers)]
    ElementTree.SubElement(suite, "system-out").text = clean("\n".join(output))
    ElementTree.SubElement(suite, "system-err").text = ""
    ElementTree.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _facts(decision: Decision) -> dict[str, str]:
    facts = {
        "outcome": decision.outcome,
        "exit_code": str(decision.exit_code),
        "policy.name": decision.policy["name"],
        "policy.sha256": decision.policy["sha256"],
        **{f"run.{name}": str(value) for name, value in decision.run.items()},
        **{f"baseline.{name}": str(value) for name, value in (decision.baseline or {}).items()},
        **({"not_checked": ", ".join(decision.not_checked)} if decision.not_checked else {}),
        **{f"code.{name}": str(value) for name, value in decision.code.items()},
    }
    waivers = {f"waiver.{i}.{waiver.state}": waiver.sentence for i, waiver in enumerate(decision.waivers)}
    return facts | waivers
