"""An engine that owns a desk of a cluster: what the assembly does besides, with REPLICATE_TO.

What is needed for it is imported only then."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from pointsman.config.problems import MASK, SettingProblem, SettingsError
from pointsman.config.settings import Settings
from pointsman.engine.kill_latch import KillLatch, latched_by
from pointsman.engine.requests import Kill
from pointsman.engine.supervision import Part
from pointsman.execution.execution_loop import ExecutionLoop
from pointsman.execution.last_check import Hold
from pointsman.execution.ports import Recorder
from pointsman.storage.entries import RunIdentity
from pointsman.storage.sqlite_manager import SqliteManager
from pointsman.venues.adapter import MaySend, always

if TYPE_CHECKING:
    from pointsman.cluster.fleet_kill import FleetKill
    from pointsman.cluster.membership import Held, Membership

INSTALL = "pip install -r requirements-cluster.txt"
Join = Callable[[SqliteManager], "Membership"]
"""Makes the engine the owner; it is given the open database, which holds all that earlier owners
wrote when it returns."""


def joining(settings: Settings, identity: RunIdentity | None) -> Join | None:
    """How the engine joins its cluster; None for one of a single machine, and for a recorded run,
    which can be made again from its files."""
    if settings.replicate_to is None or identity is not None:
        return None
    try:
        from pointsman.cluster.membership import epoch_of, join
    except ModuleNotFoundError as error:
        remedy = f"it needs a package that is not installed ({error.name}): run {INSTALL}"
        raise SettingsError([SettingProblem("REPLICATE_TO", MASK, remedy)]) from None

    return lambda manager: join(settings, manager, epoch_of(manager))


def may_send_of(membership: "Membership | None") -> MaySend:
    """What the venue's connections ask before something leaves."""
    return always if membership is None else membership.may_send


def continuing(settings: Settings, held: "Held") -> Join:
    """How an engine joins that begins with a desk which is owned already."""
    from pointsman.cluster.following import member_with_all_rows

    return lambda manager: member_with_all_rows(settings, held, manager)


def joined(join: Join | None, manager: SqliteManager, opening: ExitStack) -> "Membership | None":
    """The membership of an engine that is being opened, whose end is registered on `opening`.
    Raises ClusterError."""
    if join is None:
        return None
    membership = join(manager)
    opening.callback(membership.close)
    manager.replica = membership.publisher
    return membership


def obey(
    membership: "Membership | None",
    latch: KillLatch,
    loop: ExecutionLoop,
    wake: Callable[[], None],
) -> None:
    """Latch each kill of the fleet. Let no entry be accepted from when the desk is lost, and have
    the driver end the engine. Raises ClusterUnreachable."""
    if membership is None:
        return

    def press(kill: "FleetKill") -> bool:
        request = Kill(flatten=kill.flatten, reason=kill.reason, by=kill.by)
        is_durable = latch.press(latched_by(request, kill.at_ns))
        wake()
        return is_durable

    def lost(why: str) -> None:
        loop.hold(Hold.NOT_OWNER, True, f"the desk is not owned any more: {why}")
        wake()

    membership.listen(lost)
    membership.obey_fleet(press)


def watched(membership: "Membership | None") -> tuple[Part, ...]:
    """What supervision looks at. It cannot be started again: the next start joins again."""
    if membership is None:
        return ()
    return (Part("cluster", lambda: membership.is_alive, None),)


def health_of(membership: "Membership | None") -> dict[str, int]:
    """Whose epoch it is, and how far the copy of the journal is behind; nothing for an engine of a
    single machine."""
    if membership is None:
        return {}
    rows, seconds = membership.publisher.lag()
    lag_ms = int(seconds * 1000)
    return {"epoch": membership.epoch, "replica_lag_rows": rows, "replica_lag_ms": lag_ms}


def begin_to_send(
    membership: "Membership",
    manager: SqliteManager,
    recorder: Recorder,
    loop: ExecutionLoop,
    settle_ns: int,
) -> None:
    """The cluster learns of the start before anything of it leaves. Where another owner was
    before, no entry leaves until nothing of its can arrive at the venue any more."""
    recorder.settle()
    membership.begin(manager.head)
    if membership.has_taken_over:
        told = "the desk was taken over: what the owner before has sent may still arrive"
        loop.hold(Hold.TAKEN_OVER, True, told)
        membership.later(settle_ns, lambda: loop.hold(Hold.TAKEN_OVER, False))
