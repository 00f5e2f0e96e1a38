"""Turns as they are journaled: readable for good, and chained."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.commands import Record
from pointsman.domain.events import Event
from pointsman.execution.ports import JournalEntry
from pointsman.storage.blocks import Block
from pointsman.storage.entries import (
    Head,
    RowReader,
    RunIdentity,
    chain_start,
    chained,
    row_hash,
)
from tests.unit.stored_samples import any_of, history


@given(st.one_of([any_of(kind) for kind in Event.__subclasses__()]), any_of(tuple[Record, ...]))
def test_any_turn_survives_being_journaled(event: Event, changes: tuple[Record, ...]) -> None:
    entries = [JournalEntry(time_ns, event, changes) for time_ns in (1, 2)]
    rows, _ = chained(entries, Head(0, ""), Block())
    reader = RowReader()
    for row in rows:
        assert row[2] == type(event).__name__
        assert repr(reader.turn(row[:4])) == repr((event, changes))


def test_rule_33_each_row_holds_the_hash_of_its_content_and_of_the_row_before() -> None:
    """Recomputed from what the columns hold, as an outside auditor would."""
    rows, head = chained(history(), Head(0, chain_start(None)), Block())
    previous = hashlib.sha256(b"null").hexdigest()
    for number, (sequence, time_ns, kind, payload, previous_hash, own_hash) in enumerate(rows, 1):
        assert (sequence, previous_hash) == (number, previous)
        content = f'["{previous}",{sequence},{time_ns},"{kind}"]{payload}'
        previous = hashlib.sha256(content.encode()).hexdigest()
        assert own_hash == previous
    assert head == Head(len(rows), previous)


@pytest.mark.parametrize("field", RunIdentity.__struct_fields__)
def test_another_run_starts_another_chain(field: str) -> None:
    known = dict.fromkeys(RunIdentity.__struct_fields__, "x")
    assert chain_start(RunIdentity(**known)) != chain_start(RunIdentity(**(known | {field: "y"})))


def test_content_cannot_move_from_one_column_to_the_next() -> None:
    assert row_hash("a", 1, 2, "b", b"c") != row_hash("a", 1, 2, "", b"bc")
    assert row_hash("a", 1, 22, "b", b"c") != row_hash("a", 12, 2, "b", b"c")
