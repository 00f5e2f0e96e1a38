"""A database that follows the stream of its desk: each row is checked, appended and projected, as
the owner's own storage does it. So what a start finds in it is what it would find in the owner's.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pointsman.cluster.connection import REQUEST_SECONDS, Connection
from pointsman.cluster.errors import ClusterUnreachable, NotOwner, WrongStream
from pointsman.cluster.journal_stream import JournalStream
from pointsman.cluster.lease import SeenLease
from pointsman.cluster.membership import (
    OPEN_SECONDS,
    Held,
    Membership,
    begin_to_own,
    connect,
    epoch_of,
    member,
    taking_for,
)
from pointsman.cluster.ownership import whose
from pointsman.cluster.row_reader import ROWS_AT_ONCE, RowReader
from pointsman.config.settings import Settings
from pointsman.storage.entries import Head
from pointsman.storage.errors import StorageFailed
from pointsman.storage.sqlite_manager import SqliteManager

WAIT_SECONDS = 0.2  # not money: seconds
"""How long a row is waited for before the lease is looked at again."""
RETRY_SECONDS = 1.0  # not money: seconds


def restore(settings: Settings, database: Path) -> Head:
    """Make a database from the stream alone, or bring one that is behind it up to its present end.
    Where it ends.

    Raises ClusterUnreachable, WrongStream where there is no stream, or where the database is not a
    part of it, and what opening the database and storing can raise.
    """
    connection = connect(settings)
    try:
        stream = JournalStream(connection, settings.desk, 0)
        is_there = connection.ask(stream.is_there(), OPEN_SECONDS)
        end = end_of(connection, settings.desk) if is_there else Head(0, "")
        if end.sequence == 0:
            raise WrongStream(f"desk {settings.desk} has no stream, or nothing is in it yet")
        with opened(database) as manager:
            require_part(connection, settings.desk, manager)
            reader = RowReader(connection, settings.desk)
            while manager.head.sequence < end.sequence:
                fold(connection, reader, manager)
            return manager.head
    finally:
        connection.close()


def await_lease(
    settings: Settings,
    database: Path,
    is_stopped: Callable[[], bool],
    say: Callable[[str], None],
) -> Held | None:
    """Follow the stream until the lease of the desk may be taken, take it, and follow to the end.
    None where a stop was asked for. `say` writes a line.

    Raises ClusterUnreachable where no server answers at first, WrongStream, and what opening the
    database can raise.
    """
    connection = connect(settings)
    try:
        with opened(database) as manager:
            held = _followed(settings, connection, manager, is_stopped, say)
    except BaseException:
        connection.close()
        raise
    if held is None:
        connection.close()
    return held


def _followed(
    settings: Settings,
    connection: Connection,
    manager: SqliteManager,
    is_stopped: Callable[[], bool],
    say: Callable[[str], None],
) -> Held | None:
    end = end_of(connection, settings.desk)
    require_part(connection, settings.desk, manager)
    reader = RowReader(connection, settings.desk)
    taking = taking_for(settings, connection)
    trouble, is_up_to_date = "", False
    while not is_stopped():
        try:
            if fold(connection, reader, manager) == ROWS_AT_ONCE:
                # Far behind: the desk is for another that has its rows, if there is one.
                connection.ask(taking.look(), OPEN_SECONDS)
                continue
            tenure = connection.ask(taking.take(epoch_of(manager)), OPEN_SECONDS)
            trouble = _told(trouble, "", say)
            if tenure is None and not is_up_to_date and manager.head.sequence >= end.sequence:
                is_up_to_date = True
                owner = _owner(taking.claim.seen)
                say(f"up to date at row {manager.head.sequence}; the desk is owned by {owner}")
        except (ClusterUnreachable, StorageFailed) as error:
            trouble = _told(trouble, str(error), say)
            time.sleep(RETRY_SECONDS)
            continue
        if tenure is not None:
            say(f"the lease is ours: epoch {tenure.record.epoch}")
            held = begin_to_own(connection, taking, tenure, manager.head)
            _fold_the_rest(settings, held, reader, manager)
            return held
    return None


def _owner(seen: SeenLease | None) -> str:
    return "nobody" if seen is None else whose(seen)


def _told(before: str, now: str, say: Callable[[str], None]) -> str:
    """Say what is wrong where that is new, and that it is over."""
    if now and now != before:
        say(f"cannot follow for now: {now}")
    elif before and not now:
        say("following again")
    return now


def _fold_the_rest(
    settings: Settings, held: Held, reader: RowReader, manager: SqliteManager
) -> None:
    """All that the owner before has written. It can add nothing once our first row is in."""
    end = end_of(held.connection, settings.desk)
    while manager.head.sequence < end.sequence:
        if not held.ownership.may_send():
            raise NotOwner(f"the lease was lost again: {held.ownership.tenure.over}")
        fold(held.connection, reader, manager)


def member_with_all_rows(settings: Settings, held: Held, manager: SqliteManager) -> Membership:
    """The membership of an engine that begins with a desk which is owned already. What the owner
    before had on its way may have come since the database was closed."""
    _fold_the_rest(settings, held, RowReader(held.connection, settings.desk), manager)
    return member(settings, held, manager)


def fold(connection: Connection, reader: RowReader, manager: SqliteManager) -> int:
    """Take in the rows that are there, or come within a moment; how many."""
    asked = reader.next(manager.head.sequence, WAIT_SECONDS)
    rows = connection.ask(asked, WAIT_SECONDS + REQUEST_SECONDS)
    if rows:
        manager.adopt(rows)
    if manager.project_in_seconds == 0 or not rows:
        manager.project()
    return len(rows)


@contextmanager
def opened(database: Path) -> Iterator[SqliteManager]:
    """The database, open, its tables brought up to its journal in the end."""
    manager = SqliteManager(database)
    manager.open()
    try:
        yield manager
        manager.project()
    finally:
        manager.close()


def end_of(connection: Connection, desk: str) -> Head:
    """Where the desk's stream ends; it is made where there is none."""
    stream = JournalStream(connection, desk, 0)
    connection.ask(stream.open(), OPEN_SECONDS)
    return connection.ask(stream.last(), OPEN_SECONDS)


def require_part(connection: Connection, desk: str, manager: SqliteManager) -> None:
    """Refuse a database that is not a part of the stream. Raises WrongStream."""
    head = manager.head
    if head.sequence == 0:
        return
    stream = JournalStream(connection, desk, 0)
    end = connection.ask(stream.last(), OPEN_SECONDS)
    is_part = head.sequence <= end.sequence
    if is_part:
        row = connection.ask(stream.row(head.sequence), OPEN_SECONDS)
        is_part = row[-1] == head.hash
    if not is_part:
        raise WrongStream(
            f"{manager.path} holds rows that are not in {stream.name}: another engine has continued"
            " the desk, or it is another desk's. Move the file away; one is made from the stream"
        )
