"""What makes a panel: its columns and words; and all that is known when it tells of a row."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rich.text import Text

from pointsman.dashboard.cells import Picture, Row
from pointsman.dashboard.curves import Curves
from pointsman.terminal.tables import Column

SETTLED = ("ACCEPTED", "PARTIALLY_FILLED")
"""How an order stands that may still fill, while the venue has nothing to answer."""


class Lists(NamedTuple):
    """What is read beside the pictures, newest first: orders, those that may still fill before the
    others, and closed trades; how often each reason has refused today, of all decisions of the day
    or, where they are more, of the newest `counted`. None of it where it cannot be read."""

    orders: Sequence[Row] = ()
    trades: Sequence[Row] = ()
    refusals: Mapping[str, int] = {}
    counted: int | None = None

    @property
    def is_settled(self) -> bool:
        """Whether no order waits for an answer of the venue: what comes of one that does may change
        nothing that a picture counts."""
        return all(row["status"] in SETTLED for row in self.orders if row["is_open"])


class Known(NamedTuple):
    """All that is known now: the picture, the lists, and the curves. Times that were measured
    stand on the clock of `zone`."""

    picture: Picture
    zone: str
    lists: Lists
    curves: Curves


class Told(NamedTuple):
    """What it says of a row: a title, the lines below it, and those that stand below its story."""

    title: str
    lines: Iterator[Text]
    after: Iterator[Text] = iter(())
    is_in_story: bool = False
    """Whether the story says it all again."""


class PanelKind(NamedTuple):
    """One panel. `key` is the field that tells its rows apart, `words` are those that a filter
    looks in, and `empty` says what to do where it has no row."""

    name: str
    digit: str
    key: str
    words: tuple[str, ...]
    empty: tuple[str, ...]
    columns: Sequence[Column]
    describe: Callable[[Row, Known], Told]
