"""A turn as it stands in the journal: each thing once, and as it was when it is read."""

import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from pointsman.domain.accounts import Account, DeskRecord, KillState, KillSwitch, VenueAccount
from pointsman.domain.commands import Record
from pointsman.domain.events import Event, OrderReport, ReportWord, SignalReceived, Started
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.money import ZERO
from pointsman.domain.orders import Order
from pointsman.domain.positions import Position, PositionState
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Check
from pointsman.storage import payload as payloads
from pointsman.storage import reader, schema
from pointsman.storage.blocks import Block
from pointsman.storage.entries import RowReader, chain_start, row_hash
from pointsman.storage.journal import fold, turns, verify_chain
from pointsman.storage.payload import left_out, structs_of, whole
from pointsman.storage.sqlite_manager import SqliteManager
from tests.unit.stored_samples import BAD_QUOTE, START_NS, decision, history, order, signal

JOURNALED = [*Event.__subclasses__(), *get_args(Record)]
QUOTE = msgspec.structs.replace(BAD_QUOTE, bid=Decimal("158.38"))


NOW_NS = 5


def payload_of(event: Event, changes: tuple[Record, ...]) -> bytes:
    return payloads.payload_of(NOW_NS, event, changes, Block())


def read(stored: bytes) -> tuple[Event | None, tuple[Record, ...]]:
    kind = "SignalReceived" if b'"signal":' in stored else "OrderReport"
    return RowReader().turn((1, NOW_NS, kind, stored.decode()))


def test_what_a_turn_holds_several_times_stands_in_it_once() -> None:
    record, decided = signal("s1"), msgspec.structs.replace(decision("s1", None), quote=QUOTE)
    event = SignalReceived(record.signal, QUOTE, QUOTE, None, START_NS)
    payload = payload_of(event, (record, decided))
    assert payload.count(b'"bid":"158.38"') == payload.count(b'"side":"buy"') == 1
    shell = json.loads(payload)
    assert shell["event"]["mark"] == shell["changes"][1]["quote"] == {"same": "quote"}
    assert shell["changes"][0]["signal"] == {"same": "signal"}
    assert read(payload) == (event, (record, decided))


def test_a_quote_that_differs_stands_beside_the_other() -> None:
    decided = msgspec.structs.replace(decision("s1", None), quote=QUOTE)
    event = SignalReceived(signal("s1").signal, BAD_QUOTE, QUOTE, None, START_NS)
    payload = payload_of(event, (decided,))
    assert json.loads(payload)["changes"][0]["quote"] == {"same": "mark"}
    assert repr(read(payload)) == repr((event, (decided,)))


@pytest.mark.parametrize("text", ['{"same":"quote"}', '"same":"quote"', ',"fees":"0"', "\\"])
def test_no_text_of_a_person_is_taken_for_one_of_ours(text: str) -> None:
    record = signal(text)
    decided = msgspec.structs.replace(decision(text, text), quote=QUOTE)
    event = SignalReceived(record.signal, QUOTE, QUOTE, None, START_NS, source=text)
    turn = (event, (record, decided, order(1, signal_id=text)))
    assert read(payload_of(*turn)) == turn


def test_defaults_are_left_out_by_what_they_say_and_only_they_are() -> None:
    """Whichever object holds it, since a run that is made again must give the same bytes."""
    event = OrderReport("X", ReportWord.ACCEPTED, 1)
    for zero, stands in ((ZERO, False), (Decimal(0), False), (Decimal("0.00"), True)):
        account = Account("VA001", Decimal(0), 1, cash=zero, fees=zero)
        payload = payload_of(event, (account, order(1, filled=zero)))
        assert (b'"fees":"0.00"' in payload) == (b'"filled":"0.00"' in payload) == stands
        assert b'"start_balance":"0"' in payload, "it has no default"
        assert payload.count(b":null") == payload.count(b":false") == payload.count(b':"0"') - 1
        assert repr(read(payload)[1][0]) == repr(account)
    same = DeskRecord("ABCDEF"), DeskRecord("ABCDEF", traded_on=VenueAccount("paper"))
    assert payload_of(event, same[:1]) == payload_of(event, same[1:])


MEANINGFUL = {
    (Order, "status"): OrderStatus.INITIALIZED,
    (Position, "state"): PositionState.OPEN,
    (KillSwitch, "state"): KillState.OFF,
    (DeskRecord, "next_number"): 1,
    (DeskRecord, "next_incident"): 1,
    (DeskRecord, "traded_on"): VenueAccount(venue="paper", name="", is_sandbox=True),
    (Started, "traded_on"): VenueAccount(venue="paper", name="", is_sandbox=True),
}
"""Defaults that say something. A line is never changed."""


def test_a_default_that_may_be_left_out_says_nothing_and_stays_for_ever() -> None:
    """Rows that were written before would be read as something else."""
    met = set()
    for struct in {each for kind in JOURNALED for each in structs_of(kind)}:
        for field in msgspec.structs.fields(struct):
            if struct.__struct_config__.omit_defaults and not field.required:
                told = (struct, field.name)
                nothing = field.default in (None, False, "", 0, ()) and not isinstance(
                    field.default, Enum
                )
                assert nothing or MEANINGFUL[told] == field.default, told
                met |= {told} & set(MEANINGFUL)
    assert met == set(MEANINGFUL)


