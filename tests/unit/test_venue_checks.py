"""A check of the venue in the database: there is one, whole, and nothing of the journal."""

from contextlib import closing
from pathlib import Path

from pointsman.domain.accounts import VenueAccount
from pointsman.storage.journal import fold
from pointsman.storage.reader import reading
from pointsman.storage.sqlite_manager import SqliteManager
from pointsman.storage.venue_checks import CheckedPromise, read_check
from tests.unit.stored_samples import history

ACCOUNT = VenueAccount(venue="alpaca", name="PA7", is_sandbox=True)


def promise(name: str, is_kept: bool | None = True, detail: str = "") -> CheckedPromise:
    """One promise of a check of ACCOUNT."""
    return CheckedPromise(
        promise=name,
        text=f"{name} is promised",
        is_kept=is_kept,
        took_ms=None if is_kept is None else 12,
        detail=detail,
        checked_at_ns=1_796_083_200 * 10**9,
        account=ACCOUNT,
        symbol="AAPL",
    )


def keep(path: Path, *check: CheckedPromise) -> Path:
    """Keep a check in a database that is there or not."""
    manager = SqliteManager(path)
    manager.open()
    manager.set_venue_check(check)
    manager.close()
    return path


def test_a_new_check_takes_the_place_of_the_one_before_whole(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    keep(path, promise("zebra"), promise("ant"), promise("gone"))
    newest = (promise("zebra", is_kept=False, detail="it rests"), promise("ant", is_kept=None))
    with reading(keep(path, *newest)) as connection:
        assert read_check(connection) == newest, "in the order in which they are tried"


def test_before_the_first_there_is_none_and_a_check_leaves_the_journal_alone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "t.db"
    with closing(SqliteManager(path)) as manager:
        manager.open()
        manager.append(history())
        head = manager.head
    with reading(path) as connection:
        assert read_check(connection) == ()
    keep(path, promise("ant"))
    with closing(SqliteManager(path)) as manager:
        manager.open()
        assert manager.head == head
        with reading(path) as connection:
            assert fold(connection) is None, "the tables are what the journal says"
