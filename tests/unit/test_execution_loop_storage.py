"""The loop: what may leave when, what storage's failing means for it, the last gate, and
silence."""

from decimal import Decimal

import pytest

from pointsman.domain.accounts import KillState
from pointsman.domain.commands import Cancel, Compare, MoveCash, Query, Step, Submit
from pointsman.domain.events import (
    CashMoved,
    Event,
    FlattenRequested,
    Killed,
    OrderAbsent,
    Paused,
    Rearmed,
    SendRefused,
    StorageHealed,
)
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import OrderType, Role
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Outcome
from pointsman.execution.last_check import Hold
from pointsman.execution.outbox import StorageHeld
from tests import desk_stories as told
from tests.desk_stories import MILLISECOND_NS, SECOND_NS, START_NS
from tests.engine_stories import (
    CODE,
    Story,
    accepted,
    begin,
    traded,
)

ENTRY = f"{CODE}1E1"
PATIENT = told.policy(told.limits(max_latency_ns=60 * SECOND_NS))
"""A policy under which a quote stays fresh for a minute."""


def decided(story: Story) -> list[str]:
    """What the senders were told, as words."""
    return [
        answer.decision.outcome.value
        if isinstance(answer, Step) and answer.decision is not None
        else "held"
        for answer in story.answers
    ]


# -- what may leave when ---------------------------------------------------------------------------


def test_rule_29_nothing_leaves_and_nobody_is_told_before_it_is_durable() -> None:
    story = begin()
    story.memory.is_slow = True
    story.ask(told.signal("one"))
    story.ask(told.signal("two", quantity="0.5"))
    story.at()
    assert story.venue.take(Submit) == []
    assert story.answers == []
    assert not story.loop.is_idle

    story.memory.heal()
    story.at()
    (submit,) = story.venue.take(Submit)
    assert submit.order.client_order_id == ENTRY
    assert decided(story) == ["accepted", "refused"]


def test_what_is_durable_leaves_while_what_came_later_waits() -> None:
    story = begin(accounts=("VA001", "VA002"))
    story.memory.is_slow = True
    story.ask(told.signal("one", va_id="VA001"))
    story.memory.heal()
    story.ask(told.signal("two", va_id="VA002"))
    assert [submit.order.va_id for submit in story.venue.take(Submit)] == ["VA001"]
    assert decided(story) == ["accepted"]


def test_commands_keep_their_order_when_one_turn_makes_others() -> None:
    """The turn of each sent order is behind what waited already."""
    story = begin(accounts=("VA001", "VA002"))
    story.memory.is_slow = True
    for va_id in ("VA001", "VA002"):
        story.ask(told.signal(va_id, va_id=va_id))
    story.memory.heal()
    story.at()
    assert [submit.order.va_id for submit in story.venue.take(Submit)] == ["VA001", "VA002"]


# -- storage fails ---------------------------------------------------------------------------------


def test_rule_29_while_storage_fails_signals_are_held_without_a_turn() -> None:
    story = begin()
    story.memory.fail()
    story.loop.instant(START_NS)
    turns = len(story.memory.entries)
    with pytest.raises(StorageHeld):
        story.ask(told.signal("one"))
    assert len(story.memory.entries) == turns
    assert story.loop.signals_seen == 0

    story.memory.heal()
    story.at()
    story.ask(told.signal("one"))
    assert decided(story) == ["accepted"]


def test_rule_29_entries_that_waited_are_withdrawn_when_storage_heals_and_never_sent() -> None:
    story = begin()
    story.memory.is_slow = True
    story.ask(told.signal("in"))
    story.ask(told.signal("no", quantity="0.5"))
    story.memory.fail()
    story.at()
    assert decided(story) == ["held"]
    assert story.order(ENTRY).status is OrderStatus.INITIALIZED

    story.memory.heal()
    story.at()
    assert story.order(ENTRY).status is OrderStatus.DENIED
    assert story.order(ENTRY).end_reason is Reason.STORAGE_FAILED
    assert decided(story) == ["held", "refused"]
    assert StorageHealed((ENTRY,)) in story.events
    story.memory.heal()
    story.pass_time(20 * SECOND_NS)
    assert story.venue.take(Submit) == []
    assert story.loop.desk.books.accounts[told.VA].leased_symbol is None
    assert story.loop.is_idle


def test_rule_29_a_failure_that_healed_unseen_withdraws_all_the_same() -> None:
    story = begin()
    story.memory.is_slow = True
    story.ask(told.signal("in"))
    story.memory.fail()
    story.memory.heal()
    story.at()
    assert story.order(ENTRY).end_reason is Reason.STORAGE_FAILED
    assert story.venue.take(Submit) == []
    assert decided(story) == ["held"]


def test_an_entry_decided_after_storage_healed_leaves() -> None:
    story = begin()
    story.memory.fail()
    story.at()
    story.memory.heal()
    story.at()
    story.ask(told.signal("in"))
    assert [submit.order.client_order_id for submit in story.venue.take(Submit)] == [ENTRY]


