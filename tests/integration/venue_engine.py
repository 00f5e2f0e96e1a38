"""A whole engine at a venue server of the tests, what both sides have, and what tests ask of both.

What differs from venue to venue is in `linear_engine` and `alpaca_session`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from pointsman.config.settings import Settings
from pointsman.domain.orders import Order, Role
from pointsman.domain.positions import Position
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Decision, Outcome
from pointsman.engine.embedded import Engine, open_engine
from pointsman.storage import reader
from pointsman.storage.journal import fold, verify_chain

PATIENCE_SECONDS = 30.0
LOOK_AGAIN_SECONDS = 0.03
NUMBERS = count()
SETTINGS = {
    "VENUE_KEY": "K",
    "VENUE_SECRET": "S",
    "VIRTUAL_ACCOUNTS": "VA001:50000,VA002:50000",
    "TRADING_WINDOW_START": "00:00",
    "TRADING_WINDOW_END": "24:00",
    "MAX_LATENCY_MS": "60000",
    "SUBMIT_TIMEOUT_SECONDS": "1",
    "ORDER_SETTLE_SECONDS": "3",
    "RECONCILE_INTERVAL_SECONDS": "1",
    "STOP_LOSS_PERCENTAGE": "5",
}


class BothSides:
    """The account at a venue, and the books of the engine that trades on it."""

    buy: dict[str, str]
    """A signal that enters."""

    def __init__(self, server: Any, database: Path) -> None:
        self.server = server
        self.database = database

    def held(self) -> Any:
        """What the venue holds; empty or zero for nothing."""
        raise NotImplementedError

    def resting(self) -> list[Any]:
        """What works or rests at the venue."""
        raise NotImplementedError

    def is_covered(self) -> bool:
        """The venue holds what the books say, and a stop rests for each position."""
        raise NotImplementedError

    def positions(self) -> list[Position]:
        with closing(reader.open_reader(self.database)) as db:
            return [each for each in reader.positions(db) if each.is_live]

    def owned(self) -> Decimal:
        """By the books of all accounts."""
        return sum((each.side.sign * each.quantity for each in self.positions()), Decimal(0))

    def orders(self, role: Role) -> list[Order]:
        with closing(reader.open_reader(self.database)) as db:
            return [order for order in reader.orders(db) if order.role is role]

    def incidents(self) -> set[Reason]:
        with closing(reader.open_reader(self.database)) as db:
            return {each.kind for each in reader.incidents(db)}

    def cash_by_account(self) -> dict[str, Decimal]:
        with closing(reader.open_reader(self.database)) as db:
            return {each.va_id: each.cash for each in reader.accounts(db)}

    def cash(self) -> Decimal:
        """Of all accounts together."""
        return sum(self.cash_by_account().values(), Decimal(0))

    def seen(self) -> tuple[object, ...]:
        return self.held(), self.resting(), self.positions(), self.incidents()

    def is_flat(self) -> bool:
        return not self.held() and not self.resting() and not self.positions()

    def is_settled(self) -> bool:
        """A stop that never arrived may have been replaced by an exit, once time was up."""
        is_over = all(order.is_final for order in self.orders(Role.ENTRY))
        return is_over and (self.is_covered() or self.is_flat())

    def sent(self, route: str) -> int:
        """How many requests of a kind have arrived."""
        return sum(each.route == route for each in self.server.requests)

    def filled(self, side: str) -> list[Decimal]:
        """What the venue has filled of each order of a side that was sent to it."""
        return [
            order.filled for order in self.server.account.orders.values() if str(order.side) == side
        ]


class Trader(BothSides):
    """Both sides, and the engine itself."""

    def __init__(self, server: Any, database: Path, engine: Engine) -> None:
        super().__init__(server, database)
        self.engine = engine

    async def signal(self, **fields: Any) -> Decision:
        return await self.engine.submit({"signal_id": f"s-{next(NUMBERS)}", **fields})

    async def accepted(self, **fields: Any) -> Decision:
        """Signal until it is accepted: while something is not known entries are refused."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            decision = await self.signal(**fields)
            if decision.outcome is Outcome.ACCEPTED:
                return decision
            assert time.monotonic() < end, decision
            await asyncio.sleep(0.05)

    async def until(self, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            assert time.monotonic() < end, self.seen()
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def compared(self, times: int) -> None:
        """Until so many more comparisons have asked what is held."""
        sent = self.sent("positions")
        await self.until(lambda: self.sent("positions") >= sent + times)

    async def hold(self, **fields: Any) -> None:
        """Open a position, until its stop rests, also beside one that is covered already."""
        stops = len(self.orders(Role.STOP))
        await self.accepted(**(fields or self.buy))
        await self.until(lambda: len(self.orders(Role.STOP)) > stops and self.is_covered())

    async def close(self, **fields: Any) -> None:
        """Close it, until nothing is held and nothing rests."""
        leave = {"va_id": self.buy["va_id"], "symbol": self.buy["symbol"], "side": "close"}
        await self.accepted(**{**leave, **fields})
        await self.until(self.is_flat)


@asynccontextmanager
async def running(settings: Settings, database: Path) -> AsyncIterator[Engine]:
    """An engine on a database. In the end its journal is whole, and its tables follow from it."""
    database.parent.mkdir(exist_ok=True)
    async with open_engine(settings, database) as engine:
        yield engine
    with closing(reader.open_reader(database)) as db:
        assert verify_chain(db) is None
        assert fold(db) is None
