"""What one engine is in its cluster: the owner of a desk, whose journal is copied as it grows.

Invariants:

* a database joins only where its journal and the stream are the same as far as both go;
* nothing may be sent before the first row of this owner is acknowledged, in either way of
  replication: from then on no earlier owner can add a row;
* what has ended the membership is final; the engine ends, and the next start finds out what holds.
"""

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from pointsman.cluster import own_time
from pointsman.cluster.connection import REQUEST_SECONDS, Connection
from pointsman.cluster.control_subject import answer_requests
from pointsman.cluster.errors import (
    ClusterError,
    ClusterUnreachable,
    DeskOwned,
    NotOwner,
    WrongStream,
)
from pointsman.cluster.fleet_kill import FleetKillWatch, Press
from pointsman.cluster.journal_stream import JournalStream
from pointsman.cluster.lease import LeaseRecord, SeenLease, Tenure
from pointsman.cluster.lease_store import LeaseStore
from pointsman.cluster.ownership import LOOK_SECONDS, Ownership, Taking, whose
from pointsman.cluster.publisher import JournalPublisher
from pointsman.config.fields import LEASE_SECONDS_MAX, Replication
from pointsman.config.settings import Settings
from pointsman.storage.entries import Head
from pointsman.storage.sqlite_manager import SqliteManager

OPEN_SECONDS = 2 * REQUEST_SECONDS
FIRST_ROW_SECONDS = 10.0  # not money: seconds
LAST_ROWS_SECONDS = 2.0  # not money: seconds
_NS = 1_000_000_000


class Journal(Protocol):
    """The open database that joins."""

    path: Path

    @property
    def head(self) -> Head: ...

    def journal_hash(self, sequence: int) -> str | None: ...


class Membership:
    """Held from `join` until `close`."""

    def __init__(
        self,
        connection: Connection,
        ownership: Ownership,
        stream: JournalStream,
        journal: Journal,
        replication: Replication,
    ) -> None:
        self.copies = stream.copies
        self._connection = connection
        self._ownership = ownership
        self._is_begun = False
        self._joined_at = journal.head.sequence
        self._desk = ownership.tenure.record.desk
        self.publisher = JournalPublisher(
            connection,
            stream,
            journal.path,
            journal.head,
            is_sync=replication is Replication.SYNC,
            may_publish=ownership.may_send,
        )
        connection.begin(self.publisher.run())

    @property
    def epoch(self) -> int:
        """The number of this ownership; each has a greater one than all before."""
        return self._ownership.tenure.record.epoch

    @property
    def is_alive(self) -> bool:
        """Whether its thread runs, the desk is owned and the journal is copied."""
        has_ended = self._ownership.tenure.over or self.publisher.fault is not None
        return self._connection.is_alive and not has_ended

    @property
    def has_taken_over(self) -> bool:
        """Whether another owner was before that has not released the desk."""
        return self._ownership.tenure.has_taken_over

    def later(self, after_ns: int, call: Callable[[], None]) -> None:
        """Have something called in a while, on another thread."""
        seconds = after_ns / _NS  # not money: seconds
        self._connection.soon(lambda: self._connection.call_later(seconds, call))

    def listen(self, tell: Callable[[str], None]) -> None:
        """Have `tell` called, on another thread, with why the desk is not owned any more."""
        self._ownership.tell = tell

    def may_send(self) -> bool:
        """Whether a request that changes something at the venue may leave at this moment; from any
        thread. The last question before it does."""
        return self._is_begun and self._ownership.may_send()

    def obey_fleet(self, press: Press) -> None:
        """Have `press` called with each kill of the fleet; the one that stands already before this
        returns. Raises ClusterUnreachable."""
        watch = FleetKillWatch(self._ownership.store.bucket, self._desk, _holder(), press)
        self._connection.ask(watch.look(), OPEN_SECONDS)
        self._connection.begin(watch.watch())

    def answer_requests(self, answer: Callable[[bytes], bytes]) -> None:
        """Answer what is asked of the desk from elsewhere; `answer` is called on other threads."""
        self._connection.begin(answer_requests(self._connection, self._desk, answer))

    def begin(self, head: Head) -> None:
        """The first turn of this owner is durable here. Returns when its copy is acknowledged, and
        sending may begin. Raises what ended the membership, and ClusterUnreachable."""
        if head.sequence <= self._joined_at:
            raise ClusterError("the first turn could not be stored")
        self.publisher.follow_soon(head)
        if not self.publisher.flush(FIRST_ROW_SECONDS):
            self.require()
            told = f"the journal was not copied within {FIRST_ROW_SECONDS:g} s"
            raise ClusterUnreachable(f"{told}: {self.publisher.failure or 'no answer'}")
        self.require()
        self._is_begun = True

    def require(self) -> None:
        """Raises what has ended the membership, if anything has."""
        if self._ownership.tenure.over:
            raise NotOwner(f"the lease of the desk is lost: {self._ownership.tenure.over}")
        self.publisher.require()
        if self._connection.fault is not None:
            raise ClusterError(f"the cluster's thread broke: {self._connection.fault!r}")

    def close(self) -> None:
        """Release the desk, if all of its journal is copied, and end the connection. Nothing may be
        sent any more."""
        if self.is_alive and self.publisher.flush(LAST_ROWS_SECONDS):
            try:
                self._connection.ask(self._ownership.release(), REQUEST_SECONDS)
            except ClusterUnreachable:
                self._ownership.tenure.end("it was left to lapse")
        self._connection.close()


