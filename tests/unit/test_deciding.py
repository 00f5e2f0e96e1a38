"""Which settings decide about signals alone."""

import pytest

from pointsman.config.deciding import DECIDING, is_other
from pointsman.config.fields import NAMES


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("MAX_SPREAD_BPS", False),
        ("VA001__MAX_SPREAD_BPS", False),
        ("TRADING_TIMEZONE", False),
        ("PAPER_LATENCY_MS", True),
        ("VENUE", True),
        ("NO_SETTING", False),
    ],
)
def test_a_setting_of_the_venue_or_the_program_is_another(name: str, is_one: bool) -> None:
    assert is_other(name) is is_one


def test_each_of_them_is_a_setting() -> None:
    assert set(NAMES) >= DECIDING
