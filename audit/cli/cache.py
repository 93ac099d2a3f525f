"""The commands ``audit cache info`` and ``prune``."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

from typer import Argument, Option

from audit.cli.terminal import give_either
from audit.cli.verbs import AsJson
from audit.core.addresses import shared_folder
from audit.core.errors import PlanError
from audit.core.units import write_size

CacheFolder = Annotated[Path, Argument(metavar="CACHE", help="The cache's folder or address.", parser=shared_folder)]
_DEFAULT: Final = Path("reports/.audit-cache")
_UNITS: Final = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def cache_info(cache: CacheFolder = _DEFAULT, as_json: AsJson = False) -> None:
    """Show what a cache of renderings and readings holds.

    Example: [bold]audit cache info reports/.audit-cache[/bold]
    """
    from audit.runs.harness.pruning import contents

    found = contents(cache)
    days = f", stored from {found.oldest} to {found.newest}" if found.oldest else ""
    line = f"{cache}: {found.renderings} renderings, {found.readings} readings, {write_size(found.bytes)}{days}"
    give_either(line, {"cache": str(cache)} | asdict(found), as_json=as_json)


def cache_prune(
    cache: CacheFolder = _DEFAULT,
    older_than: Annotated[
        int | None, Option("--older-than", metavar="DAYS", min=0, help="Remove what was stored more days ago.")
    ] = None,
    max_size: Annotated[
        str | None, Option("--max-size", metavar="SIZE", help="Then remove the oldest until this is left: 500MB, 2GB.")
    ] = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Only say what would be removed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove old entries of a cache of renderings and readings; a run that needs them makes them again.

    Only what the tool stored is removed, and nothing while a run uses the cache.

    Example: [bold]audit cache prune --older-than 30 --max-size 2GB[/bold]
    """
    from audit.runs.harness.pruning import prune

    if older_than is None and max_size is None:
        raise PlanError("It is not said what to remove.", "--older-than DAYS, --max-size SIZE, or both")
    most = None if max_size is None else _bytes(max_size)
    done = prune(cache, older_than=older_than, max_bytes=most, dry_run=dry_run)
    would = "would be removed" if dry_run else "removed"
    line = (
        f"{done.renderings} renderings with {done.pictures} pictures and {done.readings} readings {would}: "
        f"{write_size(done.freed_bytes)}; {write_size(done.left_bytes)} are left"
    )
    give_either(line, {"cache": str(cache), "dry_run": dry_run} | asdict(done), as_json=as_json)


def _bytes(text: str) -> int:
    """The bytes of a size such as ``500MB``; raises PlanError if it is not one.

    Examples
    --------
    >>> _bytes("1.5 GB"), _bytes("200")
    (1500000000, 200)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?B?)", text.strip().upper())
    if found is None or found[2] not in _UNITS:
        raise PlanError(f"--max-size is {text!r}.", "a number of bytes, or one with KB, MB, GB or TB, such as 500MB")
    return int(float(found[1]) * _UNITS[found[2]])
