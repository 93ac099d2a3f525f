"""Data sets without an adapter: the tables and the script of their cards, on miniatures."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile
from typer.testing import CliRunner

import audit
from audit.cli import app
from tests.conftest import tone
from tests.pages import of, standing_in


@pytest.mark.parametrize(
    ("name", "column", "values"),
    [("candor", "stated_race", ["asian", "prefer not to say"]), ("nsc", "accent_group", ["CHINESE", "MALAY"])],
)
def test_the_table_of_a_card_is_read_by_folder(name: str, column: str, values: list[str], tmp_path: Path) -> None:
    (block,) = of(f"datasets/cards/{name}.md", "text")
    for line in block.text.splitlines()[1:]:
        tone(tmp_path / name / line.split(",")[0])
    (tmp_path / name / "labels.csv").write_text(block.text)
    cohort, _ = audit.import_cohort("folder", tmp_path / name, tmp_path / "C")
    assert list(cohort.table[column]) == values and set(cohort.table["language"]) == {"en"}
    assert list(cohort.speakers["group"]) == ["asian|indian" if name == "candor" else "asian", "unknown"]
    assert list(cohort.speakers["group_source"]) == ["self_reported" if name == "candor" else "metadata", "unstated"]
    assert cohort.clips["cluster"].nunique() == (1 if name == "candor" else 2)


def test_the_script_for_edacc_cuts_segments_of_one_voice(tmp_path: Path) -> None:
    root = tmp_path / "edacc_v1.0"
    tone(root / "data" / "C01.wav", seconds=20, rate=32_000)
    for part, segments in (("dev", ["C01 0 4", "C01 5 9", "C01 8 12.5", "C01 13 14", "C01 14.5 19"]), ("test", [])):
        (root / part).mkdir()
        named = [f"C01-{i} {text}\n" for i, text in enumerate(segments)]
        (root / part / "segments").write_text("".join(named))
        (root / part / "utt2spk").write_text("".join(f"C01-{i} C01-{'AB'[i % 2]}\n" for i in range(len(segments))))
    (script,) = of("datasets/cards/edacc.md", "python")
    with standing_in(tmp_path):
        exec(script.text, {})
        made = CliRunner().invoke(app, ["cohort", "labels", "folder", "edacc", "-o", "edacc-labels.csv"])
        assert made.exit_code == 0, made.output
        cohort, _ = audit.import_cohort("folder", Path("edacc"), Path("C"), labels=Path("edacc-labels.csv"))
    assert list(cohort.clips["clip_id"]) == ["C01-0", "C01-4"]  # 1 and 2 overlap, 3 is short
    assert set(cohort.clips["speaker_id"]) == {"C01-A"} and set(cohort.clips["cluster"]) == {"C01"}
    assert soundfile.info(tmp_path / "edacc" / "C01-4.wav").duration == 4.5


def test_the_table_of_fair_speech_names_no_speakers_and_is_refused(tmp_path: Path) -> None:
    tone(tmp_path / "fair" / "a.wav")
    (tmp_path / "fair" / "labels.tsv").write_text("audio\tage\tethnicity\na.wav\t18 - 22\tWhite\n")
    with pytest.raises(audit.CohortError, match="neither the column speaker_id"):
        audit.import_cohort("folder", tmp_path / "fair", tmp_path / "C")
