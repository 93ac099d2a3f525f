"""The page: what it says and in which order, what it hides, and that nothing in an audit can break out of it."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import html
import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from audit.core.errors import AuditError
from audit.core.written_files import LIST
from audit.reports import write_report
from audit.reports.html.gallery import thumbnail
from tests.kept_faces import square
from tests.report_fixture import FEW, draw_faces, fictional_audit, hostile_audit

GOLDEN = Path(__file__).parents[1] / "golden" / "report_outline.txt"
FIRST_PAGE = GOLDEN.with_name("report_first_page.txt")
VOID = {"meta", "img", "br", "link", "input", "hr"}
REAL = {**fictional_audit().run["cohort"], "fictional": False}


class Page(HTMLParser):
    """A parsed page: texts by element, every element with its attributes, and whether tags close in order."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.outline: list[str] = []
        self.words: list[str] = []
        self._open: list[tuple[str, str]] = []
        self._heading = ""
        self.source = source
        self.feed(source)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append((tag, dict(attrs).get("class") or ""))

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open and self._open[-1][0] == tag, f"</{tag}> closes {self._open[-3:]}"
        _, style = self._open.pop()
        if tag in ("h1", "h2", "h3") or style in ("sentence", "banner-title"):
            self.outline.append(f"{style or tag}: {' '.join(self._heading.split())}")
            self._heading = ""

    def handle_data(self, data):
        tags = [tag for tag, _ in self._open]
        if "script" in tags or "style" in tags:
            return
        self.words.append(data)
        if {"h1", "h2", "h3"} & set(tags) or {"sentence", "banner-title"} & {style for _, style in self._open}:
            self._heading += data

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def policy(self) -> str:
        policies = (e for e in self.all("meta") if e.get("http-equiv") == "Content-Security-Policy")
        return next(str(e["content"]) for e in policies)

    def check_that_nothing_is_loaded(self) -> None:
        assert self.policy.startswith("default-src 'none'; img-src data:;")
        for tag, attributes in self.elements:
            for name in ("src", "href", "xlink:href", "srcset", "data", "action", "poster"):
                value = str(attributes.get(name) or "#")
                assert value.startswith(("#", "data:image/webp;base64,")), (tag, name, value)
        names = ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink")
        without_names = self.source.replace(names[0], "").replace(names[1], "")
        assert not re.search(r"https?:|@import|url\((?!#)", without_names)


def only(audit, *tables: str):
    """The audit with these tables alone: most of what a page takes is the drawing of its figures."""
    return dataclasses.replace(audit, tables={name: audit.tables[name] for name in tables})


def page_of(audit, folder, **options) -> Page:
    return Page(write_report(audit, folder, **options).read_text(encoding="utf-8"))


