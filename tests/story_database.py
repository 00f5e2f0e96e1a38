"""A small day, driven through the desk by hand and stored, for tests of what reads databases.

VA001 buys 50 on `loser`, in two fills with a stop each, and is stopped out at a loss. VA002 buys 60
on `holder`, gets 50, sells 20 of them on `part`, and holds 30 at the end. `late` meets an old
quote, `nobody` an unknown account; `loser` comes again, alike and with other content; one line
cannot be read.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any

from pointsman import __version__
from pointsman.config.settings import resolve_settings
from pointsman.domain.accounts import Mark
from pointsman.domain.commands import Step, Submit
from pointsman.domain.events import (
    Compared,
    Event,
    OrderReport,
    OrderSent,
    ReportWord,
    RunEnded,
    SignalMalformed,
    SignalReceived,
    Started,
    VenueFill,
)
from pointsman.domain.market import Quote
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import SignalSide
from pointsman.domain.signals import Decision, FirstDecision, Signal, SignalRecord, Window
from pointsman.domain.timestamps import parse_ts
from pointsman.execution.desk import Desk
from pointsman.execution.ports import JournalEntry
from pointsman.storage.sqlite_manager import SqliteManager

CODE = "ABCDEF"
MILLISECOND_NS = 10**6
OPEN_NS = parse_ts("2018-01-02T14:30:00Z")
WINDOW = Window(OPEN_NS, parse_ts("2018-01-02T21:00:00Z"))
DAY_NS = parse_ts("2018-01-02T05:00:00Z")


class Day:
    """The desk, the time in milliseconds after the opening, and the turns so far."""

    def __init__(self, version: str = __version__) -> None:
        loaded = resolve_settings({"VIRTUAL_ACCOUNTS": "VA001:100000,VA002:50000"}, None, {})
        self.settings = loaded.settings
        self.policy = self.settings.policy({})
        self.desk = Desk(self.policy, CODE)
        self.entries: list[JournalEntry] = []
        self.trades = 0
        self.start(0, version)

    def at_ns(self, at_ms: int) -> int:
        """A time of the day."""
        return OPEN_NS + at_ms * MILLISECOND_NS

    def tell(self, at_ms: int, event: Event) -> Step:
        """One turn; what it submits is sent at once."""
        now_ns = self.at_ns(at_ms)
        step = self.desk.handle(event, now_ns)
        if step.changes:
            self.entries.append(JournalEntry(now_ns, event, step.changes))
        for command in step.commands:
            if isinstance(command, Submit):
                self.tell(at_ms, OrderSent(command.order.client_order_id))
        return step

    def start(self, at_ms: int, version: str = __version__) -> None:
        """Start, or start again, and compare with the venue."""
        self.tell(at_ms, Started(version, CODE, self.policy, self.settings.accounts))
        self.tell(at_ms + 20, Compared(True, OPEN_NS, 0, ""))

    def signal(
        self,
        at_ms: int,
        signal_id: str,
        *,
        bid: str = "158.38",
        quote_ms: int | None = None,
        first: FirstDecision | None = None,
        **fields: Any,
    ) -> Step:
        """A signal on a quote of one cent, by default as old as 100 ms."""
        asked: dict[str, Any] = {
            "va_id": "VA001",
            "symbol": "XXX",
            "side": SignalSide.BUY,
            "quantity": Decimal(100),
            "price": Decimal("158.39"),
            "ts_ns": self.at_ns(at_ms),
        }
        signal = Signal(signal_id, **(asked | fields))
        newest = self.quote(at_ms - 100 if quote_ms is None else quote_ms, bid)
        event = SignalReceived(
            signal, newest, newest, WINDOW, DAY_NS, first=first, source="signals", line=1
        )
        return self.tell(at_ms, event)

    def quote(self, at_ms: int, bid: str = "158.38") -> Quote:
        """A quote of one cent."""
        price, size = Decimal(bid), Decimal(300)
        cent = Decimal("0.01")
        return Quote("XXX", self.at_ns(at_ms), price, size, price + cent, size)

    def report(
        self, at_ms: int, order_id: str, word: ReportWord, *fill: str, reason: Reason | None = None
    ) -> None:
        """The venue's word on an order; a TRADE with quantity and price, for a fee of one bps."""
        told = None
        ts_ns = self.at_ns(at_ms)
        if fill:
            quantity, price = map(Decimal, fill)
            self.trades += 1
            fee = quantity * price / 10_000
            told = VenueFill(f"T{self.trades}", quantity, price, fee, ts_ns)
        mark = self.quote(at_ms)
        self.tell(
            at_ms, OrderReport(order_id, word, ts_ns, f"V{order_id}", told, reason, mark=mark)
        )

    def lose(self, at_ms: int, signal_id: str, number: int) -> None:
        """VA001 buys 50 in two fills with a stop each, and is stopped out half a second later."""
        entry, stops = f"{CODE}{number}E1", (f"{CODE}{number}S1", f"{CODE}{number}S2")
        self.signal(at_ms, signal_id, quantity=Decimal(50))
        self.report(at_ms + 20, entry, ReportWord.TRADE, "20", "158.39")
        self.report(at_ms + 20, entry, ReportWord.TRADE, "30", "158.40")
        for stop in stops:
            self.report(at_ms + 40, stop, ReportWord.ACCEPTED)
        for stop, quantity in zip(stops, ("20", "30"), strict=True):
            self.report(at_ms + 500, stop, ReportWord.TRIGGERED)
            self.report(at_ms + 500, stop, ReportWord.TRADE, quantity, "155.20")

    def first(self, signal_id: str) -> FirstDecision:
        """What is remembered of a signal."""
        changes = [record for entry in self.entries for record in entry.changes]
        records = [r for r in changes if isinstance(r, SignalRecord)]
        decisions = [r for r in changes if isinstance(r, Decision)]
        return FirstDecision(
            [record for record in records if record.signal.signal_id == signal_id][-1],
            next(decision for decision in decisions if decision.signal_id == signal_id),
        )

    def store(self, path: Path) -> Path:
        """Write all turns to a new database."""
        manager = SqliteManager(path)
        manager.open()
        manager.append(self.entries)
        manager.project()
        manager.close()
        return path


