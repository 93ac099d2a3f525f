"""The plan of a policy on the terminal, at most 80 columns wide."""

from __future__ import annotations

import textwrap
from typing import Final

import pandas as pd

from audit.cli.terminal import give, rich_table, stdout
from audit.release.plans import Chance, PolicyChance, PolicyPlan, RulePlan, assumed

_WIDTH: Final = 80


def give_plan(plan: PolicyPlan) -> None:
    """Print the chances of every rule and of the whole policy."""
    power = f"{plan.assumptions.power:.0%}"
    stdout.print(f"Plan for the policy {plan.policy}  {plan.sha256[:12]}", style="bold", markup=False)
    _give_text(
        "The chances that the gate exits with 0 (pass), 10 (breach) and 11 (inconclusive), by the true value of the "
        "figure in every judged group (of a gap: in the smallest judged group), and the speakers that each group needs "
        f"for a chance of {power} of exit 0. The error rate without an effect is {plan.assumptions.base_rate:.1%} "
        "(--base-rate). "
        f"{assumed(plan.rules)}"
    )
    for rule in plan.rules:
        _give_rule(rule, power)
    if plan.whole:
        _give_whole(plan, power)


def _give_rule(rule: RulePlan, power: str) -> None:
    give("")
    _give_text(rule.title)
    if rule.reason:
        _give_text(rule.obstacle)
        return
    _give_text(f"{rule.comparison}: {rule.speakers}")
    values = [f"{rule.value(each)}, {each.case}" for each in rule.chances]
    _give_table("true value", values, list(rule.chances), power)


def _give_whole(plan: PolicyPlan, power: str) -> None:
    give("")
    left_out = f", without {', '.join(plan.left_out)}" if plan.left_out else ""
    _give_text(f"The whole policy{left_out}, with the true value of every rule as stated")
    _give_table("true values", [each.case for each in plan.whole], list(plan.whole), power)
    _give_text(
        "Rules are combined as if they were independent; in brackets, the smallest and largest chances under any "
        "dependence between them. Requirements on instrument and data (exit codes 12 and 13) and waivers are not "
        "included."
    )


def _give_table(name: str, values: list[str], chances: list[Chance] | list[PolicyChance], power: str) -> None:
    columns = {name: values}
    for code, what in ((0, "passes"), (10, "breach"), (11, "inconclusive")):
        columns[f"exit {code}"] = [_chance(each, what) for each in chances]
    columns[f"speakers for {power}"] = [each.needed for each in chances]
    stdout.print(rich_table("", pd.DataFrame(columns)), width=_WIDTH)


def _chance(each: Chance | PolicyChance, what: str) -> str:
    text = _percent(getattr(each, what))
    if isinstance(each, PolicyChance):
        low, high = getattr(each, f"{what}_bounds")
        text += f" [{100 * low:.0f}, {100 * high:.0f}]"
    return text


def _percent(chance: float) -> str:
    """A chance in per cent; 0% and 100% only if it is so in every data set."""
    return "<1%" if 0 < chance < 0.005 else ">99%" if 0.995 <= chance < 1 else f"{chance:.0%}"


def _give_text(text: str) -> None:
    for line in textwrap.wrap(text, _WIDTH):
        give(line)
