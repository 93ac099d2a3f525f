"""The part of a model's card: what it says, what the hubs read of it, and that no text of an audit can break it."""

from __future__ import annotations

import dataclasses

import markdown_it
import pytest
import yaml

from audit.core.clean_text import clean
from audit.reports.report.model_card import model_card
from tests.report_fixture import FEW, fictional_audit, hostile_audit

HOSTILE = (
    '"\n---\n# owned\nmodel-index: []\n',
    "<script>alert(1)</script> <!-- | ``` [a](javascript:alert(1)) ![x](http://evil.example/x.png)",
    "- 1. # > * _a_ __b__ ~~c~~ www.evil.example https://evil.example \\",
    "\x1b[2J\u202egnorw \U0001f9d1\u200d\U0001f3a4 {{7*7}} &lt; \u0085 \ufeff !!python/object:x *alias &anchor",
)


def parts_of(card: str) -> tuple[dict[str, object], str]:
    """The metadata, as a hub takes them off the head of the file, and the text below."""
    assert card.startswith("---\n")
    block, _, below = card[4:].partition("\n---\n")
    return yaml.safe_load(block), below


def kinds_of(text: str) -> list[str]:
    """The blocks of a Markdown text, and the kinds of what is in them other than words."""
    tokens = markdown_it.MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    inside = [child.type for token in tokens for child in token.children or []]
    return [token.type for token in tokens] + sorted({kind for kind in inside if kind not in ("text", "text_special")})


def test_the_metadata_have_the_fields_of_the_hubs() -> None:
    """The required fields of the format's own page: task type, dataset type and name, metric type and value."""
    (model,) = parts_of(model_card(fictional_audit()))[0]["model-index"]
    assert model["name"] == "planted"
    (result,) = model["results"]
    assert result["task"]["type"] == "other"
    assert result["dataset"] == {"type": "imaginary speakers", "name": "imaginary speakers", "revision": "c0" * 32}
    codes = [metric["type"] for metric in result["metrics"]]
    assert codes == ["S2F001", "S2F003", "S2F004", "S2F006"], "not estimable values are left out"
    first = result["metrics"][0]
    assert first["value"] == 0.71
    assert (first["args"]["low"], first["args"]["high"], first["args"]["n_speakers"]) == (0.57, 0.85, 24)
    assert first["args"]["run_digest"] == "f1c7" * 16


def test_every_figure_has_interval_counts_and_outcome() -> None:
    metadata, text = parts_of(model_card(fictional_audit()))
    for metric in metadata["model-index"][0]["results"][0]["metrics"]:
        assert "95% interval [" in metric["name"] and "speakers" in metric["name"]
        assert metric["name"].endswith((": shown", ": not shown", ": inconclusive"))
    assert "+71 points | \\[+57, +85\\] | 10 points | 24 speakers, 48 clips" in text
    assert f"not estimable | {FEW}" in text
    for words in (
        "**S2F003, inconclusive.**",
        "A synthetic face has no race",
        "not evidence of no difference",
    ):
        assert words in text
    assert "| asian | 92% " in text and text.index("| asian |") < text.index("| black |") < text.index("| white |")


def test_an_unfinished_run_says_so_and_one_without_estimates_has_no_metadata() -> None:
    audit = fictional_audit(complete=False)
    assert "**This run is not complete.**" in model_card(audit)
    bare = dataclasses.replace(audit, tables={}, findings=audit.findings[3:4])
    assert model_card(bare).startswith("## Bias audit")


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_stay_words(words: str) -> None:
    metadata, text = parts_of(model_card(hostile_audit(words)))
    _, plain = parts_of(model_card(hostile_audit("words")))
    assert list(metadata) == ["model-index"]
    assert set(metadata["model-index"][0]) == {"name", "results"}
    assert metadata["model-index"][0]["name"] == clean(words), "the hubs read the very words"
    assert kinds_of(text) == kinds_of(plain), "no word is a mark, a tag, a link or the end of a line"
