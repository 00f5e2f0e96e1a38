"""The client: its own example against a real engine, and against a server that misbehaves, what it
sends again and what never."""

import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout, suppress
from decimal import Decimal
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from pointsman import client as module
from pointsman.client import ApiError, Client
from tests.integration.http_engines import http_engine
from tests.ports import free_port

SIGNAL = {"signal_id": "s1", "va_id": "VA001", "symbol": "AAPL", "side": "buy", "quantity": 1}
TOKENS = {"SIGNAL_TOKEN": "s" * 16, "CONTROL_TOKEN": "c" * 16}


# -- a real engine ---------------------------------------------------------------------------------


def example() -> str:
    """The example of the module, as a program."""
    lines = str(module.__doc__).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("    "))
    code = takewhile(lambda line: not line or line.startswith("    "), lines[first:])
    return "\n".join(line.removeprefix("    ") for line in code)


def test_the_example_trades_and_every_verb_acts(tmp_path: Path) -> None:
    with http_engine(tmp_path) as engine, Client(engine.url) as client:
        said = io.StringIO()
        with redirect_stdout(said):
            exec(example().replace("http://127.0.0.1:8080", engine.url), {})
        outcome, rule = said.getvalue().split("\n")[:2]
        assert outcome.split()[0] in ("accepted", "refused")
        assert rule == "UNKNOWN_ACCOUNT", "the first rule that is measured"
        assert client.pause("lunch", va="VA002")["durable"]
        assert client.resume("back", va="VA002")["durable"]
        assert client.pause("all")["durable"]
        assert client.signal(**SIGNAL)["reason"] == "PAUSED"
        assert client.resume("back")["durable"]
        assert client.flatten("done")["durable"]
        assert client.reconcile()["durable"]
        assert client.kill("drill", flatten=True)["durable"]
        assert client.status()["trading_state"] == "HALTED"
        with pytest.raises(ApiError) as locked:
            client.resume("too early")
        assert locked.value.status == 423
        assert client.rearm("over")["durable"]
        with pytest.raises(ApiError, match="no signal") as unknown:
            client.why("never/seen")
        assert unknown.value.status == 404


def test_rule_36_tokens_and_signatures(tmp_path: Path) -> None:
    secret = "w" * 16
    with http_engine(tmp_path, {**TOKENS, "WEBHOOK_SECRET": secret}) as engine:
        with Client(engine.url, token=TOKENS["SIGNAL_TOKEN"]) as sender:
            first = sender.signal(**SIGNAL)
            with pytest.raises(ApiError, match="CONTROL_TOKEN") as forbidden:
                sender.rearm("may not")
            assert forbidden.value.status == 403
        with Client(engine.url, secret=secret) as signed:
            again = signed.signal(**SIGNAL)
            # By then its order may have been filled.
            assert {**again, "order_status": None} == {
                **first,
                "duplicate": True,
                "order_status": None,
            }
            own = signed.signal(va_id="VA001", symbol="AAPL", side="buy", notional=Decimal(100))
            assert len(own["signal_id"]) == 32
        with Client(engine.url) as stranger, pytest.raises(ApiError) as unknown:
            stranger.status()
        assert unknown.value.status == 401


def test_the_token_is_read_from_the_file_of_an_engine_on_this_machine(tmp_path: Path) -> None:
    made = tmp_path / "trading.db.tokens"
    made.write_text("READ_TOKEN=r\nSIGNAL_TOKEN=s\nCONTROL_TOKEN=c=\n")
    served = Played([answer(200, OK)])
    with Client(served.url, tokens_path=made) as client:
        client.signal(**SIGNAL)
    served.close()
    ((head, _body),) = served.seen
    assert "Authorization: Bearer c=" in head
    made.write_text("READ_TOKEN=r\n")
    with pytest.raises(ValueError, match="CONTROL_TOKEN"):
        Client(tokens_path=made)


# -- a server that is played -----------------------------------------------------------------------

OK = b'{"outcome": "accepted"}'
LATER = b'{"detail": "later"}'