def first_page(source: str) -> str:
    """The words of the first page, a line for each paragraph; without the scales of the drawings."""
    section = source.split('<section id="summary"', 1)[1].split(">", 1)[1].split("</section>", 1)[0]
    lines = re.sub(r"</(?:p|li|h2|h3|dt|dd)>", "\n", re.sub(r"<svg.*?</svg>", "", section, flags=re.DOTALL))
    words = [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", line)).split()) for line in lines.split("\n")]
    return re.sub(r"\([0-9a-f]{12}\)", "(digest)", "\n".join(line for line in words if line)) + "\n"


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Page:
    folder = tmp_path_factory.mktemp("run")
    audit = fictional_audit()
    draw_faces(audit, folder)
    return page_of(audit, folder)


def test_headings_and_verdict_sentences_are_those_of_the_golden_file(page):
    assert "\n".join(page.outline) + "\n" == GOLDEN.read_text(encoding="utf-8")


def test_scope_cohort_and_the_instruments_error_come_before_any_result(page):
    ids = [element["id"] for element in page.all("section")]
    assert ids[:6] == ["summary", "front_matter", "scope", "cohort", "instrument", "results"]
    place = ids.index("sign_off")
    assert ids[place - 1 : place + 2] == ["reproduce", "sign_off", "labels"], "the appendix comes last"
    contents = page.source.split("<nav", 1)[1].split("</nav>", 1)[0]
    named = re.findall(r'href="#([^"]+)"', contents)
    assert [name for name in named if name in ids] == ids
    parts = {"stages", "confusion", "intersections", "languages", "together", "attributes"}
    assert set(named) - set(ids) == {"appendix", *parts}


def test_every_table_is_in_the_appendix(page):
    main, appendix = page.source.split('<div id="appendix"')
    assert "<table" not in main and appendix.count("<table") == len(page.all("table")) > 20
    assert re.findall(r'<span class="number">(\w+)</span>', main)[-1].isdecimal()
    assert re.search(r'<span class="number">A1</span>', appendix)


def test_the_first_page_says_who_how_much_how_sure_and_answers_six_questions(page):
    assert first_page(page.source) == FIRST_PAGE.read_text(encoding="utf-8")


def test_the_first_page_has_the_checks_in_the_order_of_the_audit(tmp_path):
    audit = only(fictional_audit())
    turned = dataclasses.replace(audit, findings=audit.findings[::-1])
    source = page_of(turned, tmp_path).source
    checks = re.findall(r'<p class="title"><span class="code">(\w+)</span> <a href="#(check-\d)">', source)
    assert [code for code, _ in checks] == [finding.code for finding in turned.findings]
    for code, place in checks:
        assert code in source.split(f'id="{place}"', 1)[1].split("</p>", 1)[0], "the link leads to its own check"


def test_the_first_page_names_few_of_many_groups_and_counts_the_rest(tmp_path):
    audit = only(fictional_audit(), "disparities", "metric_definitions")
    table = audit.tables["disparities"]
    row = next(r for r in table.frame.to_dict("records") if r["metric"] == "no_face" and r["stage"] == "rendered")
    many = [{**row, "group": f"group {i:02d}", "language": "all", "value": i / 100} for i in range(40)]
    frame = type(table.frame)(many)
    text = page_of(
        dataclasses.replace(audit, tables={**audit.tables, "disparities": dataclasses.replace(table, frame=frame)}),
        tmp_path,
    ).text
    listed = text.split("Clips without a usable rendered face:", 1)[1].split("in the tables", 1)[0]
    assert (
        "group 39 39%" in listed and "group 34 34%" in listed and "group 33" not in listed and "and 34 more" in listed
    )


def test_groups_without_a_value_are_named_on_the_first_page(tmp_path):
    audit = only(fictional_audit(), "disparities", "label_sources", "metric_definitions")
    table = audit.tables["disparities"]
    frame = table.frame.copy()
    few = frame["group"].isin(["black", "unknown"])
    frame.loc[few, ["value", "low", "high", "n_speakers", "n_clips", "n_missing"]] = None

    def page_text(frame, **more):
        tables = audit.tables | {"disparities": dataclasses.replace(table, frame=frame)} | more
        return page_of(dataclasses.replace(audit, tables=tables), tmp_path).text.split("Who decides", 1)[0]

    words = page_text(frame)
    assert "white 0% [0, 5]; not estimable for black, group not known." in words
    assert "white 88% [76, 100]; not estimable for black, group not known." in words
    assert "Speakers of unknown group are never judged right or wrong; their number is withheld." in words
    assert "On rendered faces its error is not known." in words
    words = page_text(frame.assign(value=None), human_readings=audit.tables["label_sources"])
    assert "Clips without a usable rendered face: not estimable for asian, black, white, group not known." in words
    assert "its error is not estimable for asian, black, white, group not known." in words
    assert "On rendered faces" not in words, "people read some of them"
    assert "it could read no portraits" in page_text(frame.assign(value=None, n_speakers=0))


def test_every_link_on_the_page_leads_to_a_place_on_it(page):
    places = {element["id"] for _, element in page.elements if "id" in element}
    links = [str(element["href"]) for element in page.all("a")]
    assert len(links) > 20 and {link.removeprefix("#") for link in links} <= places
    assert len(places) == sum("id" in element for _, element in page.elements), "no id is there twice"


def test_inferred_and_assumed_labels_are_named_on_the_first_page(page):
    assert "These labels were inferred or assumed, not stated by anyone: group assumed." in page.text
    assert "3 speakers of unknown group, never judged right or wrong." in page.text


def test_the_first_page_says_whether_shown_findings_remain_shown_after_adjustment(tmp_path):
    audit = only(fictional_audit())
    for p_adjusted, expected in (
        (0.05, "All shown findings remain shown"),
        (0.06, "Of these, not shown after adjustment for the number of checks (Holm): S2F001"),
    ):
        first = dataclasses.replace(audit.findings[0], p_value=0.01, p_adjusted=p_adjusted)
        text = page_of(dataclasses.replace(audit, findings=(first, *audit.findings[1:])), tmp_path).text
        assert expected in text


def test_every_verdict_shows_its_estimate_with_interval_margin_and_count(page):
    for words in ("+71 points [+57, +85]", "margin 10 points", "24 speakers, 48 clips", "1 clip could not be read"):
        assert words in page.text
    labels = [str(element.get("aria-label")) for element in page.all("svg") if element.get("class") == "glyph"]
    assert labels[0] == "+71 points, interval [+57, +85], against a margin of 10 points"
    assert len(labels) == 8, "on the first page and in the results; the check that is not evaluable has nothing to draw"


def test_the_four_outcomes_are_explained_and_never_shown_by_colour_alone(page):
    for name in ("shown", "not shown", "inconclusive", "not evaluable"):
        assert name in page.text
    assert "This is not a pass" in page.text
    assert "One of five harms was found, two were ruled out within their margins, one could not be decided" in page.text


def test_a_null_is_not_estimable_and_says_why(page):
    assert "not estimable" in page.text
    assert FEW in page.text
    assert not re.search(r"\b(nan|None|null|undefined)\b", page.text)


def test_a_synthetic_face_is_read_as_and_never_is(page):
    races = "asian|indian|black|white|middle eastern|latino hispanic"
    assert "A synthetic face has no race." in page.text
    assert not re.search(rf"(?<!that a )\b(face|picture|speaker)s? (is|are) ({races})\b", page.text)


def test_groups_keep_the_vocabularys_order_everywhere(tmp_path):
    audit = fictional_audit()
    for name, table in audit.tables.items():
        audit.tables[name] = dataclasses.replace(table, frame=table.frame.iloc[::-1].reset_index(drop=True))  # type: ignore[index]
    source, found = write_report(audit, tmp_path).read_text(encoding="utf-8"), 0
    for body in re.findall(r"<tbody>(.*?)</tbody>", source, re.DOTALL):
        heads = re.findall(r'<th scope="row"[^>]*>([^<]*)<', body)
        known = [head for head in heads if head in ("asian", "black", "white", "group not known", "all groups")]
        order = sorted(known, key=("asian", "black", "white", "group not known", "all groups").index)
        assert known == order
        found += len(known) > 1
    assert found


def test_an_incomplete_run_says_so_first(tmp_path):
    page = page_of(only(fictional_audit(complete=False)), tmp_path)
    assert page.outline[1] == "banner-title: This run is not complete"
    assert "Do not rely on this report" in page.text


def test_notices_come_before_the_verdicts(page):
    assert page.outline[1] == "banner-title: Read this first"
    assert page.text.index("The model is planted") < page.text.index("One of five harms")


def test_faces_of_real_people_are_withheld_unless_asked_for(tmp_path):
    audit = only(fictional_audit(cohort=REAL), "gallery")
    draw_faces(audit, tmp_path)
    hidden = page_of(audit, tmp_path)
    assert not hidden.all("img")
    assert "47 pictures are withheld" in hidden.text and "--show-faces" in hidden.text
    shown = page_of(audit, tmp_path, show_faces=True)
    assert len(shown.all("img")) == 47
    assert "are withheld" not in shown.text


def test_faces_are_withheld_where_the_cohort_does_not_say_that_it_is_fictional(tmp_path):
    for claim in (None, "yes", 1, "true"):
        audit = only(fictional_audit(cohort={**REAL, "fictional": claim}), "gallery")
        draw_faces(audit, tmp_path)
        assert not page_of(audit, tmp_path).all("img")


@pytest.mark.parametrize("cohort", [REAL, {**REAL, "fictional": True}])
def test_ids_and_details_are_withheld_unless_asked_for(tmp_path, cohort):
    audit = only(fictional_audit(cohort=cohort), "gallery", "failures")
    draw_faces(audit, tmp_path)
    hidden = page_of(audit, tmp_path, show_faces=True).source
    for name in ("asian-0, ", "asian-0,asian-0-en", "black-3", "no face found"):
        assert name not in hidden
        assert not any(name in path.read_text(encoding="utf-8") for path in (tmp_path / "tables").glob("*.csv"))
    shown = page_of(audit, tmp_path, show_ids=True).source
    assert "black-3-en" in shown and "no face found" in shown


def test_fictional_faces_are_shown_side_by_side_with_what_each_was_read_as(page):
    images = page.all("img")
    assert len(images) == 47, "three stages of sixteen clips, one of them not rendered"
    assert images[0]["alt"] == "Portrait, asian speaker, clip in English, read as asian"
    assert all(str(image["src"]).startswith("data:image/webp;base64,") for image in images)


def test_pictures_on_a_page_are_small() -> None:
    data = base64.b64decode(thumbnail(square(0, 128, 128, side=900)).split(",")[1])
    assert Image.open(io.BytesIO(data)).size == (144, 144) and len(data) < 8000


def test_a_picture_that_is_not_the_recorded_one_is_left_out_with_the_reason(tmp_path):
    audit = only(fictional_audit(), "gallery")
    draw_faces(audit, tmp_path)
    first, second, *_ = sorted((tmp_path / "faces").glob("*/*.png"))
    Image.new("RGB", (224, 224)).save(first)
    second.unlink()
    page = page_of(audit, tmp_path)
    assert len(page.all("img")) == 45
    assert "not the picture that the run recorded" in page.text and "file not found" in page.text


HOSTILE = (
    "<script>alert(1)</script>\"><img src=x onerror=alert(1)>' $\\frac{1}{2}$ url(#x) ../../etc/passwd \x00\x1b\u202e",
    "</style></title><!-- {{ 7 * 7 }} {% raw %} {instrument} javascript:alert(1)//" + "long" * 300,
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_anywhere_is_shown_as_text(tmp_path, text):
    audit = hostile_audit(text)
    page = page_of(audit, tmp_path / "run")
    assert len(page.all("script")) == 1
    assert not page.all("img") and not page.all("iframe")
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")]
    visible = re.sub(r"\s+", " ", re.sub("[\x00-\x08\x0e-\x1f\u202e]", "\ufffd", text))
    assert visible in page.text
    written = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.parts[0] for path in written} == {"run"}
    assert {path.name for path in written if path.suffix not in (".html", ".md", ".svg", ".csv")} == {LIST}


def test_text_that_no_encoding_holds_is_made_visible(tmp_path):
    assert "a\ufffdb" in page_of(only(fictional_audit(title="a\ud800b")), tmp_path).text


def test_nothing_is_loaded_from_anywhere(page):
    script = re.search(r"<script>(.*)</script>", page.source, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page.policy and "unsafe-inline" not in page.policy
    assert not [name for _, attributes in page.elements for name in attributes if name == "style"]
    page.check_that_nothing_is_loaded()


def test_style_and_script_are_files_on_request(tmp_path):
    audit = only(fictional_audit())
    source = write_report(audit, tmp_path, assets="static/audit").read_text(encoding="utf-8")
    written = {path.name: path for path in (tmp_path / "static" / "audit").iterdir()}
    assert len(written) == 2
    for name, path in written.items():
        assert f'"static/audit/{name}"' in source
        assert hashlib.sha256(path.read_bytes()).hexdigest()[:12] in name
    assert "<style" not in source and "<script>" not in source and "style=" not in source
    (tmp_path / "static" / "audit" / "mine.css").write_text("p {}")
    whole = write_report(audit, tmp_path).read_text(encoding="utf-8")
    assert "<style>" in whole
    assert [path.name for path in (tmp_path / "static" / "audit").iterdir()] == ["mine.css"]


@pytest.mark.parametrize("folder", ["../elsewhere", "/static", "a/../../b", ".", "a b", "c:static"])
def test_assets_stay_in_the_folder_of_the_page(tmp_path, folder):
    with pytest.raises(AuditError, match=r"cannot be the folder .* Allowed: a folder within that of the page"):
        write_report(only(fictional_audit()), tmp_path, assets=folder)
    assert not list(tmp_path.iterdir())


def test_the_same_audit_gives_the_same_bytes(tmp_path):
    audit = fictional_audit()
    for name in ("one", "two"):
        draw_faces(audit, tmp_path / name)
        write_report(audit, tmp_path / name)
    one, two = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in sorted((tmp_path / name).rglob("*.*"))}
        for name in ("one", "two")
    )
    assert one == two
    assert len(one[Path("report.html")]) < 5_000_000


