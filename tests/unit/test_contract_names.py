"""How linear contracts are named at venues."""

import pytest

from pointsman.venues.contract_names import venue_symbol


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("BTC/USDT:USDT", "BTCUSDT"),
        ("1000SHIB/USDC:USDC", "1000SHIBUSDC"),
        ("BTCUSDT_260327", "BTCUSDT_260327"),
    ],
)
def test_a_symbol_has_two_names(ours: str, theirs: str) -> None:
    assert venue_symbol(ours) == theirs
