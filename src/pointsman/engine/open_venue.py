"""Opening the account at a venue that an engine trades on.

The paper venue keeps books of its own in a file beside the database; whether that file belongs to
this database is checked before anything is traded (`same_account`).
"""

from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

from pointsman.config.problems import Problem, SettingsError
from pointsman.config.settings import Settings
from pointsman.config.venue_settings import VenueSettings
from pointsman.domain.market import Instrument
from pointsman.engine import same_account
from pointsman.execution.ports import QuoteListener, Venue
from pointsman.storage.queries import Loaded as Stored
from pointsman.storage.sqlite_manager import SqliteManager
from pointsman.venues.paper.venue import PaperVenue

InstrumentOf = Callable[[str], Instrument]


def require_built(account: VenueSettings | None) -> None:
    """Refuse an account at a venue that no adapter exists for. Raises SettingsError."""
    if account is not None:
        remedy = "it is known, and not built yet; set VENUE=paper"
        raise SettingsError([Problem("VENUE", account.name, remedy)])


def ledger_path(database: Path) -> Path:
    """Where the paper venue keeps its own books: beside the database."""
    database = database.resolve()  # A symbolic link is the same account.
    return database.with_name(f"{database.stem}.paper.db")


def listener(venue: Venue) -> QuoteListener | None:
    """The venue, where it fills orders by our quotes."""
    return venue if isinstance(venue, QuoteListener) else None


def newest_stamps(stored: Stored, venue: Venue) -> dict[str, int]:
    """The stamp of the newest quote of each symbol that is known of."""
    seen = venue.ledger.seen if isinstance(venue, PaperVenue) else {}
    return {mark.symbol: mark.ts_ns for mark in stored.marks} | seen


def open_paper_venue(
    settings: Settings,
    manager: SqliteManager,
    code: str,
    instrument_of: InstrumentOf,
    *,
    is_rewound: bool,
) -> PaperVenue:
    """Open the ledger that belongs to the database. Raises OtherAccount, and what opening it can
    raise."""
    ledger = ledger_path(manager.path)
    same_account.ledger_is_there(manager, ledger)

    def opened(*, is_rewound: bool) -> PaperVenue:
        return PaperVenue(
            ledger,
            latency_ns=int(settings.paper_latency_ms * Decimal(10**6)),
            fee_bps=settings.paper_fee_bps,
            position_mode=settings.paper_position_mode,
            reduce_only_mode=settings.paper_reduce_only,
            instrument_of=instrument_of,
            journal_head=lambda: same_account.journal_head(manager, code),
            is_rewound=is_rewound,
            # A recorded run can be made again: it does not wait for the disk at each comparison.
            notes_quiet_turns=manager.run_identity() is None,
        )

    with ExitStack() as checking:
        venue = opened(is_rewound=False)
        checking.callback(venue.close)
        same_account.require(manager, code, venue, ledger)
        if not is_rewound:
            checking.pop_all()
            return venue
    return opened(is_rewound=True)
