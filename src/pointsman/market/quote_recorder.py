"""Every quote of a live feed, kept in a compressed file a day that a recorded run reads as it is
(RULES 50).

What is put is written a second or two later, by a thread of its own, as one gzip member: a process
that is killed leaves whole members, and at the next start a torn one is cut off. Invariants:

* in a file rows stand in the order of their stamps, and those of a symbol never fall: a row that
  comes after a confirmation of the quote before it has no earlier stamp than that;
* a confirmation is a row too, with the quote that it confirms, so that a quote is as fresh in a
  recorded run as it was;
* trading never waits for the disk: what cannot be written is dropped, and that is reported.
"""

import os
import struct
import threading
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from operator import itemgetter
from pathlib import Path

from pointsman.domain.market import Quote
from pointsman.domain.timestamps import SECOND_NS, iso
from pointsman.market.layout import COLUMNS

THREAD_NAME = "quote recorder"
WRITE_SECONDS = 1.0  # not money: seconds
HELD_BACK_NS = SECOND_NS
"""Rows that are younger than the newest by less than this wait for others that belong before."""
WAITING_MAX = 50_000
_NEWS_MAX = 20
_LEVEL = 6

_HEAD = struct.Struct("<4sIBBH2sHI")
"""The beginning of a gzip member: magic, method and flags; time; two bytes that say nothing here;
the length of the extra field, its name, the length of its value, and the value: the length of the
whole member, so that the next one is found without unpacking."""
_MAGIC = b"\x1f\x8b\x08\x04"
_FIELD = b"PQ"
_TAIL = struct.Struct("<II")


class QuoteRecorder:
    """Writes `folder/STEM-DAY.csv.gz`; the day is that of `clock_ns`, in UTC."""

    def __init__(self, folder: Path, stem: str, clock_ns: Callable[[], int]) -> None:
        self._folder = folder
        self._stem = stem
        self._clock_ns = clock_ns
        self._waiting: deque[tuple[Quote, int]] = deque(maxlen=WAITING_MAX)
        self._held: list[tuple[int, str]] = []
        self._stamps: dict[str, int] = {}
        self._written_ns = 0
        self._file: _DayFile | None = None
        self._dropped = 0
        self._is_failing = False
        self._news: deque[str] = deque(maxlen=_NEWS_MAX)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin to write, or begin again."""
        self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(2 * WRITE_SECONDS)

    # -- the feed's thread -------------------------------------------------------------------------

    def put(self, quote: Quote) -> None:
        """Keep a quote that has just come."""
        self._put(quote, quote.ts_ns)

    def confirm(self, quote: Quote, confirmed_ns: int) -> None:
        """A quote that was kept was the newest still at `confirmed_ns`."""
        if confirmed_ns > quote.ts_ns:
            self._put(quote, confirmed_ns)

    def _put(self, quote: Quote, stamp_ns: int) -> None:
        if len(self._waiting) < WAITING_MAX:
            self._waiting.append((quote, stamp_ns))
        else:
            self._dropped += 1

    # -- any thread --------------------------------------------------------------------------------

    def take_news(self) -> Iterator[str]:
        """What is to be reported since the last time."""
        while self._news:
            yield self._news.popleft()

    # -- its own thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.wait(WRITE_SECONDS):
            self._write(is_last=False)
        self._write(is_last=True)
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, *, is_last: bool) -> None:
        rows = self._due_rows(is_last=is_last)
        if not rows:
            return
        try:
            self._file_of(iso(self._clock_ns())[:10]).add("".join(map(_line, rows)))
        except OSError as problem:
            self._dropped += len(rows)
            if self._file is not None:
                self._file.close()
                self._file = None
            if not self._is_failing:
                self._is_failing = True
                told = f"quotes are not recorded: {problem.strerror or problem}; make room in"
                self._news.append(f"{told} {self._folder}, or set RECORD_QUOTES=false")
            return
        self._written_ns = rows[-1][0]
        if self._is_failing or self._dropped:
            self._news.append(f"quotes are recorded again; {self._dropped} rows are missing")
            self._is_failing, self._dropped = False, 0

    def _due_rows(self, *, is_last: bool) -> list[tuple[int, str]]:
        """The rows that no other can come before any more, in the order of their stamps."""
        arrived = len(self._waiting)
        for _ in range(arrived):
            quote, stamp_ns = self._waiting.popleft()
            stamp_ns = max(stamp_ns, self._stamps.get(quote.symbol, 0), self._written_ns)
            self._stamps[quote.symbol] = stamp_ns
            self._held.append((stamp_ns, _cells(quote)))
        if not self._held:
            return []
        self._held.sort(key=itemgetter(0))
        until_ns = self._held[-1][0] - HELD_BACK_NS if arrived else self._clock_ns()
        if is_last:
            until_ns = self._held[-1][0]
        count = sum(stamp_ns <= until_ns for stamp_ns, _ in self._held)
        due, self._held = self._held[:count], self._held[count:]
        return due

    def _file_of(self, day: str) -> "_DayFile":
        path = self._folder / f"{self._stem}-{day}.csv.gz"
        if self._file is None or self._file.path != path:
            if self._file is not None:
                self._file.close()
                self._file = None
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = _DayFile(path)
        return self._file


class _DayFile:
    """The file of one day, open for adding members."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            self._size = whole_members(self._fd)
            os.ftruncate(self._fd, self._size)
        except BaseException:
            os.close(self._fd)
            raise

    def add(self, text: str) -> None:
        """Add lines, under a header where they are the first. Raises OSError; then what the file
        holds is what it held."""
        head = "" if self._size else ",".join(COLUMNS) + "\n"
        left = memoryview(member(f"{head}{text}".encode()))
        at = self._size
        try:
            while left:
                count = os.pwrite(self._fd, left, at)
                left, at = left[count:], at + count
        except OSError:
            os.ftruncate(self._fd, self._size)
            raise
        self._size = at

    def close(self) -> None:
        os.close(self._fd)


