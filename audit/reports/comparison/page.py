"""The page of a comparison: one standalone HTML file, with JSON and tables in the same folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from audit.audits.privacy.pictures import ShownPictures
from audit.audits.privacy.sharing import withheld
from audit.checks.figure import Figure
from audit.comparisons.changes import FAMILY, Change
from audit.comparisons.comparison import Comparison
from audit.comparisons.sentences import levelling_words, not_compared_words
from audit.core.addresses import local_path
from audit.core.errors import RunError
from audit.core.grouping import GROUP
from audit.core.language_names import language_name
from audit.core.vocabulary import STAGES
from audit.core.written_files import write_files
from audit.reports.comparison.harms import candidates
from audit.reports.comparison.panels import pareto_view, slopes_view
from audit.reports.html.badges import BADGES
from audit.reports.html.csv_tables import TABLES, csv_tables
from audit.reports.html.gallery import Open, gallery
from audit.reports.html.identity import Fact, fictional, name_of
from audit.reports.html.page import Page, Section
from audit.reports.html.records import MetricDefinitions, count, mapping, records
from audit.reports.html.tabular import DASH, Cell, Column, TableView, code, estimate, head, p_value, whole, words
from audit.reports.html.wording import file_stem, group_name, sizes, write_confidence
from audit.runs.run_like import RunLike
from audit.stats import ALL

Run = Mapping[str, object]

PAGE: Final = "comparison.html"
_TEMPLATES: Final = Path(__file__).parent / "templates"
SECTIONS: Final = {
    "changed": "What became better and worse, and for whom",
    "gains": "Who gains and who pays, by metric",
    "not_answered": "What this comparison does not answer",
    "slopes": "Group by group, from model to model",
    "pareto": "Quality and the worst group",
}
"""The main part, of at most 12 printed pages."""
APPENDIX: Final = {
    "compared": "The runs",
    "checked": "Every check",
    "groups": "Every group",
    "numbers": "The numbers of the charts",
    "strips": "The same speakers by every model",
    "lineage": "Sources and settings",
}
"""The appendix, with every table."""


def write_comparison(
    comparison: Comparison,
    folder: str | Path,
    runs: Sequence[RunLike | None] = (),
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
    runs : sequence of Run, Audit, path or None
        Each run, or its folder, in the comparison's order; pictures of a run without one are not shown.
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
    home = local_path(folder, "The folder of a comparison")
    if (home / "manifest.json").exists():
        raise RunError(
            f"{folder} contains a run.", "a folder for the comparison alone", "Choose another folder for -o."
        )
    home.mkdir(parents=True, exist_ok=True)
    letters = [str(run["letter"]) for run in comparison.runs]
    places = {letter: place for letter, place in zip(letters, runs, strict=False) if place is not None}
    page = to_html(comparison, places, show_faces=show_faces, show_ids=show_ids)
    if not show_ids:
        comparison = replace(comparison, given=withheld(comparison.given))
    files = {Comparison.FILE: comparison.to_json(), **csv_tables(comparison), PAGE: page}
    write_files(home, files, instead_of=(TABLES,))
    return home / PAGE


def to_html(
    comparison: Comparison, runs: Mapping[str, RunLike], *, show_faces: bool = False, show_ids: bool = False
) -> str:
    """The page's text."""
    first, *others = comparison.runs
    baseline, instrument = name_of(first.get("model")), name_of(first.get("instrument"))
    others_named = ", ".join(f"{run['letter']}: {name_of(run.get('model'))}" for run in others)
    found = candidates(comparison)
    levelled = [levelling_words(item) for item in comparison.levelled]
    verdicts = [
        *(f"Levelling down in {letter}." for letter in dict.fromkeys(item.candidate for item in comparison.levelled)),
        *(view.tally for view in found if view.tally),
        f"The same {' and '.join(sizes(first))}, read by {instrument}.",
    ]
    page = Page(
        comparison,
        title=f"{others_named} against A: {baseline}",
        eyebrow="Comparison of models that render faces from voices",
        subtitle=" ".join(verdicts),
        skip="Skip to what became better and worse",
        footer="Written only from comparison.json; the same comparison gives the same page.",
        sections={name: Section(title) for name, title in SECTIONS.items()}
        | {name: Section(title, appendix=True) for name, title in APPENDIX.items()},
        templates=_TEMPLATES,
        style="comparison.css",
        notices=comparison.notices,
    )
    letters = [str(run["letter"]) for run in others]
    clips = records(comparison, "faces")
    opens = _opens(runs, [str(clip["clip_id"]) for clip in clips])
    pictures = {"portrait": ("portrait", opens.get(("A", "portrait")))}
    pictures |= {letter: (f"rendered by {letter}", opens.get((letter, "rendered"))) for letter in ("A", *letters)}
    told = {*levelled, *not_compared_words(comparison.not_compared)}
    told |= {view.tally for view in found}
    told |= {harm.sentence(comparison.confidence) for harm in comparison.harms}
    show = show_faces or all(map(fictional, comparison.runs))
    pareto = pareto_view(comparison)
    content = {
        "levelled": levelled,
        "candidates": found,
        "sentences": [sentence for sentence in comparison.sentences if sentence not in told],
        "not_compared": comparison.not_compared,
        "family": FAMILY,
        "confidence": write_confidence(comparison.settings),
        "runs_table": _runs(comparison),
        "check_tables": [view for letter in letters for view in _checks(comparison, letter)],
        "group_tables": [_metrics(comparison, letter, by_language=False) for letter in letters],
        "language_tables": [_metrics(comparison, letter, by_language=True) for letter in letters],
        "figures": {"slopes": slopes_view(comparison), "pareto": replace(pareto, tables=())},
        "has_bare_dot": pareto.has_bare_dot,
        "numbers": pareto.tables,
        "gallery": gallery(clips, pictures, show, show_ids),
        "lineage": [(f"{run['letter']}: {name_of(run.get('model'))}", _facts(run)) for run in comparison.runs],
        "settings_facts": [(str(key).capitalize(), str(value)) for key, value in comparison.settings.items()],
    }
    return page.html(content)


