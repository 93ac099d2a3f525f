"""Tables of the report, each a pivot of one of the audit's tables."""

from __future__ import annotations

from collections.abc import Sequence

from audit.audits.audit import Audit
from audit.core.units import write_number
from audit.core.vocabulary import CLIP_STATUSES, GENDERS, LABEL_SOURCES, RACES, STAGES
from audit.reports.html.records import (
    MetricDefinitions,
    Record,
    count,
    disparities,
    number,
    records,
    text,
    values,
    where,
)
from audit.reports.html.tabular import Cell, Column, TableView, code, head, whole, words
from audit.reports.html.wording import (
    counted,
    group_name,
    language_name,
    order_groups,
    order_languages,
    status_name,
)

_STEPS = (("portrait", "ceiling"), ("ceiling", "rendered"), ("portrait", "rendered"))
_STEP_NAMES = ("Decoder: portrait to ceiling", "Voice encoder: ceiling to rendered", "Both: portrait to rendered")


def one(rows: Sequence[Record], **fixed: str) -> Record | None:
    """The first row with these texts, or ``None``."""
    found = where(rows, **fixed)
    return found[0] if found else None


def three_stages(audit: Audit, metric: str, language: str = "all") -> TableView | None:
    """One metric at each stage, and the changes between stages for the same speakers, by group."""
    rows = where(disparities(audit), metric=metric, language=language)
    changes = where(records(audit, "changes"), metric=metric, language=language)
    groups = values(rows, "group", order_groups)
    if not groups:
        return None
    metrics = MetricDefinitions.of(audit)
    unit, title = metrics.unit(metric), metrics.title(metric)
    columns = [Column("Group")]
    columns += [Column(stage.capitalize(), numeric=True, band=title) for stage in STAGES]
    columns += [
        Column(name, numeric=True, band=f"Change at each step, same speakers, {metrics.scale(metric)}")
        for name in _STEP_NAMES
    ]
    view = TableView(f"stages-{metric}", f"{title}: portrait, ceiling and rendered, by group", columns)
    for group in groups:
        row = [head(group_name(group))]
        row += [view.estimate(one(rows, stage=stage, group=group), unit, bare=False) for stage in STAGES]
        row += [
            view.estimate(one(changes, from_stage=a, to_stage=b, group=group), unit, signed=True) for a, b in _STEPS
        ]
        view.rows.append(row)
    view.totals = int(groups[-1] == "all")
    return view


def by_language(audit: Audit, metric: str, stage: str = "rendered") -> TableView | None:
    """One metric at one stage, groups by languages."""
    rows = where(disparities(audit), metric=metric, stage=stage)
    groups, languages = values(rows, "group", order_groups), values(rows, "language", order_languages)
    if not groups:
        return None
    columns = [Column("Group"), *(Column(language_name(language).capitalize(), numeric=True) for language in languages)]
    metrics = MetricDefinitions.of(audit)
    title = f"{metrics.title(metric)}, {stage} pictures, by group and language"
    view = TableView(f"{metric}-{stage}-by-language", title, columns)
    for group in groups:
        cells = [
            view.estimate(one(rows, group=group, language=language), metrics.unit(metric), bare=False)
            for language in languages
        ]
        view.rows.append([head(group_name(group)), *cells])
    view.totals = int(groups[-1] == "all")
    return view


def confusion(audit: Audit, stage: str, language: str = "all") -> TableView | None:
    """The reads of each group at one stage."""
    rows = [row for row in disparities(audit) if text(row, "metric") in {f"read_{race}" for race in RACES}]
    rows = [row for row in where(rows, stage=stage, language=language) if text(row, "group") != "all"]
    groups = values(rows, "group", order_groups)
    if not groups:
        return None
    columns = [Column("Group"), *(Column(group_name(race), numeric=True, band="Read as") for race in RACES)]
    view = TableView(
        f"confusion-{stage}-{language}",
        f"Reads of {stage} pictures, {language_name(language)}",
        columns,
    )
    for group in groups:
        cells = [view.estimate(one(rows, group=group, metric=f"read_{race}"), "share") for race in RACES]
        view.rows.append([head(group_name(group)), *cells])
    return view


