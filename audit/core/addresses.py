"""Places of cohorts, runs, faces and caches: folders of this machine, or addresses such as ``s3://bucket/run``.

An address is anything that fsspec opens. It is represented by a UPath, which has the methods of a pathlib.Path and is
therefore typed as one; paths of this machine stay a pathlib.Path. What differs between the two, such as writing a file
whole, is in :mod:`audit.core.transfer`.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePath
from typing import Any, Final, cast

from audit.core.errors import AuditError

_ADDRESS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://.*", re.DOTALL)
_MERGED: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/(?!/)(.*)", re.DOTALL)
"""An address that was made a pathlib.Path, which merges its slashes."""
_CHAINED: Final = re.compile(r"[A-Za-z0-9+.-]+::.*", re.DOTALL)
_SECRET: Final = re.compile(r"(://)[^/@]*:[^/@]*@|[?#].*", re.DOTALL)
_USER: Final = re.compile(r"(://)[^/@]*@")
_LOCAL: Final = ("file", "local")
_EXTRAS: Final = {"s3": "s3", "s3a": "s3"}
"""The extra of this package that has what a protocol needs."""


def is_address(given: object) -> bool:
    """Whether a text, path or UPath names something at an address and not in a folder of this machine.

    Examples
    --------
    >>> [is_address(given) for given in ("s3://bucket/run", "reports/run", Path("reports/run"), "file:///tmp/run")]
    [True, False, False, False]
    """
    if isinstance(given, str):
        found = _ADDRESS.fullmatch(given)
        return (found is not None and found[1].lower() not in _LOCAL) or _CHAINED.fullmatch(given) is not None
    if isinstance(given, PurePath):
        return _unmerged(given) is not None
    return hasattr(given, "protocol") and hasattr(given, "storage_options")


def place(given: Any) -> Path:
    """The folder or file that a text, path or UPath names; for an address a UPath.

    An address that was made a pathlib.Path, which merges its slashes, is that address again, unless there is a folder
    of that name.

    Raises
    ------
    AuditError
        If an address has a password or a query, its protocol is unknown, or the package that opens it is missing.

    Examples
    --------
    >>> place("file:///tmp/run").as_posix(), place("reports/run").as_posix()
    ('/tmp/run', 'reports/run')
    >>> str(place("memory://bucket/run/") / "plan.toml"), str(place(Path("memory://bucket/run")))
    ('memory://bucket/run/plan.toml', 'memory://bucket/run')
    """
    if isinstance(given, PurePath):
        merged = _unmerged(given)
        return Path(given) if merged is None else _opened(merged)
    if not isinstance(given, str):
        return _uncached(given)
    if is_address(given):
        return _opened(given)
    local = _ADDRESS.fullmatch(given)
    return Path(given if local is None else given[given.index("://") + 3 :])


def shared_folder(given: str | Path) -> Path:
    """As :func:`place`, but ``file:///DIR`` stays an address: a folder that several machines may share.

    Examples
    --------
    >>> is_address(shared_folder("file:///mnt/cache")), is_address(shared_folder("/mnt/cache"))
    (True, False)
    """
    if isinstance(given, str) and (found := _ADDRESS.fullmatch(given)) and found[1].lower() in _LOCAL:
        return _opened(given)
    return place(given)


def file_system(path: Path) -> Any:
    """The fsspec file system of an address."""
    return cast("Any", path).fs


def is_in_memory(path: Path) -> bool:
    """Whether an address is in the memory of this process, so that no other process can read it.

    Examples
    --------
    >>> is_in_memory(place("memory://bucket/run")), is_in_memory(place("reports/run"))
    (True, False)
    """
    return is_address(path) and str(cast("Any", path).protocol) == "memory"


def key(path: Path) -> str:
    """The name of an address within its file system."""
    return str(cast("Any", path).path)


def recorded(text: str) -> str:
    """A text as it may be recorded: an address without user, password and query; another text unchanged.

    Examples
    --------
    >>> recorded("sftp://ann@host/run"), recorded("people?")
    ('sftp://host/run', 'people?')
    """
    return _USER.sub(r"\1", _SECRET.sub(r"\1", text)) if is_address(text) else text


def refuse_address(path: object, what: str) -> None:
    """Raise AuditError if ``path`` is an address; ``what`` begins the sentence, such as ``The folder of a sheet``."""
    if is_address(path):
        shown = _unmerged(path) if isinstance(path, PurePath) else None
        raise AuditError(
            f"{what} is {recorded(shown or str(path))}, an address.",
            "a path of this machine",
            "Write it here, and copy it there.",
        )


def local_path(given: str | Path, what: str) -> Path:
    """The path of this machine that was given; raises AuditError for an address, as :func:`refuse_address`."""
    refuse_address(given, what)
    return Path(given)


def _unmerged(path: PurePath) -> str | None:
    """The address that a pathlib.Path was made from; ``None`` if it is a path."""
    found = _MERGED.fullmatch(path.as_posix())
    if found is None or found[1].lower() in _LOCAL:
        return None
    from fsspec import available_protocols  # type: ignore[import-untyped]  # it has no types

    is_known = found[1] in available_protocols() and not Path(f"{found[1]}:").exists()
    return f"{found[1]}://{found[2]}" if is_known else None


def _uncached(given: Any) -> Path:
    """A UPath whose listings are never cached, since other machines may write there too."""
    return cast("Path", type(given)(given, use_listings_cache=False)) if is_address(given) else Path(given)


def _opened(text: str) -> Path:
    """The UPath of an address, after checking that what opens it is installed."""
    shown = recorded(text)
    if _CHAINED.fullmatch(text) or _SECRET.search(text):
        raise AuditError(
            f"The address {shown} has a password, a query or several protocols.",
            "PROTOCOL://BUCKET/FOLDER",
            "Give credentials by the environment or the configuration of fsspec: docs/guide/scale.md.",
        )
    protocol = text.split("://", 1)[0].lower()
    try:
        from upath import UPath

        head, _, rest = text.partition("://")
        found = UPath(f"{head}://{rest.rstrip('/')}", use_listings_cache=False)
        if not found.path.strip("/"):
            raise AuditError(f"The address {shown} names no folder.", f"{protocol}://BUCKET/FOLDER")
        found.fs  # noqa: B018  # imports the package that opens the protocol
    except ImportError as error:
        ours = protocol in _EXTRAS or (error.name or "").startswith("upath")
        raise AuditError(
            f"The address {shown} needs a package that is missing: {error}.",
            "an environment with it",
            f"pip install 'speech2face-audit[{_EXTRAS.get(protocol, 's3')}]'" if ours else "Install that package.",
        ) from error
    except ValueError as error:
        raise AuditError(f"The address {shown} cannot be opened: {error}.", "a protocol of fsspec: s3, gs, ...") from (
            error
        )
    return cast("Path", found)
