"""A whole engine that trades at the loopback Bybit, and what tests ask of both."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from pointsman.config.settings import Settings, resolve_settings
from pointsman.domain.market import Quote
from pointsman.domain.orders import Order, Role
from pointsman.domain.positions import Position
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Decision, Outcome
from pointsman.engine.embedded import Engine, open_engine
from pointsman.storage import reader
from pointsman.storage.journal import fold, verify_chain
from tests.integration.bybit_account import BTC
from tests.venue_servers.binance import BinanceServer
from tests.venue_servers.bybit import BybitServer
from tests.venue_servers.records import Holding

PATIENCE_SECONDS = 30.0
NUMBERS = count()
SETTINGS = {
    "VENUE": "bybit",
    "VENUE_KEY": "K",
    "VENUE_SECRET": "S",
    "SYMBOLS": BTC,
    "VIRTUAL_ACCOUNTS": "VA001:50000,VA002:50000",
    "TRADING_WINDOW_START": "00:00",
    "TRADING_WINDOW_END": "24:00",
    "MAX_LATENCY_MS": "60000",
    "SUBMIT_TIMEOUT_SECONDS": "1",
    "ORDER_SETTLE_SECONDS": "2",
    "RECONCILE_INTERVAL_SECONDS": "1",
    "STOP_LOSS_PERCENTAGE": "5",
}
BUY = {"va_id": "VA001", "symbol": BTC, "side": "buy", "quantity": "0.1"}
SELL = {"va_id": "VA001", "symbol": BTC, "side": "sell", "quantity": "0.1"}
CLOSE = {"va_id": "VA001", "symbol": BTC, "side": "close"}
TENTH = Decimal("0.1")


class Trading:
    """An engine and its venue, with the prices that both see."""

    def __init__(self, server: BybitServer | BinanceServer, engine: Engine, database: Path) -> None:
        self.server = server
        self._engine = engine
        self._database = database

    def price(self, bid: str, ask: str) -> None:
        self.server.quote("BTCUSDT", bid, ask)
        size = Decimal(1000)
        now_ns = time.time_ns()
        assert self._engine.feed(Quote(BTC, now_ns, Decimal(bid), size, Decimal(ask), size))

    async def signal(self, **fields: Any) -> Decision:
        return await self._engine.submit({"signal_id": f"s-{next(NUMBERS)}", **fields})

    async def accepted(self, **fields: Any) -> Decision:
        """Signal until it is accepted: entries are refused while something is not known."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            decision = await self.signal(**fields)
            if decision.outcome is Outcome.ACCEPTED:
                return decision
            assert time.monotonic() < until, decision
            await asyncio.sleep(0.05)

    async def until(self, is_so: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            assert time.monotonic() < until, self.seen()
            await asyncio.sleep(0.02)

    async def hold(self, **fields: Any) -> None:
        """Open a position, until its stop rests."""
        await self.accepted(**(fields or BUY))
        await self.until(self.is_covered)

    async def close(self, **fields: Any) -> None:
        await self.accepted(**{**CLOSE, **fields})
        await self.until(self.is_flat)

    # -- what the venue has, and what the books say ------------------------------------------------

    def held(self) -> dict[Holding, Decimal]:
        """What the venue holds, signed."""

        def rows() -> dict[Holding, Decimal]:
            return {held.holding: held.quantity for held in self.server.account.held()}

        found: dict[Holding, Decimal] = self.server.call(rows)
        return found

    def resting(self) -> list[tuple[str, Decimal]]:
        """Side and quantity of the stops that rest."""

        def rows() -> list[tuple[str, Decimal]]:
            orders = self.server.account.open_orders("BTCUSDT")
            return sorted((each.side.value, each.leaves) for each in orders if each.client_id)

        found: list[tuple[str, Decimal]] = self.server.call(rows)
        return found

    def positions(self) -> list[Position]:
        with closing(reader.open_reader(self._database)) as db:
            return [each for each in reader.positions(db) if each.is_live]

    def orders(self, role: Role) -> list[Order]:
        with closing(reader.open_reader(self._database)) as db:
            return [order for order in reader.orders(db) if order.role is role]

    def incidents(self) -> set[Reason]:
        with closing(reader.open_reader(self._database)) as db:
            return {each.kind for each in reader.incidents(db)}

    def cash(self) -> Decimal:
        with closing(reader.open_reader(self._database)) as db:
            return sum((each.cash for each in reader.accounts(db)), Decimal(0))

    def seen(self) -> tuple[object, ...]:
        return self.held(), self.resting(), self.positions(), self.incidents()

    def is_flat(self) -> bool:
        return not self.held() and not self.resting() and not self.positions()

    def is_covered(self) -> bool:
        """The venue holds what the books say, and a stop rests for each position."""
        positions = self.positions()
        owned = sum((each.side.sign * each.quantity for each in positions), Decimal(0))
        stops = sorted((each.side.closes_with.value, each.quantity) for each in positions)
        is_held = sum(self.held().values(), Decimal(0)) == owned
        return bool(positions) and is_held and self.resting() == stops

    def is_settled(self) -> bool:
        """A stop that never arrived may have been replaced by an exit, once time was up."""
        is_over = all(order.is_final for order in self.orders(Role.ENTRY))
        return is_over and (self.is_covered() or self.is_flat())

    def sent(self, route: str) -> int:
        return sum(each.route == route for each in self.server.requests)


def settings_at(address: str, **more: str) -> Settings:
    """The settings of an engine at the server with this host and port."""
    urls = {"VENUE_URL": f"http://{address}", "VENUE_STREAM_URL": f"ws://{address}"}
    return resolve_settings({**SETTINGS, **urls, **more}, None, {}).settings


@asynccontextmanager
async def trading(
    server: BybitServer | BinanceServer, folder: Path, **more: str
) -> AsyncIterator[Trading]:
    """An engine at this server, on a database in this folder. In the end its journal is whole, and
    its tables follow from it."""
    settings = settings_at(f"127.0.0.1:{server.port}", **more)
    database = folder / "t.db"
    async with open_engine(settings, database) as engine:
        began = Trading(server, engine, database)
        began.price("59999.9", "60000")
        yield began
    with closing(reader.open_reader(database)) as db:
        assert verify_chain(db) is None
        assert fold(db) is None
