"""An account that is only read: no order, and no cancel, can be made of anything."""

from collections.abc import Iterator

import pytest

from pointsman.domain.commands import Cancel, Compare, Query, Submit
from pointsman.venues.adapter import Adapter
from pointsman.venues.bridge import RealVenue
from pointsman.venues.read_only import ReadOnly, SentInShadow
from tests.conformance.bench import LONG, entry, stop
from tests.scripted_adapter import ScriptedAdapter
from tests.unit.test_bridge import NOW_NS, Engine


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    engine.venue.close()
    engine.adapter = ScriptedAdapter()
    engine.venue = RealVenue(ReadOnly(engine.adapter), now_ns=NOW_NS, requests_per_minute=None)
    engine.venue.start(engine.is_woken.set)
    yield engine
    engine.venue.close()
    assert engine.adapter.is_closed


def test_what_is_asked_is_answered(engine: Engine) -> None:
    engine.venue.send(Compare(""), NOW_NS)
    engine.venue.send(Query("ABCDEF1E1", "XXX"), NOW_NS)
    assert len(engine.receive(lambda taken: len(taken) == 2)) == 2


@pytest.mark.parametrize(
    "request_made",
    [
        Submit(entry("ABCDEF1E1", LONG, 1, "10")),
        Submit(stop("ABCDEF1S1", LONG, 1, "9")),
        Cancel("ABCDEF1S1", "XXX"),
    ],
    ids=["an entry", "a stop", "a cancel"],
)
def test_what_would_change_the_account_ends_the_engine_and_never_leaves(
    engine: Engine, request_made: Submit | Cancel
) -> None:
    engine.venue.send(request_made, NOW_NS)
    with pytest.raises(SentInShadow):
        engine.receive(bool)
    assert [call.route for call in engine.adapter.calls] == ["GET /account"]


def test_a_good_answer_to_an_order_cannot_be_read_either() -> None:
    adapter: Adapter = ReadOnly(ScriptedAdapter())
    with pytest.raises(SentInShadow, match="ABCDEF1E1"):
        adapter.accepted(entry("ABCDEF1E1", LONG, 1, "10"), {"id": "v1"})
    with pytest.raises(SentInShadow, match="ABCDEF1S1"):
        adapter.canceled("ABCDEF1S1", {"canceled": True})
