"""The watch on the kill latch: what presses it besides a request (RULES 19).

Once a second, on a thread of its own: a KILL_SWITCH_FILE that exists presses it, with the content
`flatten` to flatten; so does what another process has written into the latch file; and what the
desk has decided by itself is latched as well, since storage may be the reason for it.
"""

from collections.abc import Callable
from pathlib import Path

from pointsman.domain.accounts import KillState, KillSwitch
from pointsman.engine.latch import KillLatch, Latched

EVERY_SECONDS = 1.0  # not money: seconds
_CONTENT_BYTES_MAX = 64


class LatchWatch:
    """Has `look` called every EVERY_SECONDS. `kill_switch` gives the desk's own, `now_ns` event
    time; both from any thread. `wake` makes the loop look at the latch."""

    def __init__(
        self,
        latch: KillLatch,
        kill_file: Path | None,
        kill_switch: Callable[[], KillSwitch],
        now_ns: Callable[[], int],
        wake: Callable[[], None],
    ) -> None:
        self._latch = latch
        self._kill_file = kill_file
        self._kill_switch = kill_switch
        self._now_ns = now_ns
        self._wake = wake

    def look(self) -> None:
        """Press the latch if anything says so."""
        press, switch = self._latch.last_press.number, self._kill_switch()
        self._latch.look_again()
        wanted = read_kill_file(self._kill_file)
        if wanted is not None and _is_weaker(self._latch.latched.state, wanted):
            note = f"KILL_SWITCH_FILE {self._kill_file} exists"
            self._latch.press(Latched(wanted, "file", note, self._now_ns()))
        if _is_weaker(self._latch.latched.state, switch.state):
            latched = Latched(switch.state, switch.changed_by, switch.note, switch.changed_at_ns)
            self._latch.follow(latched, press)
        if self._latch.last_press.number != press:
            self._wake()


def read_kill_file(path: Path | None) -> KillState | None:
    """What a KILL_SWITCH_FILE asks for; None where there is none. One that cannot be read halts."""
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            content = file.read(_CONTENT_BYTES_MAX)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return KillState.HALT
    is_flatten = content.strip().lower() == KillState.FLATTEN.value.encode()
    return KillState.FLATTEN if is_flatten else KillState.HALT


def why_killed(path: Path | None) -> str:
    """Why a rearm would be of no use while a KILL_SWITCH_FILE is there; empty where it is not."""
    if read_kill_file(path) is None:
        return ""
    return f"KILL_SWITCH_FILE {path} exists; remove it first, then rearm"


def _is_weaker(state: KillState, wanted: KillState) -> bool:
    if wanted is KillState.OFF or state is KillState.FLATTEN:
        return False
    return state is KillState.OFF or wanted is KillState.FLATTEN
