"""What a start reads and what is looked up, and that neither walks through finished history."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman.domain.life_cycle import FINAL, OrderStatus
from pointsman.domain.orders import OrderType, Role
from pointsman.storage import queries
from pointsman.storage.sqlite_manager import SqliteManager
from tests.unit.stored_samples import SECOND_NS, START_NS, fill, history, order, trade, turn


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[SqliteManager]:
    manager = SqliteManager(tmp_path / "trading.db")
    manager.open()
    yield manager
    manager.close()


def test_a_fresh_database_loads_as_nothing(manager: SqliteManager) -> None:
    loaded = manager.load()
    assert (loaded.sequence, loaded.last_time_ns, loaded.desk) == (0, None, None)
    assert loaded.accounts == ()


@pytest.mark.parametrize("status", list(OrderStatus)[:9])
def test_an_order_is_loaded_until_it_is_final(manager: SqliteManager, status: OrderStatus) -> None:
    manager.append([turn(START_NS, order(1, status=status))])
    assert [each.status for each in manager.load().orders] == [status] * (status not in FINAL)


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT * FROM orders {queries.OPEN_ORDERS}",
        queries.OPEN_FILL_KEYS,
        queries.RECENT_ENTRIES,
        f"SELECT * FROM cash_moves {queries.UNCONFIRMED_MOVES}",
        queries.PAID,
        queries.LAST_TURN,
        queries.NEWEST_START,
        "SELECT * FROM orders WHERE signal_id = ?",
        "SELECT * FROM orders WHERE position_id = ?",
        "SELECT * FROM trades WHERE position_id = ?",
        "SELECT * FROM fundings WHERE position_id = ?",
        "SELECT * FROM fills WHERE client_order_id = ?",
        "SELECT * FROM incidents WHERE client_order_id = ?",
        "SELECT * FROM signals WHERE signal_id = ?",
        "SELECT * FROM decisions WHERE signal_id = ?",
    ],
)
def test_no_start_and_no_lookup_walks_through_finished_history(
    manager: SqliteManager, query: str
) -> None:
    parameters = (0,) * query.count("?")
    plan = manager._reader.execute(f"EXPLAIN QUERY PLAN {query}", parameters).fetchall()
    for *_, step in plan:
        is_walk = step.startswith("SCAN") and "USING" not in step
        assert not is_walk or step == "SCAN journal", step
        assert "Started" not in query or "journal_starts" in step, step
        # Backwards from the end, and no further than the first row.
        assert step != "SCAN journal" or query.endswith("ORDER BY sequence DESC LIMIT 1")


def test_rule_32_the_first_decision_of_a_signal_is_found(manager: SqliteManager) -> None:
    manager.append(history())
    first = manager.first_decision("s1")
    assert first is not None
    assert first.record.signal.signal_id == "s1"
    assert first.decision.client_order_id == "ABCDEF1E1"
    # What is not a number survives inside the quote that was judged.
    assert first.decision.quote is not None
    assert first.decision.quote.bid.is_nan()
    assert manager.first_decision("s3") is None


def test_rule_32_a_final_order_is_found_with_all_that_was_made_for_its_position(
    manager: SqliteManager,
) -> None:
    entry = order(1, status=OrderStatus.FILLED)
    stops = [order(1, Role.STOP, attempt) for attempt in (12, 1, 2)]
    others = [order(1, Role.EXIT, 3), order(2, Role.STOP, 99), order(2, Role.EXIT, 99)]
    fills = [fill(entry, "t1"), fill(entry, "t2"), fill(stops[0], "t3")]
    manager.append(
        [turn(START_NS, entry, *stops, *others, *fills, trade(1), trade(1, 1), trade(2))]
    )
    known = manager.known_order("ABCDEF1E1")
    assert known is not None
    assert known.order == entry
    assert known.fill_keys == ("ABCDEF1E1:t1", "ABCDEF1E1:t2")
    assert (known.parts, known.stops_made, known.exits_made) == (2, 12, 3)
    assert manager.known_order("ABCDEF9E1") is None


@pytest.mark.parametrize(
    ("age_ns", "is_recent"), [(60 * SECOND_NS, True), (60 * SECOND_NS + 1, False)]
)
def test_entries_of_the_last_minute_before_the_last_turn_are_known(
    manager: SqliteManager, age_ns: int, is_recent: bool
) -> None:
    entry = order(1, created_at_ns=START_NS - age_ns, status=OrderStatus.FILLED)
    stop = order(1, Role.STOP, created_at_ns=START_NS)
    manager.append([turn(START_NS, entry, stop)])
    expected = {"VA001": (START_NS - age_ns,)} if is_recent else {}
    assert manager.load().recent_entries_ns == expected


def test_a_holding_that_was_adopted_counts_as_no_order_of_the_last_minute(
    manager: SqliteManager,
) -> None:
    adopted = order(1, order_type=OrderType.MARKET, status=OrderStatus.FILLED)
    manager.append([turn(START_NS, adopted)])
    assert manager.load().recent_entries_ns == {}
