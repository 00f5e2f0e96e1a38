"""What a whole engine does at every venue, whatever goes wrong: in the end the venue holds what the
books say, a holding has one stop, and nothing else rests.

A test class of each venue inherits these and says what is different there. Most of their time is
waiting for real clocks, so the rows of a table are told side by side, each at a venue of its own.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from copy import copy
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
from msgspec.structs import replace

from pointsman.domain.orders import Role
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Outcome
from pointsman.venues import instrument_watch
from tests.integration.linear_engine import BUY, CLOSE, SELL, TENTH, Trading, trading
from tests.integration.venue_engine import Trader
from tests.venue_servers.faults import Fault, Kind
from tests.venue_servers.records import Holding

AT_ONCE = 16
"""How many stories are told at the same time, in one thread."""

Case = TypeVar("Case")


async def side_by_side(
    cases: Iterable[tuple[str, Case]], tell: Callable[[int, Case], Awaitable[None]]
) -> None:
    """Tell a story of each case, by its number. Every failure names its case."""
    free = asyncio.Semaphore(AT_ONCE)

    async def told(number: int, name: str, case: Case) -> None:
        try:
            async with free:
                await tell(number, case)
        except Exception as error:
            error.add_note(f"when {name}")
            raise

    stories = (told(number, name, case) for number, (name, case) in enumerate(cases))
    ended = await asyncio.gather(*stories, return_exceptions=True)
    if failed := [each for each in ended if isinstance(each, Exception)]:
        raise ExceptionGroup("not so in some cases", failed)


@asynccontextmanager
async def in_a_thread(server: AbstractContextManager[Any]) -> AsyncIterator[Any]:
    """A server that is started and ended while others go on."""
    entered = await asyncio.to_thread(server.__enter__)
    try:
        yield entered
    finally:
        await asyncio.to_thread(server.__exit__, *sys.exc_info())


def after(route: str, **more: Any) -> Fault:
    """An answer of another kind than the true one to a request that is done."""
    return Fault(route=route, kind=Kind.ANSWER_AFTER_DOING, **more)


ENTRY_FAULTS = {
    "the answer to the entry is lost": [Fault(route="create", kind=Kind.DROP_AFTER_DOING)],
    "the entry is answered by half": [after("create", half=True)],
    "the entry is answered with nothing": [after("create", body={})],
    "the entry is answered with a list": [after("create", body=[])],
    "the entry arrives late": [Fault(route="create", kind=Kind.LATE, seconds=1.2)],
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
}

CLOSE_FAULTS = {
    "the answer to the exit is lost": [Fault(route="create", kind=Kind.DROP_AFTER_DOING)],
    "the exit never arrives": [Fault(route="create", kind=Kind.SILENCE)],
    "the exit meets a page of a gateway": [
        Fault(route="create", kind=Kind.ANSWER, status=503, body="<html>", times=2)
    ],
}


def cancel_faults(route: str) -> dict[str, list[Fault]]:
    """What can happen to the cancel of a stop, by the name of its route."""
    return {
        "the answer to the cancel is lost": [Fault(route=route, kind=Kind.DROP_AFTER_DOING)],
        "the cancel never arrives": [Fault(route=route, kind=Kind.SILENCE)],
    }


STREAM_FAULTS: dict[str, Callable[[Any], None]] = {
    "drops a message": lambda server: server.streams.drop(1),
    "drops them all": lambda server: server.streams.drop(12),
    "repeats every message": lambda server: server.streams.repeat(50),
    "swaps two messages": lambda server: server.streams.swap(),
    "is late": lambda server: server.streams.delay(0.5),
    "falls silent": lambda server: server.streams.silence(5),
    "closes": lambda server: server.streams.close(),
}


class VenueEngineStories:
    """At every venue."""

    cancel_route: ClassVar[str]
    """What the server calls the cancel of a stop."""
    entry_faults: ClassVar[Mapping[str, list[Fault]]]
    close_faults: ClassVar[Mapping[str, list[Fault]]]
    stream_faults: ClassVar[Mapping[str, Callable[[Any], None]]] = STREAM_FAULTS
    wrong_answers: ClassVar[Iterable[Mapping[str, Kind]]]
    """Sets of faults, by the name of the route."""
    other_entry: ClassVar[Mapping[str, str]]
    """An entry that would be accepted beside the one of `hold`."""

    def serve(self) -> AbstractContextManager[Any]:
        """A venue."""
        raise NotImplementedError

    def trade(
        self, server: Any, folder: Path, **settings: str
    ) -> AbstractAsyncContextManager[Trader]:
        """An engine there."""
        raise NotImplementedError

    def fall(self, server: Any) -> None:
        """Let the price fall below the stop of a long, at the venue."""
        raise NotImplementedError

    def revoke_key(self, server: Any) -> None:
        raise NotImplementedError

    def restore_key(self, server: Any) -> None:
        raise NotImplementedError

    @asynccontextmanager
    async def begin(self, folder: Path) -> AsyncIterator[tuple[Any, Trader]]:
        async with in_a_thread(self.serve()) as server, self.trade(server, folder) as engine:
            yield server, engine

    async def test_a_restart_finds_the_stop_that_rests(self, tmp_path: Path) -> None:
        with self.serve() as server:
            async with self.trade(server, tmp_path) as engine:
                await engine.hold()
            async with self.trade(server, tmp_path) as engine:
                await engine.close()
                assert engine.sent("stop") == 1

    async def test_a_stop_that_was_set_off_while_nobody_listened_is_found_at_the_start(
        self, tmp_path: Path
    ) -> None:
        with self.serve() as server:
            async with self.trade(server, tmp_path) as engine:
                await engine.hold()
            self.fall(server)
            async with self.trade(server, tmp_path) as engine:
                await engine.until(engine.is_flat)
                assert engine.sent("create") == 1

    async def test_an_order_is_neither_lost_nor_doubled_when_anything_goes_wrong(
        self, tmp_path: Path
    ) -> None:
        async def tell(number: int, faults: list[Fault]) -> None:
            async with self.begin(tmp_path / str(number)) as (server, engine):
                await engine.compared(2)
                for fault in faults:
                    server.faults.add(copy(fault))
                await engine.accepted(**engine.buy)
                await engine.until(lambda: len(engine.orders(Role.ENTRY)) == 1)
                await engine.until(engine.is_settled)
                server.faults.clear()
                await asyncio.sleep(1.5)
                assert engine.is_settled(), engine.seen()
                if engine.is_covered():
                    await engine.close()
                await engine.until(engine.is_flat)
                assert engine.filled("buy") == [Decimal(engine.buy["quantity"])]

        await side_by_side(self.entry_faults.items(), tell)

    async def test_a_close_ends_flat_when_anything_goes_wrong(self, tmp_path: Path) -> None:
        async def tell(number: int, faults: list[Fault]) -> None:
            async with self.begin(tmp_path / str(number)) as (server, engine):
                await engine.hold()
                for fault in faults:
                    server.faults.add(copy(fault))
                await engine.close()
                assert sum(engine.filled("sell")) == Decimal(engine.buy["quantity"])

        await side_by_side(self.close_faults.items(), tell)

    async def test_the_books_are_right_in_the_end_whatever_the_stream_does(
        self, tmp_path: Path
    ) -> None:
        async def tell(number: int, disturb: Callable[[Any], None]) -> None:
            async with self.begin(tmp_path / str(number)) as (server, engine):
                await engine.compared(2)
                disturb(server)
                # A loss that is noticed only after the decision withdraws the entry.
                await asyncio.sleep(0.5)
                await engine.hold()
                await engine.close()
                assert len(engine.orders(Role.ENTRY)) == 1

        await side_by_side(self.stream_faults.items(), tell)

    async def test_a_holding_keeps_its_stop_while_questions_are_answered_wrongly(
        self, tmp_path: Path
    ) -> None:
        async def tell(number: int, wrong: Mapping[str, Kind]) -> None:
            async with self.begin(tmp_path / str(number)) as (server, engine):
                await engine.hold()
                for route, kind in wrong.items():
                    server.faults.add(
                        Fault(route=route, kind=kind, times=1000, status=500, body="<html>")
                    )
                # Longer than until an order that is not found would count as gone.
                await asyncio.sleep(3)
                assert engine.is_covered(), engine.seen()
                sent = [engine.sent(route) for route in ("create", "stop", self.cancel_route)]
                assert sent == [1, 1, 0]
                server.faults.clear()
                await engine.close()

        await side_by_side(((str(wrong), wrong) for wrong in self.wrong_answers), tell)

    async def test_a_key_that_is_revoked_stops_entries_until_it_works_again(
        self, tmp_path: Path
    ) -> None:
        async with self.begin(tmp_path) as (server, engine):
            await engine.hold()
            self.revoke_key(server)
            await engine.until(lambda: Reason.LINK_DOWN in engine.incidents())
            refused = await engine.signal(**self.other_entry)
            assert (refused.outcome, refused.reason) == (Outcome.REFUSED, Reason.VENUE_DOWN)
            self.restore_key(server)
            await engine.until(lambda: Reason.LINK_UP in engine.incidents())
            await engine.close()


class LinearEngineStories(VenueEngineStories):
    """At the venues of linear futures."""

    other_entry: ClassVar[Mapping[str, str]] = {**BUY, "va_id": "VA002"}

    def trade(
        self, server: Any, folder: Path, **settings: str
    ) -> AbstractAsyncContextManager[Trading]:
        return trading(server, folder, **settings)

    def fall(self, server: Any) -> None:
        server.quote("BTCUSDT", "56000", "56001")

    def hedge(self, server: Any) -> None:
        """Let the account keep long and short apart."""
        raise NotImplementedError

    def set_clock_ahead(self, server: Any, ahead_ms: int) -> None:
        raise NotImplementedError

    @asynccontextmanager
    async def begin(self, folder: Path, mode: str = "net") -> AsyncIterator[tuple[Any, Trading]]:
        async with in_a_thread(self.serve()) as server:
            if mode == "hedge":
                self.hedge(server)
            async with self.trade(server, folder, VENUE_POSITION_MODE=mode) as engine:
                yield server, engine

    @pytest.mark.parametrize("mode", ["net", "hedge"])
    async def test_a_close_ends_flat_with_nothing_left_behind(
        self, tmp_path: Path, mode: str
    ) -> None:
        async with self.begin(tmp_path, mode) as (_, engine):
            await engine.hold()
            await engine.close()
            sent = [engine.sent(route) for route in ("create", "stop", self.cancel_route)]
            assert sent == [2, 1, 1]

    async def test_two_accounts_hold_both_sides_in_hedge_mode(self, tmp_path: Path) -> None:
        async with self.begin(tmp_path, "hedge") as (_, engine):
            await engine.hold(**BUY)
            await engine.accepted(**{**SELL, "va_id": "VA002"})
            await engine.until(lambda: len(engine.resting()) == 2 and engine.is_covered())
            assert engine.held() == {Holding.LONG: TENTH, Holding.SHORT: -TENTH}
            await engine.accepted(**CLOSE)
            await engine.until(lambda: engine.resting() == [("buy", TENTH)] and engine.is_covered())
            await engine.close(va_id="VA002")

    @pytest.mark.parametrize("quantity", ["0.04", "0.1"])
    async def test_what_the_owner_sells_elsewhere_is_no_longer_ours_and_not_sold_again(
        self, tmp_path: Path, quantity: str
    ) -> None:
        async with self.begin(tmp_path) as (server, engine):
            await engine.hold()
            server.foreign_order("BTCUSDT", "sell", quantity)
            left = TENTH - Decimal(quantity)
            await engine.until(lambda: engine.resting() == ([("sell", left)] if left else []))
            if left:
                await engine.until(engine.is_covered)
                await engine.accepted(**CLOSE)
            await engine.until(engine.is_flat)

    async def test_funding_is_paid_by_the_account_that_holds(self, tmp_path: Path) -> None:
        async with self.begin(tmp_path) as (server, engine):
            await engine.hold()
            before = engine.cash()
            server.funding("BTCUSDT", "-1.25")
            await engine.until(lambda: engine.cash() == before - Decimal("1.25"))
            await engine.compared(3)
            assert engine.cash() == before - Decimal("1.25")
            await engine.close()

    async def test_orders_follow_a_tick_that_changes_while_a_position_is_held(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(instrument_watch, "EVERY_SECONDS", 0.05)
        async with self.begin(tmp_path) as (server, engine):
            await engine.hold()
            rules = server.account.instruments["BTCUSDT"]
            server.account.instruments["BTCUSDT"] = replace(rules, tick=Decimal(7))
            await engine.until(lambda: Reason.INSTRUMENT_CHANGED in engine.incidents())
            engine.price("60018", "60025")
            await engine.accepted(**{**BUY, "quantity": "0.05"})
            await engine.until(lambda: len(engine.resting()) == 2 and engine.is_covered())
            prices = [order.trigger_price for order in engine.orders(Role.STOP)]
            whole = sorted(price % 7 == 0 for price in prices if price is not None)
            assert whole == [False, True]
            await engine.close()

    async def test_a_clock_that_runs_off_is_set_again(self, tmp_path: Path) -> None:
        async with self.begin(tmp_path) as (server, engine):
            await engine.hold()
            self.set_clock_ahead(server, 120_000)
            await engine.close()
            await engine.hold()
            await engine.close()
