"""Keys of the names of a run's pictures: one for each cohort, kept outside the run.

The key of a cohort is a file of 32 random bytes in hex, by default in ``.audit-keys`` next to the run's folder. It is
made when a run first needs it, and shared by the runs there, so that the same picture has the same name in all of them.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
from pathlib import Path
from typing import Final

from audit.core.addresses import is_address, local_path
from audit.core.errors import RunError
from audit.core.files import temporary_path, writing

BESIDE: Final = "beside"  # next to the run's folder, shared with the other runs there
FOLDER: Final = ".audit-keys"
KEY_BYTES: Final = 32
_KEY: Final = re.compile(rb"[0-9a-f]{%d}\n?" % (2 * KEY_BYTES))
_PRIVATE: Final = 0o077
"""Permissions of others than the owner, of which a key has none."""


def keys_folder(name: str, run: Path) -> Path:
    """The folder of the keys for a run whose plan says :data:`BESIDE`, or a folder; always on this machine.

    Keys are not kept beside a run at an address but in ``.audit-keys`` of the user's home.

    Examples
    --------
    >>> keys_folder("beside", Path("reports/mine")).as_posix(), keys_folder("keys", Path("reports/mine")).as_posix()
    ('reports/.audit-keys', 'keys')
    """
    if name != BESIDE:
        return local_path(name, "The folder of the keys")
    return Path.home() / FOLDER if is_address(run) else run.parent / FOLDER


def cohort_key(folder: Path, cohort: str) -> bytes:
    """The key of a cohort, by the cohort's digest; it is made if the folder has none.

    Several processes may ask at once: they get the same key.

    Raises
    ------
    RunError
        If the folder or the key is a link, the key may be read by others or is damaged, or it cannot be written.
    """
    path = folder / f"{hashlib.sha256(cohort.encode()).hexdigest()[:32]}.key"
    with writing(folder, reads=True):
        if folder.is_symlink() or path.is_symlink():
            raise RunError(
                f"{folder if folder.is_symlink() else path} is a link.",
                "a directory, and files in it, of this user",
                "Choose another folder: --keys DIR.",
            )
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        return _read(path)


def _make(path: Path) -> None:
    """Write a new key, unless another process is first."""
    partial = temporary_path(path)
    partial.unlink(missing_ok=True)
    written = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(written, secrets.token_hex(KEY_BYTES).encode() + b"\n")
        os.fsync(written)
    finally:
        os.close(written)
    try:
        os.link(partial, path)  # appears whole, and never replaces a key
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        if not path.exists():
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    place = path.lstat()
    if not stat.S_ISREG(place.st_mode):
        raise RunError(f"{path} is not a file.", "the key of a cohort, as it was written")
    if os.name == "posix" and place.st_mode & _PRIVATE:
        raise RunError(
            f"{path} may be read by other users of this machine.",
            "a key that only its owner may read",
            f"chmod 600 {path}",
        )
    found = path.read_bytes() if place.st_size <= 2 * KEY_BYTES + 1 else b""
    if not _KEY.fullmatch(found):
        raise RunError(
            f"{path} is not the key of a cohort.",
            f"{2 * KEY_BYTES} hex digits, as they were written",
            "Restore it, or delete it: new runs then get a new key, and begun runs cannot be resumed.",
        )
    return bytes.fromhex(found.decode())
