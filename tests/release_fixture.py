"""What the tests of the gate share: small policies, audits made by hand, and a stand-in for the paired comparison."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import audit
from audit.audits.audit import Audit
from audit.audits.table import Table
from audit.checks import shipped
from audit.checks.figure import Figure
from audit.checks.finding import Finding
from audit.core.grouping import GROUP, Grouping
from audit.core.plan import MeasureSettings
from audit.release import Decision, Policy, decide
from audit.release.deciding import Baseline
from audit.stats import Curve, Estimate, Settings, paired

TODAY = dt.date(2026, 6, 15)
ADMITTED = ("simulated", "shared_audio", "shared_portrait", "baseline_is_run", "unpinned")
"""What the evidence of small runs needs: simulated ones, and audits made by hand, which have no clips."""
EVIDENCE = f"[evidence]\nallow = {[*ADMITTED]}\n"
ALLOW = f"evidence.allow = {[*ADMITTED]}\n"
"""The same before any section, where keys of the policy follow."""
RULE = '[[rule]]\nid = "white"\ncheck = "S2F001"\nlimit = 0.1\n'


def policy(*parts: str) -> Policy:
    """A policy of these parts, or of the one rule S2F001 at most 0.1, that allows simulated runs."""
    return Policy.parse('schema = 1\nname = "p"\n' + "\n".join([*(parts or (RULE,)), EVIDENCE]), "policy.toml")


def waiver(rule: str = "white", /, **keys: object) -> str:
    """A waiver of the run ``made`` makes, for the whole of June 2026; ``keys`` are given as TOML."""
    given = {
        "name": '"Ann"',
        "reason": '"pilot of ten users"',
        "granted": "2026-06-01",
        "expires": "2026-06-30",
        "run": f'"{"d" * 64}"',
        "worst": "0.5",
    } | keys
    lines = [f"{key} = {value}" for key, value in given.items() if value is not None]
    return "\n".join([f'[[waiver]]\nrule = "{rule}"', *lines]) + "\n"


def shipped_policy() -> Policy:
    """The policy that ships, and allows simulated runs and a baseline that is the run."""
    return Policy.default(allow=("simulated", "baseline_is_run"))


def estimate(low: float | None, high: float | None, speakers: int = 50, **known: object) -> Figure:
    value = None if low is None or high is None else (low + high) / 2
    method = "by hand" if low is not None else "too few speakers"
    return Figure.of(Estimate(value, low, high, speakers, 2 * speakers, 0, method), **({"unit": "share"} | known))


def white(low: float | None, high: float | None, speakers: int = 50) -> Finding:
    """S2F001 with this interval."""
    named = {
        name: estimate(low, high, speakers, name=name, group="asian", language="en")
        for name in ("excess_over_portrait", "rendered")
    }
    return Finding("S2F001", "t", "inconclusive", "asian", named["excess_over_portrait"], named)


def by_group(code: str, intervals: Mapping[str, tuple[float, float] | None], **beside: Figure) -> Finding:
    """A check with one judged figure a group; the first one is its headline."""
    name = next(check for check in shipped() if check.code == code).judged[0].name
    estimates = {group: estimate(*span, name=name, group=group) for group, span in intervals.items() if span}
    first = next(iter(estimates))
    return Finding(code, "t", "inconclusive", first, estimates[first], {**estimates, **beside})


def portraits(**lows: float) -> Finding:
    """S2F003 with intervals of how often portraits are read as their own group, from these lower ends to 1."""
    named = {f"{group}.portrait": estimate(low, 1.0, name="portrait", group=group) for group, low in lows.items()}
    return by_group("S2F003", dict.fromkeys(lows, (-0.05, 0.05)), **named)


def made(
    *findings: Finding,
    groups: Sequence[str] = ("asian", "white"),
    complete: bool = True,
    clips: int = 100,
    planned: int = 100,
    source: str = "self_reported",
    failed: int = 0,
    confidence: float = 0.95,
) -> Audit:
    """An audit made by hand: half of the clips in English, every speaker in both languages."""
    each = clips // len(groups) // 2
    strata = [(group, language, "woman", 25, each) for group in groups for language in ("en", "zh")]
    statuses = [
        (group, language, status, count, 25 if count else 0)
        for group in groups
        for language in ("en", "zh")
        for status, count in (("no_face", failed), ("ok", each - failed))
    ]
    tables = {
        "strata": pd.DataFrame(strata, columns=["group", "language", "gender", "n_speakers", "n_clips"]),
        "label_sources": pd.DataFrame(
            [(field, source, 25 * len(groups), clips) for field in ("group", "gender", "language")],
            columns=["field", "source", "n_speakers", "n_clips"],
        ),
        "statuses": pd.DataFrame(statuses, columns=["group", "language", "status", "n_clips", "n_speakers"]),
    }
    further = dict.fromkeys(finding.grouping for finding in findings if finding.grouping != GROUP.name)
    sizes = [(grouping, group, 25, 2 * each) for grouping in further for group in groups]
    tables["groupings"] = pd.DataFrame(sizes, columns=["grouping", "group", "n_speakers", "n_clips"])
    run = {
        "digest": "d" * 64,
        "model": "m",
        "weights_sha256": "w" * 64,
        "instrument": {"name": "embedded"},
        "cohort": {"name": "c", "digest": "c" * 64},
        "n_speakers": 25 * len(groups),
        "n_clips": clips,
        "n_clips_planned": planned,
        "complete": complete,
        "plan": "",
        "code": {"version": "1", "commit": "abc", "dirty": False},
        "seed": 0,
    }
    return Audit(
        run, {"confidence": confidence}, findings, {name: Table(name, "", table) for name, table in tables.items()}
    )


def decided(terms: Policy, found: Audit, changes: Mapping[str, Estimate] | None = None) -> Decision:
    """The decision, a change from the baseline having the same interval at every confidence."""
    curves = {name: Curve(lambda _, held=held: held) for name, held in (changes or {}).items()}
    by = {finding.grouping: curves for finding in found.findings}
    baseline = None if changes is None else Baseline(found.run, curves, by)
    return decide(terms, found, baseline, today=TODAY, code={"version": "1", "commit": None, "dirty": None})


def paired_changes(
    baseline: audit.Run, candidate: audit.Run, settings: MeasureSettings, *, grouping: Grouping = GROUP
) -> dict[str, Curve]:
    """A stand-in of one check: read as white in English, candidate minus baseline, paired by speaker."""
    seen = [run.observations[run.observations["group"] == "asian"] for run in (baseline, candidate)]
    seen = [frame[frame["language"] == "en"].sort_values("clip_id") for frame in seen]
    reads = [(frame["rendered_race"] == "white").to_numpy(np.float64) for frame in seen]
    speakers = pd.factorize(seen[0]["speaker_id"])[0]
    return {"S2F001": paired(*reads, speakers, Settings(seed=settings.seed), kind="rate", name="S2F001.change").curve()}


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in in the place of the room that compares runs."""
    stand_in = SimpleNamespace(paired_changes=paired_changes)
    monkeypatch.setitem(sys.modules, "audit.comparisons", stand_in)
