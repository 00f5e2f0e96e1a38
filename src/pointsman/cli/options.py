"""The options that every verb takes, before it and after it, and what they lead to.

`@takes_options` gives a command its `Options` as first argument; what stands after the verb wins
over what stands before it. Settings are read only by a verb that needs them, since that takes
longer than all else that a start does. A verb that needs no more of them than where the database is
continues without those that cannot be used: no setting prevents a kill or a read.
"""

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from pointsman.cli.status_verb import places
from pointsman.config.database_path import database_path_of

if TYPE_CHECKING:
    from pointsman.config.settings import GivenSettings, LoadedSettings, Settings


class Options(msgspec.Struct, frozen=True):
    """What every verb understands. `as_json`: one JSON document on standard output, all else on
    standard error."""

    env_file: Path | None = None
    db: Path | None = None
    as_json: bool = False
    is_verbose: bool = False

    def over(self, earlier: "Options") -> "Options":
        """These, and where one is not given, that of `earlier`."""
        return Options(
            self.env_file or earlier.env_file,
            self.db or earlier.db,
            self.as_json or earlier.as_json,
            self.is_verbose or earlier.is_verbose,
        )


def path_option(name: str, metavar: str, text: str) -> Any:
    """An option with a path. Whether it can be used is for the verb to say, in its own words."""
    return typer.Option(name, metavar=metavar, help=text, readable=False)


def whole_option(name: str, metavar: str, text: str, least: int, most: int = 999_999_999) -> Any:
    """An option with a whole number in a range."""

    def parse(given: object) -> int:
        written = str(given)
        try:
            value = int(written)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise typer.BadParameter(
                f"{written}: write a whole number from {least} to {most}", param_hint=name
            )
        return value

    return typer.Option(name, metavar=metavar, help=text, parser=parse)


def flag(text: str, *names: str) -> Any:
    """An option that takes no value. A type is shown beside every other one; here it would
    mislead."""
    return typer.Option(*names, metavar="", help=text)


def _common(
    context: typer.Context,
    env_file: Annotated[
        Path | None, path_option("--env-file", "FILE", "Settings file, instead of .env.")
    ] = None,
    db: Annotated[Path | None, path_option("--db", "PATH", "Database, for DATABASE_PATH.")] = None,
    as_json: Annotated[bool, flag("One JSON document on stdout.", "--json")] = False,
    is_verbose: Annotated[
        bool, flag("Also warn of what in the settings is odd.", "--verbose", "-v")
    ] = False,
) -> Options:
    """The options of one level of the command line, over those of the level before. They are kept
    in the context for the next one."""
    given = Options(env_file, db, as_json, is_verbose)
    merged = given.over(context.obj) if isinstance(context.obj, Options) else given
    context.obj = merged
    return merged


def takes_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """A command whose first parameter is `Options`; to typer it takes the common ones as well. One
    that has a `context` too is given it."""
    common = inspect.signature(_common, eval_str=True).parameters
    _, *all_own = inspect.signature(function, eval_str=True).parameters.values()
    own = [parameter for parameter in all_own if parameter.name not in common]

    def command(**given: Any) -> Any:
        shared = {name: given.pop(name) for name in common}
        if len(own) < len(all_own):
            given["context"] = shared["context"]
        return function(_common(**shared), **given)

    parameters = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in (*own, *common.values())
    ]
    command.__name__, command.__doc__ = function.__name__, function.__doc__
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # as PEP 362
    return command


def settings_given(options: Options) -> "GivenSettings":
    """The settings of this command, with what is wrong with them."""
    from pointsman.config.settings import read_given

    return read_given(*places(options.env_file, options.db))


def read_settings(options: Options) -> "LoadedSettings":
    """The settings of this command. Raises SettingsError with every problem at once."""
    return settings_given(options).loaded()


def usable_settings(options: Options) -> "Settings":
    """The settings for a verb that needs only the path of the database. Where some cannot be used
    it gets a warning, and has that path and the defaults.

    Raises SettingsError where what says the path cannot be read.
    """
    from pointsman.config.problems import SettingsError
    from pointsman.config.settings import resolve_settings

    try:
        loaded = read_settings(options)
    except SettingsError as error:
        path = database_path_of(*places(options.env_file, options.db))
        if path is None:
            raise
        names = [problem.variable for problem in error.problems]
        count = f"{len(names)} setting{'' if len(names) == 1 else 's'}"
        _warn(
            f"{count} cannot be used ({', '.join(names)}); continuing without, on {path}; "
            "`pointsman config check` says how to fix them"
        )
        return resolve_settings({}, None, {"DATABASE_PATH": str(path)}).settings
    if options.is_verbose:
        for warning in loaded.warnings:
            _warn(warning)
    return loaded.settings


def database_of(options: Options) -> Path:
    """The path of the database, as `usable_settings` finds it."""
    return usable_settings(options).database_path


def path_alone(options: Options) -> Path:
    """The path of the database, whatever the other settings are: they are neither read nor warned
    of, except with --verbose.

    Raises SettingsError where what says the path cannot be read.
    """
    path = database_path_of(*places(options.env_file, options.db))
    return database_of(options) if path is None or options.is_verbose else path


def _warn(text: str) -> None:
    from pointsman.terminal.text import printable

    sys.stderr.write(f"warning: {printable(text)}\n")