def join(settings: Settings, journal: Journal, epoch: int) -> Membership:
    """Become the owner of the settings' desk with this database, whose newest owner had that epoch.
    Waits until the lease of an owner that does not live any more has lapsed.

    Raises ClusterUnreachable, WrongStream, and DeskOwned where an owner lives.
    """
    connection = connect(settings)
    try:
        return _joined(settings, connection, journal, epoch)
    except BaseException:
        connection.close()
        raise


def connect(settings: Settings) -> Connection:
    """Connect to the servers of the settings. Raises ClusterUnreachable."""
    assert settings.replicate_to is not None, "asked for only where it is set"
    name = f"pointsman {settings.desk} {_holder()}"
    return Connection(settings.replicate_to.get_secret_value(), name)


def _joined(settings: Settings, connection: Connection, journal: Journal, epoch: int) -> Membership:
    taking = taking_for(settings, connection)
    _wait_until_free(connection, taking)
    end = _same_end(connection, JournalStream(connection, settings.desk, epoch), journal)
    tenure = _taken(connection, taking, epoch)
    held = begin_to_own(connection, taking, tenure, end)
    return member(settings, held, journal)


class Held(NamedTuple):
    """A desk that is owned, and not begun."""

    connection: Connection
    ownership: Ownership


def epoch_of(manager: SqliteManager) -> int:
    """The epoch of the newest owner that a database knows of."""
    desk = manager.load().desk
    return 0 if desk is None else desk.epoch


def taking_for(settings: Settings, connection: Connection) -> Taking:
    """The taking of the settings' desk. Raises ClusterUnreachable."""
    store = LeaseStore(connection, settings.desk)
    connection.ask(store.open(), OPEN_SECONDS)
    return Taking(store, wanted(settings), own_time.now_ns)


def begin_to_own(connection: Connection, taking: Taking, tenure: Tenure, end: Head) -> Held:
    """Keep a lease from when it was taken. Where the store had none for a stream that ends at
    `end`, an owner who is not known of is waited out."""
    ownership = Ownership(taking.store, tenure, own_time.now_ns)
    connection.begin(ownership.keep())
    if end.sequence and taking.claim.seen is None:
        tenure.has_taken_over = True
        _wait_out_unknown_owner(ownership)
    return Held(connection, ownership)


def member(settings: Settings, held: Held, journal: Journal) -> Membership:
    """The membership of the owner with the database that it continues. Raises WrongStream."""
    connection, ownership = held
    stream = JournalStream(connection, settings.desk, ownership.tenure.record.epoch)
    _same_end(connection, stream, journal)
    return Membership(connection, ownership, stream, journal, settings.replication)


def _same_end(connection: Connection, stream: JournalStream, journal: Journal) -> Head:
    """Where the stream ends, which is a row of this journal. Raises WrongStream."""
    connection.ask(stream.open(), OPEN_SECONDS)
    end = connection.ask(stream.last(), OPEN_SECONDS)
    require_same(end, stream.name, journal)
    return end


def wanted(settings: Settings) -> LeaseRecord:
    """The lease that an engine with these settings asks for; its epoch comes with the taking."""
    return LeaseRecord(
        desk=settings.desk,
        holder=_holder(),
        token=secrets.token_hex(8),
        epoch=0,
        length_ns=int(settings.lease_seconds * _NS),
    )


def _holder() -> str:
    return f"{os.uname().nodename}, process {os.getpid()}"


def _wait_until_free(connection: Connection, taking: Taking) -> None:
    """Wait until the lease may be taken. Raises DeskOwned where somebody renews it."""
    first: int | None = None
    while True:
        connection.ask(taking.look(), OPEN_SECONDS)
        seen = taking.claim.seen
        if seen is None or not taking.claim.wait_ns(own_time.now_ns()):
            return
        if first is not None and seen.revision != first:
            raise _owned(seen)
        first = seen.revision
        time.sleep(LOOK_SECONDS)


def _taken(connection: Connection, taking: Taking, epoch: int) -> Tenure:
    """The lease, which is free. Raises DeskOwned where another was faster."""
    while True:
        tenure = connection.ask(taking.take(epoch), OPEN_SECONDS)
        if tenure is not None:
            return tenure
        seen = taking.claim.seen
        if seen is not None and taking.claim.wait_ns(own_time.now_ns()):
            raise _owned(seen)


def _owned(seen: SeenLease) -> DeskOwned:
    return DeskOwned(
        f"desk {seen.record.desk} is owned by {whose(seen)}: stop that engine first, or run"
        " `pointsman standby` here"
    )


def _wait_out_unknown_owner(ownership: Ownership) -> None:
    """The store had no lease. If it was lost with its owner alive, that owner sends no longer than
    the longest lease."""
    until_ns = own_time.now_ns() + LEASE_SECONDS_MAX * _NS
    while own_time.now_ns() < until_ns and ownership.may_send():
        time.sleep(LOOK_SECONDS)


def require_same(end: Head, stream: str, journal: Journal) -> None:
    """Refuse a stream and a database that do not hold the same journal, as far as the stream goes.
    Raises WrongStream."""
    head = journal.head
    if end.sequence > head.sequence:
        raise WrongStream(
            f"{stream} has {end.sequence} rows and {journal.path} {head.sequence}: another engine"
            " has continued this desk. Make a database from the stream: `pointsman restore"
            " --from URL --db FILE`"
        )
    if end.sequence and journal.journal_hash(end.sequence) != end.hash:
        raise WrongStream(
            f"row {end.sequence} of {stream} is another than in {journal.path}: the stream is of"
            " another database, or another engine has continued this desk. Keep the file, and"
            " make a database from the stream: `pointsman restore --from URL --db FILE`"
        )
