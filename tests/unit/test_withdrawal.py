"""Entries that are not wanted any more are cancelled, once."""

from pointsman.domain.events import EntryBreach
from tests.desk_stories import cancels, quote, tell
from tests.order_stories import entered_desk
from tests.unit.test_order_manager import ENTRY


def test_an_entry_is_withdrawn_when_its_market_breaks_a_limit() -> None:
    desk = entered_desk()
    fine = tell(desk, EntryBreach("XXX", quote(desk.now_ns)))
    assert cancels(fine) == []
    wide = tell(desk, EntryBreach("XXX", quote(desk.now_ns, "99", "101")))
    assert cancels(wide) == [ENTRY]
    assert cancels(tell(desk, EntryBreach("XXX", None))) == [], "asked once"
