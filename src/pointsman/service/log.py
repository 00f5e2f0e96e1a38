"""Log lines: what the engine does, one line for each thing that a person would want to read.

The loop hands a line over and never waits for its reader: a thread writes, and what it cannot
keep up with is dropped and counted. Each line has event time, a level, what happened in a few
words, and the facts as `name=value`; as JSON the same.
"""

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from decimal import Decimal
from typing import Any, TextIO

import structlog

from pointsman.config.fields import LogFormat, LogLevel
from pointsman.domain import events as ev
from pointsman.domain.accounts import Incident
from pointsman.domain.commands import Record, Step
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.money import plain
from pointsman.domain.orders import Fill, Order, Role
from pointsman.domain.positions import Funding, Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Decision, Outcome
from pointsman.domain.timestamps import MS_NS, iso
from pointsman.reading.checks import failed_check, reason_document
from pointsman.terminal.text import length, moment, printable

THREAD_NAME = "log"
LINES_MAX = 10_000
_STOP_SECONDS = 2.0  # not money: seconds
_LEVELS = {level: number for number, level in enumerate(LogLevel)}

Facts = dict[str, Any]
Said = tuple[LogLevel, str, Facts]
"""How important, what happened, and the facts."""


class LineWriter:
    """Writes lines to a stream on a thread of its own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(maxsize=LINES_MAX)
        self._dropped = 0
        self._is_over = False
        self.start()

    @property
    def is_alive(self) -> bool:
        """Whether lines are written, or nobody reads them any more: that is no fault."""
        return self._is_over or self._thread.is_alive()

    def start(self) -> None:
        """Write, or write again after a fault."""
        self._thread = threading.Thread(target=self._write, name=THREAD_NAME, daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Hand over a line; never waits."""
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._dropped += 1

    def stop(self) -> None:
        """Write what waits, as far as that goes quickly."""
        try:
            self._lines.put(None, timeout=_STOP_SECONDS)
        except queue.Full:
            return
        self._thread.join(_STOP_SECONDS)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            dropped, self._dropped = self._dropped, 0
            try:
                if dropped:
                    self._stream.write(
                        f"({dropped} lines were dropped: nobody read them in time)\n"
                    )
                self._stream.write(f"{line}\n")
                if self._lines.empty():
                    self._stream.flush()
            except (BrokenPipeError, ValueError):
                self._is_over = True  # its reader has gone away
                return
            except OSError:
                self._dropped += 1  # the disk is full: there may be room for a later line


class Log:
    """The engine's log. `now_ns` gives event time."""

    def __init__(
        self,
        put: Callable[[str], None],
        form: LogFormat,
        level: LogLevel,
        now_ns: Callable[[], int],
    ) -> None:
        self._least = _LEVELS[level]
        self._now_ns = now_ns
        self._stamp = iso if form is LogFormat.JSON else moment
        renderer = structlog.processors.JSONRenderer() if form is LogFormat.JSON else _console
        self._logger = structlog.wrap_logger(_Hand(put), processors=[renderer])

    def say(self, said: Said) -> None:
        """Write one line, if it is important enough."""
        level, text, facts = said
        if _LEVELS[level] >= self._least:
            self._logger.info(text, at=self._stamp(self._now_ns()), level=level.value, **facts)

    def turn(self, event: ev.Event, step: Step) -> None:
        """Write what a turn came to."""
        operator = _OPERATOR.get(type(event))
        if operator is not None:
            self.say(operator(event))
        if isinstance(event, ev.SignalMalformed):
            facts = {"source": event.source, "field": event.field, "value": event.value}
            if event.line:
                facts["line"] = str(event.line)
            self.say((LogLevel.WARNING, f"signal malformed: {event.remedy}", facts))
            return
        for record in step.changes:
            for said in _said_of(record, event):
                self.say(said)


class _Hand:
    """What structlog writes to."""

    def __init__(self, put: Callable[[str], None]) -> None:
        self.info = put


def _console(_logger: object, _name: str, line: MutableMapping[str, Any]) -> str:
    at, level, text = line.pop("at"), line.pop("level"), line.pop("event")
    facts = " ".join(f"{name}={_quoted(value)}" for name, value in line.items())
    return f"{at} {level:<7} {printable(text)}{'  ' if facts else ''}{facts}"


def _quoted(value: object) -> str:
    text = printable(str(value))
    return f'"{text}"' if " " in text or not text else text


