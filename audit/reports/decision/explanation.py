"""The decision explained in plain text: what each rule requires, what was judged, why, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from audit.core.clean_text import clean
from audit.core.sentences import group_words
from audit.core.units import write_estimate, write_value
from audit.release import EXIT_CODES, Decision, FigureRuling, Policy, Ruling
from audit.release.deciding import reach
from audit.release.outcomes import Outcome
from audit.release.policy import ResolvedRule
from audit.stats import ALL

_OUTCOME: Final[dict[Outcome, str]] = {
    "pass": "passes",
    "breach": "breach shown",
    "inconclusive": "inconclusive",
    "instrument": "instrument not valid",
    "incomplete": "run incomplete, or evidence that the policy does not admit",
    "waived": "waived",
}
_REQUIREMENT: Final[dict[Outcome, str]] = {
    "pass": "a run that no longer meets the requirement.",
    "instrument": "another instrument, or portraits that this one reads better.",
    "incomplete": "a run, a ledger or a policy with which the requirement is met.",
}


def explanation(decision: Decision, policy: Policy) -> list[str]:
    """Lines of text, several for each ruling, and the rules of the exit code at the end.

    Parameters
    ----------
    decision : Decision
        The decision.
    policy : Policy
        The policy that it was made by.
    """
    ledger = decision.ledger or {}
    share = ledger.get("share", 1.0)
    rules = {each.rule.id: each for each in replace(policy, share=float(share)).rules}  # type: ignore[arg-type]  # a JSON number
    lines: list[str] = []
    for ruling in decision.rulings:
        code = EXIT_CODES[ruling.outcome]
        lines.append(f"{ruling.id}: {_OUTCOME[ruling.outcome]}, exit code {code}")
        rule = rules.get(ruling.id)
        facts = _of_requirement(ruling) if rule is None else _of_rule(ruling, rule, decision)
        lines += [f"  {name:<12}{clean(text)}" for name, text in facts]
        lines.append("")
    order = ", ".join(str(code) for code in dict.fromkeys(EXIT_CODES.values()) if code)
    lines.append(f"The exit code is the first of {order} that a ruling has, and 0 if none has any.")
    return lines


def _of_requirement(ruling: Ruling) -> Iterator[tuple[str, str]]:
    yield (
        "requires",
        f"a condition on the evidence, not on the model{f': {ruling.required}' if ruling.required else ''}.",
    )
    if ruling.estimate is not None:
        yield "judged", _figure_words(ruling.figure, ruling)
    yield "because", ruling.sentence
    yield "changes it", _REQUIREMENT[ruling.outcome]


def _of_rule(ruling: Ruling, resolved: ResolvedRule, decision: Decision) -> Iterator[tuple[str, str]]:
    rule, judged = resolved.rule, next((item for item in ruling.held if item.figure == ruling.figure), None)
    what = resolved.judged.label if rule.figure in (None, resolved.judged.name) else rule.figure or ""
    label = ruling.estimate.label if ruling.estimate is not None and ruling.estimate.label else what
    change = ", as a change from the baseline," if rule.kind == "non_inferiority" else ""
    yield "asks", resolved.check.question
    yield (
        "requires",
        f"{rule.check} {label}{change} {ruling.required}; the whole interval counts, at a confidence of "
        f"{rule.confidence:.4g} (alpha {rule.alpha:.3g}). A pass needs {rule.min_speakers} speakers or more.",
    )
    yield "judged", _figure_words(label, ruling)
    if judged is not None:
        yield "because", f"{judged.reason}."
    others = [item for item in ruling.held if item is not judged]
    for item in others:
        yield "", f"{group_words(item.group)}: {item.outcome}, {item.reason}."
    yield from _set_aside(ruling, judged, decision)
    yield "changes it", _would_change(ruling, judged, resolved)


def _figure_words(label: str, ruling: Ruling) -> str:
    figure = ruling.estimate
    of = "" if ruling.group == ALL else f" ({group_words(ruling.group)})"
    if figure is None or figure.value is None:
        return f"{label}{of}: {'no figure in this run' if figure is None else figure.method}."
    written = write_estimate(figure.value, figure.low, figure.high, figure.unit, figure.signed)
    return f"{label}{of}: {written}, from {figure.n_speakers} speakers and {figure.n_clips} clips ({figure.method})."


def _set_aside(ruling: Ruling, judged: FigureRuling | None, decision: Decision) -> Iterator[tuple[str, str]]:
    """Why the ruling differs from the outcome of its figure, if it does."""
    if ruling.outcome == "waived":
        waivers = [
            waiver.sentence for waiver in decision.waivers if (waiver.rule, waiver.state) == (ruling.id, "applied")
        ]
        yield "waiver", "; ".join(waivers)
    elif judged is not None and judged.outcome != ruling.outcome:
        unmet = next((each.id for each in decision.rulings if each.outcome == ruling.outcome and not each.held), "")
        yield "but", f"nothing passes while a requirement is not met{f': {unmet}' if unmet else ''}."


def _would_change(ruling: Ruling, judged: FigureRuling | None, resolved: ResolvedRule) -> str:
    """What would give another outcome, from the distance of the interval to the limit."""
    figure = None if judged is None else judged.estimate
    if judged is None or figure is None or figure.interval is None:
        return "a run in which this figure has an interval."
    limit = -resolved.bound if resolved.side == "at_least" else resolved.bound
    size = write_value(abs(reach(judged, resolved.side) - limit), figure.unit, signed=True).lstrip("+")
    if judged.outcome == "breach":
        return (
            f"a model with a smaller figure: the interval begins {size} beyond the limit. More speakers make the "
            "interval narrower and do not undo a breach."
        )
    if judged.outcome == "pass":
        return f"an interval that reaches more than {size} further; then the rule would be inconclusive."
    return ruling.plan.sentence if ruling.plan else "an interval that lies wholly within the limit, or beyond it."
