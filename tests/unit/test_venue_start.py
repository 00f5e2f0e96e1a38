"""What is shown when an engine starts on a real venue."""

import io

import pytest
from rich.console import Console

from pointsman.config.settings import Settings, resolve_settings
from pointsman.domain.accounts import VenueAccount
from pointsman.terminal.venue_start import draw_start, limits_in_force

SANDBOX = VenueAccount("alpaca", "PA12", is_sandbox=True)
LIVE = VenueAccount("alpaca", "PA12", is_sandbox=False)
RED = "\x1b[1;31m"


def settings(**env: str) -> Settings:
    return resolve_settings(env, None, {}).settings


def drawn(account: VenueAccount, found: Settings) -> str:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, color_system="standard", width=100)
    console.print(draw_start(account, found))
    return stream.getvalue()


def test_rule_49_real_money_is_red_and_a_sandbox_is_not() -> None:
    limited = settings(MAX_DAILY_LOSS="500")
    assert f"{RED}alpaca REAL MONEY PA12" in drawn(LIVE, limited)
    assert "Trading on alpaca sandbox PA12" in drawn(SANDBOX, limited)
    assert RED not in drawn(SANDBOX, limited)


@pytest.mark.parametrize(
    ("env", "first"),
    [
        ({"MAX_DAILY_LOSS": "500"}, ("MAX_DAILY_LOSS", "500")),
        ({"GLOBAL_MAX_DRAWDOWN_PERCENTAGE": "5"}, ("GLOBAL_MAX_DRAWDOWN_PERCENTAGE", "5")),
        ({"VA002__MAX_DAILY_LOSS": "7"}, ("VA002__MAX_DAILY_LOSS", "7")),
        ({"ALLOW_UNLIMITED_LOSS": "true"}, ("losses", "no limit")),
        ({"VA002__MAX_POSITION_SIZE": "7"}, ("losses", "no limit")),
    ],
)
def test_limits_on_losses_come_first_and_that_there_are_none_is_said(
    env: dict[str, str], first: tuple[str, str]
) -> None:
    found = limits_in_force(settings(**env))
    assert next(iter(found.items())) == first
    assert found["MAX_POSITION_SIZE"] == "10000.0"
    assert "MAX_TRADES_PER_DAY" not in found, "it is off"
    assert not any("TOKEN" in name or "KEY" in name for name in found)


def test_no_limit_on_losses_is_red() -> None:
    assert f"{RED}no limit" in drawn(SANDBOX, settings())
