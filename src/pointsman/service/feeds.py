"""Feeds: what a run is driven by, quotes and signals alike, from files or simulated.

Each gives a tape that can be entered again where the books of an earlier run stopped, and says
which data it is, so that a database is only ever continued by the feed that it belongs to (RULES 5,
6).
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from pointsman.config.settings import Settings
from pointsman.domain.market import Quote
from pointsman.domain.timestamps import SECOND_NS
from pointsman.engine.assembly import instruments_digest
from pointsman.market.demo_signals import demo_signals
from pointsman.market.layout import Layout
from pointsman.market.recorded import BAD_ROWS_KEPT_MAX, RecordedMarket
from pointsman.market.signal_file import BadSignal, SignalFile, SignalLine, lines_after
from pointsman.market.simulated import SimulatedMarket
from pointsman.market.tape import Tape
from pointsman.storage.entries import RunIdentity

SIGNALS_SOURCE = "signals"
SIM = "sim"

FIRST_DAY_NS = 1_767_603_600 * SECOND_NS
"""The simulated market opens with the first trading window after Monday, 5 January 2026, 09:00 UTC,
on every start."""

_OPEN_FOR_NS = SECOND_NS
"""So long the simulated market has been open when a run begins: every symbol has a quote, and a
signal at the first moment is within the trading window."""

_WARM_NS = 60 * SECOND_NS
"""So much of the simulated market is looked at again before a run continues."""


class Feed(msgspec.Struct, frozen=True):
    """What drives a run. `name` is for people; `quotes` and `lines` begin at or before the time
    that they are given, and `lines` after the line that was decided last. `told_at_start` is what
    a person should know of the data; `unused`, asked at the end, which file was of no use, or
    nothing (RULES 60). `is_lasting`: there is no end, and its database is used again and again.
    `begins_ns` is when it begins, where that is not a second before its data, `first_close_ns` the
    end of the first session of a simulated market. `is_open`: its quotes come from elsewhere.
    `source` names its signals in the journal."""

    name: str
    identity: RunIdentity | None
    quotes: Callable[[int], Iterator[Quote]]
    lines: Callable[[int, int], Iterator[SignalLine | BadSignal]]
    bad_rows: Callable[[], int]
    told_bad_rows: Callable[[], tuple[str, ...]]
    source: str = SIGNALS_SOURCE
    is_lasting: bool = False
    begins_ns: int | None = None
    first_close_ns: int | None = None
    is_open: bool = False
    told_at_start: tuple[str, ...] = ()
    unused: Callable[[], str] = str

    def tape(self, resume_ns: int, signals_from: int) -> Tape:
        """The tape for books that have reached `resume_ns` and the line `signals_from`."""
        lines = self.lines(resume_ns, signals_from)
        return Tape(self.quotes(resume_ns), lines, self.is_open)


def recorded_feed(
    files: tuple[Path, ...],
    layout: Layout,
    signals: Path | None,
    seed: int,
    settings: Settings,
) -> Feed:
    """Recorded quotes, and signals of a file. Raises UnreadableFile."""
    market = RecordedMarket(files, layout)
    signal_file = None if signals is None else SignalFile(signals)
    identity = RunIdentity(
        quotes_digest=market.digest(),
        signals_digest="" if signal_file is None else signal_file.digest(),
        instruments_digest=instruments_digest(settings),
        settings_digest=settings.digest(),
        seed=str(seed),
    )

    bad_lines: list[str] = []

    def lines(_resume_ns: int, after: int) -> Iterator[SignalLine | BadSignal]:
        for line in () if signal_file is None else signal_file.lines(after):
            if isinstance(line, BadSignal) and len(bad_lines) < BAD_ROWS_KEPT_MAX:
                problem = f"{line.field}={line.value!r}: {line.remedy}"
                bad_lines.append(f"{signals}:{line.line}: {problem}")
            yield line

    def told() -> tuple[str, ...]:
        return (*map(str, market.first_bad_rows), *bad_lines)

    def unused() -> str:
        file = next(iter(market.unused_files), None)
        if file is not None:
            return f"no usable row in {file}"
        return _unused_signals(signal_file)

    name = ", ".join(file.name for file in files)
    return Feed(
        name,
        identity,
        lambda _resume_ns: market.quotes(),
        lines,
        lambda: market.bad_rows,
        told,
        told_at_start=() if signal_file is None else signal_file.told_of_recorded(),
        unused=unused,
    )


def _unused_signals(signal_file: SignalFile | None) -> str:
    if signal_file is None or signal_file.good_lines:
        return ""
    return f"no usable line in {signal_file.path}"


def simulated_feed(
    seed: int, has_demo: bool, signals: Path | None, is_lasting: bool, settings: Settings
) -> Feed:
    """The simulated market, with the demo signals, those of a file, or none. `is_lasting`: its
    database is used again and again, and the settings may change between; else it belongs to this
    one run. Raises UnreadableFile."""
    hours = settings.trading_hours()
    first = hours.window_at(FIRST_DAY_NS)
    market = SimulatedMarket(
        seed, FIRST_DAY_NS if first is None else first.opens_ns, hours.window_at
    )
    session = market.session(market.first_open_ns)
    va_ids = [va_id for va_id, _ in settings.accounts]
    signal_file = None if signals is None else SignalFile(signals)
    source = "demo" if signal_file is None else f"{SIGNALS_SOURCE}-{signal_file.digest()[:12]}"
    identity = RunIdentity(
        quotes_digest=SIM,
        signals_digest="",
        instruments_digest="",
        settings_digest="",
        seed=str(seed),
    )
    if not is_lasting:
        identity = RunIdentity(
            quotes_digest=market.digest(),
            signals_digest=source if has_demo or signal_file else "",
            instruments_digest=instruments_digest(settings),
            settings_digest=settings.digest(),
            seed=str(seed),
        )

    def lines(resume_ns: int, after: int) -> Iterator[SignalLine | BadSignal]:
        if signal_file is not None:
            return signal_file.lines(after)
        demo = demo_signals(market, va_ids, resume_ns) if has_demo else iter(())
        return lines_after(demo, after)

    return Feed(
        SIM,
        identity,
        lambda resume_ns: market.quotes(max(0, resume_ns - _WARM_NS)),
        lines,
        lambda: 0,
        lambda: (),
        source,
        is_lasting,
        market.first_open_ns + _OPEN_FOR_NS,
        market.first_open_ns if session is None else session.closes_ns,
        told_at_start=() if signal_file is None else signal_file.told(),
        unused=lambda: _unused_signals(signal_file),
    )


def arriving_feed(name: str, signals: Path | None, now_ns: int) -> Feed:
    """Quotes that arrive from `now_ns` on, by what `name` says, and signals of a file: each at its
    own stamp, or at once. Raises UnreadableFile."""
    signal_file = None if signals is None else SignalFile(signals)
    source = "" if signal_file is None else f"{SIGNALS_SOURCE}-{signal_file.digest()[:12]}"

    def lines(_resume_ns: int, after: int) -> Iterator[SignalLine | BadSignal]:
        return iter(()) if signal_file is None else signal_file.lines(after)

    return Feed(
        name,
        None,
        lambda _resume_ns: iter(()),
        lines,
        lambda: 0,
        lambda: (),
        source,
        is_lasting=True,
        begins_ns=now_ns,
        is_open=True,
        told_at_start=() if signal_file is None else signal_file.told(),
        unused=lambda: _unused_signals(signal_file),
    )
