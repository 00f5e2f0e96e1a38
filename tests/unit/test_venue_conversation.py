"""A conversation with a venue: what does not come is named, and what was refused says why."""

from pathlib import Path

import pytest

from pointsman.domain.commands import Query
from pointsman.domain.events import UnlistedCode
from pointsman.domain.reasons import Reason
from pointsman.domain.venue_reports import OrderFound
from pointsman.engine.venue_conversation import Conversation, NotKept
from tests.conformance.bench import LONG, entry, stop
from tests.unit.test_venue_check import Market


@pytest.fixture
def talk(tmp_path: Path) -> Conversation:
    market = Market(tmp_path / "paper.db")
    market.pass_time()
    return Conversation(market.line(), "XXX")


def test_what_is_not_answered_is_named_with_what_the_venue_said_instead(
    talk: Conversation,
) -> None:
    talk.heard.append(UnlistedCode(code="-1000", text="out of order", ts_ns=1))
    with pytest.raises(NotKept, match="not answered within 15 s; the venue said: -1000 out of"):
        talk.ask(Query("CHECKA9S1", "XXX"), OrderFound)


def test_a_refused_order_says_why(talk: Conversation) -> None:
    order = stop("CHECKA1S1", LONG, 10, "95.00")
    talk.send_order(order)
    with pytest.raises(NotKept, match=Reason.REDUCE_ONLY.value):
        talk.acknowledged(order)


def test_fills_count_once_however_often_they_are_told(talk: Conversation) -> None:
    order = entry("CHECKA1E1", LONG, 10, "101.00")
    talk.send_order(order)
    talk.until(lambda: talk.filled(order) == order.quantity or None, "filled")
    talk.heard += talk.heard
    assert talk.bought() == talk.held(talk.compare()) == 10
