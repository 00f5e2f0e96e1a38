"""A whole engine at the Alpaca server of the tests, and what both sides have in the end."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from pointsman.config.settings import resolve_settings
from pointsman.domain.market import Quote
from pointsman.domain.orders import Order, Role
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Decision, Outcome
from pointsman.engine.embedded import Engine, open_engine
from pointsman.storage import reader
from pointsman.storage.journal import fold, verify_chain
from tests.venue_servers.alpaca import AlpacaServer

PATIENCE_SECONDS = 30.0
NUMBERS = count()
SETTINGS = {
    "VENUE": "alpaca",
    "VENUE_KEY": "K",
    "VENUE_SECRET": "S",
    "SYMBOLS": "AAPL,MSFT",
    "VIRTUAL_ACCOUNTS": "VA001:50000,VA002:50000",
    "TRADING_WINDOW_START": "00:00",
    "TRADING_WINDOW_END": "24:00",
    "MAX_LATENCY_MS": "60000",
    "SUBMIT_TIMEOUT_SECONDS": "1",
    "ORDER_SETTLE_SECONDS": "2",
    "RECONCILE_INTERVAL_SECONDS": "1",
    "STOP_LOSS_PERCENTAGE": "5",
}
BUY = {"va_id": "VA001", "symbol": "AAPL", "side": "buy", "quantity": 10}
CLOSE = {"va_id": "VA001", "symbol": "AAPL", "side": "close"}


def settings_at(server: AlpacaServer) -> dict[str, str]:
    """The settings of an engine that trades there."""
    origin = f"127.0.0.1:{server.port}"
    return {**SETTINGS, "VENUE_URL": f"http://{origin}", "VENUE_STREAM_URL": f"ws://{origin}"}


class BothSides:
    """The account at the venue and the books of the engine."""

    def __init__(self, server: AlpacaServer, database: Path) -> None:
        self.server = server
        self.database = database

    def held(self, symbol: str = "AAPL") -> Decimal:
        position = self.server.call(self.server.account.position, symbol)
        return Decimal(position.quantity)

    def resting(self, symbol: str = "AAPL") -> list[tuple[str, str, Decimal]]:
        account = self.server.account

        def rows() -> list[tuple[str, str, Decimal]]:
            return [
                (str(order.side), account.terms[order.id].kind, order.leaves)
                for order in account.open_orders(symbol)
            ]

        found: list[tuple[str, str, Decimal]] = self.server.call(rows)
        return found

    def owned(self) -> Decimal:
        """By the books of all accounts."""
        with closing(reader.open_reader(self.database)) as db:
            live = [one for one in reader.positions(db) if one.is_live]
        return sum((one.side.sign * one.quantity for one in live), Decimal(0))

    def orders(self, role: Role) -> list[Order]:
        with closing(reader.open_reader(self.database)) as db:
            return [order for order in reader.orders(db) if order.role is role]

    def incidents(self) -> set[Reason]:
        with closing(reader.open_reader(self.database)) as db:
            return {one.kind for one in reader.incidents(db)}

    def seen(self) -> tuple[object, ...]:
        return self.held(), self.resting(), self.owned(), self.incidents()

    def is_flat(self) -> bool:
        return not self.held() and not self.resting() and not self.owned()

    def is_covered(self) -> bool:
        return self.held() == self.owned() == 10 and self.resting() == [("sell", "stop", 10)]

    def is_settled(self) -> bool:
        """A stop that never arrived may have been replaced by an exit, once time was up."""
        is_over = all(order.is_final for order in self.orders(Role.ENTRY))
        return is_over and (self.is_covered() or self.is_flat())

    def sent(self, route: str) -> int:
        return sum(each.route == route for each in self.server.requests)


class Session(BothSides):
    """An engine and its venue, with the prices that both see."""

    def __init__(self, server: AlpacaServer, engine: Engine, database: Path) -> None:
        super().__init__(server, database)
        self._engine = engine

    def price(self, bid: str, ask: str, symbol: str = "AAPL") -> None:
        self.server.quote(symbol, bid, ask)
        size = Decimal(1000)
        quote = Quote(symbol, time.time_ns(), Decimal(bid), size, Decimal(ask), size)
        assert self._engine.feed(quote)

    async def signal(self, **fields: Any) -> Decision:
        return await self._engine.submit({"signal_id": f"s-{next(NUMBERS)}", **fields})

    async def until(self, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            assert time.monotonic() < end, self.seen()
            await asyncio.sleep(0.02)

    async def hold(self) -> None:
        """Buy, until the stop rests."""
        decision = await self.accepted(**BUY)
        assert decision.quantity == 10
        await self.until(lambda: self.resting() == [("sell", "stop", 10)])

    async def accepted(self, **fields: Any) -> Decision:
        """Signal until it is accepted: while something is not known entries are refused."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            decision = await self.signal(**fields)
            if decision.outcome is Outcome.ACCEPTED:
                return decision
            assert time.monotonic() < end, decision
            await asyncio.sleep(0.05)


@asynccontextmanager
async def session(server: AlpacaServer, folder: Path, **more: str) -> AsyncIterator[Session]:
    settings = resolve_settings({**settings_at(server), **more}, None, {}).settings
    database = folder / "t.db"
    async with open_engine(settings, database) as engine:
        began = Session(server, engine, database)
        began.price("100", "100.02")
        yield began
    with closing(reader.open_reader(database)) as db:
        assert verify_chain(db) is None
        assert fold(db) is None
