"""Arrivals: quotes or signals on standard input, one line each, and quotes by HTTP, taken in as
they come (RULES 35).

A thread reads standard input and waits where the loop is behind, and what HTTP brings finds no room
then, so nothing piles up; the loop takes what has come after each instant. The end of a stream of
quotes is the end of the run, once every signal of a file that was due by then is decided; after the
end of a stream of signals the run continues without.
"""

import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Protocol

from pointsman.domain.events import Event, SignalMalformed
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Quote
from pointsman.domain.timestamps import iso
from pointsman.engine.live_loop import LiveLoop
from pointsman.engine.supervision import Part
from pointsman.execution.execution_loop import ExecutionLoop
from pointsman.market.lines import Line, UnreadableFile, lines_of
from pointsman.market.live_rows import LiveRows
from pointsman.market.recorded import RecordedMarket
from pointsman.market.signal_file import BadSignal, SignalLine, signals_in
from pointsman.market.tape import Tape
from pointsman.service.clean_stop import Stop

STANDARD_INPUT = 0
SOURCE = "stdin"
THREAD_NAME = "stdin"
WAITING_MAX = 4096
_NAME = Path("standard input")
_ON_ITS_WAY = (OrderStatus.INITIALIZED, OrderStatus.SUBMITTED)

Arrival = Quote | SignalLine | BadSignal


def standard_input() -> BufferedReader:
    """Standard input under a reader of our own, for the interpreter waits at its end for a thread
    that reads from its own."""
    return BufferedReader(FileIO(os.dup(STANDARD_INPUT)))


class Intake(Protocol):
    """What comes from outside while a run lasts, and how the run takes it in."""

    @property
    def posted(self) -> Callable[[Sequence[Quote]], int] | None: ...

    def parts(self) -> list[Part]: ...

    def start(self, wake: Callable[[], None], rows: LiveRows | None) -> None: ...

    def stop(self) -> None: ...

    def note(self, event: Event) -> None: ...

    def take_news(self) -> Iterator[str]: ...

    def take_quotes(self, live: LiveLoop) -> bool: ...

    def work(self, loop: ExecutionLoop, live: LiveLoop, tape: Tape, stop: Stop) -> None: ...


