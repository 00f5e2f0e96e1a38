"""The keys: the line that names those of use now, and the page that explains all of them."""

from rich.text import Text

from pointsman.dashboard.cells import Row
from pointsman.dashboard.theme import ACCENT, FAINT, STRONG

ACTIONS = (
    ("k", "kill"),
    ("p", "pause"),
    ("x", "flatten"),
    ("r", "reconcile"),
    ("1", "go_to('accounts')"),
    ("2", "go_to('positions')"),
    ("3", "go_to('decisions')"),
    ("4", "go_to('orders')"),
    ("5", "go_to('trades')"),
    ("6", "go_to('incidents')"),
    ("7", "go_to('market')"),
    ("z", "zoom"),
    ("f", "refused_only"),
    ("a", "only_account"),
    ("y", "copy_id"),
    ("t", "next_theme"),
    ("slash", "filter"),
    ("escape", "show_all"),
    ("left_square_bracket", "scroll_story(-3)"),
    ("right_square_bracket", "scroll_story(3)"),
    ("question_mark", "help"),
    ("q,ctrl+c", "quit"),
)
"""What each key does."""

HELD_BACK = ("paused", "frozen", "stopped")
"""Statuses of an account that a person ends."""

KEYS = (
    ("k", "kill switch: halt or flatten; needs a typed word"),
    ("p", "pause or resume entries, of one account or of all"),
    ("x", "flatten: close all that one account holds; typed"),
    ("r", "compare with the venue now"),
    ("enter", "the whole story of the selected row"),
    ("1 to 4", "accounts, positions, decisions, orders"),
    ("5 to 7", "trades, incidents, market"),
    ("tab", "next panel; arrows, pages, home and end move in it"),
    ("z", "zoom: one panel over all of the room, and back"),
    ("/", "filter by a text; escape shows all again"),
    ("s  S", "sort by the next column; the other way round"),
    ("f", "refused decisions only, and all again"),
    ("a", "only the selected account, and all again"),
    ("[  ]", "scroll the story beside the panels"),
    ("y", "copy the id of the selected row"),
    ("t", "theme: dark, light, the terminal's own colours"),
    ("q", "quit; an engine that `run` shows here stops with it"),
)
WORDS = (
    ("stop is", "confirmed: by the venue, stops rest for all of it"),
    ("", "waiting 0.3 s: not confirmed, within the deadline"),
    ("", "NAKED 2.1 s: not confirmed in time; will be closed"),
    ("", "exiting: an order to close it is at the venue"),
    ("total PnL", "realized and unrealized together"),
    ("DD", "drawdown: how far equity is below its peak, now"),
    ("max DD", "the deepest drawdown so far"),
    ("daily loss", "how much of MAX_DAILY_LOSS is used today"),
    ("DD limit", "how much of MAX_DRAWDOWN_PERCENTAGE is used"),
    ("curve", "equity or price since this was opened"),
    ("S ━● E ─ T", "stop, price now, entry, target; gain is right"),
    ("3 losses", "losses in a row, and the length of their cooldown"),
    ("streak", "losses in a row; a cooldown starts at the limit"),
    ("result", "accepted, or why it was refused: what was measured,"),
    ("", "and what it had to be"),
)


def key_line(kind: str, row: Row | None, width: int, *, is_filtered: bool = False) -> Text:
    """The keys that are of use on this row, as many as have room, what matters most first to
    stay."""
    shown = [each for each in _keys(kind, row, is_filtered=is_filtered) if each[1]]
    while sum(len(key) + len(what) + 3 for _, what, key in shown) - 2 > width:
        shown.remove(max(shown, key=lambda each: each[0]))
    line = Text()
    for _, what, key in shown:
        line.append("  " if line else "").append(key, style=f"{STRONG}").append(" ")
        line.append(what, style=FAINT)
    return line


def _keys(kind: str, row: Row | None, *, is_filtered: bool) -> list[tuple[int, str, str]]:
    """Each with how soon it goes where there is no room, the words, and the key."""
    has_account = row is not None and bool(row.get("va_id"))
    has_story = row is not None and (kind == "accounts" or bool(row.get("signal_id")))
    return [
        (0, "kill", "k"),
        (1, _pause(kind, row), "p"),
        (3, "flatten" if has_account and kind in ("accounts", "positions") else "", "x"),
        (5, "reconcile", "r"),
        (2, "story" if has_story else "", "enter"),
        (2, "panel", "1-7"),
        (1, "show all" if is_filtered else "", "escape"),
        (4, "filter", "/"),
        (6, "sort", "s"),
        (4, "refused" if kind == "decisions" else "", "f"),
        (8, "account" if has_account else "", "a"),
        (7, "zoom", "z"),
        (9, "theme", "t"),
        (10, "copy id" if row is not None else "", "y"),
        (0, "help", "?"),
        (0, "quit", "q"),
    ]


def _pause(kind: str, row: Row | None) -> str:
    if kind != "accounts" or row is None or row["status"] not in HELD_BACK:
        return "pause"
    return "lift the freeze" if row["status"] == "frozen" else "resume"


def help_text() -> Text:
    """The keys, and the words that are not plain."""
    text = Text()
    for title, pairs in (("Keys", KEYS), ("Words", WORDS)):
        text.append(f"{title}\n", style=STRONG)
        for name, meaning in pairs:
            text.append(f"  {name:<11}", style=ACCENT if title == "Keys" else FAINT)
            text.append(f"{meaning}\n")
        text.append("\n")
    ending = "Times are UTC, those of the trading window on its own clock.\nMoney is after fees."
    return text.append(ending, style=FAINT)