def _said_of(record: Record, event: ev.Event) -> Iterator[Said]:
    match record:
        case Decision():
            yield _decided(record, event)
        case Fill():
            text = f"fill: {record.side.value} {plain(record.quantity)} {record.symbol}"
            facts = {"va": record.va_id, "position": record.position_id, "fee": plain(record.fee)}
            if record.fee_currency is not None:
                facts["fee_currency"] = record.fee_currency
            yield LogLevel.INFO, f"{text} at {plain(record.price)}", facts
        case Funding():
            facts = {"va": record.va_id, "position": record.position_id}
            what = "charge" if record.is_charge else "funding"
            text = f"{what}: {plain(record.amount)} for {record.side.value}"
            yield LogLevel.INFO, f"{text} {plain(record.quantity)} {record.symbol}", facts
        case Order() if _is_stop_confirmed(record, event):
            text = f"stop confirmed: {record.side.value} {plain(record.quantity)} {record.symbol}"
            facts = {"va": record.va_id, "position": record.position_id}
            yield (
                LogLevel.INFO,
                f"{text} at {plain(record.trigger_price or record.quantity)}",
                facts,
            )
        case Trade():
            yield _closed(record)
        case Incident():
            facts = {
                "va": record.va_id,
                "symbol": record.symbol,
                "value": record.value,
                "limit": record.limit,
                "detail": record.detail or None,
            }
            kept = {name: value for name, value in facts.items() if value is not None}
            yield LogLevel.WARNING, f"incident {record.incident_id}: {record.kind.value}", kept
        case _:
            return


def _decided(decision: Decision, event: ev.Event) -> Said:
    facts: Facts = {"signal": decision.signal_id, "va": decision.va_id}
    side = event.signal.side.value if isinstance(event, ev.SignalReceived) else ""
    what = " ".join(word for word in (side, decision.symbol) if word)
    if decision.outcome is Outcome.ACCEPTED:
        quantity = "" if decision.quantity is None else f" {plain(decision.quantity)}"
        if decision.limit_price is not None:
            facts["limit"] = plain(decision.limit_price)
        return LogLevel.INFO, f"accepted: {side}{quantity} {decision.symbol}", facts
    reason = "" if decision.reason is None else decision.reason.value
    measured = reason_document(decision)
    facts |= {name: measured[name] for name in ("value", "limit") if measured[name] is not None}
    if decision.reason is Reason.LATENCY and decision.value is not None:
        facts["age"] = length(round(Decimal(decision.value)) * MS_NS)
    failed = failed_check(decision)
    if failed is not None and failed.note:
        facts["detail"] = failed.note
    return LogLevel.INFO, f"refused: {what}: {reason}", facts


def _closed(trade: Trade) -> Said:
    text = f"closed: {trade.side.value} {plain(trade.quantity)} {trade.symbol}"
    facts = {
        "va": trade.va_id,
        "pnl": f"{trade.pnl:+.2f}",
        "entry": plain(trade.entry_price.normalize()),
        "exit": plain(trade.exit_price.normalize()),
        "position": trade.position_id,
    }
    return LogLevel.INFO, f"{text}: {trade.exit_reason.value}", facts


def _is_stop_confirmed(order: Order, event: ev.Event) -> bool:
    """Whether this turn is the venue's word that a stop rests."""
    return (
        isinstance(event, ev.OrderReport)
        and event.kind is ev.ReportWord.ACCEPTED
        and event.client_order_id == order.client_order_id
        and order.role is Role.STOP
        and order.status is OrderStatus.ACCEPTED
    )


def _command(text: str) -> Callable[[Any], Said]:
    """A line for a command of a person: who, and why."""

    def say(event: Any) -> Said:
        names: Mapping[str, str] = {"va_id": "va", "by": "by", "note": "reason", "amount": "amount"}
        found = {names[name]: getattr(event, name, None) for name in names}
        facts = {name: value for name, value in found.items() if value is not None}
        return LogLevel.WARNING, text, facts

    return say


_OPERATOR: dict[type[ev.Event], Callable[[Any], Said]] = {
    ev.Paused: _command("paused"),
    ev.Resumed: _command("resumed"),
    ev.FlattenRequested: _command("flatten"),
    ev.AccountOpened: _command("account opened"),
    ev.CashMoved: _command("money moved"),
}
