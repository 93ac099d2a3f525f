"""The command ``audit``: data to stdout, progress to stderr, exit code 2 for the user's own mistakes."""

from audit.cli.commands import app
from audit.cli.gate import gate
from audit.cli.probe import probe
from audit.cli.terminal import stderr
from audit.errors import AuditError

app.command()(gate)
app.command()(probe)


def main() -> None:
    """Run the command; the user's own mistakes end with exit code 2 and no traceback."""
    try:
        app()
    except AuditError as error:
        stderr.print(f"[bold red]error[/bold red] {error.found}")
        for word, text in (("allowed", error.allowed), ("next", error.next_step)):
            if text:
                stderr.print(f"  {word}: {text}", markup=False)
        raise SystemExit(2) from None
