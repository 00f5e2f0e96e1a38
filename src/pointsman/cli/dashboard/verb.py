"""`pointsman dashboard`: the terminal that it needs, the database that it reads."""

import os
import sys

import typer

from pointsman.cli.exits import ExitCode
from pointsman.cli.options import Options, read_settings, reading, takes_options


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("dashboard")(takes_options(dashboard))


def dashboard(options: Options) -> None:
    """Watch and steer a running engine."""
    settings = read_settings(options).settings
    if not _is_on_a_terminal():
        sys.stderr.write(
            "pointsman: the dashboard needs a terminal; `pointsman status` says what is without\n"
        )
        raise typer.Exit(ExitCode.USAGE)
    with reading(settings.database_path):
        pass  # a database that cannot be read is said here, while the terminal is still a plain one
    from pointsman.cli.dashboard.app import Dashboard
    from pointsman.cli.dashboard.source import link_to

    is_colourless = "NO_COLOR" in os.environ
    Dashboard(link_to(settings), is_colourless=is_colourless).run()


def _is_on_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()
