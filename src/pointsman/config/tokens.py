"""Who needs a token, and the tokens that a start makes for itself (RULES 36, 38, 57).

A caller of this machine needs none as long as no setting says that requests come from elsewhere. As
soon as one does, everybody needs one: a proxy or a tunnel may make every stranger look like a
caller of this machine. Where no token of any scope is set then, one for each scope and, where
WEBHOOK_TOKEN is not set, one for the webhook are made at the first start, in TOKENS_PATH or beside
the database, and read again at every later one. Invariants: the file is for its owner alone and
appears whole or not at all; a value is neither logged nor part of an error.
"""

import os
import secrets
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr

from pointsman.config.addresses import is_loopback
from pointsman.config.paths import fix_of_folder
from pointsman.config.problems import SettingProblem, SettingsError
from pointsman.config.settings import Settings
from pointsman.config.sources import SettingSource, read_dotenv
from pointsman.config.values import read_token

SCOPE_FIELDS = ("read_token", "signal_token", "control_token")
_FIELDS = (*SCOPE_FIELDS, "webhook_token")
_TOKEN_BYTES = 32


_SAY_ELSEWHERE = ("webhook_token", "webhook_secret", "http_allowed_hosts")
"""Settings that make sense only where requests come from other machines."""


class Tokens(NamedTuple):
    """Settings with tokens, the file that they were read from, None where there is none, and
    whether this start has made it."""

    settings: Settings
    path: Path | None
    is_new: bool


def with_tokens(settings: Settings, database: Path) -> Tokens:
    """The settings with the tokens of `tokens_file`, where they have none of their own.

    Raises SettingsError where the file cannot be made or used, and where HTTP would be served to
    other machines without the tokens that this takes.
    """
    path = tokens_file(settings, database)
    if path is None:
        _require_tokens(settings)
        return Tokens(settings, None, False)
    is_new = not os.path.lexists(path)
    if is_new:
        _make(path, [field for field in _FIELDS if getattr(settings, field) is None])
    return Tokens(_with(settings, path), path, is_new)


def check_tokens(settings: Settings, database: Path) -> None:
    """Refuse what `with_tokens` would refuse, and make nothing.

    Raises SettingsError.
    """
    path = tokens_file(settings, database)
    if path is None or os.path.lexists(path):
        with_tokens(settings, database)
    elif remedy := fix_of_folder(path.parent):
        raise _unusable(path, f"no tokens can be made there: {remedy}")


def tokens_file(settings: Settings, database: Path) -> Path | None:
    """The file with the tokens of an engine on `database`, whether it exists yet or not; None where
    tokens are set, or none are needed."""
    if has_token(settings):
        return None
    if settings.tokens_path is not None:
        return settings.tokens_path
    is_exposed = is_loopback(settings.http_host) and settings_that_say_elsewhere(settings)
    return default_tokens_path(database) if is_exposed else None


def with_made_tokens(settings: Settings, database: Path) -> Settings:
    """The settings of a command that asks the engine of `database`, with the tokens which that
    engine has made, if any; the command's own settings need not say why it made them.

    Raises SettingsError where the file is there and cannot be used.
    """
    path = settings.tokens_path or default_tokens_path(database)
    return settings if has_token(settings) or not path.exists() else _with(settings, path)


def default_tokens_path(database: Path) -> Path:
    """Where tokens are made if TOKENS_PATH does not say where."""
    return database.with_name(f"{database.name}.tokens")


def who_needs_a_token(settings: Settings) -> str:
    """One sentence for a person: who needs a token for HTTP, and why."""
    if has_token(settings) or settings.tokens_path is not None:
        return "every caller needs a token"
    if names := settings_that_say_elsewhere(settings):
        return f"every caller needs a token, because some are remote ({', '.join(names)})"
    return "callers on this machine need no token; set tokens before a proxy is used"


def settings_that_say_elsewhere(settings: Settings) -> list[str]:
    """The names of the settings by which requests are expected from other machines."""
    return [field.upper() for field in _SAY_ELSEWHERE if getattr(settings, field)]


def has_token(settings: Settings) -> bool:
    """Whether a token of any scope is set."""
    return any(getattr(settings, field) is not None for field in SCOPE_FIELDS)


def _require_tokens(settings: Settings) -> None:
    """Other machines are served only with tokens, one that may do everything among them."""
    host = settings.http_host
    if is_loopback(host) or settings.control_token is not None:
        return
    if has_token(settings):
        remedy = f"HTTP_HOST={host} serves other machines, and nobody there could rearm or flatten"
        raise SettingsError([SettingProblem("CONTROL_TOKEN", "", f"{remedy}; set it too")])
    remedy = (
        "other machines would be served without any token; set READ_TOKEN, SIGNAL_TOKEN and "
        "CONTROL_TOKEN, or TOKENS_PATH to have them made, or HTTP_HOST=127.0.0.1"
    )
    raise SettingsError([SettingProblem("HTTP_HOST", host, remedy)])


def _make(path: Path, fields: list[str]) -> None:
    """Make a token for each of the fields. A token that is set is not among them: a second one in
    the file would look as if it were in force.

    The file is written under another name first: it is there whole, or not at all.
    """
    lines = "".join(f"{field.upper()}={secrets.token_urlsafe(_TOKEN_BYTES)}\n" for field in fields)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        finally:
            draft.unlink()
    except FileExistsError:
        return  # another start was quicker: its tokens hold
    except OSError as error:
        why = fix_of_folder(path.parent) or f"{error.strerror}; name a file in another folder"
        raise _unusable(path, f"no tokens can be made there: {why}") from error


def _with(settings: Settings, path: Path) -> Settings:
    problems: list[SettingProblem] = []
    found = read_dotenv(path, problems, []).variables
    if problems:
        problem = problems[0]
        line = f"{problem.variable}: " if problem.where == str(path) else ""
        raise _unusable(path, f"{line}{problem.remedy}")
    fields = [field for field in _FIELDS if getattr(settings, field) is None]
    made: dict[str, SecretStr] = {}
    missing: list[str] = []
    for field in fields:
        name = field.upper()
        if field == "webhook_token" and name not in found:
            continue  # made while WEBHOOK_TOKEN was set: without it there is no webhook
        try:
            made[field] = read_token(found.get(name, ""))
        except ValueError:
            missing.append(name)
    if missing:
        names = ", ".join(missing)
        remedy = f"the file holds no usable {names}; remove it to have new tokens made"
        raise _unusable(path, remedy)
    sources = {**settings.sources, **{field.upper(): SettingSource.FILE for field in made}}
    found_settings = settings.model_copy(update={**made, "sources": sources})
    _require_distinct(found_settings, path)
    return found_settings


def _require_distinct(settings: Settings, path: Path) -> None:
    """The settings were compared with each other; what the file holds was not."""
    by_value: dict[SecretStr, str] = {}
    for field in (*_FIELDS, "webhook_secret"):
        secret = getattr(settings, field)
        if secret is not None and (other := by_value.setdefault(secret, field)) != field:
            names = f"{field.upper()} equals {other.upper()}"
            raise _unusable(path, f"{names}; give each a different value")


def _unusable(path: Path, remedy: str) -> SettingsError:
    return SettingsError([SettingProblem("TOKENS_PATH", str(path), remedy)])
