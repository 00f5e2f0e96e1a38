"""What VAs were worth when they were last looked at."""

from decimal import Decimal

from pointsman.execution.last_worth import LastWorth


def test_the_sum_of_what_is_held_follows_every_look_and_only_news_is_news() -> None:
    worth = LastWorth()
    worth.look("A", Decimal(10), is_holding=True)
    worth.look("B", Decimal(5), is_holding=True)
    worth.look("A", Decimal(7), is_holding=True)
    assert (worth.held_value, worth.known) == (12, 2)
    worth.look("B", Decimal(0), is_holding=False)
    assert (worth.held_value, worth.known) == (7, 1)
    news = [worth.is_news("A", Decimal(equity)) for equity in (1, 1, 2, 1)]
    assert news == [True, False, True, True]
