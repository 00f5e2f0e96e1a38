"""The end of a run, for people: the report on one screen, what matters first.

Made from the report and nothing else, so the two cannot disagree.
"""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.text import Text

from pointsman.domain.money import ZERO, exact
from pointsman.domain.reasons import Reason
from pointsman.domain.timestamps import MS_NS
from pointsman.reading.documents import Document
from pointsman.terminal.shadow import told as told_of_shadow
from pointsman.terminal.tables import Column, Listing
from pointsman.terminal.text import counted, length, money, printable, seconds, signed_money

_ADDED = ("balance", "equity", "realized_pnl", "unrealized_pnl", "fees")
_COUNTED = ("trades", "wins", "losses")


def summary(report: Document) -> RenderableType:
    """The report for a person, as wide as the terminal."""
    return Group(
        Text(_headline(report), style="bold"),
        Text(),
        Listing("Accounts", _ACCOUNTS, _account_rows(report)),
        Text(),
        *_signals(report),
        Text(),
        *_machinery(report),
    )


def _headline(report: Document) -> str:
    trades = report["trades"]
    with exact():
        earned = sum((Decimal(trade["pnl"]) for trade in trades), ZERO)
    words = [
        counted(report["quotes"], "quote"),
        counted(report["signals"]["received"], "signal"),
        counted(report["orders"], "order"),
        counted(report["fills"], "fill"),
        counted(len(trades), "trade"),
    ]
    took = f" in {seconds(report['wall_seconds'])} s" if "wall_seconds" in report else ""
    return f"{', '.join(words)}{took}. Closed trades earned {money(earned)} after fees."


def _account_rows(report: Document) -> list[Document]:
    """One row an account and, for several, their sum."""
    rows = [{"va_id": va_id, **row} for va_id, row in report["accounts"].items()]
    if len(rows) < 2:
        return rows
    with exact():
        total = {name: sum((Decimal(row[name]) for row in rows), ZERO) for name in _ADDED}
    counts = {name: sum(row[name] for row in rows) for name in _COUNTED}
    blank = {"status": "", "max_drawdown": None}
    return [*rows, {"va_id": "all", **total, **counts, **blank}]


def status_text(status: str) -> Text:
    """The word, coloured alike."""
    styles = {"active": "green", "cooldown": "yellow", "paused": "yellow"}
    return Text(status, style=styles.get(status, "bold red"))


def percent(ratio: Decimal) -> str:
    """A ratio as a percentage."""
    return f"{ratio * 100:.2f} %"


def won_and_lost(wins: int, losses: int) -> str:
    """Wins and losses of an account."""
    return f"{wins} / {losses}"


def _drawdown(row: Document) -> str:
    return "" if row["max_drawdown"] is None else percent(Decimal(row["max_drawdown"]))


_ACCOUNTS = (
    Column("account", lambda row: row["va_id"]),
    Column("status", lambda row: status_text(row["status"])),
    Column("equity", lambda row: money(Decimal(row["equity"])), is_right=True),
    Column("realized", lambda row: signed_money(Decimal(row["realized_pnl"])), is_right=True),
    Column("open", lambda row: signed_money(Decimal(row["unrealized_pnl"])), 2, is_right=True),
    Column("fees", lambda row: money(Decimal(row["fees"])), 3, is_right=True),
    Column("trades", lambda row: str(row["trades"]), is_right=True),
    Column("won / lost", lambda row: won_and_lost(row["wins"], row["losses"]), 1, is_right=True),
    Column("max drawdown", _drawdown, 4, is_right=True),
    Column("balance", lambda row: money(Decimal(row["balance"])), 5, is_right=True),
)


def _signals(report: Document) -> Iterator[RenderableType]:
    signals = report["signals"]
    parts = [f"{signals['accepted']:,} accepted", f"{signals['refused']:,} refused"]
    if signals["duplicates"]:
        parts.append(counted(signals["duplicates"], "duplicate"))
    if signals["malformed"]:
        parts.append(f"{signals['malformed']:,} malformed")
    yield Text(f"Signals: {signals['received']:,} received: {', '.join(parts)}.")
    late = signals["latency_refused"]
    if late["count"]:
        age = length(round(Decimal(late["median_age_ms"])) * MS_NS)
        yield Text(f"{late['count']:,} refused by LATENCY; median quote age {age}.")
    refused = sorted(signals["by_reason"].items(), key=lambda item: -item[1])
    if refused:
        yield Text()
        yield Listing("Refused because", _REASONS, refused)


_REASONS = (
    Column("reason", lambda item: item[0]),
    Column("signals", lambda item: f"{item[1]:,}", is_right=True),
    Column("meaning", lambda item: Reason[item[0]].sentence, 1, folds=True),
)


def _machinery(report: Document) -> Iterator[RenderableType]:
    protection = report["protection"]
    longest, total, stopless = (
        seconds(protection[name])
        for name in ("naked_seconds_max", "naked_seconds_total", "stopless_seconds_max")
    )
    told = f"Longest time without cover: {longest} s ({total} s in all)"
    yield Text(f"{told}, without a stop: {stopless} s.")
    if "shadow" in report:
        yield Text(f"Shadow: {printable(told_of_shadow(report['shadow']))}.")
    if report["positions"]:
        yield Text(f"Still open: {counted(len(report['positions']), 'position')}.")
    kinds = Counter(incident["kind"] for incident in report["incidents"])
    if kinds:
        told = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
        yield Text(f"Incidents: {told}.", style="yellow")
    if report["bad_quotes"]:
        yield Text(f"{counted(report['bad_quotes'], 'bad quote row')} skipped.", style="yellow")
