"""The kill latch: one block of one file beside the database, and a flag in memory.

It can be pressed from any thread, also while the loop is stuck, storage fails or the disk is full.
Invariants (RULES 19, 30, 60):

* the file appears under its name only with its whole block on the disk, and from then on the block
  is overwritten in place and synced, so a full disk is not in the way;
* the flag that the last check reads is set before the file is touched; a kill that could not be
  synced is in force all the same, is answered as not durable, and is written again at the next
  look;
* "durable" means that the file at the path says so: where it was removed or replaced while the
  latch is open, it is made again, and the engine is killed, since nobody can know what it said;
* a block that cannot be read counts as pressed;
* only `release`, by a person with a reason, clears it, and never a later press.
"""

import os
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from pointsman.domain.accounts import KillState
from pointsman.engine.requests import NO_REASON, Kill
from pointsman.storage.errors import StorageUnavailable
from pointsman.storage.syncing import sync

BLOCK_BYTES = 4096
_TEXT_CHARS_MAX = 250
"""Two such texts fit into the block, however their characters are written."""
_RANK = {KillState.OFF: 0, KillState.HALT: 1, KillState.FLATTEN: 2}
_FLAGS = os.O_RDWR | os.O_CLOEXEC
_OPENING_TRIES = 3


class LatchState(msgspec.Struct, frozen=True):
    """What the block says. `rearms` is what `rearm` leaves when no engine runs: the kill switch in
    the database is released at the next start. Where the latch was pressed after that, `state` is
    set too: first the release, then this kill."""

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
    latched: LatchState


def latched_by(request: Kill, now_ns: int) -> LatchState:
    """What a kill latches."""
    state = KillState.FLATTEN if request.flatten else KillState.HALT
    note = request.reason.strip() or NO_REASON
    return LatchState(state=state, by=request.by, note=note, at_ns=now_ns)


def latch_path(database: Path) -> Path:
    """The latch file of a database: beside it, also where it is named by a symbolic link."""
    with suppress(OSError):
        if database.is_symlink():
            # `realpath` never fails, not even on a loop: nothing is in the way of a kill.
            database = Path(os.path.realpath(database))
    return database.with_name(f"{database.name}.kill")


