"""Real processes that trade at the loopback Binance are killed with -9 at random moments, while
stops become orders of another name. In the end the venue and the books agree to the last cent."""

import asyncio
import random
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from pointsman.domain.client_order_ids import parse_client_order_id
from pointsman.storage import reader
from tests.integration.linear_engine import CLOSE, trading
from tests.integration.linear_trader import ACCOUNTS
from tests.integration.test_bybit_killed import KILLS, SEED, booked, live_and_die
from tests.optional import NEEDS_CCXT
from tests.venue_servers.binance import BinanceServer

pytestmark = NEEDS_CCXT


def filled_at(server: BinanceServer) -> dict[str, Decimal]:
    """What the venue has filled, by our id: of a stop, whatever its order was called."""
    filled: dict[str, Decimal] = {}
    for order in server.account.orders.values():
        stop = server.events.stop_of(order)
        order_id = order.client_id if stop is None else stop.client_algo_id
        assert parse_client_order_id(order_id)
        assert order_id not in filled, "sent twice"
        filled[order_id] = order.filled
    return filled


@pytest.mark.timeout(300)
async def test_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with BinanceServer(key="K", secret="S") as server:
        server.gate.weight_limit = server.gate.order_limit = 100_000
        server.switch(child_client_id="foreign", trigger_sequence="child_first")
        began = server.account.cash
        for number in range(KILLS):
            seconds = chance.uniform(0.2, 1.5)
            live_and_die(server, "binanceusdm", tmp_path, SEED + number, seconds)
        async with trading(server, tmp_path, VENUE="binanceusdm") as engine:
            while not engine.is_flat():
                for va_id in ACCOUNTS:
                    await engine.signal(**{**CLOSE, "va_id": va_id})
                await asyncio.sleep(0.3)
            await asyncio.sleep(2.5)
            assert engine.is_flat()
        filled = filled_at(server)
        assert len(filled) > 10
        assert booked(tmp_path / "t.db") == {name: each for name, each in filled.items() if each}
        with closing(reader.open_reader(tmp_path / "t.db")) as db:
            cash = sum((each.cash for each in reader.accounts(db)), Decimal(0))
        # The server divides for average prices, and rounds at its 28th digit.
        assert cash - 2 * 50_000 == round(server.account.cash - began, 12)
