"""A whole engine that trades at the loopback Bybit. Whatever goes wrong, in the end the venue holds
what the books say, a holding has one stop, and nothing else rests."""

import asyncio
from collections.abc import Callable, Iterator
from copy import copy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pointsman.domain.orders import Role
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Outcome
from tests.integration.bybit_engine import BUY, CLOSE, SELL, TENTH, trading
from tests.optional import NEEDS_CCXT
from tests.venue_servers.bybit import BybitServer
from tests.venue_servers.faults import Fault, Kind
from tests.venue_servers.records import Holding

pytestmark = NEEDS_CCXT


@pytest.fixture
def server() -> Iterator[BybitServer]:
    with BybitServer(key="K", secret="S") as started:
        yield started


@pytest.mark.parametrize(("entry", "away"), [(BUY, ("56000", "56001")), (SELL, ("64000", "64001"))])
@pytest.mark.parametrize("mode", ["net", "hedge"])
async def test_a_signal_becomes_a_holding_with_a_stop_that_closes_it(
    server: BybitServer, tmp_path: Path, mode: str, entry: Any, away: tuple[str, str]
) -> None:
    server.switch_mode(is_hedging=mode == "hedge")
    async with trading(server, tmp_path, VENUE_POSITION_MODE=mode) as engine:
        await engine.hold(**entry)
        engine.price(*away)
        await engine.until(engine.is_flat)
        assert (engine.sent("create"), engine.sent("stop")) == (1, 1)


@pytest.mark.parametrize("mode", ["net", "hedge"])
async def test_a_close_ends_flat_with_nothing_left_behind(
    server: BybitServer, tmp_path: Path, mode: str
) -> None:
    server.switch_mode(is_hedging=mode == "hedge")
    async with trading(server, tmp_path, VENUE_POSITION_MODE=mode) as engine:
        await engine.hold()
        await engine.close()
        assert (engine.sent("create"), engine.sent("stop"), engine.sent("cancel")) == (2, 1, 1)


async def test_two_accounts_hold_both_sides_in_hedge_mode(
    server: BybitServer, tmp_path: Path
) -> None:
    server.switch_mode(is_hedging=True)
    async with trading(server, tmp_path, VENUE_POSITION_MODE="hedge") as engine:
        await engine.hold(**BUY)
        await engine.accepted(**{**SELL, "va_id": "VA002"})
        await engine.until(lambda: len(engine.resting()) == 2 and engine.is_covered())
        assert engine.held() == {Holding.LONG: TENTH, Holding.SHORT: -TENTH}
        await engine.accepted(**CLOSE)
        await engine.until(lambda: engine.resting() == [("buy", TENTH)] and engine.is_covered())
        await engine.close(va_id="VA002")


async def test_a_restart_finds_the_stop_that_rests(server: BybitServer, tmp_path: Path) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.hold()
    async with trading(server, tmp_path) as engine:
        await engine.close()
        assert engine.sent("stop") == 1


async def test_a_stop_that_was_set_off_while_nobody_listened_is_found_at_the_start(
    server: BybitServer, tmp_path: Path
) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.hold()
    server.quote("BTCUSDT", "56000", "56001")
    async with trading(server, tmp_path) as engine:
        await engine.until(engine.is_flat)
        assert engine.sent("create") == 1


def after(route: str, **more: Any) -> Fault:
    return Fault(route=route, kind=Kind.ANSWER_AFTER_DOING, **more)


def error(code: int) -> dict[str, Any]:
    return {"retCode": code, "retMsg": "x", "result": {}, "retExtInfo": {}, "time": 1}


FAULTS = {
    "the answer to the entry is lost": [Fault(route="create", kind=Kind.DROP_AFTER_DOING)],
    "the entry is answered by half": [after("create", half=True)],
    "the entry is answered with nothing": [after("create", body={})],
    "the entry is answered with a list": [after("create", body=[])],
    "the entry meets a timeout of the venue": [after("create", body=error(10000))],
    "the entry is called a duplicate": [after("create", body=error(110072))],
    "the entry arrives late": [Fault(route="create", kind=Kind.LATE, seconds=1.2)],
    "the answer to the stop is lost": [Fault(route="stop", kind=Kind.DROP_AFTER_DOING)],
    "the stop is never answered": [Fault(route="stop", kind=Kind.SILENCE_AFTER_DOING)],
    "the stop never arrives": [Fault(route="stop", kind=Kind.SILENCE)],
    "the stop meets a server error": [after("stop", body=error(10016))],
    "the stop meets a page of a gateway": [
        Fault(route="stop", kind=Kind.ANSWER, status=502, body="<html>")
    ],
    "the stop is not found at first": [
        Fault(route="stop", kind=Kind.DROP_AFTER_DOING),
        Fault(route="*", kind=Kind.HIDE_NEW_ORDERS, seconds=1.5),
    ],
    "the stop is one too many": [Fault(route="stop", kind=Kind.ANSWER, body=error(10006), times=2)],
    "the stop is too late": [Fault(route="stop", kind=Kind.ANSWER, body=error(10002), times=2)],
    "the stop is refused": [Fault(route="stop", kind=Kind.ANSWER, body=error(110009))],
}


