"""The kill latch: one block of one file beside the database, and a flag in memory.

It can be pressed from any thread, also while the loop is stuck, storage fails or the disk is full.
What always holds (RULES 19, 30):

* the block is allocated when the latch is opened, and from then on only overwritten in place and
  synced, so a full disk is not in the way;
* the flag that the last gate reads is set before the file is touched; what could not be synced
  holds all the same, and is told as not durable;
* a block that cannot be read counts as pressed;
* nothing but `release`, by a person with a reason, opens it again, and not over a later press.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from pointsman.domain.accounts import KillState
from pointsman.storage.syncing import sync

BLOCK_BYTES = 4096
_TEXT_CHARS_MAX = 250
"""Two such texts fit into the block, however their characters are written."""
_RANK = {KillState.OFF: 0, KillState.HALT: 1, KillState.FLATTEN: 2}


class Latched(msgspec.Struct, frozen=True):
    """What the block says. `rearms` stands for "off, and so is the kill switch in the database from
    the next start on": what `rearm` leaves when no engine runs."""

    state: KillState = KillState.OFF
    by: str = ""
    note: str = ""
    at_ns: int = 0
    rearms: bool = False

    @property
    def is_set(self) -> bool:
        return self.state is not KillState.OFF


class Press(msgspec.Struct, frozen=True):
    """One press: its number since the latch was opened, and what was latched."""

    number: int
    latched: Latched


def latch_path(database: Path) -> Path:
    """The latch file of a database."""
    return database.with_name(f"{database.name}.kill")


def read_latch(path: Path) -> Latched:
    """What a latch file says, without opening the latch; off where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return Latched()
    except OSError:
        return _UNCLEAR
    try:
        return _read(descriptor)
    finally:
        os.close(descriptor)


class KillLatch:
    """The open latch. Safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it, with its whole block on the disk.

        Raises OSError where that cannot be done.
        """
        self.path = path
        self._lock = threading.Lock()
        self._tell: Callable[[bool], None] = lambda _is_set: None
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(self._descriptor).st_size == 0:
                _write(self._descriptor, Latched())
                sync(path.parent)
            self._latched = _read(self._descriptor)
        except BaseException:
            os.close(self._descriptor)
            raise
        self._press = Press(1 if self._latched.is_set else 0, self._latched)

    def close(self) -> None:
        """Let go of the file; what it says stays."""
        os.close(self._descriptor)

    @property
    def latched(self) -> Latched:
        """What is latched now."""
        return self._latched

    @property
    def last_press(self) -> Press:
        """The newest press; number 0 where there was none."""
        return self._press

    def listen(self, tell: Callable[[bool], None]) -> None:
        """Have `tell` called with whether the latch is set, now and at every change, before the
        file is touched. It must not wait."""
        with self._lock:
            self._tell = tell
            tell(self._latched.is_set)

    def press(self, latched: Latched) -> bool:
        """Latch it; a flatten is never weakened to a halt. Whether it is on the disk."""
        with self._lock:
            if _RANK[latched.state] > _RANK[self._latched.state]:
                self._latched = latched
            self._press = Press(self._press.number + 1, self._latched)
            self._tell(True)
            return self._store()

    def follow(self, latched: Latched, press: int) -> bool:
        """Latch what the desk has decided by itself, unless a person has released or pressed the
        latch since press number `press`. Whether it is on the disk."""
        with self._lock:
            if self._press.number != press:
                return True
            self._latched = latched
            return self._store()

    def release(self, latched: Latched, press: int) -> bool:
        """Open it, unless it was pressed after press number `press`. Whether it is open, and on the
        disk as open; where the disk fails it stays pressed, and counts as pressed again."""
        with self._lock:
            if self._press.number != press:
                return False
            before, self._latched = self._latched, latched
            is_open = self._store()
            if not is_open:
                self._latched = before if before.is_set else _UNCLEAR
            # A number of its own, so that what the desk decided before is not followed after.
            self._press = Press(self._press.number + 1, self._latched)
            self._tell(not is_open)
            return is_open

    def look_again(self) -> None:
        """Take in a press that another process has written: `pointsman kill` where it got no answer
        from the engine."""
        with self._lock:
            found = _read(self._descriptor)
            if _RANK[found.state] > _RANK[self._latched.state]:
                self._latched = found
                self._press = Press(self._press.number + 1, found)
                self._tell(True)

    def _store(self) -> bool:
        try:
            _write(self._descriptor, self._latched)
        except OSError:
            return False
        return True


_UNCLEAR = Latched(KillState.HALT, "latch", "the latch file cannot be read")


def _read(descriptor: int) -> Latched:
    try:
        return msgspec.json.decode(os.pread(descriptor, BLOCK_BYTES, 0).strip(), type=Latched)
    except (OSError, msgspec.DecodeError):
        return _UNCLEAR


def _write(descriptor: int, latched: Latched) -> None:
    short = msgspec.structs.replace(
        latched, by=latched.by[:_TEXT_CHARS_MAX], note=latched.note[:_TEXT_CHARS_MAX]
    )
    block = msgspec.json.encode(short).ljust(BLOCK_BYTES - 1) + b"\n"
    assert len(block) == BLOCK_BYTES, len(block)
    if os.pwrite(descriptor, block, 0) != BLOCK_BYTES:
        raise OSError("the block was written in part only")
    os.fsync(descriptor)
