"""Tables of the report, each a pivot of one of the audit's tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from audit.audits.audit import Audit
from audit.checks import shipped
from audit.checks.stage_change import StageChange
from audit.core.grouping import GROUP as BY_GROUP
from audit.core.language_names import language_name
from audit.core.sentences import listing
from audit.core.units import write_number
from audit.core.vocabulary import CLIP_STATUSES, LABEL_SOURCES, RACES, STAGES
from audit.reports.html.records import (
    MetricDefinitions,
    Record,
    count,
    disparities,
    number,
    one,
    records,
    split,
    text,
    values,
    where,
)
from audit.reports.html.tabular import (
    GROUP,
    LANGUAGE,
    Cell,
    Column,
    TableView,
    code,
    figure,
    head,
    missing,
    whole,
    words,
    written,
)
from audit.reports.html.wording import counted, group_name, place_in, status_name

_STEPS = {
    "Decoder: portrait to ceiling": ("portrait", "ceiling"),
    "Voice encoder: ceiling to rendered": ("ceiling", "rendered"),
    "Both: portrait to rendered": ("portrait", "rendered"),
}
GENDER = Column[Sequence[Record]]("Gender", lambda rows: words(text(rows[0], "gender")))


def people_in_short(audit: Audit) -> str:
    """The number of speakers of each group, and the languages, in a sentence; empty without figures."""
    rows = where(disparities(audit), metric="no_face", stage="rendered")
    groups = [row for row in where(rows, language="all") if text(row, "group") != "all"]
    if not groups:
        return ""
    sizes = [(group_name(text(row, "group")), count(row, "n_speakers")) for row in groups]
    people = [f"{name} {'(number withheld)' if size is None else f'{size:,}'}" for name, size in sizes]
    languages = [language_name(language) for language in values(rows, "language") if language != "all"]
    return f"Speakers by group: {', '.join(people)}. Languages: {listing(languages)}."


def three_stages(audit: Audit, metric: str, language: str = "all") -> TableView:
    """One metric at each stage, and the changes between stages for the same speakers, by group.

    A change that a check judges as a fall is shown as a fall, so that it has the same sign in both places.
    """
    rows = where(disparities(audit), metric=metric, language=language)
    changes = where(records(audit, "changes"), metric=metric, language=language)
    metrics = MetricDefinitions.of(audit)
    unit, title = metrics.unit(metric), metrics.title(metric)
    fall = metric in falls()
    band = f"{'Fall' if fall else 'Change'} at each step, same speakers, {metrics.scale(metric)}"
    columns = [GROUP, *(figure(stage.capitalize(), unit, band=title, stage=stage) for stage in STAGES)]
    columns += [
        figure(label, unit, signed=True, bare=True, band=band, turned=fall, from_stage=start, to_stage=end)
        for label, (start, end) in _STEPS.items()
    ]
    of_groups = [[*of, *where(changes, group=text(of[0], "group"))] for of in split(rows, "group")]
    name, caption = f"stages-{metric}", f"{title}: portrait, ceiling and rendered, by group"
    if language != "all":
        name, caption = f"{name}-{language}", f"{caption}, {language_name(language)}"
    return TableView.of(name, caption, columns, of_groups, totals=int("all" in values(rows, "group")))


def falls() -> frozenset[str]:
    """The metrics whose change from a stage to the next one a shipped check judges as a fall.

    Examples
    --------
    >>> sorted(falls())
    ['read_own_group']
    """
    return frozenset(check.metric for check in shipped() if isinstance(check, StageChange) and check.is_fall)


def by_language(audit: Audit, metric: str, stage: str = "rendered") -> TableView:
    """One metric at one stage, groups by languages."""
    rows, metrics = where(disparities(audit), metric=metric, stage=stage), MetricDefinitions.of(audit)
    columns = [GROUP]
    for language in values(rows, "language"):
        columns.append(figure(language_name(language).capitalize(), metrics.unit(metric), language=language))
    caption = f"{metrics.title(metric)}, {stage} pictures, by group and language"
    totals = int("all" in values(rows, "group"))
    return TableView.of(f"{metric}-{stage}-by-language", caption, columns, split(rows, "group"), totals=totals)


def reads(audit: Audit, stage: str, language: str) -> list[Record]:
    """How often the faces of each group are read as each race, at one stage and in one language."""
    metrics = {f"read_{race}" for race in RACES}
    rows = where(disparities(audit), stage=stage, language=language)
    return [row for row in rows if text(row, "metric") in metrics and text(row, "group") != "all"]


def confusion(audit: Audit, stage: str, language: str = "all") -> TableView:
    """The reads of each group at one stage."""
    columns = [GROUP, *(figure(group_name(race), "share", band="Read as", metric=f"read_{race}") for race in RACES)]
    caption = f"Reads of {stage} pictures, {language_name(language)}"
    return TableView.of(
        f"confusion-{stage}-{language}", caption, columns, split(reads(audit, stage, language), "group")
    )


def rendered_as(audit: Audit) -> TableView:
    """The change of every read from portrait to rendered (exploratory)."""
    rows = where(records(audit, "rendered_as"), language="all") or records(audit, "rendered_as")
    several = values(rows, "language") != ["all"]
    columns = [GROUP, *([LANGUAGE] if several else [])]
    for read in (race for race in RACES if where(rows, read=race)):
        columns.append(figure(group_name(read), "share", signed=True, bare=True, band="Read as, points", read=read))
    caption = "Rendered minus portrait, the same speakers, every read (exploratory)"
    return TableView.of("rendered-as", caption, columns, split(rows, "group", "language"))


def instrument_error(audit: Audit) -> TableView:
    """The instrument's reads of the cohort's portraits, by group and gender."""
    rows, defined = records(audit, "instrument"), MetricDefinitions.of(audit)
    columns = [GROUP, GENDER]
    columns += [figure(defined.title(metric), defined.unit(metric), metric=metric) for metric in metric_order(rows)]
    caption = "The instrument's reads of this cohort's portraits"
    return TableView.of("instrument", caption, columns, split(rows, "group", "gender"))


def strata(audit: Audit) -> TableView:
    """Speakers and clips by group, language and gender."""
    rows, absent = records(audit, "strata"), _absent(audit)
    band = "Speakers, and their clips, by gender label"
    columns = [GROUP, LANGUAGE]
    for gender in values(rows, "gender"):
        columns.append(Column(gender or "not known", _speakers_and_clips(gender, absent), True, band))
    return TableView.of("strata", "Speakers and clips in every stratum", columns, split(rows, "group", "language"))


def _speakers_and_clips(gender: str, absent: str) -> Callable[[Sequence[Record]], Cell]:
    def cell(rows: Sequence[Record]) -> Cell:
        row = one(rows, gender=gender)
        if row is None:
            return Cell("0", sort="0", kind="number")
        clips, speakers = count(row, "n_clips"), whole(count(row, "n_speakers"), absent)
        return speakers if clips is None else replace(speakers, lines=(counted(clips, "clip"),))

    return cell


def label_sources(audit: Audit) -> TableView:
    """The source of each kind of label."""
    fields, absent = ("group", "gender", "language", "age"), _absent(audit)

    def place(row: Record) -> tuple[int, int]:
        return place_in(fields, text(row, "field")), place_in(LABEL_SOURCES, text(row, "source"))

    columns = (
        Column[Record]("Label", lambda row: head(text(row, "field"))),
        Column[Record]("Source", lambda row: words(text(row, "source", "not recorded").replace("_", " "))),
        Column[Record]("Speakers", lambda row: whole(count(row, "n_speakers"), absent), numeric=True),
        Column[Record]("Clips", lambda row: whole(count(row, "n_clips"), absent), numeric=True),
    )
    rows = sorted(records(audit, "label_sources"), key=place)
    return TableView.of("label-sources", "Sources of the labels", columns, rows, sortable=False)


def statuses(audit: Audit) -> TableView:
    """The number of clips with each status, by group and language."""
    rows, absent = records(audit, "statuses"), _absent(audit)

    def clips(status: str) -> Callable[[Sequence[Record]], Cell]:
        return lambda of: whole(0 if (row := one(of, status=status)) is None else count(row, "n_clips"), absent)

    found = sorted(values(rows, "status"), key=lambda status: (place_in(CLIP_STATUSES, status), status))
    columns = [GROUP, LANGUAGE, *(Column(status_name(s).capitalize(), clips(s), True, "Clips") for s in found)]
    return TableView.of("statuses", "Status of every clip", columns, split(rows, "group", "language"))


def faces_found(audit: Audit) -> TableView:
    """The number of clips by stage and group whose picture has more than one face; no rows where there is none."""
    rows, absent = records(audit, "faces_found"), _absent(audit)

    def several(stage: str) -> Callable[[Sequence[Record]], Cell]:
        def cell(of: Sequence[Record]) -> Cell:
            row = one(of, stage=stage) or {}
            clips, found = count(row, "n_clips"), whole(count(row, "n_several"), absent)
            return found if clips is None else replace(found, lines=(f"of {counted(clips, 'clip')}",))

        return cell

    shown = rows if any(count(row, "n_several") for row in rows) else []
    columns = [GROUP, *(Column(s.capitalize(), several(s), True, "Clips") for s in STAGES if where(rows, stage=s))]
    return TableView.of("faces-found", "Pictures with more than one face", columns, split(shown, "group"))


def failures(audit: Audit, limit: int = 200) -> TableView:
    """The clips that could not be read at every stage, at most ``limit``, with details if there are any."""
    rows = records(audit, "failures")
    columns = [
        Column[Record]("Clip", lambda row: code(text(row, "clip_id"))),
        Column[Record]("Speaker", lambda row: code(text(row, "speaker_id"))),
        Column[Record]("Group", lambda row: words(group_name(text(row, "group")))),
        Column[Record]("Language", lambda row: words(language_name(text(row, "language")))),
        Column[Record]("What happened", lambda row: words(status_name(text(row, "status")))),
    ]
    if any(text(row, "detail") for row in rows):
        columns.append(Column("Detail", lambda row: words(text(row, "detail"))))
    note = f"The first {limit} of {len(rows):,} are shown; all are in tables/failures.csv." if len(rows) > limit else ""
    caption = "Every clip that could not be read at every stage"
    return TableView.of("failures", caption, columns, rows[:limit], note)


def power(audit: Audit) -> TableView:
    """The minimum detectable effect of each comparison."""
    rows = records(audit, "power")
    write: dict[str, Callable[[str], str]] = {"group": group_name, "language": language_name}

    def named(key: str) -> Column[Record]:
        name = write.get(key, _spaced)
        return Column(key.capitalize(), lambda row: words(name(text(row, key, "all"))))

    def size(row: Record) -> Cell:
        value = number(row, "smallest_detectable")
        return missing() if value is None else written(value, write_number(value, "share"))

    several = values(rows, "grouping") not in ([], [BY_GROUP.name])
    keys = ("check", "comparison", *(["grouping"] if several else []), "group", "language")
    columns = [named(key) for key in keys if any(row.get(key) is not None for row in rows)]
    columns += [
        Column("Speakers", lambda row: whole(count(row, "n_speakers")), numeric=True),
        Column("Minimum detectable effect", size, numeric=True, hint="points"),
        Column("Method", lambda row: words(text(row, "note"))),
    ]
    return TableView.of("power", "Minimum detectable effect of each comparison", columns, rows)


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def never_estimable(audit: Audit) -> list[str]:
    """Gender and age metrics without a figure at any stage, if the audit has any figures."""
    able = {text(row, "metric") for row in disparities(audit) if number(row, "value") is not None}
    return [metric for metric in ("gender_right", "age_error") if able and metric not in able]


def metric_order(rows: Sequence[Record]) -> list[str]:
    """Metrics in the order of their first row."""
    return list(dict.fromkeys(text(row, "metric") for row in rows))


def _absent(audit: Audit) -> str:
    """The word for a count that the audit does not have."""
    return "suppressed" if audit.settings.get("suppress_below") else "not recorded"
