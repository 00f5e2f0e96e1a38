"""The watch on the kill latch: what presses it besides a request (RULES 19).

Once a second, on a thread of its own: a KILL_SWITCH_FILE that exists presses it, with the content
`flatten` to flatten; so does what another process has written into the latch file, and a latch file
that was removed or replaced (RULES 60); and what the desk has decided by itself is latched as well,
since storage may be the reason for it.
"""

import codecs
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pointsman.domain.accounts import KillState, KillSwitch
from pointsman.engine.kill_latch import KillLatch, LatchState

EVERY_SECONDS = 1.0  # not money: seconds
_CONTENT_BYTES_MAX = 1024
_WORD_CHARS_MAX = 40
_WORDS = {
    "": KillState.HALT,
    "halt": KillState.HALT,
    "kill": KillState.HALT,
    "flatten": KillState.FLATTEN,
}
"""What a KILL_SWITCH_FILE may say, in any case. Every other word halts, and that is reported."""
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte-order marks and the encoding that each begins. That of UTF-16 begins that of UTF-32 too."""


class KillFile(NamedTuple):
    """What a KILL_SWITCH_FILE asks for. `trouble` says what of it was not understood, or is
    empty."""

    state: KillState
    trouble: str = ""


class LatchWatch:
    """Looks at the latch. `kill_switch` gives the desk's own, from any thread; `wake` makes the
    loop look at the latch."""

    def __init__(
        self,
        latch: KillLatch,
        kill_file: Path | None,
        kill_switch: Callable[[], KillSwitch],
        wake: Callable[[], None],
    ) -> None:
        self._latch = latch
        self._kill_file = kill_file
        self._kill_switch = kill_switch
        self._wake = wake

    def look(self, now_ns: int) -> None:
        """Press the latch if anything says so. `now_ns` is event time."""
        press, switch = self._latch.last_press.number, self._kill_switch()
        self._latch.look_again(now_ns)
        found = read_kill_file(self._kill_file)
        if found is not None and _is_weaker(self._latch.latched.state, found.state):
            trouble = f": {found.trouble}, so it halts" if found.trouble else ""
            note = f"KILL_SWITCH_FILE {self._kill_file} exists{trouble}"
            self._latch.press(LatchState(found.state, "file", note, now_ns))
        if _is_weaker(self._latch.latched.state, switch.state):
            latched = LatchState(switch.state, switch.changed_by, switch.note, switch.changed_at_ns)
            self._latch.follow(latched, press)
        if self._latch.last_press.number != press:
            self._wake()


def read_kill_file(path: Path | None) -> KillFile | None:
    """What a KILL_SWITCH_FILE asks for; None where there is none. One that cannot be read halts, as
    does a word that is not known.

    PowerShell's `echo flatten > KILL` writes UTF-16 with a byte-order mark and ends the line with
    CRLF: that is `flatten`.
    """
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            content = file.read(_CONTENT_BYTES_MAX)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return KillFile(KillState.HALT, f"it cannot be read ({error.strerror})")
    word = _text(content).strip(" \t\r\n\0\ufeff\"'")
    state = _WORDS.get(word.lower())
    if state is None:
        shown = word if len(word) <= _WORD_CHARS_MAX else f"{word[:_WORD_CHARS_MAX]}…"
        return KillFile(KillState.HALT, f"the word {shown!r} is neither 'flatten' nor 'halt'")
    return KillFile(state)


def _text(content: bytes) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    if b"\0" in content:
        # UTF-16 without a mark: the zero byte of a plain letter stands second in little-endian.
        encoding = "utf-16-be" if content.startswith(b"\0") else "utf-16-le"
        return content.decode(encoding, "replace")
    return content.decode("utf-8", "replace")


def why_killed(path: Path | None) -> str:
    """Why a rearm would be of no use while a KILL_SWITCH_FILE is there; empty where it is not."""
    if read_kill_file(path) is None:
        return ""
    return f"KILL_SWITCH_FILE {path} exists; remove it first, then rearm"


def _is_weaker(state: KillState, wanted: KillState) -> bool:
    if wanted is KillState.OFF or state is KillState.FLATTEN:
        return False
    return state is KillState.OFF or wanted is KillState.FLATTEN
