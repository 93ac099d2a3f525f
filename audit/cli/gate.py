"""The command ``audit gate``: the decision on a release, as text, files and an exit code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from typer import Option

import audit
from audit.cli.terminal import give, give_text, say, suggest
from audit.cli.verbs import AsJson, RunFolder
from audit.core.addresses import place
from audit.core.errors import AuditError
from audit.core.files import write_new, writing
from audit.core.written_files import refuse_foreign_files, write_files

if TYPE_CHECKING:
    from audit.release import Decision, Policy

_AFTER: Final = {
    0: "store the decision with the release: the same command with --summary FILE",
    10: "see the affected groups in {run}/report.html; to try a mitigation: audit list mitigations",
    11: "read docs/guide/exit-11.md: which rule is undecided and why, and whether more speakers can decide it",
    12: "see the instrument's errors in {run}/report.html; to let people read faces: audit sheet {run} -o SHEET",
    13: "finish the run: repeat the same audit run command",
}
"""The suggested next step for each exit code."""
_UNREADABLE: Final = "repair or remove the files that {run}/report.html counts under Your files; run into a new folder"
_EVIDENCE: Final = "see what the rulings evidence and pins say; docs/guide/pins.md explains each of them"
_UNATTESTED: Final = "let a trusted signer attest the run as it is now: audit attest {run} --key FILE"
_LEDGER: Final = "do what the ruling ledger.look says; docs/guide/gate.md has a section on the ledger"
_OF_EVIDENCE: Final = ("evidence.", "pins.")
"""The beginnings of ids of rulings on what the run's evidence is."""


def gate(
    run: RunFolder,
    policy: Annotated[Path | None, Option(help="A policy (TOML); the one that ships without it.")] = None,
    baseline: Annotated[
        Path | None, Option(metavar="RUN", help="A run that the release must not be worse than.", parser=place)
    ] = None,
    human_readings: Annotated[
        Path | None,
        Option(metavar="FILE", help="A filled sheet of audit sheet, for rules with readings = human."),
    ] = None,
    require_attestation: Annotated[
        str | None,
        Option(metavar="KEY|IDENTITY", help="Block unless this public key, or ISSUER::IDENTITY, attested the run."),
    ] = None,
    attestation: Annotated[
        Path | None, Option(metavar="FILE", help="The attestation; RUN/attestation.json without it.")
    ] = None,
    junit: Annotated[Path | None, Option(help="Write the decision as JUnit XML.")] = None,
    sarif: Annotated[Path | None, Option(help="Write the decision as SARIF 2.1.0.")] = None,
    summary: Annotated[Path | None, Option(help="Write the decision as Markdown.")] = None,
    explain: Annotated[
        bool, Option("--explain", help="Explain every ruling: what is required, what was judged, why, what changes it.")
    ] = False,
    pin: Annotated[
        bool, Option("--pin", help="Decide nothing: print the run's facts as the section \\[pins] of a policy.")
    ] = False,
    out: Annotated[
        Path | None,
        Option("-o", "--out", metavar="FILE", help="With --pin: write the policy with the pins, a new file."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Decide on a release: hold a run against a policy.

    Exit codes: 0 every rule is shown to hold (or waived), 10 a breach is shown, 11 inconclusive, 12 instrument not
    valid, 13 run incomplete or evidence that the policy does not admit; 2 wrong usage, policy or input, 1 a crash.
    Several at once: 13, 12, 10, 11.

    Examples: [bold]audit gate R --policy policy.toml --junit gate.xml[/bold], [bold]audit gate R --explain[/bold]
    """
    from audit.release.plans import assumed
    from audit.release.policy import Policy
    from audit.reports.decision import explanation, junit_xml, sarif_json, summary_markdown

    if explain and as_json:
        raise AuditError("--explain prints text and --json prints JSON.", "one of them")
    if out is not None and not pin:
        raise AuditError("-o is for --pin.", "--junit, --sarif or --summary for files of a decision")
    for file in filter(None, (junit, sarif, summary)):
        refuse_foreign_files(file.parent, [file.name])  # before the gate decides, which may add to a ledger
    chosen = Policy.default() if policy is None else Policy.read(policy)
    if pin:
        _pin(run, chosen, baseline, out)
        return
    _warn_of_unused(baseline, chosen)
    decision = audit.gate(
        run,
        policy=chosen,
        baseline=baseline,
        human_readings=human_readings,
        plans=True,
        require_attestation=require_attestation,
        attestation=attestation,
    )
    for path, text in ((junit, junit_xml), (sarif, sarif_json), (summary, summary_markdown)):
        if path is not None:
            with writing(path):
                write_files(path.parent, {path.name: text(decision)}, durable=True)
    suggest(_next_step(decision).format(run=run))
    if as_json:
        give_text(decision.to_json())
        say(decision.sentence)
    else:
        for line in explanation(decision, chosen) if explain else _lines(decision):
            give(line)
        for waiver in decision.unused_waivers:
            give(f"{'waiver':<14}{waiver.sentence}")
        if words := assumed([ruling.plan for ruling in decision.rulings if ruling.plan]):
            give(f"{'chances':<14}{words}")
        digests = f"policy {decision.policy['sha256'][:12]}, run {str(decision.run['digest'])[:12]}"
        if decision.ledger is not None:
            digests += f", ledger entry {decision.ledger['entry']} {str(decision.ledger['sha256'])[:12]}"
        give(f"{decision.sentence} Exit code {decision.exit_code}; {digests}.")
    raise typer.Exit(decision.exit_code)


def _warn_of_unused(baseline: Path | None, policy: Policy) -> None:
    if baseline is not None and not policy.needs_baseline:
        say(
            f"warning: --baseline {baseline} decides nothing except that it must be complete: no rule of the policy "
            f'{policy.terms.name} has kind = "non_inferiority".'
        )


def _next_step(decision: Decision) -> str:
    """What to do about the first unmet requirement, else about the exit code."""
    from audit.release.attestation.verifying import ATTESTATION
    from audit.release.looks import LEDGER
    from audit.release.requirements import COMPLETE, UNREADABLE

    unmet = {item.id for item in decision.rulings if item.outcome == "incomplete" and item.kind == "requirement"}
    if LEDGER in unmet:
        return _LEDGER
    if COMPLETE not in unmet and UNREADABLE in unmet:
        return _UNREADABLE
    if COMPLETE not in unmet and ATTESTATION in unmet:
        return _UNATTESTED
    if COMPLETE not in unmet and any(name.startswith(_OF_EVIDENCE) for name in unmet):
        return _EVIDENCE
    return _AFTER[decision.exit_code]


def _pin(run: Path, policy: Policy, baseline: Path | None, out: Path | None) -> None:
    """Print the pins of a run, or write a policy with them into a new file."""
    from audit.release.pinning import facts_of, pinned_policy
    from audit.release.pins import pins_toml

    facts = facts_of(run, baseline)
    if out is None:
        give_text(pins_toml(facts, policy.terms.pins))
        return
    try:
        write_new(out, pinned_policy(policy, facts))
    except OSError as error:
        raise AuditError(f"{out} cannot be written: {error}.", "a new file") from error
    give(str(out))


def _lines(decision: Decision) -> Iterator[str]:
    """A line for each ruling, and below it the plan of an inconclusive one."""
    for ruling in decision.rulings:
        yield f"{ruling.outcome:<14}{ruling.id}  {ruling.sentence}"
        if ruling.plan is not None:
            yield f"{'':<14}{ruling.plan.sentence}"
