"""Connections over a real socket: slow heads and readers are cut off, and a full house makes
room."""

import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from pointsman.api import admission, connections
from pointsman.api.limits import Rate, RequestLimits
from pointsman.api.server import HttpServer, listen
from tests.http_stories import Served

GET = b"GET /api/v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEAD = b"POST /api/v1/kill HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BODY = b'{"reason": "drill"}'
KILL = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


class Listening:
    """A server on a port of its own."""

    def __init__(self, served: Served) -> None:
        self.served = served
        listener = listen("127.0.0.1", 0)
        self.address = listener.getsockname()
        self.port = self.address[1]
        self.server = HttpServer(served.app, listener)
        self.server.start()
        self.open: list[socket.socket] = []

    def connect(self, sent: bytes = b"") -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        self.open.append(connection)
        connection.sendall(sent)
        return connection

    def answer(self, sent: bytes) -> bytes:
        """What comes back, until it ends or the answer is whole."""
        return received(self.connect(sent))

    def close(self) -> None:
        for connection in self.open:
            connection.close()
        self.server.stop()


def received(connection: socket.socket) -> bytes:
    found = b""
    try:
        while chunk := connection.recv(65_536):
            found += chunk
            if found.endswith(b"}"):
                break
    except ConnectionError:
        pass
    return found


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(65_536) == b""
    except ConnectionError:
        return True


@pytest.fixture
def listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listening]:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(connections, "READ_SECONDS", 0.5)
    monkeypatch.setattr(connections, "CONNECTIONS_MAX", 8)
    with Served(
        tmp_path, limits=RequestLimits(same_guess=Rate(1, 0.001), body_seconds=0.5)
    ) as served:
        listening = Listening(served)
        yield listening
        listening.close()


def test_a_connection_serves_one_request_after_the_other(listening: Listening) -> None:
    connection = HTTPConnection("127.0.0.1", listening.port, timeout=10)
    for _ in range(3):
        connection.request("GET", "/api/v1/ping")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b'{"ping":"pong"}')
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "server" not in answer.headers
        time.sleep(0.6)  # longer than a head may take: nothing is asked meanwhile
    connection.close()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", b"408"),
        (b"GET /api/v1/ping HTTP/1.1\r\nHost: local", b"408"),
        (b"\r\n", b"408"),
        (HEAD + b"Content-Length: 100\r\n\r\n{", b"408"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", b"408"),
        (b"GARBAGE\r\n\r\n", b"400"),
        (HEAD + b"Content-Length: x\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000, b"431"),
        (b"GET /" + b"a" * 100_000, b"431"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 100 + b"\r\n", b"431"),
        (HEAD + b"Content-Length: 100000000\r\n\r\n", b"413"),
        (HEAD + b"Content-Length: 2\r\nContent-Encoding: gzip\r\n\r\n{", b"415"),
    ],
)
def test_what_is_not_whole_in_time_or_too_large_is_told_and_cut_off(
    listening: Listening, sent: bytes, status: bytes
) -> None:
    connection = listening.connect(sent)
    began = time.monotonic()
    answer = received(connection)
    assert answer.startswith(b"HTTP/1.1 " + status), answer[:200]
    assert b"application/problem+json" in answer
    assert is_closed(connection)
    assert time.monotonic() - began < 30
    assert not listening.served.latch.latched.is_set


def test_one_byte_at_a_time_is_no_way_to_stay(listening: Listening) -> None:
    connection = listening.connect()
    began = time.monotonic()
    try:
        while time.monotonic() - began < 30:
            connection.sendall(b"a")
            time.sleep(0.05)
    except ConnectionError:
        pass
    assert time.monotonic() - began < 30


def test_a_reader_who_never_reads_is_dropped(listening: Listening) -> None:
    connection = socket.socket()
    listening.open.append(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    connection.settimeout(0.1)
    connection.connect(("127.0.0.1", listening.port))
    request = GET.replace(b"ping", b"config")
    began = time.monotonic()
    while time.monotonic() - began < 30:
        try:
            connection.sendall(request * 50)
        except TimeoutError:
            time.sleep(0.05)
        except ConnectionError:
            return
    raise AssertionError("it stayed")


@pytest.mark.parametrize("sent", [b"", HEAD, HEAD + b"Content-Length: 9\r\n\r\n{", GET])
def test_a_full_house_makes_room_for_a_kill(listening: Listening, sent: bytes) -> None:
    slow = [listening.connect(sent) for _ in range(8)]
    if sent == GET:
        assert all(b"pong" in received(connection) for connection in slow)
    answer = listening.answer(KILL)
    assert answer.startswith(b"HTTP/1.1 200"), answer
    assert listening.served.latch.latched.is_set
    assert is_closed(slow[0]), "the one that was slow for longest makes room"


def test_wrong_tokens_that_are_held_make_room_before_one_who_merely_waits(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "GUESSING_SECONDS", 30.0)
    guess = GET.replace(b"ping", b"status").removesuffix(b"\r\n")
    guess += b"X-Real-IP: 203.0.113.9\r\nAuthorization: Bearer guess\r\n\r\n"
    idle = listening.connect(GET)
    assert b"pong" in received(idle)
    assert listening.answer(guess).startswith(b"HTTP/1.1 401")
    listening.open.pop().close()
    held = [listening.connect(guess) for _ in range(7)]
    there = listening.server._server.server_state.connections
    give_up_at = time.monotonic() + 20
    while sum(each.is_held for each in list(there)) < len(held):  # type: ignore[union-attr]
        assert time.monotonic() < give_up_at
        time.sleep(0.01)
    assert listening.answer(KILL).startswith(b"HTTP/1.1 200")
    assert is_closed(held[0])
    idle.sendall(GET)
    assert b"pong" in received(idle)
