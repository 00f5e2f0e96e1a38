"""Posted quotes: each row as it stands or not at all, and nothing moves back."""

import json
from decimal import Decimal
from typing import Any

import pytest

from pointsman.domain.timestamps import SECOND_NS
from pointsman.execution.skipped_rows import SkippedRows
from pointsman.market.live_rows import LiveRows
from pointsman.market.posted import (
    ROWS_MAX,
    PostedQuotes,
    UnreadableBatch,
    csv_lines,
    json_lines,
    object_lines,
)

NOW_S = 1_767_609_000
HEADER = "ts,symbol,bid,bid_size,ask,ask_size"


def row(ts: int = NOW_S, **changes: Any) -> dict[str, Any]:
    whole = {"ts": ts, "symbol": "AAPL", "bid": "1", "bid_size": "5", "ask": "1.1", "ask_size": "5"}
    return whole | changes


def door() -> LiveRows:
    return LiveRows(lambda: NOW_S * SECOND_NS, SkippedRows())


def batch(*rows: object) -> str:
    return json.dumps({"quotes": rows})


def read(posted: PostedQuotes, *rows: object) -> tuple[list[int], list[tuple[int, str]]]:
    """The times of the good rows, in seconds, and the place and field of each bad one. What is good
    is taken."""
    found = posted.read(object_lines(batch(*rows)), NOW_S * SECOND_NS)
    posted.note(found.quotes, NOW_S * SECOND_NS)
    assert found.bad_rows == len(found.bad)
    times = [quote.ts_ns // SECOND_NS for quote in found.quotes]
    return times, [(bad.index, bad.field) for bad in found.bad]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ts": "yesterday"}, "ts"),
        ({"ts": "20260105"}, "ts"),
        ({"symbol": "A B"}, "symbol"),
        ({"symbol": 'A",1,2,"'}, "bid"),
        ({"bid": "1e15"}, "bid"),
        ({"bid": True}, "bid"),
        ({"ask": [1]}, "ask"),
        ({"ask_size": {"x": 1}}, "ask_size"),
        ({"bid": "1\n1,AAPL,1,1,1,1"}, "bid"),
    ],
)
def test_a_bad_row_is_named_and_skipped(changes: dict[str, Any], field: str) -> None:
    times, bad = read(PostedQuotes(door()), row(), row(**changes), row(NOW_S + 1))
    if field == "bid" and "symbol" in changes:
        assert times == [NOW_S, NOW_S, NOW_S + 1], "what is odd but printable is a symbol"
    else:
        assert (times, bad) == ([NOW_S, NOW_S + 1], [(1, field)])


def test_a_row_that_lacks_a_field_is_bad_and_one_without_a_price_is_an_invalid_quote() -> None:
    posted = PostedQuotes(door())
    lacking = {name: value for name, value in row().items() if name != "bid"}
    assert read(posted, lacking, 7, None) == ([], [(0, "row"), (1, "row"), (2, "row")])
    (quote,) = posted.read(object_lines(batch(row(bid=None))), NOW_S * SECOND_NS).quotes
    assert not quote.is_valid


def test_numbers_arrive_exactly() -> None:
    text = (
        '{"quotes":[{"ts":1767609000,"symbol":"x","bid":0.1,"bid_size":1,"ask":0.30,"ask_size":1}]}'
    )
    (quote,) = PostedQuotes(door()).read(object_lines(text), NOW_S * SECOND_NS).quotes
    assert (quote.symbol, quote.bid, str(quote.ask)) == ("X", Decimal("0.1"), "0.30")


def test_rule_59_numbers_that_passed_through_floats_lose_their_noise() -> None:
    noisy: dict[str, Any] = {
        "ts": 1767609000.0,
        "bid": "1.5799999999999998e2",
        "ask": 158.00000000000003,
    }
    (quote,) = (
        PostedQuotes(door()).read(object_lines(batch(row(**noisy))), NOW_S * SECOND_NS).quotes
    )
    assert (quote.ts_ns, quote.bid, quote.ask) == (NOW_S * SECOND_NS, 158, 158)


def test_a_batch_is_sorted_and_no_symbol_goes_back_when_one_is_sent_again() -> None:
    posted = PostedQuotes(door())
    assert read(posted, row(NOW_S), row(NOW_S + 1), row(NOW_S)) == (
        [NOW_S, NOW_S + 1],
        [(2, "ts")],
    )
    assert read(posted, row(NOW_S), row(NOW_S + 1)) == ([NOW_S + 1], [(0, "ts")])
    assert read(posted, row(NOW_S, symbol="MSFT")) == ([NOW_S], [])


def test_what_was_not_taken_is_not_remembered() -> None:
    posted = PostedQuotes(door())
    posted.read(object_lines(batch(row(NOW_S + 9))), NOW_S * SECOND_NS)
    assert read(posted, row(NOW_S)) == ([NOW_S], [])


def test_a_stamp_far_ahead_would_make_all_true_ones_look_old() -> None:
    assert read(PostedQuotes(door()), row(NOW_S + 60), row(NOW_S + 61)) == (
        [NOW_S + 60],
        [(1, "ts")],
    )


def test_the_three_forms_say_the_same() -> None:
    rows = [row(), row(NOW_S + 1, symbol="BTC/USDT")]
    csv = "\r\n".join([HEADER, *(",".join(str(cell) for cell in r.values()) for r in rows)])
    forms = [
        object_lines(batch(*rows)),
        json_lines("\n\n".join(map(json.dumps, rows))),
        csv_lines(csv + "\r\n"),
    ]
    found = [PostedQuotes(door()).read(lines, NOW_S * SECOND_NS) for lines in forms]
    assert found[0] == found[1] == found[2]
    assert len(found[0].quotes) == 2


def test_a_line_that_is_no_json_is_bad_alone() -> None:
    lines = json_lines(f"rubbish\n{json.dumps(row())}")
    found = PostedQuotes(door()).read(lines, NOW_S * SECOND_NS)
    assert (len(found.quotes), found.bad[0].index) == (1, 0)


def test_of_many_bad_rows_the_first_are_told_and_all_counted() -> None:
    found = PostedQuotes(door()).read(object_lines(batch(*[{}] * 30)), NOW_S * SECOND_NS)
    assert ([bad.index for bad in found.bad], found.bad_rows) == (list(range(20)), 30)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"quotes": {}}', "[" * 50_000, '{"quotes": [{"a": 1, "a": 1}]}']
)
def test_a_batch_that_is_none(text: str) -> None:
    with pytest.raises(UnreadableBatch):
        object_lines(text)


def test_a_batch_that_is_too_long_or_lacks_a_header() -> None:
    posted = PostedQuotes(door())
    for lines in (object_lines(batch(*[row()] * (ROWS_MAX + 1))), csv_lines("ts,symbol\n")):
        with pytest.raises(UnreadableBatch):
            posted.read(lines, NOW_S * SECOND_NS)
    assert len(read(posted, *[row()] * ROWS_MAX)[0]) == ROWS_MAX


def test_the_quotes_of_a_symbol_are_those_of_one_exchange() -> None:
    posted = PostedQuotes(door())
    assert read(posted, row(symbol="NYSE:INFY")) == ([NOW_S], [])
    assert read(posted, row(symbol="NSE:INFY"), row(symbol="INFY"))[1] == [(0, "symbol")]
    assert read(posted, row(symbol="nyse:INFY"), row(symbol="NSE:OTHER"))[1] == []
