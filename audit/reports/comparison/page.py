"""The comparison's page: one standalone HTML file in the look of the report, JSON and tables beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from audit.audits.privacy.sharing import withheld
from audit.comparisons.changes import WORDS, Change
from audit.comparisons.check_changes import HELD_TOGETHER
from audit.comparisons.comparison import COMPARISON, Comparison
from audit.core.clean_text import clean
from audit.core.errors import RunError
from audit.core.written_files import write_files
from audit.reports.comparison.panels import pareto_view, slopes_view
from audit.reports.comparison.strips import strips
from audit.reports.html.csv_tables import TABLES, csv_tables
from audit.reports.html.identity import Fact, name_of
from audit.reports.html.records import mapping
from audit.reports.html.standalone import Section, page_environment
from audit.reports.html.tabular import Cell, Column, TableView, code, head, whole, words
from audit.reports.html.texts import fill, read_texts
from audit.reports.html.wording import (
    counted,
    estimate_unit,
    group_name,
    language_name,
    metric_name,
    metric_unit,
    write_confidence,
)
from audit.stats import ALL

PAGE: Final = "comparison.html"
_HERE: Final = Path(__file__).parent
SECTIONS: Final = ("changed", "compared", "slopes", "pareto", "checked", "groups", "strips", "lineage")


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
        All that the page says; nothing else is read but the strips' pictures.
    folder : str or Path
        The comparison's folder; tables of an earlier comparison in it are removed, other files left alone.
    runs : sequence of str, Path or None
        The folder of each run, in the comparison's order; without one, a run's pictures are not shown.
    show_faces : bool
        Show pictures even where they are of real people.
    show_ids : bool
        Leave the table of faces as it is; without it an id that is no pseudonym is withheld. See
        :func:`audit.with_ids`.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    RunError
        If the folder is that of a run, whose tables would be replaced, or a file in the way was not written by this
        tool.
    """
    home = Path(folder)
    if (home / "manifest.json").exists():
        raise RunError(f"{folder} holds a run.", "a folder for the comparison alone", "Choose another folder for -o.")
    home.mkdir(parents=True, exist_ok=True)
    if not show_ids:
        comparison = replace(comparison, given=withheld(comparison.given))
    letters = [str(run["letter"]) for run in comparison.runs]
    places = {letter: None if place is None else Path(place) for letter, place in zip(letters, runs, strict=False)}
    page = to_html(comparison, places, show_faces=show_faces)
    files = {COMPARISON: comparison.to_json(), **csv_tables(comparison), PAGE: page}
    write_files(home, files, instead_of=(TABLES,))
    return home / PAGE


def to_html(comparison: Comparison, runs: Mapping[str, Path | None], *, show_faces: bool = False) -> str:
    """The page's text."""
    texts = read_texts(_HERE)
    style = (_HERE / "templates" / "comparison.css").read_text(encoding="utf-8")
    environment = page_environment(texts, templates=_HERE / "templates", style=style)
    context = _context(comparison, runs, texts, show_faces)
    return environment.get_template("report.html.jinja").render(context)


def _context(
    comparison: Comparison, runs: Mapping[str, Path | None], texts: dict[str, Any], show_faces: bool
) -> dict[str, object]:
    first, *others = comparison.runs
    fictional = all(mapping(run.get("cohort")).get("fictional") is True for run in comparison.runs)
    pictures = strips(comparison, runs, show_faces or fictional)
    levelled = len(comparison.levelled)
    told = [clean(sentence) for sentence in comparison.sentences]
    speakers, clips = (counted(_number(first, f"n_{noun}s"), noun) for noun in ("speaker", "clip"))
    baseline = name_of(first.get("model"))
    candidates = ", ".join(f"{run['letter']}: {name_of(run.get('model'))}" for run in others)
    count = counted(pictures.withheld, "picture") + (" is" if pictures.withheld == 1 else " are")
    by_letter = [str(run["letter"]) for run in others]
    return {
        "title": fill(texts["page"]["title"], candidates=candidates, baseline=f"A: {baseline}"),
        "subtitle": fill(
            texts["page"]["subtitle"],
            baseline=baseline,
            speakers=speakers,
            clips=clips,
            instrument=name_of(first.get("instrument")),
        ),
        "schema_version": comparison.schema_version,
        "digest": hashlib.sha256(comparison.to_json().encode()).hexdigest(),
        "complete": True,
        "notices": [clean(notice) for notice in comparison.notices],
        "sections": [Section(name, i, texts[name]["heading"]) for i, name in enumerate(SECTIONS, 1)],
        "levelled": [sentence for sentence in told if sentence.startswith("Levelling down")][:levelled],
        "sentences": [sentence for sentence in told if not sentence.startswith("Levelling down")],
        "words": WORDS,
        "confidence": write_confidence(comparison.settings),
        "runs_table": _runs(comparison),
        "check_tables": [view for letter in by_letter for view in _checks(comparison, letter, texts)],
        "group_tables": [_metrics(comparison, letter, texts, by_language=False) for letter in by_letter],
        "language_tables": [_metrics(comparison, letter, texts, by_language=True) for letter in by_letter],
        "figures": {
            "slopes": slopes_view(comparison, texts["slopes"]["caption"]),
            "pareto": pareto_view(comparison, texts["pareto"]["caption"]),
        },
        "strips": pictures,
        "withheld_note": fill(texts["strips"]["withheld"], count=count) if pictures.withheld else "",
        "lineage": [(f"{run['letter']}: {name_of(run.get('model'))}", _facts(run)) for run in comparison.runs],
        "settings_facts": [(str(key).capitalize(), clean(str(value))) for key, value in comparison.settings.items()],
    }


