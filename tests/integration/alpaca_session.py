"""A whole engine at the Alpaca server of the tests, and what both sides have in the end."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

from pointsman.config.settings import resolve_settings
from pointsman.domain.market import Quote
from tests.integration.venue_engine import SETTINGS, BothSides, Trader, running
from tests.venue_servers.alpaca import AlpacaServer

BUY = {"va_id": "VA001", "symbol": "AAPL", "side": "buy", "quantity": "10"}
CLOSE = {"va_id": "VA001", "symbol": "AAPL", "side": "close"}


def settings_at(server: AlpacaServer) -> dict[str, str]:
    """The settings of an engine that trades there."""
    origin = f"127.0.0.1:{server.port}"
    urls = {"VENUE_URL": f"http://{origin}", "VENUE_STREAM_URL": f"ws://{origin}"}
    return {**SETTINGS, "VENUE": "alpaca", "SYMBOLS": "AAPL,MSFT", **urls}


class AlpacaSides(BothSides):
    """The account at the venue and the books of the engine, in AAPL."""

    buy = BUY

    def held(self) -> Decimal:
        position = self.server.call(self.server.account.position, "AAPL")
        return Decimal(position.quantity)

    def resting(self) -> list[tuple[str, str, Decimal]]:
        account = self.server.account

        def rows() -> list[tuple[str, str, Decimal]]:
            return [
                (str(order.side), account.terms[order.id].kind, order.leaves)
                for order in account.open_orders("AAPL")
            ]

        found: list[tuple[str, str, Decimal]] = self.server.call(rows)
        return found

    def is_covered(self) -> bool:
        return self.held() == self.owned() == 10 and self.resting() == [("sell", "stop", 10)]


class Session(AlpacaSides, Trader):
    """An engine and its venue, with the prices that both see."""

    def price(self, bid: str, ask: str, symbol: str = "AAPL") -> None:
        self.server.quote(symbol, bid, ask)
        size = Decimal(1000)
        quote = Quote(symbol, time.time_ns(), Decimal(bid), size, Decimal(ask), size)
        assert self.engine.feed(quote)


@asynccontextmanager
async def session(server: AlpacaServer, folder: Path, **more: str) -> AsyncIterator[Session]:
    """An engine at this server, on a database in this folder."""
    settings = resolve_settings({**settings_at(server), **more}, None, {}).settings
    database = folder / "t.db"
    async with running(settings, database) as engine:
        began = Session(server, database, engine)
        began.price("100", "100.02")
        yield began
