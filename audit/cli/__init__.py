"""The command ``audit``: data to stdout, progress to stderr, exit code 2 for the user's own mistakes."""

from audit.cli.cohorts import cohort_import, cohort_labels
from audit.cli.commands import app, cohort_app
from audit.cli.gate import gate
from audit.cli.probe import probe
from audit.cli.terminal import stderr
from audit.errors import AuditError
from audit.writing import writing

app.command()(gate)
cohort_app.command("import")(cohort_import)
cohort_app.command("labels")(cohort_labels)
app.command()(probe)


def main() -> None:
    """Run the command; the user's own mistakes end with exit code 2 and no traceback."""
    try:
        with writing("The output"):
            app()
    except AuditError as error:
        stderr.print("error", style="bold red", end=" ")
        stderr.print(error.found, markup=False)
        for word, text in (("allowed", error.allowed), ("next", error.next_step)):
            if text:
                stderr.print(f"  {word}: {text}", markup=False)
        raise SystemExit(2) from None
