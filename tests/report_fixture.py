"""A small invented audit: fictional speakers, invented figures, every table of audit.json."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd

from audit.audits.audit import Audit
from audit.audits.table import Table
from audit.audits.tables.metric_definitions import definitions_table
from audit.checks.figure import Figure
from audit.checks.finding import Finding
from audit.checks.metrics.metric_frame import metrics_of
from audit.core.vocabulary import STAGES
from audit.stats.estimate import Estimate
from tests.kept_faces import square, write_pictured_run

GROUPS = ("asian", "black", "white", "unknown")
LANGUAGES = ("en", "zh")
RACES = ("asian", "indian", "black", "white", "middle_eastern", "latino_hispanic")
BOOTSTRAP = "speaker bootstrap, 2,000 resamples"
FEW = "fewer than 5 speakers"
NO_GROUP = "the speakers' group is not known"


def estimate(
    value: float | None, half: float = 0.12, n: int = 24, method: str = BOOTSTRAP, missing: int = 0, floor: float = -1.0
) -> Estimate:
    if value is None:
        return Estimate(None, None, None, n, 2 * n, missing, method)
    top = 1.0 if abs(value) <= 1 else 99.0
    return Estimate(
        value, round(max(floor, value - half), 4), round(min(top, value + half), 4), n, 2 * n, missing, method
    )


def rate(found: Estimate, name: str, **known: Any) -> Figure:
    return Figure.of(found, name=name, label=name, unit="share", kind="rate", **known)


def judged(found: Estimate, name: str, margin: float, harm: str = "high", unit: str = "share", **known: Any) -> Figure:
    """A difference that a check judges against its margin."""
    label = known.pop("label", name.replace("_", " "))
    return Figure.of(found, name=name, label=label, unit=unit, kind="difference", margin=margin, harm=harm, **known)


def row(found: Estimate, **keys: str) -> dict[str, object]:
    return {**keys, **found.as_dict()}


READS: dict[tuple[str, str, str], tuple[float, ...]] = {
    ("portrait", "asian", "all"): (0.92, 0.04, 0.0, 0.02, 0.0, 0.02),
    ("ceiling", "asian", "all"): (0.83, 0.06, 0.0, 0.07, 0.0, 0.04),
    ("rendered", "asian", "all"): (0.45, 0.06, 0.01, 0.4, 0.02, 0.06),
    ("rendered", "asian", "en"): (0.08, 0.08, 0.0, 0.73, 0.04, 0.07),
    ("rendered", "asian", "zh"): (0.81, 0.04, 0.02, 0.06, 0.0, 0.07),
    ("portrait", "black", "all"): (0.0, 0.02, 0.96, 0.0, 0.0, 0.02),
    ("ceiling", "black", "all"): (0.0, 0.06, 0.9, 0.02, 0.0, 0.02),
    ("rendered", "black", "all"): (0.02, 0.12, 0.71, 0.06, 0.03, 0.06),
    ("rendered", "black", "en"): (0.0, 0.1, 0.75, 0.08, 0.02, 0.05),
    ("rendered", "black", "zh"): (0.04, 0.14, 0.67, 0.04, 0.04, 0.07),
    ("portrait", "white", "all"): (0.0, 0.0, 0.0, 0.88, 0.06, 0.06),
    ("ceiling", "white", "all"): (0.01, 0.01, 0.0, 0.85, 0.07, 0.06),
    ("rendered", "white", "all"): (0.09, 0.01, 0.0, 0.78, 0.06, 0.06),
    ("rendered", "white", "en"): (0.0, 0.01, 0.0, 0.87, 0.06, 0.06),
    ("rendered", "white", "zh"): (0.19, 0.01, 0.0, 0.68, 0.06, 0.06),
}


def disparities() -> list[dict[str, object]]:
    rows = []
    for stage in ("portrait", "ceiling", "rendered"):
        for language in ("all", *LANGUAGES):
            for group in (*GROUPS, "all"):
                keys = {"stage": stage, "group": group, "language": language}
                if group == "unknown":
                    rows.append(row(estimate(None, n=3, method=NO_GROUP), metric="read_own_group", **keys))
                    rows += [row(estimate(None, n=3, method=FEW), metric=f"read_{race}", **keys) for race in RACES]
                elif group != "all":
                    shares = READS.get((stage, group, language)) or READS[stage, group, "all"]
                    own = shares[RACES.index(group)]
                    rows.append(row(estimate(own, floor=0), metric="read_own_group", **keys))
                    rows += [
                        row(estimate(x, 0.1, floor=0), metric=f"read_{race}", **keys)
                        for race, x in zip(RACES, shares, strict=True)
                    ]
                n = 3 if group == "unknown" else 75 if group == "all" else 24
                rows.append(
                    row(
                        estimate(None if n == 3 else 0.93, 0.08, n, FEW if n == 3 else BOOTSTRAP),
                        metric="gender_right",
                        **keys,
                    )
                )
                rows.append(
                    row(
                        estimate(None if n == 3 else 5.2, 1.1, n, FEW if n == 3 else BOOTSTRAP),
                        metric="age_error",
                        **keys,
                    )
                )
                if stage != "portrait":
                    for metric, x in (
                        ("similarity_faceres", 0.41),
                        ("impostor_faceres", 0.33),
                        ("similarity_over_impostor_faceres", 0.08),
                    ):
                        rows.append(
                            row(
                                estimate(None if n == 3 else x, 0.05, n, FEW if n == 3 else BOOTSTRAP),
                                metric=metric,
                                **keys,
                            )
                        )
                if stage == "rendered":
                    rows.append(
                        row(estimate(0.02 if group == "black" else 0.0, 0.05, n, floor=0), metric="no_face", **keys)
                    )
    return rows


def changes() -> list[dict[str, object]]:
    rows = []
    drops = {
        "asian": (-0.09, -0.38, -0.47),
        "black": (-0.06, -0.19, -0.25),
        "white": (-0.03, -0.07, -0.1),
        "unknown": (None,) * 3,
    }
    steps = (("portrait", "ceiling"), ("ceiling", "rendered"), ("portrait", "rendered"))
    for metric in ("read_own_group", "gender_right", "age_error"):
        for group, sizes in drops.items():
            for (a, b), size in zip(steps, sizes, strict=True):
                found = estimate(
                    size, n=3 if group == "unknown" else 23, method=BOOTSTRAP if size is not None else NO_GROUP
                )
                rows.append(row(found, metric=metric, from_stage=a, to_stage=b, group=group, language="all"))
    return rows


def tables() -> dict[str, list[dict[str, object]]]:
    known = GROUPS[:3]
    strata = [
        {"group": g, "language": c, "gender": s, "n_speakers": 12, "n_clips": 24}
        for g in known
        for c in LANGUAGES
        for s in ("woman", "man")
    ]
    strata.append({"group": "unknown", "language": "en", "gender": "unknown", "n_speakers": 3, "n_clips": 6})
    effects = {
        "asian": (-0.73, 0.67, 0.01),
        "black": (0.08, 0.04, 0.0),
        "white": (0.19, 0.19, -0.02),
        "unknown": (None,) * 3,
    }
    statuses = [
        {"group": g, "language": c, "status": "ok", "n_clips": 48 if g in known else 6, "n_speakers": 24}
        for g in GROUPS
        for c in LANGUAGES
    ]
    statuses.append({"group": "black", "language": "en", "status": "no_face", "n_clips": 1, "n_speakers": 1})
    gallery = []
    for g in GROUPS:
        for c in LANGUAGES:
            for k in range(2):
                name = f"{g}-{k}"
                paths = {stage: f"picture {name}-{c}-{stage}" for stage in ("portrait", "ceiling", "rendered")}
                reads = {
                    "portrait_read": g if g in known else "white",
                    "ceiling_read": g if g in known else "white",
                    "rendered_read": "white",
                }
                gallery.append(
                    {"group": g, "language": c, "speaker_id": name, "clip_id": f"{name}-{c}", **paths, **reads}
                )
    gallery[1].update(rendered=None, rendered_read=None)
    return {
        "strata": strata,
        "label_sources": [
            {"field": "group", "source": "synthetic", "n_speakers": 72, "n_clips": 288},
            {"field": "group", "source": "assumed", "n_speakers": 3, "n_clips": 6},
            {"field": "language", "source": "metadata", "n_speakers": 75, "n_clips": 294},
        ],
        "statuses": statuses,
        "stage_statuses": [{"stage": "rendered", "group": "black", "status": "no_face", "n_clips": 1}],
        "faces_found": [
            {"stage": "rendered", "group": g, "n_clips": 96, "n_several": 2 * (g == "asian"), "most_faces": 3}
            for g in known
        ],
        "disparities": disparities(),
        "changes": changes(),
        "language_effects": [
            row(
                estimate(x, n=24 if x is not None else 3, method=BOOTSTRAP if x is not None else FEW),
                metric=m,
                group=g,
                language="zh",
            )
            for g, sizes in effects.items()
            for m, x in zip(("read_own_group", "read_white", "gender_right"), sizes, strict=True)
        ],
        "rendered_as": [
            row(estimate(round(b - a, 2)), group=g, read=r, language="all")
            for g in known
            for r, a, b in zip(RACES, READS["portrait", g, "all"], READS["rendered", g, "all"], strict=True)
        ],
        "instrument": [
            row(estimate(x, h, 12, floor=0), group=g, gender=s, metric=m)
            for g in known
            for s in ("woman", "man")
            for m, x, h in (
                ("read_own_group", 0.92, 0.1),
                ("gender_right", 0.88 if s == "woman" else 0.97, 0.1),
                ("age_error", 5.1, 1.4),
            )
        ],
        "gallery": gallery,
        "failures": [
            {
                "clip_id": "black-3-en",
                "speaker_id": "black-3",
                "group": "black",
                "language": "en",
                "status": "no_face",
                "detail": "no face found",
            }
        ],
        "power": [
            {
                "check": "S2F001",
                "comparison": "rendered against portrait",
                "group": "asian",
                "language": "en",
                "n_speakers": 24,
                "smallest_detectable": 0.21,
                "note": "80% power",
            },
            {
                "check": "S2F006",
                "comparison": "between groups",
                "group": "unknown",
                "language": "en",
                "n_speakers": 3,
                "smallest_detectable": None,
                "note": FEW,
            },
        ],
    }


def findings() -> tuple[Finding, ...]:
    asian: dict[str, Any] = {"group": "asian", "language": "en"}
    excess = judged(estimate(0.71, 0.14), "excess_over_portrait", 0.1, label="rendered minus portrait", **asian)
    drop = judged(estimate(0.25, 0.13, n=23, missing=1), "fall", 0.15, label="fall to rendered", group="black")
    named = {
        "portrait": rate(estimate(0.02, 0.03, floor=0), "portrait", **asian),
        "rendered": rate(estimate(0.73, 0.13), "rendered", **asian),
        "excess_over_portrait": excess,
        "language_effect": judged(estimate(0.67, 0.15), "language_effect", 0.1, group="asian"),
    }
    gender = judged(estimate(0.01, 0.05, 72), "gender_gap", 0.1, "low", two_sided=True)
    age = Figure.of(estimate(0.4, 0.9, 72), name="age_gap", label="age gap", unit="years", kind="difference")
    similarity = judged(estimate(None, n=3, method=FEW), "similarity", 0.05, "low", "cosine", two_sided=True)
    failures = judged(estimate(0.02, 0.04, 24), "gap", 0.1, two_sided=True, group="black")
    return (
        Finding(
            "S2F001",
            "Rendered as white",
            "shown",
            "asian",
            excess,
            named,
            0.1,
            "Asian speakers heard in English are read as white 71 points more often once rendered than before.",
            "The whole interval lies beyond the margin of 10 points.",
            "An interval that reaches down to 10 points or less.",
            scope="heard in English",
        ),
        Finding(
            "S2F003",
            "Own group lost",
            "inconclusive",
            "black",
            drop,
            {"black": drop, "black.rendered": rate(estimate(0.71), "rendered", group="black")},
            0.15,
            "Whether black speakers are read as black less often once rendered cannot be told from these data.",
            "The interval reaches across the margin of 15 points. By group: inconclusive for asian, black and white.",
            "About 40 more black speakers.",
            by_group=dict.fromkeys(("asian", "black", "white"), "inconclusive"),
            scope="all languages",
        ),
        Finding(
            "S2F004",
            "Gender and age gaps",
            "not_shown",
            "all",
            gender,
            {"gender_gap": gender, "age_gap": age},
            0.1,
            "Gender is read as labelled equally often for all groups, within 10 points.",
            "The whole interval lies inside the margin.",
            "Other speakers.",
            scope="all languages",
        ),
        Finding(
            "S2F005",
            "Similarity gap",
            "not_evaluable",
            "unknown",
            similarity,
            {"similarity": similarity},
            0.05,
            "How alike rendered faces are to the speakers cannot be answered.",
            "Fewer than 5 speakers have a known group.",
            "More speakers.",
            scope="all languages",
        ),
        Finding(
            "S2F006",
            "Failure gap",
            "not_shown",
            "black",
            failures,
            {"gap": failures},
            0.1,
            "Faces are missing about equally often in all groups.",
            "The whole interval lies inside the margin.",
            "A model that fails more often.",
            scope="all languages",
        ),
    )


def fictional_audit(**run: Any) -> Audit:
    """The audit; ``run`` changes entries of its run."""
    facts: dict[str, object] = {
        "digest": "f1c7" * 16,
        "title": "A fictional audit of imaginary speakers",
        "model": "planted",
        "model_kind": "reconstructor",
        "model_description": {"dial": 0.7},
        "weights_sha256": None,
        "instrument": {
            "name": "embedded faceres heads",
            "detector": "opencv",
            "similarity_models": ["faceres"],
            "deepface_version": "0.0.103",
            "weights": {"heads.safetensors": "ab" * 32},
        },
        "instrument_card": {
            "dataset": "a labelled benchmark",
            "race": {"asian": {"recall": 0.91, "precision": 0.88}, "black": {"recall": 0.86, "precision": 0.9}},
        },
        "cohort": {
            "name": "imaginary speakers",
            "digest": "c0" * 32,
            "licence": "CC0-1.0",
            "consent": "no person was recorded",
            "notes": "made up",
            "fictional": True,
        },
        "n_speakers": 75,
        "n_clips": 294,
        "complete": True,
        "set_aside": ["8 clips of voice assistants"],
        "notices": ["The model is planted: it shows another speaker's portrait with probability 0.7."],
        "plan": 'model = "planted"\n',
        "command": "audit run plan.toml -o reports/x",
        "versions": {"numpy": "2.4.6", "python": "3.11.9"},
        "seed": 0,
    }
    settings = {
        "confidence": 0.95,
        "resamples": 2000,
        "seed": 0,
        "min_speakers": 5,
        "estimand": "mean over speakers",
        "margins": {"S2F001": 0.1},
        "by": ["group", "language"],
    }
    frames = {name: Table(f"Table {name}", "", pd.DataFrame(rows)) for name, rows in tables().items()}
    frames["metric_definitions"] = definitions_table(metrics_of(("FaceRes",)))
    audit = Audit({**facts, **run}, settings, findings(), frames)
    return Audit.from_json(audit.to_json())


def hostile_audit(text: str) -> Audit:
    """The audit with the text in the place of every text of run, findings and tables, but for closed vocabularies."""
    closed = {"metric", "stage", "from_stage", "to_stage", "read"}
    audit = fictional_audit(
        notices=[text],
        set_aside=[text],
        title=text,
        model=text,
        command=text,
        plan=text,
        digest=text,
        instrument={"name": text, text: text},
        versions={text: text},
        model_description={text: text},
        instrument_card={text: text, "race": {text: {text: text}}},
        cohort=dict.fromkeys(("name", "digest", "licence", "consent", "notes"), text),
    )
    hostile = tuple(
        dataclasses.replace(
            f,
            code=text,
            title=text,
            group=text,
            sentence=text,
            reason=text,
            would_change=text,
            estimates={f"{text}{i}": dataclasses.replace(e, method=text) for i, e in enumerate(f.estimates.values())},
        )
        for f in audit.findings
    )
    frames = {}
    for name, table in audit.tables.items():
        frame = table.frame.copy()
        for column in frame.columns:
            if column not in closed:
                frame[column] = [text if isinstance(cell, str) else cell for cell in frame[column]]
        frames[name] = Table(text, text, frame)
    return Audit(audit.run, audit.settings, hostile, frames)


def draw_faces(audit: Audit, folder: Path) -> None:
    """A run in the folder, with a plain square of its own colour for every picture of the gallery."""
    rows = audit.tables["gallery"].frame.to_dict("records")
    write_pictured_run(
        folder,
        {
            (row_["clip_id"], stage): square(40 + 12 * i, 60 + 60 * k, 120, side=224)
            for i, row_ in enumerate(rows)
            for k, stage in enumerate(STAGES)
            if isinstance(row_[stage], str)
        },
    )
