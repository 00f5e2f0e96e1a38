"""What is known of the real venues: data that settings and adapters share."""

import pytest

from pointsman.config.known_venues import KNOWN_VENUES, PAPER


def test_rule_35_the_venues_are_those_of_the_contract() -> None:
    assert list(KNOWN_VENUES) == ["binanceusdm", "bybit", "alpaca"]
    assert PAPER not in KNOWN_VENUES


@pytest.mark.parametrize("name", KNOWN_VENUES)
def test_an_example_is_a_symbol_of_its_venue(name: str) -> None:
    venue = KNOWN_VENUES[name]
    assert venue.name == name
    assert venue.trades(venue.example)


@pytest.mark.parametrize(
    ("name", "symbol", "is_traded"),
    [
        ("binanceusdm", "ETH/USDC:USDC", True),
        ("binanceusdm", "BTC/USDT", False),
        ("binanceusdm", "BTC/USD:BTC", False),
        ("binanceusdm", "BTCUSDT", False),
        ("bybit", "1000PEPE/USDT:USDT", True),
        ("bybit", "AAPL", False),
        ("alpaca", "BRK.B", True),
        ("alpaca", "BTC/USD", False),
        ("alpaca", "aapl", False),
    ],
)
def test_a_symbol_of_another_market_is_known_by_its_form(
    name: str, symbol: str, is_traded: bool
) -> None:
    assert KNOWN_VENUES[name].trades(symbol) is is_traded


@pytest.mark.parametrize("name", KNOWN_VENUES)
def test_rule_49_no_host_that_takes_orders_is_of_the_sandbox_and_of_real_money(name: str) -> None:
    venue = KNOWN_VENUES[name]
    common = venue.sandbox_hosts & venue.live_hosts
    assert all("data." in host for host in common), "only market data may be the same"
    assert venue.sandbox_hosts - common
    assert venue.live_hosts - common
    for hosts in (venue.sandbox_hosts, venue.live_hosts):
        assert all(host == host.lower() and "/" not in host for host in hosts)
