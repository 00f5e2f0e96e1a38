"""The few colours of the dashboard, each with one meaning.

Every one of them repeats what a word or a sign says already, so that nothing is lost without them.
"""

from decimal import Decimal

from rich.text import Text
from textual.theme import Theme

from pointsman.terminal.text import signed_money

ALARM = "bold #f7768e"
"""Without cover, killed, lost: look now."""
LOSS = "#f7768e"
WAIT = "#e0af68"
"""Something is under way, or held back for a while."""
GOOD = "#8fb573"
FAINT = "#7c8796"
STALE = "dim"
"""Not of now. An attribute, no colour: it is seen without colours too."""
STRONG = "bold"

THEME = Theme(
    name="pointsman",
    primary="#7aa2c8",
    secondary="#7aa2c8",
    warning=WAIT,
    error="#f7768e",
    success=GOOD,
    accent="#7aa2c8",
    foreground="#c5ced9",
    background="#12161d",
    surface="#12161d",
    panel="#1d2530",
    dark=True,
)

STATUS_TONES = {
    "active": "",
    "cooldown": WAIT,
    "paused": WAIT,
    "frozen": ALARM,
    "stopped": ALARM,
    "killed": ALARM,
}
"""The tone of each status of an account."""

TRADING_TONES = {"ACTIVE": f"bold {GOOD}", "REDUCING": f"bold {WAIT}", "HALTED": ALARM}
"""The tone of each trading state."""


def result(amount: Decimal) -> Text:
    """What was earned: the sign says which way, and the colour again."""
    shown = signed_money(amount).plain
    return Text(shown, style={"+": GOOD, "-": LOSS}.get(shown[:1], ""))
