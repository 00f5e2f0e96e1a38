"""What an engine has answered, in words for a person; and what a person can do without it."""

import shlex
from collections.abc import Callable
from pathlib import Path

from pointsman.dashboard.links import Unreachable
from pointsman.engine.requests import AccountRequest, Answer, Kill, Request
from pointsman.terminal.text import counted


def kill_command(request: Request, database: str) -> str:
    """What a person types on the machine of an engine to kill it without an answer of it. Empty
    for another request."""
    if not isinstance(request, Kill):
        return ""
    flatten = " --flatten" if request.flatten else ""
    where = shlex.quote(database) if database else "PATH"
    folder = "" if Path(database).is_absolute() else " in its folder"
    command = f"pointsman kill{flatten} --reason {shlex.quote(request.reason)} --db {where}"
    return f"Type on its machine{folder}: {command}"


def answer_in_words(
    request: Request, ask: Callable[[Request], Answer], by_hand: str = ""
) -> tuple[str, bool]:
    """Ask, and the answer in words; True where it was not done. `by_hand` is what else a person
    can do then."""
    verb = request.verb
    ending = f". {by_hand}" if by_hand else ""
    try:
        answer = ask(request)
    except (Unreachable, OSError, ValueError) as error:
        what = "NO ANSWER, may not be done" if isinstance(request, Kill) else "NOT DONE"
        return f"{verb}: {what}: {error}{ending}", True
    if not answer.get("ok"):
        why = answer.get("error", "the engine did not say why")
        return f"{verb}: NOT DONE: {why}{ending}", True
    if "told" in answer:
        return f"{verb}: {answer['told']}", False
    if not answer.get("durable", True):
        return f"{verb}: in force, but NOT STORED: it would not survive a restart", True
    if "differences" in answer:
        return _compared(verb, answer)
    if "closing" in answer:
        held = counted(answer["closing"], "position")
        return f"{verb}: done, {held} of {_who(request)} closing", False
    if isinstance(request, AccountRequest):
        return f"{verb}: done for {_who(request)}", False
    return f"{verb}: done", False


def _compared(verb: str, answer: Answer) -> tuple[str, bool]:
    text = f"{verb}: done, {counted(answer['differences'], 'difference')}"
    frozen = ", ".join(f"{va} ({why})" for va, why in answer.get("frozen", {}).items())
    return (f"{text}; frozen: {frozen}", True) if frozen else (text, False)


def _who(request: Request) -> str:
    va_id = request.va if isinstance(request, AccountRequest) else None
    return va_id or "all accounts"