def answer(status: int, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Played:
    """A server that answers each request with the next of some bytes; b"" is a connection that
    breaks before any. `seen` are the requests: their heads and bodies."""

    def __init__(self, answers: list[bytes]) -> None:
        self.seen: list[tuple[str, bytes]] = []
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End; the clients of the server have closed their connections by then."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        while self._answers:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                while self._answers and self._read(stream):
                    told = self._answers.pop(0)
                    if not told:
                        break
                    connection.sendall(told)

    def _read(self, stream: Any) -> bool:
        lines = iter(stream.readline, b"")
        head = b"".join(takewhile(b"\r\n".__ne__, lines)).decode()
        if not head:
            return False
        length = next(
            (int(line[15:]) for line in head.splitlines() if line.startswith("Content-Length:")), 0
        )
        self.seen.append((head, stream.read(length)))
        return True


@pytest.fixture
def plays(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Played]]:
    """Starts servers; nobody waits between two tries."""
    monkeypatch.setattr("pointsman.client.time.sleep", lambda _seconds: None)
    servers: list[Played] = []

    def start(*answers: bytes) -> Played:
        servers.append(Played(list(answers)))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


Call = Callable[[Client], Any]
STEER: Call = lambda client: client.rearm("x")  # noqa: E731 - a table of calls
FEED: Call = lambda client: client.quotes([])  # noqa: E731
SEND: Call = lambda client: client.signal(**SIGNAL)  # noqa: E731


@pytest.mark.parametrize("trouble", [b"", answer(503, LATER, "Retry-After: 1")])
def test_a_signal_is_sent_again_with_the_same_id(
    plays: Callable[..., Played], trouble: bytes
) -> None:
    server = plays(trouble, trouble, answer(200, OK))
    with Client(server.url) as client:
        fields = {name: value for name, value in SIGNAL.items() if name != "signal_id"}
        assert client.signal(**fields)["outcome"] == "accepted"
    ids = {json.loads(body)["signal_id"] for _, body in server.seen}
    assert (len(server.seen), len(ids)) == (3, 1)


def test_a_signed_signal_is_signed_anew_each_time(plays: Callable[..., Played]) -> None:
    server = plays(b"", answer(200, OK))
    with Client(server.url, secret="w" * 16) as client:
        client.signal(**SIGNAL)
    signatures = {
        line
        for head, _ in server.seen
        for line in head.splitlines()
        if line.startswith("X-Pointsman-Signature")
    }
    assert len(signatures) == 2


@pytest.mark.parametrize("call", [STEER, FEED], ids=["rearm", "quotes"])
def test_what_is_not_safe_is_sent_once(plays: Callable[..., Played], call: Call) -> None:
    for trouble in (b"", answer(503, LATER, "Retry-After: 1")):
        server = plays(trouble, answer(200, OK))
        with Client(server.url) as client, pytest.raises((ConnectionError, ApiError)):
            call(client)
        assert len(server.seen) == 1


def test_it_gives_up_after_a_few_tries(plays: Callable[..., Played]) -> None:
    broken = plays(*[b""] * 9)
    with Client(broken.url) as client, pytest.raises(ConnectionError):
        SEND(client)
    assert len(broken.seen) == module.TRIES
    busy = plays(*[answer(503, LATER, "Retry-After: 1")] * 9)
    with Client(busy.url) as client, pytest.raises(ApiError, match="later") as problem:
        SEND(client)
    assert (problem.value.status, len(busy.seen)) == (503, module.TRIES)


@pytest.mark.parametrize(
    ("told", "detail", "field"),
    [
        (answer(422, b'{"detail": "x: y", "field": "x"}'), "x: y", "x"),
        (answer(503, b'{"detail": "no hint when"}'), "no hint when", None),
        (answer(502, b"<html>proxy</html>"), "<html>proxy</html>", None),
    ],
)
def test_a_problem_is_carried_as_it_was_told(
    plays: Callable[..., Played], told: bytes, detail: str, field: str | None
) -> None:
    server = plays(told)
    with Client(server.url) as client, pytest.raises(ApiError) as problem:
        SEND(client)
    assert (problem.value.detail, problem.value.field, len(server.seen)) == (detail, field, 1)


def test_where_nothing_listens_it_says_where_and_what_to_start() -> None:
    port = free_port()
    with (
        Client(f"http://127.0.0.1:{port}") as client,
        pytest.raises(OSError, match=str(port)) as no,
    ):
        client.status()
    assert "start one with `pointsman run`" in str(no.value)


def test_numbers_leave_exactly_and_a_float_does_not_leave() -> None:
    with Client() as client, pytest.raises(TypeError, match=r"quantity=0\.1: send a str"):
        client.signal(**{**SIGNAL, "quantity": 0.1})
    assert module._encoded({"price": Decimal("1E+2")}) == b'{"price":"100"}'


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://x", "http://"])
def test_a_url_that_is_none_is_said(url: str) -> None:
    with pytest.raises(ValueError, match="write it as http"):
        Client(url)
