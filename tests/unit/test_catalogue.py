"""What venues can do, as data that adapters and `venue list` share."""

from urllib.parse import urlsplit

import pytest

from pointsman.config.known_venues import KNOWN_VENUES, PAPER
from pointsman.domain.policy import PositionMode
from pointsman.engine.open_venue import ADAPTERS
from pointsman.venues.alpaca import adapter as alpaca_adapter
from pointsman.venues.bybit import stream as bybit_stream
from pointsman.venues.catalogue import CATALOGUE


def test_every_venue_that_can_be_set_is_in_it_and_no_other() -> None:
    assert set(CATALOGUE) == {PAPER, *KNOWN_VENUES}
    assert set(ADAPTERS) <= set(KNOWN_VENUES)


def test_a_mode_that_is_fixed_is_the_only_one_that_the_settings_accept() -> None:
    for name, venue in KNOWN_VENUES.items():
        fixed = CATALOGUE[name].position_mode
        assert fixed is None or venue.position_modes == (fixed,)
    assert CATALOGUE["alpaca"].position_mode is PositionMode.NET


def test_a_real_venue_says_what_becomes_of_an_exit_that_is_too_large() -> None:
    assert all(CATALOGUE[name].reduce_only is not None for name in KNOWN_VENUES)
    assert not any(CATALOGUE[name].requests_end_with_session for name in KNOWN_VENUES)


@pytest.mark.parametrize(
    ("name", "sandbox", "live"),
    [
        ("alpaca", alpaca_adapter._SANDBOX, alpaca_adapter._LIVE),
        ("bybit", bybit_stream.SANDBOX_ADDRESS, bybit_stream.ADDRESS),
    ],
)
def test_rule_49_an_adapter_goes_to_the_hosts_that_a_url_may_name(
    name: str, sandbox: str, live: str
) -> None:
    venue = KNOWN_VENUES[name]
    assert urlsplit(sandbox).hostname in venue.sandbox_hosts - venue.live_hosts
    assert urlsplit(live).hostname in venue.live_hosts - venue.sandbox_hosts
