"""HTTP of a real engine over a real socket: tokens of its own making, a stream that resumes across
a crash, foreign sites, and callers that are slow on purpose."""

import json
import signal
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from pointsman.engine.control_client import ask
from pointsman.engine.requests import Kill, Show
from tests.integration.http_engines import HttpEngine, http_engine
from tests.integration.sessions import pointsman

DEMO = ("--speed", "20", "--signals", "demo")
KILL = {"reason": "drill"}


@contextmanager
def requested(
    engine: HttpEngine, method: str, path: str, body: object = None, **headers: str
) -> Iterator[HTTPResponse]:
    """One request; header names are written with _ for -."""
    connection = HTTPConnection(*engine.address, timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = None if body is None else json.dumps(body)
    if content is not None:
        named.setdefault("Content-Type", "application/json")
    try:
        connection.request(method, path, content, named)
        yield connection.getresponse()
    finally:
        connection.close()


def status_of(
    engine: HttpEngine, method: str, path: str, body: object = None, **headers: str
) -> int:
    with requested(engine, method, path, body, **headers) as answer:
        return answer.status


def events(answer: HTTPResponse, count: int) -> list[dict[str, Any]]:
    """The next events of a stream; each id is that of its data."""
    told: list[dict[str, Any]] = []
    number = 0
    while len(told) < count:
        name, _, value = answer.readline().decode().rstrip("\n").partition(": ")
        if name == "id":
            number = int(value)
        if name == "data":
            told.append(json.loads(value))
            assert told[-1]["sequence"] == number
    return told


def test_rule_38_the_first_start_makes_tokens_and_tells_where_and_later_ones_use_them(
    tmp_path: Path,
) -> None:
    path = tmp_path / "tokens"
    settings = {"HTTP_HOST": "0.0.0.0", "TOKENS_PATH": str(path)}
    tokens: list[dict[str, str]] = []
    for _ in range(2):
        with http_engine(tmp_path, settings) as engine:
            tokens.append(dict(line.split("=", 1) for line in path.read_text().splitlines()))
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert status_of(engine, "GET", "/api/v1/status") == 401
            for name, status in (("READ", 200), ("SIGNAL", 403), ("CONTROL", 200)):
                bearer = f"Bearer {tokens[-1][f'{name}_TOKEN']}"
                assert status_of(engine, "GET", "/api/v1/status", Authorization=bearer) == status
            assert engine.end() == 143
    assert tokens[0] == tokens[1]
    log = engine.log.read_text()
    assert log.count(f"path={path}") == 2
    assert not any(token in log for token in tokens[0].values())


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"HTTP_HOST": "0.0.0.0"}, ("HTTP_HOST", "READ_TOKEN", "CONTROL_TOKEN")),
        ({"HTTP_HOST": "0.0.0.0", "TOKENS_PATH": "/proc/tokens"}, ("TOKENS_PATH", "/proc/tokens")),
    ],
)
def test_rule_36_it_does_not_start_where_others_would_be_served_without_a_token(
    tmp_path: Path, settings: dict[str, str], named: tuple[str, ...]
) -> None:
    done = pointsman(tmp_path, "run", "--headless", settings={**settings, "COLUMNS": "200"})
    assert done.returncode == 3, done.stderr
    assert all(name in done.stderr for name in named), done.stderr
    assert not (tmp_path / "trading.db").exists(), "nothing was begun"


def test_the_stream_goes_on_where_it_broke_off_also_after_a_crash(tmp_path: Path) -> None:
    with http_engine(tmp_path, flags=DEMO) as engine:
        with requested(engine, "GET", "/api/v1/stream", Last_Event_ID="0") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            first = events(answer, 12)
        engine.kill_9()
    with http_engine(tmp_path, flags=DEMO) as engine:
        with requested(engine, "GET", "/api/v1/stream", Last_Event_ID="12") as answer:
            second = events(answer, 8)
        with requested(engine, "GET", "/api/v1/stream?last_event_id=0") as answer:
            again = events(answer, 20)
        with requested(engine, "GET", "/api/v1/stream") as answer:
            (now,) = events(answer, 1)
    told = [each["sequence"] for each in first + second]
    assert told == list(range(1, 21))
    assert first + second == again
    assert now["sequence"] > 20


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
    ],
)
def test_other_sites_change_nothing(
    steered: HttpEngine, headers: dict[str, str], status: int
) -> None:
    for verb in ("kill", "pause", "flatten"):
        assert status_of(steered, "POST", f"/api/v1/{verb}", KILL, **headers) == status
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        # Where there is no such header, a form is still no command but the kill.
        assert status_of(steered, "POST", "/api/v1/pause", KILL, Content_Type=kind) == 415
    assert status_of(steered, "GET", "/api/v1/kill?reason=x&flatten=true") == 405
    assert ask(steered.database, Show())["trading_state"] == "ACTIVE"


@pytest.fixture(scope="module")
def steered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpEngine]:
    with http_engine(tmp_path_factory.mktemp("steered")) as engine:
        yield engine


@pytest.mark.parametrize("how", ["connected", "in the head", "in the body", "not reading"])
def test_200_slow_clients_delay_neither_the_loop_nor_a_kill(tmp_path: Path, how: str) -> None:
    with http_engine(tmp_path) as engine, ExitStack() as opened:
        began = time.monotonic()
        usual = lags(engine)
        usual_seconds = time.monotonic() - began
        for _ in range(200):
            opened.enter_context(dawdling(engine, how))
        busy = lags(engine)
        assert median(busy) < 100 + 2 * median(usual), (usual, busy)
        began = time.monotonic()
        answer = ask(engine.database, Kill(reason="socket", by="ann"))
        assert answer["durable"]
        assert engine.post("/api/v1/kill", {"reason": "http", "flatten": True}).status == 200
        assert time.monotonic() - began < 5 * usual_seconds, usual_seconds
        assert engine.process.poll() is None
        engine.process.send_signal(signal.SIGTERM)
        assert engine.process.wait(60) == 143


def lags(engine: HttpEngine) -> list[float]:
    """How late the loop was, in milliseconds, ten times within a second and what asking takes."""
    found = []
    for _ in range(10):
        picture = ask(engine.database, Show())
        found.append(float(picture["health"]["loop_lag_ms"]))
        time.sleep(0.1)
    return found


def dawdling(engine: HttpEngine, how: str) -> socket.socket:
    """A caller that has begun, and does not go on."""
    head = b"POST /api/v1/kill HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    sent = {
        "connected": b"",
        "in the head": head,
        "in the body": head + b"Content-Length: 20\r\n\r\n{",
        "not reading": b"GET /api/v1/config HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20,
    }
    caller = socket.create_connection(engine.address, timeout=10)
    caller.sendall(sent[how])
    return caller
