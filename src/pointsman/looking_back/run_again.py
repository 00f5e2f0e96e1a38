"""The second level: recorded quotes and signals run again, through the whole engine and the paper
venue, under other settings (RULES 54).

Each run has a database of its own in a folder that is gone afterwards. Nothing here knows a rule:
it is `pointsman run` as fast as it goes. The kill file of a live engine is not looked at, and a
real venue is replaced by the paper venue.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from pointsman.config.settings import Settings
from pointsman.domain.commands import Step
from pointsman.domain.events import Event
from pointsman.domain.market import Quote
from pointsman.domain.signals import Decision
from pointsman.execution import reversal
from pointsman.looking_back.changes import Changes, Period
from pointsman.looking_back.recorded import recorded
from pointsman.looking_back.shadows import Shadows
from pointsman.looking_back.whatif import Outcome, WhatIf, changed, decide_again
from pointsman.market.layout import Layout
from pointsman.market.signal_file import BadSignal, SignalLine
from pointsman.reading.equity import Span, read_equity
from pointsman.reading.report import build_report
from pointsman.service.clean_stop import Stop
from pointsman.service.feeds import Feed, recorded_feed
from pointsman.service.recorded_run import run_fast
from pointsman.storage import reader
from pointsman.storage.reader import open_reader

replace = msgspec.structs.replace


class Tape(msgspec.Struct, frozen=True):
    """What is run again: files of quotes, and of signals, or those that the database received."""

    files: tuple[Path, ...]
    layout: Layout
    signals: Path | None


def run_again(
    database: Path | None,
    sets: Sequence[Changes],
    unchanged: Settings,
    tape: Tape,
    period: Period,
    stop: Stop,
) -> WhatIf:
    """The second level. The base is what the database has recorded; without one, a run under the
    settings as they are. Raises what a recorded run can raise."""
    received = () if database is None or tape.signals is not None else _received(database)
    runs = [_run(changes, tape, received, period, stop) for changes in sets]
    if database is None:
        base = _run(Changes({}, unchanged), tape, received, period, stop)
        then, base_rules, equity = base.decided, base.outcome.by_rule, base.outcome.equity
        report = base.outcome.report
    else:
        was = decide_again(database, (), unchanged.paper_fee_bps, period)
        report, base_rules, equity = was.base, was.by_rule, was.equity
        with recorded(database) as told:
            then = told.decisions()
    outcomes = [replace(run.outcome, decisions_changed=changed(then, run.decided)) for run in runs]
    return WhatIf(base=report, by_rule=base_rules, runs=outcomes, equity=equity)


def _received(database: Path) -> tuple[SignalLine, ...]:
    """The signals that a database received, each when it came. Parts of reversals come by
    themselves again."""
    with closing(open_reader(database)) as connection:
        return tuple(
            SignalLine(number, record.received_at_ns, record.signal)
            for number, record in enumerate(reader.signals(connection), 1)
            if record.source != reversal.SOURCE
        )


class _Ran(msgspec.Struct, frozen=True):
    outcome: Outcome
    decided: dict[str, Decision]


def _run(
    changes: Changes, tape: Tape, received: tuple[SignalLine, ...], period: Period, stop: Stop
) -> _Ran:
    settings = changes.settings
    shadows = Shadows(settings.paper_fee_bps)
    feed = _feed(settings, tape, received, period, shadows)
    with tempfile.TemporaryDirectory(prefix="pointsman-whatif-") as folder:
        path = Path(folder) / "trading.db"

        def on_turn(event: Event, step: Step) -> None:
            shadows.follow(event, step.changes)

        run_fast(feed, settings, path, None, stop, lambda *_: None, on_turn)
        with recorded(path) as ran:
            decided = ran.decisions()
            refused = [(key, each.reason) for key, each in decided.items() if each.reason]
            outcome = Outcome(
                settings=changes.values,
                report=build_report(ran.connection),
                is_modelled=True,
                decisions_changed=0,
                by_rule=shadows.by_rule(refused),
                equity=read_equity(ran.connection, Span()),
            )
    return _Ran(outcome, decided)


def _feed(
    settings: Settings,
    tape: Tape,
    received: tuple[SignalLine, ...],
    period: Period,
    shadows: Shadows,
) -> Feed:
    feed = recorded_feed(tape.files, tape.layout, tape.signals, 0, settings)
    quotes, lines = feed.quotes, feed.lines

    def seen(resume_ns: int) -> Iterator[Quote]:
        return shadows.seen(_within(quotes(resume_ns), period))

    def kept(resume_ns: int, after: int) -> Iterator[SignalLine | BadSignal]:
        found = iter(received) if received else lines(resume_ns, after)
        return (
            line
            for line in found
            if isinstance(line, BadSignal) or line.ts_ns is None or period.has(line.ts_ns)
        )

    return replace(feed, quotes=seen, lines=kept)


def _within(quotes: Iterator[Quote], period: Period) -> Iterator[Quote]:
    if period == Period():
        return quotes
    return (quote for quote in quotes if period.has(quote.ts_ns))
