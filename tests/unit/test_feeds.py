"""Feeds: what drives a run, and which data it is."""

from itertools import islice
from pathlib import Path

import pytest

from pointsman.config.settings import Settings, resolve_settings
from pointsman.domain.timestamps import SECOND_NS
from pointsman.market.layout import Layout
from pointsman.market.lines import UnreadableFile
from pointsman.service import feeds
from pointsman.service.feeds import FIRST_DAY_NS, arriving_feed, recorded_feed, simulated_feed


def settings(**names: str) -> Settings:
    return resolve_settings(names, None, {}).settings


@pytest.fixture
def signals(tmp_path: Path) -> Path:
    path = tmp_path / "signals.jsonl"
    path.write_text('{"signal_id":"a","va_id":"VA001","symbol":"AAPL","side":"buy","quantity":1}\n')
    return path


def test_rule_6_the_simulated_market_opens_with_the_first_window_on_every_start() -> None:
    feed = simulated_feed(0, True, None, True, settings())
    first = next(feed.quotes(0))
    assert feed.begins_ns is not None
    assert 0 <= feed.begins_ns - first.ts_ns < SECOND_NS
    assert FIRST_DAY_NS < feed.begins_ns < FIRST_DAY_NS + 24 * 3600 * SECOND_NS
    assert next(iter(feed.lines(0, 0))).line == 1


def test_rule_6_it_goes_on_at_the_same_prices() -> None:
    feed = simulated_feed(3, False, None, True, settings())
    quotes = list(islice(feed.quotes(0), 2000))
    resume_ns = quotes[1500].ts_ns
    again = [quote for quote in islice(feed.quotes(resume_ns), 2000) if quote.ts_ns > resume_ns]
    assert again[:400] == [quote for quote in quotes if quote.ts_ns > resume_ns][:400]


def test_a_lasting_database_outlives_a_change_of_settings_but_not_of_the_seed() -> None:
    def identity(seed: int, is_lasting: bool, **names: str) -> object:
        return simulated_feed(seed, True, None, is_lasting, settings(**names)).identity

    assert identity(1, True) == identity(1, True, TRADING_WINDOW_START="08:00", MAX_SPREAD_BPS="9")
    assert identity(1, True) != identity(2, True)
    assert identity(1, False) != identity(1, False, MAX_SPREAD_BPS="9")


def test_signals_of_a_file_have_a_place_of_their_own_in_the_journal(signals: Path) -> None:
    sources = {
        simulated_feed(0, True, None, True, settings()).source,
        simulated_feed(0, False, signals, True, settings()).source,
        feeds.recorded_feed((), Layout(), signals, 0, settings()).source,
    }
    assert len(sources) == 3


def test_quotes_that_arrive_are_never_at_their_end(signals: Path) -> None:
    feed = arriving_feed("x", signals, 7)
    tape = feed.tape(0, 0)
    assert (tape.next_quote_ns(), tape.next_signal_ns()) == (None, 0)
    tape.take_signal()
    assert not tape.is_over
    assert (feed.begins_ns, feed.identity, feed.is_lasting) == (7, None, True)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"none\.jsonl"):
        arriving_feed("x", tmp_path / "none.jsonl", 0)


def test_a_line_that_is_no_signal_is_told_with_its_file_line_field_and_value(
    tmp_path: Path,
) -> None:
    quotes, signals = tmp_path / "quotes.csv", tmp_path / "signals.jsonl"
    quotes.write_text("ts,symbol,bid,bid_size,ask,ask_size\n2026-01-05T14:30:00Z,XXX,1,1,2,1\n")
    signals.write_text(
        '{"signal_id":"a","va_id":"VA001","symbol":"XXX","side":"buy","quantity":0}\n'
    )
    feed = recorded_feed((quotes,), Layout(), signals, 0, settings())
    assert len(list(feed.lines(0, 0))) == 1
    assert feed.told_bad_rows() == (f"{signals}:1: quantity='0': send a number above zero",)
