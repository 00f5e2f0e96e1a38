"""Arrivals: what comes on standard input is taken in as it comes, and only as fast as it can be."""

import asyncio
import os
import threading

import pytest

from pointsman.domain.commands import Submit
from pointsman.domain.events import SignalMalformed, SignalReceived
from pointsman.domain.timestamps import iso
from pointsman.engine.live_loop import Clock, LiveLoop, NoSource
from pointsman.execution.skipped_rows import SkippedRows
from pointsman.market.live_rows import LiveRows
from pointsman.market.recorded import BAD_ROWS_KEPT_MAX, RecordedMarket
from pointsman.market.signal_file import BadSignal, SignalLine
from pointsman.market.stamps import DAY_NS
from pointsman.market.tape import Tape
from pointsman.service import arrivals
from pointsman.service.arrivals import Arrivals
from pointsman.service.clean_stop import Stop
from tests import desk_stories as told
from tests.engine_stories import Story, accepted, begin, traded

NO_SIGNALS = Tape(iter(()), iter(()), is_open=True)
HEADER = b"ts,symbol,bid,bid_size,ask,ask_size\n"
STAMP = told.START_NS // 10**9


class Piped:
    """A story that is fed through a pipe."""

    def __init__(self, market: RecordedMarket | None) -> None:
        reading, self.pipe = os.pipe()
        self.story: Story = begin()
        self.told: list[str] = []
        self.stop = Stop()
        self.tape = NO_SIGNALS
        self.woken = threading.Event()
        stream = os.fdopen(reading, "rb")
        self.arrivals = Arrivals(stream, market, self.told.append)
        self.arrivals.start(self.woken.set, LiveRows(lambda: told.START_NS + DAY_NS, SkippedRows()))
        asyncio_loop = asyncio.new_event_loop()

        async def live() -> LiveLoop:
            return LiveLoop(self.story.loop, NoSource(self.story.loop), Clock(told.START_NS))

        self.live = asyncio_loop.run_until_complete(live())
        asyncio_loop.close()

    def write(self, text: bytes) -> None:
        os.write(self.pipe, text)

    def end(self) -> None:
        os.close(self.pipe)

    def work_until(self, wanted: int) -> None:
        """Take in what comes, until so many rows or events of signals have."""
        while self.seen() < wanted:
            assert self.woken.wait(10), "nothing comes any more"
            self.woken.clear()
            self.work()

    def work(self) -> None:
        self.arrivals.work(self.story.loop, self.live, self.tape, self.stop)

    def is_over(self) -> bool:
        return self.stop.is_asked

    def work_to_the_end(self) -> None:
        """Quotes without a row: work when the reader has come to their end."""
        self.write(HEADER)
        self.end()
        while not self.arrivals._is_over.is_set():
            assert self.woken.wait(10), "the reader does not end"
            self.woken.clear()
        self.work()

    def seen(self) -> int:
        kinds = (SignalReceived, SignalMalformed)
        events = sum(isinstance(event, kinds) for event in self.story.events)
        return self.story.loop.quotes_seen - 1 + events


@pytest.fixture(params=["quotes", "signals"])
def piped(request: pytest.FixtureRequest) -> Piped:
    return Piped(RecordedMarket(()) if request.param == "quotes" else None)


@pytest.mark.parametrize("piped", ["quotes"], indirect=True)
def test_a_row_is_taken_in_when_it_comes_and_the_end_asks_for_a_stop(piped: Piped) -> None:
    piped.write(HEADER + b"%d,XXX,101,5,101.01,5\nrubbish\n" % STAMP)
    piped.work_until(1)
    mark = piped.story.loop.view.mark("XXX")
    assert mark is not None
    assert str(mark.bid) == "101"
    piped.write(b"%d,XXX,102,5,102.01,5\n" % (STAMP + 1))
    piped.work_until(2)
    assert not piped.is_over()
    piped.end()
    while not piped.is_over():
        assert piped.woken.wait(10)
        piped.work()
    assert [text[:28] for text in piped.told] == ["skipped standard input:3: ro"]


@pytest.mark.parametrize("piped", ["quotes"], indirect=True)
def test_a_bad_row_is_told_of_by_its_line_when_it_comes_and_the_many_are_counted(
    piped: Piped,
) -> None:
    row = b"%d,XXX,101,5,101.01,5\n" % STAMP
    piped.write(HEADER + b"rubbish\n" + row)
    piped.work_until(1)
    (first,) = piped.told
    assert first.startswith("skipped standard input:2: ")
    piped.write(b"worse\n" * (BAD_ROWS_KEPT_MAX + 4) + row)
    piped.end()
    piped.work_until(2)
    while not piped.arrivals._is_over.is_set():
        assert piped.woken.wait(10), "the reader does not end"
    assert piped.told[1].startswith("skipped standard input:4: ")
    assert len(piped.told) == BAD_ROWS_KEPT_MAX + 1
    assert piped.told[-1] == f"{BAD_ROWS_KEPT_MAX + 5} bad rows were skipped in all"


