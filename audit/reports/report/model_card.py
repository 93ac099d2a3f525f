"""The model's card: what the audit found, as a part of one, with the metadata that model hubs read.

The metadata follow the ``model-index`` of Hugging Face's model cards
(https://github.com/huggingface/hub-docs/blob/main/modelcard.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from audit.audits.audit import Audit
from audit.checks.finding import Finding
from audit.core.clean_text import clean, in_markdown
from audit.core.units import write_interval, write_value
from audit.core.vocabulary import STAGES
from audit.reports.html.identity import NOT_RECORDED, name_of
from audit.reports.html.records import count, disparities, mapping, number, strings, text, values, where
from audit.reports.html.texts import fill, texts
from audit.reports.html.verdicts import Verdict, verdicts
from audit.reports.html.wording import counted, group_name, order_groups, write_confidence
from audit.reports.report.evidence import one


def model_card(audit: Audit) -> str:
    """The part of a model's card that tells of the audit, in Markdown, after a metadata block in YAML.

    Parameters
    ----------
    audit : Audit
        All that the card says. It names no speaker and no clip.

    Returns
    -------
    str
        The block between lines of three hyphens, which is left out where no check has an estimate; then sections of
        the second level and below. To be put into a card of the model's own, or to stand for itself.
    """
    words, told = texts()["model_card"], verdicts(audit)
    return _metadata(audit, told) + "\n".join(
        [
            f"## {words['heading']}",
            "",
            *_introduction(audit),
            f"### {words['found']}",
            "",
            *_table(words["columns"], [_row(verdict) for verdict in told]),
            "",
            fill(words["intervals"], confidence=write_confidence(audit.settings)),
            "",
            f"### {words['words']}",
            "",
            *(_sentence(verdict) for verdict in told),
            "",
            *_by_group(audit, words),
            f"### {words['limits']}",
            "",
            *(f"- {point}" for point in words["points"]),
            "",
            f"### {words['source']}",
            "",
            words["source_intro"],
            "",
            *(f"- {name}: {value}" for name, value in _sources(audit)),
            "",
        ]
    )


def _metadata(audit: Audit, told: Sequence[Verdict]) -> str:
    """One result of the model's index, with a metric for each check with an estimate, never without its interval."""
    metrics = [
        _metric(audit, finding, verdict)
        for finding, verdict in zip(audit.findings, told, strict=True)
        if finding.estimate is not None and finding.estimate.value is not None
    ]
    if not metrics:
        return ""
    cohort = mapping(audit.run.get("cohort"))
    dataset = {"type": name_of(cohort), "name": name_of(cohort)}
    if cohort.get("digest"):
        dataset["revision"] = clean(str(cohort["digest"]))
    result = {
        "task": {"type": "other", "name": texts()["model_card"]["task"]},
        "dataset": dataset,
        "metrics": metrics,
    }
    index = {"model-index": [{"name": name_of(audit.run.get("model"), "model"), "results": [result]}]}
    return "---\n" + "\n".join(_yaml(index)) + "\n---\n\n"


def _metric(audit: Audit, finding: Finding, verdict: Verdict) -> dict[str, object]:
    estimate = finding.estimate
    assert estimate is not None
    outcome = texts()["outcomes"][verdict.outcome]["name"]
    name = (
        f"{verdict.title}: {verdict.value}, {write_confidence(audit.settings)} interval {verdict.interval}"
        f" ({verdict.about}; {verdict.sizes}): {outcome}"
    )
    return {
        "type": verdict.code,
        "name": name,
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
    r"""The lines of a block of YAML; every text in it is written as JSON, which YAML reads as the same text.

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


def _introduction(audit: Audit) -> list[str]:
    run, words = audit.run, texts()["model_card"]
    speakers, clips = (counted(count(run, f"n_{noun}s") or 0, noun) for noun in ("speaker", "clip"))
    intro = fill(
        words["intro"],
        cohort=in_markdown(name_of(run.get("cohort"))),
        instrument=in_markdown(name_of(run.get("instrument"), "the instrument")),
        speakers=speakers,
        clips=clips,
    )
    lines = [intro, ""]
    if run.get("complete") is not True:
        lines += [f"**{texts()['incomplete']['title']}.** {texts()['incomplete']['text']}", ""]
    if mapping(run.get("cohort")).get("fictional") is True:
        lines += [words["fictional"], ""]
    if notices := strings(run.get("notices")):
        lines += [f"**{texts()['notices']['title']}.**", "", *(f"- {_item(notice)}" for notice in notices), ""]
    return lines


def _row(verdict: Verdict) -> list[str]:
    return [
        f"{verdict.code}: {verdict.title}",
        texts()["outcomes"][verdict.outcome]["name"],
        verdict.about,
        verdict.value or "no estimate",
        verdict.interval,
        verdict.margin,
        verdict.sizes,
        verdict.missing,
    ]


def _sentence(verdict: Verdict) -> str:
    answer = " ".join(words for words in (verdict.sentence, verdict.reason) if words)
    return f"- **{in_markdown(verdict.code)}, {texts()['outcomes'][verdict.outcome]['name']}.** {in_markdown(answer)}"


def _by_group(audit: Audit, words: Mapping[str, Any]) -> list[str]:
    """How often each group is read as itself, at every stage; nothing where the audit does not tell."""
    rows = where(disparities(audit), metric="read_own_group", language="all")
    cells = []
    for group in values(rows, "group", order_groups):
        at = {stage: one(rows, stage=stage, group=group) for stage in STAGES}
        told = []
        for row in at.values():
            value = None if row is None else number(row, "value")
            if row is None or value is None:
                told.append("not estimable" if row is None else f"not estimable: {text(row, 'method')}")
            else:
                interval = write_interval(number(row, "low"), number(row, "high"), "share")
                told.append(f"{write_value(value, 'share')} {interval}")
        sizes = [count(row, "n_speakers") or 0 for row in at.values() if row is not None]
        cells.append([group_name(group), *told, f"{max(sizes, default=0):,}"])
    if not cells:
        return []
    return [f"### {words['groups']}", "", *_table(words["group_columns"], cells), "", words["stages"], ""]


def _sources(audit: Audit) -> list[tuple[str, str]]:
    run = audit.run
    versions = mapping(run.get("versions"))
    return [
        ("run", _code(run.get("digest"))),
        ("cohort", _code(mapping(run.get("cohort")).get("digest"))),
        ("weights of the model", _code(run.get("weights_sha256") or "none of its own")),
        ("speech2face-audit", in_markdown(str(versions.get("speech2face-audit") or NOT_RECORDED))),
        ("audit.json, schema", in_markdown(audit.schema_version)),
    ]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [columns, ["---"] * len(columns), *([in_markdown(cell) for cell in row] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def _code(value: object) -> str:
    """A digest as code; anything else as text."""
    written = str(value or NOT_RECORDED)
    return f"`{written}`" if re.fullmatch("[0-9a-f]{16,}", written) else _item(written)


def _item(words: str) -> str:
    """Text at the head of an item, where a number or a hyphen could begin a list or a line across the page."""
    return re.sub(r"^\s*([-+]|\d+(?=[.)]))", lambda found: f"&#{ord(found[1][0])};{found[1][1:]}", in_markdown(words))
