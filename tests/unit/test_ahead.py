"""What the tables lack: written to them once, in its newest state, and found meanwhile."""

import threading

from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Order, Role
from pointsman.domain.positions import PositionState
from pointsman.storage.ahead import Ahead, Kin, all_of, found
from pointsman.storage.codec import CODECS
from tests.unit.stored_samples import fill, history, order, position, trade


def test_each_record_is_written_once_and_a_closed_position_goes() -> None:
    ahead = Ahead()
    for entry in history():
        ahead.take_turn(entry.changes)
    assert ahead.turns == len(history())
    rows = dict(ahead.writes())
    orders = CODECS[Order]
    statuses = [row[orders.names.index("status")] for row in rows[orders.upsert]]
    assert statuses == ["FILLED", "FILLED", "ACCEPTED"]
    positions = CODECS[type(position(1))]
    assert [row[0] for row in rows[positions.upsert]] == [2]
    assert rows[positions.delete] == [(1,)]
    assert Ahead().writes() == []


def test_what_two_places_know_of_an_order_counts_once() -> None:
    ahead, entry = Ahead(), order(1)
    ahead.take_turn([entry, order(1, Role.STOP, 2), order(2, Role.EXIT, 7), fill(entry, "t2")])
    ahead.take_turn([fill(order(2), "t9"), trade(1, 1), trade(2), position(1)])
    kin = Kin(entry)
    kin.take(["ABCDEF1E1:t1", "ABCDEF1E1:t2"], ["1.0", "1.1"], ["ABCDEF1E1", "ABCDEF1S1"])
    kin.take_from(ahead)
    known = kin.known()
    assert known.fill_keys == ("ABCDEF1E1:t1", "ABCDEF1E1:t2")
    assert (known.parts, known.stops_made, known.exits_made) == (2, 2, 0)
    assert found(ahead, Order, "ABCDEF1E1") == entry
    assert found(ahead, Order, "ABCDEF9E1") is None
    assert found(ahead, type(position(1)), 1) == position(1, PositionState.OPEN)


def test_a_look_up_goes_on_while_turns_are_taken_in() -> None:
    ahead, ends = Ahead(), threading.Event()

    def take() -> None:
        for number in range(1, 3_000):
            ahead.take_turn([order(number, status=OrderStatus.FILLED)])
        ends.set()

    taking = threading.Thread(target=take)
    taking.start()
    seen = 0
    while not ends.is_set():
        now = sum(1 for _ in all_of(ahead, Order))
        assert now >= seen
        seen = now
    taking.join()
    assert sum(1 for _ in all_of(ahead, Order)) == 2_999
