"""The end of a live run: what was handed over to a venue leaves, or is reported as not sent."""

import pytest

from pointsman.domain.commands import Submit
from pointsman.domain.events import NotSent, OrderReport, ReportWord
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.policy import Reversal
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import MarketPosition
from pointsman.engine import live_loop as module
from pointsman.execution.last_check import Hold
from pointsman.execution.ports import VenueReply
from tests import desk_stories as told
from tests.desk_stories import START_NS
from tests.engine_stories import CODE, StillVenue, accepted, begin, traded
from tests.live_stories import running

ENTRY = f"{CODE}1E1"


class BusyVenue(StillVenue):
    """Has an order under way until it has answered it."""

    def held(self) -> list[Submit]:
        return [request for _, request in self.sent if isinstance(request, Submit)]

    def is_under_way(self) -> bool:
        return bool(self.held() or self.replies)


class HoldingVenue(BusyVenue):
    """Lets nothing leave, and gives it back when it is told that the engine ends."""

    def finish(self) -> None:
        for submit in self.held():
            order_id, reason = submit.order.client_order_id, Reason.VENUE_BUSY
            self.replies.append(NotSent(order_id, is_cancel=False, reason=reason, ts_ns=START_NS))
        self.sent.clear()


async def test_what_was_handed_over_and_cannot_leave_is_told_before_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LAST_COMMANDS_SECONDS", 0.05)
    story = begin(venue=HoldingVenue())
    async with running(story) as live:
        await live.live.submit(told.signal("in"))
        await live.rest()
    assert story.order(ENTRY).status is OrderStatus.DENIED


class LateVenue(BusyVenue):
    """Accepts and fills an entry after the engine has been told to stop."""

    is_asked_again = False

    def receive(self, now_ns: int) -> list[VenueReply]:
        replies = super().receive(now_ns)
        for submit in self.held() if self.is_asked_again else ():
            self.sent.clear()
            self.replies.append(accepted(submit.order))
            if submit.may_raise_exposure:
                self.replies.append(traded(submit.order, "10"))
        self.is_asked_again = True
        return replies


def test_rule_55_the_opening_part_of_a_reversal_waits_for_the_next_start() -> None:
    """No entry leaves any more: it would have been accepted, and denied by the last check."""
    story = begin(told.policy(told.limits(reversal=Reversal.CLOSE_AND_OPEN)))
    story.enter()
    turn = told.signal("turn", "sell", "20", market_position=MarketPosition.SHORT)
    story.ask(turn)
    (closing,) = story.venue.take(Submit)
    story.loop.hold(Hold.STOPPING, True)
    gone = OrderReport(f"{CODE}1S1", ReportWord.CANCELED, START_NS)
    story.say(accepted(closing.order), traded(closing.order, "10"), gone)
    account = story.loop.desk.books.accounts[told.VA]
    assert account.opening is not None
    assert story.loop.desk.due_openings(), "the account is flat"


async def test_an_entry_at_work_is_waited_for_at_the_end_and_its_stop_leaves() -> None:
    story = begin(venue=LateVenue())
    async with running(story) as live:
        await live.live.submit(told.signal("in"))
        assert story.order(ENTRY).is_working is False
    assert story.order(f"{CODE}1S1").is_working
