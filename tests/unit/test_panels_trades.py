"""What a trade earned, and why it ended."""

from pointsman.dashboard.panels import trades
from tests.dashboard_pictures import LISTS, busy_picture
from tests.dashboard_rows import shown, told


def test_a_trade_says_what_it_earned_and_why_it_ended() -> None:
    won, lost = (shown(trades.COLUMNS, dict(row)) for row in LISTS.trades)
    assert (won["result"], won["because"]) == ("+33.10", "TAKE_PROFIT")
    assert (lost["entry"], lost["exit"], lost["held"]) == ("158.39", "155.22", "5 min")


def test_a_trade_says_what_it_earned_beside_all_of_the_newest() -> None:
    said = told("trades", dict(LISTS.trades[1]), busy_picture(), LISTS)
    assert said["result"] == "-64.65 after fees"
    assert said["exit"] == "155.22, STOP_LOSS"
    assert (said["together"], said["won"]) == ("-31.55", "1, on average +33.10")
