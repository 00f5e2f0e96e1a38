"""A whole engine that trades at the loopback Bybit or Binance."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

from pointsman.config.settings import Settings, resolve_settings
from pointsman.domain.market import Quote
from tests.integration.bybit_account import BTC
from tests.integration.venue_engine import SETTINGS, Trader, running
from tests.venue_servers.binance import BinanceServer
from tests.venue_servers.bybit import BybitServer
from tests.venue_servers.records import Holding

BUY = {"va_id": "VA001", "symbol": BTC, "side": "buy", "quantity": "0.1"}
SELL = {"va_id": "VA001", "symbol": BTC, "side": "sell", "quantity": "0.1"}
CLOSE = {"va_id": "VA001", "symbol": BTC, "side": "close"}
TENTH = Decimal("0.1")


class Trading(Trader):
    """An engine and its venue, with the prices that both see."""

    buy = BUY

    def price(self, bid: str, ask: str) -> None:
        self.server.quote("BTCUSDT", bid, ask)
        size = Decimal(1000)
        quote = Quote(BTC, time.time_ns(), Decimal(bid), size, Decimal(ask), size)
        assert self.engine.feed(quote)

    def held(self) -> dict[Holding, Decimal]:
        """What the venue holds, signed."""

        def rows() -> dict[Holding, Decimal]:
            return {held.holding: held.quantity for held in self.server.account.held()}

        found: dict[Holding, Decimal] = self.server.call(rows)
        return found

    def resting(self) -> list[tuple[str, Decimal]]:
        """Side and quantity of our stops that rest."""

        def rows() -> list[tuple[str, Decimal]]:
            orders = self.server.account.open_orders("BTCUSDT")
            return sorted((each.side.value, each.leaves) for each in orders if each.client_id)

        found: list[tuple[str, Decimal]] = self.server.call(rows)
        return found

    def is_covered(self) -> bool:
        positions = self.positions()
        owned = sum((each.side.sign * each.quantity for each in positions), Decimal(0))
        stops = sorted((each.side.closes_with.value, each.quantity) for each in positions)
        is_held = sum(self.held().values(), Decimal(0)) == owned
        return bool(positions) and is_held and self.resting() == stops


def settings_at(address: str, **more: str) -> Settings:
    """The settings of an engine at the server with this host and port."""
    urls = {"VENUE_URL": f"http://{address}", "VENUE_STREAM_URL": f"ws://{address}"}
    set_here = {"VENUE": "bybit", "SYMBOLS": BTC, **urls, **more}
    return resolve_settings({**SETTINGS, **set_here}, None, {}).settings


@asynccontextmanager
async def trading(
    server: BybitServer | BinanceServer, folder: Path, **more: str
) -> AsyncIterator[Trading]:
    """An engine at this server, on a database in this folder."""
    name = "binanceusdm" if isinstance(server, BinanceServer) else "bybit"
    settings = settings_at(f"127.0.0.1:{server.port}", **{"VENUE": name, **more})
    database = folder / "t.db"
    async with running(settings, database) as engine:
        began = Trading(server, database, engine)
        began.price("59999.9", "60000")
        yield began