def test_the_first_decision_stays_what_it_was_for_whoever_asks_again() -> None:
    """RULES 13, 29: nothing is rolled back. The order that the decision names tells the rest."""
    story = begin()
    story.memory.is_slow = True
    story.ask(told.signal("in"))
    story.memory.fail()
    story.at()
    story.memory.heal()
    story.at()
    story.memory.is_slow = False
    story.ask(told.signal("in"))
    again = story.answers[-1]
    assert isinstance(again, Step)
    assert again.is_repeat
    assert again.decision is not None
    assert again.decision.outcome is Outcome.ACCEPTED
    assert story.order(str(again.decision.client_order_id)).status is OrderStatus.DENIED


def test_rule_30_what_protects_and_reduces_leaves_while_storage_fails() -> None:
    """An entry fills: its stop leaves. A person flattens: the exit leaves. The stop is cancelled
    when it is flat: the cancel leaves. Money and answers wait."""
    story = begin()
    story.ask(told.signal("in"))
    (entry,) = story.venue.take(Submit)
    story.memory.is_slow = True
    story.memory.fail()
    story.say(accepted(entry.order), traded(entry.order, "10"))
    (stop,) = story.venue.take(Submit)
    assert stop.order.order_type is OrderType.STOP
    story.say(accepted(stop.order))

    story.loop.turn(FlattenRequested(None, "anna", "storage"))
    story.loop.turn(CashMoved(told.VA, Decimal(5), "ref", told.MIDNIGHT_NS))
    story.loop.release()
    (exit_,) = story.venue.take(Submit)
    assert exit_.order.role is Role.EXIT
    story.say(accepted(exit_.order), traded(exit_.order, "10", trade_id="2"))
    assert [cancel.client_order_id for cancel in story.venue.take(Cancel)] == [
        stop.order.client_order_id
    ]
    assert story.venue.take(MoveCash) == []
    assert len(story.answers) == 1  # the entry's, from before

    story.memory.heal()
    story.at()
    assert [move.ref for move in story.venue.take(MoveCash)] == ["ref"]


def test_rule_30_an_entry_that_waits_is_denied_at_once_when_it_is_to_be_cancelled() -> None:
    """Nothing is asked of the venue about an order that never left, and silence is not measured."""
    story = begin()
    story.memory.is_slow = True
    story.ask(told.signal("in"))
    story.memory.fail()
    story.at()
    story.show(bid="90", ask="110")
    assert story.order(ENTRY).status is OrderStatus.DENIED
    assert story.order(ENTRY).end_reason is Reason.STORAGE_FAILED
    story.pass_time(15 * SECOND_NS)
    asked = [request for _, request in story.venue.sent if not isinstance(request, Compare)]
    assert asked == []
    story.memory.heal()
    story.at()
    assert not [event for event in story.events if isinstance(event, StorageHealed)]


@pytest.mark.parametrize(("seconds", "is_killed"), [(3, False), (4, True)])
def test_rule_19_storage_that_fails_for_too_long_kills(seconds: int, is_killed: bool) -> None:
    story = begin(told.policy(kill_on_storage_ns=3 * SECOND_NS))
    pressed: list[Event] = []
    story.loop.on_turn = lambda event, _step: pressed.append(event)
    story.memory.fail()
    story.at()
    story.at(seconds * SECOND_NS)
    story.at()
    pressed = [event for event in pressed if isinstance(event, Killed)]
    assert len(pressed) == (1 if is_killed else 0)
    assert (story.loop.desk.books.kill_switch.state is KillState.HALT) is is_killed


def test_rule_19_storage_that_heals_in_between_is_counted_afresh() -> None:
    story = begin(told.policy(kill_on_storage_ns=3 * SECOND_NS))
    for _ in range(4):
        story.memory.fail()
        story.at()
        story.at(2 * SECOND_NS)
        story.memory.heal()
        story.at()
    assert story.loop.desk.books.kill_switch.state is KillState.OFF


@pytest.mark.parametrize("hold", [Hold.PART_DOWN, Hold.FILE_LOST])
def test_rule_60_while_the_engine_is_impaired_entries_are_refused_and_exits_are_done(
    hold: Hold,
) -> None:
    story = begin()
    story.enter()
    story.loop.hold(hold, True, "the books are gone")
    story.venue.take(Submit)
    story.ask(told.signal("more"))
    assert isinstance(answer := story.answers[-1], Step)
    assert (decision := answer.decision) is not None
    refused = (Outcome.REFUSED, Reason.ENTRIES_HELD, "the books are gone")
    assert (decision.outcome, decision.reason, decision.value) == refused
    assert story.venue.take(Submit) == []
    story.ask(told.signal("out", "close"))
    assert decided(story)[-2:] == ["refused", "accepted"]


