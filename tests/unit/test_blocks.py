"""What a row of the journal leaves out because the rows of its block have said it already."""

import json
from collections.abc import Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.domain.accounts import Account, DeskRecord, Opening
from pointsman.domain.commands import Record
from pointsman.domain.events import OrderReport, OrderSent, ReportWord, SignalReceived, VenueFill
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Quote
from pointsman.domain.money import ZERO
from pointsman.domain.positions import Lot, Spell
from pointsman.domain.signals import Window
from pointsman.execution.ports import JournalEntry
from pointsman.storage import blocks
from pointsman.storage.blocks import BLOCK_ROWS, CHANGED, Block, first_of_block
from pointsman.storage.entries import Head, JournalRow, RowReader, chain_start, chained
from pointsman.storage.journal import fold, verify_chain
from pointsman.storage.payload import structs_of
from pointsman.storage.reader import open_reader
from pointsman.storage.sqlite_manager import SqliteManager
from tests.unit.stored_samples import START_NS, TEN, fill, history, order, position, signal

START = Head(0, chain_start(None))
BID, ASK = Decimal("158.38"), Decimal("158.40")
QUOTES = [Quote("XXX", at_ns, BID, TEN, ASK, TEN) for at_ns in (START_NS, START_NS + 1)]
QUOTES.append(msgspec.structs.replace(QUOTES[0], symbol='{"before":"XXX"}'))
ORDER_IDS = [order(1).client_order_id, order(2).client_order_id]
TURNS_MAX = 12
TIMES = st.sampled_from([1, 11, START_NS])
AMOUNTS = st.sampled_from([ZERO, Decimal("0.00"), TEN, Decimal("10.0")])


