"""How often the worked example of docs/guide/gate.md passes: the prediction, and the share of simulated draws.

    python benchmarks/worked_example.py full gap [--draws 20] [--policy docs/guide/release-policy.toml]

`full` and `gap` are runs of the two twins over a drawn cohort. Of each run, the rates of reads, the correlation between
two clips of a speaker and between two speakers of a source voice are measured. Predicted: the planner's chances of exit
codes 0 and 10 at the measured figures, `audit.release.simulated_rules`. Share: new cohorts are drawn, but only their
tables. Rendering and reading are replaced by fakes: each clip's read is drawn at the measured rates, with the measured
correlations. No voice is made, no face is rendered and none is read. Each cohort is measured and gated as a run is.
`--planted` does the same at stated rates of a good model, without a run.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

import audit
from audit.checks.power import GroupClips, group_clips
from audit.cohorts.drawing.derived import Derived
from audit.cohorts.drawing.seeds import key_of
from audit.cohorts.drawing.speakers import people
from audit.cohorts.drawing.speech import source_voice
from audit.core.vocabulary import RACES
from audit.release import Assumptions, Decision, Policy
from audit.release.planning import error_rate
from audit.release.simulated_rules import SimulatedRule, simulated_rule
from audit.runs.simulation.drawing import shared_uniforms
from audit.stats import Settings

OTHER_READ = "latino_hispanic"
"""The read of faces that are read neither as the own group nor as white."""


@dataclass(frozen=True)
class Measured:
    """What is measured of a real run, and planted in the fake ones.

    ``reads[stage, group, is_english]`` are the rates of faces read as white (of another group) and as the own group;
    ``icc`` and ``voice`` are the correlations of own-group reads between two clips of a speaker, and between clips of
    two speakers of a source voice and group.
    """

    reads: dict[tuple[str, str, bool], tuple[float, float]]
    gender_right: dict[str, float]
    missing: dict[str, float]
    icc: float
    voice: float
    speakers: int
    clips: int

    @classmethod
    def of(cls, run: audit.Run) -> Measured:
        """Measure a run of a drawn cohort."""
        seen = run.observations.assign(english=run.observations["language"] == "en")
        reads = {}
        for (group, english), rows in seen.groupby(["group", "english"]):
            for stage in STAGES:
                of = rows[f"{stage}_race"].dropna()
                as_white = 0.0 if group == "white" else float((of == "white").mean())
                reads[stage, str(group), bool(english)] = as_white, float((of == group).mean())
        right = (seen["rendered_gender"] == seen["gender"])[seen["rendered_gender"].notna()]
        by_group = seen["group"]
        icc, voice = correlations(seen)
        return cls(
            reads,
            right.groupby(by_group).mean().to_dict(),
            seen["rendered_race"].isna().groupby(by_group).mean().to_dict(),
            icc,
            voice,
            int(seen.groupby("group")["speaker_id"].nunique().min()),
            int(seen.groupby(["speaker_id", "language"]).size().min()),
        )


GROUPS = ("asian", "black", "indian", "white")
STAGES = ("portrait", "ceiling", "rendered")
READS = {"portrait": 0.99, "ceiling": 0.95, "rendered": 0.88}
"""Planted rates of own-group reads; of the remaining faces of other groups, half are read as white."""
PLANTED = Measured(
    {
        (stage, group, english): (0.0 if group == "white" else (1 - READS[stage]) / 2, READS[stage])
        for stage in STAGES
        for group in GROUPS
        for english in (True, False)
    },
    dict.fromkeys(GROUPS, 0.98),
    dict.fromkeys(GROUPS, 0.0),
    icc=0.4,
    voice=0.2,
    speakers=64,
    clips=2,
)
MANY = 800


def correlations(seen: pd.DataFrame) -> tuple[float, float]:
    """Correlation of own-group reads between two clips of a speaker, and of two speakers of a voice and group."""
    read = seen[seen["rendered_race"].notna()]
    own = (read["rendered_race"] == read["group"]).astype(float)
    cells = own.groupby([read["group"], read["english"]])
    rest = (own - cells.transform("mean")) / cells.transform("std", ddof=0).replace(0, np.nan)
    read, rest = read[rest.notna()], rest.dropna()
    if rest.empty:  # all clips of each group and language are read alike
        return 0.0, 0.0
    by_speaker = rest.groupby(read["speaker_id"]).agg(["sum", "count"])
    by_voice = rest.groupby([read["cluster"], read["group"]]).agg(["sum", "count"])
    squares, clips = float((rest**2).sum()), len(rest)
    of_speakers, pairs = float((by_speaker["sum"] ** 2).sum()), int((by_speaker["count"] ** 2).sum())
    of_voices, all_pairs = float((by_voice["sum"] ** 2).sum()), int((by_voice["count"] ** 2).sum())
    variance = squares / clips
    icc = max(0.0, (of_speakers - squares) / (pairs - clips) / variance)
    voice = max(0.0, (of_voices - of_speakers) / (all_pairs - pairs) / variance)
    return icc, min(voice, icc)


def predicted(
    policy: Policy, decision: Decision, measured_audit: audit.Audit, measured: Measured, parts: list[GroupClips]
) -> dict[str, tuple[float, float]]:
    """The planner's chances that each rule passes and breaches, at the figures of the run, its groups independent."""
    share = measured.voice / measured.icc if measured.icc else 0.0
    assumed = Assumptions(icc=measured.icc, cluster_share=share)
    rulings = {ruling.id: ruling for ruling in decision.rulings}
    chances = {}
    for resolved in policy.rules:
        finding = measured_audit.finding(resolved.rule.check)
        found = []
        for item in rulings[resolved.rule.id].held:
            if item.estimate is None or item.estimate.value is None:
                found.append((math.inf, (0.0, 0.0)))
                continue
            groups = None if resolved.groups([part.group for part in parts]) is None else (item.group,)
            alone = replace(resolved, rule=resolved.rule.model_copy(update={"groups": groups}))
            base = error_rate(finding, item.group) or 0.0
            design = simulated_rule(alone, parts, replace(assumed, base_rate=base), Settings())
            assert isinstance(design, SimulatedRule), design
            value = item.estimate.value
            effect = abs(value) if resolved.side == "within" else max(design.sign * value, -base)
            found.append((effect, design.split(min(effect, design.room))))
        splits = [split for _, split in found]
        if resolved.side == "within":  # a gap is simulated with all groups at once: the largest one decides
            splits = [max(found)[1]]
        passes, breach = zip(*splits, strict=True)
        chances[resolved.rule.id] = math.prod(passes), 1 - math.prod(1 - each for each in breach)
    return chances


