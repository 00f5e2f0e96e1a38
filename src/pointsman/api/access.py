"""Who may do what: three scopes of bearer tokens (RULES 36).

What always holds: tokens are compared in constant time, all of them each time; without any token
only callers on this machine are served, and they may do everything.
"""

import hmac
from collections.abc import Callable, Coroutine, Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr
from starlette.datastructures import Headers

from pointsman.api.problems import Problem
from pointsman.config.settings import Settings
from pointsman.config.tokens import is_loopback


class Scope(StrEnum):
    """What a token lets its bearer do. CONTROL includes both others."""

    READ = "read"
    SIGNAL = "signal"
    CONTROL = "control"


class Caller(NamedTuple):
    """Who asks: a few words for the record, and what they may do."""

    by: str
    scopes: frozenset[Scope]


ANYONE = frozenset(Scope)
"""Kill and pause accept any token: anyone may stop."""

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")
"""What a proxy adds: whoever asks is then not on this machine, though the proxy is."""


class Access:
    """The tokens of one server."""

    def __init__(self, tokens: Mapping[Scope, SecretStr]) -> None:
        self._tokens = {scope: token.get_secret_value() for scope, token in tokens.items()}

    @property
    def has_tokens(self) -> bool:
        """Whether anybody needs one."""
        return bool(self._tokens)

    def caller(self, headers: Headers, host: str) -> Caller:
        """Who asks from the address `host`, by the token in the headers.

        Raises Problem 401 for a missing or unknown token.
        """
        is_local = is_loopback(host) and not any(name in headers for name in _FORWARDED)
        if not self._tokens and is_local:
            return Caller(f"http from {host}", ANYONE)
        presented = bearer_token(headers) or ""
        matching = [
            scope
            for scope, token in self._tokens.items()
            if hmac.compare_digest(token.encode(), presented.encode())
        ]
        if not matching:
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "send the header `Authorization: Bearer TOKEN` with READ_TOKEN, SIGNAL_TOKEN or "
                "CONTROL_TOKEN",
                {"WWW-Authenticate": "Bearer"},
            )
        scopes = ANYONE if Scope.CONTROL in matching else frozenset(matching)
        return Caller(f"http {'+'.join(sorted(matching))} token from {host}", scopes)


def access_of(settings: Settings) -> Access:
    """The tokens that the settings name."""
    tokens = {
        Scope.READ: settings.read_token,
        Scope.SIGNAL: settings.signal_token,
        Scope.CONTROL: settings.control_token,
    }
    return Access({scope: token for scope, token in tokens.items() if token is not None})


def bearer_token(headers: Headers) -> str | None:
    """The token that a request presents, or None."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


_BEARER = HTTPBearer(auto_error=False, description="READ_TOKEN, SIGNAL_TOKEN or CONTROL_TOKEN.")
_Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


def needs(
    access: Access, *scopes: Scope
) -> Callable[[Request, _Bearer], Coroutine[Any, Any, Caller]]:
    """A dependency of a route: the caller, who has one of `scopes`; else 401 or 403.

    It is a coroutine, so that it never waits for the threads on which others read.
    """

    async def caller(request: Request, _bearer: _Bearer) -> Caller:
        host = "" if request.client is None else request.client.host
        found = access.caller(request.headers, host)
        if not found.scopes & set(scopes):
            wanted = " or ".join(f"{scope.value.upper()}_TOKEN" for scope in scopes)
            raise Problem(HTTPStatus.FORBIDDEN, f"this needs {wanted}")
        return found

    return caller
