"""Lines of files: the same from plain and gzip, and damage that stays where it is."""

import gzip
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.market.lines import (
    LINE_BYTES_MAX,
    UnreadableFile,
    digest_files,
    lines_of,
    read_lines,
)


def written(folder: Path, content: bytes, name: str = "file") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["file.csv", "file.gz"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_gzip_is_known_by_content_whatever_the_name(
    tmp_path: Path, pack: object, name: str
) -> None:
    assert callable(pack)
    path = written(tmp_path, pack(b"\xef\xbb\xbfone\r\n\ntwo"), name)
    assert list(read_lines(path)) == [(1, "one", ""), (2, "", ""), (3, "two", "")]


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8")), min_size=1))
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    texts[0] = texts[0].lstrip("\ufeff")
    path = written(tmp_path_factory.mktemp("lines"), "\n".join([*texts, ""]).encode())
    assert [text for _, text, _ in read_lines(path)] == texts


def test_a_line_across_many_chunks_is_whole(tmp_path: Path) -> None:
    texts = ["x" * length for length in range(60_000, LINE_BYTES_MAX, 1_111)]
    path = written(tmp_path, "\n".join(texts).encode())
    assert [text for _, text, _ in read_lines(path)] == texts


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_line_too_long_is_one_problem_in_its_place(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    longest, too_long = b"x" * LINE_BYTES_MAX, b"y" * (5 * LINE_BYTES_MAX)
    path = written(tmp_path, pack(b"\n".join([longest, too_long, b"after", too_long])))
    lines = list(read_lines(path))
    assert [number for number, _, _ in lines] == [1, 2, 3, 4]
    assert ["at most 65536 bytes" in problem for _, _, problem in lines] == [
        False,
        True,
        False,
        True,
    ]
    assert lines[2] == (3, "after", "")


def test_a_line_that_is_no_utf_8_is_a_problem_in_its_place(tmp_path: Path) -> None:
    path = written(tmp_path, b"one\nt\xffwo\nthree\n")
    assert [(n, p) for n, _, p in read_lines(path)] == [(1, ""), (2, "write UTF-8"), (3, "")]


@pytest.mark.parametrize("damage", ["cut", "garbled", "followed"])
def test_a_broken_gzip_gives_what_was_readable_then_a_problem(tmp_path: Path, damage: str) -> None:
    texts = [f"row {number} {number * 7919 % 104729}" for number in range(50_000)]
    packed = gzip.compress("\n".join(texts).encode())
    half = len(packed) // 2
    broken = {
        "cut": packed[:half],
        "garbled": packed[:half] + b"\xff" * 100 + packed[half + 100 :],
        "followed": packed + b"not gzip",
    }[damage]
    *whole, last = read_lines(written(tmp_path, broken))
    assert "the gzip stream is broken" in last[2]
    assert last[0] == len(whole) + 1
    if damage != "garbled":  # a garbled one may give nonsense before its checksum tells
        assert len(whole) > 10_000
        assert [text for _, text, _ in whole] == texts[: len(whole)]


@given(
    st.lists(st.sampled_from([b"a", b"bc", b"\r", b"\n", b"\r\n"]), max_size=30), st.integers(1, 9)
)
def test_line_ends_of_every_kind_mean_the_same_wherever_a_chunk_ends(
    parts: list[bytes], chunk_bytes: int
) -> None:
    content = b"".join(parts)
    stream: Any = BufferedReader(Chunks(content, chunk_bytes))
    assert [text.encode() for _, text, _ in lines_of(stream)] == content.splitlines()


class Chunks(RawIOBase):
    """A stream that gives a few bytes at a time."""

    def __init__(self, content: bytes, chunk_bytes: int) -> None:
        self._left = content
        self._chunk_bytes = chunk_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part, self._left = self._left[: self._chunk_bytes], self._left[self._chunk_bytes :]
        buffer[: len(part)] = part
        return len(part)


@pytest.mark.parametrize(
    ("beginning", "remedy"),
    [
        (b"PK\x03\x04rest", "unpack it"),
        (b"\x28\xb5\x2f\xfdrest", "gzip"),
        (b"BZh9rest", "gzip"),
        (b"PAR1rest", "CSV"),
        ("ts".encode("utf-16"), "save it as UTF-8"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_what_to_do(
    tmp_path: Path, beginning: bytes, remedy: str
) -> None:
    with pytest.raises(UnreadableFile, match=remedy):
        next(read_lines(written(tmp_path, beginning)))


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(UnreadableFile, match=str(path)):
            next(read_lines(path))
        with pytest.raises(UnreadableFile, match=str(path)):
            digest_files([path])


def test_a_digest_tells_bytes_order_and_facts_apart(tmp_path: Path) -> None:
    one, two = written(tmp_path, b"1", "one"), written(tmp_path, b"2", "two")
    both = written(tmp_path, b"12", "both")
    digests = [
        digest_files([one]),
        digest_files([two]),
        digest_files([one, two]),
        digest_files([two, one]),
        digest_files([both]),
        digest_files([one], "ts=time"),
        digest_files([one], "ts", "time"),
    ]
    assert len(set(digests)) == len(digests)
    assert digest_files([written(tmp_path, b"1", "elsewhere")]) == digest_files([one])
