"""The tables of an audit, each tidy: one figure a row, with its interval and with how many stand behind it."""

from __future__ import annotations

import pandas as pd

from audit.audits.table import Table
from audit.audits.tables.bounds import bounds
from audit.audits.tables.cohort import failures, sources, stage_statuses, statuses, strata
from audit.audits.tables.comparisons import changes, coverage, language_effects, language_flips, rendered_as
from audit.audits.tables.corrected import NOTE, confusion, corrected
from audit.audits.tables.craniofacial import craniofacial
from audit.audits.tables.figures import disparities, instrument
from audit.audits.tables.gallery import gallery
from audit.audits.tables.groups import groups
from audit.audits.tables.human_readings import human_readings
from audit.audits.tables.retrieval import retrieval
from audit.checks.evidence import Evidence
from audit.checks.power import detectable
from audit.core.errors import PlanError
from audit.core.plan import MeasureSettings


def tables(evidence: Evidence, settings: MeasureSettings) -> dict[str, Table]:
    """Every table of the audit, by name.

    Raises
    ------
    PlanError
        If a column to stratify by is not in the run.
    """
    by = tuple(dict.fromkeys(("group", "language", *settings.by)))
    absent = [column for column in by if column not in evidence.frame]
    if absent:
        raise PlanError(
            f"measure.by names {', '.join(absent)}.", f"columns of the run: {', '.join(_columns(evidence.frame))}"
        )
    figures = disparities(evidence, by)
    return {
        "strata": Table(
            "Who is audited",
            "Speakers and clips of each stratum; a speaker may stand in several languages.",
            strata(evidence.frame),
        ),
        "label_sources": Table(
            "Where the labels come from", "A label is only as good as its source.", sources(evidence.frame)
        ),
        "statuses": Table(
            "What became of every clip", "No clip is dropped: each has one status.", statuses(evidence.frame)
        ),
        "stage_statuses": Table(
            "What could be read at each stage",
            "A picture without a face is never scored.",
            stage_statuses(evidence.frame),
        ),
        "instrument": Table(
            "The instrument on this cohort's portraits",
            "What the instrument gets wrong in true faces it will get wrong in rendered ones.",
            instrument(evidence),
        ),
        "disparities": Table("Every figure", "Averaged over speakers unless the settings say clips.", figures),
        "groups": Table(
            "All groups together",
            "p: that no group differs, speakers exchanged between groups; q: p for as many figures as there are. "
            "Spread: standard deviation between the groups' true figures, sampling noise taken out; it does not grow "
            "with the number of groups, as the largest difference does. The worst group of many is in part the "
            "unluckiest: its intervals hold whichever group it is. Ratio: to the geometric mean of the groups' rates.",
            groups(evidence),
        ),
        "retrieval": Table(
            "Own portraits found again",
            "How often a face's own portrait is among the first ones of a gallery; chance is what any face would have.",
            retrieval(evidence, figures, by),
        ),
        "craniofacial": Table(
            "Craniofacial measures",
            "Pearson's r across speakers of a face's measure with its portrait's; others: with those of other speakers "
            "of the same group and gender.",
            craniofacial(evidence),
        ),
        "changes": Table(
            "From stage to stage",
            "Paired by speaker: portrait to ceiling is the decoder's doing, ceiling to rendered the voice encoder's. "
            "q is the p-value adjusted for how many figures there are.",
            changes(evidence),
        ),
        "language_effects": Table(
            "English against the speakers' other languages",
            "Rendered faces of the same speakers: English minus the other language. q is the p-value "
            "adjusted for how many figures there are.",
            language_effects(evidence),
        ),
        "language_flips": Table(
            "Reads that change with the language",
            "Share of the pairs of clips of one speaker that are read as different races: within a language, between "
            "two, and the second minus the first.",
            language_flips(evidence),
        ),
        "coverage": Table(
            "What the training heard",
            "By the model's own record, beside how often the rendered faces are read as the own group.",
            coverage(evidence),
        ),
        "rendered_as": Table(
            "Rendered as another group (exploratory)",
            "Rendered minus portrait, paired by speaker. q is the p-value adjusted for how many figures there are; the "
            "intervals are not.",
            rendered_as(evidence),
        ),
        "confusion": Table(
            "What the instrument reads in faces that are known",
            "Calibration pictures by what they show; a person's several pictures count as one.",
            confusion(evidence),
        ),
        "corrected": Table("Rates without the instrument's misreading", NOTE, corrected(evidence)),
        "bounds": Table(
            "What the rates could be",
            "The least and the most, if every missing face were read one way or the other, and if any of the speakers "
            "of unknown group were of the group; low and high hold the sampling error as well.",
            bounds(evidence),
        ),
        "power": Table(
            "What this cohort could show",
            "The smallest true difference whose interval would lie beyond the check's margin with a power of .80, at a "
            "rate of one half.",
            detectable(evidence.frame, evidence.margins, evidence.settings),
        ),
        "gallery": Table(
            "Faces",
            "A sample with a fixed seed in each stratum, never chosen by eye.",
            gallery(evidence.frame, settings.gallery, settings.seed),
        ),
        "failures": Table("Clips without a result", "Every clip whose status is not ok.", failures(evidence.frame)),
        **(
            {
                "human_readings": Table(
                    "What people read in the rendered faces",
                    "The instrument on all speakers, people on some, and both together (prediction-powered).",
                    human_readings(evidence, figures),
                )
            }
            if evidence.human is not None
            else {}
        ),
    }


def _columns(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name in frame.columns if "." not in str(name)]