@pytest.mark.parametrize("name", FAULTS)
async def test_an_order_is_neither_lost_nor_doubled_when(
    server: BybitServer, tmp_path: Path, name: str
) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.until(lambda: engine.sent("positions") > 3)
        for fault in FAULTS[name]:
            server.faults.add(copy(fault))
        await engine.accepted(**BUY)
        await engine.until(lambda: len(engine.orders(Role.ENTRY)) == 1 and engine.is_settled())
        server.faults.clear()
        await asyncio.sleep(1.5)
        assert engine.is_settled()
        if engine.is_covered():
            await engine.accepted(**CLOSE)
        await engine.until(engine.is_flat)
        bought = [each for each in server.account.orders.values() if each.side.value == "buy"]
        assert [each.filled for each in bought] == [TENTH]


CLOSING = {
    "the answer to the exit is lost": [Fault(route="create", kind=Kind.DROP_AFTER_DOING)],
    "the exit never arrives": [Fault(route="create", kind=Kind.SILENCE)],
    "the exit meets a page of a gateway": [
        Fault(route="create", kind=Kind.ANSWER, status=503, body="<html>", times=3)
    ],
    "the exit is one too many": [Fault(route="create", kind=Kind.ANSWER, body=error(10006))],
    "the answer to the cancel is lost": [Fault(route="cancel", kind=Kind.DROP_AFTER_DOING)],
    "the cancel never arrives": [Fault(route="cancel", kind=Kind.SILENCE)],
    "the cancel meets a server error": [
        Fault(route="cancel", kind=Kind.ANSWER, body=error(10016), times=2)
    ],
    "the cancel is asked to try again": [
        Fault(route="cancel", kind=Kind.ANSWER, body=error(110079), times=2)
    ],
}


@pytest.mark.parametrize("name", CLOSING)
async def test_a_close_ends_flat_when(server: BybitServer, tmp_path: Path, name: str) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.hold()
        for fault in CLOSING[name]:
            server.faults.add(copy(fault))
        await engine.accepted(**CLOSE)
        await engine.until(engine.is_flat)
        sold = [each for each in server.account.orders.values() if each.side.value == "sell"]
        assert sum((each.filled for each in sold), Decimal(0)) == TENTH


STREAM: dict[str, Callable[[BybitServer], None]] = {
    "drops a message": lambda server: server.streams.drop(1),
    "drops them all": lambda server: server.streams.drop(8),
    "repeats every message": lambda server: server.streams.repeat(50),
    "swaps two messages": lambda server: server.streams.swap(),
    "is late": lambda server: server.streams.delay(0.5),
    "falls silent": lambda server: server.streams.silence(5),
    "closes": lambda server: server.streams.close(),
}


@pytest.mark.parametrize("name", STREAM)
async def test_the_books_are_right_in_the_end_when_the_stream(
    server: BybitServer, tmp_path: Path, name: str
) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.until(lambda: engine.sent("positions") > 3)
        STREAM[name](server)
        # A loss that is noticed only after the decision withdraws the entry: there would be none.
        await asyncio.sleep(0.5)
        await engine.hold()
        await engine.close()
        assert len(engine.orders(Role.ENTRY)) == 1


@pytest.mark.parametrize("route", ["positions", "open_orders", "fills", "query"])
@pytest.mark.parametrize("kind", [Kind.EMPTY_LIST, Kind.STALE_LIST, Kind.ANSWER, Kind.SILENCE])
async def test_a_holding_keeps_its_stop_while_questions_are_answered_wrongly(
    server: BybitServer, tmp_path: Path, route: str, kind: Kind
) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.hold()
        server.faults.add(Fault(route=route, kind=kind, times=1000, status=500, body="<html>"))
        await asyncio.sleep(4)
        assert engine.is_covered(), engine.seen()
        assert (engine.sent("create"), engine.sent("stop"), engine.sent("cancel")) == (1, 1, 0)
        server.faults.clear()
        await engine.close()


