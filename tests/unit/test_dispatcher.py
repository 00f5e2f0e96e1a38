"""Requests in, replies out: what is said, what stays silent, and in which order things leave."""

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal

import pytest

from pointsman.domain.commands import Cancel, Compare, MoveCash, Query, Submit
from pointsman.domain.events import (
    CancelRefused,
    CashConfirmed,
    LinkChanged,
    NotSent,
    OrderAbsent,
    OrderReport,
    ReportWord,
    UnlistedCode,
)
from pointsman.domain.orders import Order
from pointsman.domain.reasons import Reason
from pointsman.domain.timestamps import SECOND_NS
from pointsman.domain.venue_reports import Snapshot
from pointsman.execution.ports import VenueReply, VenueRequest
from pointsman.venues import dispatcher
from pointsman.venues.adapter import ConnectionFailed, Incomplete, NoAnswer
from pointsman.venues.budget import Budget, Rate, RequestClass, RequestCost
from pointsman.venues.dispatcher import ORDER_WAIT_NS, Dispatcher
from pointsman.venues.gate import RequestGate
from pointsman.venues.outcome import Answer, Stage
from tests.conformance.bench import LONG, entry, stop
from tests.scripted_adapter import GOOD, Answering, ScriptedAdapter

PATIENCE_SECONDS = 30.0
ENTRY: Order = entry("ABCDEF1E1", LONG, 10, "101.00")
STOP: Order = stop("ABCDEF1S1", LONG, 10, "95.00")


class Desk:
    """A dispatcher with its adapter, and the replies that have come of it."""

    def __init__(self, *, spent: int = 0, rates: tuple[Rate, ...] = ()) -> None:
        self.adapter = ScriptedAdapter()
        self.replies: list[VenueReply] = []
        self.faults: list[BaseException] = []
        now_ns, fail = time.monotonic_ns, self.faults.append
        budget = Budget(1200, now_ns(), rates=rates)
        budget.spend(RequestCost(RequestClass.EXIT_OR_STOP, Stage.QUERY, spent), now_ns())
        self.gate = RequestGate(budget, now_ns, fail)
        self.dispatcher = Dispatcher(self.adapter, self.gate, self.replies.append, now_ns, fail)

    def begin(self, request: VenueRequest, *, handed_ago_ns: int = 0) -> None:
        self.dispatcher.begin(request, time.monotonic_ns() - handed_ago_ns)

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not is_so():  # noqa: ASYNC110 - the replies come by a plain list
                await asyncio.sleep(0.001)

    async def settle(self) -> list[VenueReply]:
        """What was said, once nothing is under way."""
        await self.until(lambda: self.dispatcher.outstanding == 0)
        return self.replies

    def sent(self, route: str = "") -> list[str]:
        return [call.route for call in self.adapter.calls if route in call.route]


def answered(status: int, code: str = "", **more: object) -> Answer:
    return Answer(status=status, body={"code": code, "msg": "told", **more} if code else None)


REJECTED, NOT_SENT = "REJECTED", "not sent"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (GOOD, ["ACCEPTED"]),
        (Answer(status=200, body={}), ["unlisted"]),
        (Answer(status=200, body="<html>"), ["unlisted"]),
        (answered(502), ["unlisted"]),
        (answered(400, "NO"), [REJECTED]),
        (answered(400, "LATE"), [NOT_SENT]),
        (answered(429), ["link budget down", NOT_SENT]),
        (answered(401), ["link orders down", REJECTED]),
        (answered(503, "BUSY"), []),
        (answered(400, "AGAIN"), ["absent"]),
        (ConnectionFailed("refused"), [NOT_SENT]),
        (NoAnswer("timeout"), []),
    ],
)
async def test_rule_44_of_an_order_only_what_is_proven_is_said(
    answer: Answering, said: list[str]
) -> None:
    desk = Desk()
    desk.adapter.answers["POST /order"].clear()
    desk.adapter.answers["POST /order"].append(answer)
    desk.begin(Submit(STOP))
    assert [shown(reply) for reply in await desk.settle()] == said
    assert desk.sent("POST") == ["POST /order"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(status=200, body={"canceled": True}), ["CANCELED"]),
        (GOOD, []),
        (answered(400, "GONE"), ["cancel refused"]),
        (answered(400, "NO"), ["cancel refused"]),
        (ConnectionFailed("refused"), ["cancel not sent"]),
        (NoAnswer("timeout"), []),
    ],
)
async def test_rule_44_of_a_cancel_too(answer: Answering, said: list[str]) -> None:
    desk = Desk()
    desk.adapter.answers["DELETE /order"].clear()
    desk.adapter.answers["DELETE /order"].append(answer)
    desk.begin(Cancel(STOP.client_order_id, "XXX"))
    assert [shown(reply) for reply in await desk.settle()] == said


