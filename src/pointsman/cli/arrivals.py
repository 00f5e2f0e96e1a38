"""Arrivals: quotes or signals on standard input, one line each, taken in as they come (RULES 35).

A thread reads and waits where the loop is behind, so nothing piles up; the loop takes what has
come after each instant. The end of a stream of quotes is the end of the run; after the end of a
stream of signals the run goes on without.
"""

import os
import queue
import threading
from collections.abc import Callable, Iterator
from io import BufferedReader, FileIO
from pathlib import Path

from pointsman.cli.clean_stop import Stop
from pointsman.domain.events import SignalMalformed
from pointsman.domain.market import Quote
from pointsman.engine.execution_loop import ExecutionLoop
from pointsman.engine.live_loop import LiveLoop
from pointsman.market.lines import UnreadableFile, lines_of
from pointsman.market.recorded import RecordedMarket
from pointsman.market.signal_file import BadSignal, SignalLine, signals_in

STANDARD_INPUT = 0
SOURCE = "stdin"
WAITING_MAX = 4096
_NAME = Path("standard input")

Arrival = Quote | SignalLine | BadSignal


def standard_input() -> BufferedReader:
    """Standard input under a reader of our own, for the interpreter waits at its end for a thread
    that reads from its own."""
    return BufferedReader(FileIO(os.dup(STANDARD_INPUT)))


class Arrivals:
    """What comes on a stream: signals, or quotes of `market`. `tell` is told, on the reading
    thread, of what ends it early."""

    def __init__(
        self, stream: BufferedReader, market: RecordedMarket | None, tell: Callable[[str], None]
    ) -> None:
        self._stream = stream
        self._market = market
        self._tell = tell
        self._waiting: queue.Queue[Arrival] = queue.Queue(maxsize=WAITING_MAX)
        self._next: Arrival | None = None
        self._is_over = threading.Event()

    def start(self, wake: Callable[[], None]) -> None:
        """Begin to read. `wake` makes the loop look."""
        read = threading.Thread(target=self._read, args=(wake,), name="stdin", daemon=True)
        read.start()

    def _read(self, wake: Callable[[], None]) -> None:
        try:
            with self._stream:
                for arrival in self._arrivals():
                    self._waiting.put(arrival)
                    wake()
        except (UnreadableFile, OSError) as error:
            self._tell(str(error))
        self._is_over.set()
        wake()

    def _arrivals(self) -> Iterator[Arrival]:
        lines = lines_of(self._stream)
        if self._market is None:
            return signals_in(lines)
        return self._market.quotes_in(_NAME, lines)

    def work(self, loop: ExecutionLoop, live: LiveLoop, stop: Stop) -> None:
        """Take in what has come. A signal waits until the start has been compared with the venue,
        and while storage fails."""
        for _ in range(WAITING_MAX):
            if self._next is None:
                if self._waiting.empty():
                    break
                self._next = self._waiting.get_nowait()
            if isinstance(self._next, Quote):
                live.feed(self._next)
            elif not loop.is_ready or loop.is_held:
                break
            elif isinstance(self._next, BadSignal):
                bad = self._next
                loop.turn(SignalMalformed(SOURCE, bad.line, bad.field, bad.value, bad.remedy))
            else:
                loop.signal(self._next.signal, None, SOURCE, self._next.line)
            self._next = None
        loop.release()
        if self._market is not None and self._is_over.is_set() and self._is_empty:
            stop.ask()

    @property
    def _is_empty(self) -> bool:
        return self._next is None and self._waiting.empty()