def rendered_as(audit: Audit) -> TableView | None:
    """The change of every read from portrait to rendered (exploratory)."""
    rows = where(records(audit, "rendered_as"), language="all") or records(audit, "rendered_as")
    if not rows:
        return None
    reads = [race for race in RACES if where(rows, read=race)]
    several = values(rows, "language", order_languages) != ["all"]
    columns = [Column("Group"), *([Column("Language")] if several else [])]
    columns += [Column(group_name(read), numeric=True, band="Read as, points") for read in reads]
    view = TableView("rendered-as", "Rendered minus portrait, the same speakers, every read (exploratory)", columns)
    for group in values(rows, "group", order_groups):
        for language in values(where(rows, group=group), "language", order_languages):
            here = where(rows, group=group, language=language)
            cells = [view.estimate(one(here, read=read), "share", signed=True) for read in reads]
            named = [words(language_name(language))] if several else []
            view.rows.append([head(group_name(group)), *named, *cells])
    return view


def instrument_error(audit: Audit) -> TableView | None:
    """The instrument's reads of the cohort's portraits, by group and gender."""
    rows = records(audit, "instrument")
    metrics, defined = metric_order(rows), MetricDefinitions.of(audit)
    if not metrics:
        return None
    columns = [
        Column("Group"),
        Column("Gender"),
        *(Column(defined.title(metric), numeric=True) for metric in metrics),
    ]
    view = TableView("instrument", "The instrument's reads of this cohort's portraits", columns)
    for group in values(rows, "group", order_groups):
        for gender in values(where(rows, group=group), "gender", _order_genders):
            here = where(rows, group=group, gender=gender)
            cells = [view.estimate(one(here, metric=metric), defined.unit(metric), bare=False) for metric in metrics]
            view.rows.append([head(group_name(group)), words("all" if gender == "all" else gender), *cells])
    return view


def strata(audit: Audit) -> TableView | None:
    """Speakers and clips by group, language and gender."""
    rows = records(audit, "strata")
    if not rows:
        return None
    genders = values(rows, "gender", _order_genders)
    columns = [Column("Group"), Column("Language")]
    columns += [
        Column(gender or "not known", numeric=True, band="Speakers, and their clips, by gender label")
        for gender in genders
    ]
    view = TableView("strata", "Speakers and clips in every stratum", columns)
    for group in values(rows, "group", order_groups):
        for language in values(where(rows, group=group), "language", order_languages):
            here = where(rows, group=group, language=language)
            sizes = [_speakers_and_clips(one(here, gender=gender), _absent(audit)) for gender in genders]
            view.rows.append([head(group_name(group)), words(language_name(language)), *sizes])
    return view


def label_sources(audit: Audit) -> TableView | None:
    """The source of each kind of label."""
    rows = records(audit, "label_sources")
    if not rows:
        return None
    columns = (Column("Label"), Column("Source"), Column("Speakers", numeric=True), Column("Clips", numeric=True))
    view = TableView("label-sources", "Sources of the labels", columns, sortable=False)
    fields = ("group", "gender", "language", "age")
    place = lambda row: (_place(fields, text(row, "field")), _place(LABEL_SOURCES, text(row, "source")))  # noqa: E731
    for row in sorted(rows, key=place):
        source = text(row, "source", "not recorded").replace("_", " ")
        view.rows.append(
            [
                head(text(row, "field")),
                words(source),
                *(whole(count(row, key), _absent(audit)) for key in ("n_speakers", "n_clips")),
            ]
        )
    return view


