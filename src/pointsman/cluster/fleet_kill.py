"""A kill of the fleet: one key for each desk says that it is killed, and its owner obeys.

The key is a latch as well: a desk whose engine cannot be reached is killed when the next one
starts, and stays so until the fleet is rearmed. Invariants: an engine looks before it decides
anything, and then several times a second; each press is obeyed once, and answered by what it has
done, as often as it takes until the answer is written.
"""

import asyncio
from collections.abc import Callable

import msgspec
from nats.js.kv import KeyValue

from pointsman.cluster.bucket import BucketKey
from pointsman.cluster.connection import FAULTS

LOOK_SECONDS = 0.25  # not money: seconds


class FleetKill(msgspec.Struct, frozen=True, kw_only=True):
    """What the fleet says of a desk: whether it is killed, by whom and why."""

    is_set: bool
    flatten: bool = False
    by: str = ""
    reason: str = ""
    at_ns: int = 0


class Obeyed(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine has done: the revision of the kill that it latched, and whether that is on its
    disk."""

    revision: int
    is_durable: bool
    holder: str


Press = Callable[[FleetKill], bool]
"""Latches a kill; whether it is on the disk. From any thread."""


def kill_of(bucket: KeyValue, desk: str) -> BucketKey[FleetKill]:
    """The key that kills a desk."""
    return BucketKey(bucket, f"kill.{desk}", FleetKill)


def obeyed_by(bucket: KeyValue, desk: str) -> BucketKey[Obeyed]:
    """The key that says what its engine has latched."""
    return BucketKey(bucket, f"killed.{desk}", Obeyed)


class FleetKillWatch:
    """Obeys the fleet for one desk. It belongs to the connection's thread."""

    def __init__(self, bucket: KeyValue, desk: str, holder: str, press: Press) -> None:
        self._kill = kill_of(bucket, desk)
        self._obeyed = obeyed_by(bucket, desk)
        self._holder = holder
        self._press = press
        self._revision = 0
        self._to_tell: Obeyed | None = None

    async def look(self) -> None:
        """Obey what is new, and say so. Raises what a connection can raise: the next look says what
        this one could not."""
        found = await self._kill.read()
        if found is not None and found[1] != self._revision:
            self._to_tell = await self._obey(*found)
            self._revision = found[1]
        if self._to_tell is not None:
            await self._obeyed.put(self._to_tell)
            self._to_tell = None

    async def _obey(self, kill: FleetKill, revision: int) -> Obeyed:
        is_durable = True
        if kill.is_set:
            # It waits for the disk.
            is_durable = await asyncio.to_thread(self._press, kill)
        return Obeyed(revision=revision, is_durable=is_durable, holder=self._holder)

    async def watch(self) -> None:
        """Look several times a second, until the connection is closed."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except FAULTS:
                continue
