"""Requests over HTTP: kill, rearm, pause, resume, flatten, reconcile. Anyone may stop, few may
resume.

A route makes the request of `engine/requests.py` that its path names, of a body and of its caller;
what a body is here are the limits of HTTP to the fields of that request. A kill has threads of its
own, so that it waits for no other request; the rest have others, on which they wait for the loop
(RULES 34). Invariants: nothing here is done by GET or by what stands in a URL.
"""

import asyncio
import json
from concurrent.futures import Executor, ThreadPoolExecutor
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends
from fastapi import Request as HttpRequest
from fastapi.exceptions import RequestValidationError
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from pointsman.api.access import ANYONE, Caller, Needs, Scope
from pointsman.api.admission import PREFIX
from pointsman.api.ports import EnginePort
from pointsman.api.problems import JSON, HttpProblem, documented, only_known, require_media_type
from pointsman.engine.exit_codes import ExitCode
from pointsman.engine.requests import (
    AccountRequest,
    Answer,
    Flatten,
    Kill,
    Pause,
    Rearm,
    Reconcile,
    Refusal,
    Request,
    Resume,
    Unanswered,
)

R = TypeVar("R", bound=Request)

KILL_THREADS = 4
CONTROL_THREADS = 16
RETRY_SECONDS = 5
REASON_CHARS_MAX = 500


def _not_blank(reason: str) -> str:
    if not reason.strip():
        raise PydanticCustomError("blank", "say why, for the record")
    return reason


_Reason = Annotated[
    str,
    Field(
        min_length=1,
        max_length=REASON_CHARS_MAX,
        description="Why, for the record; not blank.",
        json_schema_extra={"pattern": r"\S"},
    ),
    AfterValidator(_not_blank),
]
_Va = Annotated[
    str | None,
    Field(min_length=1, max_length=32, description="One virtual account; without it, all."),
]


class _Body(BaseModel):
    """The fields of a request that its caller sends. A misspelt one is an error, never ignored."""

    model_config = ConfigDict(extra="forbid")

    def to_request(self, kind: type[R], caller: Caller) -> R:
        """The request of a caller."""
        return kind(**dict(self), by=caller.by)


def _any_reason(reason: object) -> str:
    """No reason stops a kill: a missing one is filled in later, a long one is cut."""
    return "" if reason is None else str(reason)[:REASON_CHARS_MAX]


class KillBody(_Body):
    reason: Annotated[
        str, BeforeValidator(_any_reason), Field(description="Why, for the record; optional.")
    ] = ""
    flatten: Annotated[StrictBool, Field(description="Also close everything.")] = False


class RearmBody(_Body):
    reason: _Reason


class AccountBody(_Body):
    reason: _Reason
    va: _Va = None


class EmptyBody(_Body):
    pass


class Done(BaseModel):
    """What came of a command. `durable` false: it holds, but nothing could be synced to the disk
    (RULES 30)."""

    model_config = ConfigDict(extra="allow")

    durable: bool


_REFUSALS = (HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE)


_KILL_INPUT: dict[str, Any] = {
    "requestBody": {"content": {JSON: {"schema": KillBody.model_json_schema()}}}
}


