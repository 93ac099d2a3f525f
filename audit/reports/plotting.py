"""The charts of reports on matplotlib axes; the public names are in :mod:`audit.plot`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from matplotlib.axes import Axes

from audit.audits.audit_like import AuditLike, as_audit
from audit.comparisons import Comparison
from audit.core.clean_text import clean
from audit.core.errors import AuditError, did_you_mean
from audit.core.language_names import language_name
from audit.core.vocabulary import STAGES
from audit.probes import Probe
from audit.reports.comparison.panels import pareto_view, slopes_view
from audit.reports.html.axes import metric_axes
from audit.reports.html.badges import BADGES
from audit.reports.html.charts import Drawing, Margins, Row, axes_in, bare, dots, label
from audit.reports.html.palette import light
from audit.reports.html.panels import Panel
from audit.reports.html.records import MetricDefinitions, Value, disparities, split, text, where
from audit.reports.html.verdicts import GLYPH_WIDTH, Verdict, verdicts
from audit.reports.html.wording import file_stem, group_name
from audit.reports.probe.panels import direction_view, far_view, groups_view
from audit.reports.report.charts import VIEWS

__all__ = [
    "chart",
    "charts",
    "comparison",
    "confusion",
    "disparity",
    "failures",
    "findings",
    "instrument",
    "language_effects",
    "pareto",
    "stages",
]

PITCH: Final = 40
"""Pixels of a finding's row."""


def findings(audited: AuditLike, *, ax: Axes | None = None) -> Axes:
    """Every finding's headline figure with its interval, against its margin.

    Each row has a scale of its own, whose ends are written below it. The shaded range is the margin.

    Parameters
    ----------
    audited : Audit, Run or path
        The audit; see :func:`audit.audits.audit_like.as_audit`.
    ax : Axes, optional
        The axes to draw on; by default those of a new pyplot figure.

    Returns
    -------
    Axes
        The axes.

    Examples
    --------
    >>> import audit
    >>> from matplotlib.figure import Figure
    >>> run = audit.simulate({"groups": ["asian", "white"], "speakers_per_group": 8})
    >>> audit.plot.findings(run, ax=Figure().subplots()).get_title(loc="left")
    'Findings against their margins'
    """
    found = verdicts(as_audit(audited))

    def draw(on: Axes) -> None:
        on.set_xlim(0, GLYPH_WIDTH)
        on.set_ylim(PITCH * max(len(found), 1), 0)
        bare(on)
        on.set_xticks([])
        on.set_yticks([])
        for i, verdict in enumerate(found):
            _draw_finding(on, verdict, PITCH * i + 15)

    margins = Margins(top=34, body=PITCH * max(len(found), 1), bottom=8, left=150, right=150, width=540)
    return _drawn(Drawing("Findings against their margins", draw, margins), ax)


def stages(audited: AuditLike, *, language: str = "all", ax: Axes | None = None) -> Axes:
    """The share of faces that are read as the speaker's own group, by group, at portrait, ceiling and rendered.

    ``language`` is a language's code, or ``all``; the other parameters are those of :func:`findings`.
    """
    return _drawn(_chart(audited, f"stages-{language}"), ax, f"Read as the own group, {language_name(language)}")


def confusion(audited: AuditLike, *, stage: str = "rendered", language: str = "all", ax: Axes | None = None) -> Axes:
    """What the faces of each group are read as: the share of each race, with its interval, as a heat map.

    ``stage`` is portrait, ceiling or rendered, in one ``language`` rendered only; the other parameters are those of
    :func:`findings`.
    """
    found = _chart(audited, f"confusion-{stage}-{language}")
    return _drawn(found, ax, f"{stage.capitalize()} faces are read as, {language_name(language)}")


def disparity(
    audited: AuditLike,
    metric: str,
    *,
    language: str = "all",
    at: Sequence[str] = STAGES,
    ax: Axes | None = None,
) -> Axes:
    """One metric by group, with intervals and numbers of speakers.

    Parameters
    ----------
    audited, ax
        As of :func:`findings`.
    metric : str
        A name in the column ``metric`` of :meth:`audit.Audit.frame`, such as ``gender_right`` or a custom metric.
    language : str
        A language's code, or ``all``.
    at : sequence of str
        The stages: portrait, ceiling and rendered, or some of them.

    Raises
    ------
    AuditError
        If the audit has no value of this metric there.
    """
    audit = as_audit(audited)
    known = disparities(audit)
    rows = [row for row in where(known, metric=metric, language=language) if text(row, "stage") in at]
    shown = [stage for stage in at if any(Value.of(row).value is not None for row in where(rows, stage=stage))]
    if not shown:
        names = sorted({text(row, "metric") for row in known})
        raise AuditError(
            f"The audit has no value of {metric!r} in {language_name(language)} at {', '.join(at)}"
            f"{did_you_mean(metric, names)}.",
            f"a metric of this audit: {', '.join(names)}",
        )
    defined = MetricDefinitions.of(audit)
    lines = [
        Row(group_name(text(of[0], "group")), {text(row, "stage"): Value.of(row) for row in of})
        for of in split(rows, "group")
    ]
    title = defined.title(metric) + ("" if language == "all" else f", {language_name(language)}")
    unit = defined.unit(metric)
    return _drawn(dots(title, lines, unit, limits=metric_axes(audit).get(metric), series=shown), ax)


