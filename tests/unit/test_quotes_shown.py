"""The quotes that are shown: what entries are judged on now, and those of what is held first."""

import pytest

from pointsman.engine import quotes_shown
from tests import desk_stories as told
from tests.engine_stories import begin


def test_a_quote_is_shown_with_its_age_and_spread() -> None:
    loop = begin().loop
    now_ns = loop.now_ns + 3 * told.SECOND_NS
    loop.view.quotes.update(told.quote(now_ns - 40 * 10**6))
    assert quotes_shown.quotes_shown(loop, now_ns) == [
        {
            "symbol": "XXX",
            "bid": "99.99",
            "ask": "100.01",
            "spread_bps": "2.0000",
            "age_ms": 40,
            "price_decimals": 2,
        }
    ]


def test_a_quote_that_is_not_valid_has_no_price() -> None:
    loop = begin().loop
    loop.view.quotes.update(told.quote(loop.now_ns, bid="101", ask="100"))
    (shown,) = quotes_shown.quotes_shown(loop, loop.now_ns - told.SECOND_NS)
    assert (shown["bid"], shown["ask"], shown["spread_bps"], shown["age_ms"]) == (
        None,
        None,
        None,
        0,
    )


def test_what_is_held_comes_first_where_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = begin().loop
    for symbol in ("AAA", "BBB"):
        loop.view.quotes.update(told.quote(loop.now_ns, symbol=symbol))
    monkeypatch.setattr(quotes_shown, "SYMBOLS_MAX", 2)
    monkeypatch.setattr(loop.view, "is_held", lambda symbol: symbol == "BBB")
    found = [row["symbol"] for row in quotes_shown.quotes_shown(loop, loop.now_ns)]
    assert found == ["BBB", "XXX"]
