"""Errors as problem+json (RFC 9457): a status, a title, and in `detail` how to fix it.

Every error leaves in this form, those of the framework and unexpected ones too. Invariants: an
answer never repeats what was sent, and never tells what the program is made of; a query parameter
that a route does not know is an error that names it, for a misspelt one would silently ask for
something else, and a field of a command in the address instead of the body would silently not
count. The length of a body is checked at admission.
"""

import secrets
import traceback
from collections.abc import Callable, Container, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from pointsman.domain.signal_text import SignalProblem, shown
from pointsman.storage.errors import StorageError

MEDIA_TYPE = "application/problem+json"
SCHEMA = {
    "title": "HttpProblem",
    "description": "What went wrong (RFC 9457). `detail` says how to fix it.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What is wrong, and how to fix it."},
        "field": {"type": "string", "description": "The field at fault, where it is one."},
    },
    "additionalProperties": True,
}
_CONTENT = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}

JSON = "application/json"
_AS_CURL_SENDS = "application/x-www-form-urlencoded"
"""What curl says of a body unless it is given another type."""
JSON_LINES = "application/jsonl"
LINES = (JSON_LINES, "application/x-ndjson")
"""What JSON Lines are called."""


class HttpProblem(Exception):
    """An answer that is no success. `detail` is for a person; `extra` are further members, for
    programs."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        headers: Mapping[str, str] | None = None,
        **extra: object,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.extra = extra


def problem_response(problem: HttpProblem) -> JSONResponse:
    """The answer that tells of a problem."""
    return JSONResponse(
        problem_document(problem),
        problem.status,
        headers=dict(problem.headers or {}),
        media_type=MEDIA_TYPE,
    )


def problem_document(problem: HttpProblem) -> dict[str, object]:
    """A problem for programs."""
    return {
        "type": "about:blank",
        "title": problem.status.phrase,
        "status": problem.status.value,
        "detail": problem.detail,
        **problem.extra,
    }


def nowhere() -> HttpProblem:
    """The answer at an address where nothing is, or nothing for this caller."""
    text = "no such path; /docs lists those that exist"
    return HttpProblem(HTTPStatus.NOT_FOUND, text)


def documented(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Answers of a route that are problems, for its `responses`."""
    return {
        status.value: {"description": status.phrase, "content": _CONTENT} for status in statuses
    }


def answer_problems(app: FastAPI, complain: Callable[[str], None]) -> None:
    """Have every error of an application answered as a problem. `complain` is called with one line
    for each that nobody expected."""

    async def answer_problem(_request: Request, problem: Exception) -> JSONResponse:
        assert isinstance(problem, HttpProblem)
        return problem_response(problem)

    async def answer_http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return problem_response(_of_http(request, error))

    async def answer_invalid(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return problem_response(_of_fields(error.errors()))

    async def answer_fault(request: Request, fault: Exception) -> JSONResponse:
        error_id = secrets.token_hex(4)
        complain(f"HTTP failed: {_where(request, fault)}; error id {error_id}")
        text = "the engine failed to answer; its log has the details under this error id"
        return problem_response(
            HttpProblem(HTTPStatus.INTERNAL_SERVER_ERROR, text, error_id=error_id)
        )

    async def answer_unreadable(request: Request, fault: Exception) -> JSONResponse:
        complain(f"HTTP failed, the database cannot be read: {_where(request, fault)}")
        text = "the database cannot be read now; try again when /health/ready answers 200"
        return problem_response(
            HttpProblem(HTTPStatus.SERVICE_UNAVAILABLE, text, {"Retry-After": "5"})
        )

    app.add_exception_handler(HttpProblem, answer_problem)
    app.add_exception_handler(StorageError, answer_unreadable)
    app.add_exception_handler(HTTPException, answer_http)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.add_exception_handler(Exception, answer_fault)


def _of_http(request: Request, error: HTTPException) -> HttpProblem:
    """What the framework says of a request that fits no route."""
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(sorted(_methods(request)))
        return HttpProblem(status, f"use {allowed}", {"Allow": allowed})
    if status is HTTPStatus.NOT_FOUND:
        return nowhere()
    return HttpProblem(status, error.detail, error.headers)


def _methods(request: Request) -> Iterable[str]:
    """The methods that the address of a request takes."""
    found: set[str] = set()
    for method in ("GET", "POST"):
        asked = {**request.scope, "method": method}
        routes = request.app.router.routes
        if any(route.matches(asked)[0] is Match.FULL for route in routes):
            found.add(method)
    return found


def _of_fields(errors: Iterable[Mapping[str, Any]]) -> HttpProblem:
    """What is wrong with the fields of a request, all of them."""
    faults = [_fault(error) for error in errors]
    first = faults[0]
    detail = f"{first['field']}: {first['problem']}"
    return HttpProblem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, field=first["field"], errors=faults)


def _fault(error: Mapping[str, Any]) -> dict[str, str]:
    place, *path = map(str, error["loc"])
    if error["type"] == "json_invalid":
        return {"field": place, "in": place, "problem": f"this is not JSON, at character {path[0]}"}
    return {"field": ".".join(path) or place, "in": place, "problem": str(error["msg"])}


def _where(request: Request, fault: Exception) -> str:
    """The kind of a fault and the line that raised it. Neither its text nor the address that was
    asked for: both may hold a secret."""
    frames = traceback.extract_tb(fault.__traceback__)
    line = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    route = getattr(request.scope.get("route"), "path", "an unknown address")
    return f"{type(fault).__name__}{line}, asked by {request.method} {route}"


def media_type(request: Request) -> str:
    """What the body is said to be, without parameters; empty where nothing is said."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def require_media_type(request: Request, known: Container[str], remedy: str) -> str:
    """What the body is said to be. Raises Problem 415, with the remedy, for anything not known."""
    found = media_type(request)
    if found not in known:
        said = f"the body is {shown(found)}" if found else "no Content-Type is sent"
        if found == _AS_CURL_SENDS:
            remedy += f": add -H 'Content-Type: {JSON}' to curl"
        raise HttpProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"{said}; {remedy}")
    return found


def unreadable(problem: SignalProblem) -> HttpProblem:
    """The answer to something that should have been a signal and was not."""
    return HttpProblem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        str(problem),
        field=problem.field,
        value=problem.value,
        remedy=problem.remedy,
    )


async def only_known(request: Request) -> None:
    """A dependency of a route. Raises Problem 422 for a query parameter that it does not have."""
    known = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    for name in request.query_params:
        if name not in known:
            takes = f"there are {', '.join(known)}" if known else "there are none here"
            text = f"no such query parameter; {takes}"
            raise HttpProblem(HTTPStatus.UNPROCESSABLE_ENTITY, text, field=name[:100])
