"""`config check` and `config show`: are the settings sound, and what is in force."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.text import Text

from pointsman.config.problems import SettingProblem
from pointsman.config.settings import Settings
from pointsman.config.sources import SettingSource
from pointsman.domain.accounts import VenueAccount
from pointsman.reading.documents import Document
from pointsman.terminal.tables import Column, Listing
from pointsman.terminal.text import printable


class ShownSetting(NamedTuple):
    """One setting as it is in force."""

    name: str
    value: str
    source: SettingSource


_SETTINGS = (
    Column("setting", lambda row: row.name),
    Column("value", lambda row: row.value, folds=True),
    Column("from", lambda row: Text(row.source.value, style="dim" if _is_default(row) else "cyan")),
)
_PROBLEMS = (
    Column("setting", lambda problem: Text(printable(problem.variable), style="bold red")),
    Column("value", lambda problem: problem.value or "(empty)", folds=True),
    Column("fix", lambda problem: problem.remedy, folds=True),
    Column("where", lambda problem: problem.where, folds=True),
)


def _is_default(row: ShownSetting) -> bool:
    return row.source is SettingSource.DEFAULT


def shown(settings: Settings) -> list[ShownSetting]:
    """Every setting, secrets masked."""
    return [ShownSetting(*row) for row in settings.shown()]


def draw_settings(settings: Settings) -> RenderableType:
    """The settings for a person."""
    return Listing("Settings", _SETTINGS, shown(settings))


def settings_document(settings: Settings) -> list[Document]:
    """The settings for programs."""
    return [
        {"name": row.name, "value": row.value, "source": row.source.value}
        for row in shown(settings)
    ]


def access_notes(settings: Settings) -> list[str]:
    """What a calendar does not know, who needs a token for HTTP under these settings, and where
    made tokens stand."""
    from pointsman.config.tokens import tokens_file, who_needs_a_token

    calendar = settings.trading_hours().unknown_at(time.time_ns())
    notes = [calendar] if calendar else []
    account = VenueAccount(settings.venue, "", settings.venue_sandbox, settings.is_shadow)
    notes += [] if account.is_paper else [f"venue: trades on {account.label}"]
    notes += [f"http: {who_needs_a_token(settings)}"]
    path = tokens_file(settings, settings.database_path)
    if path is not None:
        stand = "tokens are read from" if path.exists() else "the first start makes tokens in"
        notes.append(f"http: {stand} {path}")
    return notes


def draw_problems(problems: Sequence[SettingProblem]) -> RenderableType:
    """What has to be repaired, one row a problem."""
    count = len(problems)
    title = f"{count} setting{'s' if count > 1 else ''} cannot be used"
    return Group(Listing(title, _PROBLEMS, problems))


def problems_document(
    problems: Sequence[SettingProblem], warnings: Sequence[str], notes: Sequence[str] = ()
) -> Document:
    """What has to be repaired, looked at and known, for programs."""
    return {
        "ok": not problems,
        "problems": [
            {
                "variable": problem.variable,
                "value": problem.value,
                "remedy": problem.remedy,
                "where": problem.where,
            }
            for problem in problems
        ],
        "warnings": list(warnings),
        "notes": list(notes),
    }
