"""``command``: a model in an external program, which receives clips as files and writes pictures.

The program is called once per batch, with the path of a folder as its last argument. It contains ``clips.csv`` (columns
``clip`` and ``sample_rate``) and one mono 16-bit WAV file per clip, named ``0000.wav``, ``0001.wav``, ... It writes
``0000.png``, ... to the same folder; a missing picture means no face for that clip. It receives nothing else:
no clip id, no language, no group. See docs/guide/own-model.md.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from audit.core.arrays import Picture, Waveform
from audit.core.errors import ModelError
from audit.core.files import file_digest
from audit.core.pictures import read_picture
from audit.core.registry import Part
from audit.core.vocabulary import FILE_STATUSES

LAST_WORDS: Final = 300


class Command:
    """An external program that renders faces.

    Parameters
    ----------
    command : list of str
        The program and its arguments; the folder of a batch is appended. No shell is used.
    timeout : float
        Maximum seconds of a call; then the program and its child processes are killed.
    batch : int
        Number of clips per call.
    name : str
        Name of the model.

    Raises
    ------
    ModelError
        If no program is given.

    Examples
    --------
    >>> Command(["my-model", "--gpu"], timeout=60).describe()["command"]
    ['my-model', '--gpu']
    """

    def __init__(
        self, command: Sequence[str] = (), *, timeout: float = 600.0, batch: int = 64, name: str = "command"
    ) -> None:
        words = list(command) if not isinstance(command, str) else []
        if not words or not all(isinstance(word, str) for word in words):
            raise ModelError(
                f"The model 'command' needs a program; its option command is {command!r}.",
                'a list of words, in the plan: [model.options] command = ["python", "model.py"]',
                "See docs/guide/own-model.md.",
            )
        if timeout <= 0 or batch < 1:
            raise ModelError(f"timeout = {timeout}, batch = {batch}.", "seconds above 0, and at least 1 clip")
        self.command, self.timeout, self.batch, self.name = words, timeout, batch, name

    def render(self, waveforms: Sequence[Waveform], sample_rate: int) -> list[Picture | None]:
        """One face per clip; ``None`` if the program wrote none.

        Raises
        ------
        ModelError
            If the program cannot be started, fails, takes too long, or writes something other than a picture. The
            harness then tries each clip separately, so that only bad clips fail.
        """
        made: list[Picture | None] = []
        for start in range(0, len(waveforms), self.batch):
            made += self._call(waveforms[start : start + self.batch], sample_rate)
        return made

    def describe(self) -> dict[str, object]:
        """The command, and the sha256 of each argument that is a file."""
        files = {word: file_digest(word) for word in self.command if os.path.isfile(word)}  # noqa: PTH113  # Path raises at too long a name
        return {"command": self.command, "files_sha256": files, "timeout": self.timeout, "batch": self.batch}

    def _call(self, waveforms: Sequence[Waveform], sample_rate: int) -> list[Picture | None]:
        with tempfile.TemporaryDirectory(prefix="audit-clips-") as name:
            folder = Path(name)
            clips = {folder / f"{place:04d}.wav": waveform for place, waveform in enumerate(waveforms)}
            for path, waveform in clips.items():
                soundfile.write(path, np.clip(waveform, -1, 1), sample_rate, subtype="PCM_16")
            rows = [f"{path.name},{sample_rate}\n" for path in clips]
            (folder / "clips.csv").write_text("clip,sample_rate\n" + "".join(rows), encoding="utf-8", newline="\n")
            self._run(folder)
            return [_picture(path.with_suffix(".png")) for path in clips]

    def _run(self, folder: Path) -> None:
        try:
            process = subprocess.Popen(
                [*self.command, str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise ModelError(f"The program {self.command[0]!r} cannot be started: {error.strerror}.",
                             "an existing program", "See docs/guide/own-model.md.") from error  # fmt: skip
        with process:
            try:
                _, said = process.communicate(timeout=self.timeout)
            except subprocess.TimeoutExpired as error:
                raise ModelError(
                    f"The program {self.command[0]!r} took longer than {self.timeout:g} s and was stopped.",
                    "a longer timeout, or a smaller batch",
                ) from error
            finally:
                with contextlib.suppress(ProcessLookupError):  # child processes, which are in the same session
                    os.killpg(process.pid, signal.SIGKILL)
        if process.returncode != 0:
            why = said.decode("utf-8", "replace").strip()[-LAST_WORDS:] or "no output on stderr"
            raise ModelError(f"The program {self.command[0]!r} ended with {process.returncode}: {why}")


def _picture(path: Path) -> Picture | None:
    file = read_picture(path)
    if file.status in FILE_STATUSES and file.status != "file_missing":
        raise ModelError(
            f"The program wrote {path.name}, which is not a usable picture: {file.detail}.",
            "a PNG of a face, or no file",
        )
    return file.pixels


MODEL = Part(
    name="command",
    summary="your own program, which receives the clips as files; see docs/guide/own-model.md",
    value=Command,
)
