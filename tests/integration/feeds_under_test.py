"""A live feed of quotes against a server on loopback, as the tests look at it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from pydantic import SecretStr

from pointsman.domain.events import LinkChanged
from pointsman.domain.market import Quote
from pointsman.execution.skipped_rows import SkippedRows
from pointsman.market.live_rows import LiveRows
from pointsman.market.venue_feed import VenueFeed
from pointsman.market.venue_quotes.sources import SOURCES
from pointsman.market.venue_quotes.stream import Login
from tests.venue_servers.base import VenueServer
from tests.venue_servers.streams import QUOTES

MS_NS = 10**6


class Heard:
    """What a feed has brought so far. `wakes` counts how often it asked to be looked at."""

    def __init__(self, feed: VenueFeed) -> None:
        self.feed = feed
        self.skipped = SkippedRows()
        self.quotes: list[Quote] = []
        self.confirmed: dict[str, int] = {}
        self.links: list[LinkChanged] = []
        self.news: list[str] = []
        self.wakes = 0

    def wake(self) -> None:
        self.wakes += 1

    def take(self) -> None:
        taken = self.feed.take()
        self.quotes += taken.quotes
        self.confirmed |= taken.confirmed
        self.links += taken.links
        self.news += self.feed.take_news()

    def until(self, wanted: Callable[["Heard"], Any], seconds: float = 10) -> Any:
        """What `wanted` gives of it, once it gives anything."""
        give_up_at = time.monotonic() + seconds
        while True:
            self.take()
            if found := wanted(self):
                return found
            assert time.monotonic() < give_up_at, vars(self)
            time.sleep(0.01)

    def during(self, seconds: float) -> None:
        """Look for so long."""
        end_at = time.monotonic() + seconds
        while time.monotonic() < end_at:
            self.take()
            time.sleep(0.01)


@contextmanager
def heard(
    name: str,
    server: VenueServer,
    *symbols: str,
    key: str = "key",
    url: str = "",
    **changed: Any,
) -> Iterator[Heard]:
    """A feed of a venue, its source `changed` in some respects."""
    source = msgspec.structs.replace(SOURCES[name], **changed)
    login = Login(SecretStr(key), SecretStr("secret"))
    url = url or source.url(server.data_url, is_sandbox=False)
    feed = VenueFeed(source, url, login, symbols, None)
    hearing = Heard(feed)
    feed.start(hearing.wake, LiveRows(time.time_ns, hearing.skipped))
    try:
        yield hearing
    finally:
        feed.stop()
        assert not feed.is_alive


def subscribed(server: VenueServer, count: int = 1) -> bool:
    """Whether a client has asked for quotes of so many symbols."""
    sockets = [socket for socket in server.streams.open if socket.channel == QUOTES]
    return any(len(socket.tags) >= count for socket in sockets)
