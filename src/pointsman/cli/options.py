"""The options that every verb takes, before it and after it, and what they lead to.

`@takes_options` gives a command its `Options` as first argument; what stands after the verb wins
over what stands before it. Settings are read only by a verb that needs them, since that takes
longer than all else that a start does.
"""

import inspect
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

if TYPE_CHECKING:
    from pointsman.config.settings import Loaded

DOTENV = Path(".env")
"""Read where it is there, unless --env-file names another."""


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


def flag(text: str, *names: str) -> Any:
    """An option that takes no value. A type is shown beside every other one; here it would
    mislead."""
    return typer.Option(*names, metavar="", help=text)


def _common(
    context: typer.Context,
    env_file: Annotated[
        Path | None, typer.Option("--env-file", metavar="FILE", help="Settings, instead of .env.")
    ] = None,
    db: Annotated[
        Path | None, typer.Option("--db", metavar="PATH", help="Database, for DATABASE_PATH.")
    ] = None,
    as_json: Annotated[bool, flag("One JSON document on stdout.", "--json")] = False,
    is_verbose: Annotated[bool, flag("Say more.", "--verbose", "-v")] = False,
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


def read_settings(options: Options, flags: Mapping[str, str] | None = None) -> "Loaded":
    """The settings of this run; `flags` are further ones from the command line, by setting name.

    Raises SettingsError with every problem at once.
    """
    from pointsman.config.settings import load_settings

    env_file = options.env_file or (DOTENV if DOTENV.exists() else None)
    overrides = {} if options.db is None else {"DATABASE_PATH": str(options.db)}
    return load_settings(os.environ, env_file, {**overrides, **(flags or {})})


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection that sees one moment of the database, whatever an engine commits
    meanwhile.

    Raises what `open_reader` raises.
    """
    from pointsman.storage.reader import open_reader

    with closing(open_reader(path)) as connection:
        connection.execute("BEGIN")
        yield connection
