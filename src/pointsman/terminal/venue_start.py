"""What a person sees when an engine starts on a real venue: whose money it is, and what limits it.

Every limit that is in force is named as in the settings; that losses have none is said as well.
"""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from pointsman.config.settings import Settings
from pointsman.domain.accounts import VenueAccount
from pointsman.terminal.tables import facts
from pointsman.terminal.text import printable, venue_label

_OF_LOSSES = (
    "GLOBAL_MAX_DAILY_LOSS",
    "GLOBAL_MAX_DRAWDOWN_PERCENTAGE",
    "MAX_DAILY_LOSS",
    "MAX_DRAWDOWN_PERCENTAGE",
)
_LIMITS = (
    *_OF_LOSSES,
    "MAX_POSITION_SIZE",
    "MAX_OPEN_POSITIONS_PER_VA",
    "MAX_LEVERAGE",
    "STOP_LOSS_PERCENTAGE",
    "MAX_TRADES_PER_DAY",
    "MAX_ORDERS_PER_MINUTE",
    "GLOBAL_MAX_ORDERS_PER_MINUTE",
)


def limits_in_force(settings: Settings) -> dict[str, str]:
    """The limits on what may be lost and risked, by the names of their settings."""
    given = [(name, value) for name, value, _ in settings.shown() if value]
    own = [(name, value) for name, value in given if name.rpartition("__")[2] in _LIMITS]
    found = dict(sorted(own, key=lambda row: _LIMITS.index(row[0].rpartition("__")[2])))
    if not any(name.rpartition("__")[2] in _OF_LOSSES for name in found):
        return {"losses": "no limit", **found}
    return found


def draw_start(account: VenueAccount, settings: Settings) -> RenderableType:
    """The account and its limits, for a person."""
    head = Text("Trading on ").append_text(venue_label(account.label, account.is_real_money))
    if account.is_shadow:
        head.append(": nothing is sent, orders are filled on paper")
    return Group(head, facts(_lines(settings)))


def _lines(settings: Settings) -> Iterator[tuple[str, Text]]:
    for name, value in limits_in_force(settings).items():
        yield name, Text(printable(value), style="bold red" if name == "losses" else "")
