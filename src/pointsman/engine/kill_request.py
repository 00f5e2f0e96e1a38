"""A kill from another process: the engine is asked, and failing that the latch file is pressed.

Invariants (RULES 30, 40): missing details, such as who asks or whether an engine runs, cannot stop
a kill; when the engine does not take it, for any reason, the latch file is pressed instead; and
what is reported of a kill is true.
"""

import getpass
import os
import time
from contextlib import closing
from pathlib import Path

from pointsman.engine import control_client
from pointsman.engine.requests import Answer, Kill, refused


def asker() -> str:
    """Who asks: the user's name, or number where it has none (`docker run --user 4711`). Always
    text that can be stored."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):
        name = ""
    return name.encode("utf-8", "replace").decode() or f"uid {os.getuid()}"


def kill(database: Path, request: Kill) -> Answer:
    """Kill the engine of a database, or the next one to start on it. The answer has `ok`; where
    that is true `durable`, `state` and, without an engine's answer, `told`; else `error` and
    `exit`. It is not `ok` where there is no such database, though the kill is recorded then."""
    try:
        answer = control_client.ask(database, request)
    except (control_client.NoEngine, OSError, ValueError):
        return _press(database, request, "")
    if answer.get("ok"):
        return answer
    return _press(database, request, f"The engine refused the kill ({answer.get('error')}). ")


def _press(database: Path, request: Kill, before: str) -> Answer:
    """Press the latch file, which an engine reads at its start and every second."""
    from pointsman.engine.kill_latch import KillLatch, latch_path, latched_by

    path = latch_path(database)
    try:
        with closing(KillLatch(path)) as latch:
            is_durable = latch.press(latched_by(request, time.time_ns()))
            state = latch.latched.state
    except OSError as error:
        return refused(_unwritten(path, f" ({error.strerror})"))
    if not is_durable:
        return refused(_unwritten(path))
    text = before + _explanation(database.absolute(), path.absolute())
    if _is_unknown(database):
        return {**refused(text), "durable": True, "state": state.value}
    return {"ok": True, "durable": True, "state": state.value, "told": text}


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


def _explanation(database: Path, latch: Path) -> str:
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
