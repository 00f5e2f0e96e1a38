"""Where the dashboard gets its pictures, and whom it asks: an engine, or failing that its database.

A thread follows the engine and tells each picture; when the engine is lost it tells what the
database holds, with the reason, and tries again.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, NamedTuple

from rich.console import RenderableType

from pointsman.dashboard.cells import Picture
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
    None for one that is not stored, which raises either. `zone` is that of the trading window.
    `is_remote` says that the engine is known by its address alone, so that `last` may be the
    picture of another one.
    """

    watch: Callable[[], Iterator[Picture]]
    ask: Callable[[Request], Answer]
    last: Callable[[], Picture]
    story: Callable[[str], RenderableType | None]
    zone: str
    is_remote: bool = False


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

    return Link(watch, ask, lambda: picture_from_database(database, settings), story, zone)
