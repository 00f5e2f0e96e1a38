"""Equity becomes thin with age (RULES 53)."""

from contextlib import closing
from decimal import Decimal
from pathlib import Path

from pointsman.reading.equity import Span, read_equity
from pointsman.storage.journal import fold
from pointsman.storage.reader import open_as_stored, open_reader
from pointsman.storage.thinning import HOUR_NS, WHOLE_NS
from tests.desk_stories import SECOND_NS
from tests.unit.test_equity import point, stored

MINUTE_NS = 60 * SECOND_NS


def test_rule_53_of_what_is_older_than_90_days_one_an_hour_stays_and_the_journal_agrees(
    tmp_path: Path,
) -> None:
    first = 1_000 * HOUR_NS
    old = [point(first + minute * MINUTE_NS, str(100 + minute), "VA1") for minute in range(150)]
    new = [point(first + WHOLE_NS + 2 * HOUR_NS + 1, "9", "VA1")]
    path = stored(tmp_path / "a.db", *old, *new)
    with closing(open_reader(path)) as connection:
        points = read_equity(connection, Span("VA1"))
    assert [each.equity for each in points] == [
        *(Decimal(each) for each in (159, 219)),
        *(Decimal(100 + minute) for minute in range(120, 150)),
        Decimal(9),
    ]
    with closing(open_as_stored(path)) as connection:
        assert fold(connection) is None
