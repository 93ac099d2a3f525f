"""Figures: the same bytes each time, sound XML, letters that can be read on every fill, in both colour schemes."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from audit.reports.html.charts import Row, dots, heat, inline
from audit.reports.html.palette import COLOURS, TURN
from audit.reports.html.records import Value
from audit.reports.report.charts import figure_views
from tests.report_fixture import hostile_audit

STAGES = ("portrait", "ceiling", "rendered")


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def sample() -> str:
    marks = {
        "portrait": Value(0.9, 0.8, 0.97, 24),
        "ceiling": Value(0.7, 0.6, 0.8, 24),
        "rendered": Value(None, n_speakers=3),
    }
    return dots("Read <as> $own$ group", [Row("asian & more", marks)], "share", limits=(0, 1), series=STAGES).svg()


def test_a_figure_is_the_same_every_time_and_carries_no_date():
    assert sample() == sample()
    for word in ("<metadata", "matplotlib.org", "dc:date", "<!DOCTYPE"):
        assert word not in sample()


def test_a_null_is_written_as_not_estimable():
    assert "not estimable" in sample()
    rows = [Row("asian\nn = 3", {"read_asian": Value(None), "read_white": Value(0.5, 0.4, 0.6)})]
    columns = {"read_asian": "asian", "read_white": "white"}
    drawn = heat("Portrait", rows, columns, own=[("asian\nn = 3", "read_asian")]).svg()
    texts = [element.text for element in ElementTree.fromstring(drawn).iter() if element.tag.endswith("}text")]
    assert "not esti-" in texts and "50" in texts and "40\u201360" in texts


def test_words_stay_words():
    texts = [element.text for element in ElementTree.fromstring(sample()).iter() if element.tag.endswith("}text")]
    assert "Read <as> $own$ group" in texts


def test_hostile_labels_keep_the_xml_valid():
    for view in figure_views(hostile_audit("<script>x</script> $\\frac{1}{2}$ a\x00b ]]> & \" '")).values():
        for panel in view.panels:
            root = ElementTree.fromstring(panel.svg)
            assert not [element for element in root.iter() if element.tag.endswith("script")]
            ElementTree.fromstring(inline(panel.svg, panel.name))


def test_a_chart_in_the_page_has_the_pages_colours_and_unique_ids():
    body = inline(sample(), "one")
    assert 'id="one-figure_1"' in body and ' id="figure_1"' not in body
    assert "<style" not in body
    for name in ("ink", "portrait", "ceiling"):
        assert f"var(--f-{name})" in body and COLOURS[name][0] not in body


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_numbers_are_legible_on_every_fill(scheme):
    for level in range(11):
        letters = COLOURS["on_fill" if level >= TURN else "ink"][scheme]
        assert contrast(COLOURS[f"heat{level}"][scheme], letters) >= 4.5
    for name in ("ink", "muted", *STAGES):
        assert contrast(COLOURS["paper"][scheme], COLOURS[name][scheme]) >= 4.5