@pytest.mark.parametrize("hold", [Hold.PART_DOWN, Hold.FILE_LOST])
def test_rule_31_an_entry_that_waits_when_the_engine_is_impaired_is_denied(hold: Hold) -> None:
    story = begin()
    story.memory.is_slow = True
    story.ask(told.signal("in"))
    story.loop.hold(hold, True, "the books are gone")
    story.memory.heal()
    story.at()
    assert SendRefused(ENTRY, Reason.ENTRIES_HELD) in story.events
    story.memory.is_slow = False
    story.loop.hold(hold, False)
    story.ask(told.signal("again"))
    assert len(story.venue.take(Submit)) == 1


def test_after_a_kill_by_storage_a_person_can_rearm() -> None:
    story = begin(told.policy(kill_on_storage_ns=SECOND_NS))
    story.memory.fail()
    story.at()
    story.at(2 * SECOND_NS)
    story.memory.heal()
    story.at()
    story.loop.turn(Rearmed("anna", "disk replaced"))
    story.show()
    story.ask(told.signal("in"))
    assert [submit.order.client_order_id for submit in story.venue.take(Submit)] == [ENTRY]


# -- the last gate ---------------------------------------------------------------------------------


def test_rule_31_a_kill_between_decision_and_durability_denies_the_entry() -> None:
    story = begin()
    story.memory.is_slow = True
    story.ask(told.signal("in"))
    story.loop.turn(Killed(False, "anna", "stop"))
    story.memory.heal()
    story.at()
    assert SendRefused(ENTRY, Reason.KILLED) in story.events
    assert story.order(ENTRY).status is OrderStatus.DENIED
    assert story.venue.sent == []


def test_rule_30_a_flag_set_from_outside_keeps_entries_back_while_it_is_set() -> None:
    story = begin()
    story.loop.hold(Hold.KILL_LATCH, True)
    story.ask(told.signal("in"))
    assert story.order(ENTRY).end_reason is Reason.KILLED
    assert story.venue.sent == []
    story.loop.hold(Hold.KILL_LATCH, False)
    story.ask(told.signal("again"))
    assert len(story.venue.take(Submit)) == 1


def test_rule_31_a_quote_that_became_stale_denies_the_entry() -> None:
    story = begin()
    story.memory.is_slow = True
    story.ask(told.signal("in"))
    story.pass_time(501 * MILLISECOND_NS)
    story.memory.heal()
    story.at()
    assert story.order(ENTRY).status is OrderStatus.DENIED
    assert story.order(ENTRY).end_reason is Reason.LATENCY
    assert story.venue.sent == []


def test_the_gate_lets_exits_and_stops_through_whatever_the_market_looks_like() -> None:
    story = begin()
    story.enter()
    story.loop.turn(Killed(True, "anna", "out"))
    story.show(bid="0", ask="0", after_ns=SECOND_NS)
    assert [submit.order.role for submit in story.venue.take(Submit)] == [Role.EXIT]


def test_an_entry_that_still_waits_at_a_stop_is_denied() -> None:
    story = begin()
    story.memory.is_slow = True
    story.ask(told.signal("in"))
    story.loop.hold(Hold.STOPPING, True)
    story.memory.heal()
    story.at()
    assert story.order(ENTRY).end_reason is Reason.ENTRY_WITHDRAWN
    assert story.venue.sent == []


# -- silence ---------------------------------------------------------------------------------------


def test_rule_26_a_submit_that_nobody_answers_is_unknown_asked_about_and_never_sent_again() -> None:
    story = begin(PATIENT)
    story.ask(told.signal("in"))
    assert len(story.venue.take(Submit)) == 1
    story.pass_time(5 * SECOND_NS - 1)
    assert story.order(ENTRY).shown_status is OrderStatus.SUBMITTED
    story.pass_time(1)
    assert story.order(ENTRY).shown_status is OrderStatus.UNKNOWN
    asked = [request for _, request in story.venue.sent if isinstance(request, Query)]
    assert [query.client_order_id for query in asked] == [ENTRY]

    story.say(OrderAbsent(ENTRY, story.loop.now_ns))
    assert story.order(ENTRY).shown_status is OrderStatus.UNKNOWN
    story.pass_time(5 * SECOND_NS)
    story.say(OrderAbsent(ENTRY, story.loop.now_ns))
    assert story.order(ENTRY).status is OrderStatus.REJECTED
    assert story.order(ENTRY).end_reason is Reason.NEVER_ARRIVED
    story.pass_time(20 * SECOND_NS)
    assert story.venue.take(Submit) == []


def test_rule_29_an_operator_is_answered_when_all_turns_so_far_are_durable() -> None:
    story = begin()
    story.memory.is_slow = True
    story.loop.turn(Paused(told.VA, "anna", "lunch"))
    story.loop.when_durable(story.answers.append)
    story.at()
    assert story.answers == []
    story.memory.heal()
    story.at()
    assert story.answers == [Step()]
