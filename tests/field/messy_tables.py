"""Generated tables of labels as spreadsheets, scripts and other systems write them, and the cohorts that they make."""

from __future__ import annotations

import csv
import io
import shutil
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

import audit

COLUMNS: Final = (
    "audio",
    "speaker_id",
    "language",
    "language_source",
    "group",
    "group_source",
    "age",
    "portrait",
    "room",
)
NAMES: Final = (
    "0000.ogg",
    "one two.ogg",
    "José.ogg",
    "a,b.ogg",
    "x;y|z.ogg",
    "Zoë's.ogg",
    "Müller.ogg",
    "Łódź.ogg",
    "日本.ogg",
)
ROOMS: Final = (
    "", "large", "007", "NA", "nan", "1,5", "a;b", "a|b", "a\tb", 'say "hi"', '"quoted"', "two\nlines", "Café",
    "Hélène", "voilà", "Straße", "Jiří", "Ángel", "ßeta", "ø", "日本語", "Иван", "it's", "#1", "TRUE", "-",
    "naïve, déjà", "e\u0301te",
)  # fmt: skip
"""Values of a custom column, which is kept as it is."""
ENCODINGS: Final = (
    "utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "cp1252", "cp1250",
    "mac_roman", "cp850", "cp437", "cp1251", "gb18030", "shift_jis",
)  # fmt: skip
QUOTINGS: Final = ("minimal", "minimal", "all", "nonnumeric", "escaped", "backslash", "single")
SYNONYMS: Final = ("audio", "path", "file", "filename", "file_name", "wav", "File Name", "PATH")


@dataclass(frozen=True)
class Mess:
    """How a table is written."""

    delimiter: str
    quoting: str
    encoding: str
    newline: str
    separator_line: bool
    blank_lines: int
    trailing_columns: int
    trailing_rows: int
    heading: str
    audio: str
    paths: str
    padding: bool
    order: tuple[str, ...]


def rows() -> st.SearchStrategy[list[dict[str, str]]]:
    """Two to five clips of two speakers, valid."""
    one = st.fixed_dictionaries(
        {"name": st.sampled_from(NAMES), "room": st.sampled_from(ROOMS), "of": st.integers(0, 1)}
    )
    return st.lists(one, min_size=2, max_size=5, unique_by=lambda row: row["name"]).map(_filled)


def _filled(drawn: list[dict[str, object]]) -> list[dict[str, str]]:
    return [
        {
            "audio": f"calls/{row['name']}",
            "speaker_id": f"s{row['of']}",
            "language": "en" if i % 2 else "zh-TW",
            "language_source": "metadata",
            "group": ("asian", "white")[int(str(row["of"]))],
            "group_source": "annotator",
            "age": "" if row["of"] else "34.5",
            "portrait": f"pics/s{row['of']}.jpg",
            "room": str(row["room"]),
        }
        for i, row in enumerate(drawn)
    ]


def messes() -> st.SearchStrategy[Mess]:
    """Ways of writing a table, some of which no reader can understand."""
    return st.builds(
        Mess,
        delimiter=st.sampled_from((",", ",", ";", ";", "\t", "|", ":", "^", " ")),
        quoting=st.sampled_from(QUOTINGS),
        encoding=st.sampled_from(ENCODINGS),
        newline=st.sampled_from(("\n", "\r\n", "\r")),
        separator_line=st.sampled_from((False, False, False, True)),
        blank_lines=st.sampled_from((0, 0, 0, 2)),
        trailing_columns=st.sampled_from((0, 0, 1, 3)),
        trailing_rows=st.sampled_from((0, 0, 2)),
        heading=st.sampled_from(("plain", "plain", "upper", "title", "spaces", "padded", "camel")),
        audio=st.sampled_from(SYNONYMS),
        paths=st.sampled_from(("/", "/", "\\", "./", "//", "absolute", "nfd", "nfc")),
        padding=st.sampled_from((False, False, True)),
        order=st.permutations(COLUMNS).map(tuple),
    )