class Arrivals:
    """What comes on a stream: signals, or quotes of `market`; without a stream, quotes by `feed`
    alone. `tell` is called, on the reading thread, with what ends it early and of rows that are
    skipped."""

    def __init__(
        self,
        stream: BufferedReader | None,
        market: RecordedMarket | None,
        tell: Callable[[str], None],
    ) -> None:
        self._stream = stream
        self._market = market
        self._tell = tell
        self._waiting: queue.Queue[Arrival] = queue.Queue(maxsize=WAITING_MAX)
        self._next: Arrival | None = None
        self._skipped = 0
        self._rows: LiveRows | None = None
        self._is_over = threading.Event()
        self._is_broken = False
        self._thread: threading.Thread | None = None
        self._wake: Callable[[], None] = lambda: None

    @property
    def posted(self) -> Callable[[Sequence[Quote]], int] | None:
        """The way in for quotes by HTTP, where the market is fed from outside."""
        return self.feed if self.takes_quotes else None

    def parts(self) -> list[Part]:
        """Its thread, as supervision sees it."""
        return [Part(THREAD_NAME, lambda: self.is_alive, None)]

    def note(self, event: Event) -> None:
        """Told of every turn; nothing here depends on any."""

    def take_news(self) -> Iterator[str]:
        """Nothing for the log: `tell` hears it at once instead."""
        return iter(())

    def stop(self) -> None:
        """The end of the run; a thread that waits for standard input ends with the process."""

    @property
    def takes_quotes(self) -> bool:
        """Whether it is what feeds the market."""
        return self._stream is None or self._market is not None

    @property
    def is_alive(self) -> bool:
        """Whether it is read, or has come to its end: that is no fault."""
        is_read = self._thread is not None and self._thread.is_alive()
        return is_read or self._stream is None or self._is_over.is_set()

    @property
    def is_broken(self) -> bool:
        """Whether its stream could not be read to its end."""
        return self._is_broken

    def start(self, wake: Callable[[], None], rows: LiveRows | None) -> None:
        """Begin to read. `wake` makes the loop look; `rows` decides which quotes are taken, where
        quotes come."""
        self._wake = wake
        self._rows = rows
        if self._stream is None:
            return
        self._thread = threading.Thread(
            target=self._read, args=(self._stream,), name=THREAD_NAME, daemon=True
        )
        self._thread.start()

    def feed(self, quotes: Sequence[Quote]) -> int:
        """Bring quotes, in order; from any thread. How many of the first found room."""
        taken = 0
        with suppress(queue.Full):
            for quote in quotes:
                self._waiting.put_nowait(quote)
                taken += 1
        self._wake()
        return taken

    def take_quotes(self, live: LiveLoop) -> bool:
        """Take in the quotes that wait now; whether there were any."""
        count = self._waiting.qsize() if self.takes_quotes else 0
        for _ in range(count):
            quote = self._waiting.get_nowait()
            assert isinstance(quote, Quote), "what feeds a market brings quotes only"
            live.feed(quote)
        return count > 0

    def _read(self, stream: BufferedReader) -> None:
        try:
            with stream:
                for arrival in self._arrivals(stream):
                    self._waiting.put(arrival)
                    self._wake()
        except (UnreadableFile, OSError) as error:
            self._is_broken = True
            self._tell(str(error))
        self._is_over.set()
        self._wake()

    def _arrivals(self, stream: BufferedReader) -> Iterator[Arrival]:
        lines = lines_of(stream)
        if self._market is None:
            return signals_in(lines)
        return self._quotes(self._market, lines)

    def _quotes(self, market: RecordedMarket, lines: Iterator[Line]) -> Iterator[Quote]:
        """A bad row is reported by its number before what comes after it; beyond the first few
        they are only counted."""
        rows = self._rows
        assert rows is not None, "it has been started"
        unreadable = 0
        for line, quote, stamp in market.rows_in(_NAME, lines):
            if market.bad_rows > unreadable:
                rows.skipped.skip("", rows.clock_ns(), f"line {line - 1} cannot be read")
            problem = rows.take(quote)
            if problem:
                market.skip(_NAME, line, "ts", stamp, problem)
            unreadable = market.bad_rows
            self._tell_skipped(market)
            if not problem:
                yield quote
        self._tell_skipped(market)
        if market.bad_rows > self._skipped:
            self._tell(f"{market.bad_rows} bad rows were skipped in all")

    def _tell_skipped(self, market: RecordedMarket) -> None:
        for row in market.first_bad_rows[self._skipped :]:
            self._skipped += 1
            self._tell(f"skipped {row}")

    def work(self, loop: ExecutionLoop, live: LiveLoop, tape: Tape, stop: Stop) -> None:
        """Take in what has come. A signal waits until the start has been compared with the venue,
        and while storage fails; those of a file beside quotes that come are on `tape`."""
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
                loop.turn(
                    SignalMalformed(
                        source=SOURCE,
                        line=bad.line,
                        field=bad.field,
                        value=bad.value,
                        remedy=bad.remedy,
                    )
                )
            else:
                loop.signal(self._next.signal, None, SOURCE, self._next.line)
            self._next = None
        loop.release()
        if self._market is not None and self._is_over.is_set() and self._is_empty:
            self._end(loop, tape, stop)

    def _end(self, loop: ExecutionLoop, tape: Tape, stop: Stop) -> None:
        """After the last quote: ask for a stop, unless a signal that is due waits to be decided, or
        an order to leave or for the first word of the venue."""
        due_ns = tape.next_signal_ns()
        is_due = due_ns is not None and due_ns <= loop.now_ns
        is_sent = any(order.status in _ON_ITS_WAY for order in loop.desk.books.orders.values())
        if stop.is_asked or is_due or is_sent or loop.has_replies or not loop.is_idle:
            return
        if due_ns is not None:
            self._tell(
                f"the quotes ended before the next signal was due, at {iso(due_ns)}; a run with the"
                " same database and signals continues from there"
            )
        stop.ask()

    @property
    def _is_empty(self) -> bool:
        return self._next is None and self._waiting.empty()
