"""A whole engine that trades at the loopback Bybit. Whatever goes wrong, in the end the venue holds
what the books say, a holding has one stop, and nothing else rests."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pointsman.domain.reasons import Reason
from tests.integration.linear_engine import BUY, CLOSE, SELL, TENTH, trading
from tests.integration.venue_engine_stories import (
    CLOSE_FAULTS,
    ENTRY_FAULTS,
    LinearEngineStories,
    after,
    cancel_faults,
)
from tests.optional import NEEDS_CCXT
from tests.venue_servers.bybit import BybitServer
from tests.venue_servers.faults import Fault, Kind
from tests.venue_servers.records import Holding

pytestmark = NEEDS_CCXT


@pytest.fixture
def server() -> Iterator[BybitServer]:
    with BybitServer(key="K", secret="S") as started:
        yield started


def error(code: int) -> dict[str, Any]:
    return {"retCode": code, "retMsg": "x", "result": {}, "retExtInfo": {}, "time": 1}


def refused(route: str, code: int, **more: Any) -> Fault:
    return Fault(route=route, kind=Kind.ANSWER, body=error(code), **more)


IN_A_SECOND = {"X-Bapi-Limit-Reset-Timestamp": "1001"}
"""When Bybit takes requests again, by the clock of its answers above."""


class TestBybitEngine(LinearEngineStories):
    cancel_route = "cancel"
    entry_faults: ClassVar[Mapping[str, list[Fault]]] = {
        **ENTRY_FAULTS,
        "the entry meets a timeout of the venue": [after("create", body=error(10000))],
        "the entry is called a duplicate": [after("create", body=error(110072))],
        "the stop meets a server error": [after("stop", body=error(10016))],
        "the stop is one too many": [refused("stop", 10006, times=2, headers=IN_A_SECOND)],
        "the stop is too late": [refused("stop", 10002, times=2)],
        "the stop is refused": [refused("stop", 110009)],
    }
    close_faults: ClassVar[Mapping[str, list[Fault]]] = {
        **CLOSE_FAULTS,
        **cancel_faults("cancel"),
        "the exit is one too many": [refused("create", 10006, headers=IN_A_SECOND)],
        "the cancel meets a server error": [refused("cancel", 10016, times=2)],
        "the cancel is asked to try again": [refused("cancel", 110079, times=2)],
    }
    wrong_answers: ClassVar[Any] = [
        {route: kind}
        for route in ("positions", "open_orders", "fills", "query")
        for kind in (Kind.EMPTY_LIST, Kind.STALE_LIST, Kind.ANSWER, Kind.SILENCE)
    ]

    def serve(self) -> AbstractContextManager[BybitServer]:
        return BybitServer(key="K", secret="S")

    def hedge(self, server: BybitServer) -> None:
        server.switch_mode(is_hedging=True)

    def revoke_key(self, server: BybitServer) -> None:
        server.change_key(refused_with=10003)

    def restore_key(self, server: BybitServer) -> None:
        server.change_key()

    def set_clock_ahead(self, server: BybitServer, ahead_ms: int) -> None:
        server.move_clock(ahead_ms)

    @pytest.mark.parametrize(
        ("entry", "away"), [(BUY, ("56000", "56001")), (SELL, ("64000", "64001"))]
    )
    @pytest.mark.parametrize("mode", ["net", "hedge"])
    async def test_a_signal_becomes_a_holding_with_a_stop_that_closes_it(
        self, tmp_path: Path, mode: str, entry: Any, away: tuple[str, str]
    ) -> None:
        async with self.begin(tmp_path, mode) as (_, engine):
            await engine.hold(**entry)
            engine.price(*away)
            await engine.until(engine.is_flat)
            assert (engine.sent("create"), engine.sent("stop")) == (1, 1)

    @pytest.mark.parametrize("kind", ["liquidation", "deleveraging"])
    async def test_what_the_venue_closes_by_force_ends_the_position_and_its_stop(
        self, tmp_path: Path, kind: str
    ) -> None:
        async with self.begin(tmp_path) as (server, engine):
            await engine.hold()
            server.liquidate("BTCUSDT", kind=kind)
            await engine.until(engine.is_flat)
            assert Reason.EXTERNAL_ACTIVITY in engine.incidents()


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
