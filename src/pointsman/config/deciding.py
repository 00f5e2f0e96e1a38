"""Which settings decide about signals alone: those that can be changed where recorded events are
decided again (RULES 54). Any other changes what happens at the venue or in the market too."""

from pointsman.config.fields import LIMIT_NAMES, NAMES

HOURS = frozenset(
    {"TRADING_WINDOW_START", "TRADING_WINDOW_END", "TRADING_TIMEZONE", "TRADING_CALENDAR"}
)
"""They stand in no policy: windows are worked out from them."""
OVER_ALL = frozenset(
    {
        "GLOBAL_MAX_DAILY_LOSS",
        "GLOBAL_MAX_DRAWDOWN_PERCENTAGE",
        "GLOBAL_MAX_ORDERS_PER_MINUTE",
        "KILL_SWITCH_ENABLED",
    }
)
"""What holds for all accounts together."""
DECIDING = frozenset(LIMIT_NAMES) | OVER_ALL | HOURS

REMEDY = "it changes what happens, not only what is decided; run with --market and --signals"


def is_other(name: str) -> bool:
    """Whether this is a setting, of all or of one account, that does not decide about signals
    alone."""
    plain = name.rpartition("__")[2]
    return plain in NAMES and plain not in DECIDING
