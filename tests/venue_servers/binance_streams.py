"""The websockets of Binance USDM futures: one address for the account, with a listen key, and
others for the market, where a client subscribes. After the split of 2026 they begin with
`/private`, `/public` and `/market`; the older ones without are served too.
"""

import json
from collections.abc import Iterable
from typing import Any

from tests.venue_servers.calls import to_json
from tests.venue_servers.streams import ACCOUNT, QUOTES, Socket, StreamRoute

INVALID = {"code": 2, "msg": "Invalid request: unknown method or parameters."}


class ListenKeys:
    """One key of the account is valid at a time; asking again gives the same."""

    def __init__(self) -> None:
        self.current = ""
        self._made = 0

    def take(self) -> str:
        if not self.current:
            self._made += 1
            self.current = f"listen{self._made:058d}"
        return self.current

    def end(self) -> str:
        ended, self.current = self.current, ""
        return ended


def stream_routes() -> Iterable[StreamRoute]:
    """A socket with an unknown listen key opens, as at the venue, and hears nothing."""

    def open_private(socket: Socket) -> None:
        key = socket.call.query.get("listenKey") or socket.call.inside_path.get("name", "")
        key = key or socket.call.query.get("streams", "")
        socket.channel = ACCOUNT
        socket.tags.add(key)
        if socket.call.path.endswith("/stream"):
            socket.encode = lambda message: to_json({"stream": key, "data": message})

    def open_public(socket: Socket) -> None:
        named = socket.call.inside_path.get("name") or socket.call.query.get("streams", "")
        socket.tags.update(name for name in named.split("/") if "@" in name or name[:1] == "!")
        if socket.call.path.endswith("/stream"):
            socket.encode = combined

    def open_older(socket: Socket) -> None:
        name = socket.call.inside_path.get("name") or socket.call.query.get("streams", "")
        is_private = name.startswith("listen") or "listenKey" in socket.call.query
        (open_private if is_private else open_public)(socket)

    for start, opens in (("private", open_private), ("public", open_public), ("", open_older)):
        root = f"/{start}" if start else ""
        channel = ACCOUNT if start == "private" else QUOTES
        for path in (f"{root}/ws", f"{root}/ws/{{name:.+}}", f"{root}/stream"):
            yield StreamRoute(path=path, channel=channel, on_message=on_message, on_open=opens)
    for path in ("/market/ws", "/market/ws/{name:.+}", "/market/stream"):
        yield StreamRoute(path=path, channel=QUOTES, on_message=on_message, on_open=open_public)


def combined(message: Any) -> str:
    if "e" not in message:
        return to_json(message)
    return to_json({"stream": f"{message['s'].lower()}@{message['e']}", "data": message})


def on_message(socket: Socket, data: str | bytes) -> None:
    try:
        asked = json.loads(data)
        number = asked["id"]
        names = set(asked.get("params", []))
        method = asked["method"]
    except (ValueError, KeyError, TypeError):
        socket.send(to_json(INVALID))
        return
    if method == "SUBSCRIBE":
        socket.tags |= names
        socket.send(to_json({"result": None, "id": number}))
    elif method == "UNSUBSCRIBE":
        socket.tags -= names
        socket.send(to_json({"result": None, "id": number}))
    elif method == "LIST_SUBSCRIPTIONS":
        socket.send(to_json({"result": sorted(socket.tags), "id": number}))
    else:
        socket.send(to_json(INVALID | {"id": number}))
