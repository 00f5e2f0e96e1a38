"""(A) The replay against the record: decisions, fills, trades and final accounts.

Numbers are compared as numbers: `10000.0` is `10000`. Basis points are stored half-even to 4 places
(RULES 11), ratios and averages to 10. For a reason whose value has no set form (a window, a lock)
only the reason counts.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from tests.audit.books import Account
from tests.audit.inputs import SECOND_NS, show_time
from tests.audit.record import Finding, Record, Row, amount
from tests.audit.replay import Replay
from tests.audit.rules import Decision

EXACT_VALUES = {"MAX_OPEN_POSITIONS", "MAX_POSITION_SIZE", "INSUFFICIENT_EQUITY", "LATENCY"}
BPS_VALUES = {"SPREAD", "PRICE_DEVIATION", "SLIPPAGE"}


def compare(replay: Replay, record: Record) -> Iterator[Finding]:
    """Every difference between what RULES make of the input files and what was recorded."""
    yield from _decisions(replay, record)
    yield from _fills(replay, record)
    yield from _trades(replay, record)
    yield from _report(replay, record)


def rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)


def _decisions(replay: Replay, record: Record) -> Iterator[Finding]:
    stored = {row["signal_id"]: row for row in record.tables["decisions"]}
    for signal_id in stored.keys() - replay.decisions.keys():
        yield Finding("decision", signal_id, "no such signal", stored[signal_id]["outcome"])
    for signal_id, decision in replay.decisions.items():
        row = stored.get(signal_id)
        if row is None:
            yield Finding("decision", signal_id, decision.outcome, "none")
            continue
        for what, expected, actual in _decision_parts(decision, row):
            if expected != actual:
                moment = show_time(decision.signal.ts_ns)
                subject = f"{what} of {signal_id} ({decision.signal.va_id}, {moment})"
                yield Finding("decision", subject, expected, actual)


def _decision_parts(decision: Decision, row: Row) -> Iterator[tuple[str, object, object]]:
    """(what, expected, recorded) of one decision."""
    yield "verdict", (decision.outcome, decision.reason), (row["outcome"], row["reason"])
    yield "VA", decision.signal.va_id, row["va_id"]
    yield "time", decision.signal.ts_ns, row["decided_at_ns"]
    if decision.outcome == "accepted":
        yield "action", decision.action, row["action"]
        yield "quantity", decision.quantity, _optional(row["quantity"])
        yield "limit price", decision.limit_price, _optional(row["limit_price"])
    elif decision.reason == row["reason"] and decision.value is not None:
        if decision.reason in BPS_VALUES:
            yield "value", rounded(decision.value, 4), _optional(row["value"])
            yield "limit", decision.limit, _optional(row["limit"])
        elif decision.reason in EXACT_VALUES:
            yield "value", decision.value, _optional(row["value"])
            yield "limit", decision.limit, _optional(row["limit"])


def _optional(text: object) -> Decimal | None:
    return None if text is None else amount(text)


def _fills(replay: Replay, record: Record) -> Iterator[Finding]:
    kinds = {row["client_order_id"]: row["role"] for row in record.tables["orders"]}
    expected = (
        (fill.ts_ns, fill.va_id, fill.kind, fill.side, fill.quantity, fill.price, fill.fee)
        for fill in replay.fills
    )
    actual = (
        (
            row["venue_ts_ns"],
            row["va_id"],
            kinds.get(row["client_order_id"], "no order"),
            row["side"],
            amount(row["quantity"]),
            amount(row["price"]),
            amount(row["fee"]),
        )
        for row in record.tables["fills"]
    )
    yield from _unmatched("fill", expected, actual)


def _trades(replay: Replay, record: Record) -> Iterator[Finding]:
    expected = (
        (
            *(trade.closed_at_ns, trade.opened_at_ns, trade.va_id, trade.symbol, trade.side),
            *(trade.quantity, trade.entry_price, trade.exit_price, trade.pnl, trade.fees),
            trade.exit_reason,
        )
        for trade in replay.trades
    )
    actual = (
        (
            *(row["closed_at_ns"], row["opened_at_ns"], row["va_id"], row["symbol"], row["side"]),
            *map(amount, (row["quantity"], row["entry_price"], row["exit_price"])),
            *map(amount, (row["pnl"], row["fees"])),
            row["exit_reason"],
        )
        for row in record.tables["trades"]
    )
    yield from _unmatched("trade", expected, actual)


def _unmatched(
    check: str, expected: Iterable[tuple[Any, ...]], actual: Iterable[tuple[Any, ...]]
) -> Iterator[Finding]:
    """The rows that stand on one side only, in order of time (their first figure)."""
    ours, theirs = Counter(expected), Counter(actual)
    lone = [(row, "recorded nowhere") for row in (ours - theirs).elements()]
    lone += [(row, "recorded without ground") for row in (theirs - ours).elements()]
    for row, fault in sorted(lone, key=lambda pair: pair[0][0]):
        yield Finding(check, f"{show_time(row[0])} {_words(row[1:])}", "on both sides", fault)


def _words(row: Iterable[Hashable]) -> str:
    return " ".join(str(part) for part in row)


def _report(replay: Replay, record: Record) -> Iterator[Finding]:
    report = record.report
    refused = [item for item in replay.decisions.values() if item.outcome == "refused"]
    counts: dict[str, object] = {
        "accepted": len(replay.decisions) - len(refused),
        "refused": len(refused),
        "duplicates": replay.duplicates,
        "malformed": 0,
        "by_reason": dict(Counter(item.reason for item in refused)),
    }
    for name, value in counts.items():
        yield from _equal("report", f"signals.{name}", value, report["signals"][name])
    yield from _equal("report", "quotes", replay.quotes, report["quotes"])
    yield from _equal("report", "fills", len(replay.fills), report["fills"])
    yield from _equal("report", "orders", replay.paper.orders_sent, report["orders"])
    watches = {"naked": replay.cover.naked, "stopless": replay.cover.stopless}
    for name, watch in watches.items():
        longest = Decimal(watch.longest(replay.now_ns)) / SECOND_NS
        told = amount(report["protection"][f"{name}_seconds_max"])
        yield from _equal("report", f"{name}_seconds_max", longest, told)
    yield from _equal("report", "accounts", sorted(replay.accounts), sorted(report["accounts"]))
    for va_id, account in replay.accounts.items():
        row = report["accounts"].get(va_id, {})
        for name, read in _FIGURES.items():
            recorded = None if name not in row else amount(row[name])
            value = read(account, replay)
            if name == "max_drawdown" and recorded is not None:
                value, recorded = rounded(value, 10), rounded(recorded, 10)
            yield from _equal("account", f"{va_id} {name}", value, recorded)
    yield from _open_positions(replay, record)


def _open_positions(replay: Replay, record: Record) -> Iterator[Finding]:
    expected = Counter(
        (account.va_id, item.entry.symbol, item.side, item.quantity, item.realized)
        for account in replay.accounts.values()
        for item in account.positions
    )
    names = ("va_id", "symbol", "side")
    actual = Counter(
        (*(row[name] for name in names), *map(amount, (row["quantity"], row["realized_to_date"])))
        for row in record.report["positions"]
    )
    yield from _equal("report", "positions left out", [], sorted((expected - actual).elements()))
    yield from _equal(
        "report", "positions without ground", [], sorted((actual - expected).elements())
    )


def _equal(check: str, subject: str, expected: object, actual: object) -> Iterator[Finding]:
    if expected != actual:
        yield Finding(check, subject, expected, actual)


_FIGURES: dict[str, Callable[[Account, Replay], Decimal]] = {
    "cash": lambda account, _: account.cash,
    "deposits": lambda _account, _: Decimal(0),
    "balance": lambda account, _: account.balance,
    "realized_pnl": lambda account, _: account.realized,
    "unrealized_pnl": lambda account, replay: account.unrealized(replay.marks),
    "fees": lambda account, _: account.fees,
    "equity": lambda account, replay: account.equity(replay.marks),
    "max_drawdown": lambda account, _: account.max_drawdown,
    "trades": lambda account, _: Decimal(account.trades),
    "wins": lambda account, _: Decimal(account.wins),
    "losses": lambda account, _: Decimal(account.losses),
    "consecutive_losses": lambda account, replay: Decimal(account.streak_at(replay.now_ns)),
}
"""The figures of an account in the report, and where the replay has them."""
