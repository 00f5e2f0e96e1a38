"""`status`, which scripts and health checks ask for often.

Where it is asked for in plain words it is answered without the command line, whose building takes
longer than the answer. All else, from help to what is written wrongly, is for the command line; it
answers `status` through the same function.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from pointsman.config.database_path import database_path_of

DOTENV = Path(".env")
"""Read where it is there, unless --env-file names another."""
_TAKES_A_VALUE = ("--db", "--env-file")


def is_answered(words: Sequence[str]) -> bool:
    """Answer if the words ask for `status` plainly; False leaves it to the command line."""
    given = _plain(words)
    if given is None:
        return False
    env_file = Path(given["--env-file"]) if "--env-file" in given else None
    path = database_path_of(*places(env_file, given.get("--db")))
    if path is None:
        return False
    show(path, as_json="--json" in given)
    return True


def places(
    env_file: Path | None, db: Path | str | None
) -> tuple[Mapping[str, str], Path | None, dict[str, str]]:
    """Where settings are looked for: environment, `.env` and flags."""
    overrides = {} if db is None else {"DATABASE_PATH": str(db)}
    return os.environ, env_file or (DOTENV if DOTENV.exists() else None), overrides


def show(database: Path, *, as_json: bool) -> None:
    """Write the status of a database to standard output."""
    from pointsman.storage.reader import reading
    from pointsman.terminal.status import draw_status, read_status, status_document
    from pointsman.terminal.text import console, print_json

    with reading(database) as connection:
        found = read_status(connection, database)
    if as_json:
        print_json(status_document(found))
    else:
        console().print(draw_status(found))


def _plain(words: Sequence[str]) -> dict[str, str] | None:
    """The options of a plain `status` with their values, or None where it is anything else: an
    option given twice, a value that looks like an option, a word that is not known."""
    given: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        value = ""
        if word in _TAKES_A_VALUE:
            value = rest.pop(0) if rest else ""
            if not value or value.startswith("-"):
                return None
        elif word not in ("status", "--json"):
            return None
        if word in given:
            return None
        given[word] = value
    return given if "status" in given else None
