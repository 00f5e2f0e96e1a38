"""Pictures made by hand for tests of the dashboard: a desk with one of everything on it."""

from typing import Any

from pointsman.dashboard.lists import made_lists
from pointsman.domain.timestamps import parse_ts

NOW_NS = parse_ts("2018-01-02T14:31:05Z")
SECOND_NS = 10**9

Document = dict[str, Any]


def account(va_id: str, **fields: Any) -> Document:
    """An account that may enter and has done nothing."""
    return {
        "va_id": va_id,
        "status": "active",
        "status_text": "active",
        "symbol": None,
        "balance": "100000",
        "equity": "100000",
        "realized": "0",
        "unrealized": "0",
        "drawdown": "0",
        "daily_loss": "0",
        "exposure": "0",
        "entries_today": 0,
        "cooldown_until_ns": None,
        "max_drawdown": "0",
        "wins": 0,
        "losses": 0,
        "loss_streak": 0,
        "open_positions": 0,
    } | fields


def position(position_id: int, **fields: Any) -> Document:
    """A covered position of VA001."""
    return {
        "position_id": position_id,
        "va_id": "VA001",
        "symbol": "AAPL",
        "side": "long",
        "quantity": "100",
        "entry_price": "158.39",
        "mark": "158.71",
        "unrealized": "32",
        "stop_price": "155.22",
        "take_profit": None,
        "cover": "covered",
        "naked_ms": 0,
        "price_decimals": 2,
        "opened_at_ns": NOW_NS - 95 * SECOND_NS,
        "signal_id": "demo-0001",
    } | fields


def decision(signal_id: str, **fields: Any) -> Document:
    """An accepted entry of VA001."""
    return {
        "signal_id": signal_id,
        "va_id": "VA001",
        "symbol": "AAPL",
        "side": "buy",
        "outcome": "accepted",
        "reason": None,
        "value": None,
        "limit": None,
        "unit": None,
        "quantity": "100",
        "at_ns": NOW_NS - SECOND_NS,
    } | fields


def refusal(signal_id: str, reason: str, value: str, limit: str, unit: str = "") -> Document:
    """A refused entry of VA001."""
    return decision(
        signal_id,
        outcome="refused",
        reason=reason,
        value=value,
        limit=limit,
        unit=unit,
        quantity=None,
    )


def picture(**fields: Any) -> Document:
    """A calm desk: three accounts, nothing held, an engine that is well."""
    return {
        "version": "0.1.0",
        "database": "trading.db",
        "source": "engine",
        "now_ns": NOW_NS,
        "speed": "1",
        "market": "sim",
        "is_ready": True,
        "venue": {"name": "paper", "account": "", "is_real_money": False, "label": "paper"},
        "trading_state": "ACTIVE",
        "kill": {"state": "off", "by": "", "note": "", "at_ns": 0, "flat_at_ns": None},
        "accounts": [account(va_id) for va_id in ("VA001", "VA002", "VA003")],
        "positions": [],
        "decisions": [],
        "incidents": [],
        "orders": {"working": 0, "unknown": 0},
        "counts": {"signals": 0, "accepted": 0, "refused": 0, "fills": 0, "trades": 0},
        "health": {
            "feed_age_ms": 120,
            "compared_ago_ms": 1400,
            "commit_ms": "0.81",
            "loop_lag_ms": "0.1",
            "storage": "ok",
            "quotes": [],
        },
        "limits": {
            "MAX_SPREAD_BPS": "10.0",
            "MAX_SLIPPAGE_BPS": "5.0",
            "MAX_LATENCY_MS": "500.0",
            "TRADING_WINDOW": "09:30-16:00 America/New_York",
            "MAX_LOSS_COOLDOWN": "3",
            "COOLDOWN_DURATION_SECONDS": "300",
            "MAX_POSITION_SIZE": "10000.0",
            "MAX_OPEN_POSITIONS_PER_VA": "5",
            "STOP_LOSS_PERCENTAGE": "2.0",
            "MAX_DAILY_LOSS": "500",
            "MAX_DRAWDOWN_PERCENTAGE": "1.5",
            "MAX_TRADES_PER_DAY": "",
            "PROTECTION_DEADLINE_SECONDS": "2",
            "RECONCILE_INTERVAL_SECONDS": "5",
            "VENUE": "paper",
        },
        "limits_by_va": {"VA003": {"MAX_DAILY_LOSS": "", "MAX_DRAWDOWN_PERCENTAGE": ""}},
    } | fields


ACCOUNTS = [
    account(
        "VA001",
        symbol="AAPL",
        balance="100183.42",
        equity="100179.10",
        realized="183.42",
        unrealized="-4.32",
        drawdown="0.0012",
        max_drawdown="0.0131",
        wins=7,
        losses=4,
        open_positions=2,
        daily_loss="-179.10",
        exposure="8500",
        entries_today=12,
    ),
    account(
        "VA002",
        status="cooldown",
        status_text="cooldown, 212 s left",
        balance="99713.08",
        equity="99713.08",
        realized="-286.92",
        drawdown="0.0121",
        max_drawdown="0.0140",
        daily_loss="286.92",
        entries_today=7,
        cooldown_until_ns=NOW_NS + 212 * SECOND_NS,
        wins=2,
        losses=5,
        loss_streak=3,
    ),
    account(
        "VA003",
        status="frozen",
        status_text="frozen: OVERFILL",
        symbol="BTC/USDT",
        balance="100000",
        equity="99989.10",
        unrealized="-10.90",
        drawdown="0.0001",
        open_positions=1,
    ),
]

