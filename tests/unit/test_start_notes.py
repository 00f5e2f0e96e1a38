"""Notes around a run: what a database, a calendar or a file will not do as the settings say."""

from decimal import Decimal
from pathlib import Path

from pointsman.config.settings import resolve_settings
from pointsman.config.tokens import with_tokens
from pointsman.domain.accounts import Account
from pointsman.market.layout import Layout
from pointsman.service.feeds import recorded_feed, simulated_feed
from pointsman.service.start_notes import (
    account_notes,
    instrument_notes,
    notes_before,
    notes_on_tokens,
)
from tests.unit.stored_samples import position

HELD = Account("VA001", Decimal(500_000), 0)


def test_an_edited_balance_is_said_not_to_be_taken() -> None:
    (told,) = account_notes({"VA001": Decimal(900_000)}, [HELD], [])
    assert "says VA001:900000, but VA001 was opened with 500000" in told
    assert "pointsman accounts deposit VA001" in told
    assert list(account_notes({"VA001": Decimal(500_000)}, [HELD], [position(1)])) == []


def test_an_account_that_was_removed_and_holds_something_is_named() -> None:
    (told,) = account_notes({"VA002": Decimal(1)}, [HELD], [position(1)])
    assert told.startswith("VA001 is not in VIRTUAL_ACCOUNTS and holds 10 XXX")
    assert list(account_notes({"VA002": Decimal(1)}, [HELD], [])) == []


def test_rule_59_names_of_the_instruments_file_without_quotes_are_pointed_out() -> None:
    told = list(instrument_notes(["AAPL", "BTCUSDT", "ETH/USDT"], ["AAPL", "BTC/USDT"]))
    assert told == [
        "INSTRUMENTS_FILE names BTCUSDT, and no quote is of that symbol; the quotes spell it"
        " BTC/USDT",
        "INSTRUMENTS_FILE names ETH/USDT, and no quote is of that symbol",
    ]


def test_a_year_that_the_calendar_does_not_know_is_said_before_the_run(tmp_path: Path) -> None:
    settings = resolve_settings(
        {"TRADING_CALENDAR": "XSHG", "TRADING_TIMEZONE": "Asia/Shanghai"}, None, {}
    ).settings
    told = {}
    for year in (2019, 2099):
        quotes = tmp_path / f"{year}.csv"
        row = f"{year}-06-05T02:00:00Z,AAPL,1.5,10,1.6,20"
        quotes.write_text(f"ts,symbol,bid,bid_size,ask,ask_size\n{row}\n")
        feed = recorded_feed((quotes,), Layout(), None, 0, settings)
        told[year] = notes_before(feed, settings, tmp_path / "none.db", 0)
    assert told[2019] == []
    assert "TRADING_CALENDAR XSHG does not know the year 2099" in told[2099][0]


def test_a_run_that_is_not_copied_says_so(tmp_path: Path) -> None:
    settings = resolve_settings({"REPLICATE_TO": "nats://127.0.0.1:9"}, None, {}).settings
    feed = simulated_feed(0, False, None, True, settings)
    (told,) = notes_before(feed, settings, tmp_path / "none.db", 0)
    assert told.startswith("REPLICATE_TO is not used")


def test_who_needs_a_token_is_said_and_where_tokens_are_but_never_one(tmp_path: Path) -> None:
    made = with_tokens(resolve_settings({"WEBHOOK_TOKEN": "w" * 20}, None, {}).settings, tmp_path)
    lines = [text for _, text, _ in notes_on_tokens("everybody needs a token", made)]
    assert lines[0] == "http: everybody needs a token"
    assert "w" * 20 not in str(list(notes_on_tokens("", made)))