def test_nothing_journaled_has_a_field_that_a_mark_of_the_text_is_called() -> None:
    structs = {each for kind in JOURNALED for each in structs_of(kind)}
    named = {name for struct in structs for name in struct.__struct_fields__}
    assert not named & {"same", "before", "changes", "type"}


def test_what_is_left_out_of_a_text_is_no_other_field_of_it() -> None:
    for kind in JOURNALED:
        names = {text.split(b'"')[1].decode() for text in left_out(kind)}
        for struct in structs_of(kind):
            named = not struct.__struct_config__.array_like
            for field in msgspec.structs.fields(struct) if named else ():
                is_amount = isinstance(field.default, Decimal | msgspec.Struct)
                assert field.name not in names or is_amount, (kind, struct, field.name)


def in_full(value: Any, leave_out: bool = False) -> Any:
    """A record as versions up to 0.2.0 wrote it: with all its fields, checks too; or as it was
    written after that, without those that have their defaults."""
    if isinstance(value, Check) or (
        isinstance(value, msgspec.Struct) and not value.__struct_config__.array_like
    ):
        tag = value.__struct_config__.tag
        fields = {
            field.name: in_full(getattr(value, field.name), leave_out)
            for field in msgspec.structs.fields(value)
            if not leave_out or getattr(value, field.name) != field.default
        }
        return fields if tag is None else {"type": tag, **fields}
    if isinstance(value, tuple):
        return [in_full(each, leave_out) for each in value]
    return msgspec.to_builtins(value)


@pytest.fixture(params=[False, True], ids=["all fields", "no defaults"])
def old(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A database whose journal and tables hold what an earlier version wrote."""
    path, turns_then, has_no_defaults = tmp_path / "trading.db", history(), request.param
    manager = SqliteManager(path)
    manager.open()
    manager.append(turns_then)
    manager.project()
    manager.close()
    previous = chain_start(None)
    with closing(sqlite3.connect(path)) as db, db:
        for number, entry in enumerate(turns_then, 1):
            both = (entry.event, entry.changes)
            event, changes = (in_full(each, has_no_defaults) for each in both)
            payload = msgspec.json.encode({"event": event, "changes": changes})
            if has_no_defaults and isinstance(entry.event, SignalReceived):
                event_text, rest = payload.split(b',"changes":')
                rest = rest.replace(msgspec.json.encode(BAD_QUOTE), b'{"same":"quote"}')
                payload = event_text + b',"changes":' + rest
            own = row_hash(previous, number, entry.time_ns, event["type"], payload)
            db.execute(
                "UPDATE journal SET payload = ?, previous_hash = ?, hash = ? WHERE sequence = ?",
                (payload.decode(), previous, own, number),
            )
            previous = own
        db.execute("UPDATE lease SET projected_hash = ?", (previous,))
        checks = [in_full(Check(Reason.SPREAD, True, "1.2627", "10.0", "bps"))]
        full = msgspec.json.encode(checks).decode()
        assert '"note":""' in full
        assert db.execute("UPDATE decisions SET checks = ?", (full,)).rowcount == 2
        first, second = db.execute("SELECT payload FROM journal LIMIT 2").fetchall()
        assert (first[0].count("null") == 0) == ("same" in second[0]) == has_no_defaults
        assert '"checks":[{"rule"' in second[0]
        db.execute("PRAGMA user_version = 14")
    return path


def test_what_an_earlier_version_wrote_is_read_checked_and_continued(old: Path) -> None:
    manager = SqliteManager(old)
    manager.open()
    with closing(reader.open_reader(old)) as db:
        assert (verify_chain(db), fold(db)) == (None, None)
        assert [repr((each.event, each.changes)) for each in turns(db)] == [
            repr((entry.event, entry.changes)) for entry in history()
        ]
    manager.append(history())
    manager.project()
    with closing(reader.open_reader(old)) as db:
        assert (verify_chain(db), fold(db)) == (None, None)
    manager.close()


@pytest.mark.parametrize(
    ("old_text", "new_text"), [('"note":""', '"note":"x"'), ("SPREAD", "COOLDOWN"), ("}]", "}")]
)
def test_a_column_that_an_earlier_version_wrote_is_no_less_evidence(
    old: Path, old_text: str, new_text: str
) -> None:
    schema.prepare(old)
    with closing(sqlite3.connect(old)) as db, db:
        db.execute("UPDATE decisions SET checks = replace(checks, ?, ?)", (old_text, new_text))
    with closing(reader.open_reader(old)) as db:
        difference = fold(db)
    assert difference is not None
    assert (difference.table, difference.column) == ("decisions", "checks")


def test_a_payload_that_no_version_wrote_is_refused() -> None:
    for payload in ('{"same":"quote"}', '{"event":[{"same":"quote"}]}'):
        with pytest.raises(msgspec.DecodeError):
            whole(NOW_NS, payload, Block())
