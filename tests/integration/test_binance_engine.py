"""A whole engine that trades at the loopback Binance. Whatever goes wrong, in the end the venue
holds what the books say, a holding has one stop, and nothing else rests."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pointsman.domain.reasons import Reason
from tests.integration.linear_engine import BUY, CLOSE, SELL, trading
from tests.integration.venue_engine_stories import (
    CLOSE_FAULTS,
    ENTRY_FAULTS,
    STREAM_FAULTS,
    LinearEngineStories,
    after,
    cancel_faults,
    side_by_side,
)
from tests.optional import NEEDS_CCXT
from tests.venue_servers.binance import BinanceServer
from tests.venue_servers.binance_events import ChildClientId, TriggerSequence
from tests.venue_servers.faults import Fault, Kind

pytestmark = NEEDS_CCXT


@contextmanager
def serve() -> Iterator[BinanceServer]:
    with BinanceServer(key="K", secret="S") as started:
        # Comparisons are asked for every second here, and not every five.
        started.gate.weight_limit = 20_000
        yield started


@pytest.fixture
def server() -> Iterator[BinanceServer]:
    with serve() as started:
        yield started


def error(code: int) -> dict[str, Any]:
    return {"code": code, "msg": "x"}


def refused(route: str, status: int, code: int, **more: Any) -> Fault:
    return Fault(route=route, kind=Kind.ANSWER, status=status, body=error(code), **more)


class TestBinanceEngine(LinearEngineStories):
    cancel_route = "stop_cancel"
    entry_faults: ClassVar[Mapping[str, list[Fault]]] = {
        **ENTRY_FAULTS,
        "the entry meets a timeout of the venue": [after("create", status=408, body=error(-1007))],
        "the entry is called a duplicate": [after("create", status=400, body=error(-4116))],
        "the stop meets a server error": [after("stop", status=503, body=error(-1001))],
        "the stop is one too many": [refused("stop", 429, -1003, headers={"Retry-After": "1"})],
        "the stop is too late": [refused("stop", 400, -1021, times=2)],
        "the stop is refused": [refused("stop", 400, -4164)],
    }
    close_faults: ClassVar[Mapping[str, list[Fault]]] = {
        **CLOSE_FAULTS,
        **cancel_faults("stop_cancel"),
        "the cancel meets a server error": [refused("stop_cancel", 503, -1000, times=2)],
    }
    stream_faults: ClassVar[Mapping[str, Callable[[Any], None]]] = {
        **STREAM_FAULTS,
        "loses its key": lambda server: server.expire_listen_key(),
    }
    wrong_answers: ClassVar[Any] = [
        {route: kind}
        for route in ("positions", "open_stops", "fills", "stop_query")
        for kind in (Kind.EMPTY_LIST, Kind.STALE_LIST, Kind.ANSWER, Kind.SILENCE)
    ]

    def serve(self) -> AbstractContextManager[BinanceServer]:
        return serve()

    def hedge(self, server: BinanceServer) -> None:
        server.account.is_hedging = True

    def revoke_key(self, server: BinanceServer) -> None:
        server.gate.key = "another"

    def restore_key(self, server: BinanceServer) -> None:
        server.gate.key = "K"

    def set_clock_ahead(self, server: BinanceServer, ahead_ms: int) -> None:
        server.clock_ahead_ms = ahead_ms

    async def test_a_signal_becomes_a_holding_with_a_stop_that_closes_it(
        self, tmp_path: Path
    ) -> None:
        """Long and short, whatever the order is called that a stop becomes, and whichever of the
        two is told of first."""
        both_ways = ((BUY, ("56000", "56001")), (SELL, ("64000", "64001")))
        sequences = (TriggerSequence.STOP_FIRST, TriggerSequence.CHILD_FIRST)
        cases = [
            (str(case), case)
            for case in product(("net", "hedge"), ChildClientId, sequences, both_ways)
        ]

        async def tell(number: int, case: tuple[Any, ...]) -> None:
            mode, child, sequence, (entry, away) = case
            async with self.begin(tmp_path / str(number), mode) as (server, engine):
                server.switch(trigger_sequence=sequence, child_client_id=child)
                await engine.hold(**entry)
                engine.price(*away)
                await engine.until(engine.is_flat)
                assert (engine.sent("create"), engine.sent("stop")) == (1, 1)
                assert not {Reason.EXTERNAL_ACTIVITY, Reason.MISMATCH} & engine.incidents()

        await side_by_side(cases, tell)

    @pytest.mark.parametrize("mode", ["net", "hedge"])
    async def test_a_close_ends_flat_where_a_stop_holds_what_it_would_close(
        self, tmp_path: Path, mode: str
    ) -> None:
        async with self.begin(tmp_path, mode) as (server, engine):
            server.switch(stops_hold_position=True)
            await engine.hold()
            await engine.close()
            sent = [engine.sent(route) for route in ("create", "stop", "stop_cancel")]
            assert sent == [2, 1, 1]

    async def test_in_hedge_mode_long_pays_funding_and_short_receives_it(
        self, tmp_path: Path
    ) -> None:
        async with self.begin(tmp_path, "hedge") as (server, engine):
            await engine.hold(**BUY)
            await engine.accepted(**{**SELL, "va_id": "VA002"})
            await engine.until(lambda: len(engine.resting()) == 2 and engine.is_covered())
            before = engine.cash_by_account()
            server.funding("BTCUSDT", "1.25", "SHORT")
            server.funding("BTCUSDT", "-1.5", "LONG")
            paid = {"VA001": Decimal("-1.5"), "VA002": Decimal("1.25")}
            await engine.until(
                lambda: (
                    engine.cash_by_account()
                    == {va_id: before[va_id] + amount for va_id, amount in paid.items()}
                )
            )

    @pytest.mark.parametrize("deleveraging", [False, True])
    async def test_what_the_venue_closes_by_force_ends_the_position_and_its_stop(
        self, tmp_path: Path, deleveraging: bool
    ) -> None:
        async with self.begin(tmp_path) as (server, engine):
            await engine.hold()
            server.liquidate("BTCUSDT", deleveraging=deleveraging)
            await engine.until(engine.is_flat)
            assert Reason.EXTERNAL_ACTIVITY in engine.incidents()


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
