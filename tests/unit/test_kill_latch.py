"""The kill latch: one block on the disk and a flag in memory (RULES 19, 30)."""

import errno
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from pointsman.domain.accounts import KillState
from pointsman.engine.kill_latch import BLOCK_BYTES, KillLatch, LatchState, latch_path, read_latch

HALT = LatchState(KillState.HALT, "ann", "drill", 5)
FLATTEN = LatchState(KillState.FLATTEN, "bob", "worse", 6)
OFF = LatchState(KillState.OFF, "ann", "over", 7)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return latch_path(tmp_path / "t.db")


def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on nothing can be written."""

    def full(_descriptor: int, _block: bytes, _at: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)


def test_rule_30_the_block_is_allocated_at_the_start_and_never_grows(path: Path) -> None:
    latch = KillLatch(path)
    assert path.stat().st_size == path.stat().st_blocks * 512 == BLOCK_BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not latch.latched.is_set
    longest = LatchState(KillState.HALT, "\x01" * 5000, "é\U0001f600" * 5000, 2**62)
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


def test_rule_30_with_a_full_disk_it_holds_in_memory_and_says_so(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    latch = KillLatch(path)
    told: list[bool] = []
    latch.listen(told.append)
    full_disk(monkeypatch)
    assert not latch.press(HALT)
    assert (told, latch.latched) == ([False, True], HALT)
    assert not latch.release(OFF, latch.last_press.number), "nor can it be opened"
    assert (told[-1], latch.latched) == (True, HALT)
    assert latch.last_press.number == 2, "the loop is told once more"
    latch.look_again(8)
    assert read_latch(path) == LatchState()
    monkeypatch.undo()
    latch.look_again(9)
    assert read_latch(path) == HALT, "it is written as soon as it can be"


def test_what_another_process_has_pressed_is_seen_but_nothing_it_has_cleared(path: Path) -> None:
    engine, other = KillLatch(path), KillLatch(path)
    other.press(HALT)
    engine.look_again(8)
    assert (engine.latched, engine.last_press.number) == (HALT, 1)
    other.release(OFF, other.last_press.number)
    engine.look_again(8)
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


@pytest.mark.parametrize(
    "content", [b"", b"\0" * BLOCK_BYTES, b'{"state":"of', b'{"state":"none"}']
)
def test_a_block_that_cannot_be_read_counts_as_pressed(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert KillLatch(path).latched.state is KillState.HALT


def test_no_file_is_no_press(path: Path) -> None:
    assert read_latch(path) == LatchState()


# -- the file is removed or replaced while the latch is open ---------------------------------------


def removed(path: Path) -> None:
    path.unlink()


def replaced(path: Path) -> None:
    other = path.with_name("copy")
    shutil.copyfile(path, other)
    other.rename(path)


@pytest.mark.parametrize("spoil", [removed, replaced])
def test_rule_60_a_press_reaches_the_file_that_the_next_start_reads(
    path: Path, spoil: Callable[[Path], None]
) -> None:
    latch = KillLatch(path)
    spoil(path)
    assert latch.press(HALT)
    assert KillLatch(path).latched == HALT
    assert path.stat().st_size == path.stat().st_blocks * 512 == BLOCK_BYTES
    assert [each.name for each in path.parent.iterdir()] == [path.name], "no draft is left"


def test_rule_60_a_press_that_cannot_reach_the_file_is_not_durable(path: Path) -> None:
    latch = KillLatch(path)
    path.unlink()
    path.mkdir()
    assert not latch.press(HALT)
    assert latch.latched == HALT
    path.rmdir()
    latch.look_again(8)
    assert read_latch(path).state is KillState.HALT


@pytest.mark.parametrize("spoil", [removed, replaced])
def test_rule_60_a_file_that_is_lost_kills_until_a_person_rearms(
    path: Path, spoil: Callable[[Path], None]
) -> None:
    latch = KillLatch(path)
    told: list[bool] = []
    latch.listen(told.append)
    spoil(path)
    latch.look_again(8)
    assert (latch.latched.state, latch.latched.by, "removed" in latch.lost) == (
        "halt",
        "latch",
        True,
    )
    assert (told, read_latch(path)) == ([False, True], latch.latched)
    latch.look_again(9)
    assert latch.last_press.number == 1, "it is told once"
    assert latch.release(OFF, 1)
    assert (latch.lost, read_latch(path)) == ("", OFF)


def test_a_press_that_only_the_file_holds_is_not_released_with_another(path: Path) -> None:
    engine, other = KillLatch(path), KillLatch(path)
    engine.press(HALT)
    other.press(FLATTEN)
    assert not engine.release(OFF, 1)
    assert engine.latched == FLATTEN == read_latch(path)


def test_of_two_that_make_the_file_at_once_neither_undoes_the_press_of_the_other(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file of the other appears between the look and the making."""
    link = os.link

    def late(draft: Path, name: Path) -> None:
        monkeypatch.undo()
        KillLatch(path).press(HALT)
        link(draft, name)

    monkeypatch.setattr(os, "link", late)
    assert KillLatch(path).latched == HALT


def test_without_hard_links_the_file_is_made_all_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_draft: Path, _name: Path) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    assert KillLatch(path).press(HALT)
    assert read_latch(path) == HALT


def test_no_name_and_no_reason_is_in_the_way_of_a_press(path: Path) -> None:
    assert KillLatch(path).press(LatchState(KillState.HALT, "b\udcffb", "\udc80", 5))
    assert read_latch(path) == LatchState(KillState.HALT, "b?b", "?", 5)


def test_rule_40_a_database_named_by_a_symbolic_link_has_the_same_latch(tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to("t.db")
    assert latch_path(link) == latch_path(tmp_path / "t.db")
    loop = tmp_path / "loop.db"
    loop.symlink_to(loop)
    assert latch_path(loop).name == "loop.db.kill"
