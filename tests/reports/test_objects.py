"""Objects in a terminal, in a notebook, as frames, as LaTeX and on matplotlib axes; runs given in any form."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import audit
from audit.audits.audit_like import as_audit
from audit.core.arrays import Picture
from audit.core.plan import MeasureSettings
from audit.core.shown import PROVIDED
from audit.instruments.protocol import Reading
from audit.runs.run_like import as_run, folder_of
from tests.fakes import ColourInstrument, LoudnessModel
from tests.report_fixture import fictional_audit, hostile_audit

TRUTH = {"groups": ["asian", "white"], "speakers_per_group": 6, "languages": ["en", "zh"]}
QUICK = MeasureSettings(resamples=200, intersect=(), slice_depth=1)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> audit.Run:
    return audit.simulate(TRUTH, out=tmp_path_factory.mktemp("simulated") / "run")


@pytest.fixture(scope="module")
def measured(run: audit.Run) -> audit.Audit:
    return audit.measure(run, settings=QUICK)


@pytest.fixture(scope="module")
def compared(measured: audit.Audit) -> audit.Comparison:
    worse = audit.simulate(TRUTH | {"rendered": {"asian": {"en": {"white": 0.9}}}})
    return audit.compare(measured, worse, settings=QUICK)


@pytest.fixture(scope="module")
def objects(run: audit.Run, measured: audit.Audit, compared: audit.Comparison) -> dict[str, object]:
    found = measured.finding("S2F001")
    cohort = audit.Cohort.read(audit.embedded("synthetic_bilingual"))
    made = [run, measured, found, found.estimate, compared, audit.gate(measured), cohort, measured.tables["groups"]]
    return {type(thing).__name__: thing for thing in made}


def test_every_provided_function_exists_in_the_layer_of_reports() -> None:
    for name, module in PROVIDED.items():
        assert module.startswith("audit.reports.") and callable(getattr(import_module(module), name))


def test_a_repr_is_one_line_with_names_sizes_and_outcomes(objects: dict[str, object]) -> None:
    for name, thing in objects.items():
        text = repr(thing)
        assert text.startswith(f"<{name} ") and len(text) <= 120 and text.isprintable(), text
    assert repr(objects["Run"]) == "<Run simulated on simulated: 12 speakers, 24 clips, complete, in run>"
    assert "12 speakers, 24 clips; " in repr(objects["Audit"]) and "inconclusive" in repr(objects["Audit"])
    long = fictional_audit(model="x\n\x1b[2J" * 200)
    assert len(repr(long)) <= 120 and repr(long).isprintable()


class Tags(HTMLParser):
    """The tags of a text, which must be closed in order, and its attributes that load something."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.loads: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href") and (value or "#")[:1] != "#"]
        assert not any(name.startswith("on") for name, _ in attrs)


def test_cards_are_standalone_and_escaped(objects: dict[str, object]) -> None:
    for thing in objects.values():
        html = thing._repr_html_()  # type: ignore[attr-defined]  # what notebooks call
        tags = Tags(html)
        assert tags.loads == [] and not {"script", "img", "iframe", "link"} & {*tags.found}
        assert "@import" not in html and "url(h" not in html and 'role="group"' in html
    hostile = hostile_audit("<script>alert(1)</script>\u202e")._repr_html_()
    assert "script" not in Tags(hostile).found and "\u202e" not in hostile


def test_the_card_of_an_audit_has_every_verdict_and_a_chart(measured: audit.Audit) -> None:
    html = measured._repr_html_()
    assert all(finding.code in html and finding.title.replace("'", "&#39;") in html for finding in measured.findings)
    assert 'role="img" aria-label="All languages, read as the own group' in html
    for dark in ('data-jp-theme-light="false"', "vscode-dark", "prefers-color-scheme:dark"):
        assert dark in html
    assert set(re.findall(r"var\((--f-[\w-]+)\)", html)) <= set(re.findall(r"(--f-[\w-]+):", html))


def test_the_frame_of_findings_has_the_interval_of_the_report() -> None:
    made = fictional_audit()
    frame = made.findings_frame()
    assert [*frame] == [
        *("code", "grouping", "title", "outcome", "group", "value", "low", "high", "unit", "n_speakers", "p"),
        "p_adjusted",
    ]
    first = frame.iloc[0]
    assert (first["code"], first["outcome"], first["unit"], first["n_speakers"]) == ("S2F001", "shown", "share", 24)
    head = made.finding("S2F001").estimate
    assert head is not None and (first["low"], first["high"]) == head.deciding
    assert frame["value"].isna().tolist() == [False, False, False, True, False]
    assert len(audit.Audit(made.run, made.settings, (), {}).findings_frame()) == 0


def test_latex_has_numbers_as_in_the_report_and_escapes_texts() -> None:
    made = fictional_audit()
    found = replace(made.findings[0], title="50% & more_", grouping="a_b")
    text = replace(made, findings=(found,)).to_latex()
    assert r"50\% \& more\_" in text and r"by a\_b" in text and "+71 points [+57, +85]" in text
    assert "−" not in text and r"\toprule" in text
    assert r"92\% [80, 100]" in measured_table(made)
    with pytest.raises(KeyError, match="rendered_as"):
        made.to_latex("rendered")