def fake_run(measured: Measured, seed: int) -> audit.Run:
    """A run over the tables of a new draw, in which fakes stand in for rendering and reading."""
    table = people(key_of(f"worked example, draw {seed}", str(measured.speakers)), measured.speakers, Derived().voices)
    truth = {
        "groups": sorted({*table["group"]}),
        "speakers_per_group": measured.speakers,
        "languages": ["en", "zh"],
        "clips_per_language": measured.clips,
        "icc": measured.icc,
        "gender_right": measured.gender_right,
        "missing": measured.missing,
    }
    run = audit.simulate(truth, seed=seed)
    seen = run.observations.copy()
    # the simulated speakers take the source voices and languages of the drawn ones of their group and sex
    order = ["group", "gender"]
    simulated = seen.drop_duplicates("speaker_id").sort_values([*order, "speaker_id"])["speaker_id"].to_numpy()
    drawn = table.sort_values([*order, "speaker_id"]).assign(speaker_id=simulated).set_index("speaker_id")
    who = drawn.index.get_indexer(pd.Index(seen["speaker_id"]))
    voices = pd.Series([source_voice(row) for row in drawn.to_dict("records")])
    english = (seen["language"] == "en").to_numpy()
    seen["cluster"] = voices.to_numpy()[who]
    seen["language"] = np.where(english, "en", drawn["other_language"].to_numpy()[who])
    rng = np.random.default_rng([seed, 18])
    of_group = pd.factorize(voices + "/" + drawn["group"].to_numpy())[0].astype(np.int64)
    shape = len(drawn), 2, measured.clips
    numbers = shared_uniforms(rng, shape, measured.icc, measured.icc, of_group, measured.voice)
    clip = seen.groupby(["speaker_id", "language"]).cumcount().to_numpy()
    places = {"rendered": numbers[who, english.astype(int), clip]}
    places |= {stage: rng.random(len(drawn))[who] for stage in ("portrait", "ceiling")}
    for stage, place in places.items():
        keys = zip(seen["group"], english | (stage != "rendered"), strict=True)
        white, own = np.array([measured.reads[stage, group, spoken] for group, spoken in keys]).T
        read = np.where(place < white, "white", np.where(place < 1 - own, OTHER_READ, seen["group"]))
        there = (seen[f"{stage}_status"] == "ok").to_numpy()
        seen[f"{stage}_race"] = np.where(there, read, None)
        for race in RACES:
            seen[f"{stage}_race_{race}"] = np.where(there, (read == race).astype(float), np.nan)
    return audit.Run(seen, run.manifest)


