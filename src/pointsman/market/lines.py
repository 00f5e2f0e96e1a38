"""The lines of a recorded text file, plain or gzip, with their numbers.

A file is read as a stream, in bounded memory, whatever is in it: a line that is too long or no
UTF-8 is given as a problem in its place, and a gzip stream that breaks off ends with one. What
could be read before it is given first.
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path

from pointsman.domain.signal_text import shown
from pointsman.errors import PointsmanError

LINE_BYTES_MAX = 65_536
"""A line longer than this is a problem, not data."""

_CHUNK_BYTES = 32_768
_SHOWN_BYTES = 64
_GZIP_MAGIC = b"\x1f\x8b"
_OTHER_KINDS = {
    b"PK\x03\x04": ("it is a zip archive", "unpack it and name the file that was in it"),
    b"\x28\xb5\x2f\xfd": ("it is packed with zstd", "unpack it, or pack it with gzip"),
    b"\xfd7zXZ\x00": ("it is packed with xz", "unpack it, or pack it with gzip"),
    b"BZh": ("it is packed with bzip2", "unpack it, or pack it with gzip"),
    b"PAR1": ("it is a Parquet file", "write it as CSV"),
    b"\xff\xfe": ("it is text in UTF-16", "save it as UTF-8"),
    b"\xfe\xff": ("it is text in UTF-16", "save it as UTF-8"),
}
"""How files begin that hold no lines for us: what they are, and what to do with them."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Line = tuple[int, str, str]
"""The number of a line, from 1 on; its text without the line end; and what is wrong with it, which
is empty for a good line. The text of a bad one is shortened, to be shown."""


class UnreadableFile(PointsmanError):
    """A file that cannot be used at all: which one, why, and how to fix it."""

    def __init__(self, file: Path, why: str, remedy: str) -> None:
        self.file = file
        self.why = why
        self.remedy = remedy
        super().__init__(f"{file}: {why}; {remedy}")


def read_lines(file: Path) -> Iterator[Line]:
    """The lines of a file in order, blank ones too; gzip is known by its content, not by its name.

    Raises UnreadableFile where the file cannot be opened, or is an archive or of another kind that
    holds no lines of text.
    """
    with _opened(file) as stream:
        beginning = stream.peek(8)
        for magic, (why, remedy) in _OTHER_KINDS.items():
            if beginning.startswith(magic):
                raise UnreadableFile(file, why, remedy)
        yield from lines_of(stream)


def lines_of(stream: BufferedReader) -> Iterator[Line]:
    """The lines of a stream as they come, as `read_lines` gives them."""
    number, rest = 0, b""
    try:
        for chunk in _chunks(stream):
            # A carriage return ends a line alone too. One at the end of what has come waits for
            # what follows: a line feed would belong to it.
            text, held = rest + chunk, b""
            if text.endswith(b"\r"):
                text, held = text[:-1], b"\r"
            if b"\r" in text:
                text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            *whole, rest = text.split(b"\n")
            lines = _decoded_at_once(text) if number else None
            if lines is not None:
                for good in lines:
                    number += 1
                    yield number, good, ""
            else:
                for line in whole:
                    number += 1
                    yield _decoded(number, line)
            # What is cut off here is still too long for a line, so memory stays bounded.
            rest = rest[: LINE_BYTES_MAX + 1] + held
    except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
        yield number + 1, shown(rest), f"the gzip stream is broken ({problem}); copy the file again"
        return
    if rest:
        yield _decoded(number + 1, rest.removesuffix(b"\r"))


def _chunks(stream: BufferedReader) -> Iterator[bytes]:
    is_gzip = stream.peek(2).startswith(_GZIP_MAGIC)
    plain = gzip.GzipFile(fileobj=stream) if is_gzip else stream
    while chunk := plain.read1(_CHUNK_BYTES):
        yield chunk


def _opened(file: Path) -> BufferedReader:
    try:
        return file.open("rb")
    except OSError as problem:
        why = problem.strerror or "it cannot be read"
        raise UnreadableFile(file, why, "name a file that can be read") from problem


def _decoded_at_once(text: bytes) -> list[str] | None:
    """The whole lines of a text, where all of them are short enough and UTF-8."""
    if len(text) > LINE_BYTES_MAX:
        return None
    try:
        return text.decode().split("\n")[:-1]
    except UnicodeDecodeError:
        return None


def _decoded(number: int, line: bytes) -> Line:
    if len(line) > LINE_BYTES_MAX:
        return number, shown(line[:_SHOWN_BYTES]), f"write lines of at most {LINE_BYTES_MAX} bytes"
    if number == 1:
        line = line.removeprefix(_BYTE_ORDER_MARK)
    try:
        return number, line.decode(), ""
    except UnicodeDecodeError:
        return number, shown(line[:_SHOWN_BYTES]), "write UTF-8"


def digest_files(files: Iterable[Path], *facts: str) -> str:
    """The SHA-256 over the bytes of the files, in order, and over further facts, as hexadecimal.

    Raises UnreadableFile where one cannot be opened.
    """
    whole = hashlib.sha256()
    for file in files:
        with _opened(file) as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    for fact in facts:
        whole.update(hashlib.sha256(fact.encode()).digest())
    return whole.hexdigest()