@pytest.mark.parametrize(
    ("unknown", "said", "sent"),
    [
        (1, ["absent"], ["GET /order", "DELETE /order"]),
        (2, ["absent", "cancel not sent"], ["GET /order"]),
    ],
)
async def test_an_order_is_asked_about_first_where_only_the_venues_id_cancels_it(
    unknown: int, said: list[str], sent: list[str]
) -> None:
    desk = Desk()
    desk.adapter.cancels_unknown = unknown
    desk.begin(Cancel(STOP.client_order_id, "XXX"))
    assert [shown(reply) for reply in await desk.settle()] == said
    assert desk.sent() == sent


def shown(reply: VenueReply) -> str:
    match reply:
        case OrderReport():
            return reply.kind.value
        case NotSent():
            return "cancel not sent" if reply.is_cancel else NOT_SENT
        case LinkChanged():
            return f"link {reply.link.value} {'up' if reply.is_up else 'down'}"
        case UnlistedCode():
            return "unlisted"
        case OrderAbsent():
            return "absent"
        case CancelRefused():
            return "cancel refused"
    return type(reply).__name__


async def test_a_request_that_came_too_late_has_the_clock_set_again() -> None:
    desk = Desk()
    desk.adapter.answers["POST /order"] = type(desk.adapter.answers["x"])([answered(400, "LATE")])
    desk.begin(Submit(ENTRY))
    await desk.settle()
    assert desk.adapter.clock_set == 1


async def test_what_concerns_one_order_leaves_in_order_and_others_do_not_wait() -> None:
    desk = Desk()
    desk.adapter.delays["POST /order"] = 0.05
    desk.begin(Submit(STOP))
    desk.begin(Cancel(STOP.client_order_id, "XXX"))
    desk.begin(Query("ABCDEF2S1", "XXX"))
    await desk.settle()
    assert desk.sent("order") == ["POST /order", "GET /order", "DELETE /order"]


async def test_rule_45_with_the_budget_spent_a_stop_waits_and_an_entry_is_given_back() -> None:
    desk = Desk(spent=1200)
    desk.begin(Submit(ENTRY))
    desk.begin(Submit(STOP))
    said = [
        (type(reply), reply.client_order_id)
        for reply in await desk.settle()
        if isinstance(reply, NotSent | OrderReport)
    ]
    assert said == [(NotSent, ENTRY.client_order_id), (OrderReport, STOP.client_order_id)]


