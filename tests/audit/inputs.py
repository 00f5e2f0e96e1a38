"""What a recorded run was given: quotes, signals and settings, read without the package under test.

Prices, sizes and limits are exact decimals, times are integer nanoseconds UTC, as in the files.
What the auditor does not model (a take-profit, netting accounts, ...) raises `Unmodelled`: silence
would look like agreement.
"""

import csv
import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, InvalidOperation
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

SECOND_NS = 1_000_000_000
EXACT = Context(prec=80)
"""Wide enough that no sum, product or fee of a day is ever rounded."""

DEFAULTS = {
    "MAX_LOSS_COOLDOWN": "3",
    "COOLDOWN_DURATION_SECONDS": "300",
    "MAX_SPREAD_BPS": "10.0",
    "MAX_SLIPPAGE_BPS": "5.0",
    "MAX_LATENCY_MS": "500.0",
    "TRADING_WINDOW_START": "09:30",
    "TRADING_WINDOW_END": "16:00",
    "TRADING_TIMEZONE": "America/New_York",
    "MAX_POSITION_SIZE": "10000.0",
    "MAX_OPEN_POSITIONS_PER_VA": "5",
    "STOP_LOSS_PERCENTAGE": "2.0",
    "MAX_PRICE_DEVIATION_BPS": "500",
    "MAX_LEVERAGE": "1",
    "VIRTUAL_ACCOUNTS": "VA001:100000,VA002:100000,VA003:100000,VA004:100000,VA005:100000",
    "PROTECTION_DEADLINE_SECONDS": "2",
    "PAPER_LATENCY_MS": "20",
    "PAPER_FEE_BPS": "1",
    "PAPER_POSITION_MODE": "hedge",
    "PAPER_REDUCE_ONLY": "clip",
    "LOT": "1",
}
"""The settings that the auditor knows, with their documented defaults; but five accounts, which the
canonical signals name."""

TICK = Decimal("0.01")
"""Of every instrument that the auditor knows. LOT, among the settings, stands for what the
instruments file of the run says, or for a share where there is none."""


class Unmodelled(Exception):
    """Something that the auditor has no model of turned up; the audit proves nothing until it has
    one."""


@dataclass(frozen=True)
class Quote:
    """One row of the quote file."""

    ts_ns: int
    symbol: str
    bid: Decimal
    bid_size: Decimal
    ask: Decimal
    ask_size: Decimal

    @property
    def is_valid(self) -> bool:
        """RULES 4."""
        numbers = (self.bid, self.bid_size, self.ask, self.ask_size)
        if not all(number.is_finite() for number in numbers):
            return False
        return 0 < self.bid <= self.ask and self.bid_size >= 0 and self.ask_size >= 0

    def touch(self, side: str) -> Decimal:
        """The price that an order of `side` trades against (RULES 7)."""
        return self.ask if side == "buy" else self.bid


@dataclass(frozen=True)
class Signal:
    """One line of the signal file; `side` is buy, sell or close."""

    line: int
    signal_id: str
    va_id: str
    symbol: str
    side: str
    quantity: Decimal | None
    price: Decimal | None
    stop_loss: Decimal | None
    ts_ns: int


