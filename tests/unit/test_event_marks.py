"""What an event shows of the market."""

from pointsman.domain.events import Event
from pointsman.execution.event_marks import BRINGS_MARK, BRINGS_QUOTE, BRINGS_STAMP
from tests.desk_stories import acknowledge, quote, ready_desk, send, signal, submits, trade


def test_an_invalid_quote_is_no_mark_to_judge_a_stop_by() -> None:
    """RULES 4: crossed quotes trigger nothing, however far they are."""
    desk = ready_desk()
    acknowledge(desk, step := send(desk, signal("a")))
    crossed = quote(desk.now_ns, "90", "89")
    (stop,) = submits(trade(desk, submits(step)[0].client_order_id, "10", mark=crossed))
    assert stop.client_order_id == "ABCDEF1S1"


def test_the_desk_looks_at_every_quote_and_stamp_that_an_event_brings() -> None:
    """An event with a new `mark`, `quote` or `ts_ns` has a row in the tables of these."""
    tables = {
        "mark": BRINGS_MARK,
        "quote": BRINGS_QUOTE,
        "ts_ns": BRINGS_STAMP,
    }
    for field, table in tables.items():
        having = {kind for kind in Event.__subclasses__() if field in kind.__struct_fields__}
        assert set(table) == having, field
