"""The program: its streams, what it says when it fails, and its exit code.

The command line takes longer to build than a look at the database takes, so it is loaded only where
what is asked is not plain without.
"""

import os
import sys
from contextlib import suppress

from pointsman.cli import status_verb, streams
from pointsman.config.problems import SettingsError
from pointsman.engine.exit_codes import ExitCode
from pointsman.storage.errors import (
    CorruptDatabase,
    DatabaseBusy,
    NewerSchema,
    StorageError,
)

PRIVATE = 0o077
"""No file that a verb makes is readable by others: they hold what somebody trades."""

_WORDS = {"help": "--help", "version": "--version"}
"""Verbs that people try, and what they mean."""


def main() -> int:
    """Run the command line on `sys.argv`; gives the exit code."""
    if not __debug__:
        sys.stderr.write(
            "pointsman: its assertions are part of its safety: run Python without -O, "
            "and unset PYTHONOPTIMIZE\n"
        )
        return ExitCode.FAILURE
    os.umask(PRIVATE)
    streams.open_all()
    try:
        code = _run()
        sys.stdout.flush()
    except OSError as error:
        with suppress(OSError):
            sys.stderr.write(f"pointsman: {_told_of(error)}\n")
        streams.discard_output()
        return ExitCode.FAILURE
    return code


def _run() -> int:
    if len(sys.argv) == 2:
        sys.argv[1] = _WORDS.get(sys.argv[1], sys.argv[1])
    try:
        if not status_verb.is_answered(sys.argv[1:]):
            from pointsman.cli.command_line import app

            app(prog_name="pointsman")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.OK
    except SettingsError as error:
        _tell_problems(error)
        return ExitCode.SETTINGS
    except StorageError as error:
        sys.stderr.write(f"pointsman: {error}\n")
        return _code_of(error)
    return ExitCode.OK


def _told_of(error: OSError) -> str:
    """The file, what is wrong with it, and what to do where that is known."""
    if error.filename is None or error.strerror is None:
        return str(error)
    if isinstance(error, PermissionError):
        return f"user {os.getuid()} may not use {error.filename}; give that user access to it"
    return f"{error.filename}: {error.strerror}"


def _code_of(error: StorageError) -> ExitCode:
    if isinstance(error, CorruptDatabase | NewerSchema):
        return ExitCode.DATABASE
    return ExitCode.BUSY if isinstance(error, DatabaseBusy) else ExitCode.FAILURE


def _tell_problems(error: SettingsError) -> None:
    from pointsman.cli.config_view import draw_problems
    from pointsman.terminal.text import console, printable

    for warning in error.warnings:
        sys.stderr.write(f"warning: {printable(warning)}\n")
    console(is_error=True).print(draw_problems(error.problems))
