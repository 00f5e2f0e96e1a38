"""A frame of the dashboard: CPU time from a picture that has come to what is on the screen, with 50
accounts and 200 positions, every price and result of which has moved.

The terminal is not there, so what a real one costs to be written to is left out.
"""

import asyncio
import random
import time
from collections.abc import Iterator
from queue import Queue
from typing import Any

from bench.table import Row
from pointsman.dashboard.app import Dashboard
from pointsman.dashboard.links import Link
from pointsman.dashboard.panels.kind import Lists

ACCOUNTS, POSITIONS = 50, 200
FRAMES = 40
GOAL_MS = 20.0
SIZES = ((80, 24), (120, 35), (200, 50))
BETWEEN_SECONDS = 0.05
SECOND_NS = 10**9
SYMBOLS = ("AAPL", "NVDA", "MSFT", "BTC/USDT", "ETH/USDT")

Document = dict[str, Any]


def measure() -> list[Row]:
    """A row for each size of the terminal."""
    rows = []
    for columns, lines in SIZES:
        frame_ms, idle_ms = asyncio.run(_cpu_ms(columns, lines))
        rows.append(
            Row(
                f"CPU ms a frame of the dashboard, {columns} x {lines}",
                f"{frame_ms / GOAL_MS:.2f}",
                f"{GOAL_MS:g} ms",
                f"{frame_ms:.1f} ms",
                f"the same picture again: {idle_ms:.1f} ms",
                frame_ms <= GOAL_MS,
            )
        )
    return rows


async def _cpu_ms(columns: int, lines: int) -> tuple[float, float]:
    """CPU time of a frame in which all has moved, and of one in which nothing has."""
    pictures: Queue[Document | None] = Queue()
    zone = "America/New_York"
    link = Link(
        lambda: _watch(pictures),
        lambda _request: {},
        lambda: _picture(0),
        lambda _signal: None,
        lambda _now_ns: Lists(),
        lambda _now_ns, _accounts: {},
        zone,
    )
    app = Dashboard(link, theme="dark")
    async with app.run_test(size=(columns, lines)) as pilot:
        pictures.put(_picture(0))
        await pilot.pause(1)
        moving = [_picture(number) for number in range(1, FRAMES + 1)]
        still = [dict(moving[-1]) for _ in range(FRAMES)]
        found = [await _spent_ms(pictures, shown) for shown in (moving, still)]
        pictures.put(None)
    return found[0], found[1]


async def _spent_ms(pictures: Queue[Document | None], shown: list[Document]) -> float:
    begun = time.process_time()
    for each in shown:
        pictures.put(each)
        await asyncio.sleep(BETWEEN_SECONDS)
    return (time.process_time() - begun) / len(shown) * 1000


def _watch(pictures: Queue[Document | None]) -> Iterator[Document]:
    while (shown := pictures.get()) is not None:
        yield shown


def _picture(number: int) -> Document:
    """What an engine sends: as it was at the start, and with all of its prices moved since."""
    rng = random.Random(number)
    now_ns = 1_767_623_400 * SECOND_NS + number * SECOND_NS // 10
    return {
        "version": "bench",
        "database": "trading.db",
        "source": "engine",
        "now_ns": now_ns,
        "speed": "1",
        "market": "sim",
        "is_ready": True,
        "venue": {"name": "paper", "account": "", "is_real_money": False, "label": "paper"},
        "trading_state": "ACTIVE",
        "kill": {"state": "off", "by": "", "note": "", "at_ns": 0, "flat_at_ns": None},
        "accounts": [_account(at, rng) for at in range(ACCOUNTS)],
        "positions": [_position(at, rng, now_ns) for at in range(POSITIONS)],
        "decisions": [_decision(at, now_ns) for at in range(50)],
        "incidents": [],
        "orders": {"working": POSITIONS, "unknown": 0},
        "counts": {"signals": 50, "accepted": 50, "refused": 0, "fills": 200, "trades": 0},
        "health": {
            "feed_age_ms": rng.randrange(500),
            "compared_ago_ms": 1400,
            "commit_ms": "0.81",
            "loop_lag_ms": "0.1",
            "storage": "ok",
            "quotes": [_quote(symbol, rng) for symbol in SYMBOLS],
        },
        "limits": {"MAX_DAILY_LOSS": "500", "MAX_DRAWDOWN_PERCENTAGE": "5"},
        "limits_by_va": {},
    }


def _account(at: int, rng: random.Random) -> Document:
    return {
        "va_id": f"VA{at:03}",
        "status": "active",
        "status_text": "active",
        "symbol": SYMBOLS[at % len(SYMBOLS)],
        "balance": "100000",
        "equity": f"{100_000 + rng.randrange(-9999, 9999) / 100}",
        "realized": "12.34",
        "unrealized": f"{rng.randrange(-9999, 9999) / 100}",
        "drawdown": f"0.00{rng.randrange(99):02}",
        "daily_loss": f"{rng.randrange(-99, 99)}",
        "exposure": "8000",
        "entries_today": 4,
        "cooldown_until_ns": None,
        "max_drawdown": "0.0131",
        "wins": 7,
        "losses": 4,
        "loss_streak": 0,
        "open_positions": 4,
    }


def _position(at: int, rng: random.Random, now_ns: int) -> Document:
    return {
        "position_id": at,
        "va_id": f"VA{at % ACCOUNTS:03}",
        "symbol": SYMBOLS[at % len(SYMBOLS)],
        "side": "long",
        "quantity": "100",
        "entry_price": "158.39",
        "mark": f"{158 + rng.randrange(100) / 100:.2f}",
        "unrealized": f"{rng.randrange(-9999, 9999) / 100}",
        "stop_price": "155.22",
        "take_profit": "163.14",
        "cover": "covered",
        "naked_ms": 0,
        "price_decimals": 2,
        "opened_at_ns": now_ns - 95 * SECOND_NS,
        "signal_id": f"signal-{at}",
    }


def _decision(at: int, now_ns: int) -> Document:
    return {
        "signal_id": f"signal-{at}",
        "va_id": "VA001",
        "symbol": "AAPL",
        "side": "buy",
        "outcome": "accepted",
        "reason": None,
        "value": None,
        "limit": None,
        "unit": None,
        "quantity": "100",
        "at_ns": now_ns - at * SECOND_NS,
    }


def _quote(symbol: str, rng: random.Random) -> Document:
    bid = 158 + rng.randrange(100) / 100
    return {
        "symbol": symbol,
        "bid": f"{bid:.2f}",
        "ask": f"{bid + 0.02:.2f}",
        "spread_bps": "1.2601",
        "age_ms": rng.randrange(500),
        "price_decimals": 2,
    }
