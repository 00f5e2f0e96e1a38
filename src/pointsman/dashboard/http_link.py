"""The link to an engine over HTTP: pictures, commands and stories by its API, from any machine.

Invariants: the token goes to the engine of the URL alone, in a header, and no redirect is
followed. Every error says how to fix it.
"""

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

import msgspec
from rich.console import RenderableType
from rich.text import Text

from pointsman.dashboard.cells import Picture
from pointsman.dashboard.curves import POINTS_MAX, TOTAL, Curve, Point
from pointsman.dashboard.links import Link, Unreachable, link_to
from pointsman.dashboard.lists import (
    DAY_NS,
    NEWEST,
    OPEN_MAX,
    day_start_ns,
    made_lists,
)
from pointsman.dashboard.panels.kind import Lists
from pointsman.domain.timestamps import iso, parse_ts
from pointsman.engine.requests import Answer, Request

if TYPE_CHECKING:
    from pydantic import SecretStr

    from pointsman.config.settings import Settings

TIMEOUT_SECONDS = 8.0
"""Longer than the engine itself waits for its loop."""
PICTURE_SECONDS = 0.5
"""Between two pictures."""
ANSWER_BYTES_MAX = 64 * 1024 * 1024
DECISIONS_HERE = 200
"""Of this many of the newest decisions the refusals are counted: each comes over the network."""
CURVES_MAX = 20
"""Of this many accounts equity is asked for: each is a request."""
_API = "/api/v1"
_NOT_SENT = ("verb", "by")
"""Of a request: the verb stands in the path, and who asks follows from the token."""


class BadUrl(ValueError):
    """Not the address of an engine; the text says how to fix it."""


class TokenRefused(Unreachable):
    """The engine answers, but not to this token, or not without one."""

    def __init__(self) -> None:
        super().__init__(
            "token refused: set CONTROL_TOKEN or READ_TOKEN to the engine's, or name its database "
            "on this machine with --db"
        )


