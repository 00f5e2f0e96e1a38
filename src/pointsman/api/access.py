"""Who may do what: three scopes of bearer tokens, and the token of the webhook (RULES 36, 57).

Invariants: tokens are compared in constant time, all of them each time; and an address alone
grants something only where there is no token, to a caller of this machine, if neither a setting nor
the request itself says that it may have come from elsewhere.

A proxy or a tunnel on this machine makes every stranger look like a caller of this machine: one
sign of it is enough, and a sign only ever takes rights away. What leaves no sign, such as `ssh -R`,
cannot be distinguished from a caller of this machine: then only a token can.

A page of another site that a browser shows can send requests to this machine, and a name that an
attacker owns can point at it. So a request is answered only where it names a host that is ours, and
where the page that sent it, if any, is one of ours.
"""

import hmac
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase
from pydantic import SecretStr
from starlette.datastructures import Headers

from pointsman.api.problems import HttpProblem
from pointsman.config.addresses import is_loopback
from pointsman.config.settings import Settings
from pointsman.config.tokens import settings_that_say_elsewhere


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

_SAFE_METHODS = ("GET", "HEAD")
_FORWARDING = re.compile(
    r"""
      via | forwarded | cdn-loop | max-forwards
    | .* (forward | proxy) .*                      # X-Forwarded-For, X-Original-Forwarded-For, …
    | .* (connecting | client | real | remote | source | peer) [-_]? (ip | addr | address | host)
    | (cf | x-envoy | x-original | x-azure | x-amzn | x-appengine | x-vercel | x-arr | tailscale
       | ngrok | fly | fastly) - .*
    | x-(host | scheme | url-scheme | forwarded | real-port) | front-end-https
    """,
    re.VERBOSE,
)
"""Names of headers that a proxy, a tunnel or a content network adds, and no program of its own."""


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


def _unknown(sign: str) -> HttpProblem:
    wanted = (
        "send the header `Authorization: Bearer TOKEN` with READ_TOKEN, SIGNAL_TOKEN or "
        "CONTROL_TOKEN"
    )
    if sign:
        wanted = f"this came with {sign}, so it counts as remote: set tokens, and {wanted}"
    return HttpProblem(HTTPStatus.UNAUTHORIZED, wanted, {"WWW-Authenticate": "Bearer"})


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
            raise HttpProblem(HTTPStatus.FORBIDDEN, f"this needs {self._wanted}")
        return caller


class Origins:
    """The names of one server, beside IP addresses, which no other site can have pointed here."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(name.lower() for name in names)

    def check(self, method: str, headers: Headers) -> None:
        """Raises Problem 421 for a foreign Host, 403 for a request that a foreign page sent."""
        hosts = headers.getlist("host")
        host = host_of(f"//{hosts[0]}") if len(hosts) == 1 else None
        if host is None or not (host in self._names or is_address(host)):
            text = "this host name is not allowed; use an IP address, or set HTTP_ALLOWED_HOSTS"
            raise HttpProblem(HTTPStatus.MISDIRECTED_REQUEST, text)
        for origin in headers.getlist("origin"):
            # An address is ours only where the request itself was sent to it.
            from_host = host_of(origin)
            if from_host is None or (from_host != host and from_host not in self._names):
                raise _foreign("Origin")
        if method not in _SAFE_METHODS and headers.get("sec-fetch-site") == "cross-site":
            raise _foreign("Sec-Fetch-Site")


def origins_of(settings: Settings) -> Origins:
    """The names that the settings give."""
    return Origins(("localhost", settings.http_host, *settings.http_allowed_hosts))


@lru_cache(maxsize=64)
def is_address(host: str) -> bool:
    """Whether a host is an IP address and no name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=64)
def host_of(url: str) -> str | None:
    """The host of an address, in small letters; None where it has none, or more than that."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        return None
    return host or None


def _foreign(header: str) -> HttpProblem:
    text = f"the header {header} names another site; such a request may change nothing"
    return HttpProblem(HTTPStatus.FORBIDDEN, text)


def sign_of_forwarding(headers: Headers, http_version: str) -> str:
    """What says that a request was passed on, in words; empty where nothing does. The request names
    exactly one Host."""
    if any(_is_forwarding(name) for name in headers):
        return "a header that proxies add"
    if http_version == "1.0":
        return "HTTP/1.0, which proxies speak"
    host = host_of(f"//{headers.get('host', '')}")
    if host is None or not is_loopback(host):
        return "a Host other than localhost, 127.0.0.1 or ::1"
    return ""


@lru_cache(maxsize=1024)
def _is_forwarding(name: str) -> bool:
    return _FORWARDING.fullmatch(name) is not None
