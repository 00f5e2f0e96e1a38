"""What a verb says at its end: its answer on standard output, in words or as one JSON document, and
what is wrong on standard error, with the exit code."""

import sqlite3
import sys
from typing import Any, NoReturn

import typer

from pointsman.cli.options import Options
from pointsman.engine.exit_codes import ExitCode


def tell(options: Options, document: dict[str, Any], *lines: str) -> None:
    """The answer, to a program or to a person."""
    from pointsman.terminal.text import print_json, printable

    if options.as_json:
        print_json(document)
        return
    for line in lines:
        typer.echo(printable(line))


def complain(text: str) -> None:
    """What a person should know beside the answer."""
    sys.stderr.write(f"pointsman: {text}\n")


def fail(text: str, code: int = ExitCode.FAILURE) -> NoReturn:
    """Say what is wrong, and end."""
    complain(text)
    raise typer.Exit(code)


def note_unknown_account(connection: sqlite3.Connection, va_id: str | None) -> None:
    """Beside a list of nothing: that it is of an account that there is not."""
    from pointsman.engine.requests import no_account
    from pointsman.storage import reader

    known = [account.va_id for account in reader.accounts(connection)]
    if va_id is not None and va_id not in known:
        complain(no_account(va_id, known))
