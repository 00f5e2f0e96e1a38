"""Bodies that are read as raw bytes: what they are said to be, and what is wrong with them.

Their length, and that none is unpacked, is checked at admission.
"""

from collections.abc import Container
from http import HTTPStatus

from fastapi import Request

from pointsman.api.problems import Problem
from pointsman.domain.signal_text import SignalProblem, shown

JSON = "application/json"
JSON_LINES = "application/jsonl"
LINES = (JSON_LINES, "application/x-ndjson")
"""What JSON Lines are called."""


def media_type(request: Request) -> str:
    """What the body is said to be, without parameters; empty where nothing is said."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def require_media_type(request: Request, known: Container[str], remedy: str) -> str:
    """What the body is said to be. Raises Problem 415, with the remedy, for anything not known."""
    found = media_type(request)
    if found not in known:
        said = f"the body is {shown(found)}" if found else "no Content-Type is sent"
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"{said}; {remedy}")
    return found


def unreadable(problem: SignalProblem) -> Problem:
    """The answer to something that should have been a signal and was not."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        str(problem),
        field=problem.field,
        value=problem.value,
        remedy=problem.remedy,
    )
