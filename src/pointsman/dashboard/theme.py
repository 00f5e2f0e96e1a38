"""The few colours of the dashboard, each with one meaning, and the themes that say what they are.

A text names a meaning, never a colour; what is drawn follows from the theme, also where it was
drawn before the theme was chosen. Every colour repeats what a word or a sign says already, so that
nothing is lost without them.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from rich.text import Text
from rich.theme import Theme as Styles
from textual.theme import BUILTIN_THEMES, Theme

from pointsman.terminal.text import signed_money

ALARM = "meaning.alarm"
"""Without cover, killed, lost: look now."""
LOSS = "meaning.loss"
WAIT = "meaning.wait"
"""Something is under way, or held back for a while."""
GOOD = "meaning.good"
FAINT = "meaning.faint"
ACCENT = "meaning.accent"
"""What has the focus, or a key."""
STALE = "dim"
"""Not of now. An attribute, no colour: it is seen without colours too."""
STRONG = "bold"

BLOCKS = {GOOD: "block.good", WAIT: "block.wait", ALARM: "block.alarm"}
"""Of each tone a filled block, for the state of the engine. Without colours it is reversed."""


class Colours(NamedTuple):
    """What the meanings look like."""

    good: str
    loss: str
    wait: str
    faint: str
    accent: str


def _styles(colours: Colours) -> Styles:
    """The meanings in these colours. What the rest of the program draws with plain names of colours
    looks alike."""
    good, loss, wait, faint, accent = colours
    return Styles(
        {
            ALARM: f"bold {loss}",
            LOSS: loss,
            WAIT: wait,
            GOOD: good,
            FAINT: faint,
            ACCENT: accent,
            "block.good": f"bold reverse {good}",
            "block.wait": f"bold reverse {wait}",
            "block.alarm": f"bold reverse {loss}",
            "green": good,
            "bold green": f"bold {good}",
            "red": loss,
            "bold red": f"bold {loss}",
            "yellow": wait,
        }
    )


DARK = Theme(
    name="dark",
    primary="#7aa2c8",
    secondary="#7aa2c8",
    warning="#e0af68",
    error="#f7768e",
    success="#8fb573",
    accent="#7aa2c8",
    foreground="#c5ced9",
    background="#12161d",
    surface="#0b0e13",
    panel="#1d2530",
    dark=True,
)
LIGHT = Theme(
    name="light",
    primary="#1f5f99",
    secondary="#1f5f99",
    warning="#8a5a00",
    error="#b3261e",
    success="#2e6f2e",
    accent="#1f5f99",
    foreground="#27313c",
    background="#fbfbf9",
    surface="#ffffff",
    panel="#e9edf1",
    dark=False,
)
TERMINAL = replace(BUILTIN_THEMES["ansi-dark"], name="terminal")
THEMES = {each.name: each for each in (DARK, LIGHT, TERMINAL)}
"""By name, in the order in which a key goes through them."""

STYLES = {
    "dark": _styles(Colours("#8fb573", "#f7768e", "#e0af68", "#7c8796", "#7aa2c8")),
    "light": _styles(Colours("#2e6f2e", "#b3261e", "#8a5a00", "#5d6976", "#1f5f99")),
    "terminal": _styles(Colours("green", "red", "yellow", "dim", "blue")),
}
"""What the meanings look like in each theme."""

STATUS_TONES = {
    "active": "",
    "cooldown": WAIT,
    "paused": WAIT,
    "frozen": ALARM,
    "stopped": ALARM,
    "killed": ALARM,
}
"""The tone of each status of an account."""

TRADING_TONES = {"ACTIVE": GOOD, "REDUCING": WAIT, "HALTED": ALARM}
"""The tone of each trading state."""

_LIGHT_BACKGROUNDS = ("7", "15")


def theme_of_terminal(environment: Mapping[str, str]) -> str:
    """The name of the theme that fits a terminal which tells its colours, as some do in COLORFGBG;
    else the dark one."""
    _, _, background = environment.get("COLORFGBG", "").rpartition(";")
    return LIGHT.name if background in _LIGHT_BACKGROUNDS else DARK.name


def result(amount: Decimal) -> Text:
    """What was earned: the sign says which way, and the colour again."""
    shown = signed_money(amount).plain
    return Text(shown, style={"+": GOOD, "-": LOSS}.get(shown[:1], ""))


def side(word: str) -> Text:
    """A direction: long and buy are up, short and sell are down."""
    return Text(word, style={"long": GOOD, "buy": GOOD, "short": LOSS, "sell": LOSS}.get(word, ""))
