"""The frame of the venue servers, with a venue of one list: each fault does what its name says,
and so does each thing that can happen to a stream."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.venue_servers.__main__ import SERVERS
from tests.venue_servers.base import VenueServer
from tests.venue_servers.calls import Call, Refusal, Route
from tests.venue_servers.faults import Fault, Kind
from tests.venue_servers.streams import ACCOUNT, Socket, StreamRoute


class ListVenue(VenueServer):
    """Keeps what it is sent, and streams it."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port=port)
        self.account: list[str] = []

    def routes(self) -> Iterable[Route]:
        yield Route(method="POST", path="/items", name="create", handler=self.create)
        yield Route(method="GET", path="/items", name="query", handler=lambda _: [*self.account])

    def stream_routes(self) -> Iterable[StreamRoute]:
        def echo(socket: Socket, data: str | bytes) -> None:
            socket.send({"echo": str(data)})

        def admit(socket: Socket) -> None:
            if socket.call.query.get("key") != self.key:
                raise Refusal(401, {"error": "key"})

        yield StreamRoute(path="/stream", channel=ACCOUNT, on_message=echo, on_open=admit)

    def admit(self, call: Call, route: Route) -> dict[str, str]:
        if call.headers.get("x-key", self.key) != self.key:
            raise Refusal(401, {"error": "key"})
        return {"X-Route": route.name}

    def create(self, call: Call) -> Any:
        if call.body == b"broken":
            raise ZeroDivisionError
        self.account.append(call.body.decode())
        self.streams.push(ACCOUNT, {"item": call.body.decode()})
        return {"id": len(self.account)}

    def account_view(self) -> Any:
        return self.account

    def controls(self) -> dict[str, Callable[..., Any]]:
        return {"quote": lambda price: self.account.append(f"at {price}")}


@pytest.fixture
def venue() -> Iterator[ListVenue]:
    with ListVenue() as server:
        yield server


async def ask(venue: VenueServer, method: str, path: str, **words: Any) -> tuple[int, str]:
    limit = aiohttp.ClientTimeout(total=0.4)
    async with (
        aiohttp.ClientSession(timeout=limit) as session,
        session.request(method, venue.url + path, **words) as answer,
    ):
        return answer.status, await answer.text()


DONE, UNDONE = ["a"], list[str]()
LOST = "lost"

CREATES = [
    (Fault(route="create", kind=Kind.ANSWER, status=503, body="<html>"), (503, "<html>"), UNDONE),
    (Fault(route="create", kind=Kind.ANSWER_AFTER_DOING, status=504), (504, '{"id":1}'), DONE),
    (Fault(route="/items", kind=Kind.ANSWER_AFTER_DOING, body=[]), (200, "[]"), DONE),
    (Fault(route="*", kind=Kind.ANSWER_AFTER_DOING, half=True), LOST, DONE),
    (Fault(route="create", kind=Kind.DROP_BEFORE), LOST, UNDONE),
    (Fault(route="create", kind=Kind.DROP_AFTER_DOING), LOST, DONE),
    (Fault(route="create", kind=Kind.DELAY, seconds=0.1), (200, '{"id":1}'), DONE),
    (Fault(route="create", kind=Kind.DELAY, seconds=0.6), LOST, UNDONE),
    (Fault(route="create", kind=Kind.LATE, seconds=0.6), LOST, DONE),
    (Fault(route="create", kind=Kind.SILENCE), LOST, UNDONE),
    (Fault(route="create", kind=Kind.SILENCE_AFTER_DOING), LOST, DONE),
    (Fault(route="query", kind=Kind.DROP_BEFORE), (200, '{"id":1}'), DONE),
    (Fault(route="create", kind=Kind.DROP_BEFORE, skip=1), (200, '{"id":1}'), DONE),
]


@pytest.mark.parametrize(("fault", "expected", "items"), CREATES, ids=lambda value: str(value)[:60])
async def test_a_fault_decides_what_is_done_and_what_is_answered(
    venue: ListVenue, fault: Fault, expected: Any, items: list[str]
) -> None:
    venue.faults.add(fault)
    try:
        answer: Any = await ask(venue, "POST", "/items", data=b"a")
    except (aiohttp.ClientError, TimeoutError):
        answer = LOST
    assert answer == expected
    await asyncio.sleep(0.4 if fault.seconds > 0.4 else 0)
    assert venue.account == items
    assert [arrived.route for arrived in venue.requests] == ["create"]


async def test_a_client_may_ask_again_by_itself_where_a_connection_is_dropped(
    venue: ListVenue,
) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(2):
            async with session.get(venue.url + "/items") as answer:
                assert answer.status == 200
            venue.faults.add(Fault(route="query", kind=Kind.DROP_BEFORE))
        venue.faults.add(Fault(route="query", kind=Kind.DROP_BEFORE))
        with pytest.raises(aiohttp.ClientError):
            await session.get(venue.url + "/items")
    statuses = [arrived.status for arrived in venue.requests]
    assert statuses == [200, None, 200, None, None]


