"""Suppression is complete: no hidden figure is written anywhere, none can be computed, and no text is left empty."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import audit
from audit.audits.privacy.findings import hidden_figures, quotes
from audit.audits.privacy.small_cells import SmallCells
from audit.checks.figure import Figure
from audit.core.plan import MeasureSettings
from audit.core.units import write_interval, write_value
from audit.reports import write_report
from tests.audits.test_safety_sharing import sizes


def figures(made: audit.Audit) -> Iterator[tuple[str, Figure]]:
    """Every figure of the findings, by a name that is unique in the audit."""
    for finding in made.findings:
        name = f"{finding.code} {finding.grouping}"
        worst = finding.worst_cell
        cells = () if worst is None else (worst.figure, *worst.others)
        yield from ((f"{name} {key}", figure) for key, figure in finding.estimates.items())
        yield from ((f"{name} cell {place}", figure) for place, figure in enumerate(cells))
        if finding.estimate is not None:
            yield name, finding.estimate


def written(figure: Figure) -> set[str]:
    """A figure as files write it; short numbers, which are met by chance, only with their interval."""
    if figure.value is None:
        return set()
    ends = [each for each in ((figure.low, figure.high), figure.alone) if each is not None and None not in each]
    found = {
        f"{write_value(figure.value, figure.unit, sign)} {write_interval(*each, figure.unit, sign)}"
        for sign in (True, False)
        for each in ends
    }
    numbers = [number for number in (figure.value, *sum(ends, ())) if number is not None]
    return found | {repr(float(number)) for number in numbers if len(repr(float(number))) > 12}


@pytest.mark.parametrize("below", [5, 10])
def test_no_hidden_figure_is_in_any_file_and_no_sentence_is_empty(tmp_path: Path, below: int) -> None:
    run = sizes(asian=3, black=9, white=12, indian=12)
    whole, told = (audit.measure(run, settings=MeasureSettings(suppress_below=n)) for n in (0, below))
    told.write(tmp_path)
    write_report(told, tmp_path)
    seen = dict(figures(told))
    hidden = {name: figure for name, figure in figures(whole) if seen[name].value is None and figure.value is not None}
    assert len(hidden) > 20, "something is hidden"
    shown = set().union(*map(written, seen.values()))
    # another cell may have the same figure, such as none of nine: what the other tables of the whole audit say
    texts = [
        " ".join(html.unescape(re.sub("<[^>]+>", "", path.read_text(encoding="utf-8"))).split())
        for path in tmp_path.rglob("*")
        if path.suffix in (".html", ".md", ".svg", ".json")
    ]
    small = ("asian", "black")
    for name, figure in hidden.items():
        for form in written(figure) - shown:
            rows = [
                text[max(0, at.start() - 60) : at.end()] for text in texts for at in re.finditer(re.escape(form), text)
            ]
            assert not [row for row in rows if any(group in row for group in small)], f"{name}: {form}"
    for finding in told.findings:
        assert finding.sentence and finding.reason and finding.would_change
        assert finding.estimate is None or finding.estimate.value is not None or "[" not in finding.sentence
    page = html.unescape((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert re.search("S2F003 .{,400}figures are suppressed: fewer than", " ".join(re.sub("<[^>]+>", " ", page).split()))
    assert not re.search(r"\): *</dd>", page), "no check is followed by nothing"


def share(value: float, n: int, *, name: str = "own", kind: str = "rate", **known: object) -> Figure:
    return Figure(value, value - 0.1, value + 0.1, n, n, 0, "exact", name=name, unit="share", kind=kind, **known)  # type: ignore[arg-type]


def test_a_figure_from_which_a_hidden_one_could_be_computed_is_hidden_too() -> None:
    few, small = SmallCells(5), {"own": share(0.5, 3, group="asian")}
    assert hidden_figures(small, few) == {"own"}
    gap = share(0.2, 40, name="gap", kind="difference", group="asian")
    assert hidden_figures({**small, "gap": gap}, few) == {"own", "gap"}, "own is gap plus others"
    groups = {group: share(0.5, n, group=group) for group, n in (("asian", 3), ("black", 9), ("white", 8))}
    assert hidden_figures({**groups, "all": share(0.5, 20)}, few) == {"asian", "white"}, (
        "asian is the total less others"
    )
    by_language = {code: share(0.5, n, group="asian", language=code) for code, n in (("en", 9), ("es", 7), ("zh", 4))}
    assert hidden_figures(by_language, few) == {"es", "zh"}
    two = share(0.2, 40, name="gap", kind="difference", group="asian", n_smaller=4)
    assert hidden_figures({"gap": two}, few) == {"gap"}, "four speakers against thirty-six"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("asian 50% [40, 60] and black 20% [10, 30].", True),
        ("The interval from 0.400 to 0.600 lies beyond the margin.", True),
        ("50% of asian speakers; of black ones 20%.", True),
        ("Not estimable: 7 speakers, at least 10 needed.", True),
        ("black 20% [10, 30]; asian: not known.", False),
        ("50% of black speakers.", False),
        ("17 speakers.", False),
        ("", False),
    ],
)
def test_a_text_that_quotes_a_figure_is_known_by_its_numbers(text: str, found: bool) -> None:
    assert quotes(text, [share(0.5, 7, group="asian")]) is found
