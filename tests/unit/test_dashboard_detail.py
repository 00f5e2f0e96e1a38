"""The pane beside the panels says what there is to know of a row, and nothing beyond that."""

import pytest

from pointsman.dashboard.cells import with_limits
from pointsman.dashboard.detail import describe
from tests.dashboard_pictures import (
    DECISIONS,
    INCIDENTS,
    NOW_NS,
    POSITIONS,
    SECOND_NS,
    Document,
    account,
    busy_picture,
    picture,
    position,
)

ZONE = "America/New_York"


def told(kind: str, row: Document, shown: Document | None = None) -> dict[str, str]:
    """What is said of a row: of each figure by its name, and other lines by themselves."""
    _, text = describe(kind, row, shown or busy_picture(), ZONE)
    lines = [line for line in text.plain.split("\n") if line]
    return {line[:14].strip(): line[14:] for line in lines}


def lines(kind: str, row: Document, shown: Document | None = None) -> list[str]:
    return describe(kind, row, shown or busy_picture(), ZONE)[1].plain.split("\n")


def of_account(va_id: str) -> Document:
    shown = busy_picture()
    (found,) = [row for row in with_limits(shown) if row["va_id"] == va_id]
    return dict(found)


def test_an_account_shows_how_much_of_each_limit_is_used() -> None:
    said = told("accounts", of_account("VA002"))
    assert said["daily loss"] == "█████░░░░░  57%  286.92 of 500"
    assert said["drawdown"] == "████████░░  80%  1.2 of 1.5%"
    assert said["position size"] == "░░░░░░░░░░   0%  0.00 of 10,000"
    assert said["positions"] == "░░░░░░░░░░   0%  0 of 5"
    assert said["loss streak"] == "██████████ 100%  3 of 3"
    assert said["entries today"] == "7, no limit"


def test_a_limit_of_its_own_that_is_off_is_no_limit() -> None:
    said = told("accounts", of_account("VA003"))
    assert said["daily loss"] == "0.00, no limit"
    assert said["positions"].endswith("1 of 5")


def test_a_cooldown_shrinks() -> None:
    row = of_account("VA002")
    assert lines("accounts", row)[:2] == [
        "may not enter: cooldown, 212 s",
        "It ends by itself.",
    ]
    assert told("accounts", row)["cooldown"] == "███████░░░  212 of 300 s left"
    later = busy_picture() | {"now_ns": NOW_NS + 200 * SECOND_NS}
    assert told("accounts", row, later)["cooldown"] == "█░░░░░░░░░  12 of 300 s left"


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
    (row, *_) = with_limits(old)
    assert "limit" not in "\n".join(lines("accounts", dict(row), old))


def test_an_account_shows_its_newest_decisions_alone() -> None:
    said = lines("accounts", of_account("VA001"))
    assert said[-5:][1] == "14:31:04 buy AAPL  SPREAD"
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


def test_a_refusal_says_what_was_measured_and_what_it_had_to_be() -> None:
    assert lines("decisions", DECISIONS[1], picture()) == [
        "14:31:04 buy AAPL  SPREAD",
        "The spread is too wide.",
        "measured      14.2214 bps",
        "must be       at most 10 bps",
    ]
    assert lines("decisions", DECISIONS[0], picture()) == ["14:31:04 buy 100 AAPL  accepted"]


def test_the_reasons_of_refusals_are_counted_the_most_frequent_first() -> None:
    rows = [DECISIONS[2], *[DECISIONS[1]] * 4, DECISIONS[0]]
    assert lines("decisions", DECISIONS[2], picture(decisions=rows))[-3:] == [
        "Why refused, of the newest 6",
        " SPREAD              ██████████ 4",
        ">COOLDOWN            ███ 1",
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
    title, text = describe(kind, row, busy_picture(), ZONE)
    assert "\x1b" not in title + text.plain
