"""What a verb says at its end: its answer on standard output, in words or as one JSON document, and
what is wrong on standard error, with the exit code."""

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
