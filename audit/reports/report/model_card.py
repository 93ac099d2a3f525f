"""A section of a model card with the audit's findings, and metadata for model hubs.

The metadata follow the ``model-index`` of Hugging Face's model cards
(https://github.com/huggingface/hub-docs/blob/main/modelcard.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import jinja2

from audit.audits.audit import Audit
from audit.checks.figure import Figure
from audit.core.clean_text import clean, in_markdown
from audit.core.vocabulary import STAGES
from audit.reports.html.badges import BADGES
from audit.reports.html.identity import NOT_RECORDED, fictional, name_of
from audit.reports.html.page import INCOMPLETE, INCOMPLETE_TITLE, NOTICES_TITLE
from audit.reports.html.records import Value, disparities, mapping, one, split, strings, text, where
from audit.reports.html.verdicts import Verdict, verdicts
from audit.reports.html.wording import group_name, sizes, write_confidence
from audit.reports.report.recommendations import recommendations

_TEMPLATES: Final = Path(__file__).parent / "templates"


def model_card(audit: Audit, rules: Sequence[str] = ()) -> str:
    """The audit as a section of a model card, in Markdown; it names no speaker and no clip.

    First is a metadata block in YAML between lines of three hyphens, left out if no check has an estimate; then
    sections of the second level and below, for use in an existing model card or alone.
    """
    run, found = audit.run, verdicts(audit)
    cohort = mapping(run.get("cohort"))
    speakers, clips = sizes(run)
    environment = jinja2.Environment(  # Markdown, not HTML: the templates pass every text through a filter instead
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(markdown=in_markdown, item=_item, digest=_code)
    return _metadata(audit, found) + environment.get_template("model-card.md.jinja").render(
        cohort=name_of(run.get("cohort")),
        instrument=name_of(run.get("instrument"), "the instrument"),
        speakers=speakers,
        clips=clips,
        complete=run.get("complete") is True,
        incomplete_title=INCOMPLETE_TITLE,
        incomplete=INCOMPLETE,
        fictional=fictional(run),
        notices_title=NOTICES_TITLE,
        notices=strings(run.get("notices")),
        verdicts=found,
        badges=BADGES,
        confidence=write_confidence(audit.settings),
        groups=_by_group(audit),
        stated=[(title, text) for title, text in audit.front_matter.lines if text],
        not_stated=[title for title, text in audit.front_matter.lines if not text],
        recommended=recommendations(audit, found, rules),
        run_digest=run.get("digest"),
        cohort_digest=cohort.get("digest"),
        weights=run.get("weights_sha256") or "none",
        version=str(mapping(run.get("versions")).get("speech2face-audit") or NOT_RECORDED),
        schema_version=audit.schema_version,
    )


def _metadata(audit: Audit, found: Sequence[Verdict]) -> str:
    """The model index: one result with a metric and its interval for each check with an estimate."""
    metrics = [
        _metric(audit, verdict, estimate)
        for verdict in found
        if (estimate := verdict.finding.estimate) is not None and estimate.value is not None
    ]
    if not metrics:
        return ""
    cohort = mapping(audit.run.get("cohort"))
    dataset = {"type": name_of(cohort), "name": name_of(cohort)}
    if cohort.get("digest"):
        dataset["revision"] = clean(str(cohort["digest"]))
    result = {
        "task": {"type": "other", "name": "Faces rendered from voices: bias audit"},
        "dataset": dataset,
        "metrics": metrics,
    }
    index = {"model-index": [{"name": name_of(audit.run.get("model"), "model"), "results": [result]}]}
    return "---\n" + "\n".join(_yaml(index)) + "\n---\n\n"


def _metric(audit: Audit, verdict: Verdict, estimate: Figure) -> dict[str, object]:
    finding, outcome = verdict.finding, BADGES[verdict.finding.outcome].name
    name = (
        f"{finding.title}: {verdict.value}, {write_confidence(audit.settings)} interval {verdict.interval}"
        f" ({verdict.about}; {verdict.sizes}): {outcome}"
    )
    return {
        "type": clean(finding.code),
        "name": clean(name),
        "value": estimate.value,
        "args": {
            "outcome": outcome,
            "group": clean(finding.group),
            "low": estimate.low,
            "high": estimate.high,
            "confidence": audit.settings.get("confidence"),
            "margin": finding.threshold,
            "n_speakers": estimate.n_speakers,
            "n_clips": estimate.n_clips,
            "n_missing": estimate.n_missing,
            "run_digest": clean(str(audit.run.get("digest") or NOT_RECORDED)),
        },
    }


def _yaml(value: object, depth: int = 0) -> list[str]:
    r"""The lines of a block of YAML; texts are written as JSON, which is valid YAML.

    Examples
    --------
    >>> print("\n".join(_yaml({"a": [{"b": "x: 'y'", "c": None}], "d": {"e": 0.5}})))
    a:
    - b: "x: 'y'"
      c: null
    d:
      e: 0.5
    """
    pad = " " * depth
    if isinstance(value, Mapping):
        lines = []
        for key, item in value.items():
            if isinstance(item, (Mapping, list)):
                lines += [f"{pad}{key}:", *_yaml(item, depth + 2 * isinstance(item, Mapping))]
            else:
                lines.append(f"{pad}{key}: {json.dumps(item, ensure_ascii=False)}")
        return lines
    assert isinstance(value, list)
    blocks = (_yaml(item, depth + 2) for item in value)
    return [line for first, *rest in blocks for line in (f"{pad}- {first[depth + 2 :]}", *rest)]


def _by_group(audit: Audit) -> list[list[str]]:
    """The own-group read rates of each group at every stage."""
    cells = []
    for of in split(where(disparities(audit), metric="read_own_group", language="all"), "group"):
        rates, counts = [], [0]
        for stage in STAGES:
            found = None if (row := one(of, stage=stage)) is None else Value.of(row)
            reason = f": {found.method}" if found and found.value is None else ""
            rates.append(f"{found.words('share')}{reason}" if found else "not estimable")
            counts.append(found.n_speakers or 0 if found else 0)
        cells.append([group_name(text(of[0], "group")), *rates, f"{max(counts):,}"])
    return cells


def _code(value: object) -> str:
    """A digest as code; anything else as text."""
    written = str(value or NOT_RECORDED)
    return f"`{written}`" if re.fullmatch("[0-9a-f]{16,}", written) else _item(written)


def _item(words: str) -> str:
    """Text at the start of an item, escaped so that a number or hyphen does not start a list or a rule."""
    return re.sub(r"^\s*([-+]|\d+(?=[.)]))", lambda found: f"&#{ord(found[1][0])};{found[1][1:]}", in_markdown(words))
