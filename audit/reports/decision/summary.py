"""The decision in Markdown, for people and build pages."""

from __future__ import annotations

from audit.core.clean_text import in_markdown
from audit.core.sentences import listing
from audit.core.units import write_estimate
from audit.release.decision import Decision, Ruling
from audit.release.pins import WORDS as PINNED
from audit.release.plans import assumed

MARKS = {
    "pass": "pass",
    "breach": "**BREACH**",
    "inconclusive": "**INCONCLUSIVE**",
    "instrument": "**INSTRUMENT**",
    "incomplete": "**INCOMPLETE**",
    "waived": "*waived*",
}


def summary_markdown(decision: Decision) -> str:
    """A sentence, a table of the rulings, plans of inconclusive rules, unused waivers, what is unchecked, digests."""
    lines = [
        f"## {decision.sentence}",
        "",
        f"Exit code {decision.exit_code}, by the policy {in_markdown(decision.policy['name'])}, on {decision.decided}.",
        "",
        "| Rule | Outcome | Estimate | Speakers | Reason |",
        "| --- | --- | --- | --- | --- |",
        *(_row(ruling) for ruling in decision.rulings),
        "",
    ]
    if planned := [ruling for ruling in decision.rulings if ruling.plan]:
        lines += ["### What would decide the inconclusive rules", ""]
        lines += [f"- `{ruling.id}`: {in_markdown(ruling.plan.sentence)}" for ruling in planned if ruling.plan]
        lines += ["", in_markdown(assumed([ruling.plan for ruling in planned if ruling.plan])), ""]
    if waivers := decision.unused_waivers:
        lines += ["### Waivers without effect", "", *(f"- {in_markdown(waiver.sentence)}" for waiver in waivers), ""]
    if decision.not_checked:
        words = in_markdown(listing([PINNED.get(name, name) for name in decision.not_checked]))
        lines += ["### Not checked", "", f"The policy does not pin: {words}.", ""]
    lines += ["| | Policy | Run | Baseline |", "| --- | --- | --- | --- |"]
    lines += [f"| digest | `{decision.policy['sha256']}` | `{decision.run['digest']}` | {_baseline(decision)} |"]
    for name in (name for name in decision.run if name != "digest"):
        other = (decision.baseline or {}).get(name)
        lines.append(f"| {name} | | {_fact(decision.run[name])} | {'' if other is None else _fact(other)} |")
    if decision.ledger is not None:
        lines += ["", f"Ledger: {_fact(decision.ledger)}."]
    lines += [
        "",
        f"Decided by the code {_fact(decision.code)}, with version {decision.method_version} of the method.",
        "",
    ]
    return "\n".join(lines)


def _row(ruling: Ruling) -> str:
    figure, estimate, speakers = ruling.estimate, "", ""
    if figure is not None:
        estimate = write_estimate(figure.value, figure.low, figure.high, figure.unit, figure.signed)
        speakers = str(figure.n_speakers)
    cells = (f"`{ruling.id}`", MARKS[ruling.outcome], estimate, speakers, in_markdown(ruling.sentence))
    return f"| {' | '.join(cells)} |"


def _baseline(decision: Decision) -> str:
    return "" if decision.baseline is None else f"`{decision.baseline['digest']}`"


def _fact(value: object) -> str:
    if isinstance(value, dict):
        return in_markdown(", ".join(f"{name} {item}" for name, item in value.items()))
    return in_markdown("" if value is None else str(value))
