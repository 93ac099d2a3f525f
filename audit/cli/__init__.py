"""The command ``audit``: data on stdout, progress on stderr, exit code 2 for user errors."""

import os
import sys
from collections.abc import Callable
from typing import Final, NoReturn

from audit.cli.annotate import cohort_annotate
from audit.cli.attest import attest
from audit.cli.cache import cache_info, cache_prune
from audit.cli.cohorts import cohort_check, cohort_import, cohort_labels
from audit.cli.commands import compare, list_names, simulate, track, train
from audit.cli.draw import cohort_draw
from audit.cli.forget import forget
from audit.cli.gate import gate
from audit.cli.history import history
from audit.cli.identify import cohort_identify
from audit.cli.probe import probe
from audit.cli.reading import read
from audit.cli.runs import measure, report, run, sheet
from audit.cli.sweep import sweep
from audit.cli.terminal import stderr
from audit.cli.verbs import app, cache_app, cohort_app, verb
from audit.core.errors import AuditError
from audit.core.files import writing
from audit.core.installation import not_installed

_VERBS: Final[dict[str, dict[str, Callable[..., None]]]] = {
    "Audit a model": {
        "run": run,
        "measure": measure,
        "report": report,
        "read": read,
        "sheet": sheet,
        "probe": probe,
        "sweep": sweep,
    },
    "Decide": {"compare": compare, "history": history, "gate": gate, "attest": attest, "track": track},
    "Prepare": {"forget": forget, "simulate": simulate, "train": train, "list": list_names},
}
"""The verbs by their panel in the help."""

for _panel, _verbs in _VERBS.items():
    for _name in _verbs:
        verb(_verbs[_name], _name, _panel)
verb(cohort_annotate, "annotate", of=cohort_app)
verb(cohort_check, "check", of=cohort_app)
verb(cohort_draw, "draw", of=cohort_app)
verb(cohort_identify, "identify", of=cohort_app)
verb(cohort_import, "import", of=cohort_app)
verb(cohort_labels, "labels", of=cohort_app)
app.add_typer(cohort_app, name="cohort", rich_help_panel="Prepare")
verb(cache_info, "info", of=cache_app)
verb(cache_prune, "prune", of=cache_app)
app.add_typer(cache_app, name="cache", rich_help_panel="Prepare")


def main() -> None:
    """Run the command; user errors end with exit code 2 and no traceback.

    Arguments that are not UTF-8 are rejected, since Parquet, JSON and reports cannot contain them.
    """
    try:
        for argument in sys.argv[1:]:
            try:
                argument.encode()
            except UnicodeEncodeError:
                found = f"{os.fsencode(argument)!r} is not UTF-8."
                raise AuditError(found, "names in UTF-8", "Rename the file or folder.") from None
        with writing("A file or folder", reads=True):
            app()
    except MemoryError as error:
        _end(
            AuditError(
                f"There is not enough memory: {' '.join(str(error).split())[:200] or 'an allocation failed'}.",
                "a machine, container or limit (ulimit -v) with more memory",
                "Repeat the command with fewer --workers or smaller parts; a run continues where it stopped.",
            )
        )
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        found = f"A file or folder cannot be used: {error.strerror or error}{where}."
        _end(AuditError(found, "files and folders that exist and that this user may read"))
    except ModuleNotFoundError as error:
        words = 2 if sys.argv[1:2] == ["cohort"] else 1
        mistake = not_installed(error, " ".join(["audit", *sys.argv[1 : 1 + words]]))
        if mistake is None:
            raise
        _end(mistake)
    except AuditError as error:
        _end(error)


def _end(error: AuditError) -> NoReturn:
    """Print the error and end with 2."""
    stderr.quiet = False
    stderr.print("error", style="bold red", end=" ")
    stderr.print(error.found, markup=False)
    for word, text in (("allowed", error.allowed), ("next", error.next_step)):
        if text:
            stderr.print(f"  {word}: {text}", markup=False)
    raise SystemExit(2) from None
