"""What Alpaca's messages about quotes mean, from texts alone."""

import json
from collections.abc import Sequence
from decimal import Decimal

import pytest
from pydantic import SecretStr

from pointsman.domain.market import Quote
from pointsman.domain.timestamps import parse_ts
from pointsman.market.venue_quotes.alpaca import AlpacaQuotes, venue_symbol
from pointsman.market.venue_quotes.stream import (
    Accepted,
    Heard,
    Login,
    Opened,
    Refused,
    UnreadableMessage,
)

AT = "2026-01-05T14:30:01.335689322Z"
LATER = "2026-01-05T14:30:02.5Z"


def stream() -> AlpacaQuotes:
    return AlpacaQuotes(Login(SecretStr("K-ey"), SecretStr("S-ecret")))


def told(bid: str = "193.71", ask: str = "193.73", at: str = AT) -> str:
    """A quote as the venue writes it: numbers are no texts."""
    return (
        f'[{{"T":"q","S":"AAPL","bx":"V","bp":{bid},"bs":300,"ax":"V","ap":{ask},"as":200,'
        f'"c":["R"],"z":"C","t":"{at}"}}]'
    )


def status(code: str, at: str = LATER) -> str:
    return json.dumps([{"T": "s", "S": "AAPL", "sc": code, "sm": "x", "rc": "", "t": at}])


def quotes(heard: Sequence[Heard]) -> list[Quote]:
    return [each for each in heard if isinstance(each, Quote)]


@pytest.mark.parametrize(("symbol", "name"), [("AAPL", "AAPL"), ("BRK.B", "BRK.B"), ("A/B", None)])
def test_symbols_are_those_of_shares(symbol: str, name: str | None) -> None:
    assert venue_symbol(symbol) == name


def test_it_shows_its_key_first_and_asks_once_it_is_let_in() -> None:
    alpaca = stream()
    (auth,) = alpaca.opening()
    assert json.loads(auth) == {"action": "auth", "key": "K-ey", "secret": "S-ecret"}
    assert alpaca.read('[{"T":"success","msg":"connected"}]') == []
    assert alpaca.read('[{"T":"success","msg":"authenticated"}]') == [Opened()]
    (asked,) = alpaca.subscribe(["AAPL", "MSFT"])
    names = ["AAPL", "MSFT"]
    assert json.loads(asked) == {"action": "subscribe", "quotes": names, "statuses": names}
    assert alpaca.read('[{"T":"subscription","quotes":["AAPL"],"trades":[]}]') == [Accepted()]
    assert alpaca.ping("1") == ""


def test_a_quote_is_read_exactly_to_the_nanosecond() -> None:
    (quote,) = stream().read(told(bid="193.7100"))
    assert quote == Quote(
        symbol="AAPL",
        ts_ns=parse_ts("2026-01-05T14:30:01Z") + 335_689_322,
        bid=Decimal("193.71"),
        bid_size=Decimal(300),
        ask=Decimal("193.73"),
        ask_size=Decimal(200),
    )


def test_several_messages_in_one_are_taken_in_their_order() -> None:
    both = told()[:-1] + "," + told(bid="193.72", at=LATER)[1:]
    assert [str(quote.bid) for quote in quotes(stream().read(both))] == ["193.71", "193.72"]


@pytest.mark.parametrize(("bid", "ask"), [("0", "193.73"), ("193.71", "0"), ("0", "0")])
def test_rule_4_one_side_alone_is_an_invalid_quote(bid: str, ask: str) -> None:
    (quote,) = quotes(stream().read(told(bid, ask)))
    assert not quote.is_valid


@pytest.mark.parametrize(("halt", "resume"), [("H", "T"), ("P", "T"), ("2", "3")])
def test_rule_4_while_a_share_is_halted_no_quote_of_it_is_valid(halt: str, resume: str) -> None:
    alpaca = stream()
    alpaca.read(told())
    (halted,) = quotes(alpaca.read(status(halt)))
    assert (halted.is_valid, halted.ts_ns) == (False, parse_ts(LATER))
    assert alpaca.read(status(halt)) == [], "it is known"
    assert not quotes(alpaca.read(told(at=LATER)))[0].is_valid
    assert alpaca.read(status("Q")) == [], "quotes are given again, trades are not"
    assert not quotes(alpaca.read(told(at=LATER)))[0].is_valid
    assert alpaca.read(status(resume)) == []
    assert quotes(alpaca.read(told(at=LATER)))[0].is_valid


def test_a_halt_before_any_quote_is_known_when_one_comes() -> None:
    alpaca = stream()
    assert alpaca.read(status("H")) == []
    assert not quotes(alpaca.read(told()))[0].is_valid


@pytest.mark.parametrize(
    ("code", "ends"), [(402, True), (406, True), (401, True), (405, False), (400, False)]
)
def test_an_error_is_told_and_ends_the_connection_where_nothing_will_come(
    code: int, ends: bool
) -> None:
    text = f'[{{"T":"error","code":{code},"msg":"no"}}]'
    assert stream().read(text) == [Refused(told=f"{code} no", ends_connection=ends)]


def test_trades_and_bars_mean_nothing() -> None:
    assert stream().read('[{"T":"t","S":"AAPL","p":1,"s":1,"t":"x"},{"T":"b","S":"AAPL"}]') == []


@pytest.mark.parametrize("text", ["", "{}", "[1]", told(bid="null"), told(at="yesterday")])
def test_what_cannot_be_read_is_said_without_the_key(text: str) -> None:
    with pytest.raises(UnreadableMessage) as unreadable:
        stream().read(text)
    assert "S-ecret" not in str(unreadable.value)
