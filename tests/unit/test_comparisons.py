"""The last comparisons, as they are shown."""

from pointsman.domain.events import Compared, StorageHealed
from pointsman.reading.comparisons import KEPT, Comparisons


def test_each_comparison_is_ok_a_mismatch_or_incomplete() -> None:
    comparisons = Comparisons()
    for event in (
        Compared(True, 10**9, 0, ""),
        StorageHealed(()),
        Compared(True, 2 * 10**9, 3, ""),
        Compared(False, 3 * 10**9, 0, ""),
    ):
        comparisons.note(event)
    told = [tuple(each.values()) for each in comparisons.documents()]
    assert told == [
        ("1970-01-01T00:00:01.000000Z", "ok", 0),
        ("1970-01-01T00:00:02.000000Z", "mismatch", 3),
        ("1970-01-01T00:00:03.000000Z", "incomplete", 0),
    ]


def test_only_the_newest_are_kept() -> None:
    comparisons = Comparisons()
    for number in range(1, KEPT + 8):
        comparisons.note(Compared(True, number * 10**9, number, ""))
    told = [each["differences"] for each in comparisons.documents()]
    assert told == list(range(8, KEPT + 8))
