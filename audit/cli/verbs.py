"""The Typer apps, and the options that several commands share."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Annotated, Any, Final

import typer
from typer import Argument, Option

import audit
from audit.cli.terminal import give, only_data_on_stdout, speak
from audit.core.addresses import place, refuse_address

app: Final = typer.Typer(
    help="Bias and fairness audits for models that reconstruct a face from a voice.\n\n"
    "Begin with [bold]audit run[/bold]: it audits the embedded demonstration and writes a report.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
cache_app: Final = typer.Typer(help="Look at and prune caches of renderings and readings.", no_args_is_help=True)
cohort_app: Final = typer.Typer(help="Make and check cohorts.", no_args_is_help=True)

AsJson = Annotated[bool, Option("--json", help="Print JSON, and nothing else on stdout.")]
RunFolder = Annotated[Path, Argument(metavar="RUN", help="The folder of a run.", parser=place)]
ShowFaces = Annotated[bool, Option("--show-faces", help="Show the faces of real people in the report.")]
ShowIds = Annotated[bool, Option("--show-ids", help="Name speakers and clips in report and tables, not by pseudonyms.")]
By = Annotated[
    list[str] | None,
    Option(
        "--by",
        metavar="COLUMN",
        help="Group the speakers by a column too, or by several that are crossed: 'accent x gender'. Repeatable.",
    ),
]
FrontMatterFile = Annotated[
    Path | None,
    Option(
        "--front-matter",
        metavar="FILE",
        help="Take the front matter from the section \\[audit] of a TOML file; nothing is rendered again.",
    ),
]
OnDevice = Annotated[
    str | None,
    Option("--device", metavar="DEVICE", help="auto (the first GPU, or else the CPU), cpu, cuda, cuda:1 or mps."),
]
SuppressBelow = Annotated[
    int | None,
    Option("--suppress-below", metavar="K", min=0, max=1000, help="Leave out figures of fewer speakers; 5 is usual."),
]

_VERBOSITY: Final = {
    "quiet": Annotated[bool, Option("--quiet", "-q", help="Say nothing on stderr but errors.")],
    "verbose": Annotated[bool, Option("--verbose", "-v", help="Say each step on stderr, with its seconds.")],
}


@app.callback(invoke_without_command=True)
def _options(version: Annotated[bool, Option("--version", help="Show the version and stop.")] = False) -> None:
    if version:
        give(audit.__version__)
        raise typer.Exit


def verb(function: Callable[..., None], name: str, panel: str | None = None, *, of: typer.Typer = app) -> None:
    """Register a function as a command, with ``--quiet`` and ``--verbose``."""

    @functools.wraps(function)
    def command(*, quiet: bool, verbose: bool, **words: Any) -> None:
        speak(quiet=quiet, verbose=verbose)
        for word, value in words.items():
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, PurePath):  # those that may be an address are read by place()
                    refuse_address(each, f"The {word.replace('_', ' ')} of audit {name}")
        with only_data_on_stdout():
            function(**words)

    signature = inspect.signature(function, eval_str=True)
    verbosity = [
        inspect.Parameter(word, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind)
        for word, kind in _VERBOSITY.items()
    ]
    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in signature.parameters.values()]
    command.__signature__ = signature.replace(parameters=[*parameters, *verbosity])  # type: ignore[attr-defined]  # read by inspect
    of.command(name, rich_help_panel=panel)(command)