def _opens(runs: Mapping[str, RunLike], clips: Sequence[str]) -> dict[tuple[str, str], Open]:
    """What opens the pictures of these clips, by letter and stage; their pseudonyms are those of the baseline."""
    if "A" not in runs:
        return {}
    baseline = ShownPictures(runs["A"], clips)
    kept = {letter: ShownPictures(run, clips, named_by=baseline) for letter, run in runs.items()} | {"A": baseline}
    return {(letter, stage): partial(of.open, stage=stage) for letter, of in kept.items() for stage in STAGES}


def _facts(run: Mapping[str, object]) -> list[Fact]:
    return [
        ("Run", (str(run.get("digest")),)),
        ("Weights of the model", (str(run.get("weights_sha256") or "none"),)),
        ("Cohort", (str(mapping(run.get("cohort")).get("digest")),)),
        ("Seed", str(run.get("seed"))),
    ]


def _runs(comparison: Comparison) -> TableView:
    columns = (
        Column[Run]("Run", lambda run: head(str(run["letter"]))),
        Column[Run]("Model", lambda run: words(name_of(run.get("model")))),
        Column[Run]("Weights", lambda run: code(str(run.get("weights_sha256") or "")[:12] or "none")),
        Column[Run]("Speakers", lambda run: whole(count(run, "n_speakers") or 0), numeric=True),
        Column[Run]("Clips", lambda run: whole(count(run, "n_clips") or 0), numeric=True),
    )
    return TableView.of("runs", "The runs; A is the baseline", columns, comparison.runs, sortable=False)


def _shown(figure: Figure, speakers: bool = False) -> Cell:
    return estimate(figure, figure.unit, figure.signed, speakers=speakers)


_CHANGE: Final = (
    Column[Change]("Baseline", lambda change: _shown(change.before), numeric=True),
    Column[Change]("Candidate", lambda change: _shown(change.after), numeric=True),
    Column[Change]("Change", lambda change: _shown(change.change, speakers=True), True, hint="with its interval"),
    Column[Change]("For the group", lambda change: words(str(BADGES[change.word])) if change.word else DASH),
    Column[Change]("p, adjusted", lambda change: p_value(change.p_adjusted), numeric=True),
)
"""The columns of every table of changes."""


def _checks(comparison: Comparison, letter: str) -> list[TableView]:
    """A table for every check, its headline first."""

    def label(change: Change) -> Cell:
        lead = "worst change: " if change.worst_of_groups else "headline: "
        return head((lead if change.headline else "") + group_name(change.group))

    views = []
    changes = [change for change in comparison.checks if change.candidate == letter]
    for headline in (change for change in changes if change.headline):
        check = headline.figure
        by = "" if headline.grouping == GROUP.name else f", by {headline.grouping.replace('_', ' ')}"
        mine = [change for change in changes if (change.figure, change.grouping) == (check, headline.grouping)]
        # a headline that is one group's own change stands for that group's row
        repeats = set() if headline.worst_of_groups else {headline.group}
        rows = [change for change in mine if change is headline or change.group not in repeats]
        views.append(
            TableView.of(
                file_stem(f"{check}-{headline.grouping}-{letter}"),
                f"{check}, {letter} against A: {headline.told}{by}",
                (Column("Group", label), *_CHANGE),
                rows,
                sortable=False,
            )
        )
    return views


def _metrics(comparison: Comparison, letter: str, *, by_language: bool) -> TableView:
    defined = MetricDefinitions.of(comparison)
    columns = [
        Column[Change]("Metric", lambda change: head(defined.label(change.figure))),
        Column[Change]("Group", lambda change: words(group_name(change.group))),
    ]
    name, caption = "groups", "metrics by group"
    if by_language:
        name, caption = "languages", "metrics by group and language"
        columns.append(Column("Language", lambda change: words(language_name(change.language))))
    changes = [
        change
        for change in comparison.metrics
        if change.candidate == letter and (change.language != ALL) == by_language
    ]
    return TableView.of(f"{name}-{letter.lower()}", f"{letter} against A: {caption}", (*columns, *_CHANGE), changes)
