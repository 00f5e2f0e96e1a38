"""The request handler: a request becomes an event, or is refused with how to fix it, and is
answered once that is durable."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pointsman.domain.accounts import KillState
from pointsman.domain.commands import Compare, Submit
from pointsman.domain.events import Killed, Rearmed
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import Side
from pointsman.domain.timestamps import iso
from pointsman.engine.controls import PendingAnswer
from pointsman.engine.kill_latch import KillLatch, LatchState, latch_path, latched_by, read_latch
from pointsman.engine.request_handler import RequestHandler
from pointsman.engine.requests import (
    AddAccount,
    Assign,
    Flatten,
    Kill,
    MoveCash,
    Pause,
    Rearm,
    Reconcile,
    Refusal,
    Request,
    Resume,
)
from pointsman.execution.last_check import Hold
from tests import desk_stories as told
from tests.engine_stories import (
    accepted,
    begin,
    foreign_trade,
    snapshot,
    traded,
    venue_order,
)

HALT = LatchState(KillState.HALT, "ann", "drill", 1)
OTHER = "VA002"


class Desk:
    """A story whose loop takes requests."""

    def __init__(self, folder: Path, **rules: Any) -> None:
        self.story = begin(told.policy(**rules), accounts=(told.VA, OTHER))
        self.latch = KillLatch(latch_path(folder / "t.db"))
        loop = self.story.loop
        self.latch.listen(lambda is_set: loop.hold(Hold.KILL_LATCH, is_set))
        self.handler = RequestHandler(
            loop, self.latch, lambda _va, _now: told.MIDNIGHT_NS, lambda: None
        )
        loop.on_turn = lambda event, _step: self.handler.note(event)
        self.books = loop.desk.books

    def begin(self, request: Request) -> PendingAnswer:
        """The loop takes a request; the answer may be still to come."""
        answer: PendingAnswer = PendingAnswer()
        answer.set_running_or_notify_cancel()
        self.handler._begin(request, answer)
        return answer

    def ask(self, request: Request) -> dict[str, Any]:
        """The answer of a request that needs nothing more."""
        answer = self.begin(request)
        self.story.loop.release()
        return answer.result(0)

    def refused(self, request: Request) -> tuple[int, str]:
        """Exit code and text of a refusal."""
        refusal = self.begin(request).exception(0)
        assert isinstance(refusal, Refusal)
        return refusal.exit_code, str(refusal)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# -- the kill latch --------------------------------------------------------------------------------


def test_rule_19_a_press_reaches_the_desk_once(desk: Desk) -> None:
    desk.latch.press(latched_by(Kill(flatten=False, reason="news", by="ann"), 7))
    for _ in range(3):
        desk.handler.work()
    assert [e for e in desk.story.events if isinstance(e, Killed)] == [Killed(False, "ann", "news")]
    assert desk.books.kill_switch.state.value == "halt"
    desk.latch.press(latched_by(Kill(flatten=True, reason="worse", by="bob"), 8))
    desk.handler.work()
    assert desk.books.kill_switch.state.value == "flatten"


def test_rule_30_an_entry_on_its_way_does_not_pass_a_latch_that_the_loop_has_not_seen(
    desk: Desk,
) -> None:
    story = desk.story
    story.memory.is_slow = True
    story.ask(told.signal("in"))
    desk.latch.press(HALT)
    story.memory.settle()
    story.loop.release()
    assert story.venue.take(Submit) == []
    order = story.order("ABCDEF1E1")
    assert (order.status, order.end_reason) == (OrderStatus.DENIED, Reason.KILLED)


def test_rule_19_rearm_comes_with_the_number_of_the_press_that_it_releases(
    desk: Desk,
) -> None:
    desk.latch.press(HALT)
    desk.handler.work()
    answer = desk.ask(Rearm(reason="over", by="ann"))
    assert answer["trading_state"] == "ACTIVE"
    assert desk.latch.release(LatchState(), answer["press"])
    desk.handler.work()
    assert desk.books.kill_switch.state is KillState.OFF, "its own release is no press"
    assert not desk.story.loop.holds.is_set(Hold.KILL_LATCH)


def test_rule_19_rearm_is_refused_while_the_settings_say_killed(tmp_path: Path) -> None:
    desk = Desk(tmp_path, kill_switch_enabled=True)
    code, text = desk.refused(Rearm(reason="over", by="ann"))
    assert code == 4
    assert "KILL_SWITCH_ENABLED" in text


def test_a_rearm_left_by_a_person_without_an_engine_is_done_at_the_start(
    desk: Desk,
) -> None:
    desk.latch.press(HALT)
    desk.handler.work()
    left = LatchState(KillState.OFF, "ann", "morning", 9, rearms=True)
    assert desk.latch.release(left, desk.latch.last_press.number)
    desk.handler.rearm_at_start()
    desk.story.loop.release()
    assert desk.books.kill_switch.state is KillState.OFF
    assert desk.story.events[-1] == Rearmed("ann", "morning")
    assert not read_latch(desk.latch.path).rearms, "done once"


def test_resume_while_killed_is_refused(desk: Desk) -> None:
    desk.latch.press(HALT)
    desk.handler.work()
    for va in (None, told.VA):
        code, text = desk.refused(Resume(va=va, reason="go", by="ann"))
        assert code == 4
        assert "rearm" in text


# -- pause, flatten, compare -----------------------------------------------------------------------


def test_pause_and_resume_of_all_and_of_one(desk: Desk) -> None:
    assert desk.ask(Pause(va=None, reason="lunch", by="ann"))["trading_state"] == "REDUCING"
    assert desk.ask(Resume(va=None, reason="back", by="ann"))["trading_state"] == "ACTIVE"
    desk.ask(Pause(va=told.VA, reason="lunch", by="ann"))
    assert desk.books.accounts[told.VA].is_paused
    assert not desk.books.accounts[OTHER].is_paused
    assert desk.ask(Resume(va=None, reason="back", by="ann"))["still_held"] == [told.VA]
    assert "still_held" not in desk.ask(Resume(va=told.VA, reason="back", by="ann"))
    assert desk.ask(Resume(va=None, reason="back", by="ann"))["still_held"] == []


def test_rule_16_a_resume_says_that_it_does_not_end_a_cooldown(desk: Desk) -> None:
    assert desk.ask(Resume(va=None, reason="back", by="ann"))["cooldowns"] == {}
    until_ns = desk.story.loop.now_ns + told.SECOND_NS
    account = desk.books.accounts[told.VA]
    desk.books.put_account(msgspec.structs.replace(account, cooldown_until_ns=until_ns))
    for va in (None, told.VA):
        answer = desk.ask(Resume(va=va, reason="back", by="ann"))
        assert answer["cooldowns"] == {told.VA: iso(until_ns)}
    assert desk.ask(Resume(va=OTHER, reason="back", by="ann"))["cooldowns"] == {}


@pytest.mark.parametrize(
    "request_",
    [
        Pause(va="VA9", reason="x", by="ann"),
        Resume(va="VA9", reason="x", by="ann"),
        Flatten(va="VA9", reason="x", by="ann"),
        MoveCash(va="VA9", amount="1"),
        Assign(va="VA9", symbol="XXX", quantity="1", reason="x", by="ann"),
    ],
)
def test_an_unknown_account_is_named_with_those_that_there_are(
    desk: Desk, request_: Request
) -> None:
    assert desk.refused(request_) == (1, "no account 'VA9'; there are VA001, VA002")


def test_flatten_says_how_many_positions_it_closes(desk: Desk) -> None:
    desk.story.enter()
    assert desk.ask(Flatten(va=OTHER, reason="x", by="ann"))["closing"] == 0
    assert desk.ask(Flatten(va=told.VA, reason="x", by="ann"))["closing"] == 1
    assert desk.books.positions[1].closing_reason is Reason.FLATTEN


def test_reconcile_is_answered_by_a_comparison_asked_for_since(desk: Desk) -> None:
    story = desk.story
    answer = desk.begin(Reconcile())
    story.at()
    assert len(story.venue.take(Compare)) == 1
    story.say(snapshot(at_ns=story.loop.now_ns - 1))
    desk.handler.work()
    assert not answer.done(), "that one was older"
    story.say(snapshot(at_ns=story.loop.now_ns))
    desk.handler.work()
    assert answer.result(0)["differences"] == 0
    assert answer.result(0)["frozen"] == {}


def test_rule_20_resume_of_a_frozen_account_compares_first(desk: Desk) -> None:
    story = desk.story
    both_hold_and_one_was_sold(desk)
    answer = desk.begin(Resume(va=told.VA, reason="looked", by="ann"))
    assert not answer.done()
    story.at(told.SECOND_NS)
    story.say(snapshot(held="16", at_ns=story.loop.now_ns, cursor="1"))
    desk.handler.work()
    assert answer.result(0)["durable"]
    assert desk.books.accounts[told.VA].frozen_for is None
    assert desk.books.accounts[OTHER].frozen_for is not None


def test_an_answer_waits_until_its_turn_is_durable(desk: Desk) -> None:
    desk.story.memory.is_slow = True
    answer = desk.begin(Pause(va=None, reason="lunch", by="ann"))
    assert not answer.done()
    desk.story.memory.settle()
    desk.story.loop.release()
    assert answer.result(0)["durable"]


def test_while_storage_fails_nothing_but_a_kill_is_acknowledged(desk: Desk) -> None:
    desk.story.memory.fail()
    answer = desk.begin(Pause(va=None, reason="lunch", by="ann"))
    desk.story.at()
    assert not answer.done()
    assert desk.latch.press(HALT), "the latch does not need the database"
    desk.story.memory.heal()
    desk.story.at()
    assert answer.result(0)["durable"]


# -- money -----------------------------------------------------------------------------------------


def test_a_deposit_and_a_withdrawal_change_the_balance_and_no_result(desk: Desk) -> None:
    assert desk.ask(MoveCash(va=told.VA, amount="50.5"))["balance"] == "100050.5"
    assert desk.ask(MoveCash(va=told.VA, amount="-100050.5"))["balance"] == "0.0"
    account = desk.books.accounts[told.VA]
    assert {account.cash, account.realized, account.max_drawdown} == {Decimal(0)}


def test_only_free_money_can_be_withdrawn(desk: Desk) -> None:
    desk.story.enter()
    account = desk.books.accounts[told.VA]
    code, text = desk.refused(MoveCash(va=told.VA, amount="-99000"))
    free = Decimal(text.rpartition("free: ")[2].partition(";")[0])
    assert code == 1
    assert Decimal(98_990) < free <= min(account.cash, Decimal(99_000))
    desk.ask(MoveCash(va=told.VA, amount=f"-{free}"))
    assert desk.refused(MoveCash(va=told.VA, amount="-0.01"))[0] == 1


@pytest.mark.parametrize(
    ("request_", "code", "says"),
    [
        (MoveCash(va=told.VA, amount="1e5"), 2, "amount '1e5': write a plain decimal"),
        (MoveCash(va=told.VA, amount="0"), 2, "use a number above 0"),
        (AddAccount(va="VA7", balance="-1"), 2, "use a number above 0"),
        (AddAccount(va="VA 7", balance="1"), 2, "use 1 to 32 letters"),
        (AddAccount(va="EXTERNAL", balance="1"), 2, "is reserved"),
        (AddAccount(va="VA7:1,VA8", balance="1"), 2, "more than one account"),
        (AddAccount(va=told.VA, balance="1"), 1, "accounts deposit VA001"),
    ],
)
def test_bad_amounts_and_ids_are_refused_with_what_would_do(
    desk: Desk, request_: Request, code: int, says: str
) -> None:
    found = desk.refused(request_)
    assert found[0] == code
    assert says in found[1]


def test_a_further_account_can_trade_at_once(desk: Desk) -> None:
    assert desk.ask(AddAccount(va="VA007", balance="5000"))["balance"] == "5000"
    desk.story.ask(told.signal("in", va_id="VA007"))
    assert [submit.order.va_id for submit in desk.story.venue.take(Submit)] == ["VA007"]


# -- assign ----------------------------------------------------------------------------------------


def both_hold_and_one_was_sold(desk: Desk) -> None:
    """Each account holds 10, and somebody else has sold 4 of the 20 at 100."""
    story = desk.story
    story.enter("a")
    story.ask(told.signal("b", va_id=OTHER))
    (submit,) = story.venue.take(Submit)
    story.say(accepted(submit.order), traded(submit.order, "10"))
    (stop,) = story.venue.take(Submit)
    story.say(accepted(stop.order))
    shown = tuple(map(venue_order, story.loop.desk.books.orders.values()))
    story.say(snapshot(shown, (foreign_trade(Side.SELL, "4"),), held="16", cursor="1"))


def test_rule_28_assign_gives_an_account_what_is_not_ours_with_a_stop(desk: Desk) -> None:
    story = desk.story
    story.show()
    story.say(snapshot((), (foreign_trade(Side.BUY, "4"),), held="4", cursor="1"))
    mine = Assign(va=told.VA, symbol="XXX", quantity="5", reason="it is mine", by="ann")
    code, text = desk.refused(mine)
    assert (code, "holds 4 XXX that is not ours" in text) == (1, True), text
    desk.ask(msgspec.structs.replace(mine, quantity="3"))
    (stop,) = story.venue.take(Submit)
    assert (stop.order.trigger_price, stop.order.quantity) == (Decimal("98.00"), 3)


def test_rule_28_assign_settles_who_bears_a_foreign_sale(desk: Desk) -> None:
    both_hold_and_one_was_sold(desk)
    code, text = desk.refused(
        Assign(va=told.VA, symbol="XXX", quantity="5", reason="it was ours", by="ann")
    )
    assert (code, "at most 4 of the shortfall" in text) == (1, True), text
    desk.ask(Assign(va=told.VA, symbol="XXX", quantity="4", reason="it was ours", by="ann"))
    assert [p.quantity for p in desk.books.positions.values()] == [6, 10]
    assert (
        desk.refused(Assign(va=told.VA, symbol="XXX", quantity="1", reason="more", by="ann"))[0]
        == 1
    )
