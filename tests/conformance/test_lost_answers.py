"""Answers that are lost, broken or late, at every venue that is elsewhere, for an entry, a stop, an
exit and a cancel: nothing is concluded that the venue has not said, nothing is sent twice, and a
question finds out what became of it."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pointsman.domain.commands import Cancel, Submit
from pointsman.domain.events import CancelRefused, NotSent, OrderAbsent, OrderReport
from pointsman.domain.life_cycle import OrderStatus
from tests.conformance.any_venue import OnServer
from tests.conformance.bench import LONG
from tests.conformance.conftest import REAL, opened_at_server
from tests.venue_servers.calls import Arrived
from tests.venue_servers.faults import Fault, Kind

E1, S1, X1 = "ABCDEF1E1", "ABCDEF1S1", "ABCDEF1X1"
CREATE, CANCEL = ("create", "stop"), ("cancel", "stop_cancel")
"""What the servers call these requests: not all have names of their own for stops."""


def done(**more: Any) -> dict[str, Any]:
    return {"kind": Kind.ANSWER_AFTER_DOING, **more}


LOST: dict[str, dict[str, Any]] = {
    "the connection drops": {"kind": Kind.DROP_AFTER_DOING},
    "no answer comes": {"kind": Kind.SILENCE_AFTER_DOING},
    "half a body": done(half=True),
    "200 and a page": done(body="<html>"),
    "200 and {}": done(body={}),
    "200 and []": done(body=[]),
    "403 and a page": done(body="<html>", status=403),
    "408 and nothing": done(body="", status=408),
    "502 and a page": done(body="<html>", status=502),
    "503 and nothing": done(body="", status=503),
    "504 and nothing": done(body="", status=504),
}
"""The request was done, and the answer does not say so."""
NOT_DONE: dict[str, dict[str, Any]] = {
    "the connection drops": {"kind": Kind.DROP_BEFORE},
    "no answer comes": {"kind": Kind.SILENCE},
    "502 and a page": {"kind": Kind.ANSWER, "body": "<html>", "status": 502},
}
"""The request was not done, and the answer does not say so either."""
LATE = {"kind": Kind.LATE, "seconds": 0.8}
"""The request is done when nobody waits for its answer any more."""

ORDERS: dict[str, Callable[[OnServer], Submit]] = {
    "entry": lambda venue: Submit(venue.entry(E1, LONG, 10, "100.02")),
    "stop": lambda venue: Submit(venue.stop(S1, LONG, 10, "99.00")),
    "exit": lambda venue: Submit(venue.market_exit(X1, LONG, 10)),
}


@contextmanager
def faulty(name: str, kind: str, routes: tuple[str, ...], fault: dict[str, Any]) -> Iterator[Any]:
    """A venue that holds what can be closed, whose stream is silent, and which does this to the
    next request of these routes."""
    with opened_at_server(name, timeout_ms=400) as venue:
        if kind != "entry":
            venue.hold(LONG, 10)
        if kind == "cancel":
            venue.submit(venue.stop(S1, LONG, 10, "99.00"), "ACCEPTED")
        venue.server.streams.silence(60)
        for route in routes:
            venue.server.faults.add(Fault(route=route, **fault))
        yield venue


def said(venue: OnServer, order_id: str) -> list[Any]:
    """What was concluded of an order without being asked, but that it was accepted."""
    kinds = OrderReport | NotSent | CancelRefused
    told = (reply for reply in venue.heard if isinstance(reply, kinds))
    return [r for r in told if r.client_order_id == order_id and not is_accepted(r)]


def is_accepted(reply: Any) -> bool:
    return isinstance(reply, OrderReport) and reply.kind.value == "ACCEPTED"


def sent(venue: OnServer, routes: tuple[str, ...], order_id: str) -> int:
    """How often these requests have come about this order; a cancel may go by the venue's id."""
    its = order_id if routes is CREATE else ""
    arrived = [each for each in venue.server.requests if each.route in routes]
    return sum(bool(re.search(its, each.body)) for each in arrived)


@pytest.mark.parametrize("kind", ORDERS)
@pytest.mark.parametrize("name", REAL)
def test_an_order_whose_answer_is_lost_is_found_by_asking_and_never_sent_again(
    name: str, kind: str
) -> None:
    for words, fault in LOST.items():
        with faulty(name, kind, CREATE, fault) as venue:
            request = ORDERS[kind](venue)
            order_id = request.order.client_order_id
            venue.send(request)
            found = venue.found(order_id)
            is_at_rest = kind == "stop"
            expected = OrderStatus.ACCEPTED if is_at_rest else OrderStatus.FILLED
            assert found.order.status is expected, words
            assert said(venue, order_id) == [], words
            assert sent(venue, CREATE, order_id) == 1, words


@pytest.mark.parametrize("kind", ORDERS)
@pytest.mark.parametrize("name", REAL)
def test_an_order_that_did_not_arrive_is_not_called_so_before_the_venue_says_it(
    name: str, kind: str
) -> None:
    for words, fault in NOT_DONE.items():
        with faulty(name, kind, CREATE, fault) as venue:
            request = ORDERS[kind](venue)
            order_id = request.order.client_order_id
            venue.send(request)
            assert isinstance(venue.query(order_id), OrderAbsent), words
            assert said(venue, order_id) == [], words
            assert sent(venue, CREATE, order_id) == 1, words


@pytest.mark.parametrize("kind", ORDERS)
@pytest.mark.parametrize("name", REAL)
def test_an_order_that_is_done_late_is_one_order(name: str, kind: str) -> None:
    with faulty(name, kind, CREATE, LATE) as venue:
        request = ORDERS[kind](venue)
        order_id = request.order.client_order_id
        venue.send(request)
        assert isinstance(venue.query(order_id), OrderAbsent), "it is asked before it is done"
        venue.until(lambda: any(each.status for each in venue.server.requests if is_create(each)))
        assert venue.found(order_id).order.client_order_id == order_id
        assert sent(venue, CREATE, order_id) == 1


def is_create(request: Arrived) -> bool:
    return request.route in CREATE and "9E1" not in request.body


@pytest.mark.parametrize("name", REAL)
def test_a_cancel_whose_answer_is_lost_says_nothing_and_a_question_all(name: str) -> None:
    for words, fault in LOST.items():
        with faulty(name, "cancel", CANCEL, fault) as venue:
            venue.send(Cancel(S1, venue.market.symbol))
            venue.until(lambda: sent(venue, CANCEL, S1) == 1)
            statuses = venue.until(lambda: ended(venue, S1))
            assert statuses is OrderStatus.CANCELED, words
            assert said(venue, S1) == [], words
            assert sent(venue, CANCEL, S1) == 1, words


def ended(venue: OnServer, order_id: str) -> OrderStatus | None:
    """How an order stands, once it has ended: a cancel may take its time."""
    status = venue.found(order_id).order.status
    return None if status is OrderStatus.ACCEPTED else status


@pytest.mark.parametrize("name", REAL)
def test_a_cancel_that_did_not_arrive_leaves_the_stop_where_it_was(name: str) -> None:
    for words, fault in NOT_DONE.items():
        with faulty(name, "cancel", CANCEL, fault) as venue:
            venue.send(Cancel(S1, venue.market.symbol))
            venue.until(lambda: sent(venue, CANCEL, S1) >= 1)
            assert venue.found(S1).order.status is OrderStatus.ACCEPTED, words
            assert said(venue, S1) == [], words
