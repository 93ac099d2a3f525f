"""The command ``audit``: data on stdout, progress on stderr, exit code 2 for user errors."""

import sys
from collections.abc import Iterable

from audit.cli.cohorts import cohort_check, cohort_import, cohort_labels
from audit.cli.commands import compare, list_names, simulate, track, train
from audit.cli.gate import gate
from audit.cli.probe import probe
from audit.cli.runs import measure, report, run, sheet
from audit.cli.terminal import stderr
from audit.cli.verbs import app, cohort_app, verb
from audit.core.errors import AuditError
from audit.core.files import writing

verb(run, "run", "Audit a model")
verb(measure, "measure", "Audit a model")
verb(report, "report", "Audit a model")
verb(sheet, "sheet", "Audit a model")
verb(probe, "probe", "Audit a model")
verb(compare, "compare", "Decide")
verb(gate, "gate", "Decide")
verb(track, "track", "Decide")
verb(simulate, "simulate", "Prepare")
verb(train, "train", "Prepare")
verb(list_names, "list", "Prepare")
verb(cohort_check, "check", of=cohort_app)
verb(cohort_import, "import", of=cohort_app)
verb(cohort_labels, "labels", of=cohort_app)
app.add_typer(cohort_app, name="cohort", rich_help_panel="Prepare")


def main() -> None:
    """Run the command; user errors end with exit code 2 and no traceback."""
    try:
        _refuse_undecodable(sys.argv[1:])
        with writing("A file or folder", reads=True):
            app()
    except AuditError as error:
        stderr.quiet = False
        stderr.print("error", style="bold red", end=" ")
        stderr.print(error.found, markup=False)
        for word, text in (("allowed", error.allowed), ("next", error.next_step)):
            if text:
                stderr.print(f"  {word}: {text}", markup=False)
        raise SystemExit(2) from None


def _refuse_undecodable(words: Iterable[str]) -> None:
    """Reject arguments that are not UTF-8, since Parquet, JSON and reports cannot contain them."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            found = f"{word.encode(errors='surrogateescape')!r} is not UTF-8."
            raise AuditError(found, "names in UTF-8", "Rename the file or folder.") from None
