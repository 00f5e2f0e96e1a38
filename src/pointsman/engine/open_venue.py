"""Opening the account at a venue that an engine trades on.

A real venue is reached by its adapter, on a thread of its own; key and secret go from the settings
to the adapter, and nowhere else. The paper venue keeps books of its own in a file beside the
database; whether that file belongs to this database is checked before anything is traded
(`same_account`).
"""

from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import msgspec

from pointsman.config.known_venues import PAPER
from pointsman.config.problems import SettingsError
from pointsman.config.settings import Settings
from pointsman.config.venue_settings import venue_problems
from pointsman.domain.accounts import DeskRecord, VenueAccount
from pointsman.domain.market import Instrument
from pointsman.domain.policy import PositionMode, ReduceOnlyMode
from pointsman.domain.timestamps import MS_NS, SECOND_NS
from pointsman.engine import same_account
from pointsman.execution.ports import QuoteListener, Venue
from pointsman.storage.queries import StoredRecords
from pointsman.storage.sqlite_manager import SqliteManager
from pointsman.venues.adapter import Access, Adapter, MaySend, always
from pointsman.venues.bridge import RealVenue
from pointsman.venues.catalogue import CATALOGUE
from pointsman.venues.dispatcher import ORDER_WAIT_NS
from pointsman.venues.paper.venue import PaperVenue
from pointsman.venues.read_only import ReadOnly
from pointsman.venues.shadow import ShadowVenue, shadow_abilities

InstrumentOf = Callable[[str], Instrument]


class WantedVenue(NamedTuple):
    """What a venue is opened with: the open database, the record of its desk, its code, the
    instruments as the desk has them, and whether a request may leave."""

    manager: SqliteManager
    desk: DeskRecord | None
    code: str
    instrument_of: InstrumentOf
    may_send: MaySend = always


def _alpaca(access: Access) -> Adapter:
    from pointsman.venues.alpaca.adapter import make_adapter

    return make_adapter(access)


def _binance(access: Access) -> Adapter:
    from pointsman.venues.binance.adapter import make_adapter

    return make_adapter(access)


def _bybit(access: Access) -> Adapter:
    from pointsman.venues.bybit.adapter import make_adapter

    return make_adapter(access)


ADAPTERS: dict[str, Callable[[Access], Adapter]] = {
    "alpaca": _alpaca,
    "binanceusdm": _binance,
    "bybit": _bybit,
}
"""What makes the adapter of each real venue, by its name in the settings. Each imports what it
needs when it is called."""

TIMEOUT_MS_MAX = 4_000
"""A request that has no answer by then is given up: before SUBMIT_TIMEOUT_SECONDS is over, so that
the engine can ask about it."""
_TIMEOUT_SHARE = Decimal("0.8")
_MS_PER_SECOND = 10**3


def access_of(settings: Settings) -> Access | None:
    """What the adapter of the real venue is made from; None for the paper venue.

    Raises SettingsError with everything that prevents a start at that venue.
    """
    if problems := venue_problems(settings):
        raise SettingsError(problems)
    if settings.venue == PAPER:
        return None
    assert settings.venue_key is not None, "no problem was found"
    assert settings.venue_secret is not None, "no problem was found"
    patience_ms = settings.submit_timeout_seconds * _TIMEOUT_SHARE * _MS_PER_SECOND
    return Access(
        key=settings.venue_key.get_secret_value(),
        secret=settings.venue_secret.get_secret_value(),
        is_sandbox=settings.venue_sandbox,
        position_mode=settings.venue_position_mode,
        symbols=settings.symbols,
        url=settings.venue_url,
        stream_url=settings.venue_stream_url,
        timeout_ms=min(TIMEOUT_MS_MAX, int(patience_ms)),
        # The engine counts from when it handed an order over, the venue from when it has left.
        order_settle_ns=int(settings.order_settle_seconds * SECOND_NS) - ORDER_WAIT_NS,
    )


def open_real_venue(settings: Settings, access: Access, now_ns: int) -> RealVenue:
    """Connect to the account, and check it. In shadow it can only be read. Raises VenueRefused and
    VenueUnreachable."""
    adapter = ADAPTERS[settings.venue](access)
    return RealVenue(
        ReadOnly(adapter) if settings.is_shadow else adapter,
        now_ns=now_ns,
        requests_per_minute=settings.venue_requests_per_minute,
    )


