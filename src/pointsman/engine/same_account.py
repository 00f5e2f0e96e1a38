"""Whether a database and a paper ledger belong together: checked before an engine trades on them.

Each side records the newest entry that it has from the other, so one rule each way finds every file
that was deleted, cut short, replaced by another or restored from an older copy (RULES 26):

* the ledger names the newest row of the journal that it was given; the database must hold exactly
  that row. A database only tells of rows that are durable, so a crash at any moment keeps this;
* the database names the newest execution, transfer and open orders that it has from the venue; the
  ledger must hold them. The ledger tells only what it has committed, so a crash keeps this too.
"""

from pathlib import Path

from pointsman.domain.accounts import DeskRecord, VenueAccount
from pointsman.domain.venue_reports import JournalHead, KnownOfVenue
from pointsman.errors import PointsmanError
from pointsman.storage.file_identity import Identity, identities
from pointsman.storage.sqlite_manager import SqliteManager
from pointsman.venues.paper.venue import PaperVenue

NOTHING_KNOWN = KnownOfVenue(fills_cursor="", fill=None, cash_ref=None, order_ids=())


class OtherAccount(PointsmanError):
    """Database and ledger do not belong together, or one of them has lost what the other knows
    (exit 5). Nothing was sent or changed."""


def journal_head(manager: SqliteManager, code: str) -> JournalHead | None:
    """What a ledger is given: the newest durable row of the journal; None before the first."""
    head = manager.head
    return JournalHead(code, head.sequence, head.hash) if head.sequence else None


def ledger_is_there(manager: SqliteManager, ledger: Path) -> None:
    """Refuse to make a new ledger for a database that already has facts from one. Raises
    OtherAccount."""
    if not ledger.exists() and manager.known_of_venue() != NOTHING_KNOWN:
        raise OtherAccount(
            f"{ledger}, the paper venue's account, is missing, and {manager.path} has traded on it"
            f"; {_put_back(ledger)}"
        )


def require(manager: SqliteManager, code: str, venue: PaperVenue, ledger: Path) -> None:
    """Refuse a ledger and a database that do not belong together. `code` is the installation of the
    database, generated where it is new. Raises OtherAccount."""
    database, client = manager.path, venue.ledger.client
    if client is not None:
        if client.code != code:
            is_new = manager.head.sequence == 0
            found = "is new" if is_new else f"is of installation {code}"
            raise OtherAccount(
                f"{ledger} is the account of installation {client.code}, and {database} {found}; "
                f"{_put_back(database if is_new else ledger)}"
            )
        if client.sequence and manager.journal_hash(client.sequence) != client.hash:
            raise OtherAccount(
                f"{database} has lost turns: {ledger} has seen row {client.sequence} of its "
                f"journal, which ends at {manager.head.sequence} or is another one there; was "
                f"{database.name}-wal deleted, or an older copy put back? {_put_back(database)}"
            )
    lacking = venue.ledger.lacks(manager.known_of_venue())
    if lacking is not None:
        raise OtherAccount(
            f"{ledger} does not hold {lacking}, which {database} has from it; {_put_back(ledger)}"
        )


def require_traded_on(desk: DeskRecord | None, account: VenueAccount, database: Path) -> None:
    """Refuse a database whose records are those of another account: what is held there is not here,
    and would count as lost. Raises OtherAccount."""
    if desk is not None and desk.traded_on != account:
        raise OtherAccount(
            f"{database} trades on {desk.traded_on.label}, and the settings say {account.label}; "
            "use another database (--db PATH) for it. Nothing was sent"
        )


def files_of(ledger: Path) -> dict[Path, Identity]:
    """The files that hold the paper venue's books, where it has any."""
    return identities((ledger, ledger.with_name(f"{ledger.name}-wal")))


def _put_back(file: Path) -> str:
    return (
        f"put back {file.name} with its -wal file, or to begin a new paper account use another "
        "database (--db PATH, or move both files away). Nothing was sent"
    )
