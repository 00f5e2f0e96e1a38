"""Making the certificate of a venue: open the account, say what it says of itself, walk the
smallest trade.

The account is opened as an engine opens it, with the same checks, and its quotes are those that an
engine would trade on. On the paper venue the books are made for the purpose and thrown away, and
the market is the simulated one, so that the walk takes no time.
"""

import secrets
import string
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import msgspec

from pointsman.config.known_venues import KNOWN_VENUES
from pointsman.config.problems import SettingProblem, SettingsError
from pointsman.config.quote_settings import quote_settings
from pointsman.config.settings import Settings
from pointsman.domain.accounts import VenueAccount
from pointsman.domain.client_order_ids import CODE_LENGTH
from pointsman.domain.market import Instrument, Quote
from pointsman.domain.money import plain
from pointsman.domain.policy import default_instrument
from pointsman.domain.signals import Window
from pointsman.domain.timestamps import MS_NS, SECOND_NS
from pointsman.engine.open_venue import access_of, account_at, open_real_venue
from pointsman.engine.venue_check import Fact, Promise, Verdict, Walk
from pointsman.engine.venue_conversation import Conversation, Line, NotKept
from pointsman.execution.skipped_rows import SkippedRows
from pointsman.market.live_rows import LiveRows
from pointsman.market.simulated import SimulatedMarket
from pointsman.service.venue_quotes import quote_feed
from pointsman.storage.sqlite_manager import SqliteManager
from pointsman.storage.venue_checks import CheckedPromise
from pointsman.venues.bridge import RealVenue
from pointsman.venues.paper.venue import PaperVenue

PAPER_SYMBOL = "BTC/USDT"
PAPER_BEGINS_NS = 1_704_067_200 * SECOND_NS
"""2024-01-01: the simulated market is a function of seed and time, so any moment will do."""

POLL_SECONDS = 0.005  # not money: seconds


class Opened(msgspec.Struct, kw_only=True):
    """An account that is open for a check."""

    line: Line
    instrument: Instrument
    account: VenueAccount
    facts: tuple[Fact, ...]

    def walk(self) -> Walk:
        """The smallest trade. Its orders carry a code that no database has."""
        letters = string.ascii_uppercase
        code = "".join(secrets.choice(letters) for _ in range(CODE_LENGTH))
        return Walk(self.line, self.instrument, code)

    def state(self) -> Iterator[Fact]:
        """What the account holds of the symbol, what rests in it, and how it is quoted."""
        talk = Conversation(self.line, self.instrument.symbol)
        try:
            snapshot = talk.compare()
            yield Fact(name="held", value=plain(talk.held(snapshot)))
            yield Fact(name="open orders", value=str(len(talk.resting(snapshot))))
        except NotKept as error:
            remedy = "look at the venue's status page, then try again"
            yield Fact(name="account", value=str(error), remedy=remedy)
        try:
            quote = talk.quote()
            value = f"{plain(quote.bid)} / {plain(quote.ask)}, {quote.spread_bps:.2f} bps apart"
            yield Fact(name="quote", value=value)
        except NotKept as error:
            remedy = "name a symbol that trades now with --symbol, or try again in its session"
            yield Fact(name="quote", value=str(error), remedy=remedy)


@contextmanager
def kept_in(database: Path) -> Iterator[SqliteManager]:
    """The database that a check is kept in, held as an engine would hold it: no engine trades there
    while orders of the check are out. It is made where there is none. Raises StorageError."""
    manager = SqliteManager(database)
    manager.open()
    try:
        yield manager
    finally:
        manager.close()


def keep(manager: SqliteManager, account: Opened, verdicts: Sequence[Verdict]) -> None:
    """Keep what a walk came to, what was not tried too. Raises StorageFailed."""
    reached = {verdict.promise: verdict for verdict in verdicts}
    checked_at_ns = time.time_ns()

    def checked(promise: Promise) -> CheckedPromise:
        verdict = reached.get(promise)
        return CheckedPromise(
            promise=promise.name.lower(),
            text=promise.value,
            is_kept=None if verdict is None else verdict.is_kept,
            took_ms=None if verdict is None else verdict.took_ms,
            detail="" if verdict is None else verdict.detail,
            checked_at_ns=checked_at_ns,
            account=account.account,
            symbol=account.instrument.symbol,
        )

    manager.set_venue_check([checked(promise) for promise in Promise])


