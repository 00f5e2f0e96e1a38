"""The kill latch: one block on the disk and a flag in memory (RULES 19, 30)."""

import os
import stat
from pathlib import Path

import pytest

from pointsman.domain.accounts import KillState
from pointsman.engine.latch import BLOCK_BYTES, KillLatch, Latched, latch_path, read_latch

HALT = Latched(KillState.HALT, "ann", "drill", 5)
FLATTEN = Latched(KillState.FLATTEN, "bob", "worse", 6)
OFF = Latched(KillState.OFF, "ann", "over", 7)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return latch_path(tmp_path / "t.db")


def full_disk(latch: KillLatch) -> None:
    """From here on nothing can be written through the open latch."""
    full = os.open("/dev/full", os.O_RDWR)
    os.dup2(full, latch._descriptor)
    os.close(full)


def test_rule_30_the_block_is_allocated_at_the_start_and_never_grows(path: Path) -> None:
    latch = KillLatch(path)
    assert path.stat().st_size == path.stat().st_blocks * 512 == BLOCK_BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not latch.latched.is_set
    longest = Latched(KillState.HALT, "\x01" * 5000, "é\U0001f600" * 5000, 2**62)
    assert latch.press(longest)
    assert path.stat().st_size == BLOCK_BYTES
    assert read_latch(path).state is KillState.HALT


def test_rule_19_a_press_survives_and_only_a_release_opens_it(path: Path) -> None:
    latch = KillLatch(path)
    assert latch.press(HALT)
    latch.close()
    again = KillLatch(path)
    assert again.latched == HALT
    assert again.last_press.number == 1, "a start takes what is latched for a press"
    assert again.release(OFF, 1)
    again.close()
    assert KillLatch(path).latched == OFF


def test_a_flatten_is_never_weakened_to_a_halt(path: Path) -> None:
    latch = KillLatch(path)
    latch.press(FLATTEN)
    latch.press(HALT)
    assert latch.latched == FLATTEN == read_latch(path)


def test_a_release_does_not_undo_a_later_press(path: Path) -> None:
    latch = KillLatch(path)
    latch.press(HALT)
    seen = latch.last_press.number
    latch.press(HALT)
    assert not latch.release(OFF, seen)
    assert latch.latched == HALT == read_latch(path)


def test_rule_30_with_a_full_disk_it_holds_in_memory_and_says_so(path: Path) -> None:
    latch = KillLatch(path)
    told: list[bool] = []
    latch.listen(told.append)
    full_disk(latch)
    assert not latch.press(HALT)
    assert (told, latch.latched) == ([False, True], HALT)
    assert not latch.release(OFF, latch.last_press.number), "nor can it be opened"
    assert (told[-1], latch.latched) == (True, HALT)
    assert latch.last_press.number == 2, "the loop is told once more"


def test_what_another_process_has_pressed_is_seen_but_nothing_it_has_cleared(path: Path) -> None:
    engine, other = KillLatch(path), KillLatch(path)
    other.press(HALT)
    engine.look_again()
    assert (engine.latched, engine.last_press.number) == (HALT, 1)
    other.release(OFF, other.last_press.number)
    engine.look_again()
    assert engine.latched == HALT


def test_it_follows_the_desk_unless_a_person_came_in_between(path: Path) -> None:
    latch = KillLatch(path)
    latch.press(HALT)
    before = latch.last_press.number
    latch.release(OFF, before)
    latch.follow(HALT, before)
    assert latch.latched == OFF, "that reading of the desk was older than the release"
    latch.follow(HALT, latch.last_press.number)
    assert latch.latched == HALT == read_latch(path)


@pytest.mark.parametrize("content", [b"\0" * BLOCK_BYTES, b'{"state":"of', b'{"state":"none"}'])
def test_a_block_that_cannot_be_read_counts_as_pressed(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert KillLatch(path).latched.state is KillState.HALT


def test_no_file_is_no_press(path: Path) -> None:
    assert read_latch(path) == Latched()
