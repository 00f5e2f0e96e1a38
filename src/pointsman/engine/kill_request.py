"""A kill from another process: asked of the engine, else pressed on the latch file.

Invariants (RULES 30, 40): missing details, such as who asks or whether an engine runs, cannot stop
a kill; when the engine does not take it, for any reason, the latch file is pressed instead; and
what is reported of a kill is true.
"""

import getpass
import os
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from pointsman.engine import control_client
from pointsman.engine.exit_codes import ExitCode
from pointsman.engine.requests import NO_REASON

Answer = dict[str, Any]


def asker() -> str:
    """Who asks: the user's name, or number where it has none (`docker run --user 4711`). Always
    text that can be stored."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):
        name = ""
    return name.encode("utf-8", "replace").decode() or f"uid {os.getuid()}"


def kill(database: Path, reason: str, by: str, *, is_flatten: bool) -> Answer:
    """Kill the engine of a database, or the next one to start on it. The answer has `ok`; where
    that is true `durable`, `state` and, without an engine's answer, `told`; else `error` and
    `exit`. It is not `ok` where there is no such database, though the kill is recorded then."""
    reason = reason.strip() or NO_REASON
    request = {"verb": "kill", "flatten": is_flatten, "reason": reason, "by": by}
    try:
        answer = control_client.ask(database, request)
    except (control_client.NoEngine, OSError, ValueError):
        return _press(database, request, "")
    if answer.get("ok"):
        return answer
    return _press(database, request, f"The engine refused the kill ({answer.get('error')}). ")


def _press(database: Path, request: dict[str, Any], before: str) -> Answer:
    """Press the latch file, which an engine reads at its start and every second."""
    from pointsman.domain.accounts import KillState
    from pointsman.engine.kill_latch import KillLatch, Latched, latch_path

    state = KillState.FLATTEN if request["flatten"] else KillState.HALT
    path = latch_path(database)
    try:
        with closing(KillLatch(path)) as latch:
            is_durable = latch.press(
                Latched(state, request["by"], request["reason"], time.time_ns())
            )
            state = latch.latched.state
    except OSError as error:
        return _refused(_unwritten(path, f" ({error.strerror})"))
    if not is_durable:
        return _refused(_unwritten(path))
    told = f"{before}{_told(database.absolute(), path.absolute())}"
    if _is_unknown(database):
        return {**_refused(told), "durable": True, "state": state.value}
    return {"ok": True, "durable": True, "state": state.value, "told": told}


def _unwritten(path: Path, why: str = "") -> str:
    return (
        f"{path} cannot be written{why}, so nothing is killed; give this user access to its folder,"
        " or stop the engine's process"
    )


def _is_unknown(database: Path) -> bool:
    """Whether there is no such database, and nobody holds its lock: it may be a misspelt one."""
    try:
        return not database.exists() and control_client.engine_pid(database) is None
    except OSError:
        return False


def _told(database: Path, latch: Path) -> str:
    """What is known of the engine, and when it comes to the kill."""
    kept = f"The kill is recorded in {latch}"
    try:
        pid = control_client.engine_pid(database)
    except OSError as error:
        unseen = f"Whether an engine is running on {database} cannot be seen ({error.strerror})"
        return f"{unseen}. {kept}; an engine reads it at start and every second."
    if _is_unknown(database):
        return (
            f"NO ENGINE WAS KILLED: there is no database {database}. An engine on another database "
            f"keeps trading; name it with --db PATH. {kept}; an engine that starts on "
            f"{database.name} there will start killed."
        )
    if pid is None:
        running = f"No engine is running on {database}"
        return f"{running}. {kept}; the next engine to start will start killed."
    held = f"Process {pid or '?'} holds {database} but does not answer"
    return f"{held}. {kept}; an engine reads it at start and every second."


def _refused(text: str) -> Answer:
    return {"ok": False, "exit": int(ExitCode.FAILURE), "error": text}
