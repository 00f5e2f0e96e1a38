"""What Alpaca's account stream tells: each event, and a fill that got lost on the way."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.events import CancelRefused, OrderReport, ReportWord
from pointsman.domain.reasons import Reason
from pointsman.execution.ports import VenueReply
from pointsman.venues.adapter import Incomplete
from pointsman.venues.alpaca.stream import StreamReader, read_update

AT = "2026-03-16T18:38:01.937734Z"


def message(event: str, *, filled: int = 0, order: Any = None, **more: Any) -> dict[str, Any]:
    row = {
        "id": "v1",
        "client_order_id": "ABCDEF1E1",
        "created_at": AT,
        "updated_at": AT,
        "symbol": "AAPL",
        "qty": "10",
        "filled_qty": str(filled),
        "type": "limit",
        "side": "buy",
        "time_in_force": "ioc",
        "status": event,
    }
    data = {"event": event, "timestamp": AT, "order": row | (order or {}), **more}
    return {"stream": "trade_updates", "data": data}


def part(quantity: int, filled: int) -> dict[str, Any]:
    event = "fill" if filled == 10 else "partial_fill"
    return message(event, filled=filled, qty=str(quantity), price="100.01", execution_id="e")


def heard(*said: dict[str, Any]) -> list[VenueReply]:
    reader, replies = StreamReader(), []
    for each in said:
        update = read_update(each)
        if update is not None:
            replies += reader.replies(update)
    return replies


WORDS = [
    ("pending_new", {}, ReportWord.ACCEPTED, None),
    ("accepted", {}, ReportWord.ACCEPTED, None),
    ("new", {}, ReportWord.ACCEPTED, None),
    ("canceled", {}, ReportWord.CANCELED, Reason.NOT_FILLED),
    ("canceled", {"order": {"time_in_force": "gtc"}}, ReportWord.CANCELED, None),
    ("expired", {}, ReportWord.EXPIRED, None),
    ("rejected", {"reason": None}, ReportWord.REJECTED, Reason.VENUE_REJECTED),
    (
        "rejected",
        {"reason": "[6098] Stop Price Already Triggered/Exceeds $ Threshold"},
        ReportWord.REJECTED,
        Reason.WOULD_TRIGGER,
    ),
    ("replaced", {"order": {"replaced_by": "v2"}}, ReportWord.CANCELED, None),
]


@pytest.mark.parametrize(("event", "more", "word", "reason"), WORDS)
def test_an_event_means(
    event: str, more: dict[str, Any], word: ReportWord, reason: Reason | None
) -> None:
    (report,) = heard(message(event, **more))
    assert isinstance(report, OrderReport)
    assert (report.client_order_id, report.venue_order_id) == ("ABCDEF1E1", "v1")
    assert (report.kind, report.reason, report.fill) == (word, reason, None)


@pytest.mark.parametrize(
    "event",
    ["pending_cancel", "done_for_day", "suspended", "stopped", "calculated", "replaced", "new_one"],
)
def test_other_events_conclude_nothing(event: str) -> None:
    assert heard(message(event)) == []


def test_a_cancel_that_is_refused_later_is_told() -> None:
    (told,) = heard(message("order_cancel_rejected", reason="TOO_LATE_TO_CANCEL"))
    assert isinstance(told, CancelRefused)


def test_orders_of_others_and_other_streams_are_passed_over() -> None:
    legs = {"symbol": None, "side": None, "type": None}
    assert heard(message("new", order={"client_order_id": "by hand", **legs})) == []
    assert heard({"stream": "listening", "data": {"streams": ["trade_updates"]}}) == []


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.data())
def test_a_lost_fill_shows_with_the_next_message(parts: list[int], data: st.DataObject) -> None:
    filled = [sum(parts[: n + 1]) for n in range(len(parts))]
    fills = [part(*row) for row in zip(parts, filled, strict=True)]
    whole = [message("new"), *fills, message("canceled", filled=filled[-1])]
    reports = [reply for reply in heard(*whole) if isinstance(reply, OrderReport)]
    told = [report.fill for report in reports if report.fill is not None]
    assert [(fill.quantity, fill.cumulative) for fill in told] == [
        (Decimal(quantity), Decimal(cumulative))
        for quantity, cumulative in zip(parts, filled, strict=True)
    ]
    lost = data.draw(st.integers(1, len(fills)))
    with pytest.raises(Incomplete, match="lost a fill of ABCDEF1E1"):
        heard(*whole[:lost], *whole[lost + 1 :])


def test_repeats_and_an_order_from_before_the_connection_are_no_gap() -> None:
    assert len(heard(part(2, 6), part(2, 6), part(4, 10), part(4, 10))) == 4
    assert len(heard(message("new"), part(3, 3), message("new"), part(7, 10))) == 4


@pytest.mark.parametrize(
    "said",
    [
        {"stream": "trade_updates", "data": None},
        {"stream": "trade_updates", "data": {"event": "new"}},
        message("fill", filled=10, qty="10"),
        message("fill", filled=10, price="100", qty="none"),
        message("fill", filled=10, price="NaN", qty="10"),
        message("new", order={"filled_qty": "NaN"}),
        [],
    ],
)
def test_what_cannot_be_read_ends_the_connection(said: Any) -> None:
    with pytest.raises(Incomplete):
        heard(said)