@contextmanager
def opened(settings: Settings, symbol: str | None) -> Iterator[Opened]:
    """The account of the settings, open. Raises SettingsError, VenueRefused, VenueUnreachable."""
    access = access_of(settings)
    if access is None:
        with _paper(settings, symbol or PAPER_SYMBOL) as account:
            yield account
        return
    wanted = symbol or next(iter(settings.symbols), KNOWN_VENUES[settings.venue].example)
    # Some venues look at the symbols that they are opened with, and at no others.
    access = msgspec.structs.replace(access, symbols=(wanted,))
    venue = open_real_venue(settings, access, time.time_ns())
    try:
        with _real(settings, venue, wanted) as account:
            yield account
    finally:
        venue.close()


@contextmanager
def _real(settings: Settings, venue: RealVenue, symbol: str) -> Iterator[Opened]:
    instrument = venue.instruments.get(symbol)
    if instrument is None:
        known = ", ".join(sorted(venue.instruments)[:5])
        remedy = f"{settings.venue} does not trade it; it trades {known}, …"
        raise SettingsError([SettingProblem("--symbol", symbol, remedy)])
    wanted = msgspec.structs.replace(
        quote_settings(settings, settings.venue), symbols=(symbol,), is_recorded=False
    )
    feed = quote_feed(wanted, recorder=None)
    newest: dict[str, Quote] = {}
    began = time.monotonic_ns()
    began_ns = time.time_ns()

    def now_ns() -> int:
        return began_ns + time.monotonic_ns() - began

    def pass_time() -> None:
        time.sleep(POLL_SECONDS)
        newest.update({quote.symbol: quote for quote in feed.take().quotes})

    venue.start(lambda: None)
    feed.start(lambda: None, LiveRows(time.time_ns, SkippedRows()))
    try:
        yield Opened(
            line=Line(
                venue=venue,
                now_ns=now_ns,
                pass_time=pass_time,
                newest_quote=lambda: newest.get(symbol),
            ),
            instrument=instrument,
            account=msgspec.structs.replace(account_at(venue, settings), is_shadow=False),
            facts=tuple(_facts(settings, venue, instrument)),
        )
    finally:
        feed.stop()


def _facts(settings: Settings, venue: RealVenue, instrument: Instrument) -> Iterator[Fact]:
    """What was checked at the opening, and what it gave."""
    money = "sandbox" if settings.venue_sandbox else "REAL MONEY"
    mode = venue.abilities.position_mode or settings.venue_position_mode
    yield Fact(name="account", value=f"{venue.opening.account}, {money}")
    # Not every sandbox can be asked what a key may do.
    beyond = "" if settings.venue_sandbox else ", and may not withdraw"
    yield Fact(name="key", value=f"accepted; it may trade{beyond}")
    yield Fact(name="position mode", value=mode.value)
    yield Fact(name="requests a minute", value=str(venue.opening.requests_per_minute))
    yield Fact(name="symbols", value=f"{len(venue.instruments)} can be traded")
    yield Fact(
        name=instrument.symbol,
        value=f"tick {plain(instrument.tick)}, lot {plain(instrument.lot)}, at least"
        f" {plain(instrument.min_qty)} and {plain(instrument.min_notional)} {instrument.currency}",
    )


@contextmanager
def _paper(settings: Settings, symbol: str) -> Iterator[Opened]:
    """A paper account of its own, on the simulated market."""
    day = Window(opens_ns=PAPER_BEGINS_NS, closes_ns=PAPER_BEGINS_NS + 86_400 * SECOND_NS)
    market = SimulatedMarket(0, PAPER_BEGINS_NS, lambda _now_ns: day)
    if symbol not in market.symbols:
        known = ", ".join(market.symbols)
        raise SettingsError(
            [SettingProblem("--symbol", symbol, f"the simulated market has {known}")]
        )
    rows = (quote for quote in market.quotes() if quote.symbol == symbol)
    newest = next(rows)
    instrument = default_instrument(symbol)

    def pass_time() -> None:
        nonlocal newest
        newest = next(rows)
        venue.on_quote(newest)

    with tempfile.TemporaryDirectory() as folder:
        venue = PaperVenue(
            Path(folder) / "paper.db",
            latency_ns=int(settings.paper_latency_ms * Decimal(MS_NS)),
            fee_bps=settings.paper_fee_bps,
            position_mode=settings.paper_position_mode,
            reduce_only_mode=settings.paper_reduce_only,
            instrument_of=lambda _symbol: instrument,
        )
        venue.on_quote(newest)
        try:
            yield Opened(
                line=Line(
                    venue=venue,
                    now_ns=lambda: newest.ts_ns,
                    pass_time=pass_time,
                    newest_quote=lambda: newest,
                ),
                instrument=instrument,
                account=VenueAccount(),
                facts=(
                    Fact(name="account", value="the paper venue, with books made for this check"),
                    Fact(name="market", value=f"simulated quotes of {symbol}"),
                ),
            )
        finally:
            venue.close()
