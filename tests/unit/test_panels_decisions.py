"""Why a signal was refused, in numbers, and how often each reason refuses."""

import pytest

from pointsman.dashboard.panels.decisions import columns as decision_columns
from pointsman.dashboard.panels.decisions import histogram
from tests.dashboard_pictures import DECISIONS, LISTS, busy_picture, decision, picture, refusal
from tests.dashboard_rows import lines, shown

REFUSED = {
    "demo-0008": ("SPREAD", "14.2214 bps", "at most 10 bps"),
    "demo-0006": ("SYMBOL_LOCKED", "MSFT", "only AAPL"),
    "demo-0005": ("LATENCY", "3,900 ms", "at most 500 ms"),
    "demo-0003": ("OUTSIDE_WINDOW", "09:29", "09:30 to 16:00"),
}


@pytest.mark.parametrize("signal_id", REFUSED)
def test_a_refusal_says_what_was_measured_against_what(signal_id: str) -> None:
    (found,) = [each for each in DECISIONS if each["signal_id"] == signal_id]
    row = shown(decision_columns("America/New_York"), found)
    assert (row["result"], row["measured"], row["must be"]) == REFUSED[signal_id]
    assert row["meaning"].endswith(".")


def test_of_a_cooldown_whole_seconds_are_shown() -> None:
    row = refusal("x", "COOLDOWN", "234.536", "0", "s left")
    assert shown(decision_columns("UTC"), row)["measured"] == "234 s"


def test_basis_points_have_one_format() -> None:
    row = refusal("x", "SLIPPAGE", "30.32", "5.0", "bps")
    assert shown(decision_columns("UTC"), row)["measured"] == "30.3200 bps"


def test_an_acceptance_has_nothing_to_explain() -> None:
    row = shown(decision_columns("UTC"), decision("x", side="", quantity=None))
    assert (row["result"], row["measured"], row["must be"], row["qty"]) == ("accepted", "", "", "")


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


def test_where_all_of_today_is_known_its_reasons_are_counted() -> None:
    assert lines("decisions", DECISIONS[1], busy_picture(), LISTS)[-3:] == [
        "Why refused, today",
        ">SPREAD              ██████████ 2",
        " COOLDOWN            █████ 1",
    ]


def test_what_has_no_line_of_its_own_is_summed_up_in_the_last_one() -> None:
    counts = {"SPREAD": 20, "LATENCY": 10, "COOLDOWN": 3, "KILLED": 2}
    assert [line.plain for line in histogram(counts, 3, 4)] == [
        " SPREAD              ████ 20",
        " LATENCY             ██ 10",
        " 2 more reasons: 5",
    ]
    assert len(list(histogram(counts, 4, 4))) == 4