async def test_rule_26_a_stop_that_would_wait_for_long_is_given_back_and_never_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatcher, "ORDER_WAIT_NS", SECOND_NS // 50)
    desk = Desk()
    desk.gate.budget.slow_down(time.monotonic_ns() + SECOND_NS // 10)
    desk.begin(Submit(STOP))
    desk.begin(Query("ABCDEF2S1", "XXX"))
    (given_back, _) = await desk.settle()
    assert isinstance(given_back, NotSent)
    assert given_back.reason is Reason.VENUE_BUSY
    assert desk.sent() == ["GET /order"]


async def test_rule_26_an_order_that_was_handed_over_too_long_ago_never_leaves() -> None:
    """Until when the venue may take it is counted from there, whatever kept the venue's thread."""
    desk = Desk()
    desk.begin(Submit(STOP), handed_ago_ns=ORDER_WAIT_NS + 1)
    assert [shown(reply) for reply in await desk.settle()] == [NOT_SENT]
    assert desk.sent() == []


async def test_rule_45_of_ten_orders_a_second_some_are_kept_for_stops_and_exits() -> None:
    desk = Desk(rates=(Rate(Stage.CREATE, 10, 3600 * SECOND_NS),))
    for number in range(9):
        desk.begin(Submit(entry(f"ABCDEF{number}E1", LONG, 10, "101.00")))
    for number in range(3):
        desk.begin(Submit(stop(f"ABCDEF{number}S1", LONG, 10, "95.00")))
    desk.begin(Cancel(STOP.client_order_id, "XXX"))
    desk.begin(Compare("c0"))
    said = [shown(reply) for reply in await desk.settle()]
    assert len(desk.sent("POST")) == 10
    assert said.count("ACCEPTED") == 10
    assert said.count(NOT_SENT) == 2
    assert desk.sent("GET /positions")


async def test_what_waits_to_leave_at_the_end_is_told_as_not_sent() -> None:
    desk = Desk()
    desk.gate.budget.slow_down(time.monotonic_ns() + 3600 * SECOND_NS)
    desk.begin(Submit(STOP))
    desk.begin(Cancel("ABCDEF2S1", "XXX"))
    await asyncio.sleep(0)
    desk.dispatcher.finish()
    desk.begin(Submit(stop("ABCDEF3S1", LONG, 10, "95.00")))
    said = [shown(reply) for reply in await desk.settle()]
    assert sorted(said) == ["cancel not sent", NOT_SENT, NOT_SENT]
    assert desk.dispatcher.orders_answered == 3
    assert desk.sent() == []


async def test_rule_45_a_slow_down_is_waited_out_and_its_end_is_said() -> None:
    desk = Desk()
    slow = Answer(status=429, body="slow", retry_after_ms=60)
    desk.adapter.answers["POST /order"] = type(desk.adapter.answers["x"])([slow, GOOD])
    began_ns = time.monotonic_ns()
    desk.begin(Submit(ENTRY))
    await desk.settle()
    desk.begin(Submit(STOP))
    await desk.until(lambda: len(desk.replies) == 4)
    assert time.monotonic_ns() - began_ns >= 60 * SECOND_NS // 1000
    said = [shown(reply) for reply in desk.replies]
    assert said[:2] == ["link budget down", NOT_SENT]
    assert sorted(said[2:]) == ["ACCEPTED", "link budget up"]


async def test_rule_51_money_of_a_virtual_account_is_no_request_to_a_venue() -> None:
    desk = Desk()
    desk.begin(MoveCash("r1", Decimal(5)))
    assert desk.replies == [CashConfirmed("r1")]
    assert desk.adapter.calls == []


@pytest.mark.parametrize("route", ["GET /fills", "GET /orders", "GET /positions"])
async def test_rule_47_what_cannot_be_read_concludes_nothing_and_is_named(route: str) -> None:
    desk = Desk()
    desk.adapter.answers[route] = type(desk.adapter.answers["x"])([answered(500)])
    desk.begin(Compare("c0"))
    (snapshot,) = (reply for reply in await desk.settle() if isinstance(reply, Snapshot))
    assert not snapshot.is_complete
    assert snapshot.missing == f"{route}: no body"


# -- links -----------------------------------------------------------------------------------------


async def test_rule_46_a_lost_stream_is_said_once_and_its_return_too() -> None:
    desk = Desk()
    report = OrderReport("ABCDEF1E1", ReportWord.ACCEPTED, 1)
    desk.adapter.connections.extend([[[], [report]], [OSError("reset")], [[], [report]]])
    listening = asyncio.create_task(desk.dispatcher.listen())
    await desk.until(lambda: len(desk.replies) >= 5)
    listening.cancel()
    assert [shown(reply) for reply in desk.replies[:5]] == [
        "link account_stream up",
        "ACCEPTED",
        "link account_stream down",
        "link account_stream up",
        "ACCEPTED",
    ]


async def test_a_cancel_waits_for_two_questions_about_its_order_at_most() -> None:
    """While a slow-down lasts the engine asks over and over: its cancel came behind all of it."""
    desk = Desk()
    desk.gate.budget.slow_down(time.monotonic_ns() + 50_000_000)
    for _ in range(12):
        desk.begin(Query(STOP.client_order_id, "XXX"))
        await asyncio.sleep(0)
    desk.begin(Cancel(STOP.client_order_id, "XXX"))
    desk.begin(Query(STOP.client_order_id, "XXX"))
    await desk.settle()
    assert desk.sent() == ["GET /order", "GET /order", "DELETE /order", "GET /order"]


async def test_a_stream_that_does_not_hold_is_connected_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Binance shuts out who connects 300 times in five minutes."""
    waits: list[float] = []  # not money: seconds
    real_sleep, desk = asyncio.sleep, Desk()

    async def sleep(seconds: float) -> None:  # not money: seconds
        waits.append(seconds)
        await real_sleep(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    desk.adapter.connections.extend([[]] for _ in range(6))
    listening = asyncio.create_task(desk.dispatcher.listen())
    while len(waits) < 6:
        await real_sleep(0)
    listening.cancel()
    assert waits == [0.25, 0.5, 1, 2, 4, 5]


async def test_a_stream_that_cannot_be_read_is_connected_again() -> None:
    desk = Desk()
    desk.adapter.connections.extend([[Incomplete("no JSON")], [[]]])
    listening = asyncio.create_task(desk.dispatcher.listen())
    await desk.until(lambda: len(desk.replies) >= 2)
    listening.cancel()
    assert [shown(reply) for reply in desk.replies[:2]] == [
        "link account_stream down",
        "link account_stream up",
    ]


async def test_a_fault_of_ours_in_the_stream_is_not_swallowed() -> None:
    desk = Desk()
    desk.adapter.connections.append([[], KeyError("px")])
    with pytest.raises(KeyError, match="px"):
        await desk.dispatcher.listen()
