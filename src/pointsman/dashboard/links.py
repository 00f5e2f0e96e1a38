"""Where the dashboard gets its pictures, and whom it asks: an engine, or failing that its database.

A thread follows the engine and tells each picture; when the engine is lost it tells what the
database holds, with the reason, and tries again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, NamedTuple

from rich.console import RenderableType

from pointsman.dashboard.cells import Picture
from pointsman.dashboard.curves import Curve
from pointsman.dashboard.lists import equity_of_database, lists_of_database
from pointsman.dashboard.panels.kind import Lists
from pointsman.engine import control_client
from pointsman.engine.kill_request import kill
from pointsman.engine.requests import Answer, Kill, Request
from pointsman.reading.stored_picture import picture_from_database
from pointsman.reading.story import read_story
from pointsman.storage.errors import StorageError
from pointsman.storage.reader import reading
from pointsman.terminal.condition import EngineState, without_answer
from pointsman.terminal.why import draw_story

if TYPE_CHECKING:
    from pointsman.config.settings import Settings

RETRY_SECONDS = 1.0
"""Between two attempts to reach an engine."""


class Unreachable(Exception):
    """No engine answered; the text says why, and `state` what is known of it."""

    def __init__(self, why: str, state: EngineState = EngineState.UNREACHABLE) -> None:
        super().__init__(why)
        self.state = state


class Link(NamedTuple):
    """What joins a dashboard to an engine.

    `watch` gives pictures until the engine is lost, and `ask` answers a request; both raise
    Unreachable, but for a kill without an engine on this machine: the latch is pressed. `last` is
    the picture of the database, which raises StorageError, and `story` all that came of a signal,
    None for one that is not stored, which raises either. So do `lists`, the lists beside a
    picture of some moment of event time, and `equity`, what these accounts and all together were
    worth before it. `zone` is that of the trading window. `is_remote` says
    that the engine is known by its address alone, so that `last` may be the picture of another one.
    """

    watch: Callable[[], Iterator[Picture]]
    ask: Callable[[Request], Answer]
    last: Callable[[], Picture]
    story: Callable[[str], RenderableType | None]
    lists: Callable[[int], Lists]
    equity: Callable[[int, Sequence[str]], Mapping[str, Curve]]
    zone: str
    is_remote: bool = False


class Beside(NamedTuple):
    """What was read beside a picture; None of what was not asked for or cannot be read."""

    lists: Lists | None
    equity: Mapping[str, Curve] | None
    signal_id: str | None
    story: RenderableType | None


def read_beside(
    link: Link, picture: Picture, signal_id: str | None, *, is_first: bool, has_news: bool
) -> Beside:
    """Read the story of a signal; the lists if there is news for them; and if it `is_first` what
    equity was before."""
    lists = equity = story = None
    now_ns = int(picture["now_ns"])
    with suppress(StorageError, Unreachable):  # what the picture holds is shown all the same
        lists = link.lists(now_ns) if has_news else None
        story = None if signal_id is None else link.story(signal_id)
        if is_first:
            equity = link.equity(now_ns, [row["va_id"] for row in picture["accounts"]])
    return Beside(lists, equity, signal_id, story)


class PictureUpdate(NamedTuple):
    """The newest picture, None where none can be had. `lost` says why it is not the engine's, in a
    few words, empty while it is; `unread` why the database gave none either; `state` what is known
    of the engine."""

    picture: Picture | None
    lost: str = ""
    unread: str = ""
    state: EngineState = EngineState.RUNNING


def follow(link: Link, tell: Callable[[PictureUpdate], None], is_over: Event) -> None:
    """Tell pictures until it is over. Runs in a thread of its own; `tell` is called in it."""
    while not is_over.is_set():
        lost = _while_connected(link, tell, is_over)
        if is_over.is_set():
            return
        try:
            tell(PictureUpdate(link.last(), str(lost), state=lost.state))
        except (StorageError, OSError) as error:
            tell(PictureUpdate(None, str(lost), str(error), lost.state))
        is_over.wait(RETRY_SECONDS)


def _while_connected(
    link: Link, tell: Callable[[PictureUpdate], None], is_over: Event
) -> Unreachable:
    """Show pictures while there is an engine; then why there are no more."""
    try:
        for picture in link.watch():
            if is_over.is_set():
                break
            tell(PictureUpdate(picture))
    except Unreachable as error:
        return error
    return Unreachable("the connection has ended")


def _unreachable(database: Path) -> Unreachable:
    state, why = without_answer(database)
    return Unreachable(why, state)


def link_to(settings: "Settings") -> Link:
    """The link to the engine of a database, over the socket beside it."""
    database, zone = settings.database_path, settings.trading_timezone

    def watch() -> Iterator[Picture]:
        try:
            for answer in control_client.watch(database):
                if "accounts" not in answer:
                    raise Unreachable(f"it is busy: {answer.get('error')}")
                yield answer
        except control_client.NoEngine:
            raise _unreachable(database) from None
        raise _unreachable(database)

    def ask(request: Request) -> Answer:
        if isinstance(request, Kill):
            return kill(database, request)
        try:
            return control_client.ask(database, request)
        except control_client.NoEngine as error:
            raise Unreachable(str(error)) from error

    def story(signal_id: str) -> RenderableType | None:
        with reading(database) as connection:
            found = read_story(connection, signal_id)
        return None if found is None else draw_story(found, zone)

    def lists(now_ns: int) -> Lists:
        return lists_of_database(database, zone, now_ns)

    def equity(now_ns: int, va_ids: Sequence[str]) -> Mapping[str, Curve]:
        return equity_of_database(database, now_ns, va_ids)

    def last() -> Picture:
        return picture_from_database(database, settings)

    return Link(watch, ask, last, story, lists, equity, zone)
