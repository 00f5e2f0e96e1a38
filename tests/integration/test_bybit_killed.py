"""Real processes that trade at the loopback Bybit are killed with -9 at random moments.

In the end the venue and the books agree to the last cent: no order is doubled, no fill lost or
booked twice, nothing is held or rests that nobody knows of.
"""

import asyncio
import random
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from pointsman.domain.client_order_ids import parse_client_order_id
from pointsman.storage import reader
from tests.integration.linear_engine import CLOSE, trading
from tests.integration.linear_trader import ACCOUNTS
from tests.integration.sessions import ROOT, environment
from tests.optional import NEEDS_CCXT
from tests.venue_servers.binance import BinanceServer
from tests.venue_servers.bybit import BybitServer

pytestmark = NEEDS_CCXT

KILLS = 6
SEED = 20261201
PATIENCE_SECONDS = 60.0


def live_and_die(
    server: BybitServer | BinanceServer, venue: str, folder: Path, seed: int, seconds: float
) -> None:
    """Let a process trade for so long after its first order of this life, and kill it."""
    before = len(server.account.orders)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.linear_trader", folder, str(server.port),
         str(seed), venue],
        cwd=ROOT,
        env=environment({}),
        stderr=subprocess.PIPE,
    )  # fmt: skip
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(server.account.orders) == before and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(seconds)
    was_alive = process.poll() is None
    process.kill()
    _, errors = process.communicate(timeout=30)
    assert was_alive, errors.decode()[-3000:]


@pytest.mark.timeout(300)
async def test_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with BybitServer(key="K", secret="S") as server:
        server.behave(orders_per_second=1000, queries_per_second=1000)
        began = server.account.cash
        for number in range(KILLS):
            live_and_die(server, "bybit", tmp_path, SEED + number, chance.uniform(0.2, 1.5))
        async with trading(server, tmp_path) as engine:
            while not engine.is_flat():
                for va_id in ACCOUNTS:
                    await engine.signal(**{**CLOSE, "va_id": va_id})
                await asyncio.sleep(0.3)
            await asyncio.sleep(2.5)
            assert engine.is_flat()
        ours = [each for each in server.account.orders.values() if each.client_id]
        assert len({each.client_id for each in ours}) == len(ours) > 10
        assert all(parse_client_order_id(each.client_id) for each in ours)
        assert booked(tmp_path / "t.db") == {
            each.client_id: each.filled for each in ours if each.filled
        }
        with closing(reader.open_reader(tmp_path / "t.db")) as db:
            cash = sum((each.cash for each in reader.accounts(db)), Decimal(0))
        # The server divides for average prices, and rounds at its 28th digit.
        assert cash - 2 * 50_000 == round(server.account.cash - began, 12)


def booked(database: Path) -> dict[str, Decimal]:
    """What the books say was filled, by order."""
    totals: dict[str, Decimal] = defaultdict(Decimal)
    with closing(reader.open_reader(database)) as db:
        for fill in reader.fills(db):
            totals[fill.client_order_id] += fill.quantity
    return totals
