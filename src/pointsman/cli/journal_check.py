"""`journal check`: is the journal intact, and does deciding it again give the same result?

Three questions, each asked only if the one before passed: is the chain of the journal
unbroken; do the tables hold what the journal says; and do the journaled events, fed through a desk
again, change the same records (RULES 33). Events of another version are counted and left alone,
since another version may rightly decide otherwise.

Deciding again begins at a start of the running version, from the records as they were then. At a
later start of the same version the live program made a new desk from its records; the desk here
continues, and must come to the same.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from pointsman.domain.accounts import (
    Account,
    CashMove,
    Cursor,
    DeskRecord,
    ExternalHolding,
    KillSwitch,
)
from pointsman.domain.commands import Record
from pointsman.domain.events import Started
from pointsman.domain.life_cycle import ImpossibleReport
from pointsman.domain.market import InstrumentSteps
from pointsman.domain.orders import Fill, Order, Role
from pointsman.domain.positions import Position
from pointsman.execution.books import MINUTE_NS
from pointsman.execution.desk import Desk
from pointsman.execution.loading import DeskRecords
from pointsman.reading.documents import Document
from pointsman.storage import queries
from pointsman.storage.codec import CODECS, Newest, RecordKey, is_gone
from pointsman.storage.errors import damaged
from pointsman.storage.journal import Turn, fold, turns, verify_chain


class JournalFault(msgspec.Struct, frozen=True):
    """The first thing that is wrong. `sequence` is the row of the journal; the others say where in
    the tables, as far as that can be said. `expected` is the journal's or the desk's word, `found`
    what stands against it."""

    question: str
    what: str
    sequence: int | None = None
    table: str | None = None
    key: Any = None
    column: str | None = None
    expected: Any = None
    found: Any = None


class Verdict(msgspec.Struct, frozen=True):
    """What a check came to. Without a fault every row was looked at. `behind` is how many of the
    newest rows the tables do not hold yet, because no start has followed (RULES 41)."""

    rows: int
    re_decided: int
    not_re_decided: int
    fault: JournalFault | None
    behind: int = 0


def examine(connection: sqlite3.Connection, version: str) -> Verdict:
    """Ask all three questions of the journal, deciding again what `version` decided.

    Raises CorruptDatabase where the file itself is damaged.
    """
    ((verdict,),) = queries.rows(connection, "PRAGMA quick_check(1)")
    if verdict != "ok":
        raise damaged(queries.path_of(connection), str(verdict))
    ((rows,),) = queries.rows(connection, "SELECT count(*) FROM journal")
    broken = verify_chain(connection)
    if broken is not None:
        return Verdict(rows, 0, 0, JournalFault("chain", broken.what, broken.sequence))
    differs = fold(connection)
    if differs is not None:
        fault = JournalFault(
            "tables",
            "the table does not hold what the journal says",
            table=differs.table,
            key=differs.key,
            column=differs.column,
            expected=differs.journal,
            found=differs.stored,
        )
        return Verdict(rows, 0, 0, fault)
    verdict = _decide_again(turns(connection), version, rows)
    reached = queries.projected(connection)
    behind = rows - (0 if reached is None else reached.sequence)
    return msgspec.structs.replace(verdict, behind=behind)


def _decide_again(journal: Iterable[Turn], version: str, rows: int) -> Verdict:
    folded, last_ns, re_decided, others = Newest(), 0, 0, 0
    desk: Desk | None = None
    for turn in journal:
        event = turn.event
        if turn.kind == Started.__name__:
            if not isinstance(event, Started) or event.version != version:
                desk = None
            elif desk is None:
                desk = _desk_at(event, folded, last_ns)
        if desk is None:
            others += 1
        else:
            fault = _turn_fault(desk, turn)
            if fault is not None:
                return Verdict(rows, re_decided, others, fault)
            re_decided += 1
        folded.take(turn.changes)
        last_ns = turn.time_ns
    return Verdict(rows, re_decided, others, None)


def _desk_at(started: Started, folded: Newest, last_ns: int) -> Desk:
    """The desk that a start had: an empty one, or one from the records of that moment."""
    records = {
        kind: [record for record in found.values() if not is_gone(record)]
        for kind, found in folded.by_type.items()
    }
    if not records[DeskRecord]:
        return Desk(started.policy, started.code)
    return Desk.load(started.policy, _loaded(records, last_ns), last_ns)


def _loaded(records: Mapping[type, list[Any]], last_ns: int) -> DeskRecords:
    fills: dict[str, list[str]] = {}
    for fill in records[Fill]:
        fills.setdefault(fill.client_order_id, []).append(fill.key)
    open_orders = [order for order in records[Order] if not order.is_final]
    return DeskRecords(
        desk=records[DeskRecord][0],
        kill_switch=next(iter(records[KillSwitch]), None),
        accounts=tuple(records[Account]),
        orders=tuple(open_orders),
        positions=tuple(records[Position]),
        fill_keys={
            order.client_order_id: tuple(fills.get(order.client_order_id, ()))
            for order in open_orders
        },
        cash_moves=tuple(move for move in records[CashMove] if not move.is_confirmed),
        cursors=tuple(records[Cursor]),
        externals=tuple(records[ExternalHolding]),
        steps=tuple(records[InstrumentSteps]),
        entry_times=tuple(
            (order.va_id, order.created_at_ns)
            for order in records[Order]
            if order.role is Role.ENTRY and order.created_at_ns >= last_ns - MINUTE_NS
        ),
    )


def _turn_fault(desk: Desk, turn: Turn) -> JournalFault | None:
    """Decide one event again: the first record that comes out otherwise, or None."""
    if turn.event is None:
        return JournalFault(
            "decisions", "the event cannot be read by the version that wrote it", turn.sequence
        )
    try:
        step = desk.handle(turn.event, turn.time_ns)
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        ImpossibleReport,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        what = f"deciding {turn.kind} again failed: {type(error).__name__}: {error}"
        return JournalFault("decisions", what, turn.sequence)
    while desk.due_timer(turn.time_ns) is not None:
        pass  # a timer that mattered is in the journal as TimerFired
    return _first_difference(turn, _by_key(turn.changes), _by_key(step.changes))


_Changes = dict[tuple[str, RecordKey], tuple[Any, ...]]


def _by_key(changes: Iterable[Record]) -> _Changes:
    """The changed records as rows. Rows can be compared: a NaN, which equals nothing, is text."""
    rows: _Changes = {}
    for record in changes:
        codec = CODECS[type(record)]
        rows[codec.table, codec.key_of(record)] = codec.encode(record)
    return rows


def _first_difference(turn: Turn, journaled: _Changes, decided: _Changes) -> JournalFault | None:
    names = {codec.table: codec.names for codec in CODECS.values()}
    what = f"{turn.kind} decided again gives a different change"
    for table, key in {**journaled, **decided}:
        ours, theirs = decided.get((table, key)), journaled.get((table, key))
        if ours is None or theirs is None:
            expected, found = ("a change", None) if theirs is None else (None, "a change")
            return JournalFault("decisions", what, turn.sequence, table, key, None, expected, found)
        for column, expected, found in zip(names[table], ours, theirs, strict=True):
            if expected != found:
                return JournalFault(
                    "decisions", what, turn.sequence, table, key, column, expected, found
                )
    return None


def verdict_document(verdict: Verdict) -> Document:
    """The verdict for programs."""
    fault = verdict.fault
    return {
        "ok": fault is None,
        "rows": verdict.rows,
        "re_decided": verdict.re_decided,
        "not_re_decided": verdict.not_re_decided,
        "behind": verdict.behind,
        "fault": None if fault is None else msgspec.to_builtins(fault),
    }


def verdict_lines(verdict: Verdict) -> list[str]:
    """The verdict for a person: one line a question."""
    fault = verdict.fault
    rows = f"{verdict.rows:,} rows"
    if fault is None:
        newest = f"; the newest {verdict.behind:,} rows are not in them yet"
        return [
            f"chain      ok   {rows}, each holds the hash of the one before",
            f"tables     ok   they hold what the journal says{newest if verdict.behind else ''}",
            f"decisions  ok   {verdict.re_decided:,} gave the same result, "
            f"{verdict.not_re_decided:,} of other versions not decided again",
        ]
    questions = ("chain", "tables", "decisions")
    passed = questions[: questions.index(fault.question)]
    where = [] if fault.sequence is None else [f"journal row {fault.sequence}"]
    if fault.table is not None:
        where.append(f"table {fault.table}, key {fault.key!r}")
    if fault.column is not None:
        where.append(f"column {fault.column}")
    lines = [f"{question:<9}  ok" for question in passed]
    lines.append(f"{fault.question:<9}  FAILED: {fault.what}")
    lines.append(f"           first at {', '.join(where)}")
    if fault.expected is not None or fault.found is not None:
        lines.append(f"           expected {fault.expected!r}, found {fault.found!r}")
    if fault.question == "decisions":
        lines.append(f"           {verdict.re_decided:,} rows before it gave the same result")
    return lines