def measured_table(made: audit.Audit) -> str:
    """The table of disparities with typed columns, as LaTeX."""
    from audit.audits.table import Column, estimate_columns

    frame = made.tables["disparities"].frame[["metric", "value", "low", "high", "n_speakers", "n_clips", "n_missing"]]
    columns = (Column("metric", "metric"), *estimate_columns("metric")[:-1])
    table = audit.Table("Disparities", "", frame.head(1), columns)
    return replace(made, tables={**made.tables, "short": table}).to_latex("short")


def test_a_run_an_audit_and_a_path_are_alike(run: audit.Run, measured: audit.Audit, tmp_path: Path) -> None:
    assert run.folder is not None
    measured.write(run.folder)
    read = audit.Audit.read(run.folder)
    given: list[audit.Run | audit.Audit | Path] = [run, read, run.folder]
    assert {folder_of(each) for each in given} == {run.folder}
    assert {as_run(each).digest for each in given} == {run.digest}
    again = audit.measure(read, settings=QUICK, with_tables=False)
    assert again.findings == read.findings and again.measured_run().digest == run.digest
    compared = audit.compare(read, run.folder, settings=QUICK)
    assert [each["digest"] for each in compared.runs] == [run.digest] * 2 and compared.folders == (run.folder,) * 2
    assert audit.gate(read).exit_code == audit.gate(run.folder).exit_code
    assert as_audit(run).content_sha256 == as_audit(run.folder).content_sha256 == measured.content_sha256
    with pytest.raises(audit.RunError, match="did not keep its faces"):
        audit.labelling_sheet(read, tmp_path / "sheet")


def test_what_has_no_run_says_so(measured: audit.Audit, tmp_path: Path) -> None:
    with pytest.raises(audit.RunError, match="does not know its run"):
        audit.compare(audit.Audit.from_json(measured.to_json()), measured)
    with pytest.raises(audit.RunError, match="DataFrame is not a run"):
        audit.measure(measured.frame())  # type: ignore[arg-type]
    with pytest.raises(audit.RunError, match="in memory only"):
        audit.track(audit.simulate(TRUTH))
    measured.write(tmp_path)
    with pytest.raises(audit.RunError, match="has no manifest.json"):
        audit.measure(audit.Audit.read(tmp_path))


def test_documents_write_their_pages(measured: audit.Audit, compared: audit.Comparison, tmp_path: Path) -> None:
    page = measured.write_report(tmp_path / "audit")
    assert page.name == "report.html" and audit.Audit.read(tmp_path / "audit").findings == measured.findings
    stored = compared.write(tmp_path / "compared")
    assert stored.name == "comparison.json" and (tmp_path / "compared" / "comparison.html").is_file()
    assert audit.Comparison.read(tmp_path / "compared").content_sha256 == compared.content_sha256
    decided = audit.gate(measured)
    assert decided.write_report(tmp_path / "gate").read_text().startswith("## ")
    assert audit.Decision.read(tmp_path / "gate").exit_code == decided.exit_code


def test_charts_are_drawn_on_given_axes_without_pyplot(measured: audit.Audit, compared: audit.Comparison) -> None:
    before = plt.get_fignums()
    ax = Figure().subplots()
    assert audit.plot.findings(measured, ax=ax) is ax
    assert {text.get_text() for text in ax.texts} >= {finding.code for finding in measured.findings}
    assert audit.plot.stages(measured, language="en", ax=Figure().subplots()).get_title("left").endswith("English")
    assert audit.plot.disparity(measured, "gender_right", ax=Figure().subplots()).get_title("left")
    assert audit.plot.comparison(compared, "asian", ax=Figure().subplots()).get_legend() is not None
    assert plt.get_fignums() == before
    alone = audit.plot.pareto(compared)
    assert [plt.figure(number) for number in plt.get_fignums() if number not in before] == [alone.figure]
    plt.close(alone.figure)


def test_a_chart_that_is_not_there_is_named(measured: audit.Audit) -> None:
    with pytest.raises(audit.AuditError, match="no chart 'stages-fr'.*stages-en"):
        audit.plot.stages(measured, language="fr", ax=Figure().subplots())
    with pytest.raises(audit.AuditError, match="did you mean 'gender_right'"):
        audit.plot.disparity(measured, "gender_rihgt", ax=Figure().subplots())


class ThreeFeatures(ColourInstrument):
    """A fake with three similarity models: the two default ones, and a third-party one."""

    similarity_models = ("FaceRes", "SFace", "Lab")

    def read(self, pictures: Sequence[Picture]) -> list[Reading]:
        turned = [(reading, reading.embeddings.get("FakeFace")) for reading in super().read(pictures)]
        return [
            reading
            if feature is None
            else replace(
                reading, embeddings={name: np.roll(feature, i) for i, name in enumerate(self.similarity_models)}
            )
            for reading, feature in turned
        ]


def test_a_third_similarity_model_is_in_tables_and_charts(make_cohort: Callable[..., Path], tmp_path: Path) -> None:
    cohort = audit.Cohort.read(make_cohort(12))
    made = audit.run(cohort, model=LoudnessModel(), instrument=ThreeFeatures(), out=tmp_path / "run")
    result = audit.measure(made, settings=QUICK)
    page = result.write_report(tmp_path / "run").read_text(encoding="utf-8")
    metrics, drawn = {*result.frame()["metric"]}, audit.plot.charts(result)
    for model in ("faceres", "sface", "lab"):
        assert {f"similarity_{model}", f"similarity_over_impostor_{model}", f"identification_{model}"} <= metrics
        assert f"identification-{model}" in drawn and f"Identification, {model}" in page
        assert (tmp_path / "run" / "figures" / f"similarity-over-impostor-{model}.svg").is_file()
