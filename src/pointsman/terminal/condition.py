"""What is known of an engine that is not simply running, for every screen that shows one.

Invariant: what an engine said before it died or began to hang is shown as of that moment, and
nothing of it is claimed of the present: then nobody knows whether stops rest.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from pointsman.domain.timestamps import MS_NS
from pointsman.engine import control_client

HUNG_LAG_MS = 5000
"""A loop that has done nothing for so long hangs, although other threads of the engine answer."""


class EngineState(StrEnum):
    """What is known of an engine. The values are what programs are given."""

    RUNNING = "running"
    NOT_RUNNING = "not_running"
    HUNG = "hung"
    UNREACHABLE = "unreachable"
    """Whether it runs is not known from here."""

    @property
    def headline(self) -> str:
        """In words for a person, to be seen at once."""
        return f"ENGINE {self.value.replace('_', ' ').upper()}"


class Condition(NamedTuple):
    """An engine that is not simply running: why that is known, in a few words, and the event time
    that what is shown is from; None where nothing is."""

    state: EngineState
    why: str
    as_of_ns: int | None


def of_loop(picture: Mapping[str, Any]) -> Condition | None:
    """Whether the loop of the engine that sent this picture hangs; None where it does not."""
    lag_ms = Decimal(picture.get("health", {}).get("loop_lag_ms") or 0)
    if picture.get("source") != "engine" or lag_ms < HUNG_LAG_MS:
        return None
    lag_ns = int(lag_ms * MS_NS) * int(picture["speed"])
    why = f"its loop has done nothing for {int(lag_ms) // 1000} s"
    return Condition(EngineState.HUNG, why, picture["now_ns"] - lag_ns)


def without_answer(database: Path) -> tuple[EngineState, str]:
    """What lock and socket of a database say of its engine, which does not answer, and why that is
    known. An engine inside another program, and a run as fast as it goes, have no socket."""
    try:
        pid = control_client.engine_pid(database)
    except OSError as error:
        return EngineState.UNREACHABLE, f"the lock file cannot be read: {error.strerror}"
    if pid is None:
        return EngineState.NOT_RUNNING, "no process holds the database"
    if control_client.is_listening(database):
        return EngineState.HUNG, f"process {pid or '?'} does not answer"
    return (
        EngineState.UNREACHABLE,
        f"process {pid or '?'} has no control socket, like a Python program: "
        "it takes kills, not questions",
    )
