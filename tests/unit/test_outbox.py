"""The outbox: what may leave, and in which order, whatever storage does."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.commands import Cancel, Command, MoveCash, Query, Step, Submit
from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.signals import Decision, Outcome
from pointsman.execution.outbox import Callback, Outbox, StorageHeld


def order(number: int, role: Role) -> Order:
    return Order(
        f"ABCDEF{number}{role.letter}1",
        "VA001",
        "XXX",
        number,
        role,
        OrderType.LIMIT_IOC,
        Side.BUY,
        PositionSide.LONG,
        Decimal(1),
        0,
    )


ENTRY, STOP, EXIT = (Submit(order(1, role)) for role in (Role.ENTRY, Role.STOP, Role.EXIT))
COMMANDS: list[Command] = [
    ENTRY,
    STOP,
    EXIT,
    Cancel("ABCDEF1S1", "XXX"),
    Query("ABCDEF1S1", "XXX"),
    MoveCash("ref", Decimal(1)),
]
MAY_NOT_PRECEDE_STORAGE = (ENTRY, MoveCash("ref", Decimal(1)))

tickets = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(COMMANDS)), max_size=20)


def filled(steps: list[tuple[int, Command]]) -> tuple[Outbox, list[tuple[int, Command]]]:
    """An outbox with commands of rising tickets."""
    box, put, ticket = Outbox(), [], 0
    for rise, command in steps:
        ticket += rise
        box.put(ticket, command, Step())
        put.append((ticket, command))
    return box, put


@given(tickets, st.integers(0, 40))
def test_rule_29_only_what_is_durable_leaves_and_in_order(
    steps: list[tuple[int, Command]], durable: int
) -> None:
    box, put = filled(steps)
    left = [item for item, _ in box.take(durable, is_failing=False)]
    assert left == [command for ticket, command in put if ticket <= durable]
    rest = [item for item, _ in box.take(10**6, is_failing=False)]
    assert rest == [command for ticket, command in put if ticket > durable]
    assert not box


@given(tickets, st.integers(0, 40))
def test_rule_30_while_storage_fails_all_leaves_but_entries_and_money(
    steps: list[tuple[int, Command]], durable: int
) -> None:
    box, put = filled(steps)
    left = [item for item, _ in box.take(durable, is_failing=True)]
    assert left == [
        command
        for ticket, command in put
        if ticket <= durable or command not in MAY_NOT_PRECEDE_STORAGE
    ]


@given(tickets, st.integers(0, 40), st.integers(1, 5))
def test_a_few_at_a_time_leave_in_the_same_order_as_all_at_once(
    steps: list[tuple[int, Command]], durable: int, most: int
) -> None:
    (box, _), (other, _) = filled(steps), filled(steps)
    left: list[object] = []
    while box.may_leave(durable):
        few = [item for item, _ in box.take(durable, False, most)]
        assert 0 < len(few) <= most
        left += few
    assert left == [item for item, _ in other.take(durable, is_failing=False)]


def test_rule_29_an_answer_never_precedes_storage() -> None:
    box = Outbox()
    box.put(1, lambda _told: None, Step())
    assert box.take(0, is_failing=True) == []
    assert len(box) == 1


def decision(signal_id: str, order_id: str | None) -> Step:
    outcome = Outcome.ACCEPTED if order_id else Outcome.REFUSED
    told = Decision(signal_id, "VA001", "XXX", outcome, 0, client_order_id=order_id)
    return Step(decision=told)


def test_rule_29_entries_are_taken_out_with_those_who_wait_to_hear_of_them() -> None:
    heard: list[str] = []

    def listener(name: str) -> Callback:
        return lambda told: heard.append(f"{name} {type(told).__name__}")

    box = Outbox()
    box.put(1, ENTRY, decision("in", "ABCDEF1E1"))
    box.put(1, listener("in"), decision("in", "ABCDEF1E1"))
    box.put(2, STOP, Step())
    box.put(3, listener("no"), decision("no", None))
    box.put(4, listener("in again"), decision("in", "ABCDEF1E1"))
    entries, answers = box.take_entries()
    assert entries == ["ABCDEF1E1"]
    for answer in answers:
        answer(StorageHeld("disk full"))
    assert heard == ["in StorageHeld", "in again StorageHeld"]
    assert [type(item).__name__ for item, _ in box.take(9, is_failing=False)] == [
        "Submit",
        "function",
    ]