def row(name: str, policy: Policy, measured: Measured, rates: audit.Run, run: audit.Run, draws: int) -> str:
    """Print the rules of a run with their chances at the figures of ``rates``; the run's row of the table."""
    admitted = {"allow": ("simulated", *policy.terms.evidence.allow)}  # for the fakes
    terms = policy.terms.model_copy(update={"evidence": policy.terms.evidence.model_copy(update=admitted)})
    policy = replace(policy, terms=terms)
    of_rates, decision = audit.gate(rates, policy=policy), audit.gate(run, policy=policy)
    scores = audit.measure(run).scores
    assert scores is not None
    chances = predicted(policy, of_rates, audit.measure(rates), measured, group_clips(scores))
    print(f"{name}: {measured.speakers} speakers a group, correlation of a speaker's clips {measured.icc:.2f}, of a")
    print(f"source voice's speakers {measured.voice:.2f}. {decision.sentence}")
    decisions = [audit.gate(fake_run(measured, seed), policy=policy) for seed in range(draws)]
    codes = Counter(each.exit_code for each in decisions)
    passed = Counter(ruling.id for each in decisions for ruling in each.rulings if ruling.outcome == "pass")
    for ruling in decision.rulings:
        if ruling.id in chances:
            chance = f"predicted to pass {chances[ruling.id][0]:.0%}, passed {passed[ruling.id]} of {draws}"
            print(f"  {ruling.id}: {chance}. Here {ruling.outcome}: {ruling.sentence}")
    print(f"  exit codes of {draws} draws with fakes: {dict(sorted(codes.items()))}", flush=True)
    passes = math.prod(passes for passes, _ in chances.values())
    breach = 1 - math.prod(1 - breach for _, breach in chances.values())
    share = [f"{codes[code]} of {draws}" for code in (0, 10, 11)]
    cells = name, decision.exit_code, f"{passes:.0%}", share[0], f"{breach:.0%}", *share[1:]
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*")
    parser.add_argument("--planted", action="store_true", help="also the rates of PLANTED, without a run")
    parser.add_argument("--policy", default="docs/guide/release-policy.toml")
    parser.add_argument("--draws", type=int, default=20)
    asked = parser.parse_args()
    policy = Policy.read(asked.policy)
    lines = ["| run | exit code | predicted 0 | 0 | predicted 10 | 10 | 11 |", "| --- " * 7 + "|"]
    for path in asked.runs:
        run = audit.Run.read(path)
        lines.append(row(path, policy, Measured.of(run), run, run, asked.draws))
    if asked.planted:
        # so many independent speakers that the figures are close to the planted ones
        rates = fake_run(replace(PLANTED, speakers=MANY, voice=0.0), seed=1_000_000)
        lines.append(row("planted", policy, PLANTED, rates, fake_run(PLANTED, seed=0), asked.draws))
    print("\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