def language_effects(audited: AuditLike, *, metric: str = "read_own_group", ax: Axes | None = None) -> Axes:
    """English minus another language, for the same speakers, by group.

    ``metric`` is read_own_group, read_white or gender_right; the other parameters are those of :func:`findings`.
    """
    found = _chart(audited, f"language-effects-{metric.replace('_', '-')}")
    return _drawn(found, ax, f"{found.title}: English minus another language")


def failures(audited: AuditLike, *, language: str = "all", ax: Axes | None = None) -> Axes:
    """The share of clips without a usable face, by group; the parameters are those of :func:`stages`."""
    return _drawn(_chart(audited, f"no-face-{language}"), ax, f"No usable face, {language_name(language)}")


def instrument(audited: AuditLike, *, metric: str = "read_own_group", ax: Axes | None = None) -> Axes:
    """The instrument's reads of the portraits, by group.

    ``metric`` is read_own_group, gender_right or age_error; the other parameters are those of :func:`findings`.
    """
    found = _chart(audited, f"instrument-{metric.replace('_', '-')}")
    return _drawn(found, ax, f"Portraits: {found.title[:1].lower()}{found.title[1:]}")


def comparison(compared: Comparison, group: str, *, ax: Axes | None = None) -> Axes:
    """One group's reads as itself from run to run, over all languages and in each, with intervals.

    ``compared`` is what :func:`audit.compare` returns.
    """
    found = _chart(compared, f"slope-{group}")
    return _drawn(found, ax, f"{found.title}: read as the own group")


def pareto(compared: Comparison, metric: str = "read_own_group", *, ax: Axes | None = None) -> Axes:
    """Each run of a comparison: a metric over all speakers, and for its worst group, with both intervals."""
    return chart(compared, f"pareto-{metric}", ax=ax)


def chart(document: AuditLike | Comparison | Probe, name: str, *, ax: Axes | None = None) -> Axes:
    """One chart of a report, by its name.

    Parameters
    ----------
    document : Audit, Run, path, Comparison or Probe
        What the report is about.
    name : str
        One of :func:`charts`; for an audit, the name of the SVG file in the report's folder ``figures``.
    ax : Axes, optional
        The axes to draw on; by default those of a new pyplot figure, of the size that the chart has in the report.

    Raises
    ------
    AuditError
        If the report has no such chart. A chart without data is left out of a report.
    """
    return _drawn(_chart(document, name), ax)


def charts(document: AuditLike | Comparison | Probe) -> list[str]:
    """The names of all charts of a report; :func:`chart` draws one."""
    return [*_panels(document)]


def _panels(document: AuditLike | Comparison | Probe) -> Mapping[str, Panel]:
    if isinstance(document, Comparison):
        views = [slopes_view(document), pareto_view(document)]
    elif isinstance(document, Probe):
        views = [far_view(document), direction_view(document), groups_view(document)]
    else:
        audit = as_audit(document)
        views = [make(audit) for make in VIEWS.values()]
    return {panel.name: panel for view in views for panel in view.panels}


def _chart(document: AuditLike | Comparison | Probe, name: str) -> Drawing:
    panels = _panels(document)
    found = panels.get(name) or panels.get(file_stem(name))
    if found is None:
        raise AuditError(
            f"There is no chart {name!r}{did_you_mean(name, [*panels])}.",
            ", ".join(panels) or "none: the document has no figures to draw",
        )
    return found.drawing


def _drawn(drawing: Drawing, ax: Axes | None, title: str = "") -> Axes:
    drawing = replace(drawing, title=title or drawing.title)
    if ax is not None:
        return drawing.on(ax)
    from matplotlib import pyplot as plt  # only here, so that charts on given axes need no display

    margins = drawing.margins
    return drawing.on(axes_in(plt.figure(figsize=(margins.width / 72, margins.height / 72)), margins))


def _draw_finding(on: Axes, verdict: Verdict, y: float) -> None:
    """One finding at a height in pixels: its margin, interval and value, and their words on both sides."""
    badge, glyph, edge = BADGES[verdict.finding.outcome], verdict.glyph, on.get_yaxis_transform()
    code = clean(verdict.finding.code) + (f" {verdict.by}" if verdict.by else "")
    left: dict[str, Any] = {"transform": edge, "ha": "right"}
    right: dict[str, Any] = {"transform": edge, "ha": "left"}
    label(on, -0.04, y - 6, code, 10.5, "ink", fontweight="bold", **left)
    label(on, -0.04, y + 7, verdict.about.removeprefix("Group: "), 9.5, **left)
    label(on, 1.04, y - 6, str(badge), 10.5, "ink", **right)
    label(on, 1.04, y + 7, f"{verdict.value} {verdict.interval}" if glyph else "no estimate", 9.5, **right)
    if glyph is None:
        return
    if glyph.band:
        on.fill_between(glyph.band, y - 9, y + 9, color=light("grid"), linewidth=0)
    if glyph.zero is not None:
        on.plot([glyph.zero] * 2, [y - 9, y + 9], color=light("muted"), linewidth=1, linestyle=(0, (2, 2)))
    if glyph.bar:
        on.plot(glyph.bar, [y, y], color=light("ink"), linewidth=2.2, solid_capstyle="butt")
    on.plot([glyph.dot], [y], marker="o", markersize=6.5, color=light("ink"))
    for tick in glyph.ticks:
        label(on, tick.x, y + 15, tick.label, 8, ha={"start": "left", "end": "right"}.get(tick.anchor, "center"))