def statuses(audit: Audit) -> TableView | None:
    """The number of clips with each status, by group and language."""
    rows = records(audit, "statuses")
    if not rows:
        return None
    found = sorted(values(rows, "status"), key=lambda status: (_place(CLIP_STATUSES, status), status))
    columns = [
        Column("Group"),
        Column("Language"),
        *(Column(status_name(s).capitalize(), numeric=True, band="Clips") for s in found),
    ]
    view = TableView("statuses", "Status of every clip", columns)
    for group in values(rows, "group", order_groups):
        for language in values(where(rows, group=group), "language", order_languages):
            here = where(rows, group=group, language=language)
            counts = [
                whole(0 if (row := one(here, status=status)) is None else count(row, "n_clips"), _absent(audit))
                for status in found
            ]
            view.rows.append([head(group_name(group)), words(language_name(language)), *counts])
    return view


def failures(audit: Audit, limit: int = 200) -> TableView | None:
    """The clips that could not be read at every stage, at most ``limit``, with details if there are any."""
    rows = records(audit, "failures")
    if not rows:
        return None
    detailed = any(text(row, "detail") for row in rows)
    columns = [Column("Clip"), Column("Speaker"), Column("Group"), Column("Language"), Column("What happened")]
    columns += [Column("Detail")] if detailed else []
    view = TableView("failures", "Every clip that could not be read at every stage", columns)
    for row in rows[:limit]:
        who = [code(text(row, "clip_id")), code(text(row, "speaker_id"))]
        place = [words(group_name(text(row, "group"))), words(language_name(text(row, "language")))]
        happened = [words(status_name(text(row, "status"))), *([words(text(row, "detail"))] if detailed else [])]
        view.rows.append([*who, *place, *happened])
    if len(rows) > limit:
        view.note = f"The first {limit} of {f'{len(rows):,}'} are shown; all are in tables/failures.csv."
    return view


def power(audit: Audit) -> TableView | None:
    """The minimum detectable effect of each comparison."""
    rows = records(audit, "power")
    if not rows:
        return None
    kept = [
        key for key in ("check", "comparison", "group", "language") if any(row.get(key) is not None for row in rows)
    ]
    columns = [*(Column(key.capitalize()) for key in kept), Column("Speakers", numeric=True)]
    columns += [Column("Minimum detectable effect", numeric=True, hint="points"), Column("Method")]
    view = TableView("power", "Minimum detectable effect of each comparison", columns)
    write = {"group": group_name, "language": language_name}
    for row in rows:
        size, reason = number(row, "smallest_detectable"), text(row, "note")
        cell = (
            Cell("not estimable", kind="missing")
            if size is None
            else Cell(write_number(size, "share"), sort=repr(size), kind="number")
        )
        named = [
            words(write.get(key, str)(text(row, key, "all").replace("_", " " if key not in write else "_")))
            for key in kept
        ]
        view.rows.append([*named, whole(count(row, "n_speakers")), cell, words(reason)])
    return view


def never_estimable(audit: Audit) -> list[str]:
    """Gender and age metrics without a figure at any stage, if the audit has any figures."""
    rows = disparities(audit)
    able = {text(row, "metric") for row in rows if number(row, "value") is not None}
    return [metric for metric in ("gender_right", "age_error") if able and metric not in able]


def metric_order(rows: Sequence[Record]) -> list[str]:
    """Metrics in the order of their first row."""
    return list(dict.fromkeys(text(row, "metric") for row in rows))


def _absent(audit: Audit) -> str:
    """The word for a count that the audit does not have."""
    return "suppressed" if audit.settings.get("suppress_below") else "not recorded"


def _speakers_and_clips(record: Record | None, absent: str) -> Cell:
    if record is None:
        return Cell("0", sort="0", kind="number")
    clips = count(record, "n_clips")
    cell = whole(count(record, "n_speakers"), absent)
    return Cell(cell.text, () if clips is None else (counted(clips, "clip"),), sort=cell.sort, kind=cell.kind)


def _place(order: Sequence[str], value: str) -> int:
    return order.index(value) if value in order else len(order)


def _order_genders(genders: object) -> list[str]:
    return sorted(set(genders), key=lambda gender: (gender == "all", _place(GENDERS, gender), gender))  # type: ignore[call-overload]  # texts only
