"""The watch on the kill latch: a file, another process, or the desk itself press it (RULES 19)."""

from pathlib import Path

import pytest

from pointsman.domain.accounts import KillState, KillSwitch
from pointsman.engine.kill_latch import KillLatch, LatchState, latch_path, read_latch
from pointsman.engine.latch_watch import KillFile, LatchWatch, read_kill_file

OFF = KillSwitch()


class Watched:
    """A latch and its watch; the desk's switch is what the test says."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "KILL"
        self.latch = KillLatch(latch_path(folder / "t.db"))
        self.switch = OFF
        self.woken = 0
        self.watch = LatchWatch(self.latch, self.file, lambda: self.switch, self._wake)

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
    watched.watch.look(7)
    assert watched.states() == (KillState.OFF, KillState.OFF)
    watched.file.touch()
    for _ in range(3):
        watched.watch.look(7)
    assert watched.states() == (KillState.HALT, KillState.HALT)
    assert watched.woken == 1
    watched.file.write_text("Flatten\n")
    watched.watch.look(7)
    assert watched.states() == (KillState.FLATTEN, KillState.FLATTEN)
    watched.file.unlink()
    watched.watch.look(7)
    assert watched.states() == (KillState.FLATTEN, KillState.FLATTEN)


def test_a_press_of_another_process_wakes_the_loop(watched: Watched) -> None:
    other = KillLatch(watched.latch.path)
    other.press(LatchState(KillState.HALT, "ann", "no answer", 1))
    watched.watch.look(7)
    assert watched.latch.latched.note == "no answer"
    assert watched.woken == 1


def test_what_the_desk_has_tripped_by_itself_is_latched_on_the_disk(watched: Watched) -> None:
    watched.switch = KillSwitch(KillState.HALT, changed_by="storage", note="failing")
    watched.watch.look(7)
    assert read_latch(watched.latch.path).by == "storage"
    assert watched.woken == 0, "the desk knows already"


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"", KillState.HALT),
        (b"flatten", KillState.FLATTEN),
        (b" FLATTEN \n", KillState.FLATTEN),
        (b"\xff\xfe", KillState.HALT),
        (b"Halt\r\n", KillState.HALT),
        (b"\xef\xbb\xbfflatten\r\n", KillState.FLATTEN),
        ("\ufeffFlatten\r\n".encode("utf-16-le"), KillState.FLATTEN),
        ("\ufeffFlatten\r\n".encode("utf-16-be"), KillState.FLATTEN),
        ("\ufefffLaTTen".encode("utf-32"), KillState.FLATTEN),
        ("flatten\r\n".encode("utf-16-le"), KillState.FLATTEN),
        ("flatten\r\n".encode("utf-16-be"), KillState.FLATTEN),
        (b'"flatten" \r\n', KillState.FLATTEN),
    ],
)
def test_rule_19_the_word_in_the_file_is_understood_however_it_was_written(
    tmp_path: Path, content: bytes, wanted: KillState
) -> None:
    """Notepad writes a byte-order mark, PowerShell UTF-16, cmd the quotation marks too."""
    file = tmp_path / "KILL"
    file.write_bytes(content)
    assert read_kill_file(file) == KillFile(wanted)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"flatten all of it", "the word 'flatten all of it' is neither"),
        (b"close\r\n", "the word 'close' is neither 'flatten' nor 'halt'"),
        (b"\x80\x81", "the word"),
        (b"x" * 5000, f"the word '{'x' * 40}…'"),
    ],
)
def test_a_word_that_is_not_known_halts_and_is_told(
    watched: Watched, content: bytes, told: str
) -> None:
    watched.file.write_bytes(content)
    watched.watch.look(7)
    latched = read_latch(watched.latch.path)
    assert latched.state is KillState.HALT
    assert told in latched.note
    assert latched.note.endswith(", so it halts")


def test_rule_60_a_latch_file_that_was_removed_kills_and_is_made_again(watched: Watched) -> None:
    watched.latch.path.unlink()
    watched.watch.look(7)
    assert watched.states() == (KillState.HALT, KillState.HALT)
    assert "was removed or replaced while the engine ran" in watched.latch.latched.note
    assert watched.woken == 1


def test_what_exists_but_cannot_be_read_halts(tmp_path: Path) -> None:
    found = read_kill_file(tmp_path)
    assert found == KillFile(KillState.HALT, "it cannot be read (Is a directory)")
    assert read_kill_file(tmp_path / "none") is None
    assert read_kill_file(None) is None
