"""The newest turns, read once for all streams."""

import pytest

from pointsman.api import stream_tail
from pointsman.api.stream_tail import StreamTail, Told


class Journal:
    def __init__(self) -> None:
        self.last = 3
        self.reads = 0

    def read(self, after: int) -> list[Told]:
        self.reads += 1
        return [Told(number, b"%d" % number) for number in range(after + 1, self.last + 1)]


def numbers(told: list[Told] | None) -> list[int] | None:
    return None if told is None else [each.sequence for each in told]


def test_what_one_stream_has_read_no_other_reads_again() -> None:
    journal = Journal()
    tail = StreamTail(journal.read)
    assert tail.known(0) is None
    assert numbers(tail.look(0)) == [1, 2, 3]
    assert [numbers(tail.known(after)) for after in (0, 1, 2)] == [[1, 2, 3], [2, 3], [3]]
    assert tail.known(3) == []
    assert journal.reads == 1


def test_what_comes_later_is_found_without_a_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_tail, "FRESH_SECONDS", 0)
    journal = Journal()
    tail = StreamTail(journal.read)
    tail.look(3)
    journal.last = 5
    assert tail.known(3) is None
    assert numbers(tail.look(3)) == [4, 5]
    assert numbers(tail.look(1)) == [2, 3, 4, 5], "a stream that is behind reads for itself"
    journal.last = 6
    assert numbers(tail.look(5)) == [6]
    assert numbers(tail.known(3)) == [4, 5, 6]


def test_more_than_is_kept_leaves_no_gap_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_tail, "FRESH_SECONDS", 0)
    journal = Journal()
    journal.last = 2 * stream_tail.KEPT_LEN_MAX
    tail = StreamTail(journal.read)
    assert len(tail.look(0)) == journal.last
    assert tail.known(0) is None
    assert numbers(tail.known(journal.last - 2)) == [journal.last - 1, journal.last]
