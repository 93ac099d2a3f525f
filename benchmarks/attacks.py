"""Attacks on the gate against outcomes: the table of docs/validation/attacks.md.

python benchmarks/attacks.py
    the exit code of every attack by a policy without pins, with the pins of the honest run, and with its attestation;
    20 seconds

An attack changes an honest run that passes, or its policy, or presents something else in its place. ``before`` is what
the gate answered to it before policies had pins and before they had to allow such evidence. The reads are simulated.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import pandas as pd

import audit
from audit.audits.measure import identity
from audit.core.plan import MeasureSettings
from audit.instruments.registry import refuse_borrowed_name
from audit.release import Policy
from audit.release.attestation.statement import state_run
from audit.release.attestation.verifying import differences
from audit.release.pinning import facts_of, pinned_policy
from audit.runs.journal import JOURNAL, Entry, Journal, Writer
from audit.runs.simulation import reference_run

TRUTH: Final[dict[str, Any]] = {
    "groups": ["asian", "black", "white"],
    "speakers_per_group": 64,
    "clips_per_language": 1,
    "languages": ["en", "zh"],
}
QUICK: Final = MeasureSettings(intersect=(), slice_depth=0)
RULES: Final = """schema = 1
name = "release"
[evidence]
allow = ["unpinned"]
[[rule]]
id = "white"
check = "S2F001"
limit = 0.1
"""
CHANGE: Final = '[[rule]]\nid = "worse"\ncheck = "S2F001"\nkind = "non_inferiority"\nmargin = 0.1\n'
CHOSEN: Final = "[pins]\nmax_age_days = 3660\nrecheck = 0.02\n"
WAIVER: Final = """[[waiver]]
rule = "white"
name = "{name}"
reason = "{reason}"
granted = 2026-06-01
expires = {expires}
{about}worst = 0.5
"""
COPIED: Final = 11, 13
"""Speakers of a group, and the ids of each."""
INCOMPLETE, REFUSED = 13, 2
"""Exit codes."""
ABOUT: Final = f'run = "{"0" * 64}"\n'


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def honest() -> audit.Run:
    """A run with everything that the run of an audited model records."""
    run = audit.simulate(TRUTH)
    seen = run.observations.assign(
        audio_sha256=lambda frame: frame["clip_id"].map(sha), portrait_face=lambda frame: frame["speaker_id"].map(sha)
    )
    made = {
        "cohort": {**run.manifest["cohort"], "name": "people"},
        "model": {
            "name": "candidate",
            "kind": "reconstructor",
            "weights_sha256": sha("weights"),
        },
        "instrument": {**run.manifest["instrument"], "name": "embedded"},
        "code_identity": {"model_sha256": sha("model"), "instrument_sha256": sha("instrument")},
        "content": {"sha256": sha("files"), "n_files": 576},
        "journal": sha("journal"),
        "answers": {"rendered": 384, "rendered_before": 0, "read": 768, "read_before": 0},
        "code": {"version": "1", "commit": "abc", "dirty": False},
        "finished": "2026-06-01T00:00:00+00:00",
        "plan": '[model]\nname = "lab:candidate"\n',
    }
    return audit.Run(seen, {**run.manifest, **made})


def changed(**sections: Any) -> audit.Run:
    """The honest run with other keys in sections of its manifest."""
    manifest = honest().manifest
    made = {
        key: {**manifest.get(key, {}), **value} if isinstance(value, dict) else value for key, value in sections.items()
    }
    return replace(honest(), manifest={**manifest, **made})


def planted() -> audit.Run:
    """What ``audit run`` made of a plan without a model."""
    return changed(model={"name": "planted", "kind": "playback", "weights_sha256": None}, plan="[run]\nseed = 0\n")


def copied() -> audit.Run:
    """Eleven speakers of each group, each under 13 ids."""
    (speakers, ids), parts = COPIED, []
    for _, of_group in honest().observations.groupby("group", observed=True):
        kept = of_group[of_group["speaker_id"].isin(of_group["speaker_id"].unique()[:speakers])]
        renamed = ({name: kept[name] + f"-{number}" for name in ("clip_id", "speaker_id")} for number in range(ids))
        parts += [kept.assign(**names) for names in renamed]
    seen = pd.concat(parts).sort_values("clip_id", ignore_index=True)
    return replace(changed(cohort={"n_clips": len(seen), "digest": sha("copied")}), held=seen)


def relabelled() -> audit.Run:
    """Black speakers, whom the model fails, with an unknown group."""
    seen = honest().observations.assign(group=lambda frame: frame["group"].replace("black", "unknown"))
    return replace(changed(cohort={"digest": sha("relabelled")}), held=seen)


def finished_by(other: str) -> audit.Run:
    """The honest run in a folder whose journal has a second writer, which differs in ``other``."""
    folder = Path(tempfile.mkdtemp(prefix="attack-"))
    (folder / JOURNAL).parent.mkdir()
    writer = Writer(sha("model"), sha("instrument"), {"source": sha("code")}, "0.1.0")
    second = replace(writer, model=sha("other")) if other == "model" else replace(writer, packages={"source": sha("x")})
    entries = {
        name: Entry(name, sha(name), 1, 1, "", each.id)
        for name, each in (("part-000000.parquet", writer), ("part-000001.parquet", second))
    }
    journal = Journal({each.id: each for each in (writer, second)}, entries)
    journal.write(folder)
    parts = {name: entry.sha256 for name, entry in entries.items()}
    return replace(changed(parts=parts, journal=journal.digest), folder=folder)


class Cheating:
    """An instrument that calls itself by the name of a shipped one."""

    name = "embedded"
    similarity_models = ()

    def read(self, pictures: Any) -> Any:
        return [object() for _ in pictures]

    def describe(self) -> dict[str, object]:
        return {}


def cheating_instrument() -> audit.Run:
    refuse_borrowed_name(Cheating())  # as `audit run` does
    return honest()


@dataclass(frozen=True)
class Attack:
    """An attack: its run and, where it needs them, its baseline or its policy.

    Attributes
    ----------
    name : str
        What is done.
    before : str
        The exit code before, from the review that found it; empty for attacks that it did not try.
    run : callable
        Returns the run that is gated.
    has_own_reads : bool
        Whether its reads are not those of the honest run.
    has_baseline : bool
        Whether the run is its own baseline.
    terms : str
        Further lines of the policy.
    """

    name: str
    before: str
    run: Callable[[], audit.Run] = honest
    has_own_reads: bool = False
    has_baseline: bool = False
    terms: str = ""


def _waived(name: str = "Ann", reason: str = "closed pilot", expires: str = "2026-12-31", about: str = ABOUT) -> str:
    return WAIVER.format(name=name, reason=reason, expires=expires, about=about)


ATTACKS: Final = (
    Attack("none: the honest run", "0"),
    Attack("a simulated run", "0", lambda: audit.simulate(TRUTH), has_own_reads=True),
    Attack("the run of a reference model", "0", lambda: reference_run("perfect", 64), has_own_reads=True),
    Attack("a plan without a model, which audits planted", "0", planted),
    Attack("11 speakers a group, copied under 13 ids each", "0", copied, has_own_reads=True),
    Attack("a begun run, finished with another model's parts", "0", lambda: finished_by("model")),
    Attack("a run begun by one code and finished by another", "0", lambda: finished_by("code")),
    Attack("black speakers relabelled unknown", "0", relabelled, has_own_reads=True),
    Attack("a baseline that is the run", "0", has_baseline=True, terms=CHANGE),
    Attack("a custom instrument named embedded", "0", cheating_instrument),
    Attack(
        "the same in a run that was made without this refusal",
        "0",
        lambda: changed(code_identity={"instrument_sha256": sha("cheating")}),
    ),
    Attack("clips' sound replaced", "0", lambda: changed(content={"sha256": sha("other sound")})),
    Attack(
        "edited rows of the cache, with new digests",
        "0",
        lambda: changed(
            answers={"rendered": 0, "rendered_before": 384, "read": 0, "read_before": 768},
            journal=sha("a journal of answers from a cache"),
        ),
    ),
    Attack("other weights under the same name", "", lambda: changed(model={"weights_sha256": sha("other")})),
    Attack("code with uncommitted changes", "", lambda: changed(code={"dirty": True})),
    Attack("another plan", "", lambda: changed(plan='[model]\nname = "lab:candidate"\n[run]\nmax_seconds = 2.0\n')),
    Attack("a run of eleven years ago", "", lambda: changed(finished="2015-06-01T00:00:00+00:00")),
    Attack("a waiver by the name .", "0", terms=_waived(name=".")),
    Attack("a waiver for an invisible reason", "0", terms=_waived(reason="\u3164\u3164\u3164")),
    Attack("a waiver until the year 9999", "0", terms=_waived(expires="9999-12-31")),
    Attack("a waiver of any run", "0", terms=_waived(about="")),
    Attack("limit = true", "0", terms='[[rule]]\nid = "any"\ncheck = "S2F003"\nlimit = true\n'),
)


def outcome(attack: Attack, *, pinned: bool) -> int:
    """The exit code of the gate, by a policy without pins or with those of the honest run; 2 if it is refused."""
    with refusals() as refused:
        policy = Policy.parse(RULES + (CHOSEN if pinned else "") + attack.terms)
        if pinned:
            policy = Policy.parse(pinned_policy(policy, facts_of(honest())))
        run = attack.run()
        if attack.has_baseline or attack.has_own_reads:
            return audit.gate(run, policy=policy, baseline=run if attack.has_baseline else None).exit_code
        return audit.gate(measured(run), policy=policy).exit_code
    return refused[0]


@cache
def measured_once() -> audit.Audit:
    return audit.measure(honest(), settings=QUICK)


def measured(run: audit.Run) -> audit.Audit:
    """The audit of a run with the reads of the honest one, which are measured once."""
    return replace(measured_once(), run=identity(run), source=run)


@contextmanager
def refusals() -> Iterator[list[int]]:
    """Turn a refusal into the exit code of the command line."""
    code = [REFUSED]
    try:
        yield code
    except audit.AuditError:
        return


def with_attestation(attack: Attack) -> int:
    """The exit code of a gate without pins that requires the attestation of the honest run; 2 if it is refused."""
    with refusals():
        run = attack.run()
        made = audit.measure(run, settings=QUICK, with_tables=False) if attack.has_own_reads else measured(run)
        signed, now = state_run(honest(), measured(honest())), state_run(run, made)
        return INCOMPLETE if differences(signed, now) else outcome(attack, pinned=False)
    return REFUSED


def main() -> None:
    print("| attack | before | without pins | with pins | with attestation |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for attack in ATTACKS:
        codes = outcome(attack, pinned=False), outcome(attack, pinned=True), with_attestation(attack)
        print(f"| {attack.name} | {attack.before} | {' | '.join(map(str, codes))} |", flush=True)


if __name__ == "__main__":
    main()
