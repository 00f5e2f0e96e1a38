"""The path of the database alone.

Invariant: no other setting is in the way of it, and none is looked at: who needs no more than the
path, to look at the database or to kill, neither fails over the others nor waits for them.
"""

from collections.abc import Mapping
from pathlib import Path

from pointsman.config.problems import SettingProblem
from pointsman.config.sources import find, layers_of
from pointsman.config.values import read_path

DEFAULT_DATABASE = "trading.db"
_DATABASE_PATH = "DATABASE_PATH"
_SAY_THE_PATH = (_DATABASE_PATH, f"{_DATABASE_PATH}_FILE", "--env-file")
"""What a problem is named by where the path of the database may be other than it seems."""


def database_path_of(
    env: Mapping[str, str], env_file: Path | None, overrides: Mapping[str, str]
) -> Path | None:
    """The path of the database, whatever is wrong with all other settings; None where that which
    should say it cannot be read."""
    problems: list[SettingProblem] = []
    entry = find(_DATABASE_PATH, layers_of(env, env_file, overrides, problems, []), problems)
    if entry is None:
        is_told = any(problem.variable in _SAY_THE_PATH for problem in problems)
        return None if is_told else Path(DEFAULT_DATABASE)
    try:
        return read_path(entry.text)
    except ValueError:
        return None