def lived_day(version: str = __version__) -> Day:
    """The day of this module, up to the end of its data."""
    day = Day(version)
    day.lose(1_000, "loser", 1)
    _holder(day)
    day.signal(5_000, "late", quantity=Decimal(50), quote_ms=4_000)
    day.signal(5_100, "nobody", va_id="VA009")
    day.tell(5_200, SignalMalformed("signals", 6, "quantity", "\x1b[31mten", "write a number"))
    sent_ns = day.at_ns(1_000)
    day.signal(6_000, "loser", first=day.first("loser"), quantity=Decimal(50), ts_ns=sent_ns)
    day.signal(6_100, "loser", first=day.first("loser"), quantity=Decimal(7))
    mark = day.quote(60_000, "159.00")
    day.tell(60_000, RunEnded(12_345, 2, (Mark("XXX", mark.ts_ns, mark.bid, mark.ask),)))
    return day


def _holder(day: Day) -> None:
    entry = f"{CODE}2E1"
    day.signal(2_000, "holder", va_id="VA002", quantity=Decimal(60))
    day.report(2_020, entry, ReportWord.TRADE, "50", "158.39")
    day.report(2_020, entry, ReportWord.CANCELED, reason=Reason.NOT_FILLED)
    day.report(2_040, f"{CODE}2S1", ReportWord.ACCEPTED)
    day.signal(
        4_000, "part", va_id="VA002", side=SignalSide.CLOSE, quantity=Decimal(20), price=None
    )
    day.report(4_020, f"{CODE}2X1", ReportWord.TRADE, "20", "158.90")
    day.report(4_040, f"{CODE}2S1", ReportWord.CANCELED)
    day.report(4_060, f"{CODE}2S2", ReportWord.ACCEPTED)
