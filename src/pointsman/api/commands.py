"""What steers: kill, rearm, pause, resume, flatten, reconcile. Anyone may stop, few may resume.

A kill has threads of its own, so that it waits for no other request; the rest have others, on which
they wait for the loop (RULES 34). Invariants: nothing here is done by GET or by what stands
in a URL.
"""

import asyncio
from concurrent.futures import Executor, ThreadPoolExecutor
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi import Request as HttpRequest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool
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


class KillBody(_Body):
    reason: _Reason
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


def command_routes(engine: Engine) -> APIRouter:
    """The routes that steer."""
    asked = [Depends(_json_only), Depends(only_known)]
    routes = APIRouter(prefix=PREFIX, tags=["control"], dependencies=asked)
    stopping = Annotated[Caller, Depends(Needs(*ANYONE))]
    steering = Annotated[Caller, Depends(Needs(Scope.CONTROL))]
    kills = ThreadPoolExecutor(KILL_THREADS, "http-kill")
    others = ThreadPoolExecutor(CONTROL_THREADS, "http-control")

    async def obeyed(request: Request, va: str | None = None) -> Document:
        try:
            return await _obey(engine, others, request)
        except Refusal as refusal:
            raise _problem(engine, refusal, request, va) from None

    @routes.post("/kill", response_model=Done)
    async def kill(caller: stopping, body: KillBody) -> Document:
        """Press the kill switch: no new risk, stops stay; with `flatten` also close everything.

        It holds when this answers, also while the loop is stuck, storage fails or the venue is
        down.
        """
        return await _obey(engine, kills, Kill(body.flatten, body.reason, caller.by))

    @routes.post("/rearm", response_model=Done, responses=documented(*_REFUSALS))
    async def rearm(caller: steering, body: RearmBody) -> Document:
        """Clear the kill switch."""
        return await obeyed(Rearm(body.reason, caller.by))

    @routes.post("/pause", response_model=Done, responses=documented(*_REFUSALS))
    async def pause(caller: stopping, body: AccountBody) -> Document:
        """No new entries, of one virtual account or of all; exits go on."""
        return await obeyed(Pause(body.va, body.reason, caller.by), body.va)

    @routes.post(
        "/resume", response_model=Done, responses=documented(*_REFUSALS, HTTPStatus.LOCKED)
    )
    async def resume(caller: steering, body: AccountBody) -> Document:
        """End a pause; of one virtual account also its freeze, after a comparison."""
        return await obeyed(Resume(body.va, body.reason, caller.by), body.va)

    @routes.post("/flatten", response_model=Done, responses=documented(*_REFUSALS))
    async def flatten(caller: steering, body: AccountBody) -> Document:
        """Close what one virtual account holds, or all do."""
        return await obeyed(Flatten(body.va, body.reason, caller.by), body.va)

    @routes.post("/reconcile", response_model=Done, responses=documented(*_REFUSALS))
    async def reconcile(_caller: steering, _body: EmptyBody | None = None) -> Document:
        """Compare with the venue now."""
        return await obeyed(Reconcile())

    return routes


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
