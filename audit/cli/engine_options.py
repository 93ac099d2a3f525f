"""The options of ``audit run`` about where and how a run is computed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from audit.core.addresses import place

NumCpus = Annotated[float | None, Option(help="The CPUs that one actor of Ray claims; 1 without it.")]
NumGpus = Annotated[float | None, Option(help="The GPUs that one actor of Ray claims; 0.5 places two actors on a GPU.")]
CachePlace = Annotated[
    str | None,
    Option(help="Where renderings and readings are kept for other runs: beside the run, none, a folder or an address."),
]
RunPlace = Annotated[
    Path | None,
    Option(
        "-o", "--out", metavar="<path>", help="The run's folder; a new one under reports/ without it.", parser=place
    ),
]
KeysPlace = Annotated[
    str | None, Option(help="Where the secret keys of the pictures' names are: beside the run, or a folder.")
]
Shared = Annotated[
    bool, Option("--shared", help="Let other users of this machine read the run's folder; otherwise it is private.")
]
Share = Annotated[
    float,
    Option(min=0, max=1, help="Share of the cache's answers to compute again and compare, such as 0.02."),
]
OtherCode = Annotated[
    bool,
    Option(
        "--continue-with-other-code",
        help="Resume a run that other code or package versions have begun. The gate does not admit it by default.",
    ),
]