def either(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


EVENTS = st.one_of(
    st.builds(OrderSent, either(*ORDER_IDS)),
    st.builds(
        OrderReport,
        either(*ORDER_IDS),
        st.just(ReportWord.TRADE),
        TIMES,
        fill=st.none() | st.builds(VenueFill, either("t1"), AMOUNTS, AMOUNTS, AMOUNTS, TIMES),
        mark=either(None, *QUOTES),
    ),
    st.builds(
        SignalReceived,
        either(signal('"quote":{"before":"XXX"}').signal),
        either(None, *QUOTES),
        either(None, *QUOTES),
        either(None, Window(1, 2)),
        TIMES,
    ),
)
RECORDS = st.one_of(
    st.builds(
        order,
        either(1, 2),
        filled=AMOUNTS,
        status=either(*OrderStatus),
        sent_at_ns=st.none() | TIMES,
        is_unknown=st.booleans(),
    ),
    st.builds(
        Account,
        either("VA001", "VA002"),
        AMOUNTS,
        TIMES,
        cash=AMOUNTS,
        opening=either(None, Opening(signal("s").signal, "s", 1, START_NS)),
    ),
    st.builds(DeskRecord, either("ABCDEF"), fills_cursor=either("", "7"), peak_equity=AMOUNTS),
    st.builds(
        msgspec.structs.replace,
        either(position(1), position(2)),
        lots=st.lists(st.builds(Lot, AMOUNTS, AMOUNTS), max_size=2).map(tuple),
        naked_spell=st.none() | st.builds(Spell, TIMES, TIMES, TIMES, either(0, 1)),
    ),
    st.builds(fill, st.builds(order, either(1, 2)), either("t1", "t2"), AMOUNTS),
)
TURNS = st.lists(
    st.builds(JournalEntry, TIMES, EVENTS, st.lists(RECORDS, max_size=4).map(tuple)),
    max_size=TURNS_MAX,
)


@pytest.fixture(autouse=True, scope="module")
def short_blocks() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK_ROWS", 4)
        yield


def reader_after(rows: Sequence[JournalRow], sequence: int) -> RowReader:
    """As a reader begins that knows nothing."""
    reader = RowReader()
    for row in rows[first_of_block(sequence + 1) - 1 : sequence]:
        reader.changes(row[:4])
    return reader


@settings(max_examples=60)
@given(TURNS, st.integers(0, TURNS_MAX))
def test_a_reader_may_begin_anywhere_and_a_writer_go_on_from_there(
    turns: list[JournalEntry], after: int
) -> None:
    rows, head = chained(turns, START, Block())
    after = min(after, len(rows))
    reader, rest = reader_after(rows, after), []
    for row, entry in zip(rows[after:], turns[after:], strict=True):
        event, changes = reader.turn(row[:4])
        assert event is not None
        assert repr((event, changes)) == repr((entry.event, entry.changes))
        rest.append(JournalEntry(row[1], event, changes))
    # Other objects that say the same, after a start that has read the rows before.
    before = Head(after, rows[after - 1][5]) if after else START
    assert chained(rest, before, reader_after(rows, after).block) == (rows[after:], head)


def changes_of(row: JournalRow) -> list[dict[str, Any]]:
    changes: list[dict[str, Any]] = json.loads(row[3])["changes"]
    return changes


def test_what_changed_of_a_record_is_readable() -> None:
    sent_ns = START_NS + 5
    entry = order(1, status=OrderStatus.SUBMITTED, sent_at_ns=START_NS)
    report = OrderReport(
        entry.client_order_id, ReportWord.TRADE, sent_ns, fill=VenueFill("t1", TEN, BID, ZERO, 3)
    )
    filled = msgspec.structs.replace(entry, status=OrderStatus.FILLED, sent_at_ns=None)
    booked = fill(entry, "t1")
    booked = msgspec.structs.replace(booked, price=BID, fee=ZERO, venue_ts_ns=3)
    stop = order(2)
    first, second, third = chained(
        [
            JournalEntry(START_NS, OrderSent(entry.client_order_id), (entry, stop)),
            JournalEntry(sent_ns, report, (filled, booked)),
            JournalEntry(sent_ns, report, (msgspec.structs.replace(stop, updated_at_ns=sent_ns),)),
        ],
        START,
        Block(),
    )[0]
    assert json.loads(first[3])["event"] == {"client_order_id": entry.client_order_id}
    assert changes_of(first)[0]["sent_at_ns"] == "now"
    assert changes_of(second) == [
        {"type": "OrderChanged", "status": "FILLED", "sent_at_ns": None},
        {"type": "FillChanged", "key": booked.key, "booked_at_ns": START_NS + 1},
    ]
    stop_id = stop.client_order_id
    assert changes_of(third) == [
        {"type": "OrderChanged", "client_order_id": stop_id, "updated_at_ns": "now"}
    ]


def test_a_quote_that_is_still_the_newest_is_not_repeated() -> None:
    turns = [
        JournalEntry(9, OrderReport("A1", ReportWord.ACCEPTED, 1, mark=quote), ())
        for quote in (QUOTES[0], QUOTES[0], QUOTES[1], QUOTES[0])
    ]
    marks = [json.loads(row[3])["event"]["mark"] for row in chained(turns, START, Block())[0]]
    assert marks[1] == {"before": "XXX"}
    assert [mark.get("ts_ns") for mark in marks] == [START_NS, None, START_NS + 1, START_NS]


@pytest.mark.parametrize(
    "payload",
    [
        '{"event":{"client_order_id":"A"},"changes":[{"type":"OrderChanged","filled":"1"}]}',
        '{"event":{},"changes":[{"type":"AccountChanged","va_id":"VA001"}]}',
        '{"event":{"mark":{"before":"ABC"}},"changes":[]}',
    ],
)
def test_what_builds_on_a_row_that_is_not_there_is_refused(payload: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="before"):
        RowReader().changes((1, 1, "OrderSent", payload))


def test_what_is_written_as_changed_has_no_defaults_inside() -> None:
    """Inside it, a default would be left out by which object holds it, not by what it says."""
    for kind in CHANGED:
        for struct in set(structs_of(kind)) - {kind}:
            if struct.__struct_config__.omit_defaults:
                defaults = [field.default for field in msgspec.structs.fields(struct)]
                assert not any(isinstance(each, Decimal | msgspec.Struct) for each in defaults)


def test_blocks_are_numbered_from_the_first_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_ROWS", BLOCK_ROWS)
    firsts = [first_of_block(row) for row in (1, BLOCK_ROWS, BLOCK_ROWS + 1)]
    assert firsts == [1, 1, BLOCK_ROWS + 1]


def test_only_what_changes_is_held_until_the_block_ends() -> None:
    block = Block()
    records: tuple[Record, ...] = (order(1), position(1), fill(order(1), "t1"))
    chained([JournalEntry(1, OrderSent("A"), records)], START, block)
    assert {tag for tag, _ in block._records} == {"OrderChanged", "PositionChanged"}
    chained([JournalEntry(1, OrderSent("A"), ())], Head(4, "00"), block)
    assert not block._records


def test_who_adopts_rows_goes_on_as_their_writer_would(tmp_path: Path) -> None:
    """A block that one engine begins and another ends reads as one."""
    owner, follower = SqliteManager(tmp_path / "a.db"), SqliteManager(tmp_path / "b.db")
    owner.open()
    follower.open()
    owner.append(history()[:2])
    follower.adopt([*owner.journal()])
    owner.append(history()[2:6])
    follower.adopt([*owner.journal()][2:])
    owner.append(history()[6:])
    follower.append(history()[6:])
    assert follower.head == owner.head, "the same bytes"
    follower.project()
    with closing(open_reader(follower.path)) as connection:
        assert (verify_chain(connection), fold(connection)) == (None, None)
    owner.close()
    follower.close()
