"""Made-up sessions with what makes recorded ones hard, recomputed by the auditor: displayed sizes
in broken lots, silences, several holders of one symbol, both position modes and both reduce-only
modes, latencies up to 900 ms, and an interruption in the middle (RULES 21, 61-63)."""

import json
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pointsman.config.settings import resolve_settings
from pointsman.market.layout import Layout
from pointsman.service.clean_stop import Stop
from pointsman.service.feeds import recorded_feed
from pointsman.service.recorded_run import report_on, run_fast
from tests.audit.auditor import audit

OPENING = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
SYMBOL, LOT = "BTCUSDT", "0.001"
ACCOUNTS = "VA001:100000,VA002:100000,VA003:100000"
INSTRUMENT = {"tick": "0.01", "lot": LOT, "min_qty": LOT, "min_notional": "0"}
SILENCES_MS = {13_000: 7_000, 21_000: 9_000, 60_000: 9_000}
"""No row comes for so long from then on."""

SESSIONS = [
    ("hedge", "clip", "0"),
    ("hedge", "clip", "100"),
    ("hedge", "refuse", "20"),
    ("net", "clip", "900"),
    ("net", "refuse", "350"),
]


def stamp(at_ms: int) -> str:
    return (OPENING + timedelta(milliseconds=at_ms)).isoformat().replace("+00:00", "Z")


def write_quotes(file: Path, chance: random.Random) -> None:
    """Rows every 100 ms of a price that hardly moves; one in four shows next to nothing, and so do
    all of the second before a silence."""
    lines, at_ms, price = ["ts,symbol,bid,bid_size,ask,ask_size"], 0, Decimal("100.00")
    while at_ms < 90_000:
        price += Decimal(chance.randint(-1, 1)) / 100
        is_thin = any(0 <= begins_ms - at_ms < 1_000 for begins_ms in SILENCES_MS)
        shown = (36_879,) if is_thin else (36_879, 350_036_879, 1_250_000_001, 7_000_300_000)
        sizes = [Decimal(chance.choice(shown)) / 10**8 for _ in range(2)]
        row = (stamp(at_ms), SYMBOL, price, sizes[0], price + Decimal("0.01"), sizes[1])
        lines.append(",".join(str(cell) for cell in row))
        at_ms += SILENCES_MS.get(at_ms, 100)
    file.write_text("\n".join(lines) + "\n")


def write_signals(file: Path, chance: random.Random) -> None:
    """Each account in turn: an entry, a part of it closed, another entry, all of it closed; some
    within a silence."""
    lines = []
    for number in range(26):
        side = ("buy", "close", "sell" if chance.random() < 0.3 else "buy", "close")[
            number // 3 % 4
        ]
        signal = {
            "signal_id": f"s{number}",
            "va_id": f"VA00{number % 3 + 1}",
            "symbol": SYMBOL,
            "side": side,
            "ts": stamp(1_000 + number * 3_200 + chance.randint(0, 150)),
        }
        if side != "close" or number // 3 % 4 == 1:
            signal["quantity"] = str(Decimal(chance.randint(1, 4_000)) / 1_000)
        lines.append(json.dumps(signal) + "\n")
    file.write_text("".join(lines))


@pytest.mark.parametrize(("mode", "reduce_only", "latency_ms"), SESSIONS)
def test_the_auditor_agrees_with_a_session_that_was_interrupted(
    mode: str, reduce_only: str, latency_ms: str, tmp_path: Path
) -> None:
    chance = random.Random(f"{mode} {reduce_only} {latency_ms}")
    quotes, signals = tmp_path / "quotes.csv", tmp_path / "signals.jsonl"
    write_quotes(quotes, chance)
    write_signals(signals, chance)
    instruments = tmp_path / "instruments.json"
    instruments.write_text(json.dumps({SYMBOL: INSTRUMENT}))
    told = {
        "VIRTUAL_ACCOUNTS": ACCOUNTS,
        "PAPER_LATENCY_MS": latency_ms,
        "PAPER_POSITION_MODE": mode,
        "PAPER_REDUCE_ONLY": reduce_only,
        "TRADING_WINDOW_START": "00:00",
        "TRADING_WINDOW_END": "24:00",
    }
    settings = resolve_settings({**told, "INSTRUMENTS_FILE": str(instruments)}, None, {}).settings
    database, stop = tmp_path / "t.db", Stop()

    def halfway(_now_ns: int, _quotes: int, seen: int) -> None:
        if seen > chance.randint(8, 20):
            stop.ask()

    for stopping, watch in ((stop, halfway), (Stop(), lambda *_seen: None)):
        feed = recorded_feed((quotes,), Layout(), signals, 0, settings)
        run_fast(feed, settings, database, None, stopping, watch)
    report = tmp_path / "report.json"
    report.write_text(json.dumps(report_on(database)))
    findings = audit(
        [quotes],
        signals,
        report,
        database,
        tmp_path / "t.paper.db",
        [f"LOT={LOT}", *(f"{name}={value}" for name, value in told.items())],
    )
    assert findings == []
    found = report_on(database)
    assert stop.is_asked
    assert found["fills"] > 8
    assert found["signals"]["by_reason"]["LATENCY"] > 0
    assert "EXIT_UNFILLED" in {incident["kind"] for incident in found["incidents"]}
