"""A whole engine that trades at Alpaca, against the Alpaca server of the tests. Whatever goes
wrong: in the end the venue holds what the books say, with one stop, and nothing else rests.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pointsman.domain.orders import Role
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Outcome
from tests.integration.alpaca_session import BUY, CLOSE, session
from tests.venue_servers.alpaca import AlpacaServer
from tests.venue_servers.faults import Fault, Kind


@pytest.fixture
def server() -> Iterator[AlpacaServer]:
    with AlpacaServer(key="K", secret="S") as started:
        yield started


async def test_a_signal_becomes_a_holding_with_a_stop_and_a_close_ends_flat(
    server: AlpacaServer, tmp_path: Path
) -> None:
    async with session(server, tmp_path) as trading:
        await trading.hold()
        await trading.until(trading.is_covered)
        await trading.accepted(**CLOSE)
        await trading.until(trading.is_flat)
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
        await trading.until(trading.is_covered)
        trading.price("94.90", "94.95")
        await trading.until(trading.is_flat)
        assert trading.sent("create") == 1


async def test_a_restart_finds_the_stop_that_rests(server: AlpacaServer, tmp_path: Path) -> None:
    async with session(server, tmp_path) as trading:
        await trading.hold()
        await trading.until(trading.is_covered)
    async with session(server, tmp_path) as trading:
        await trading.accepted(**CLOSE)
        await trading.until(trading.is_flat)
        assert trading.sent("stop") == 1


FAULTS = {
    "the answer to the entry is lost": [Fault(route="create", kind=Kind.DROP_AFTER_DOING)],
    "the entry is answered by half": [
        Fault(route="create", kind=Kind.ANSWER_AFTER_DOING, half=True)
    ],
    "the entry is answered with nothing": [
        Fault(route="create", kind=Kind.ANSWER_AFTER_DOING, status=200, body={})
    ],
    "the entry is called a duplicate": [
        Fault(
            route="create",
            kind=Kind.ANSWER_AFTER_DOING,
            status=422,
            body={"code": 40010001, "message": "client_order_id must be unique"},
        )
    ],
    "the answer to the stop is lost": [Fault(route="stop", kind=Kind.DROP_AFTER_DOING)],
    "the stop is never answered": [Fault(route="stop", kind=Kind.SILENCE_AFTER_DOING)],
    "the stop never arrives": [Fault(route="stop", kind=Kind.SILENCE)],
    "the stop meets a page of a gateway": [
        Fault(route="stop", kind=Kind.ANSWER, status=502, body="<html>")
    ],
    "the stop is not found at first": [
        Fault(route="stop", kind=Kind.DROP_AFTER_DOING),
        Fault(route="*", kind=Kind.HIDE_NEW_ORDERS, seconds=1.5),
    ],
    "the stop is told to slow down": [
        Fault(
            route="stop",
            kind=Kind.ANSWER,
            status=429,
            body={"code": 42910000, "message": "rate limit exceeded"},
            headers={"Retry-After": "1"},
        )
    ],
}


@pytest.mark.parametrize("name", FAULTS)
async def test_an_order_is_neither_lost_nor_doubled_when(
    server: AlpacaServer, tmp_path: Path, name: str
) -> None:
    async with session(server, tmp_path) as trading:
        await trading.until(lambda: trading.sent("positions") > 0)
        for fault in FAULTS[name]:
            server.faults.add(Fault(**vars(fault)))
        await trading.accepted(**BUY)
        await trading.until(lambda: len(trading.orders(Role.ENTRY)) == 1 and trading.is_settled())
        server.faults.clear()
        await asyncio.sleep(1.5)
        assert trading.is_settled()
        if trading.is_covered():
            await trading.accepted(**CLOSE)
        await trading.until(trading.is_flat)
        entries = [order for order in server.account.orders.values() if order.side == "buy"]
        assert [order.filled for order in entries] == [10]


STREAM: dict[str, Callable[[AlpacaServer], None]] = {
    "drops a message": lambda server: server.streams.drop(1),
    "drops them all": lambda server: server.streams.drop(4),
    "repeats every message": lambda server: server.streams.repeat(50),
    "swaps two messages": lambda server: server.streams.swap(),
    "is late": lambda server: server.streams.delay(0.5),
    "falls silent": lambda server: server.streams.silence(5),
}


@pytest.mark.parametrize("name", STREAM)
async def test_the_books_are_right_in_the_end_when_the_stream(
    server: AlpacaServer, tmp_path: Path, name: str
) -> None:
    async with session(server, tmp_path) as trading:
        await trading.until(lambda: trading.sent("positions") > 0)
        STREAM[name](server)
        await trading.hold()
        await trading.until(trading.is_covered)
        await trading.accepted(**CLOSE)
        await trading.until(trading.is_flat)
        assert len(trading.orders(Role.ENTRY)) == 1


async def test_a_cancel_that_never_ends_keeps_the_exit_waiting_and_nothing_is_sold_twice(
    server: AlpacaServer, tmp_path: Path
) -> None:
    async with session(server, tmp_path) as trading:
        await trading.hold()
        await trading.until(trading.is_covered)
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
        await trading.until(trading.is_covered)
        server.liquidate("AAPL")
        await trading.until(trading.is_flat)


WRONG = [
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


@pytest.mark.parametrize("faults", WRONG)
async def test_a_holding_keeps_its_stop_while_questions_are_answered_wrongly(
    server: AlpacaServer, tmp_path: Path, faults: dict[str, Kind]
) -> None:
    async with session(server, tmp_path) as trading:
        await trading.hold()
        await trading.until(trading.is_covered)
        for route, kind in faults.items():
            server.faults.add(Fault(route=route, kind=kind, times=1000, status=500, body="<html>"))
        await asyncio.sleep(4)
        assert trading.is_covered()
        assert (trading.sent("create"), trading.sent("stop"), trading.sent("cancel")) == (1, 1, 0)
        server.faults.clear()
        await trading.accepted(**CLOSE)
        await trading.until(trading.is_flat)


async def test_a_key_that_is_revoked_stops_entries_until_it_works_again(
    server: AlpacaServer, tmp_path: Path
) -> None:
    async with session(server, tmp_path) as trading:
        await trading.hold()
        await trading.until(trading.is_covered)
        server.key = "another"
        await trading.until(lambda: Reason.LINK_DOWN in trading.incidents())
        refused = await trading.signal(**{**BUY, "va_id": "VA002", "symbol": "MSFT"})
        assert refused.reason is Reason.VENUE_DOWN
        server.key = "K"
        await trading.until(lambda: Reason.LINK_UP in trading.incidents())
        await trading.accepted(**CLOSE)
        await trading.until(trading.is_flat)


async def test_a_holding_survives_a_halt_and_the_night(
    server: AlpacaServer, tmp_path: Path
) -> None:
    async with session(server, tmp_path) as trading:
        await trading.hold()
        await trading.until(trading.is_covered)
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
        await trading.until(trading.is_covered)
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
        await trading.until(trading.is_covered)
        (stop,) = trading.orders(Role.STOP)
        server.end_order(stop.client_order_id)
        await trading.until(lambda: trading.sent("stop") == 2)
        await trading.until(trading.is_covered)


async def test_an_exit_while_the_market_is_closed_waits_and_is_sent_once(
    server: AlpacaServer, tmp_path: Path
) -> None:
    async with session(server, tmp_path) as trading:
        await trading.hold()
        await trading.until(trading.is_covered)
        server.close_market()
        await trading.accepted(**CLOSE)
        await trading.until(lambda: trading.resting() == [("sell", "market", 10)])
        await asyncio.sleep(3)
        assert trading.sent("create") == 2
        server.open_market()
        await trading.until(trading.is_flat)
