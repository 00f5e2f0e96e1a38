"""Taking the lease of a desk, and keeping it.

What may be concluded from an answer, and when, is in `lease`; here it is asked. Invariants: whether
something may be sent is worked out from the clock at the moment of asking, never from a flag that a
thread would have to lower in time; a tenure that is over never comes back.
"""

import asyncio
from collections.abc import Callable

from pointsman.cluster.bucket import Changed
from pointsman.cluster.connection import FAULTS
from pointsman.cluster.lease import Claim, LeaseRecord, SeenLease, Tenure
from pointsman.cluster.lease_store import LeaseStore

LOOK_SECONDS = 0.1  # not money: seconds
_NS = 1e9  # not money: nanoseconds


class Taking:
    """An engine that wants the lease as `wanted` says, but for its epoch. `now_ns` is the time of
    this machine."""

    def __init__(self, store: LeaseStore, wanted: LeaseRecord, now_ns: Callable[[], int]) -> None:
        self.claim = Claim()
        self.store = store
        self._wanted = wanted
        self._now_ns = now_ns
        self._asked: tuple[LeaseRecord, int, bool] | None = None

    async def look(self) -> None:
        """Read the lease. Raises what a connection can raise."""
        lease = await self.store.read()
        self.claim.saw(lease, self._now_ns())

    async def take(self, epoch: int) -> Tenure | None:
        """Take the lease, where it may be taken and nobody is faster. `epoch` is that of the newest
        owner that is known.

        Raises what a connection can raise; then it may have been taken all the same, and the next
        try finds out.
        """
        await self.look()
        if (tenure := self._taken_before()) is not None:
            return tenure
        if self.claim.wait_ns(self._now_ns()):
            return None
        seen = self.claim.seen
        epoch = max(epoch, seen.record.epoch if seen else 0) + 1
        record = _with_epoch(self._wanted, epoch)
        asked_ns = self._now_ns()
        has_taken_over = seen is not None and not seen.record.is_released
        # A try before this one may still be granted, in place of it: what is found without an
        # answer counts from the first.
        is_again = self._asked is not None and self._asked[0] == record
        if not is_again:
            self._asked = (record, asked_ns, has_taken_over)
        try:
            revision = await self.store.write(record, seen.revision if seen else 0)
        except Changed:
            return None
        return Tenure(record, revision, asked_ns, has_taken_over=has_taken_over)

    def _taken_before(self) -> Tenure | None:
        """A try that had no answer, and has succeeded."""
        seen = self.claim.seen
        if self._asked is None or seen is None or seen.record != self._asked[0]:
            return None
        record, asked_ns, has_taken_over = self._asked
        return Tenure(record, seen.revision, asked_ns, has_taken_over=has_taken_over)


def _with_epoch(wanted: LeaseRecord, epoch: int) -> LeaseRecord:
    return LeaseRecord(
        desk=wanted.desk,
        holder=wanted.holder,
        token=wanted.token,
        epoch=epoch,
        length_ns=wanted.length_ns,
        address=wanted.address,
    )


class Ownership:
    """A lease that is held. `tell` is called once, on the connection's thread, when it is over."""

    def __init__(self, store: LeaseStore, tenure: Tenure, now_ns: Callable[[], int]) -> None:
        self.tenure = tenure
        self.tell: Callable[[str], None] = lambda _why: None
        self.store = store
        self._now_ns = now_ns

    def may_send(self) -> bool:
        """Whether something may leave at this moment; from any thread."""
        return self.tenure.may_send(self._now_ns())

    async def keep(self) -> None:
        """Renew the lease until it is over."""
        while self.may_send():
            if self._now_ns() >= self.tenure.renew_at_ns():
                await self._renew()
            await asyncio.sleep(LOOK_SECONDS)
        self.tell(self.tenure.over)

    async def _renew(self) -> None:
        tenure, asked_ns = self.tenure, self._now_ns()
        left_seconds = max(0.0, tenure.until_ns - asked_ns) / _NS  # not money: seconds
        try:
            async with asyncio.timeout(left_seconds):
                tenure.renewed(await self.store.write(tenure.record, tenure.revision), asked_ns)
        except Changed:
            await self._find_out()
        except FAULTS:
            return

    async def _find_out(self) -> None:
        """The lease was changed: by a renewal of ours that had no answer, or by another engine."""
        try:
            seen = await self.store.read()
        except FAULTS:
            return
        if seen is None:
            self.tenure.end("it is gone from the store")
        elif seen.record != self.tenure.record:
            self.tenure.end(f"{whose(seen)} has it now")
        else:
            self.tenure.revision = seen.revision

    async def release(self) -> None:
        """Let another have it at once. Nothing may be sent from here on."""
        tenure, record = self.tenure, self.tenure.record
        if not self.may_send():
            return
        tenure.end("it was released")
        freed = LeaseRecord(
            desk=record.desk, holder=record.holder, token=record.token, epoch=record.epoch,
            length_ns=record.length_ns, is_released=True,
        )  # fmt: skip
        try:
            await self.store.write(freed, tenure.revision)
        except (Changed, *FAULTS):
            return


def whose(seen: SeenLease) -> str:
    """Who holds a lease, in words."""
    return f"{seen.record.holder} (epoch {seen.record.epoch})"