@pytest.mark.parametrize("kind", ["liquidation", "deleveraging"])
async def test_what_the_venue_closes_by_force_ends_the_position_and_its_stop(
    server: BybitServer, tmp_path: Path, kind: str
) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.hold()
        server.liquidate("BTCUSDT", kind=kind)
        await engine.until(engine.is_flat)
        assert Reason.EXTERNAL_ACTIVITY in engine.incidents()


@pytest.mark.parametrize("quantity", ["0.04", "0.1"])
async def test_what_the_owner_sells_elsewhere_is_no_longer_ours_and_not_sold_again(
    server: BybitServer, tmp_path: Path, quantity: str
) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.hold()
        server.foreign_order("BTCUSDT", "sell", quantity)
        left = TENTH - Decimal(quantity)
        await engine.until(lambda: engine.resting() == ([("sell", left)] if left else []))
        if left:
            await engine.until(engine.is_covered)
            await engine.accepted(**CLOSE)
        await engine.until(engine.is_flat)


async def test_funding_is_paid_by_the_account_that_holds(
    server: BybitServer, tmp_path: Path
) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.hold()
        before = engine.cash()
        server.funding("BTCUSDT", "-1.25")
        await engine.until(lambda: engine.cash() == before - Decimal("1.25"))
        await asyncio.sleep(2.5)
        assert engine.cash() == before - Decimal("1.25")
        await engine.close()


async def test_a_stop_that_a_person_cancels_is_placed_again(
    server: BybitServer, tmp_path: Path
) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.hold()
        (stop,) = server.account.open_orders()
        server.foreign_cancel(stop.id)
        await engine.until(lambda: engine.sent("stop") == 2 and engine.is_covered())
        await engine.close()


async def test_a_close_in_a_halt_is_done_when_it_is_over(
    server: BybitServer, tmp_path: Path
) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.hold()
        server.halt("BTCUSDT")
        await asyncio.sleep(1.5)
        assert engine.is_covered()
        await engine.accepted(**CLOSE)
        await engine.until(lambda: Reason.EXIT_REJECTED in engine.incidents())
        assert engine.held() == {Holding.NET: TENTH}
        server.resume("BTCUSDT")
        await engine.until(engine.is_flat)


async def test_a_key_that_is_revoked_stops_entries_until_it_works_again(
    server: BybitServer, tmp_path: Path
) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.hold()
        server.change_key(refused_with=10003)
        await engine.until(lambda: Reason.LINK_DOWN in engine.incidents())
        refused = await engine.signal(**{**BUY, "va_id": "VA002"})
        assert (refused.outcome, refused.reason) == (Outcome.REFUSED, Reason.VENUE_DOWN)
        server.change_key()
        await engine.until(lambda: Reason.LINK_UP in engine.incidents())
        await engine.close()


async def test_a_clock_that_runs_off_is_set_again(server: BybitServer, tmp_path: Path) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.hold()
        server.move_clock(120_000)
        await engine.close()
        await engine.hold()
        await engine.close()


async def test_a_switch_of_the_position_mode_is_noticed_and_stops_entries(
    server: BybitServer, tmp_path: Path
) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.until(lambda: engine.sent("positions") > 3)
        server.switch_mode(is_hedging=True)
        await engine.accepted(**BUY)
        await engine.until(lambda: Reason.LINK_DOWN in engine.incidents())
        assert engine.is_flat()
        server.switch_mode(is_hedging=False)
        await engine.hold()
        await engine.close()


async def test_what_the_account_held_before_is_never_touched(
    server: BybitServer, tmp_path: Path
) -> None:
    server.quote("BTCUSDT", "59999.9", "60000")
    server.foreign_order("BTCUSDT", "buy", "0.3")
    foreign = server.foreign_order("BTCUSDT", "buy", "0.2", price="50000")
    async with trading(server, tmp_path) as engine:
        await engine.accepted(**BUY)
        await engine.until(lambda: engine.resting() == [("sell", TENTH)])
        await engine.accepted(**CLOSE)
        await engine.until(lambda: engine.held() == {Holding.NET: Decimal("0.3")})
        await engine.until(lambda: engine.resting() == [] and engine.positions() == [])
        assert [each.id for each in server.account.open_orders()] == [foreign]
