"""Log lines: one for each thing that a person would want to read."""

import errno
import io
import json
import os
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import pytest

from pointsman.config.fields import LogFormat, LogLevel
from pointsman.domain.commands import Step, Submit
from pointsman.domain.events import CashMoved, Paused, SignalMalformed
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Check, Decision, Outcome
from pointsman.service import log as log_lines
from pointsman.service.log import LineWriter, Log
from tests import desk_stories as told
from tests.engine_stories import accepted, begin, traded

HEAD = "2018-01-02 14:30:00.000 info    "


def logged(
    tell: Callable[[Log], None],
    form: LogFormat = LogFormat.CONSOLE,
    level: LogLevel = LogLevel.INFO,
) -> list[str]:
    """The lines that come of what is told."""
    lines: list[str] = []
    tell(Log(lines.append, form, level, lambda: told.START_NS))
    return lines


def trading(log: Log) -> None:
    """An entry that is filled and protected, a refusal, and an exit at a loss."""
    story = begin()
    story.loop.on_turn = log.turn
    story.enter("in")
    story.ask(told.signal("big", quantity="500"))
    story.ask(told.signal("out", "close", None))
    (leave,) = story.venue.take(Submit)
    story.say(accepted(leave.order), traded(leave.order, "10", price="99.5"))


def test_a_trade_reads_as_a_story() -> None:
    assert [line[len(HEAD) :].partition("  ")[0] for line in logged(trading)] == [
        "accepted: buy 10 XXX",
        "fill: buy 10 XXX at 100",
        "stop confirmed: sell 10 XXX at 98.00",
        "refused: buy XXX: MAX_POSITION_SIZE",
        "accepted: close 10 XXX",
        "fill: sell 10 XXX at 99.5",
        "closed: long 10 XXX: SIGNAL_EXIT",
    ]


def test_a_line_has_time_level_words_and_facts() -> None:
    line = logged(trading)[0]
    assert line.startswith(f"{HEAD}accepted: buy 10 XXX  signal=in va=VA001")


def test_as_json_each_line_is_an_object() -> None:
    closed = json.loads(logged(trading, LogFormat.JSON)[-1])
    assert closed == {
        "at": "2018-01-02T14:30:00.000000Z",
        "level": "info",
        "event": "closed: long 10 XXX: SIGNAL_EXIT",
        "va": "VA001",
        "pnl": "-5.00",
        "entry": "100",
        "exit": "99.5",
        "position": 1,
    }


@pytest.mark.parametrize("form", LogFormat)
def test_a_refusal_outside_the_window_is_logged_with_times(form: LogFormat) -> None:
    opens_ns = told.START_NS + 3600 * 10**9
    bounds = f"{opens_ns}..{opens_ns + 10**9}"
    check = Check(Reason.OUTSIDE_WINDOW, False, str(told.START_NS), bounds, "ns UTC")
    refused = Decision(
        signal_id="s",
        va_id="VA001",
        symbol="XXX",
        outcome=Outcome.REFUSED,
        decided_at_ns=told.START_NS,
        reason=check.rule,
        value=check.value,
        limit=check.limit,
        checks=(check,),
    )
    (_, line) = logged(lambda log: log.turn(Paused(None, "", ""), Step(changes=(refused,))), form)
    assert "2018-01-02T14:30:00.000000Z" in line
    assert "2018-01-02T15:30:00.000000Z..2018-01-02T15:30:01.000000Z" in line


def test_a_refusal_is_logged_with_what_is_said_beside_its_numbers() -> None:
    note = "no quote of XXXX has come; did you mean XXX?"
    check = Check(Reason.NO_QUOTE, False, "none", "seen", note=note)
    refused = Decision(
        signal_id="s",
        va_id="VA001",
        symbol="XXXX",
        outcome=Outcome.REFUSED,
        decided_at_ns=told.START_NS,
        reason=check.rule,
        value=check.value,
        limit=check.limit,
        checks=(check,),
    )
    (_, line) = logged(lambda log: log.turn(Paused(None, "", ""), Step(changes=(refused,))))
    assert line.endswith(f'detail="{note}"')


def test_what_is_less_important_than_asked_for_is_left_out() -> None:
    assert logged(trading, level=LogLevel.WARNING) == []


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Paused("VA001", "ann", "lunch break"), 'paused  va=VA001 by=ann reason="lunch break"'),
        (
            CashMoved("VA001", Decimal("-5"), "r", 0),
            "money moved  va=VA001 amount=-5",
        ),
        (
            SignalMalformed("stdin", 3, "side", "\x1b[31m", "write buy, sell or close"),
            "signal malformed: write buy, sell or close  "
            "source=stdin field=side value=\\x1b[31m line=3",
        ),
        (
            SignalMalformed("http", 0, "side", "up", "write buy, sell or close"),
            "signal malformed: write buy, sell or close  source=http field=side value=up",
        ),
    ],
)
def test_commands_and_bad_lines_are_warnings(event: Paused, line: str) -> None:
    (found,) = logged(lambda log: log.turn(event, Step()))
    assert found == f"2018-01-02 14:30:00.000 warning {line}"


def test_a_writer_writes_all_before_it_stops() -> None:
    stream = io.StringIO()
    writer = LineWriter(stream)
    for number in range(500):
        writer.put(str(number))
    writer.stop()
    assert stream.getvalue().split() == [str(number) for number in range(500)]


class FullForOnce(io.StringIO):
    """A stream on a disk that is full for one line."""

    def write(self, text: str) -> int:
        if "2" in text and "dropped" not in text and not self.getvalue().count("dropped"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


def test_a_full_disk_costs_lines_and_not_the_log() -> None:
    stream = FullForOnce()
    writer = LineWriter(stream)
    for number in (1, 2, 3):
        writer.put(str(number))
    writer.stop()
    said = "(1 lines were dropped: nobody read them in time)"
    assert stream.getvalue().splitlines() == ["1", said, "3"]


class Unread(io.StringIO):
    """A stream whose reader has gone away."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_a_reader_that_has_gone_is_no_fault_of_the_log() -> None:
    writer = LineWriter(Unread())
    writer.put("1")
    writer.stop()
    assert writer.is_alive


def test_a_reader_that_does_not_read_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_lines, "LINES_MAX", 10)
    monkeypatch.setattr(log_lines, "_STOP_SECONDS", 0.05)
    reading, writing = os.pipe()
    stream = os.fdopen(writing, "w")
    writer = LineWriter(stream)
    for _ in range(100):
        writer.put("x" * 100_000)
    assert writer._dropped > 50
    os.close(reading)
    writer.stop()
    with suppress(BrokenPipeError):
        stream.close()
