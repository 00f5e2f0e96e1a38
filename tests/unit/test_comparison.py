"""Several answers of a venue become the state of one moment, or nothing (RULES 47)."""

from decimal import Decimal
from itertools import count
from typing import Any

from pointsman.domain.events import ChargePaid, VenueFill
from pointsman.domain.sides import Side
from pointsman.domain.venue_reports import Snapshot, VenueExecution
from pointsman.venues.adapter import Call, History, Incomplete
from pointsman.venues.comparison import COMPARISON_TRIES, compare
from tests.scripted_adapter import ScriptedAdapter


async def compared(adapter: ScriptedAdapter, *heard: int) -> Snapshot:
    """What comes of a comparison from `c0` on. `heard` is what the stream has told by each look."""
    now_ns, told = count(7), iter(heard)

    async def read(call: Call) -> Any:
        answer = await adapter.call(call)
        if answer.status != 200:
            raise Incomplete(f"{call.route}: HTTP {answer.status}")
        return answer.body

    return await compare(adapter, read, "c0", lambda: next(now_ns), lambda: next(told, 0))


def routes(adapter: ScriptedAdapter) -> list[str]:
    return [call.route for call in adapter.calls]


async def test_fills_are_asked_again_last_and_quiet_makes_it_complete() -> None:
    adapter = ScriptedAdapter()
    snapshot = await compared(adapter)
    assert routes(adapter) == ["GET /fills", "GET /orders", "GET /positions", "GET /fills"]
    assert [call.params.get("cursor") for call in adapter.calls] == ["c0", None, None, "c1"]
    assert snapshot.is_complete
    assert (snapshot.fills_cursor, snapshot.missing) == ("c1", "")
    assert (snapshot.asked_at_ns, snapshot.taken_at_ns) == (7, 8)


async def test_rule_51_charges_come_with_their_comparison() -> None:
    adapter = ScriptedAdapter()
    charge = ChargePaid(charge_id="f1", amount=Decimal("-0.05"), ts_ns=5)
    adapter.histories.appendleft(History(charges=(charge,), cursor="c1"))
    assert (await compared(adapter)).charges == (charge,)


async def test_rule_51_charges_that_one_try_has_shown_come_with_the_one_that_succeeds() -> None:
    adapter = ScriptedAdapter()
    charge = ChargePaid(charge_id="f1", amount=Decimal("-0.05"), ts_ns=5)
    adapter.histories.appendleft(History(charges=(charge,), cursor="c1"))
    snapshot = await compared(adapter, 0, 1, 1, 1)
    assert snapshot.is_complete
    assert snapshot.charges == (charge,)
    assert len(adapter.calls) == 8


async def test_what_trades_meanwhile_has_it_asked_again_three_times_at_most() -> None:
    adapter = ScriptedAdapter()
    fill = VenueFill("t1", Decimal(1), Decimal(100), Decimal(0), 1)
    trade = VenueExecution("ABCDEF1E1", "v1", "XXX", Side.BUY, None, fill)
    adapter.histories[0] = History(trades=(trade,), cursor="c1")
    snapshot = await compared(adapter)
    assert not snapshot.is_complete
    assert (snapshot.open_orders, snapshot.holdings, snapshot.trades) == ((), (), ())
    assert (snapshot.fills_cursor, snapshot.asked_at_ns) == ("c0", 7)
    assert snapshot.missing == "something happened during each of 3 tries"
    assert routes(adapter).count("GET /fills") == 2 * COMPARISON_TRIES
