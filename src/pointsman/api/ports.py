"""What the HTTP room knows of a running engine: a few ways in and one picture.

Everything here may be called on the server's own thread. Invariants: nothing of it touches
the engine's state, and nothing writes to the database (RULES 34).
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import NamedTuple

from pointsman.api.meters import Meters
from pointsman.config.settings import Settings
from pointsman.domain.commands import Step
from pointsman.domain.events import SignalMalformed
from pointsman.domain.market import Quote
from pointsman.domain.signals import Signal
from pointsman.engine.controls import Controls
from pointsman.engine.live_view import LiveView
from pointsman.market.live_rows import LiveRows
from pointsman.reading.documents import Document
from pointsman.reading.story import Story


class EnginePort(NamedTuple):
    """The ways into one engine.

    `offer(signal, source)` has a signal decided (`LiveLoop.offer`), `offer_malformed` has one
    counted that could not be read. `feed` takes quotes and gives how many of the first found room;
    it is None where the market is not fed from outside. `rows` decides which of them are taken.
    `unready` gives why it is not ready to trade, each cause by its name; none where it is.
    `comparisons` gives the last comparisons with the venue, oldest first, `draw_story` a story as
    plain text, and `complain` writes one line to the log as an error. `meters` are
    what is counted for the metrics.
    """

    database: Path
    settings: Settings
    board: LiveView
    controls: Controls
    offer: Callable[[Signal, str], Future[Step]]
    offer_malformed: Callable[[SignalMalformed], None]
    feed: Callable[[Sequence[Quote]], int] | None
    unready: Callable[[], Mapping[str, str]]
    comparisons: Callable[[], Sequence[Document]]
    draw_story: Callable[[Story], str]
    complain: Callable[[str], None]
    meters: Meters
    rows: LiveRows | None = None