def written(rows: list[dict[str, str]], mess: Mess, root: Path) -> bytes:
    """The table as bytes; in UTF-8 if its encoding lacks a letter."""
    buffer = io.StringIO()
    if mess.separator_line:
        buffer.write(f"sep={mess.delimiter}{mess.newline}")
    buffer.write(mess.newline * mess.blank_lines)
    how: dict[str, dict[str, object]] = {
        "minimal": {"quoting": csv.QUOTE_MINIMAL},
        "all": {"quoting": csv.QUOTE_ALL},
        "nonnumeric": {"quoting": csv.QUOTE_NONNUMERIC},
        "escaped": {"quoting": csv.QUOTE_NONE, "escapechar": "\\"},
        "backslash": {"quoting": csv.QUOTE_MINIMAL, "doublequote": False, "escapechar": "\\"},
        "single": {"quoting": csv.QUOTE_MINIMAL, "quotechar": "'"},
    }
    table = csv.writer(buffer, delimiter=mess.delimiter, lineterminator=mess.newline, **how[mess.quoting])  # type: ignore[arg-type]
    end = [""] * mess.trailing_columns
    headings = [_heading(mess.audio if name == "audio" else name, mess.heading) for name in mess.order]
    pad: Callable[[str], str] = (lambda value: f" {value} ") if mess.padding else str
    table.writerow([*headings, *end])
    for row in rows:
        cells = {
            name: _path(value, mess.paths, root) if name in ("audio", "portrait") else value
            for name, value in row.items()
        }
        table.writerow([*(pad(cells[name]) for name in mess.order), *end])
    for _ in range(mess.trailing_rows):
        table.writerow(["" for _ in [*headings, *end]])
    try:
        return buffer.getvalue().encode(mess.encoding)
    except UnicodeEncodeError:
        return buffer.getvalue().encode()


def _heading(name: str, style: str) -> str:
    return {
        "plain": name,
        "upper": name.upper(),
        "title": name.replace("_", " ").title(),
        "spaces": name.replace("_", " "),
        "padded": f" {name} ",
        "camel": name.replace("_", " ").title().replace(" ", ""),
    }[style if name != "room" else "plain"]


def _path(path: str, style: str, root: Path) -> str:
    return {
        "/": path,
        "\\": path.replace("/", "\\"),
        "./": f"./{path}",
        "//": path.replace("/", "//"),
        "absolute": f"{root}/{path}",
        "nfd": unicodedata.normalize("NFD", path),
        "nfc": unicodedata.normalize("NFC", path),
    }[style]


def on_disk(path: str) -> str:
    """Path of a file in the form of its name on disk, which is decomposed for one of them."""
    return unicodedata.normalize("NFD" if "Zo" in path else "NFC", path)


def download(root: Path) -> Path:
    """A folder with the files that the rows name; they are empty."""
    for name in NAMES:
        (root / "calls").mkdir(parents=True, exist_ok=True)
        (root / "calls" / on_disk(name)).write_bytes(b"")
    (root / "pics").mkdir()
    for speaker in ("s0", "s1"):
        (root / "pics" / f"{speaker}.jpg").write_bytes(b"")
    return root


def outcome(rows: list[dict[str, str]], mess: Mess, root: Path, folder: Path) -> str:
    """``equal`` or ``different`` to the cohort that the rows say, or ``refused``.

    ``root`` is a folder made by :func:`download`, and ``folder`` is for scratch.
    """
    if mess.quoting == "single":  # a reader cannot know that "quoted" is not quoted
        rows = [{**row, "room": row["room"].strip('"')} for row in rows]
    shutil.rmtree(folder / "cohort", ignore_errors=True)
    (root / "labels.csv").write_bytes(written(rows, mess, root))
    try:
        cohort, _ = audit.import_cohort("folder", root, folder / "cohort")
    except audit.AuditError:
        return "refused"
    finally:
        (root / "labels.csv").unlink()
    table = cohort.table.astype(object)
    table = table.where(table.notna(), "")[["clip_id", *COLUMNS]]
    found = sorted(tuple(str(value) for value in row) for row in table.itertuples(index=False))
    return "equal" if found == sorted(map(_expected, rows)) else "different"


def _expected(row: dict[str, str]) -> tuple[str, ...]:
    paths = {name: f"files/{on_disk(row[name])}" for name in ("audio", "portrait")}
    clip = on_disk(row["audio"]).removesuffix(".ogg")
    return clip, *(({**row, **paths})[name] for name in COLUMNS)
