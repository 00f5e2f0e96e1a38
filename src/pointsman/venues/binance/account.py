"""What Binance says of a key and an account when it is opened. Pure; each check raises VenueRefused
with what to do, and Incomplete where the answer does not say it.
"""

from typing import Any

from pointsman.domain.policy import PositionMode
from pointsman.venues.adapter import Incomplete
from pointsman.venues.errors import VenueRefused


def check_key(restrictions: Any) -> None:
    """A key may trade futures, and may not withdraw."""
    if _said(restrictions, "enableWithdrawals"):
        raise VenueRefused(
            "this key may withdraw money: switch Enable Withdrawals off for it at Binance, under "
            "API Management, or make another"
        )
    if not _said(restrictions, "enableFutures"):
        raise VenueRefused(
            "this key may not trade futures: switch Enable Futures on for it at Binance, under API "
            "Management"
        )


def check_mode(dual: Any, wanted: PositionMode) -> None:
    """The account keeps long and short as the settings say."""
    mode = PositionMode.HEDGE if _said(dual, "dualSidePosition") else PositionMode.NET
    if mode is not wanted:
        raise VenueRefused(
            f"the account is in position mode {mode.value}, the settings say {wanted.value}: set "
            f"VENUE_POSITION_MODE={mode.value}, or switch the mode at Binance"
        )


def check_margin(margin: Any) -> None:
    """Each currency is the margin of its own contracts."""
    if _said(margin, "multiAssetsMargin"):
        raise VenueRefused(
            "the account is in multi-assets mode, in which a loss in one currency is paid from "
            "another: switch it to single-asset mode at Binance"
        )


def check_account(account: Any) -> None:
    """The account may trade. A field that is no longer there says nothing."""
    if not isinstance(account, dict):
        raise Incomplete("the answer about the account is no object")
    if account.get("canTrade") is False:
        raise VenueRefused("the account may not trade at present: Binance says canTrade is false")


def account_name(balances: Any) -> str:
    """The alias of the account, by which it is the same again."""
    if isinstance(balances, list) and balances and isinstance(balances[0], dict):
        return str(balances[0].get("accountAlias", ""))
    return ""


def _said(answer: Any, name: str) -> bool:
    value = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(value, bool):
        raise Incomplete(f"the answer does not say {name}")
    return value
