"""Who may do what: three scopes of bearer tokens, and the token of the webhook (RULES 36, 57).

Invariants: tokens are compared in constant time, all of them each time; and an address alone
grants something only where there is no token, to a caller of this machine, if neither a setting nor
the request itself says that it may have come from elsewhere.
"""

import hmac
from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from http import HTTPStatus
from typing import Any, NamedTuple

from fastapi import Request
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase
from pydantic import SecretStr
from starlette.datastructures import Headers

from pointsman.api.forwarding import sign_of_forwarding
from pointsman.api.problems import Problem
from pointsman.config.settings import Settings
from pointsman.config.tokens import is_loopback, settings_that_say_elsewhere


class Scope(StrEnum):
    """What a token lets its bearer do. CONTROL includes both others."""

    READ = "read"
    SIGNAL = "signal"
    CONTROL = "control"


class Caller(NamedTuple):
    """Who asks: a few words for the record, what they may do, and the name of their right, which
    has a budget of its own whatever address it is used from."""

    by: str
    scopes: frozenset[Scope]
    name: str


ANYONE = frozenset(Scope)
"""Kill and pause accept any token: anyone may stop."""

THIS_MACHINE = "this machine"
CALLER = "pointsman.caller"
"""Under this name the ASGI scope of an admitted request holds its Caller."""


class Access:
    """The tokens of one server. `is_open` on this machine: a caller of this machine needs none
    where there is none."""

    def __init__(
        self,
        tokens: Mapping[Scope, SecretStr],
        webhook_token: SecretStr | None = None,
        *,
        is_open: bool = True,
    ) -> None:
        self._tokens = {scope: _digest(token.get_secret_value()) for scope, token in tokens.items()}
        self._webhook = None if webhook_token is None else _digest(webhook_token.get_secret_value())
        self._is_open = is_open and not tokens

    @property
    def has_tokens(self) -> bool:
        """Whether there are any."""
        return bool(self._tokens)

    def caller(self, scope: Mapping[str, Any]) -> Caller:
        """Who sent a request, by its token, else by its address; `scope` is that of ASGI.

        Raises Problem 401 for a missing or unknown token.
        """
        headers, host = Headers(raw=scope["headers"]), client_host(scope)
        sign = ""
        if self._is_open and is_loopback(host):
            sign = sign_of_forwarding(headers, scope.get("http_version", "1.1"))
            if not sign:
                return Caller(f"http from {host}", ANYONE, THIS_MACHINE)
        presented = _digest(bearer_token(headers) or "")
        matching = [
            scope for scope, token in self._tokens.items() if hmac.compare_digest(token, presented)
        ]
        if not matching:
            raise _unknown(sign)
        scopes = ANYONE if Scope.CONTROL in matching else frozenset(matching)
        name = f"{'+'.join(sorted(matching))} token"
        return Caller(f"http {name} from {host}", scopes, name)

    def is_webhook_token(self, text: str) -> bool:
        """Whether the end of a webhook's path is WEBHOOK_TOKEN, a slash after it or not."""
        if self._webhook is None:
            return False
        is_same = hmac.compare_digest(self._webhook, _digest(text))
        return is_same | hmac.compare_digest(self._webhook, _digest(text.removesuffix("/")))


def access_of(settings: Settings) -> Access:
    """The tokens that the settings name, and whether callers of this machine need one."""
    tokens = {
        Scope.READ: settings.read_token,
        Scope.SIGNAL: settings.signal_token,
        Scope.CONTROL: settings.control_token,
    }
    return Access(
        {scope: token for scope, token in tokens.items() if token is not None},
        settings.webhook_token,
        is_open=not settings_that_say_elsewhere(settings),
    )


def client_host(scope: Mapping[str, Any]) -> str:
    """The address that a request came from; empty where nobody knows it."""
    client = scope.get("client")
    return "" if client is None else str(client[0])


def _digest(token: str) -> bytes:
    """Digests have one length, so that comparing them tells nothing of that of a token."""
    return sha256(token.encode()).digest()


def _unknown(sign: str) -> Problem:
    wanted = (
        "send the header `Authorization: Bearer TOKEN` with READ_TOKEN, SIGNAL_TOKEN or "
        "CONTROL_TOKEN"
    )
    if sign:
        wanted = f"this came with {sign}, so it counts as remote: set tokens, and {wanted}"
    return Problem(HTTPStatus.UNAUTHORIZED, wanted, {"WWW-Authenticate": "Bearer"})


def bearer_token(headers: Headers) -> str | None:
    """The token that a request presents, or None."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


class Needs(SecurityBase):
    """A dependency of a route: its caller, who has one of `scopes`. In the description of the
    application it says that the route takes a bearer token.

    The caller is the one that admission identified and left in the request's scope. A route that is
    not behind admission fails, so it serves nobody.
    """

    model = HTTPBearerModel(description="READ_TOKEN, SIGNAL_TOKEN or CONTROL_TOKEN.")
    scheme_name = "HTTPBearer"

    def __init__(self, *scopes: Scope) -> None:
        self._scopes = frozenset(scopes)
        self._wanted = " or ".join(f"{scope.value.upper()}_TOKEN" for scope in scopes)

    async def __call__(self, request: Request) -> Caller:
        """The caller. Raises Problem 403. It is a coroutine, so that it never waits for the threads
        on which others read."""
        caller: Caller = request.scope[CALLER]
        if self._scopes.isdisjoint(caller.scopes):
            raise Problem(HTTPStatus.FORBIDDEN, f"this needs {self._wanted}")
        return caller
