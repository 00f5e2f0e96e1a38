"""What steers: kill, rearm, pause, resume, flatten, reconcile. Anyone may stop, few may resume.

A kill has threads of its own, so that it waits for no other request; the rest have others, on which
they wait for the loop (RULES 34). Invariants: nothing here is done by GET or by what stands
in a URL.
"""

import asyncio
import json
from concurrent.futures import Executor, ThreadPoolExecutor
from http import HTTPStatus
from typing import Annotated, Any
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
from pointsman.api.ports import Engine
from pointsman.api.problems import JSON, Problem, documented, only_known, require_media_type
from pointsman.engine.request_queue import Refusal, Unanswered
from pointsman.engine.requests import (
    REFUSED,
    Flatten,
    Kill,
    Pause,
    Rearm,
    Reconcile,
    Request,
    Resume,
)
from pointsman.reading.documents import Document

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
    """A body says nothing beside its fields: a misspelt one is an error, never ignored."""

    model_config = ConfigDict(extra="forbid")


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


def command_routes(engine: Engine) -> APIRouter:
    """The routes that steer."""
    asked = [Depends(only_known)]
    routes = APIRouter(prefix=PREFIX, tags=["control"], dependencies=asked)
    json_routes = APIRouter(dependencies=[Depends(_json_only)])
    stopping = Annotated[Caller, Depends(Needs(*ANYONE))]
    steering = Annotated[Caller, Depends(Needs(Scope.CONTROL))]
    kills = ThreadPoolExecutor(KILL_THREADS, "http-kill")
    others = ThreadPoolExecutor(CONTROL_THREADS, "http-control")

    async def obeyed(request: Request, va: str | None = None) -> Document:
        try:
            return await _obey(engine, others, request)
        except Refusal as refusal:
            raise _problem(engine, refusal, request, va) from None

    @routes.post("/kill", response_model=Done, openapi_extra=_KILL_INPUT)
    async def kill(caller: stopping, request: HttpRequest) -> Document:
        """Press the kill switch: no new risk, stops stay; with `flatten` also close everything.

        No body is needed, and its Content-Type does not matter. The kill holds when this answers,
        also while the loop is stuck, storage fails or the venue is down.
        """
        body = _kill_body(await request.body())
        return await _obey(engine, kills, Kill(body.flatten, body.reason, caller.by))

    @json_routes.post("/rearm", response_model=Done, responses=documented(*_REFUSALS))
    async def rearm(caller: steering, body: RearmBody) -> Document:
        """Clear the kill switch."""
        return await obeyed(Rearm(body.reason, caller.by))

    @json_routes.post("/pause", response_model=Done, responses=documented(*_REFUSALS))
    async def pause(caller: stopping, body: AccountBody) -> Document:
        """No new entries, of one virtual account or of all; exits go on."""
        return await obeyed(Pause(body.va, body.reason, caller.by), body.va)

    @json_routes.post(
        "/resume", response_model=Done, responses=documented(*_REFUSALS, HTTPStatus.LOCKED)
    )
    async def resume(caller: steering, body: AccountBody) -> Document:
        """End a pause; of one virtual account also its freeze, after a comparison."""
        return await obeyed(Resume(body.va, body.reason, caller.by), body.va)

    @json_routes.post("/flatten", response_model=Done, responses=documented(*_REFUSALS))
    async def flatten(caller: steering, body: AccountBody) -> Document:
        """Close what one virtual account holds, or all do."""
        return await obeyed(Flatten(body.va, body.reason, caller.by), body.va)

    @json_routes.post("/reconcile", response_model=Done, responses=documented(*_REFUSALS))
    async def reconcile(_caller: steering, _body: EmptyBody | None = None) -> Document:
        """Compare with the venue now."""
        return await obeyed(Reconcile())

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
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, text, field="body") from None


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


async def _obey(engine: Engine, threads: Executor, request: Request) -> Document:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(threads, engine.controls.obey, request)


def _problem(engine: Engine, refusal: Refusal, request: Request, va: str | None) -> Problem:
    """What a refusal is in HTTP."""
    text = str(refusal)
    if isinstance(refusal, Unanswered):
        return Problem(HTTPStatus.SERVICE_UNAVAILABLE, text, {"Retry-After": str(RETRY_SECONDS)})
    if isinstance(request, Resume) and refusal.exit_code == REFUSED:
        return Problem(HTTPStatus.LOCKED, text)
    known = [account["va_id"] for account in engine.board.document()["accounts"]]
    if va is not None and va not in known:
        return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"va: {text}", field="va")
    return Problem(HTTPStatus.CONFLICT, text)
