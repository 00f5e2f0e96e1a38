"""The last gate: why an entry that was accepted may not leave after all."""

import pytest

from pointsman.domain.accounts import KillState, KillSwitch
from pointsman.domain.market import Quote
from pointsman.domain.reasons import Reason
from pointsman.execution.last_check import refusal
from tests import desk_stories as told
from tests.desk_stories import MILLISECOND_NS, SECOND_NS, START_NS
from tests.engine_stories import fresh_copy

GOOD = told.quote(START_NS)
LIMIT_NS = 500 * MILLISECOND_NS


@pytest.mark.parametrize(
    ("quote", "after_ns", "offset_ns", "expected"),
    [
        pytest.param(GOOD, 0, 0, None, id="fresh"),
        pytest.param(GOOD, LIMIT_NS, 0, None, id="as old as the limit"),
        pytest.param(GOOD, LIMIT_NS + 1, 0, Reason.LATENCY, id="older"),
        pytest.param(GOOD, LIMIT_NS - SECOND_NS, -SECOND_NS, None, id="clock ahead"),
        pytest.param(
            GOOD, LIMIT_NS - SECOND_NS + 1, -SECOND_NS, Reason.LATENCY, id="clock ahead, older"
        ),
        pytest.param(None, 0, 0, Reason.INVALID_QUOTE, id="no quote"),
        pytest.param(told.quote(START_NS, "0"), 0, 0, Reason.INVALID_QUOTE, id="one-sided"),
        pytest.param(told.quote(START_NS, "99.8"), 0, 0, Reason.SPREAD, id="wide"),
        pytest.param(told.quote(START_NS, "99.8"), SECOND_NS, 0, Reason.LATENCY, id="wide and old"),
    ],
)
def test_rule_31_the_quote_must_still_be_good(
    quote: Quote | None, after_ns: int, offset_ns: int, expected: Reason | None
) -> None:
    desk = told.ready_desk()
    (entry,) = told.submits(told.send(desk, told.signal("in")))
    assert refusal(desk.books, entry, quote, START_NS + after_ns, offset_ns) is expected


def test_rule_31_a_kill_comes_before_the_quote_and_the_quote_before_a_withdrawal() -> None:
    desk = told.ready_desk()
    (order,) = told.submits(told.send(desk, told.signal("in")))
    entry = fresh_copy(order, is_cancel_pending=True)
    assert refusal(desk.books, entry, GOOD, START_NS, 0) is Reason.ENTRY_WITHDRAWN
    assert refusal(desk.books, entry, GOOD, START_NS + SECOND_NS, 0) is Reason.LATENCY
    for state in (KillState.HALT, KillState.FLATTEN):
        desk.books.put_kill_switch(KillSwitch(state))
        assert refusal(desk.books, entry, None, START_NS, 0) is Reason.KILLED