def _number(run: Mapping[str, object], key: str) -> int:
    value = run.get(key)
    return value if isinstance(value, int) else 0


def _facts(run: Mapping[str, object]) -> list[Fact]:
    return [
        ("Run", (clean(str(run.get("digest"))),)),
        ("Weights of the model", (clean(str(run.get("weights_sha256") or "none of its own")),)),
        ("Cohort", (clean(str(mapping(run.get("cohort")).get("digest"))),)),
        ("Seed", clean(str(run.get("seed")))),
    ]


def _runs(comparison: Comparison) -> TableView:
    columns = (Column("Run"), Column("Model"), Column("Weights"), Column("Speakers", True), Column("Clips", True))
    view = TableView("runs", "The runs; A is the baseline", columns, sortable=False)
    for run in comparison.runs:
        weights = clean(str(run.get("weights_sha256") or ""))[:12] or "none of its own"
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
        Column("For them"),
        Column("p, adjusted", numeric=True),
    )


def _cells(view: TableView, change: Change, unit: str, texts: dict[str, Any], signed: bool) -> list[Cell]:
    values = [
        view.estimate(item.as_dict(), unit, signed or i == 2, bare=False, speakers=i == 2)
        for i, item in enumerate((change.before, change.after, change.change))
    ]
    told = texts["outcomes"].get(change.word)
    word = words(f"{told['symbol']} {told['name']}") if told else Cell("\N{EN DASH}")
    p = change.p_adjusted
    small = "<0.001" if p is not None and p < 0.001 else "" if p is None else f"{p:.3f}"
    return [*values, word, Cell(small or "\N{EN DASH}", sort="" if p is None else repr(p), kind="number")]


def _checks(comparison: Comparison, letter: str, texts: dict[str, Any]) -> list[TableView]:
    """A table for every check, its headline first."""
    views = {}
    for change in comparison.checks:
        if change.candidate != letter:
            continue
        if change.headline:
            caption = fill(texts["checked"]["caption"], letter=letter, code=change.figure, told=clean(change.told))
            views[change.figure] = TableView(
                f"{change.figure}-{letter}".lower(), caption, _columns("Group"), sortable=False
            )
        view, group = views[change.figure], group_name(change.group)
        lead = "worst change: " if change.figure in HELD_TOGETHER else "headline: "
        whom = f"{lead}{group}" if change.headline else group
        unit = estimate_unit(change.figure, "")
        view.rows.append([head(whom), *_cells(view, change, unit, texts, signed=True)])
    return list(views.values())


def _metrics(comparison: Comparison, letter: str, texts: dict[str, Any], *, by_language: bool) -> TableView:
    name, key = ("languages", "language_caption") if by_language else ("groups", "caption")
    columns = _columns("Metric", "Group", *(["Language"] if by_language else []))
    view = TableView(f"{name}-{letter.lower()}", fill(texts["groups"][key], letter=letter), columns)
    for change in comparison.metrics:
        if change.candidate != letter or (change.language != ALL) != by_language:
            continue
        language = [words(language_name(change.language))] if by_language else []
        first = [head(metric_name(change.figure)), words(group_name(change.group)), *language]
        view.rows.append([*first, *_cells(view, change, metric_unit(change.figure), texts, signed=False)])
    return view
