"""A dashboard in a terminal that is not there, on an engine that a test plays."""

import html
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from queue import Queue
from typing import Any

from rich.text import Text
from textual.pilot import Pilot

from pointsman.dashboard.app import Dashboard
from pointsman.dashboard.curves import Curve
from pointsman.dashboard.links import Link, Unreachable
from pointsman.dashboard.panels.kind import Lists
from pointsman.engine.requests import Request
from tests.dashboard_pictures import Document, picture

PATIENCE = 500
"""So often is looked, a hundredth of a second apart, until something is seen."""


class Engine:
    """What a test has the engine show and answer. `asked` is what came in."""

    def __init__(self, *pictures: Document) -> None:
        self.pictures: Queue[Document | None] = Queue(100)
        for each in pictures:
            self.pictures.put(each)
        self.asked: list[Request] = []
        self.answer: Document | Unreachable = {"ok": True, "durable": True}
        self.stored: Document | Exception = picture(source="database")
        self.stories: dict[str, str] = {}
        self.lists = Lists()
        self.equity: dict[str, Curve] = {}
        self.is_remote = False

    def lose(self) -> None:
        """End the connection once all pictures are shown."""
        self.pictures.put(None)

    @property
    def link(self) -> Link:
        """The link to this engine."""
        zone = "America/New_York"
        return Link(
            self._watch,
            self._ask,
            self._last,
            self._story,
            lambda _now_ns: self.lists,
            lambda _now_ns, _va_ids: self.equity,
            zone,
            self.is_remote,
        )

    def _watch(self) -> Iterator[Document]:
        while (shown := self.pictures.get()) is not None:
            yield shown

    def _ask(self, request: Request) -> Document:
        self.asked.append(request)
        if isinstance(self.answer, Unreachable):
            raise self.answer
        return self.answer

    def _last(self) -> Document:
        if isinstance(self.stored, Exception):
            raise self.stored
        return self.stored

    def _story(self, signal_id: str) -> Text | None:
        return Text(self.stories[signal_id]) if signal_id in self.stories else None


class Screen:
    """What is seen on the terminal, and the keys that a person presses."""

    def __init__(self, app: Dashboard, pilot: Pilot[None]) -> None:
        self.app = app
        self._pilot = pilot

    @property
    def lines(self) -> list[str]:
        """The terminal, line by line."""
        return drawn_lines(self.app.export_screenshot())

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines)

    async def until(self, holds: Callable[[], Any], what: str) -> None:
        """Wait until something holds."""
        for _ in range(PATIENCE):
            await self._pilot.pause(0.01)
            if holds():
                return
        raise AssertionError(f"never came true: {what}; the screen is\n{self.text}")

    async def sees(self, text: str) -> None:
        """Wait until a text is seen, and nothing moves any more."""
        before = ""

        def is_seen_and_still() -> bool:
            nonlocal before
            earlier, before = before, self.text
            return text in before and before == earlier

        await self.until(is_seen_and_still, f"{text!r} is seen")

    async def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        await self._pilot.press(*keys)
        await self._pilot.pause()

    async def type(self, text: str) -> None:
        """Type a text."""
        await self.press(*("space" if each == " " else each for each in text))

    async def click(self, selector: str, x: int, y: int) -> None:
        """Click on a widget, this far from its corner."""
        await self._pilot.click(selector, offset=(x, y))
        await self._pilot.pause()

    async def resize(self, columns: int, lines: int) -> None:
        """Another size of the terminal."""
        await self._pilot.resize_terminal(columns, lines)


def drawn_lines(svg: str) -> list[str]:
    """The lines of text of an exported picture."""
    cells: dict[float, dict[float, str]] = {}
    matrix = svg.partition('-matrix">')[2]
    for x, y, text in re.findall(r'<text [^>]*\bx="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)', matrix):
        plain = html.unescape(text).replace("\xa0", " ").rstrip("\n")
        cells.setdefault(float(y), {})[float(x)] = plain
    lines = []
    for _, row in sorted(cells.items()):
        line = ""
        for x, text in sorted(row.items()):
            line = line.ljust(round(x / 12.2)) + text
        lines.append(line)
    return lines


@asynccontextmanager
async def opened(
    engine: Engine, columns: int = 80, lines: int = 24, *, is_colourless: bool = False
) -> AsyncIterator[Screen]:
    """The dashboard of an engine, in a terminal of this size."""
    app = Dashboard(engine.link, is_colourless=is_colourless)
    async with app.run_test(size=(columns, lines)) as pilot:
        try:
            yield Screen(app, pilot)
        finally:
            engine.lose()
