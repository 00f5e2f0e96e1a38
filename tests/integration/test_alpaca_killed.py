"""Real engine processes at the Alpaca server of the tests, killed with -9 while orders are on their
way: started again, each finds what became of them, sends none twice, and ends as it was told."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.integration.alpaca_session import BUY, CLOSE, AlpacaSides, settings_at
from tests.integration.http_engines import HttpEngine, http_engine
from tests.venue_servers.alpaca import AlpacaServer
from tests.venue_servers.faults import Fault, Kind

PATIENCE_SECONDS = 60.0
SEED = 20261201
FAULTS = [
    None,
    Fault(route="create", kind=Kind.DROP_AFTER_DOING),
    Fault(route="stop", kind=Kind.SILENCE_AFTER_DOING),
    Fault(route="stop", kind=Kind.DROP_BEFORE),
    Fault(route="create", kind=Kind.LATE, seconds=0.5),
]


class Trader:
    """Starts engines on one account, one after the other."""

    def __init__(self, server: AlpacaServer, folder: Path) -> None:
        self.sides = AlpacaSides(server, folder / "t.db")
        self._folder = folder
        self._numbers = count()

    @contextmanager
    def engine(self) -> Iterator[HttpEngine]:
        settings = settings_at(self.sides.server)
        with http_engine(self._folder, settings, ("--market", "http")) as engine:
            now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
            row = {"symbol": "AAPL", "ts": now, "bid": "100", "ask": "100.02"}
            row |= {"bid_size": "1000", "ask_size": "1000"}
            assert engine.post("/api/v1/quotes", {"quotes": [row]}).document["taken"] == 1
            yield engine

    def buy(self, engine: HttpEngine) -> None:
        """Signal it until it is accepted: while something is not known entries are refused."""
        self.until(lambda: self._is_accepted(engine, BUY))

    def close(self, engine: HttpEngine) -> None:
        """Signal it until it is accepted, or was done already: an exit of the engine before may
        have been on its way."""
        self.until(lambda: self._is_accepted(engine, CLOSE) or self.sides.is_flat())

    def _is_accepted(self, engine: HttpEngine, fields: dict[str, Any]) -> bool:
        sent = {"signal_id": f"k-{next(self._numbers)}", **fields}
        return bool(engine.post("/api/v1/signals", sent).document["outcome"] == "accepted")

    def until(self, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            assert time.monotonic() < end, self.sides.seen()
            time.sleep(0.05)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_killed_while_it_enters_and_while_it_exits(tmp_path: Path, number: int) -> None:
    chance, fault = random.Random(SEED + number), FAULTS[number]
    with AlpacaServer(key="K", secret="S") as server:
        server.quote("AAPL", "100", "100.02")
        trader = Trader(server, tmp_path)
        sides = trader.sides
        with trader.engine() as engine:
            if fault is not None:
                server.faults.add(fault)
            trader.buy(engine)
            time.sleep(chance.uniform(0, 0.08))
            engine.kill_9()
        with trader.engine() as engine:
            trader.until(sides.is_settled)
            if sides.is_covered():
                trader.close(engine)
                time.sleep(chance.uniform(0, 0.08))
            engine.kill_9()
        with trader.engine() as engine:
            trader.until(sides.is_settled)
            if sides.is_covered():
                trader.close(engine)
            trader.until(sides.is_flat)
            assert engine.end() == 128 + signal.SIGTERM
        bought = [order for order in server.account.orders.values() if order.side == "buy"]
        sold = [order for order in server.account.orders.values() if order.side == "sell"]
        assert len(bought) <= 1
        assert sum(order.filled for order in sold) == sum(order.filled for order in bought)
