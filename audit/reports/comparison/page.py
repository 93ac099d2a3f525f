"""The page of a comparison: one standalone HTML file, with JSON and tables in the same folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from audit.audits.privacy.sharing import withheld
from audit.comparisons.changes import Change
from audit.comparisons.comparison import Comparison
from audit.core.clean_text import clean
from audit.core.errors import RunError
from audit.core.written_files import write_files
from audit.reports.comparison.panels import pareto_view, slopes_view
from audit.reports.html.badges import BADGES
from audit.reports.html.csv_tables import TABLES, csv_tables
from audit.reports.html.gallery import Album, Gallery, clip_strip
from audit.reports.html.identity import Fact, name_of
from audit.reports.html.page import Frame, numbered_sections, render_page
from audit.reports.html.records import MetricDefinitions, mapping, records, values, where
from audit.reports.html.tabular import Cell, Column, TableView, code, dash, head, p_value, whole, words
from audit.reports.html.wording import (
    counted,
    group_name,
    language_name,
    order_groups,
    write_confidence,
)
from audit.stats import ALL

PAGE: Final = "comparison.html"
_TEMPLATES: Final = Path(__file__).parent / "templates"
SECTIONS: Final = {
    "changed": "Who gains and who pays",
    "compared": "The runs",
    "slopes": "Group by group, from model to model",
    "pareto": "Quality and the worst group",
    "checked": "Every check",
    "groups": "Every group",
    "strips": "The same speakers by every model",
    "lineage": "Sources and settings",
}
"""The titles of the sections, by id."""


def write_comparison(
    comparison: Comparison,
    folder: str | Path,
    runs: Sequence[str | Path | None] = (),
    *,
    show_faces: bool = False,
    show_ids: bool = False,
) -> Path:
    """Write ``comparison.html``, ``comparison.json`` and ``tables/*.csv`` into a folder.

    Parameters
    ----------
    comparison : Comparison
        The comparison. Besides it, only the pictures are read.
    folder : str or Path
        The comparison's folder; tables of an earlier comparison are removed, other files are kept.
    runs : sequence of str, Path or None
        The folder of each run, in the comparison's order; pictures of a run without one are not shown.
    show_faces : bool
        Show pictures even of real people.
    show_ids : bool
        Keep ids in the table of faces; by default an id that is not a pseudonym is withheld. See
        :func:`audit.with_ids`.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    RunError
        If the folder contains a run, or a file to be replaced was not written by this tool.
    """
    home = Path(folder)
    if (home / "manifest.json").exists():
        raise RunError(
            f"{folder} contains a run.", "a folder for the comparison alone", "Choose another folder for -o."
        )
    home.mkdir(parents=True, exist_ok=True)
    if not show_ids:
        comparison = replace(comparison, given=withheld(comparison.given))
    letters = [str(run["letter"]) for run in comparison.runs]
    places = {letter: None if place is None else Path(place) for letter, place in zip(letters, runs, strict=False)}
    page = to_html(comparison, places, show_faces=show_faces)
    files = {Comparison.FILE: comparison.to_json(), **csv_tables(comparison), PAGE: page}
    write_files(home, files, instead_of=(TABLES,))
    return home / PAGE


def to_html(comparison: Comparison, runs: Mapping[str, Path | None], *, show_faces: bool = False) -> str:
    """The page's text."""
    first, *others = comparison.runs
    speakers, clips = (counted(_number(first, f"n_{noun}s"), noun) for noun in ("speaker", "clip"))
    baseline, instrument = name_of(first.get("model")), name_of(first.get("instrument"))
    candidates = ", ".join(f"{run['letter']}: {name_of(run.get('model'))}" for run in others)
    frame = Frame(
        title=f"{candidates} against A: {baseline}",
        eyebrow="Comparison of models that render faces from voices",
        subtitle=f"Baseline A: {baseline}. The same {speakers} and {clips}, read by {instrument}.",
        skip="Skip to who gains and who pays",
        footer="Written only from comparison.json; the same comparison gives the same page.",
        document=Comparison.FILE,
        schema_version=comparison.schema_version,
        digest_of="sha256",
        digest=comparison.content_sha256,
        notices=[clean(notice) for notice in comparison.notices],
    )
    fictional = all(mapping(run.get("cohort")).get("fictional") is True for run in comparison.runs)
    sentences = [clean(sentence) for sentence in comparison.sentences]
    levelled = [sentence for sentence in sentences if sentence.startswith("Levelling down")]
    letters = [str(run["letter"]) for run in others]
    content = {
        "levelled": levelled[: len(comparison.levelled)],
        "sentences": [sentence for sentence in sentences if not sentence.startswith("Levelling down")],
        "confidence": write_confidence(comparison.settings),
        "runs_table": _runs(comparison),
        "check_tables": [view for letter in letters for view in _checks(comparison, letter)],
        "group_tables": [_metrics(comparison, letter, by_language=False) for letter in letters],
        "language_tables": [_metrics(comparison, letter, by_language=True) for letter in letters],
        "figures": {"slopes": slopes_view(comparison), "pareto": pareto_view(comparison)},
        "gallery": _gallery(comparison, runs, show_faces or fictional),
        "lineage": [(f"{run['letter']}: {name_of(run.get('model'))}", _facts(run)) for run in comparison.runs],
        "settings_facts": [(str(key).capitalize(), clean(str(value))) for key, value in comparison.settings.items()],
    }
    return render_page(frame, numbered_sections(SECTIONS), content, _TEMPLATES, style="comparison.css")


def _gallery(comparison: Comparison, folders: Mapping[str, Path | None], show: bool) -> Gallery:
    """The sample in the table ``faces``: every clip's portrait and its face by every run."""
    letters = [str(run["letter"]) for run in comparison.runs]
    columns = {"portrait": ("portrait", folders.get(letters[0]))}
    columns |= {letter: (f"rendered by {letter}", folders.get(letter)) for letter in letters}
    album, rows = Album(show), records(comparison, "faces")
    groups = [
        (group_name(group), tuple(clip_strip(album, row, columns) for row in where(rows, group=group)))
        for group in values(rows, "group", order_groups)
    ]
    return Gallery(tuple(groups), album)


def _number(run: Mapping[str, object], key: str) -> int:
    value = run.get(key)
    return value if isinstance(value, int) else 0


def _facts(run: Mapping[str, object]) -> list[Fact]:
    return [
        ("Run", (clean(str(run.get("digest"))),)),
        ("Weights of the model", (clean(str(run.get("weights_sha256") or "none")),)),
        ("Cohort", (clean(str(mapping(run.get("cohort")).get("digest"))),)),
        ("Seed", clean(str(run.get("seed")))),
    ]


def _runs(comparison: Comparison) -> TableView:
    columns = (Column("Run"), Column("Model"), Column("Weights"), Column("Speakers", True), Column("Clips", True))
    view = TableView("runs", "The runs; A is the baseline", columns, sortable=False)
    for run in comparison.runs:
        weights = clean(str(run.get("weights_sha256") or ""))[:12] or "none"
        view.rows.append(
            [
                head(str(run["letter"])),
                words(name_of(run.get("model"))),
                code(weights),
                whole(_number(run, "n_speakers")),
                whole(_number(run, "n_clips")),
            ]
        )
    return view


def _columns(*first: str) -> tuple[Column, ...]:
    return (
        *(Column(label) for label in first),
        Column("Baseline", numeric=True),
        Column("Candidate", numeric=True),
        Column("Change", numeric=True, hint="with its interval"),
        Column("For the group"),
        Column("p, adjusted", numeric=True),
    )


def _cells(view: TableView, change: Change) -> list[Cell]:
    values = [
        view.estimate(item.as_dict(), item.unit, item.signed, bare=False, speakers=item is change.change)
        for item in (change.before, change.after, change.change)
    ]
    word = words(str(BADGES[change.word])) if change.word in BADGES else dash()
    return [*values, word, p_value(change.p_adjusted)]


def _checks(comparison: Comparison, letter: str) -> list[TableView]:
    """A table for every check, its headline first."""
    views = {}
    for change in comparison.checks:
        if change.candidate != letter:
            continue
        if change.headline:
            caption = f"{change.figure}, {letter} against A: {clean(change.told)}"
            views[change.figure] = TableView(
                f"{change.figure}-{letter}".lower(), caption, _columns("Group"), sortable=False
            )
        view, group = views[change.figure], group_name(change.group)
        lead = "worst change: " if change.worst_of_groups else "headline: "
        label = f"{lead}{group}" if change.headline else group
        view.rows.append([head(label), *_cells(view, change)])
    return list(views.values())


def _metrics(comparison: Comparison, letter: str, *, by_language: bool) -> TableView:
    name, caption = ("languages", "group and language") if by_language else ("groups", "group")
    defined = MetricDefinitions.of(comparison)
    columns = _columns("Metric", "Group", *(["Language"] if by_language else []))
    view = TableView(f"{name}-{letter.lower()}", f"{letter} against A: metrics by {caption}", columns)
    for change in comparison.metrics:
        if change.candidate != letter or (change.language != ALL) != by_language:
            continue
        language = [words(language_name(change.language))] if by_language else []
        first = [head(defined.label(change.figure)), words(group_name(change.group)), *language]
        view.rows.append([*first, *_cells(view, change)])
    return view
