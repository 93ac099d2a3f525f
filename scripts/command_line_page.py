"""Write docs/reference/command-line.md: the help of every verb, as the command prints it.

python scripts/command_line_page.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

from typer.testing import CliRunner

from audit.cli import app

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "command-line.md"
VERBS = ("run", "measure", "report", "compare", "gate", "probe", "sheet", "simulate", "train", "track", "list",
         "cohort import", "cohort draw", "cohort check", "cohort labels")  # fmt: skip
HEAD = """# The command line

Data goes to stdout, progress to stderr. Exit codes: 0 done; 1 crash; 2 wrong usage, plan, policy or input. The gate
also has 10 breach shown, 11 inconclusive, 12 instrument not valid, 13 run incomplete.
`audit --install-completion` installs completion for your shell. `python scripts/command_line_page.py` generates this
page; a test compares it with the output of the command.
"""


def help_of(*words: str) -> str:
    """What ``audit WORDS --help`` prints, 100 columns wide and without colours."""
    plain = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb", "TERMINAL_WIDTH": "100"}
    unset = dict.fromkeys(("FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS"))
    done = CliRunner(env={**plain, **unset}).invoke(app, [*words, "--help"], prog_name="audit", catch_exceptions=False)
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


def page() -> str:
    """The whole page."""
    parts = [HEAD, f"## audit\n\n```text\n{help_of()}\n```\n"]
    parts += [f"## audit {verb}\n\n```text\n{help_of(*verb.split())}\n```\n" for verb in VERBS]
    return "\n".join(parts)


def main() -> None:
    """Write the page, or fail if it differs from what the command prints."""
    made = page()
    if "--check" in sys.argv[1:]:
        if PAGE.read_text(encoding="utf-8") != made:
            raise SystemExit(
                f"{PAGE.name} differs from what the command prints. Next: python scripts/command_line_page.py"
            )
        return
    PAGE.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
