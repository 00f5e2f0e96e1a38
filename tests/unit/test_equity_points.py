"""Which points of equity are kept (RULES 53)."""

from pointsman.domain.accounts import EquityPoint
from tests.desk_stories import SECOND_NS, VA
from tests.engine_stories import Story, begin, traded

MINUTE_NS = 60 * SECOND_NS
DAY_NS = 86_400 * SECOND_NS


def kept(story: Story, va_id: str = VA) -> list[EquityPoint]:
    changes = [change for entry in story.memory.entries for change in entry.changes]
    return [each for each in changes if isinstance(each, EquityPoint) and each.va_id == va_id]


def test_rule_53_a_point_a_minute_while_something_is_held_and_one_at_the_close() -> None:
    story = begin()
    (opened,) = kept(story)
    story.enter()
    for step in range(9):
        story.pass_time(20 * SECOND_NS)
        story.show(f"100.{step:02}", f"100.{step + 2:02}")
        story.pass_time(SECOND_NS)
    minutes = [point.at_ns // MINUTE_NS for point in kept(story)[1:]]
    assert len(minutes) == len(set(minutes))
    assert max(minutes) - min(minutes) + 1 == len(minutes)
    held = len(kept(story))
    books = story.loop.desk.books
    (stop,) = books.orders.values()
    story.say(traded(stop, "10", "98"))
    account = books.accounts[VA]
    closed = kept(story)[-1]
    assert len(kept(story)) == held + 1
    assert (closed.equity, account.trades) == (account.cash, 1)
    assert closed.equity != opened.equity
    assert kept(story, "")[-1].equity == books.total_cash
    assert [point.drawdown for point in kept(story, "")] == [None] * len(kept(story, ""))


def test_rule_66_what_is_worth_the_same_is_not_kept_again() -> None:
    story = begin()
    story.enter()
    story.pass_time(2 * MINUTE_NS)
    before = len(kept(story))
    story.pass_time(DAY_NS)
    assert len(kept(story)) == before
