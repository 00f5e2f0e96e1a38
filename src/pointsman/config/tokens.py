"""Tokens that a start makes for itself, so that nobody is served without one (RULES 36, 38).

Where TOKENS_PATH is set and no token of any scope is, one for each scope and one for the webhook
are made at the first start, and read again at every later one. What always holds: the file is for
its owner alone and appears whole or not at all; a value is neither logged nor part of an error.
"""

import os
import secrets
from errno import EACCES, ENOENT
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import msgspec
from pydantic import SecretStr

from pointsman.config.problems import Problem, SettingsError
from pointsman.config.settings import Settings
from pointsman.config.sources import Source, read_dotenv
from pointsman.config.values import read_token

SCOPE_FIELDS = ("read_token", "signal_token", "control_token")
_FIELDS = (*SCOPE_FIELDS, "webhook_token")
_TOKEN_BYTES = 32


class Tokens(NamedTuple):
    """Settings with tokens, the file that they were read from, None where there is none, and
    whether this start has made it."""

    settings: Settings
    path: Path | None
    is_new: bool


def with_tokens(settings: Settings) -> Tokens:
    """The settings with the tokens of TOKENS_PATH, where they have none of their own.

    Raises SettingsError where the file cannot be made or used, and where HTTP would be served to
    others than this machine without any token.
    """
    path = settings.tokens_path
    if path is None or has_token(settings):
        _require_a_token(settings)
        return Tokens(settings, None, False)
    is_new = not path.exists()
    if is_new:
        _make(path)
    return Tokens(_with(settings, path), path, is_new)


def check_tokens(settings: Settings) -> None:
    """Refuse what `with_tokens` would refuse, and make nothing.

    Raises SettingsError.
    """
    path = settings.tokens_path
    if path is None or path.exists() or has_token(settings):
        with_tokens(settings)
    elif not os.access(path.parent, os.W_OK):
        raise _no_place(path, EACCES if path.parent.is_dir() else ENOENT)


def has_token(settings: Settings) -> bool:
    """Whether a token of any scope is set."""
    return any(getattr(settings, field) is not None for field in SCOPE_FIELDS)


def is_loopback(host: str) -> bool:
    """Whether an address or name is this machine's own, out of reach for any other."""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _require_a_token(settings: Settings) -> None:
    if is_loopback(settings.http_host) or has_token(settings):
        return
    remedy = (
        "other machines would be served without any token; set READ_TOKEN, SIGNAL_TOKEN and "
        "CONTROL_TOKEN, or TOKENS_PATH to have them made, or HTTP_HOST=127.0.0.1"
    )
    raise SettingsError([_problem(settings, "HTTP_HOST", settings.http_host, remedy)])


def _make(path: Path) -> None:
    """Write the file under another name first: it is there whole, or not at all."""
    lines = "".join(f"{field.upper()}={secrets.token_urlsafe(_TOKEN_BYTES)}\n" for field in _FIELDS)
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
        raise _no_place(path, error.errno or ENOENT) from error


def _with(settings: Settings, path: Path) -> Settings:
    problems: list[Problem] = []
    found = read_dotenv(path, problems, []).variables
    if problems:
        raise SettingsError([msgspec.structs.replace(problems[0], variable="TOKENS_PATH")])
    fields = [field for field in _FIELDS if getattr(settings, field) is None]
    made: dict[str, SecretStr] = {}
    for field in fields:
        name = field.upper()
        try:
            made[field] = read_token(found.get(name, ""))
        except ValueError:
            remedy = f"{name} is not in it, or is no token; remove the file to have new ones made"
            raise _unusable(path, remedy) from None
    sources = {**settings.sources, **{field.upper(): Source.FILE for field in fields}}
    return settings.model_copy(update={**made, "sources": sources})


def _no_place(path: Path, error_number: int) -> SettingsError:
    why = os.strerror(error_number)
    return _unusable(path, f"no tokens can be made there ({why}); name a file in a folder of ours")


def _unusable(path: Path, remedy: str) -> SettingsError:
    return SettingsError([Problem("TOKENS_PATH", str(path), remedy, f"file {path}")])


def _problem(settings: Settings, name: str, value: str, remedy: str) -> Problem:
    return Problem(name, value, remedy, str(settings.sources.get(name, Source.DEFAULT)))