@dataclass(frozen=True)
class Settings:
    """Settings by name; a limit may be set per VA as `VA001__NAME` (RULES 18)."""

    values: dict[str, str]

    @classmethod
    def of(cls, overrides: Iterable[str] = ()) -> "Settings":
        """Defaults with `NAME=VALUE` overrides. A name that the auditor does not know is
        refused."""
        values = dict(DEFAULTS)
        for override in overrides:
            name, _, value = override.partition("=")
            if name.split("__")[-1] not in {*DEFAULTS, "MAX_STOP_LOSS_PERCENTAGE"}:
                raise Unmodelled(f"setting {name}")
            values[name] = value
        return cls(values)

    def number(self, name: str, va_id: str = "") -> Decimal:
        return Decimal(self.values.get(f"{va_id}__{name}", self.values.get(name, "")))

    @property
    def lot(self) -> Decimal:
        return self.number("LOT")

    @property
    def is_hedged(self) -> bool:
        return self.values["PAPER_POSITION_MODE"] == "hedge"

    @property
    def clips(self) -> bool:
        return self.values["PAPER_REDUCE_ONLY"] == "clip"

    def max_stop_percentage(self, va_id: str) -> Decimal:
        """RULES 9: five times the stop's own percentage unless set."""
        if f"{va_id}__MAX_STOP_LOSS_PERCENTAGE" in self.values or (
            "MAX_STOP_LOSS_PERCENTAGE" in self.values
        ):
            return self.number("MAX_STOP_LOSS_PERCENTAGE", va_id)
        return 5 * self.number("STOP_LOSS_PERCENTAGE", va_id)

    def nanoseconds(self, name: str, unit_ns: int, va_id: str = "") -> int:
        return int(self.number(name, va_id) * unit_ns)

    def accounts(self) -> dict[str, Decimal]:
        pairs = (item.split(":") for item in self.values["VIRTUAL_ACCOUNTS"].split(","))
        return {va_id: Decimal(balance) for va_id, balance in pairs}

    def window_is_open(self, now_ns: int) -> bool:
        """RULES 1: start <= local time < end; overnight when start > end; 24:00 is the end of the
        day."""
        local = datetime.fromtimestamp(now_ns // SECOND_NS, UTC).astimezone(
            ZoneInfo(self.values["TRADING_TIMEZONE"])
        )
        minute = local.hour * 60 + local.minute
        start, end = (
            int(text[:2]) * 60 + int(text[3:])
            for text in (self.values["TRADING_WINDOW_START"], self.values["TRADING_WINDOW_END"])
        )
        if start < end:
            return start <= minute < end
        return minute >= start or minute < end


def parse_time(text: str) -> int:
    """ISO-8601 UTC to nanoseconds."""
    whole, _, fraction = text.removesuffix("Z").removesuffix("+00:00").partition(".")
    moment = datetime.fromisoformat(whole).replace(tzinfo=UTC)
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    return seconds * SECOND_NS + int(fraction.ljust(9, "0")[:9])


def show_time(ts_ns: int) -> str:
    moment = datetime.fromtimestamp(ts_ns // SECOND_NS, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ts_ns % SECOND_NS:09d}Z"


def _open_text(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def read_quotes(paths: Iterable[Path]) -> Iterator[Quote]:
    """The rows of the files, one file after the other, in file order; unreadable and out-of-order
    rows are skipped (docs/contract.md). The stamp may stand in `ts` or, as in the raw file of all
    venues, in `ts_utc`."""
    newest_ns = 0
    for path in paths:
        with _open_text(path) as text:
            rows = csv.DictReader(text)
            stamp = "ts" if "ts" in (rows.fieldnames or ()) else "ts_utc"
            for row in rows:
                try:
                    prices = [Decimal(row[name]) for name in ("bid", "bid_size", "ask", "ask_size")]
                    ts_ns = parse_time(row[stamp])
                except (InvalidOperation, ValueError, TypeError):
                    continue
                if ts_ns < newest_ns:
                    continue
                newest_ns = ts_ns
                yield Quote(ts_ns, row["symbol"], *prices)


_FIELDS = {"signal_id", "va_id", "symbol", "side", "quantity", "price", "stop_loss", "ts"}


def read_signals(path: Path) -> list[Signal]:
    """The signals in file order. Any field beyond those that the canonical files use is
    unmodelled."""
    signals = []
    with _open_text(path) as text:
        for line, content in enumerate(text, start=1):
            row = json.loads(content)
            is_known = row.keys() <= _FIELDS and row["side"] in ("buy", "sell", "close")
            if not is_known or ("quantity" not in row and row["side"] != "close"):
                raise Unmodelled(f"{path.name} line {line}: {content.strip()}")
            amounts = {
                name: Decimal(str(row[name])) if name in row else None
                for name in ("quantity", "price", "stop_loss")
            }
            signals.append(
                Signal(
                    line=line,
                    signal_id=row["signal_id"],
                    va_id=row["va_id"],
                    symbol=row["symbol"],
                    side=row["side"],
                    ts_ns=parse_time(row["ts"]),
                    **amounts,
                )
            )
    return signals