@pytest.mark.parametrize("piped", ["quotes"], indirect=True)
def test_a_header_that_lacks_a_column_ends_the_run_and_is_told(piped: Piped) -> None:
    piped.write(b"ts,symbol\n")
    piped.end()
    while not piped.stop.is_asked:
        assert piped.woken.wait(10)
        piped.work()
    assert "standard input: no column bid" in piped.told[0]


def signals_at(*stamps: int | None) -> Tape:
    """A file of signals beside quotes that come; the first line cannot be read."""
    lines: list[SignalLine | BadSignal] = [BadSignal(1, "body", "x", "send one JSON object")]
    for line, ts_ns in enumerate(stamps, 2):
        lines.append(SignalLine(line, ts_ns, told.signal(f"s{line}")))
    return Tape(iter(()), iter(lines), is_open=True)


@pytest.mark.parametrize("piped", ["quotes"], indirect=True)
def test_rule_11_the_end_of_the_quotes_waits_until_every_signal_that_is_due_is_decided(
    piped: Piped,
) -> None:
    piped.tape = signals_at(None, told.START_NS - 10**18, told.START_NS)
    piped.work_to_the_end()
    for _ in range(4):
        assert not piped.is_over()
        piped.tape.take_signal()
        piped.work()
    assert piped.is_over()
    assert piped.told == []


@pytest.mark.parametrize("piped", ["quotes"], indirect=True)
def test_rule_11_a_signal_that_is_due_after_the_last_quote_is_told_of(piped: Piped) -> None:
    piped.tape = signals_at(told.START_NS + 10**12)
    piped.tape.take_signal()
    piped.work_to_the_end()
    assert piped.is_over()
    (line,) = piped.told
    assert f"due, at {iso(told.START_NS + 10**12)}; a run with the same database" in line


@pytest.mark.parametrize("piped", ["quotes"], indirect=True)
def test_the_end_of_the_quotes_waits_for_the_venue_until_a_position_has_its_stop(
    piped: Piped,
) -> None:
    story = piped.story
    story.ask(told.signal("in"))
    entry = story.venue.take(Submit)[0].order
    piped.work_to_the_end()
    assert not piped.is_over()
    story.say(accepted(entry), traded(entry, "10"))
    stop = story.venue.take(Submit)[0].order
    piped.work()
    assert not piped.is_over(), "the stop is on its way"
    story.say(accepted(stop))
    piped.work()
    assert piped.is_over()


@pytest.mark.parametrize("piped", ["signals"], indirect=True)
def test_signals_are_decided_and_bad_lines_remembered(piped: Piped) -> None:
    good = b'{"signal_id":"s1","va_id":"VA001","symbol":"XXX","side":"buy","quantity":1}\n'
    piped.write(b"nonsense\n" + good)
    piped.work_until(2)
    bad, decided = [
        event for event in piped.story.events if isinstance(event, SignalMalformed | SignalReceived)
    ]
    assert (bad.source, bad.line) == ("stdin", 1)
    assert isinstance(decided, SignalReceived)
    assert (decided.signal.signal_id, decided.line) == ("s1", 2)
    piped.end()
    piped.work()
    assert not piped.stop.is_asked, "the run goes on without"


@pytest.mark.parametrize("piped", ["signals"], indirect=True)
def test_a_signal_waits_while_storage_fails(piped: Piped) -> None:
    piped.story.memory.fail()
    piped.story.at()
    piped.write(b'{"signal_id":"s1","va_id":"VA001","symbol":"XXX","side":"buy","quantity":1}\n')
    assert piped.woken.wait(10)
    piped.work()
    assert piped.seen() == 0
    piped.story.memory.heal()
    piped.story.at()
    piped.work()
    assert piped.seen() == 1
    piped.end()


def test_the_reader_waits_where_the_loop_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "WAITING_MAX", 4)
    piped = Piped(RecordedMarket(()))
    rows = [b"%d,XXX,101,5,101.01,5\n" % (STAMP + number) for number in range(100)]
    piped.write(HEADER + b"".join(rows))
    piped.work_until(100)
    assert piped.story.loop.quotes_seen == 101
    piped.end()


async def test_rule_35_quotes_by_http_wait_in_order_and_only_as_many_as_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arrivals, "WAITING_MAX", 3)
    story, stop, woken = begin(), Stop(), threading.Event()
    live = LiveLoop(story.loop, NoSource(story.loop), Clock(told.START_NS))
    fed = Arrivals(None, None, print)
    fed.start(woken.set, None)
    assert (fed.takes_quotes, fed.is_alive) == (True, True)
    seen = story.loop.quotes_seen
    quotes = [told.quote(told.START_NS + number) for number in range(4)]
    assert fed.feed(quotes) == 3
    assert woken.is_set()
    fed.work(story.loop, live, NO_SIGNALS, stop)
    assert story.loop.quotes_seen == seen + 3
    assert story.loop.view.mark("XXX") == quotes[2]
    assert not stop.is_asked, "there is no end of quotes by HTTP"
    assert fed.feed(quotes[3:]) == 1


def test_signals_on_standard_input_do_not_feed_the_market(piped: Piped) -> None:
    assert piped.arrivals.takes_quotes is (piped.arrivals._market is not None)
    piped.end()
