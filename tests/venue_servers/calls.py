"""Requests and answers of the venue servers, as plain values between aiohttp and the handlers."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(kw_only=True)
class Call:
    """One request, read whole."""

    method: str
    path: str
    query: dict[str, str]
    query_text: str
    """As it came, still encoded: signatures are over this."""
    body: bytes
    headers: dict[str, str]
    """Names in lower case."""
    inside_path: dict[str, str] = field(default_factory=dict)
    """What stands at the `{places}` of the route's path."""


@dataclass
class Reply:
    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """Raised inside a handler: the request ends with this answer."""

    def __init__(
        self, status: int, body: Any = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, body)
        self.reply = Reply(body, status, headers or {})


@dataclass(kw_only=True)
class Route:
    method: str
    path: str
    """As aiohttp writes it, so `/v2/orders/{id}`."""
    name: str
    """What faults call it: "create", "cancel", "query", ..."""
    handler: Callable[[Call], Any]
    """Gives a Reply, or a body for status 200."""
    weight: int = 1
    signed: bool = True
    """For the subclass's `admit`."""


@dataclass(kw_only=True)
class Arrived:
    """A request as the tests look at it afterwards."""

    at: float
    route: str
    method: str
    path: str
    query: dict[str, str]
    body: str
    headers: dict[str, str]
    status: int | None = None
    """Of the answer; None while there is none."""


def to_json(value: Any) -> str:
    """Decimals as strings, as venues write them."""
    return json.dumps(value, default=str, separators=(",", ":"))


def as_response(reply: Reply) -> web.Response:
    headers = dict(reply.headers)
    if reply.body is None:
        return web.Response(status=reply.status, headers=headers)
    if isinstance(reply.body, str | bytes):
        data = reply.body.encode() if isinstance(reply.body, str) else reply.body
        headers.setdefault("Content-Type", "text/html; charset=utf-8")
    else:
        data = to_json(reply.body).encode()
        headers.setdefault("Content-Type", "application/json")
    return web.Response(status=reply.status, body=data, headers=headers)


async def read_call(request: web.Request) -> Call:
    return Call(
        method=request.method,
        path=request.path,
        query=dict(request.query),
        query_text=request.rel_url.raw_query_string,
        body=await request.read(),
        headers={name.lower(): value for name, value in request.headers.items()},
        inside_path=dict(request.match_info),
    )


def question(call: Call) -> str:
    """What was asked, without what differs each time."""
    changing = {"timestamp", "signature", "recvWindow"}
    asked = {name: value for name, value in call.query.items() if name not in changing}
    return f"{call.method} {call.path} {sorted(asked.items())}"
