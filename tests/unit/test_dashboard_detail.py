"""The pane beside the panels says what there is to know of a row, and nothing beyond that."""

import pytest

from pointsman.dashboard.curves import Curves
from pointsman.dashboard.panels import (
    market,
)
from pointsman.dashboard.panels.accounts import with_limits
from tests.dashboard_pictures import (
    DECISIONS,
    INCIDENTS,
    LISTS,
    NOW_NS,
    POSITIONS,
    SECOND_NS,
    Document,
    account,
    busy_picture,
    picture,
    position,
)
from tests.dashboard_rows import describe, lines, told

ZONE = "America/New_York"


def of_account(va_id: str) -> Document:
    shown = busy_picture()
    (found,) = [row for row in with_limits(shown, Curves()) if row["va_id"] == va_id]
    return dict(found)


def test_an_account_shows_how_much_of_each_limit_is_used() -> None:
    said = told("accounts", of_account("VA002"))
    assert said["daily loss"] == "━━━━━─────  57%  286.92 of 500"
    assert said["drawdown"] == "━━━━━━━━──  80%  1.21 of 1.5%"
    assert said["position size"] == "──────────   0%  0.00 of 10,000"
    assert said["positions"] == "──────────   0%  0 of 5"
    assert said["loss streak"] == "━━━━━━━━━━ 100%  3 of 3"
    assert said["entries today"] == "7, no limit"


def test_a_limit_of_its_own_that_is_off_is_no_limit() -> None:
    said = told("accounts", of_account("VA003"))
    assert said["daily loss"] == "0.00, no limit"
    assert said["positions"].endswith("1 of 5")


def test_a_cooldown_shrinks() -> None:
    row = of_account("VA002")
    assert lines("accounts", row)[:2] == [
        "may not enter: cooldown 3:32",
        "It ends by itself.",
    ]
    assert told("accounts", row)["cooldown"] == "━━━━━━━━━━━━━━──────  3:32 of 5:00"
    later = busy_picture() | {"now_ns": NOW_NS + 200 * SECOND_NS}
    assert told("accounts", row, later)["cooldown"] == "━───────────────────  0:12 of 5:00"


@pytest.mark.parametrize(
    ("status", "what"),
    [
        ("killed", "rearm"),
        ("paused", "p resumes it"),
        ("frozen", "p lifts it"),
        ("stopped", "p resumes it"),
    ],
)
def test_an_account_that_may_not_enter_says_what_ends_it(status: str, what: str) -> None:
    row = account("VA001", status=status, status_text=f"{status}: OVERFILL")
    first, second = lines("accounts", row)[:2]
    assert first.startswith("may not enter: ")
    assert what in second


def test_of_an_engine_that_does_not_tell_limits_none_is_claimed() -> None:
    old = {name: value for name, value in picture().items() if name != "limits_by_va"}
    (row, *_) = with_limits(old, Curves())
    assert "limit" not in "\n".join(lines("accounts", dict(row), old))


def test_an_account_shows_its_newest_decisions_alone() -> None:
    said = lines("accounts", of_account("VA001"))
    assert said[-4:][1] == "14:31:04 buy AAPL  SPREAD"
    assert lines("accounts", of_account("VA002"))[-1] == "none yet"


def test_a_position_says_what_its_stop_would_cost() -> None:
    said = told("positions", position(11, take_profit="165"))
    assert said["unrealized"] == "+32.00"
    assert said["at its stop"] == "-317.00 before fees"
    assert (said["stop is"], said["target"]) == ("confirmed", "165.00")
    assert said["held for"] == "1 min, since 14:29:30"
    short = told("positions", POSITIONS[2])
    assert short["at its stop"] == "-10.53 before fees"
    assert told("positions", position(11, mark=None))["now"] == "none"


def test_an_account_shows_its_last_trades() -> None:
    said = lines("accounts", of_account("VA001"), busy_picture(), LISTS)
    at = said.index("Its last trades")
    assert said[at + 1] == "14:25:00 AAPL long  +33.10  TAKE_PROFIT"
    assert "Its last trades" not in lines("accounts", of_account("VA002"), None, LISTS)


def test_an_order_says_how_it_stands_and_what_it_is_for() -> None:
    unknown, stop, entry = LISTS.orders
    assert lines("orders", dict(stop))[:3] == [
        "sell 100 AAPL at 155.22",
        "for           stop of position 11, VA001",
        "status        ACCEPTED",
    ]
    assert told("orders", dict(unknown))["at the venue"] == "not confirmed"
    assert told("orders", dict(entry))["filled"] == "━━━━━━━━━━  100"


REAL = {"name": "alpaca", "account": "PA1", "is_real_money": False, "label": "alpaca PA1"}


def test_a_symbol_says_what_its_spread_and_age_are_beside_their_limits() -> None:
    rows = market.quotes_of(busy_picture(), Curves())
    said = told("market", dict(rows[1]))
    assert said["price"] == "42,990.5"
    assert said["spread"] == "━━━━━━━━━━ 136%  13.7 of 10 bps"
    assert said["age"] == "━━━━━━━━━━ 428%  2,140 of 500 ms"
    assert "requests" not in said


def test_a_real_venue_shows_what_of_its_connection_is_down_and_its_budget() -> None:
    shown = busy_picture(venue=REAL)
    links = [
        {"link": "requests", "is_up": True, "down_ms": 0, "detail": ""},
        {"link": "account_stream", "is_up": False, "down_ms": 12_000, "detail": "closed"},
    ]
    budget = {"requests_per_minute": 200, "left": 50}
    shown["health"] |= {"venue_links": links, "venue_budget": budget}
    said = lines("market", dict(market.quotes_of(shown, Curves())[0]), shown)
    assert said[-3:] == [
        "requests      up",
        "account_streamDOWN 12.0 s: closed",
        "requests      ━━━━━━━───  75%  150 of 200 in a minute",
    ]


def test_an_incident_says_what_its_kind_means_and_its_detail() -> None:
    assert lines("incidents", INCIDENTS[0]) == [
        "14:31:03 NAKED_POSITION",
        "VA003 BTC/USDT",
        "A position had no confirmed stop for longer than the protection deadline.",
        "position 13 closed at market",
    ]


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("accounts", account("VA1\x1b[2J", status_text="\x1b[2J")),
        ("positions", position(1, symbol="\x1b[2J")),
        ("decisions", DECISIONS[0] | {"signal_id": "\x1b[2J"}),
        ("incidents", INCIDENTS[0] | {"detail": "\x1b[2J"}),
    ],
)
def test_text_from_outside_cannot_steer_the_terminal(kind: str, row: Document) -> None:
    # A title is made printable where it is shown.
    _, text = describe(kind, row, busy_picture())
    assert "\x1b" not in text