def member(data: bytes) -> bytes:
    """A gzip member that says its own length."""
    packer = zlib.compressobj(_LEVEL, wbits=-zlib.MAX_WBITS)
    packed = packer.compress(data) + packer.flush()
    length = _HEAD.size + len(packed) + _TAIL.size
    head = _HEAD.pack(_MAGIC, 0, 0, 255, 8, _FIELD, 4, length)
    return head + packed + _TAIL.pack(zlib.crc32(data), len(data))


def whole_members(fd: int) -> int:
    """How many bytes at the beginning of a file are whole members of ours. Raises OSError for a
    file that is none of ours."""
    size, at, last = os.fstat(fd).st_size, 0, 0
    while at + _HEAD.size <= size:
        magic, _, _, _, _, field, _, length = _HEAD.unpack(os.pread(fd, _HEAD.size, at))
        if (magic, field) != (_MAGIC, _FIELD) or at + length > size:
            break
        last, at = at, at + length
    if at == 0 and not _is_torn_head(os.pread(fd, _HEAD.size, 0)):
        raise FileExistsError("the file of today is there and was not written by this program")
    return at if at == 0 or _is_intact(os.pread(fd, at - last, last)) else last


def _is_torn_head(start: bytes) -> bool:
    """Whether a file that begins like this can be one whose first member was not written whole."""
    ours = _HEAD.pack(_MAGIC, 0, 0, 255, 8, _FIELD, 4, 0)[:-4]
    return not start.strip(b"\0") or ours.startswith(start[: len(ours)])


def _is_intact(packed: bytes) -> bool:
    """Whether a member is what was written: after a power cut it may have its length and no
    more."""
    try:
        data = zlib.decompress(packed[_HEAD.size : -_TAIL.size], wbits=-zlib.MAX_WBITS)
    except zlib.error:
        return False
    return _TAIL.unpack(packed[-_TAIL.size :]) == (zlib.crc32(data), len(data))


def _cells(quote: Quote) -> str:
    return f"{quote.symbol},{quote.bid},{quote.bid_size},{quote.ask},{quote.ask_size}"


def _line(row: tuple[int, str]) -> str:
    return f"{row[0]},{row[1]}\n"