def open_venue(
    settings: Settings,
    access: Access | None,
    wanted: WantedVenue,
    *,
    now_ns: int,
    is_rewound: bool,
) -> Venue:
    """The account that an engine on this database trades on: paper without `access`, else the real
    one, or in shadow paper in its place. Raises OtherAccount, and what opening can raise."""
    manager, desk, code = wanted.manager, wanted.desk, wanted.code
    instrument_of = wanted.instrument_of
    if access is None:
        same_account.require_traded_on(desk, VenueAccount(), manager.path)
        paper = (settings.paper_position_mode, settings.paper_reduce_only)
        return open_paper_venue(
            settings, manager, code, instrument_of, modes=paper, is_rewound=is_rewound
        )
    fenced = msgspec.structs.replace(access, may_send=wanted.may_send)
    account = open_real_venue(settings, fenced, now_ns)
    with ExitStack() as opening:
        opening.callback(account.close)
        same_account.require_traded_on(desk, account_at(account, settings), manager.path)
        if not settings.is_shadow:
            opening.pop_all()
            return account
        can = shadow_abilities(account.abilities, CATALOGUE[PAPER])
        modes = (
            can.position_mode or settings.venue_position_mode,
            can.reduce_only or settings.paper_reduce_only,
        )
        paper_venue = open_paper_venue(
            settings,
            manager,
            code,
            lambda symbol: account.instruments.get(symbol) or instrument_of(symbol),
            modes=modes,
            is_rewound=False,
        )
        opening.pop_all()
        return ShadowVenue(account, paper_venue)


def account_behind(venue: Venue) -> RealVenue | None:
    """The account at a real venue that is traded on or, in shadow, read."""
    if isinstance(venue, ShadowVenue):
        return venue.account
    return venue if isinstance(venue, RealVenue) else None


def begin_listening(venue: Venue, wake: Callable[[], None]) -> None:
    """Have a real venue say what happens at the account; `wake` is called, on another thread,
    whenever something has arrived."""
    if (account := account_behind(venue)) is not None:
        account.start(wake)


def account_at(venue: Venue, settings: Settings) -> VenueAccount:
    """Which account that is."""
    account = account_behind(venue)
    if account is None:
        return VenueAccount()
    return VenueAccount(
        venue=settings.venue,
        name=account.opening.account,
        is_sandbox=settings.venue_sandbox,
        is_shadow=settings.is_shadow,
    )


def budget_of(venue: Venue, now_ns: int) -> dict[str, int] | None:
    """What may be asked of a real venue in a minute, and how much of it is left; None where nothing
    counts it. From any thread."""
    account = account_behind(venue)
    if account is None:
        return None
    budget = account.budget
    return {"requests_per_minute": budget.per_minute, "left": budget.left(now_ns)}


def ledger_path(database: Path) -> Path:
    """Where the paper venue keeps its own books: beside the database."""
    database = database.resolve()  # A symbolic link is the same account.
    return database.with_name(f"{database.stem}.paper.db")


def listener(venue: Venue) -> QuoteListener | None:
    """The venue, where it fills orders by our quotes."""
    return venue if isinstance(venue, QuoteListener) else None


def newest_stamps(stored: StoredRecords, venue: Venue) -> dict[str, int]:
    """The stamp of the newest quote of each symbol that is known of."""
    paper = venue.paper if isinstance(venue, ShadowVenue) else venue
    seen = paper.ledger.seen if isinstance(paper, PaperVenue) else {}
    return {mark.symbol: mark.ts_ns for mark in stored.marks} | seen


def open_paper_venue(
    settings: Settings,
    manager: SqliteManager,
    code: str,
    instrument_of: InstrumentOf,
    *,
    modes: tuple[PositionMode, ReduceOnlyMode],
    is_rewound: bool,
) -> PaperVenue:
    """Open the ledger that belongs to the database. Raises OtherAccount, and what opening it can
    raise."""
    ledger = ledger_path(manager.path)
    same_account.ledger_is_there(manager, ledger)

    def opened(*, is_rewound: bool) -> PaperVenue:
        return PaperVenue(
            ledger,
            latency_ns=int(settings.paper_latency_ms * Decimal(MS_NS)),
            fee_bps=settings.paper_fee_bps,
            position_mode=modes[0],
            reduce_only_mode=modes[1],
            instrument_of=instrument_of,
            journal_head=lambda: same_account.journal_head(manager, code),
            is_rewound=is_rewound,
            # A recorded run can be made again: it does not wait for the disk at each comparison.
            notes_quiet_turns=manager.run_identity() is None,
            is_synced=manager.is_synced,
        )

    with ExitStack() as checking:
        venue = opened(is_rewound=False)
        checking.callback(venue.close)
        same_account.require(manager, code, venue, ledger)
        if not is_rewound:
            checking.pop_all()
            return venue
    return opened(is_rewound=True)
