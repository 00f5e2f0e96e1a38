"""What would prevent a start, found before anything is opened or made.

One pass over every layer: each setting by itself, the limits of single VAs, and what the settings
name: the tokens and the host that is served with them, the addresses of notices, the instruments
file, the database and the kill file. `config check` and `run` refuse with the same problems, all of
them at once.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from pointsman.config.instruments import load_instruments
from pointsman.config.paths import fix_of_database, fix_of_kill_file
from pointsman.config.problems import SettingProblem, SettingsError
from pointsman.config.quote_settings import quote_settings
from pointsman.config.settings import GivenSettings, LoadedSettings
from pointsman.config.tokens import check_tokens
from pointsman.config.venue_settings import venue_problems
from pointsman.service.notifications import sender_to


def checked(
    given: GivenSettings,
    database: Path | None,
    *,
    is_served: bool,
    quotes_of: str = "",
) -> LoadedSettings:
    """The settings of a start. `database` is None where a run makes a new folder for it;
    `is_served` says whether the run serves HTTP and sends notices, and `quotes_of` names the venue
    whose live quotes it trades on, where it is one's.

    Raises SettingsError with every problem at once.
    """
    settings, problems = given.settings, list(given.problems)

    def check(names: set[str], look: Callable[[], object]) -> None:
        """Look, unless one of the settings that it depends on cannot be used."""
        if names & given.at_fault:
            return
        try:
            look()
        except SettingsError as error:
            problems.extend(_placed(given, problem) for problem in error.problems)

    def look_at(name: str, path: Path, fix: Callable[[Path], str]) -> None:
        if remedy := fix(path):
            raise SettingsError([SettingProblem(name, str(path), remedy)])

    if is_served:
        tokens_beside = database or settings.database_path
        check({"HTTP_HOST", "TOKENS_PATH"}, lambda: check_tokens(settings, tokens_beside))
        check({"NOTIFY_URLS"}, lambda: sender_to(settings.notify_urls))
    if (file := settings.instruments_file) is not None:
        check({"INSTRUMENTS_FILE"}, lambda: load_instruments(file))
    if (path := database) is not None:
        check({"DATABASE_PATH"}, lambda: look_at("DATABASE_PATH", path, fix_of_database))
    if (kill_file := settings.kill_switch_file) is not None:
        check(
            {"KILL_SWITCH_FILE"}, lambda: look_at("KILL_SWITCH_FILE", kill_file, fix_of_kill_file)
        )
    problems += [_placed(given, problem) for problem in venue_problems(settings, given.at_fault)]
    if quotes_of:
        names = {"VENUE", "SYMBOLS", "VENUE_DATA_URL", "VENUE_KEY", "VENUE_SECRET"}
        check(names, lambda: quote_settings(settings, quotes_of))
    if problems:
        raise SettingsError(problems, given.warnings)
    return given.loaded()


def _placed(given: GivenSettings, problem: SettingProblem) -> SettingProblem:
    """The problem of a setting with the place where the setting stood."""
    if problem.where:
        return problem
    return msgspec.structs.replace(problem, where=given.places.get(problem.variable, "default"))
