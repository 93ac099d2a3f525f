"""The appendix on standards: which sections of the report have material for which point of a standard or law.

It claims no conformity. Points are paraphrased. A point has its number only where the number could be read in a public
text of the standard or in several independent lists of its headings; otherwise it is described in words.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

SECTION: Final = "standards"


@dataclass(frozen=True)
class Point:
    """A point of a standard: its number (empty: not checked), a paraphrase, and the sections with material for it."""

    number: str
    asks: str
    sections: tuple[str, ...]


@dataclass(frozen=True)
class Standard:
    """A standard or law, where its numbers are from, and its points."""

    name: str
    source: str
    points: tuple[Point, ...]


ANNEX_IV: Final = Standard(
    "EU AI Act, Annex IV: technical documentation of high-risk systems",
    "Regulation (EU) 2024/1689; numbers as in the published text.",
    (
        Point("1 (a)", "intended purpose, provider, version", ("front_matter",)),
        Point(
            "1 (c), 2 (a)",
            "versions of software; parts made by third parties",
            ("reproduce", "run_details", "instrument", "instrument_details"),
        ),
        Point("2 (b)", "design choices and assumptions about the groups concerned", ("scope", "method")),
        Point(
            "2 (d)",
            "data: origin, scope, labels, selection",
            ("cohort", "labels", "language_identification", "your_files"),
        ),
        Point("2 (e)", "human oversight that is needed", ("front_matter",)),
        Point(
            "2 (g)",
            "tests and their data, metrics, possibly discriminatory effects, reports dated and signed",
            ("summary", "results", "check_figures", "disparities", "worst_slices", "front_matter", "sign_off"),
        ),
        Point(
            "3",
            "limits of performance, accuracy for specific groups, foreseeable harm, properties of the input",
            ("disparities", "trends", "failures", "recording", "limitations", "recommendations"),
        ),
        Point("4", "why the metrics are appropriate", ("scope", "method", "instrument", "instrument_details")),
        Point("5 to 9", "risk management, changes, standards applied, declaration, monitoring after release", ()),
    ),
)
AI_RMF: Final = Standard(
    "NIST AI Risk Management Framework 1.0 (NIST AI 100-1), function MEASURE",
    "Numbers as in table 3 of the framework.",
    (
        Point("1.1", "how risks are measured, and what is not measured", ("scope", "method", "limitations")),
        Point("1.3", "independent assessors; consultation of those affected", ("front_matter", "sign_off")),
        Point(
            "2.1",
            "test sets, metrics and tools are documented",
            ("cohort", "labels", "instrument", "instrument_details", "method", "reproduce", "run_details"),
        ),
        Point(
            "2.2", "human subjects are protected, and represent the population", ("cohort", "labels", "front_matter")
        ),
        Point(
            "2.3",
            "performance is measured in conditions like those of use",
            ("results", "check_figures", "recording", "your_files"),
        ),
        Point(
            "2.5",
            "validity, reliability, limits of generalisation",
            ("instrument", "instrument_details", "failures", "limitations"),
        ),
        Point("2.8", "transparency and accountability", ("front_matter", "reproduce", "run_details", "sign_off")),
        Point(
            "2.9", "output is explained and interpreted in its context", ("scope", "faces", "results", "check_figures")
        ),
        Point(
            "2.10", "risks to privacy: pseudonyms, suppressed cells, withheld pictures", ("cohort", "labels", "faces")
        ),
        Point(
            "2.11",
            "fairness and bias are evaluated, and results documented",
            (
                "summary",
                "results",
                "check_figures",
                "disparities",
                "worst_slices",
                "adjusted_gaps",
                "trends",
                "failures",
            ),
        ),
        Point(
            "2.13",
            "how well the metrics themselves work",
            ("instrument", "instrument_details", "language_identification", "method"),
        ),
        Point("3.3", "those affected can report problems and appeal", ("front_matter",)),
        Point("2.4, 2.6, 2.7, 2.12", "production, safety, security, environment: not measured", ()),
    ),
)
ISO_42001: Final = Standard(
    "ISO/IEC 42001:2023, AI management systems, controls of Annex A",
    "The standard was not read: numbers and topics are those on which several public lists of its controls agree.",
    (
        Point(
            "A.5.4",
            "effects on individuals and groups",
            ("summary", "results", "check_figures", "disparities", "worst_slices"),
        ),
        Point("A.5.5", "effects on society", ("scope",)),
        Point(
            "A.6.2.4",
            "verification and validation",
            ("results", "check_figures", "method", "instrument", "instrument_details"),
        ),
        Point("A.6.2.7", "technical documentation", ("reproduce", "run_details", "further_tables")),
        Point("A.7.4", "quality of data", ("cohort", "labels", "your_files", "recording")),
        Point("A.7.5", "provenance of data", ("cohort", "labels", "front_matter")),
        Point("A.8.2, A.8.5", "information for users and others concerned", ("front_matter", "limitations")),
        Point("A.8.3", "reports of adverse effects from outside", ("front_matter",)),
        Point("A.9.4", "use as intended", ("front_matter", "recommendations")),
    ),
)
ISO_19795_10: Final = Standard(
    "ISO/IEC 19795-10:2024, biometric performance across demographic groups",
    "Only its published scope was read, so that no clause has a number here. The terms that differ are under Method.",
    (
        Point(
            "",
            "membership of demographic groups, and where labels come from",
            (
                "cohort",
                "labels",
            ),
        ),
        Point("", "measures of phenotype, such as skin tone", ("results", "check_figures", "trends")),
        Point("", "failures to acquire", ("failures",)),
        Point(
            "",
            "differences between groups, and shifts of comparison scores",
            ("disparities", "results", "check_figures"),
        ),
        Point("", "statistical uncertainty", ("summary", "method")),
        Point("", "reporting of tests", ("reproduce", "run_details", "limitations")),
        Point("", "operational thresholds, throughput: not measured, as nobody is recognised", ()),
    ),
)
LOCAL_LAW_144: Final = Standard(
    "New York City, Local Law 144: published results of a bias audit (6 RCNY 5-303)",
    "Number and topics as in summaries of the rule. It is about tools for hiring, which such a model must not be.",
    (
        Point("5\N{NON-BREAKING HYPHEN}303", "date of the audit; since when the tool is in use", ("front_matter",)),
        Point(
            "5\N{NON-BREAKING HYPHEN}303", "source and explanation of the data", ("cohort", "labels", "front_matter")
        ),
        Point(
            "5\N{NON-BREAKING HYPHEN}303", "number of people whose category is unknown", ("summary", "cohort", "labels")
        ),
        Point(
            "5\N{NON-BREAKING HYPHEN}303",
            "rates by category and intersection; differences here, not impact ratios",
            ("disparities",),
        ),
    ),
)
STANDARDS: Final = (ANNEX_IV, AI_RMF, ISO_42001, ISO_19795_10, LOCAL_LAW_144)
UNMAPPED: Final = frozenset({SECTION})
"""Sections with material for no point."""


@dataclass(frozen=True)
class PointView:
    """A point ready for display: its sections on this page, by id and title."""

    number: str
    asks: str
    sections: tuple[tuple[str, str], ...]


def standards(titles: Mapping[str, str]) -> tuple[tuple[Standard, tuple[PointView, ...]], ...]:
    """The standards with their points, for a page with sections of these titles by id."""
    return tuple((each, tuple(_view(point, titles) for point in each.points)) for each in STANDARDS)


def _view(point: Point, titles: Mapping[str, str]) -> PointView:
    return PointView(
        point.number or "not checked",
        point.asks,
        tuple((name, title) for name, title in titles.items() if name in point.sections),
    )


def unknown_sections(known: Collection[str]) -> set[str]:
    """The sections that a point names and that do not exist."""
    return {name for each in STANDARDS for point in each.points for name in point.sections} - {*known}


def unmentioned_sections(known: Collection[str]) -> set[str]:
    """The sections that no point names, and that are not declared as unmapped."""
    return {*known} - {name for each in STANDARDS for point in each.points for name in point.sections} - UNMAPPED
