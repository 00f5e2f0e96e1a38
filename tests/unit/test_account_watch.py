"""What a real account holds in shadow is noted, and no book takes it in."""

from decimal import Decimal

from pointsman.domain.accounts import AccountReading
from pointsman.domain.venue_reports import AccountRead
from pointsman.execution.account_watch import on_account_read
from tests.story_database import lived_day


def test_a_reading_is_kept_and_changes_nothing_else() -> None:
    day = lived_day()
    books, now_ns = day.desk.books, day.desk.now_ns + 1
    before = (dict(books.positions), dict(books.externals), dict(books.accounts))
    event = AccountRead(holdings=(("XXX", Decimal("-7.5")),), open_orders=3)
    assert on_account_read(books, event, now_ns) == []
    assert list(books.take_changes()) == [AccountReading(now_ns, (("XXX", Decimal("-7.5")),), 3)]
    assert (books.positions, books.externals, books.accounts) == before
