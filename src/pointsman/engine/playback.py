"""Playback: a tape of recorded quotes and signals through the loop, in the order of RULES 2.

`Playback.step` does one instant and says when the next one is. A driver calls it at once, over and
over, or waits until the wall clock has come as far; what happens is the same.
"""

from collections.abc import Callable

from pointsman.domain.accounts import Mark
from pointsman.domain.events import RunEnded, SignalMalformed
from pointsman.domain.timestamps import SECOND_NS
from pointsman.execution.execution_loop import ExecutionLoop
from pointsman.market.signal_file import BadSignal
from pointsman.market.tape import Tape

QUIET_ROWS_MAX = 256
"""The most quiet rows that are taken at once; a kill is looked for in between."""

FLAT_AHEAD_NS = 600 * SECOND_NS
"""For so long comparisons are left out at once while nothing is held."""


class Playback:
    """One recorded run. `source` names the signals in the journal; `bad_quotes` is asked at the
    end."""

    def __init__(
        self, loop: ExecutionLoop, tape: Tape, source: str, bad_quotes: Callable[[], int]
    ) -> None:
        self._loop = loop
        self._tape = tape
        self._source = source
        self._bad_quotes = bad_quotes

    def skip_quotes_until(self, resume_ns: int) -> None:
        """Go over the quotes that an earlier run of the same tape has lived through. Only the
        newest of each symbol count: the engine and the venue know them (RULES 62)."""
        while (at_ns := self._tape.next_quote_ns()) is not None and at_ns <= resume_ns:
            quote = self._tape.take_quote()
            self._loop.quotes_seen += 1
            self._loop.view.quotes.update(quote)
        self._loop.remember_quotes()

    def next_ns(self) -> int | None:
        """When the next instant is; None when the run is over. Once the tape has ended, only what
        is under way to or from the venue is waited for."""
        loop, tape = self._loop, self._tape
        if tape.is_over:
            return loop.next_arrival_ns()
        times = [loop.next_due_ns(), tape.next_quote_ns()]
        signal_ns = tape.next_signal_ns()
        if signal_ns is not None and self._takes_signals():
            times.append(max(signal_ns, loop.now_ns))
        return min(at_ns for at_ns in times if at_ns is not None)

    def pass_empty_time(self, last_ns: int | None) -> None:
        """Leave out what could change nothing before the next row, the next signal or `last_ns`
        (RULES 66). For a run that nobody watches: it is not compared meanwhile. Where nothing is
        held and nothing works, rows change nothing either."""
        signal_ns = self._tape.next_signal_ns() if self._takes_signals() else None
        quote_ns = self._tape.next_quote_ns()
        if quote_ns is not None and self._is_flat():
            quote_ns += FLAT_AHEAD_NS
        times = (quote_ns, signal_ns, last_ns)
        known = [at_ns for at_ns in times if at_ns is not None]
        if known and not self._tape.is_over:
            self._loop.pass_quiet_comparisons(min(known))

    def _is_flat(self) -> bool:
        """Whether nothing is held and no order can fill."""
        books = self._loop.desk.books
        return not books.positions and not books.orders

    def take_quiet_quotes(self, last_ns: int | None) -> None:
        """Take in the rows that change nothing but the newest quotes, without an instant for each,
        up to the first of which something comes; its instant is done. For a run as fast as it goes:
        `last_ns` is its last instant where that is limited."""
        loop, tape = self._loop, self._tape
        until_ns = loop.quiet_until_ns()
        if until_ns is None:
            return
        if (signal_ns := tape.next_signal_ns()) is not None:
            until_ns = min(until_ns, signal_ns)
        if last_ns is not None:
            until_ns = min(until_ns, last_ns + 1)
        for quote in tape.quotes_before(until_ns, QUIET_ROWS_MAX):
            if loop.on_quote(quote, quote.ts_ns):
                self.step(loop.now_ns)
                return
        loop.end_quiet()

    def step(self, now_ns: int) -> None:
        """Do one instant."""
        loop, tape = self._loop, self._tape
        while (at_ns := tape.next_quote_ns()) is not None and at_ns <= now_ns:
            quote = tape.take_quote()
            loop.on_quote(quote, at_ns)
        loop.instant(now_ns)
        while self._takes_signals():
            signal_ns = tape.next_signal_ns()
            if signal_ns is None or signal_ns > now_ns:
                break
            self._take_signal()
        loop.release()

    def _takes_signals(self) -> bool:
        """A line waits until the start has been compared with the venue, and while storage
        fails."""
        return self._loop.is_ready and not self._loop.is_held

    def _take_signal(self) -> None:
        line = self._tape.take_signal()
        if isinstance(line, BadSignal):
            self._loop.turn(
                SignalMalformed(
                    source=self._source,
                    line=line.line,
                    field=line.field,
                    value=line.value,
                    remedy=line.remedy,
                )
            )
        else:
            self._loop.signal(line.signal, None, self._source, line.line)

    def end(self) -> None:
        """Note that the data is over: what the books are marked at, and how much was seen."""
        table = self._loop.view.quotes
        quotes = (table.last_valid(symbol) for symbol in table.symbols)
        marks = tuple(Mark(q.symbol, q.ts_ns, q.bid, q.ask) for q in quotes if q is not None)
        self._loop.turn(RunEnded(self._loop.quotes_seen, self._bad_quotes(), marks))
        self._loop.release()
