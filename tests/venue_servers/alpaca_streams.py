"""Alpaca's two streams: the account's, with JSON in binary frames, and the one with stock data, in
JSON or, for a client that asks by its content type, in MessagePack.

Written from Alpaca's documentation ("Websocket Streaming", "WebSocket Stream"). Invariant: before
it has shown the right keys, a socket gets nothing but errors and the greeting.
"""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec

from tests.venue_servers.alpaca_messages import CHANNELS, subscription
from tests.venue_servers.base import VenueServer
from tests.venue_servers.streams import ACCOUNT, QUOTES, Socket, StreamRoute

numbers_as_json = msgspec.json.Encoder(decimal_format="number")
numbers_as_msgpack = msgspec.msgpack.Encoder(decimal_format="number")

DATA_ERRORS = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    404: "auth timeout",
    405: "symbol limit exceeded",
    406: "connection limit exceeded",
    410: "invalid subscribe action for this feed",
}
CLOSES_AFTER = {402, 404, 406}


def binary_json(message: Any) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


class AccountStream:
    def __init__(self, server: VenueServer) -> None:
        self._server = server
        self.route = StreamRoute(
            path="/stream", channel=ACCOUNT, on_message=self._heard, on_open=self._opened
        )

    def push(self, message: dict[str, Any]) -> None:
        self._server.streams.push(ACCOUNT, message, lambda socket: "trade_updates" in socket.tags)

    def _opened(self, socket: Socket) -> None:
        socket.encode = binary_json

    def _heard(self, socket: Socket, data: str | bytes) -> None:
        try:
            message = json.loads(data)
            action, inside = message["action"], message.get("data", {})
        except (ValueError, TypeError, KeyError):
            socket.send({"stream": "error", "data": {"error": "invalid message"}})
            return
        if action in ("auth", "authenticate"):
            key = inside.get("key_id", message.get("key"))
            secret = inside.get("secret_key", message.get("secret"))
            self._authenticate(socket, (key, secret))
        elif not socket.is_authorized:
            refused = {"status": "unauthorized", "action": action}
            socket.send({"stream": "authorization", "data": refused})
        elif action == "listen":
            socket.tags = {"trade_updates"} & set(inside.get("streams", []))
            socket.send({"stream": "listening", "data": {"streams": sorted(socket.tags)}})

    def _authenticate(self, socket: Socket, keys: tuple[Any, Any]) -> None:
        socket.is_authorized = keys == (self._server.key, self._server.secret)
        status = "authorized" if socket.is_authorized else "unauthorized"
        data = {"status": status, "action": "authenticate"}
        socket.send({"stream": "authorization", "data": data})
        if not socket.is_authorized:
            socket.close_soon(1000)


class DataStream:
    """The free plan: one connection at a time, thirty symbols over trades and quotes."""

    def __init__(self, server: VenueServer) -> None:
        self._server = server
        self.connections = 1
        self.symbols = 30
        self.auth_seconds = 10.0
        self.route = StreamRoute(
            path="/v2/iex", channel=QUOTES, on_message=self._heard, on_open=self._opened
        )

    def push(self, channel: str, message: dict[str, Any]) -> None:
        tags = {f"{channel}:{message['S']}", f"{channel}:*"}
        self._server.streams.push(QUOTES, [message], lambda socket: bool(tags & socket.tags))

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._server.now_ms() / 1000, UTC)

    def _opened(self, socket: Socket) -> None:
        headers = socket.call.headers
        if "msgpack" in headers.get("content-type", ""):
            socket.encode = numbers_as_msgpack.encode
        else:
            socket.encode = lambda message: numbers_as_json.encode(message).decode()
        socket.send([{"T": "success", "msg": "connected"}])
        if "apca-api-key-id" in headers:
            keys = headers["apca-api-key-id"], headers.get("apca-api-secret-key")
            self._authenticate(socket, keys)
        self._server.later(self.auth_seconds, self._is_late, socket)

    def _is_late(self, socket: Socket) -> None:
        if not socket.is_authorized and socket in self._server.streams.open:
            self._fail(socket, 404)

    def _heard(self, socket: Socket, data: str | bytes) -> None:
        try:
            message = msgspec.msgpack.decode(data) if isinstance(data, bytes) else json.loads(data)
            action = message["action"]
        except (ValueError, TypeError, KeyError, msgspec.DecodeError):
            self._fail(socket, 400)
            return
        if action == "auth":
            self._authenticate(socket, (message.get("key"), message.get("secret")))
        elif not socket.is_authorized:
            self._fail(socket, 401)
        elif action in ("subscribe", "unsubscribe"):
            self._subscribe(socket, action, message)
        else:
            self._fail(socket, 400)

    def _authenticate(self, socket: Socket, keys: tuple[Any, Any]) -> None:
        others = [
            other
            for other in self._server.streams.open
            if other.channel == QUOTES and other.is_authorized and other is not socket
        ]
        if socket.is_authorized:
            self._fail(socket, 403)
        elif keys != (self._server.key, self._server.secret):
            self._fail(socket, 402)
        elif len(others) >= self.connections:
            self._fail(socket, 406)
        else:
            socket.is_authorized = True
            socket.send([{"T": "success", "msg": "authenticated"}])

    def _subscribe(self, socket: Socket, action: str, message: dict[str, Any]) -> None:
        asked = {name: message[name] for name in message if name != "action"}
        if set(asked) - set(CHANNELS):
            self._fail(socket, 410)
            return
        tags = {f"{channel}:{symbol}" for channel in asked for symbol in asked[channel]}
        after = socket.tags | tags if action == "subscribe" else socket.tags - tags
        if sum(tag.startswith(("trades:", "quotes:")) for tag in after) > self.symbols:
            self._fail(socket, 405)
            return
        socket.tags = after
        socket.send(subscription(after))

    def _fail(self, socket: Socket, code: int) -> None:
        socket.send([{"T": "error", "code": code, "msg": DATA_ERRORS[code]}])
        if code in CLOSES_AFTER:
            socket.close_soon(1000)
