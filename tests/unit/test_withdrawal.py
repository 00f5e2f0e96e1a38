"""Entries that are not wanted any more: cancelled, and once given up, for good."""

from pointsman.domain.events import EntryBreach, VenueWord
from tests.desk_stories import cancels, quote, report, tell
from tests.unit.test_order_manager import ENTRY, entered_desk


def test_an_entry_is_withdrawn_when_its_market_breaks_a_limit() -> None:
    desk = entered_desk()
    fine = tell(desk, EntryBreach("XXX", quote(desk.now_ns)))
    assert cancels(fine) == []
    wide = tell(desk, EntryBreach("XXX", quote(desk.now_ns, "99", "101")))
    assert cancels(wide) == [ENTRY]
    assert cancels(tell(desk, EntryBreach("XXX", None))) == [], "asked once"


def test_f74_an_entry_that_was_given_up_is_cancelled_again_when_it_shows() -> None:
    desk = entered_desk()
    tell(desk, EntryBreach("XXX", None))
    assert cancels(report(desk, ENTRY, VenueWord.ACCEPTED)) == [ENTRY]