def test_ids_are_unique_and_every_reference_has_its_target(page):
    ids = [str(attributes["id"]) for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in ("aria-labelledby", "href", "xlink:href"):
            value = attributes.get(name)
            if value and (name == "aria-labelledby" or value.startswith("#")):
                assert value.removeprefix("#") in ids


def test_tables_and_figures_can_be_read_without_seeing_them(page):
    headings = list(page.all("th"))
    assert headings and all(element.get("scope") in ("row", "col", "colgroup") for element in headings)
    assert len(page.all("caption")) == len(page.all("table"))
    panels = [element for element in page.all("div") if element.get("class") == "panel"]
    assert len(panels) == 20
    assert all(element["role"] == "img" and len(str(element["aria-label"])) > 40 for element in panels)


def test_an_audit_without_tables_still_makes_a_page_that_says_what_is_absent(tmp_path):
    audit = fictional_audit(instrument_card=None)
    page = page_of(dataclasses.replace(audit, tables={}), tmp_path)
    assert page.text.count("This audit has no figures for this section.") == 8
    assert "Every clip was read" not in page.text
    assert "This run has no card of the instrument." in page.text


def test_a_figure_split_by_a_further_column_is_not_shown_as_the_whole(tmp_path):
    audit = fictional_audit()
    table = audit.tables["disparities"]
    split = table.frame.assign(gender="woman", value=0.37)
    whole = table.frame.assign(gender="all")
    frame = type(split)(split.to_dict("records") + whole.to_dict("records"))
    changed = dataclasses.replace(
        audit,
        settings={**audit.settings, "by": ["group", "language", "gender"]},
        tables={**audit.tables, "disparities": dataclasses.replace(table, frame=frame, columns=())},
    )
    source = page_of(changed, tmp_path).source
    rows = [row for row in re.findall(r"<tr>.*?</tr>", source, re.DOTALL) if "37%" in row]
    assert rows and all(">woman<" in row for row in rows), "only where the table names the further column"
    assert source.count("37%") == sum(row.count("37%") for row in rows)


def test_the_report_needs_neither_torch_nor_deepface():
    code = "import audit.reports, sys, json; print(json.dumps(sorted({'torch', 'deepface', 'cv2'} & set(sys.modules))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
