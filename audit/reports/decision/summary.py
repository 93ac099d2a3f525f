"""The decision in Markdown, for people and build pages."""

from __future__ import annotations

from audit.core.clean_text import in_markdown
from audit.release.decision import Decision, Ruling

MARKS = {
    "pass": "pass",
    "breach": "**BREACH**",
    "inconclusive": "**INCONCLUSIVE**",
    "instrument": "**INSTRUMENT**",
    "incomplete": "**INCOMPLETE**",
    "waived": "*waived*",
}


def summary_markdown(decision: Decision) -> str:
    """A sentence, a table of the rulings, the waivers, and the digests."""
    lines = [
        f"## {decision.sentence}",
        "",
        f"Exit code {decision.exit_code}, by the policy {in_markdown(decision.policy['name'])}, on {decision.decided}.",
        "",
        "| Rule | Outcome | Figure | Value | Interval | Required | Speakers |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(_row(ruling) for ruling in decision.rulings),
        "",
        *(
            f"- `{ruling.id}`: {in_markdown(ruling.sentence)}"
            + (f" {in_markdown(ruling.plan.sentence)}" if ruling.plan else "")
            for ruling in decision.rulings
            if ruling.outcome != "pass"
        ),
        "",
    ]
    if decision.waivers:
        lines += ["### Waivers", "", *(f"- {in_markdown(waiver.sentence)}" for waiver in decision.waivers), ""]
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
    estimate, required = ruling.estimate, ""
    if ruling.limit is not None:
        required = f"{ruling.side.replace('_', ' ')} {ruling.limit:g}"
    value = interval = speakers = ""
    if estimate is not None:
        value = "" if estimate.value is None else f"{estimate.value:.3f}"
        interval = "none" if estimate.interval is None else f"{estimate.low:.3f} to {estimate.high:.3f}"
        speakers = str(estimate.n_speakers)
    cells = (f"`{ruling.id}`", MARKS[ruling.outcome], in_markdown(ruling.figure), value, interval, required, speakers)
    return f"| {' | '.join(cells)} |"


def _baseline(decision: Decision) -> str:
    return "" if decision.baseline is None else f"`{decision.baseline['digest']}`"


def _fact(value: object) -> str:
    if isinstance(value, dict):
        return in_markdown(", ".join(f"{name} {item}" for name, item in value.items()))
    return in_markdown("" if value is None else str(value))
