"""A whole engine that trades at Alpaca, against the Alpaca server of the tests. Whatever goes
wrong: in the end the venue holds what the books say, with one stop, and nothing else rests.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pointsman.domain.orders import Role
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Outcome
from tests.integration.alpaca_session import BUY, CLOSE, Session, session
from tests.integration.sessions import pointsman
from tests.integration.venue_engine_stories import (
    CLOSE_FAULTS,
    ENTRY_FAULTS,
    STREAM_FAULTS,
    VenueEngineStories,
    after,
    cancel_faults,
)
from tests.venue_servers.alpaca import AlpacaServer
from tests.venue_servers.faults import Fault, Kind


@pytest.fixture
def server() -> Iterator[AlpacaServer]:
    with AlpacaServer(key="K", secret="S") as started:
        yield started


TAKEN = {"code": 40010001, "message": "client_order_id must be unique"}
TOO_MANY = {"code": 42910000, "message": "rate limit exceeded"}


class TestAlpacaEngine(VenueEngineStories):
    cancel_route = "cancel"
    other_entry: ClassVar[Mapping[str, str]] = {**BUY, "va_id": "VA002", "symbol": "MSFT"}
    entry_faults: ClassVar[Mapping[str, list[Fault]]] = {
        **ENTRY_FAULTS,
        "the entry is called a duplicate": [after("create", status=422, body=TAKEN)],
        "the stop is told to slow down": [
            Fault(
                route="stop",
                kind=Kind.ANSWER,
                status=429,
                body=TOO_MANY,
                headers={"Retry-After": "1"},
            )
        ],
    }
    close_faults: ClassVar[Mapping[str, list[Fault]]] = {**CLOSE_FAULTS, **cancel_faults("cancel")}
    stream_faults: ClassVar[Mapping[str, Callable[[Any], None]]] = {
        **STREAM_FAULTS,
        "drops all of an entry": lambda server: server.streams.drop(4),
    }
    wrong_answers: ClassVar[Any] = [
        {"positions": Kind.EMPTY_LIST},
        {"positions": Kind.STALE_LIST},
        {"positions": Kind.ANSWER},
        {"positions": Kind.SILENCE},
        {"open_orders": Kind.EMPTY_LIST},
        {"open_orders": Kind.EMPTY_LIST, "query": Kind.ANSWER},
        {"open_orders": Kind.ANSWER},
        {"fills": Kind.EMPTY_LIST},
        {"fills": Kind.ANSWER},
    ]

    def serve(self) -> AlpacaServer:
        return AlpacaServer(key="K", secret="S")

    def trade(
        self, server: AlpacaServer, folder: Path, **settings: str
    ) -> AbstractAsyncContextManager[Session]:
        return session(server, folder, **settings)

    def fall(self, server: AlpacaServer) -> None:
        server.quote("AAPL", "94.90", "94.95")

    def revoke_key(self, server: AlpacaServer) -> None:
        server.key = "another"

    def restore_key(self, server: AlpacaServer) -> None:
        server.key = "K"


async def test_a_signal_becomes_a_holding_with_a_stop_and_a_close_ends_flat(
    server: AlpacaServer, tmp_path: Path
) -> None:
    async with session(server, tmp_path) as trading:
        await trading.hold()
        await trading.close()
        assert (trading.sent("create"), trading.sent("stop"), trading.sent("cancel")) == (2, 1, 1)


async def test_what_alpaca_forbids_beside_a_stop_is_refused_before_it_leaves(
    server: AlpacaServer, tmp_path: Path
) -> None:
    async with session(server, tmp_path) as trading:
        await trading.hold()
        sent = trading.sent("create")
        await trading.until(trading.is_covered)
        decision = await trading.signal(**{**BUY, "va_id": "VA002"})
        assert (decision.outcome, decision.reason) == (Outcome.REFUSED, Reason.VENUE_FORBIDS)
        assert trading.sent("create") == sent


async def test_a_stop_that_is_set_off_ends_flat(server: AlpacaServer, tmp_path: Path) -> None:
    async with session(server, tmp_path) as trading:
        await trading.hold()
        trading.price("94.90", "94.95")
        await trading.until(trading.is_flat)
        assert trading.sent("create") == 1


async def test_a_cancel_that_never_ends_keeps_the_exit_waiting_and_nothing_is_sold_twice(
    server: AlpacaServer, tmp_path: Path
) -> None:
    async with session(server, tmp_path) as trading:
        await trading.hold()
        server.cancel_seconds = None
        await trading.accepted(**CLOSE)
        await asyncio.sleep(3)
        assert trading.held() == 10
        (stop,) = trading.orders(Role.STOP)
        server.end_order(stop.client_order_id)
        await trading.until(trading.is_flat)


async def test_what_the_owner_sells_elsewhere_ends_the_position_and_its_stop(
    server: AlpacaServer, tmp_path: Path
) -> None:
    async with session(server, tmp_path) as trading:
        await trading.hold()
        server.liquidate("AAPL")
        await trading.until(trading.is_flat)


async def test_a_holding_survives_a_halt_and_the_night(
    server: AlpacaServer, tmp_path: Path
) -> None:
    async with session(server, tmp_path) as trading:
        await trading.hold()
        server.halt("AAPL")
        await asyncio.sleep(1.5)
        assert trading.is_covered()
        server.resume("AAPL")
        server.close_market()
        await asyncio.sleep(1.5)
        assert trading.is_covered()
        server.open_market()
        trading.price("94.90", "94.95")
        await trading.until(trading.is_flat)


async def test_what_happens_while_the_stream_is_down_is_found(
    server: AlpacaServer, tmp_path: Path
) -> None:
    async with session(server, tmp_path) as trading:
        await trading.hold()
        server.streams.close()
        trading.price("94.90", "94.95")
        await trading.until(trading.is_flat)
        assert Reason.LINK_DOWN in trading.incidents()


async def test_an_order_of_the_owner_that_forbids_the_stop_is_waited_for(
    server: AlpacaServer, tmp_path: Path
) -> None:
    async with session(server, tmp_path) as trading:
        await trading.until(lambda: trading.sent("positions") > 0)
        fault = Fault(route="stop", kind=Kind.DELAY, seconds=0.3)
        server.faults.add(fault)
        await trading.accepted(**BUY)
        await trading.until(lambda: trading.held() == 10)
        foreign = server.foreign_order(
            "AAPL", "buy", 1, type="limit", limit_price="90", time_in_force="gtc"
        )
        await asyncio.sleep(4)
        assert trading.held() == 10
        assert Reason.VENUE_FORBIDS in trading.incidents()
        assert trading.sent("stop") + trading.sent("create") < 20, "not at the speed of the wire"
        server.end_order(foreign["client_order_id"])
        await trading.until(trading.is_settled)


async def test_a_stop_that_the_venue_ends_is_placed_again(
    server: AlpacaServer, tmp_path: Path
) -> None:
    async with session(server, tmp_path) as trading:
        await trading.hold()
        (stop,) = trading.orders(Role.STOP)
        server.end_order(stop.client_order_id)
        await trading.until(lambda: trading.sent("stop") == 2)
        await trading.until(trading.is_covered)


async def test_an_exit_while_the_market_is_closed_waits_and_is_sent_once(
    server: AlpacaServer, tmp_path: Path
) -> None:
    async with session(server, tmp_path) as trading:
        await trading.hold()
        server.close_market()
        await trading.accepted(**CLOSE)
        await trading.until(lambda: trading.resting() == [("sell", "market", 10)])
        (closing,) = trading.orders(Role.EXIT)

        def is_queued() -> bool:
            words = pointsman(tmp_path, "why", closing.client_order_id, "--db", "t.db").stdout
            return "is ACCEPTED, queued by the venue until its session" in words

        await trading.until(lambda: trading.orders(Role.EXIT)[0].is_queued)
        await asyncio.sleep(2)
        assert await asyncio.to_thread(is_queued)
        assert trading.sent("create") == 2
        server.open_market()
        await trading.until(trading.is_flat)
        assert not trading.orders(Role.EXIT)[0].is_queued
