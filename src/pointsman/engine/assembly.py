"""The one assembly of an engine: every way to start goes through `build` (RULES 40).

Paced and fast runs, the Python API and the simulator differ in their venue, their recorder and what
drives them. What they share is put together here. Invariants: the kill latch is opened before
anything else, and while it is set no entry leaves; `Assembly.start` makes a set latch, a
KILL_SWITCH_FILE and what `rearm` left behind known to the desk before the first signal is decided.

What an assembly holds open are files and locks: close it. The installation code in every client
order id is drawn when the database is created; for a recorded run it follows from the run's
identity, so that two runs give the same ids.
"""

import hashlib
import secrets
import string
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pointsman.config.instruments import at_venue as instruments_at_venue
from pointsman.config.instruments import load_instruments
from pointsman.config.problems import SettingProblem, SettingsError
from pointsman.config.settings import Settings
from pointsman.domain.client_order_ids import CODE_LENGTH
from pointsman.domain.events import FileLost, Started
from pointsman.domain.policy import Policy
from pointsman.domain.timestamps import in_seconds
from pointsman.engine import same_account
from pointsman.engine.file_watch import FileWatch
from pointsman.engine.joining import Join, begin_to_send, joined, joining, may_send_of, obey
from pointsman.engine.kill_latch import KillLatch, open_latch
from pointsman.engine.latch_watch import EVERY_SECONDS, LatchWatch
from pointsman.engine.open_venue import (
    WantedVenue,
    access_of,
    account_at,
    begin_listening,
    ledger_path,
    listener,
    newest_stamps,
    open_venue,
)
from pointsman.engine.own_run import claim
from pointsman.engine.recorder import open_recorder
from pointsman.engine.request_handler import RequestHandler
from pointsman.engine.rerun import Rerun
from pointsman.engine.stored_start import instrument_of, new_desk, resume_ns, signals_from
from pointsman.engine.ticker import Ticker
from pointsman.execution.archive import FinishedRecords
from pointsman.execution.desk import Desk
from pointsman.execution.execution_loop import ExecutionLoop
from pointsman.execution.last_check import Hold
from pointsman.execution.ports import Hours, Recorder, Venue
from pointsman.storage.entries import RunIdentity
from pointsman.storage.errors import StorageFailed
from pointsman.storage.queries import EMPTY
from pointsman.storage.sqlite_manager import SqliteManager
from pointsman.venues.paper.venue import PaperVenue
from pointsman.version import __version__

if TYPE_CHECKING:
    from pointsman.cluster.membership import Membership

LETTERS = string.ascii_uppercase