POSITIONS = [
    position(11),
    position(12, quantity="50", entry_price="158.9", unrealized="-9.5", cover="exiting"),
    position(
        13,
        va_id="VA003",
        symbol="BTC/USDT",
        side="short",
        quantity="0.0125",
        entry_price="42118.7",
        mark="42990.5",
        unrealized="-10.90",
        stop_price="42961",
        cover="naked",
        naked_ms=2140,
    ),
    position(14, symbol="AAPL", quantity="20", cover="unconfirmed", naked_ms=340, unrealized="0"),
]

DECISIONS = [
    decision("demo-0009"),
    refusal("demo-0008", "SPREAD", "14.2214", "10.0", "bps"),
    refusal("demo-0007", "COOLDOWN", "212", "0", "s left"),
    refusal("demo-0006", "SYMBOL_LOCKED", "MSFT", "AAPL"),
    refusal("demo-0005", "LATENCY", "3900", "500.0", "ms"),
    refusal("demo-0004", "MAX_POSITION_SIZE", "15839.00", "10000.0"),
    refusal(
        "demo-0003",
        "OUTSIDE_WINDOW",
        str(parse_ts("2018-01-02T14:29:00Z")),
        f"{parse_ts('2018-01-02T14:30:00Z')}..{parse_ts('2018-01-02T21:00:00Z')}",
    ),
    decision("demo-0002", side="close", quantity="20"),
    *(decision(f"demo-00{number}") for number in range(20, 32)),
]

INCIDENTS = [
    {
        "incident_id": "I3",
        "at_ns": NOW_NS - 2 * SECOND_NS,
        "kind": "NAKED_POSITION",
        "va_id": "VA003",
        "symbol": "BTC/USDT",
        "detail": "position 13 closed at market",
    },
    {
        "incident_id": "I2",
        "at_ns": NOW_NS - 90 * SECOND_NS,
        "kind": "COOLDOWN_STARTED",
        "va_id": "VA002",
        "symbol": None,
        "detail": "",
    },
]


QUOTES = [
    {
        "symbol": "AAPL",
        "bid": "158.70",
        "ask": "158.72",
        "spread_bps": "1.2601",
        "age_ms": 120,
        "price_decimals": 2,
    },
    {
        "symbol": "BTC/USDT",
        "bid": "42961.1",
        "ask": "43019.9",
        "spread_bps": "13.6771",
        "age_ms": 2140,
        "price_decimals": 1,
    },
    {
        "symbol": "DOGE/USDT",
        "bid": None,
        "ask": None,
        "spread_bps": None,
        "age_ms": 90_000,
        "price_decimals": 5,
    },
]


def order(order_id: str, **fields: Any) -> Document:
    """A filled entry of VA001, as lists and HTTP give it."""
    return {
        "client_order_id": order_id,
        "va_id": "VA001",
        "symbol": "AAPL",
        "position_id": 11,
        "role": "entry",
        "side": "buy",
        "quantity": "100",
        "created_at": "2018-01-02T14:29:30.000000Z",
        "limit_price": "158.44",
        "trigger_price": None,
        "signal_id": "demo-0001",
        "exit_reason": None,
        "status": "FILLED",
        "filled": "100",
        "filled_value": "15839",
        "venue_order_id": "7",
        "end_reason": None,
    } | fields


def trade(trade_id: str, **fields: Any) -> Document:
    """A trade of VA001 that its stop ended, as lists and HTTP give it."""
    return {
        "trade_id": trade_id,
        "position_id": 9,
        "va_id": "VA001",
        "symbol": "AAPL",
        "side": "long",
        "quantity": "20",
        "entry_price": "158.3900000000",
        "exit_price": "155.2200000000",
        "pnl": "-64.65",
        "fees": "1.25",
        "opened_at": "2018-01-02T14:20:00.000000Z",
        "closed_at": "2018-01-02T14:25:00.000000Z",
        "exit_reason": "STOP_LOSS",
        "signal_id": "demo-0002",
    } | fields


WORKING = [
    order(
        "AAAAAA11S1",
        role="stop",
        side="sell",
        status="ACCEPTED",
        filled="0",
        filled_value="0",
        limit_price=None,
        trigger_price="155.22",
        exit_reason="STOP_LOSS",
    ),
    order("AAAAAA15E1", status="UNKNOWN", filled="0", filled_value="0", venue_order_id=None),
]
LISTS = made_lists(
    WORKING,
    [order("AAAAAA11E1"), WORKING[0]],
    [trade("9.0"), trade("10.0", pnl="33.10", exit_reason="TAKE_PROFIT", signal_id="demo-0003")],
    [("SPREAD", NOW_NS), ("COOLDOWN", NOW_NS), ("SPREAD", NOW_NS), (None, NOW_NS), ("SPREAD", 1)],
    NOW_NS - SECOND_NS,
)
"""What is read beside the picture of a busy desk."""


def busy_picture(**fields: Any) -> Document:
    """A desk on a bad day: an account in each state, a position in each state of cover."""
    calm = picture()
    return (
        picture(
            health=calm["health"] | {"quotes": QUOTES},
            accounts=ACCOUNTS,
            positions=POSITIONS,
            decisions=DECISIONS,
            incidents=INCIDENTS,
            orders={"working": 5, "unknown": 1},
            counts={"signals": 42, "accepted": 17, "refused": 25, "fills": 61, "trades": 18},
        )
        | fields
    )
