"""The text of a table for its digest: that of pandas, whatever the values are."""

from __future__ import annotations

import pandas as pd
import pytest

from audit.cohorts import csv_texts

WORDS = ["plain", "", "with, comma", 'with "quotes"', "two\nlines", "a\rreturn", " spaces ", "声", None]


@pytest.mark.parametrize("odd", WORDS)
@pytest.mark.parametrize("kind", ["str", object])
def test_the_pieces_are_the_text_of_pandas(odd: str | None, kind: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_texts, "ROWS", 2)
    words = pd.Series(["a", "b", odd, "c", "d"], dtype=kind)  # type: ignore[call-overload]  # either kind
    for frame in (
        pd.DataFrame({"x": words, "y": words[::-1].to_numpy()}),
        pd.DataFrame({"x": words, "age": [1.0, 2.5, None, 1e20, 40.0]}),
        pd.DataFrame({"x": words}),
        pd.DataFrame({"x": words, "y": words}).iloc[:0],
    ):
        text = frame.to_csv(index=False, lineterminator="\n").encode()
        assert b"".join(csv_texts.csv_texts(frame)) == text
