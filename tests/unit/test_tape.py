"""The tape: quotes and signals side by side, each taken when its time has come."""

from collections.abc import Iterator

import pytest

from pointsman.domain.market import Quote
from pointsman.market.signal_file import BadSignal, SignalLine
from pointsman.market.tape import Tape
from tests.desk_stories import quote, signal


def line(number: int, ts_ns: int | None) -> SignalLine:
    return SignalLine(number, ts_ns, signal(f"s{number}", ts_ns=ts_ns))


BAD = BadSignal(2, "side", "up", "write buy, sell or close")


def test_each_stream_is_read_ahead_by_one() -> None:
    read: list[int] = []

    def quotes() -> Iterator[Quote]:
        for ts_ns in (1, 2, 3):
            read.append(ts_ns)
            yield quote(ts_ns)

    tape = Tape(quotes(), iter([line(1, 5)]))
    assert read == [1]
    assert (tape.next_quote_ns(), tape.next_signal_ns()) == (1, 5)
    assert tape.take_quote().ts_ns == 1
    assert read == [1, 2]


def test_a_line_without_a_time_or_a_meaning_comes_at_once() -> None:
    tape = Tape(iter(()), iter([line(1, None), BAD, line(3, 9)]))
    times = []
    while not tape.is_over:
        times.append(tape.next_signal_ns())
        tape.take_signal()
    assert times == [0, 0, 9]
    assert tape.next_signal_ns() is None


def test_it_is_over_when_both_streams_are() -> None:
    tape = Tape(iter([quote(1)]), iter([line(1, 1)]))
    states = [tape.is_over]
    for take in (tape.take_quote, tape.take_signal):
        take()
        states.append(tape.is_over)
        with pytest.raises(AssertionError, match="at its end"):
            take()
    assert states == [False, False, True]
