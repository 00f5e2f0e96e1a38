"""A whole engine that trades at the loopback Binance. Whatever goes wrong, in the end the venue
holds what the books say, a holding has one stop, and nothing else rests."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from copy import copy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pointsman.domain.orders import Role
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Outcome
from tests.integration import bybit_engine
from tests.integration.bybit_engine import BUY, CLOSE, SELL, TENTH, Trading
from tests.optional import NEEDS_CCXT
from tests.venue_servers.binance import BinanceServer
from tests.venue_servers.binance_events import ChildClientId, TriggerSequence
from tests.venue_servers.faults import Fault, Kind
from tests.venue_servers.records import Holding

pytestmark = NEEDS_CCXT


@pytest.fixture
def server() -> Iterator[BinanceServer]:
    with BinanceServer(key="K", secret="S") as started:
        # Comparisons are asked for every second here, and not every five.
        started.gate.weight_limit = 20_000
        yield started


@asynccontextmanager
async def trading(server: BinanceServer, folder: Path, **more: str) -> AsyncIterator[Trading]:
    async with bybit_engine.trading(server, folder, VENUE="binanceusdm", **more) as engine:
        yield engine


def hedge(server: BinanceServer, mode: str) -> None:
    server.account.is_hedging = mode == "hedge"


@pytest.mark.parametrize(("entry", "away"), [(BUY, ("56000", "56001")), (SELL, ("64000", "64001"))])
@pytest.mark.parametrize("mode", ["net", "hedge"])
@pytest.mark.parametrize("child", ChildClientId)
@pytest.mark.parametrize("sequence", [TriggerSequence.STOP_FIRST, TriggerSequence.CHILD_FIRST])
async def test_a_signal_becomes_a_holding_with_a_stop_that_closes_it(
    server: BinanceServer,
    tmp_path: Path,
    mode: str,
    child: str,
    sequence: str,
    entry: Any,
    away: tuple[str, str],
) -> None:
    hedge(server, mode)
    server.switch(trigger_sequence=sequence, child_client_id=child)
    async with trading(server, tmp_path, VENUE_POSITION_MODE=mode) as engine:
        await engine.hold(**entry)
        engine.price(*away)
        await engine.until(engine.is_flat)
        assert (engine.sent("create"), engine.sent("stop")) == (1, 1)
        assert Reason.EXTERNAL_ACTIVITY not in engine.incidents()
        assert Reason.MISMATCH not in engine.incidents()


@pytest.mark.parametrize("mode", ["net", "hedge"])
@pytest.mark.parametrize("stops_hold", [False, True])
async def test_a_close_ends_flat_with_nothing_left_behind(
    server: BinanceServer, tmp_path: Path, mode: str, stops_hold: bool
) -> None:
    hedge(server, mode)
    server.switch(stops_hold_position=stops_hold)
    async with trading(server, tmp_path, VENUE_POSITION_MODE=mode) as engine:
        await engine.hold()
        await engine.close()
        assert (engine.sent("create"), engine.sent("stop")) == (2, 1)
        assert engine.sent("stop_cancel") == 1


async def test_two_accounts_hold_both_sides_in_hedge_mode(
    server: BinanceServer, tmp_path: Path
) -> None:
    hedge(server, "hedge")
    async with trading(server, tmp_path, VENUE_POSITION_MODE="hedge") as engine:
        await engine.hold(**BUY)
        await engine.accepted(**{**SELL, "va_id": "VA002"})
        await engine.until(lambda: len(engine.resting()) == 2 and engine.is_covered())
        assert engine.held() == {Holding.LONG: TENTH, Holding.SHORT: -TENTH}
        await engine.accepted(**CLOSE)
        await engine.until(lambda: engine.resting() == [("buy", TENTH)] and engine.is_covered())
        await engine.close(va_id="VA002")


@pytest.mark.parametrize("child", ChildClientId)
async def test_a_stop_that_was_set_off_while_nobody_listened_is_found_at_the_start(
    server: BinanceServer, tmp_path: Path, child: str
) -> None:
    server.switch(child_client_id=child, serves_ended_stops=False)
    async with trading(server, tmp_path) as engine:
        await engine.hold()
    server.quote("BTCUSDT", "56000", "56001")
    async with trading(server, tmp_path) as engine:
        await engine.until(engine.is_flat)
        assert engine.sent("create") == 1


async def test_a_restart_finds_the_stop_that_rests(server: BinanceServer, tmp_path: Path) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.hold()
    async with trading(server, tmp_path) as engine:
        await engine.close()
        assert engine.sent("stop") == 1


async def test_results_of_the_venue_with_too_many_digits_do_not_keep_a_restart_from_comparing(
    server: BinanceServer, tmp_path: Path
) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.hold()
        engine.price("60000.9", "60001")
        await engine.accepted(**{**BUY, "va_id": "VA002", "quantity": "0.05"})
        await engine.until(lambda: len(engine.resting()) == 2 and engine.is_covered())
        await engine.accepted(**CLOSE)
        await engine.until(lambda: len(engine.resting()) == 1 and engine.is_covered())
        # Of a part of an average of thirds.
        assert len(str(server.account.fills[-1].realized)) > 20
    async with trading(server, tmp_path) as engine:
        await engine.close(va_id="VA002")


async def test_an_execution_of_an_order_that_is_not_shown_yet_is_not_called_foreign(
    server: BinanceServer, tmp_path: Path
) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.until(lambda: engine.sent("positions") > 0)
        server.faults.add(Fault(route="*", kind=Kind.HIDE_NEW_ORDERS, seconds=2))
        server.faults.add(Fault(route="create", kind=Kind.DROP_AFTER_DOING))
        server.streams.silence(3)
        await engine.accepted(**BUY)
        await engine.until(engine.is_covered)
        assert not {Reason.EXTERNAL_ACTIVITY, Reason.MISMATCH} & engine.incidents()


async def test_a_cancel_that_is_refused_over_and_over_is_not_repeated_without_a_pause(
    server: BinanceServer, tmp_path: Path
) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.hold()
        unknown = {"code": -2011, "msg": "Unknown order sent."}
        refused = Fault(route="stop_cancel", kind=Kind.ANSWER, status=400, body=unknown, times=999)
        server.faults.add(refused)
        await engine.accepted(**CLOSE)
        await asyncio.sleep(3)
        assert 1 < engine.sent("stop_cancel") < 20
        server.faults.clear()
        await engine.until(engine.is_flat)


async def test_a_stop_that_is_rejected_when_it_is_needed_is_replaced_by_an_exit(
    server: BinanceServer, tmp_path: Path
) -> None:
    server.switch(trigger_sequence="rejected")
    async with trading(server, tmp_path) as engine:
        await engine.hold()
        engine.price("56000", "56001")
        await engine.until(engine.is_flat)


async def test_a_stop_that_is_stuck_at_its_trigger_is_an_incident_and_nothing_is_sent_beside_it(
    server: BinanceServer, tmp_path: Path
) -> None:
    server.switch(trigger_sequence="stuck")
    async with trading(server, tmp_path) as engine:
        await engine.hold()
        engine.price("56000", "56001")
        await engine.until(lambda: Reason.EXIT_UNFILLED in engine.incidents())
        assert (engine.sent("create"), engine.sent("stop")) == (1, 1)


def after(route: str, **more: Any) -> Fault:
    return Fault(route=route, kind=Kind.ANSWER_AFTER_DOING, **more)


def error(code: int) -> dict[str, Any]:
    return {"code": code, "msg": "x"}


FAULTS = {
    "the answer to the entry is lost": [Fault(route="create", kind=Kind.DROP_AFTER_DOING)],
    "the entry is answered by half": [after("create", half=True)],
    "the entry is answered with nothing": [after("create", body={})],
    "the entry is answered with a list": [after("create", body=[])],
    "the entry meets a timeout of the venue": [after("create", status=408, body=error(-1007))],
    "the entry is called a duplicate": [after("create", status=400, body=error(-4116))],
    "the entry arrives late": [Fault(route="create", kind=Kind.LATE, seconds=1.2)],
    "the answer to the stop is lost": [Fault(route="stop", kind=Kind.DROP_AFTER_DOING)],
    "the stop is never answered": [Fault(route="stop", kind=Kind.SILENCE_AFTER_DOING)],
    "the stop never arrives": [Fault(route="stop", kind=Kind.SILENCE)],
    "the stop meets a server error": [after("stop", status=503, body=error(-1001))],
    "the stop meets a page of a gateway": [
        Fault(route="stop", kind=Kind.ANSWER, status=502, body="<html>")
    ],
    "the stop is not found at first": [
        Fault(route="stop", kind=Kind.DROP_AFTER_DOING),
        Fault(route="*", kind=Kind.HIDE_NEW_ORDERS, seconds=1.5),
    ],
    "the stop is one too many": [
        Fault(
            route="stop",
            kind=Kind.ANSWER,
            status=429,
            body=error(-1003),
            headers={"Retry-After": "1"},
        )
    ],
    "the stop is too late": [
        Fault(route="stop", kind=Kind.ANSWER, status=400, body=error(-1021), times=2)
    ],
    "the stop is refused": [Fault(route="stop", kind=Kind.ANSWER, status=400, body=error(-4164))],
}


@pytest.mark.parametrize("name", FAULTS)
async def test_an_order_is_neither_lost_nor_doubled_when(
    server: BinanceServer, tmp_path: Path, name: str
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
    "the answer to the cancel is lost": [Fault(route="stop_cancel", kind=Kind.DROP_AFTER_DOING)],
    "the cancel never arrives": [Fault(route="stop_cancel", kind=Kind.SILENCE)],
    "the cancel meets a server error": [
        Fault(route="stop_cancel", kind=Kind.ANSWER, status=503, body=error(-1000), times=2)
    ],
}


@pytest.mark.parametrize("name", CLOSING)
async def test_a_close_ends_flat_when(server: BinanceServer, tmp_path: Path, name: str) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.hold()
        for fault in CLOSING[name]:
            server.faults.add(copy(fault))
        await engine.accepted(**CLOSE)
        await engine.until(engine.is_flat)
        sold = [each for each in server.account.orders.values() if each.side.value == "sell"]
        assert sum((each.filled for each in sold), Decimal(0)) == TENTH


STREAM: dict[str, Callable[[BinanceServer], None]] = {
    "drops a message": lambda server: server.streams.drop(1),
    "drops them all": lambda server: server.streams.drop(12),
    "repeats every message": lambda server: server.streams.repeat(50),
    "swaps two messages": lambda server: server.streams.swap(),
    "is late": lambda server: server.streams.delay(0.5),
    "falls silent": lambda server: server.streams.silence(5),
    "closes": lambda server: server.streams.close(),
    "loses its key": lambda server: server.expire_listen_key(),
}


@pytest.mark.parametrize("name", STREAM)
async def test_the_books_are_right_in_the_end_when_the_stream(
    server: BinanceServer, tmp_path: Path, name: str
) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.until(lambda: engine.sent("positions") > 3)
        STREAM[name](server)
        await asyncio.sleep(0.1)
        await engine.hold()
        await engine.close()
        assert len(engine.orders(Role.ENTRY)) == 1


@pytest.mark.parametrize("route", ["positions", "open_stops", "fills", "stop_query"])
@pytest.mark.parametrize("kind", [Kind.EMPTY_LIST, Kind.STALE_LIST, Kind.ANSWER, Kind.SILENCE])
async def test_a_holding_keeps_its_stop_while_questions_are_answered_wrongly(
    server: BinanceServer, tmp_path: Path, route: str, kind: Kind
) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.hold()
        server.faults.add(Fault(route=route, kind=kind, times=1000, status=500, body="<html>"))
        await asyncio.sleep(4)
        assert engine.is_covered(), engine.seen()
        assert (engine.sent("create"), engine.sent("stop"), engine.sent("stop_cancel")) == (1, 1, 0)
        server.faults.clear()
        await engine.close()


@pytest.mark.parametrize("deleveraging", [False, True])
async def test_what_the_venue_closes_by_force_ends_the_position_and_its_stop(
    server: BinanceServer, tmp_path: Path, deleveraging: bool
) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.hold()
        server.liquidate("BTCUSDT", deleveraging=deleveraging)
        await engine.until(engine.is_flat)
        assert Reason.EXTERNAL_ACTIVITY in engine.incidents()


@pytest.mark.parametrize("quantity", ["0.04", "0.1"])
async def test_what_the_owner_sells_elsewhere_is_no_longer_ours_and_not_sold_again(
    server: BinanceServer, tmp_path: Path, quantity: str
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
    server: BinanceServer, tmp_path: Path
) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.hold()
        before = engine.cash()
        server.funding("BTCUSDT", "-1.25")
        await engine.until(lambda: engine.cash() == before - Decimal("1.25"))
        await asyncio.sleep(2.5)
        assert engine.cash() == before - Decimal("1.25")
        await engine.close()


async def test_a_key_that_is_revoked_stops_entries_until_it_works_again(
    server: BinanceServer, tmp_path: Path
) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.hold()
        server.gate.key = "another"
        await engine.until(lambda: Reason.LINK_DOWN in engine.incidents())
        refused = await engine.signal(**{**BUY, "va_id": "VA002"})
        assert (refused.outcome, refused.reason) == (Outcome.REFUSED, Reason.VENUE_DOWN)
        server.gate.key = "K"
        await engine.until(lambda: Reason.LINK_UP in engine.incidents())
        await engine.close()


async def test_a_clock_that_runs_off_is_set_again(server: BinanceServer, tmp_path: Path) -> None:
    async with trading(server, tmp_path) as engine:
        await engine.hold()
        server.clock_ahead_ms = 120_000
        await engine.close()
        await engine.hold()
        await engine.close()