def command_routes(engine: EnginePort) -> APIRouter:
    """The routes of the requests."""
    asked = [Depends(only_known)]
    routes = APIRouter(prefix=PREFIX, tags=["control"], dependencies=asked)
    json_routes = APIRouter(dependencies=[Depends(_json_only)])
    anyone = Annotated[Caller, Depends(Needs(*ANYONE))]
    controller = Annotated[Caller, Depends(Needs(Scope.CONTROL))]
    kills = ThreadPoolExecutor(KILL_THREADS, "http-kill")
    others = ThreadPoolExecutor(CONTROL_THREADS, "http-control")

    async def answer_to(request: Request) -> Answer:
        try:
            return await _carry_out(engine, others, request)
        except Refusal as refusal:
            raise _problem(engine, refusal, request) from None

    @routes.post("/kill", response_model=Done, openapi_extra=_KILL_INPUT)
    async def kill(caller: anyone, request: HttpRequest) -> Answer:
        """Press the kill switch: no new risk, stops stay; with `flatten` also close everything.

        No body is needed, and its Content-Type does not matter. The kill holds when this answers,
        also while the loop is stuck, storage fails or the venue is down.
        """
        body = _kill_body(await request.body())
        return await _carry_out(engine, kills, body.to_request(Kill, caller))

    @json_routes.post("/rearm", response_model=Done, responses=documented(*_REFUSALS))
    async def rearm(caller: controller, body: RearmBody) -> Answer:
        """Clear the kill switch."""
        return await answer_to(body.to_request(Rearm, caller))

    @json_routes.post("/pause", response_model=Done, responses=documented(*_REFUSALS))
    async def pause(caller: anyone, body: AccountBody) -> Answer:
        """No new entries, of one virtual account or of all; exits go on."""
        return await answer_to(body.to_request(Pause, caller))

    @json_routes.post(
        "/resume", response_model=Done, responses=documented(*_REFUSALS, HTTPStatus.LOCKED)
    )
    async def resume(caller: controller, body: AccountBody) -> Answer:
        """End a pause; of one virtual account also its freeze, after a comparison."""
        return await answer_to(body.to_request(Resume, caller))

    @json_routes.post("/flatten", response_model=Done, responses=documented(*_REFUSALS))
    async def flatten(caller: controller, body: AccountBody) -> Answer:
        """Close what one virtual account holds, or all do."""
        return await answer_to(body.to_request(Flatten, caller))

    @json_routes.post("/reconcile", response_model=Done, responses=documented(*_REFUSALS))
    async def reconcile(_caller: controller, _body: EmptyBody | None = None) -> Answer:
        """Compare with the venue now."""
        return await answer_to(Reconcile())

    routes.include_router(json_routes)
    return routes


def _kill_body(raw: bytes) -> KillBody:
    """What a kill asks for: JSON, a form such as `reason=fire`, or nothing. Raises
    RequestValidationError for a field that is not known or a `flatten` that is no boolean, and
    Problem 422 for what is neither JSON nor a form."""
    try:
        return KillBody.model_validate(_kill_fields(raw.strip()))
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
        raise RequestValidationError(faults) from None
    except (ValueError, RecursionError):
        text = 'send {"reason": "why", "flatten": false}, or no body at all'
        raise HttpProblem(HTTPStatus.UNPROCESSABLE_ENTITY, text, field="body") from None


def _kill_fields(raw: bytes) -> Any:
    """The fields of the body of a kill. Raises ValueError or RecursionError."""
    if not raw or raw == b"null":
        return {}
    try:
        return json.loads(raw)
    except ValueError:
        # What `curl -d reason=fire` sends.
        fields: dict[str, Any] = dict(parse_qsl(raw.decode(), strict_parsing=True))
    flatten = str(fields.get("flatten", "")).lower()
    return fields | ({"flatten": flatten == "true"} if flatten in ("true", "false") else {})


async def _json_only(request: HttpRequest) -> None:
    """A form of another site cannot send JSON; a body that is none is refused (RULES 36)."""
    has_body = request.headers.get(
        "content-length", "0"
    ) != "0" or "chunked" in request.headers.get("transfer-encoding", "")
    if has_body or "content-type" in request.headers:
        require_media_type(request, (JSON,), f"send {JSON}")


async def _carry_out(engine: EnginePort, threads: Executor, request: Request) -> Answer:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(threads, engine.controls.carry_out, request)


def _problem(engine: EnginePort, refusal: Refusal, request: Request) -> HttpProblem:
    """What a refusal is in HTTP."""
    text = str(refusal)
    if isinstance(refusal, Unanswered):
        return HttpProblem(
            HTTPStatus.SERVICE_UNAVAILABLE, text, {"Retry-After": str(RETRY_SECONDS)}
        )
    if isinstance(request, Resume) and refusal.exit_code == ExitCode.REFUSED:
        return HttpProblem(HTTPStatus.LOCKED, text)
    known = [account["va_id"] for account in engine.board.document()["accounts"]]
    if isinstance(request, AccountRequest) and request.va not in (None, *known):
        return HttpProblem(HTTPStatus.UNPROCESSABLE_ENTITY, f"va: {text}", field="va")
    return HttpProblem(HTTPStatus.CONFLICT, text)