class Response(NamedTuple):
    """What came back over HTTP."""

    status: int
    body: bytes

    @property
    def is_good(self) -> bool:
        return self.status == HTTPStatus.OK

    def document(self) -> dict[str, Any]:
        """Its JSON object. Raises Unreachable for anything else: that is not an engine."""
        try:
            found = json.loads(self.body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Unreachable(f"no engine: it answers {self.status} without JSON; check --url")
        return found

    def why(self) -> str:
        """What a refusal says. Raises TokenRefused."""
        if self.status == HTTPStatus.UNAUTHORIZED:
            raise TokenRefused
        return str(self.document().get("detail") or f"it answers {self.status}")


class Remote:
    """An engine at a URL. Each call has a connection of its own; for any thread."""

    def __init__(self, url: str, token: "SecretStr | None") -> None:
        """Raises BadUrl."""
        parts = urlsplit(url)
        try:
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise BadUrl(f"{url}: {error}; write it as http://HOST:8080") from None
        if parts.scheme not in ("http", "https") or not host:
            raise BadUrl(f"{url}: write it as http://HOST:8080 or https://HOST")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise BadUrl("a URL has no secret in it: set READ_TOKEN or CONTROL_TOKEN instead")
        self.place = host if port is None else f"{host}:{port}"
        self._root = parts.path.rstrip("/")
        self._headers = {} if token is None else _bearer(token)
        self._connect: Callable[[], http.client.HTTPConnection]
        if parts.scheme == "https":
            context = ssl.create_default_context()
            self._connect = lambda: http.client.HTTPSConnection(
                host, port, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            self._connect = lambda: http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)

    def get(self, path: str, accept: str = "application/json") -> Response:
        """Read something. Raises Unreachable."""
        return self._send("GET", path, None, {"Accept": accept})

    def post(self, path: str, document: dict[str, Any]) -> Response:
        """Have something done. Raises Unreachable; then it may have been done all the same."""
        kind = {"Content-Type": "application/json", "Accept": "application/json"}
        return self._send("POST", path, json.dumps(document).encode(), kind)

    def _send(self, verb: str, path: str, body: bytes | None, headers: dict[str, str]) -> Response:
        connection = self._connect()
        try:
            connection.request(
                verb, f"{self._root}{_API}{path}", body, {**self._headers, **headers}
            )
            response = connection.getresponse()
            return Response(response.status, response.read(ANSWER_BYTES_MAX))
        except TimeoutError as error:
            raise Unreachable(f"no answer from {self.place}") from error
        except (OSError, http.client.HTTPException) as error:
            why = f" ({error})" if isinstance(error, ssl.SSLError) else ""
            raise Unreachable(f"no engine at {self.place}{why}") from error
        finally:
            connection.close()


def _bearer(token: "SecretStr") -> dict[str, str]:
    return {"Authorization": f"Bearer {token.get_secret_value()}"}


def link_over_http(remote: Remote, settings: "Settings") -> Link:
    """The link to the engine at a URL; while it is down, to the database of the settings."""
    local = link_to(settings)

    def watch() -> Iterator[Picture]:
        while True:
            yield picture_of(remote)
            time.sleep(PICTURE_SECONDS)

    def ask(request: Request) -> Answer:
        fields: dict[str, Any] = msgspec.to_builtins(request)
        body = {name: value for name, value in fields.items() if name not in _NOT_SENT}
        response = remote.post(f"/{request.verb}", body)
        if response.is_good:
            return {"ok": True, **response.document()}
        try:
            return {"ok": False, "error": response.why()}
        except TokenRefused as error:
            return {"ok": False, "error": str(error)}

    def story(signal_id: str) -> RenderableType | None:
        try:
            response = remote.get(f"/signals/{quote(signal_id, safe='')}", "text/plain")
        except Unreachable:
            return local.story(signal_id)
        if response.status == HTTPStatus.NOT_FOUND:
            return None
        if not response.is_good:
            raise Unreachable(response.why())
        return Text(response.body.decode("utf-8", "replace"))

    def lists(now_ns: int) -> Lists:
        return lists_over_http(remote, local.zone, now_ns)

    def equity(now_ns: int, va_ids: Sequence[str]) -> Mapping[str, Curve]:
        return equity_over_http(remote, now_ns, va_ids)

    return Link(watch, ask, local.last, story, lists, equity, local.zone, is_remote=True)


def equity_over_http(remote: Remote, now_ns: int, va_ids: Sequence[str]) -> Mapping[str, Curve]:
    """What all accounts together and the first of these were worth in the last day. Raises
    Unreachable."""
    wanted = {TOTAL: "", **{va_id: f"&va={quote(va_id, safe='')}" for va_id in va_ids[:CURVES_MAX]}}
    since = f"/equity?from={iso(now_ns - DAY_NS)}&limit={POINTS_MAX}"
    return {
        name: tuple(
            Point(parse_ts(row["at"]), Decimal(row["equity"]))
            for row in _listed(remote, f"{since}{only}")
        )
        for name, only in wanted.items()
    }


def lists_over_http(remote: Remote, zone: str, now_ns: int) -> Lists:
    """The lists of an engine at a URL. Raises Unreachable."""
    signals = _listed(remote, f"/signals?limit={DECISIONS_HERE}")
    return made_lists(
        _listed(remote, f"/orders?open=true&limit={OPEN_MAX}"),
        _listed(remote, f"/orders?limit={NEWEST}"),
        _listed(remote, f"/trades?limit={NEWEST}"),
        [(row["reason"], parse_ts(row["decided_at"])) for row in signals if row.get("outcome")],
        day_start_ns(now_ns, zone),
        DECISIONS_HERE,
    )


def _listed(remote: Remote, path: str) -> list[dict[str, Any]]:
    response = remote.get(path)
    if not response.is_good:
        raise Unreachable(response.why())
    found: list[dict[str, Any]] = msgspec.json.decode(response.body)
    return found


def picture_of(remote: Remote) -> Picture:
    """The picture of now. Raises Unreachable."""
    response = remote.get("/status")
    if not response.is_good:
        raise Unreachable(response.why())
    picture = response.document()
    if "accounts" not in picture:
        raise Unreachable(f"no engine at {remote.place}: it answers something else; check --url")
    return picture
