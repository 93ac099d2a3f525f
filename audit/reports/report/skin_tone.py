"""S2F001 next to S2F008: how often each group's faces are read as white, and the skin tone of the same faces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

from audit.audits.audit import Audit
from audit.checks.catalogue.rendered_as_white import CHECK as READ_AS_WHITE
from audit.checks.catalogue.rendered_as_white import ENGLISH, WHITE
from audit.checks.catalogue.skin_tone_shift import CHECK as SKIN_TONE_SHIFT
from audit.checks.catalogue.skin_tone_shift import SEPARATES
from audit.checks.figure import Figure
from audit.checks.finding import Finding
from audit.core.attributes.skin_tone import ATTRIBUTE, separation
from audit.core.grouping import GROUP as BY_GROUP
from audit.core.languages import same_language
from audit.core.units import write_value
from audit.core.vocabulary import group_members
from audit.reports.html.badges import BADGES
from audit.reports.html.records import Record, Value, count, mapping, records, strings, text, where
from audit.reports.html.tabular import DASH, Cell, Column, TableView, estimate, head, words, written
from audit.reports.html.wording import group_name
from audit.stats import ALL
from audit.stats.verdict import Outcome

Support = Literal["supports", "contradicts", "neither"]
EXCESS: Final = READ_AS_WHITE.judged[0]


@dataclass(frozen=True)
class GroupRow:
    """The figures of one group.

    Attributes
    ----------
    group : str
        The group.
    white : Figure or None
        Read as white in English, rendered minus portrait (or ceiling), with the margin of S2F001.
    judged : bool
        Whether S2F001 judges ``white``; it is exploratory otherwise.
    lightening : Figure or None
        The skin tone shift in English, with the margin of S2F008, in the direction of lighter skin only.
    shift : Figure
        The skin tone shift in all languages, which S2F008 judges in both directions.
    outcome : str
        The outcome of S2F008 for the group.
    auc : float or None
        How well skin tone separates photographs of the group from those of white people; ``None`` if unknown.
    """

    group: str
    white: Figure | None
    judged: bool
    lightening: Figure | None
    shift: Figure
    outcome: Outcome
    auc: float | None

    @property
    def support(self) -> Support:
        """What S2F008 says about the reads as white.

        They agree if the faces are read as white more often and their skin is lighter, or neither is the case.
        """
        white, lighter = _outcome(self.white), _outcome(self.lightening)
        if self.auc is None or self.auc < SEPARATES or not {white, lighter} <= {"shown", "not_shown"}:
            return "neither"
        return "supports" if white == lighter else "contradicts"

    @property
    def sentence(self) -> str:
        """What S2F008 says about the reads as white, and why."""
        group, white, lighter = group_name(self.group), _outcome(self.white), _outcome(self.lightening)
        what = READ_AS_WHITE.code if self.judged else "the reads as white"
        start = f"For {group} speakers, {SKIN_TONE_SHIFT.code}"
        if self.auc is None:
            why = f"it is not known how well skin tone separates photographs of {group} and white people"
        elif self.auc < SEPARATES:
            auc = f"AUC {self.auc:.2f}, below {SEPARATES:.2f}"
            why = f"skin tone hardly separates photographs of {group} and white people ({auc})"
        elif white not in ("shown", "not_shown"):
            why = f"whether the faces are read as white more often is itself {BADGES[white].name}"
        elif self.lightening is None or lighter == "not_evaluable":
            why = "the shift in English could not be estimated"
        elif lighter == "inconclusive":
            why = f"the interval of the shift in English contains {_margin(self.lightening)}"
        else:
            reads = f"read as white {'more often' if white == 'shown' else 'about as often as before'}"
            skin = f"{'lighter' if lighter == 'shown' else 'not lighter'} by more than {_margin(self.lightening)}"
            link = "and" if white == lighter else "but"
            return (
                f"{start} {self.support} {what}: in English, the faces are {reads}, {link} their skin is {skin} "
                f"({self.lightening.text}; AUC {self.auc:.2f})."
            )
        return f"{start} can neither confirm nor refute {what}, because {why}."


@dataclass(frozen=True)
class SkinToneView:
    """What the section of the check ``code`` shows of skin tone: why there is nothing, or a table and its sentences."""

    code: str
    absent: str
    table: TableView
    sentences: tuple[str, ...]


def skin_tone(audit: Audit) -> SkinToneView:
    """Reads as white and skin tone, next to each other, for every group whose label excludes white."""
    found = {finding.code: finding for finding in audit.findings if finding.grouping == BY_GROUP.name}
    white, shift = found.get(READ_AS_WHITE.code), found.get(SKIN_TONE_SHIFT.code)
    rows = _rows(audit, white, shift) if white and shift else []
    return SkinToneView(READ_AS_WHITE.code, _absent(audit, shift, rows), _table(rows), tuple(r.sentence for r in rows))


def _absent(audit: Audit, shift: Finding | None, rows: list[GroupRow]) -> str:
    """Why there is nothing to show; empty if there is something."""
    if rows:
        return ""
    code = SKIN_TONE_SHIFT.code
    if shift is None or ATTRIBUTE.name not in strings(mapping(audit.run.get("instrument")).get("attributes_read")):
        again = f" What would change it: {shift.would_change}" if shift and shift.would_change else ""
        return f"Skin tone was not read in this run, so {code} says nothing about {READ_AS_WHITE.code}.{again}"
    reason = shift.reason if shift.outcome == "not_evaluable" else "no group has a shift of skin tone."
    return f"{code} says nothing about {READ_AS_WHITE.code}: {reason}"


def _rows(audit: Audit, white: Finding, shift: Finding) -> list[GroupRow]:
    judged, excess = white.estimate, where(records(audit, "rendered_as"), read=WHITE)
    margin = EXCESS.margin if white.threshold is None else white.threshold
    rows = []
    for figure in shift.estimates.values():
        group = figure.group
        if figure.margin is None or figure.language != ALL or WHITE in group_members(group):
            continue
        is_judged = judged is not None and (judged.group, judged.language) == (group, ENGLISH)
        of_group = [_exploratory(row, margin) for row in excess if text(row, "group") == group]
        of_shift = [each for each in shift.estimates.values() if (each.name, each.group) == (figure.name, group)]
        lightening = _in_english(of_shift)
        if lightening is not None:
            lightening = replace(lightening, margin=figure.margin, harm="high", two_sided=False)
        rows.append(
            GroupRow(
                group,
                judged if is_judged else _in_english(of_group),
                is_judged,
                lightening,
                figure,
                shift.by_group.get(group, "not_evaluable"),
                separation(group),
            )
        )
    return rows


def _exploratory(row: Record, margin: float) -> Figure:
    """A row of the table ``rendered_as`` as a figure, with the margin and direction of S2F001."""
    found = Value.of(row)
    n_clips, n_missing = (count(row, name) or 0 for name in ("n_clips", "n_missing"))
    return Figure(
        found.value,
        found.low,
        found.high,
        found.n_speakers or 0,
        n_clips,
        n_missing,
        found.method,
        unit=EXCESS.unit,
        kind="difference",
        group=text(row, "group"),
        language=text(row, "language"),
        margin=margin,
        harm=EXCESS.harm,
        two_sided=EXCESS.two_sided,
    )


def _in_english(figures: Iterable[Figure]) -> Figure | None:
    """The figure in English; ``None`` without one, or with several varieties of English."""
    found = [figure for figure in figures if figure.language != ALL and same_language(figure.language, ENGLISH)]
    return found[0] if len(found) == 1 else None


def _outcome(figure: Figure | None) -> Outcome:
    return "not_evaluable" if figure is None else figure.verdict.outcome


def _margin(figure: Figure) -> str:
    return write_value(figure.margin or 0.0, figure.unit)


def _table(rows: list[GroupRow]) -> TableView:
    white, tone = (
        f"{READ_AS_WHITE.code}: read as white, English",
        f"{SKIN_TONE_SHIFT.code}: skin tone, positive is lighter",
    )

    def read(row: GroupRow) -> Cell:
        outcome = words(BADGES[_outcome(row.white)].name)
        return outcome if row.judged else replace(outcome, lines=("exploratory",))

    columns = (
        Column[GroupRow]("Group", lambda row: head(group_name(row.group))),
        Column[GroupRow]("Change", lambda row: estimate(row.white, EXCESS.unit, signed=True), True, white),
        Column[GroupRow]("Outcome", read, band=white),
        Column[GroupRow]("English", lambda row: estimate(row.lightening, row.shift.unit, signed=True), True, tone),
        Column[GroupRow]("All languages", lambda row: estimate(row.shift, row.shift.unit, signed=True), True, tone),
        Column[GroupRow]("Outcome", lambda row: words(BADGES[row.outcome].name), band=tone, hint="all languages"),
        Column[GroupRow]("AUC", lambda row: DASH if row.auc is None else written(row.auc, f"{row.auc:.2f}"), True),
    )
    label = rows[0].shift.label if rows else ""
    note = (
        f"{READ_AS_WHITE.code}: rendered minus portrait, or minus ceiling without portraits, paired by speaker. It "
        "judges asian speakers; for other groups the change is exploratory and compared with the same margin. "
        f"{SKIN_TONE_SHIFT.code}: {label}. It judges all languages; intervals in English are not adjusted for the "
        "number of groups. AUC: how well skin tone separates photographs of the group from those of white people. A "
        "value of 0.5 is chance."
    )
    caption = f"{READ_AS_WHITE.code} and {SKIN_TONE_SHIFT.code} next to each other"
    return TableView.of("white-and-skin-tone", caption, columns, rows, note, sortable=False)