def read_latch(path: Path) -> LatchState:
    """What a latch file says, without opening the latch; off where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return LatchState()
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
        self._was_lost = False
        self._lock = threading.Lock()
        self._tell: Callable[[bool], None] = lambda _is_set: None
        self._descriptor = _opened(path, LatchState())
        self._latched = _read(self._descriptor)
        self._is_stored = True
        self._press = Press(1 if self._latched.is_set else 0, self._latched)

    def close(self) -> None:
        """Let go of the file; what it says stays."""
        os.close(self._descriptor)

    @property
    def latched(self) -> LatchState:
        """What is latched now."""
        return self._latched

    @property
    def last_press(self) -> Press:
        """The newest press; number 0 where there was none."""
        return self._press

    @property
    def lost(self) -> str:
        """That the file had to be made again since the latch was last released, and what to do;
        else empty."""
        if not self._was_lost:
            return ""
        return (
            f"{self.path} was removed or replaced while the engine ran; rearm once it is clear why"
        )

    def listen(self, tell: Callable[[bool], None]) -> None:
        """Have `tell` called with whether the latch is set, now and at every change, before the
        file is touched. It must not wait."""
        with self._lock:
            self._tell = tell
            tell(self._latched.is_set)

    def press(self, latched: LatchState) -> bool:
        """Latch it; a flatten is never weakened to a halt. Whether it is on the disk."""
        with self._lock:
            self._note_press(latched)
            self._takes_in_file()
            return self._store()

    def follow(self, latched: LatchState, press: int) -> bool:
        """Latch what the desk has decided by itself, unless a person has released or pressed the
        latch since press number `press`. Whether it is on the disk."""
        with self._lock:
            if self._press.number != press:
                return True
            self._latched = latched
            return self._store()

    def release(self, latched: LatchState, press: int) -> bool:
        """Open it, unless it was pressed after press number `press`. Whether it is open, and on the
        disk as open; where the disk fails it stays pressed, and counts as pressed again."""
        with self._lock:
            if self._press.number != press or self._takes_in_file():
                return False
            before, self._latched = self._latched, latched
            is_open = self._store()
            if is_open:
                self._was_lost = False
            else:
                self._latched = before if before.is_set else _UNCLEAR
            # A number of its own, so that what the desk decided before is not followed after.
            self._press = Press(self._press.number + 1, self._latched)
            self._tell(not is_open)
            return is_open

    def note_rearmed(self) -> None:
        """Told that the kill switch in the database has been released, before the present press."""
        with self._lock:
            self._latched = msgspec.structs.replace(self._latched, rearms=False)
            self._store()

    def look_again(self, now_ns: int) -> None:
        """Take in what has become of the file: a press that another process has written, a file
        that was removed or replaced, or a press that could not be written before."""
        with self._lock:
            self._takes_in_file()
            if not self._is_ours():
                note = f"{self.path} was removed or replaced while the engine ran"
                self._note_press(LatchState(KillState.HALT, "latch", note, now_ns))
                self._store()
            elif not self._is_stored:
                self._store()

    def _takes_in_file(self) -> bool:
        """Whether the file holds a stronger press than is latched, which counts from now on."""
        found = read_latch(self.path)
        is_stronger = _RANK[found.state] > _RANK[self._latched.state]
        if is_stronger:
            self._note_press(found)
        return is_stronger

    def _note_press(self, latched: LatchState) -> None:
        if _RANK[latched.state] > _RANK[self._latched.state]:
            # What a person released before stays released: the newer kill alone counts.
            rearms = self._latched.rearms or latched.rearms
            self._latched = msgspec.structs.replace(latched, rearms=rearms)
        self._press = Press(self._press.number + 1, self._latched)
        self._tell(True)

    def _is_ours(self) -> bool:
        """Whether the file at the path is the one that is open here."""
        try:
            there = self.path.stat()
        except OSError:
            return False
        return os.path.samestat(there, os.fstat(self._descriptor))

    def _store(self) -> bool:
        """Have the file at the path say what is latched; made again where it is not there or not
        ours."""
        self._is_stored = False
        with suppress(OSError):
            if not self._is_ours():
                self._adopt()
            _write(self._descriptor, self._latched)
            self._is_stored = self._is_ours()
        return self._is_stored

    def _adopt(self) -> None:
        """Open what is at the path now, or make it."""
        descriptor = _opened(self.path, self._latched)
        self._was_lost = True
        self._descriptor, before = descriptor, self._descriptor
        os.close(before)


def open_latch(database: Path) -> KillLatch:
    """The latch of a database. Raises StorageUnavailable: without a latch nothing starts."""
    path = latch_path(database)
    try:
        return KillLatch(path)
    except OSError as error:
        raise StorageUnavailable(
            f"{path} cannot be opened ({error.strerror}): it holds the kill switch; "
            "the folder of the database must exist and be writable"
        ) from error


_UNCLEAR = LatchState(KillState.HALT, "latch", "the latch file cannot be read")


def _opened(path: Path, first: LatchState) -> int:
    """The descriptor of the latch file, which is made with the block `first` where there is none.

    Raises OSError.
    """
    for _ in range(_OPENING_TRIES):
        with suppress(FileNotFoundError):
            return os.open(path, _FLAGS)
        with suppress(FileExistsError):
            return _made(path, first)
    raise FileExistsError(f"{path} keeps being removed")


def _made(path: Path, first: LatchState) -> int:
    """Make the file beside its place and give it its name when it is whole, so that nobody ever
    reads half of it. Raises FileExistsError where another process was first."""
    draft = path.with_name(f".kill-{secrets.token_hex(6)}")
    descriptor = os.open(draft, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        _write(descriptor, first)
        _name(draft, path)
        sync(path.parent)
    except BaseException:
        os.close(descriptor)
        raise
    finally:
        draft.unlink(missing_ok=True)
    return descriptor


def _name(draft: Path, path: Path) -> None:
    """Give the draft the name of the latch, never in the place of another file."""
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links.
        if path.exists():
            raise FileExistsError(path) from None
        draft.rename(path)


def _read(descriptor: int) -> LatchState:
    try:
        return msgspec.json.decode(os.pread(descriptor, BLOCK_BYTES, 0).strip(), type=LatchState)
    except (OSError, msgspec.DecodeError):
        return _UNCLEAR


def _write(descriptor: int, latched: LatchState) -> None:
    short = msgspec.structs.replace(latched, by=_storable(latched.by), note=_storable(latched.note))
    block = msgspec.json.encode(short).ljust(BLOCK_BYTES - 1) + b"\n"
    assert len(block) == BLOCK_BYTES, len(block)
    if os.pwrite(descriptor, block, 0) != BLOCK_BYTES:
        raise OSError("the block was written in part only")
    os.fsync(descriptor)


def _storable(text: str) -> str:
    """No name and no reason is in the way of a kill: what is too long is cut, and what UTF-8 cannot
    write becomes a question mark."""
    return text[:_TEXT_CHARS_MAX].encode("utf-8", "replace").decode()
