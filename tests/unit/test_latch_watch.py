"""The watch on the kill latch: a file, another process, or the desk itself press it (RULES 19)."""

from pathlib import Path

import pytest

from pointsman.domain.accounts import KillState, KillSwitch
from pointsman.engine.latch import KillLatch, Latched, latch_path, read_latch
from pointsman.engine.latch_watch import LatchWatch, read_kill_file

OFF = KillSwitch()


class Watched:
    """A latch and its watch; the desk's switch is what the test says."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "KILL"
        self.latch = KillLatch(latch_path(folder / "t.db"))
        self.switch = OFF
        self.woken = 0
        self.watch = LatchWatch(self.latch, self.file, lambda: self.switch, lambda: 7, self._wake)

    def _wake(self) -> None:
        self.woken += 1

    def states(self) -> tuple[KillState, KillState]:
        """In memory, and on the disk."""
        return self.latch.latched.state, read_latch(self.latch.path).state


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_rule_19_a_file_that_exists_kills_once_and_its_removal_changes_nothing(
    watched: Watched,
) -> None:
    watched.watch.look()
    assert watched.states() == (KillState.OFF, KillState.OFF)
    watched.file.touch()
    for _ in range(3):
        watched.watch.look()
    assert watched.states() == (KillState.HALT, KillState.HALT)
    assert watched.woken == 1
    watched.file.write_text("Flatten\n")
    watched.watch.look()
    assert watched.states() == (KillState.FLATTEN, KillState.FLATTEN)
    watched.file.unlink()
    watched.watch.look()
    assert watched.states() == (KillState.FLATTEN, KillState.FLATTEN)


def test_a_press_of_another_process_wakes_the_loop(watched: Watched) -> None:
    other = KillLatch(watched.latch.path)
    other.press(Latched(KillState.HALT, "ann", "no answer", 1))
    watched.watch.look()
    assert watched.latch.latched.note == "no answer"
    assert watched.woken == 1


def test_what_the_desk_has_tripped_by_itself_is_latched_on_the_disk(watched: Watched) -> None:
    watched.switch = KillSwitch(KillState.HALT, changed_by="storage", note="failing")
    watched.watch.look()
    assert read_latch(watched.latch.path).by == "storage"
    assert watched.woken == 0, "the desk knows already"


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"", KillState.HALT),
        (b"flatten", KillState.FLATTEN),
        (b" FLATTEN \n", KillState.FLATTEN),
        (b"flatten all of it", KillState.HALT),
        (b"\xff\xfe", KillState.HALT),
    ],
)
def test_the_content_of_the_file_counts(tmp_path: Path, content: bytes, wanted: KillState) -> None:
    file = tmp_path / "KILL"
    file.write_bytes(content)
    assert read_kill_file(file) is wanted


def test_what_exists_but_cannot_be_read_halts(tmp_path: Path) -> None:
    assert read_kill_file(tmp_path) is KillState.HALT
    assert read_kill_file(tmp_path / "none") is None
    assert read_kill_file(None) is None
