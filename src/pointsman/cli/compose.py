"""Composition: settings become a running engine. The only place that joins concrete parts together.

What it gives back owns files and locks: close it. The installation code in every client order id is
drawn when the database is created; for a recorded run it follows from the run's identity, so that
two runs give the same ids.
"""

import hashlib
import secrets
import string
from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import msgspec

from pointsman.cli import same_account
from pointsman.config.instruments import load_instruments
from pointsman.config.settings import Settings
from pointsman.domain.events import Started
from pointsman.domain.orders import CODE_LENGTH
from pointsman.domain.policy import Policy
from pointsman.domain.venue_truth import JournalHead
from pointsman.engine.execution_loop import ExecutionLoop, Hours
from pointsman.engine.recall import Recall
from pointsman.engine.recorder import Inline, Recorder, Threaded
from pointsman.execution.desk import Desk
from pointsman.execution.loading import Loaded
from pointsman.storage.entries import RunIdentity
from pointsman.storage.errors import StorageFailed
from pointsman.storage.queries import Loaded as Stored
from pointsman.storage.sqlite_manager import SqliteManager
from pointsman.venues.paper import PaperVenue
from pointsman.version import __version__

LETTERS = string.ascii_uppercase
OTHER_DATABASE = "use another database with --db PATH"


class OtherRun(Exception):
    """The database belongs to another run than the one asked for (exit 3)."""


class Assembly(msgspec.Struct):
    """A loop and what it stands on. `resume_ns` is the time that its books have reached, 0 for new
    ones."""

    loop: ExecutionLoop
    manager: SqliteManager
    recorder: Recorder
    started: Started
    resume_ns: int
    signals_from: Callable[[str], int]
    has_ended: bool
    closing: ExitStack

    def close(self) -> None:
        """Let go of the database and the venue."""
        self.closing.close()


def ledger_path(database: Path) -> Path:
    """Where the paper venue keeps its own books: beside the database."""
    database = database.resolve()  # A symbolic link is the same account.
    return database.with_name(f"{database.stem}.paper.db")


def instruments_digest(settings: Settings) -> str:
    """SHA-256 over the instruments that a run uses; of nothing where there is no file."""
    path = settings.instruments_file
    return hashlib.sha256(b"" if path is None else path.read_bytes()).hexdigest()


def assemble(
    settings: Settings,
    database: Path,
    identity: RunIdentity | None,
    *,
    wait: Callable[[StorageFailed], None] | None,
    notify: Callable[[], None] | None = None,
) -> Assembly:
    """Open database and venue, and load the desk. With `wait` commits are made inline, and it is
    called at each failed try; with `notify` by a writer thread, which calls it whenever something
    became durable."""
    instruments = load_instruments(settings.instruments_file) if settings.instruments_file else {}
    policy = settings.policy(instruments)
    with ExitStack() as opening:
        manager = SqliteManager(database)
        manager.open()
        opening.callback(manager.close)
        _claim(manager, identity)
        stored = manager.load()
        code = _code(identity) if stored.desk is None else stored.desk.code
        same_account.ledger_is_there(manager, ledger_path(database))
        venue = _paper_venue(
            settings, policy, database, lambda: same_account.journal_head(manager, code)
        )
        opening.callback(venue.close)
        same_account.require(manager, code, venue, ledger_path(database))
        desk = _desk(policy, code, stored)
        recorder: Recorder
        if wait is not None:
            recorder = Inline(manager, wait)
            opening.callback(recorder.settle)
        else:
            assert notify is not None
            recorder = Threaded(manager, notify)
            opening.callback(recorder.stop)
        loop = ExecutionLoop(desk, venue, recorder, Recall(manager), trading_hours(settings))
        cursors = {cursor.source: cursor.line for cursor in stored.cursors}
        return Assembly(
            loop,
            manager,
            recorder,
            Started(__version__, code, policy, settings.accounts, settings.digest()),
            max(stored.last_time_ns or 0, venue.known_until_ns()),
            lambda source: cursors.get(source, 0),
            stored.desk is not None and stored.desk.ended_at_ns is not None,
            opening.pop_all(),
        )


def _claim(manager: SqliteManager, identity: RunIdentity | None) -> None:
    """Make a new database that of this run, or see that it is of the same one (RULES 5)."""
    there = manager.run_identity()
    if manager.load().sequence == 0 and there is None:
        if identity is not None:
            manager.set_run_identity(identity)
        return
    if there == identity:
        return
    if there is None or identity is None:
        kind = "a live engine" if there is None else "a recorded or simulated run"
        raise OtherRun(f"{manager.path} belongs to {kind}; {OTHER_DATABASE}")
    names = [
        field.removesuffix("_digest")
        for field in RunIdentity.__struct_fields__
        if getattr(there, field) != getattr(identity, field)
    ]
    raise OtherRun(
        f"{manager.path} holds another run: its {' and '.join(names)} differ; {OTHER_DATABASE}"
    )


def _paper_venue(
    settings: Settings,
    policy: Policy,
    database: Path,
    journal_head: Callable[[], JournalHead | None],
) -> PaperVenue:
    return PaperVenue(
        ledger_path(database),
        latency_ns=int(settings.paper_latency_ms * Decimal(10**6)),
        fee_bps=settings.paper_fee_bps,
        position_mode=settings.paper_position_mode,
        reduce_only_mode=settings.paper_reduce_only,
        instrument_of=policy.instrument,
        journal_head=journal_head,
    )


def _code(identity: RunIdentity | None) -> str:
    if identity is None:
        return "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
    digest = hashlib.sha256(msgspec.json.encode(identity)).digest()
    return "".join(LETTERS[byte % len(LETTERS)] for byte in digest[:CODE_LENGTH])


def _desk(policy: Policy, code: str, stored: Stored) -> Desk:
    if stored.desk is None:
        return Desk(policy, code)
    return Desk.load(policy, loaded_from(stored), stored.last_time_ns or 0)


def loaded_from(stored: Stored) -> Loaded:
    """What storage holds, as the desk takes it."""
    return Loaded(
        desk=stored.desk,
        kill_switch=stored.kill_switch,
        accounts=stored.accounts,
        orders=stored.orders,
        positions=stored.positions,
        fill_keys=dict(stored.fill_keys),
        cash_moves=stored.unconfirmed_moves,
        cursors=stored.cursors,
        externals=stored.external_holdings,
        entry_times=tuple(
            (va_id, at_ns) for va_id, times in stored.recent_entries_ns.items() for at_ns in times
        ),
    )


def trading_hours(settings: Settings) -> Callable[[str], Hours]:
    """The trading hours of each VA; the general ones for everybody without their own."""
    general = settings.trading_hours()
    own = {va_id: settings.trading_hours(va_id) for va_id in settings.limits_by_va}
    return lambda va_id: own.get(va_id, general)