async def test_a_list_comes_empty_cut_or_as_it_was(venue: ListVenue) -> None:
    answers = []
    for n, kind in enumerate((None, Kind.EMPTY_LIST, Kind.CUT_LIST, Kind.STALE_LIST, None)):
        venue.account.append(f"{n}")
        if kind is not None:
            venue.faults.add(Fault(route="query", kind=kind, keep=2))
        answers.append((await ask(venue, "GET", f"/items?timestamp={n}"))[1])
    assert answers == ['["0"]', "[]", '["0","1"]', '["0","1","2"]', '["0","1","2","3","4"]']


def test_new_orders_are_hidden_by_their_age(venue: ListVenue) -> None:
    venue.faults.add(Fault(route="query", kind=Kind.HIDE_NEW_ORDERS, seconds=2))
    assert venue.faults.take("query", "/items") is None
    ages = (("query", 1), ("query", 2), ("open_orders", 1))
    assert [venue.faults.hides(*age) for age in ages] == [True, False, False]


@asynccontextmanager
async def stream(venue: VenueServer) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(venue.stream_url + "/stream?key=key") as socket,
    ):
        await socket.send_str("hello")
        assert await socket.receive_json(timeout=2) == {"echo": "hello"}
        yield socket


STREAMS: list[tuple[Callable[[VenueServer], None], list[str]]] = [
    (lambda _: None, ["a", "b", "c"]),
    (lambda venue: venue.streams.drop(2), ["c"]),
    (lambda venue: venue.streams.repeat(1), ["a", "a", "b", "c"]),
    (lambda venue: venue.streams.swap(), ["b", "a", "c"]),
    (lambda venue: venue.streams.delay(0.2), ["a", "b", "c"]),
    (lambda venue: venue.streams.silence(5), []),
]


@pytest.mark.parametrize(("goes_wrong", "expected"), STREAMS)
async def test_a_stream_loses_repeats_swaps_and_delays(
    venue: ListVenue, goes_wrong: Callable[[VenueServer], None], expected: list[str]
) -> None:
    async with stream(venue) as socket:
        goes_wrong(venue)
        start = time.monotonic()
        for item in ("a", "b", "c"):
            await ask(venue, "POST", "/items", data=item)
        heard = [(await socket.receive_json(timeout=2))["item"] for _ in expected]
        assert heard == expected
        assert time.monotonic() - start >= venue.streams.channels[ACCOUNT].delay_seconds
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.05)
        assert venue.account == ["a", "b", "c"]


async def test_a_stream_is_closed_with_a_code_and_refused_without_a_key(venue: ListVenue) -> None:
    async with stream(venue) as socket:
        venue.streams.close(1001)
        closing = await socket.receive(timeout=2)
        assert (closing.type, closing.data) == (aiohttp.WSMsgType.CLOSE, 1001)
    assert await ask(venue, "GET", "/stream") == (401, '{"error":"key"}')
    assert [arrived.status for arrived in venue.requests] == [101, 401]


async def test_controls_come_over_http_too(venue: ListVenue) -> None:
    assert await ask(venue, "POST", "/_control/quote", json={"price": 1.1}) == (
        200,
        '{"done":null}',
    )
    assert await ask(venue, "GET", "/_control/account") == (200, '["at 1.1"]')
    fault = {"route": "query", "kind": "answer", "status": 418, "headers": {"Retry-After": "7"}}
    assert (await ask(venue, "POST", "/_control/fault", json=fault))[0] == 200
    assert (await ask(venue, "GET", "/items"))[0] == 418
    action = {"action": "drop", "n": 3}
    assert (await ask(venue, "POST", "/_control/stream", json=action))[0] == 200
    assert venue.streams.channels[ACCOUNT].drops == 3
    assert '"status":418' in (await ask(venue, "GET", "/_control/requests"))[1]
    refused = [
        ("quote", {"cost": 1}),
        ("fault", {"route": "query", "kind": "earthquake"}),
        ("stream", {"action": "sing"}),
    ]
    for name, words in refused:
        assert (await ask(venue, "POST", f"/_control/{name}", json=words))[0] == 400
    assert (await ask(venue, "POST", "/_control/dance"))[0] == 404


async def test_an_unbuilt_route_and_a_bad_key_show_in_what_arrived(venue: ListVenue) -> None:
    assert (await ask(venue, "GET", "/nothing"))[0] == 404
    assert (await ask(venue, "GET", "/items", headers={"X-Key": "other"}))[0] == 401
    seen = [(arrived.route, arrived.status) for arrived in venue.requests]
    assert seen == [("unknown", 404), ("query", 401)]


async def test_an_error_inside_the_server_fails_the_test_that_used_it() -> None:
    with pytest.raises(AssertionError, match="ZeroDivisionError"), ListVenue() as venue:
        assert (await ask(venue, "POST", "/items", data=b"broken"))[0] == 500


def test_a_taken_port_is_an_error_at_the_start(venue: ListVenue) -> None:
    with pytest.raises(OSError, match="in use"), ListVenue(port=venue.port):
        pass


@pytest.mark.parametrize("name", SERVERS)
def test_each_server_runs_as_a_process_until_it_is_asked_to_end(name: str) -> None:
    command = [sys.executable, "-m", "tests.venue_servers", name]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        addresses = [process.stdout.readline().split()[-1] for _ in range(3)]
        assert [address.partition("://")[0] for address in addresses] == ["http", "ws", "ws"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