class Blueprint(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine is built from.

    `started` makes the event of a start from the installation code and the venue, and `new_code`
    draws the code of a new database. `open_recorder` registers its closing on the stack that it is
    given. `wake` has the driver look at what other threads asked for. `join` is given where the
    desk is one of a cluster. `follow`, where given, makes again what the journal of an interrupted
    run holds; it is given what to call at its end. Without `is_synced` nothing that is stored waits
    for the disk (RULES 42).
    """

    database: Path
    policy: Policy
    hours: Callable[[str], Hours]
    started: Callable[[str, Venue], Started]
    new_code: Callable[[], str]
    open_venue: Callable[[WantedVenue], Venue]
    open_recorder: Callable[[SqliteManager, ExitStack], Recorder]
    wake: Callable[[], None]
    join: Join | None = None
    follow: Callable[[SqliteManager, Venue, Recorder, Callable[[], None]], Rerun] | None = None
    kill_file: Path | None = None
    identity: RunIdentity | None = None
    is_synced: bool = True


class Assembly(msgspec.Struct):
    """A loop and what it depends on. `resume_ns` is the time that its books have reached, 0 for new
    ones and where `rerun` takes them there; `newest_stamps` are those of the quotes that they were
    marked at. The driver calls `work` after each instant, and `look` is called every EVERY_SECONDS
    of real time: see `watching`."""

    loop: ExecutionLoop
    latch: KillLatch
    watch: LatchWatch
    request_handler: RequestHandler
    files: FileWatch
    manager: SqliteManager
    recorder: Recorder
    started: Started
    resume_ns: int
    signals_from: Callable[[str], int]
    has_ended: bool
    newest_stamps: dict[str, int]
    closing: ExitStack
    begin_listening: Callable[[], None]
    rerun: Rerun | None = None
    membership: "Membership | None" = None

    @property
    def is_behind(self) -> bool:
        """Whether a rerun was stopped before it had come to the end of the journal: nothing may
        follow."""
        return self.rerun is not None and not self.rerun.is_caught_up

    def start(self, now_ns: int) -> None:
        """Begin at `now_ns`, or where a rerun has come to. Killed beforehand, the engine is killed
        before it decides anything."""
        if self.rerun is None:
            self.loop.start(self.started, now_ns)
        if self.membership is not None:
            settle_ns = self.started.policy.order_settle_ns
            begin_to_send(self.membership, self.manager, self.recorder, self.loop, settle_ns)
        self.begin_listening()
        # Before the watch: it would latch what the stored kill switch says, over the person's word.
        self.request_handler.rearm_at_start()
        self.look(max(now_ns, self.loop.now_ns))
        self.work()

    def look(self, now_ns: int) -> None:
        """Look at the kill latch and at the files that are held open; from any thread."""
        self.watch.look(now_ns)
        self.files.look()

    def work(self) -> None:
        """Pass requests, kills and lost files on to the desk; on the loop's thread. Raises what has
        ended the membership in a cluster."""
        self.require_membership()
        self.request_handler.work()
        for path, fault in () if self.is_behind else self.files.take_news():
            self.loop.turn(FileLost(str(path), fault))

    def require_membership(self) -> None:
        """Raises what has ended the membership in a cluster, if anything has."""
        if self.membership is not None:
            self.membership.require()

    @contextmanager
    def watching(self, now_ns: Callable[[], int]) -> Iterator[Callable[[], None]]:
        """Within this block latch and files are looked at every EVERY_SECONDS of real time;
        `now_ns` gives event time on any thread. The driver calls what is given after each instant,
        on its own thread; it raises WatchEnded where nothing looks at the latch any more. At the
        end FilesLost is raised where a file is not at its path."""
        ticker = Ticker("latch", EVERY_SECONDS, lambda: self.look(now_ns()))
        ticker.start()

        def obey() -> None:
            self.work()
            if not ticker.is_alive:
                told = "the watch on the kill latch has ended"
                self.loop.hold(Hold.PART_DOWN, True, told)
                raise WatchEnded(told)

        try:
            yield obey
        finally:
            ticker.stop()
        self.files.require_all()

    def lost(self) -> dict[str, str]:
        """Files that were lost under the engine, and how; from any thread."""
        return self.files.lost() | ({"kill latch": told} if (told := self.latch.lost) else {})

    def close(self) -> None:
        """Let go of the database, the venue and the latch."""
        self.closing.close()


class WatchEnded(Exception):
    """The watch on the kill latch has ended by a fault: without it the engine does not continue."""


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
    notify: Callable[[], None] = lambda: None,
    is_rerun: bool = False,
    join: Join | None = None,
) -> Assembly:
    """Open the database and the venue of the settings, and load the desk. With `wait` commits are
    made inline without waiting for the disk, and it is called at each failed try; else by a writer
    thread. `notify` is called whenever something became durable or was asked for, on any thread.
    With `is_rerun` an interrupted run is made again from its beginning, up to where its journal
    ends. `join` is given where the engine continues with a desk that is owned already.

    Raises SettingsError, StorageError, OtherRun, OtherAccount, and what opening the ledger can
    raise.
    """
    access = access_of(settings)
    instruments = load_instruments(settings.instruments_file) if settings.instruments_file else {}
    policy = settings.policy(instruments)

    def started(code: str, venue: Venue) -> Started:
        return Started(
            version=__version__,
            code=code,
            policy=policy,
            accounts=settings.accounts,
            settings_digest=settings.digest(),
            traded_on=account_at(venue, settings),
        )

    def opened(wanted: WantedVenue) -> Venue:
        is_rewound = is_rerun and wanted.manager.head.sequence > 0
        now_ns = time.time_ns()
        return open_venue(settings, access, wanted, now_ns=now_ns, is_rewound=is_rewound)

    return build(
        Blueprint(
            database=database,
            policy=policy,
            hours=trading_hours(settings),
            started=started,
            new_code=lambda: _code(identity),
            open_venue=opened,
            open_recorder=lambda manager, closing: open_recorder(manager, closing, wait, notify),
            join=join or joining(settings, identity),
            follow=_follow if is_rerun else None,
            wake=notify,
            kill_file=settings.kill_switch_file,
            identity=identity,
            # A run as fast as it goes is made again from its files after a power cut (RULES 42).
            is_synced=wait is None or access is not None,
        )
    )


def build(blueprint: Blueprint) -> Assembly:
    """Open what the blueprint names, the kill latch first, and load the desk.

    Raises StorageError, OtherRun, SettingsError where the venue makes a setting unusable,
    ClusterError, and what opening the venue can raise.
    """
    with ExitStack() as opening:
        latch = open_latch(blueprint.database)
        opening.callback(latch.close)
        manager = SqliteManager(blueprint.database, is_synced=blueprint.is_synced)
        manager.open()
        opening.callback(manager.close)
        claim(manager, blueprint.identity)
        membership = joined(blueprint.join, manager, opening)
        stored = manager.load()
        code = blueprint.new_code() if stored.desk is None else stored.desk.code
        desks: list[Desk] = []
        instrument_at = instrument_of(blueprint.policy, stored, desks)
        wanted = WantedVenue(manager, stored.desk, code, instrument_at, may_send_of(membership))
        venue = blueprint.open_venue(wanted)
        opening.callback(venue.close)
        started = _started(blueprint.started(code, venue), venue, membership)
        has_ended = stored.desk is not None and stored.desk.ended_at_ns is not None
        recorder = blueprint.open_recorder(manager, opening)

        def listen() -> None:
            latch.listen(lambda is_set: loop.hold(Hold.KILL_LATCH, is_set))
            obey(membership, latch, loop, blueprint.wake)

        rerun = None
        if blueprint.follow is not None and stored.sequence and not has_ended:
            # The latch binds what is decided from now on, not what was before.
            rerun = blueprint.follow(manager, venue, recorder, listen)
            stored = EMPTY
        desk, hours, wake = new_desk(started.policy, code, stored), blueprint.hours, blueprint.wake
        desks.append(desk)
        recall = FinishedRecords(rerun or manager)
        loop = ExecutionLoop(desk, venue, rerun or recorder, recall, hours, listener(venue))
        if rerun is None:
            listen()
        return Assembly(
            loop=loop,
            latch=latch,
            watch=LatchWatch(latch, blueprint.kill_file, lambda: desk.books.kill_switch, wake),
            request_handler=RequestHandler(
                loop, latch, lambda va_id, now_ns: hours(va_id).day_start_ns(now_ns), wake
            ),
            files=_watch(manager, loop),
            manager=manager,
            recorder=recorder,
            started=started,
            resume_ns=resume_ns(stored, venue, blueprint.identity),
            signals_from=signals_from(stored),
            has_ended=has_ended,
            newest_stamps=newest_stamps(stored, venue),
            closing=opening.pop_all(),
            begin_listening=lambda: begin_listening(venue, wake),
            rerun=rerun,
            membership=membership,
        )


def _watch(manager: SqliteManager, loop: ExecutionLoop) -> FileWatch:
    """The watch on the files that hold the records and the paper venue's books."""
    files = manager.files | same_account.files_of(ledger_path(manager.path))
    return FileWatch(files, lambda lost: loop.hold(Hold.FILE_LOST, bool(lost), lost))


def _follow(
    manager: SqliteManager, venue: Venue, recorder: Recorder, caught_up: Callable[[], None]
) -> Rerun:
    """Make again what the journal of a run on the paper venue holds."""
    assert isinstance(venue, PaperVenue), "recorded runs trade on the paper venue"

    def catch_up() -> None:
        venue.catch_up()
        caught_up()

    return Rerun(manager.journal(), recorder, manager, catch_up)


def _code(identity: RunIdentity | None) -> str:
    if identity is None:
        return "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
    digest = hashlib.sha256(msgspec.json.encode(identity)).digest()
    return "".join(LETTERS[byte % len(LETTERS)] for byte in digest[:CODE_LENGTH])


def _started(started: Started, venue: Venue, membership: "Membership | None") -> Started:
    """The event of a start, with what this venue can do and trades (RULES 43, 48). Raises
    SettingsError where the instruments file is looser than the venue."""
    policy = started.policy.at_venue(venue.abilities)
    _require_settle_time(policy)
    replace = msgspec.structs.replace
    if venue.instruments:
        own = policy.instruments
        instruments = instruments_at_venue(venue.instruments, own)
        policy = replace(policy, instruments=instruments, file_instruments=own)
    epoch = 0 if membership is None else membership.epoch
    return replace(started, policy=policy, epoch=epoch)


def _require_settle_time(policy: Policy) -> None:
    """Refuse a settle time after which the venue would still take a request: "no such order" would
    be believed of one that arrives later (RULES 26). Raises SettingsError."""
    expiry_ns = policy.abilities.request_expiry_ns
    if expiry_ns is not None and policy.order_settle_ns < expiry_ns:
        least = in_seconds(expiry_ns)
        remedy = f"this venue may take a request up to {least} s after it was sent; set {least}"
        settle = in_seconds(policy.order_settle_ns)
        raise SettingsError([SettingProblem("ORDER_SETTLE_SECONDS", settle, f"{remedy} or more")])


def trading_hours(settings: Settings) -> Callable[[str], Hours]:
    """The trading hours of each VA; the general ones for everybody without their own."""
    general = settings.trading_hours()
    own = {va_id: settings.trading_hours(va_id) for va_id in settings.limits_by_va}
    return lambda va_id: own.get(va_id, general)
