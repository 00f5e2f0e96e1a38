"""A process that trades at a loopback venue at random, until it is killed.

`python -m tests.integration.linear_trader FOLDER PORT SEED VENUE`: it moves the price itself, so
that the venue and the engine see the same.
"""

import asyncio
import random
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp

from pointsman.domain.market import Quote
from pointsman.engine.embedded import Engine, open_engine
from tests.integration.bybit_account import BTC
from tests.integration.linear_engine import settings_at

ACCOUNTS = ("VA001", "VA002")
STEPS = 2_000
"""More than it lives for."""


async def trade(folder: Path, port: int, seed: int, venue: str) -> None:
    chance = random.Random(seed)
    price = 60_000
    settings = settings_at(
        f"127.0.0.1:{port}", VENUE=venue, STOP_LOSS_PERCENTAGE="0.3", MAX_LOSS_COOLDOWN="0"
    )
    async with aiohttp.ClientSession() as http, open_engine(settings, folder / "t.db") as engine:
        for step in range(STEPS):
            price += chance.randint(-60, 60)
            words = {"symbol": "BTCUSDT", "bid": price, "ask": price + 1}
            async with http.post(f"http://127.0.0.1:{port}/_control/quote", json=words):
                feed(engine, price)
            if step % 4 == 0:
                await engine.submit(signal(chance, f"{seed}-{step}"))
            await asyncio.sleep(0.01)


def feed(engine: Engine, price: int) -> None:
    size = Decimal(1000)
    assert engine.feed(Quote(BTC, time.time_ns(), Decimal(price), size, Decimal(price + 1), size))


def signal(chance: random.Random, signal_id: str) -> dict[str, Any]:
    side = chance.choice(("buy", "sell", "close"))
    quantity = {} if side == "close" else {"quantity": chance.choice(("0.01", "0.05"))}
    return {
        "signal_id": signal_id,
        "va_id": chance.choice(ACCOUNTS),
        "symbol": BTC,
        "side": side,
        **quantity,
    }


if __name__ == "__main__":
    asyncio.run(trade(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
