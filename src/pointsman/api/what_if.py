"""`GET /whatif`: how the run of this engine would have gone under other limits.

It is worked out by `pointsman whatif` in a process of its own that gives way to all others, on the
database, read-only: the loop of the engine shares nothing with it, not even the interpreter.
Invariants: one at a time, for a bounded time, and none outlives the server.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Response

from pointsman.api.access import Needs, Scope
from pointsman.api.admission import PREFIX
from pointsman.api.ports import EnginePort
from pointsman.api.problems import HttpProblem, documented, only_known
from pointsman.config.deciding import REMEDY, is_other
from pointsman.config.problems import SettingsError
from pointsman.config.settings import resolve_settings
from pointsman.reading.documents import Document

SECONDS_MAX = 120
RUNS_MAX = 20
_LOOK_SECONDS = 0.05  # not money: seconds
_START = "import os, sys; os.nice(15); from pointsman.cli.app import main; sys.exit(main())"
_LEFT_OUT = ("trades", "positions", "incidents")
"""Long parts of a report, which a comparison does not need."""

_Set = Annotated[
    list[str] | None,
    Query(alias="set", max_length=20, description="NAME=VALUE of a setting that is other."),
]
_Sweep = Annotated[
    str | None,
    Query(max_length=200, description="NAME=A,B,C: one setting, a run for each value."),
]


def what_if_routes(engine: EnginePort, stopping: threading.Event) -> APIRouter:
    """The route. `stopping` ends what is under way."""
    asked = [Depends(Needs(Scope.READ)), Depends(only_known)]
    routes = APIRouter(prefix=PREFIX, tags=["read"], dependencies=asked)
    turn = threading.Lock()
    answers = documented(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    )

    @routes.get(
        "/whatif",
        response_model=Document,
        responses=answers,
        summary="The run so far under other limits",
    )
    def whatif(sets: _Set = None, sweep: _Sweep = None) -> Response:
        """The recorded events decided again under other limits: for each run its report without
        lists, equity over time, decisions that changed, and for each rule what it refused and what
        that would have brought. One at a time; the engine is not held up."""
        for text in sets or []:
            _require_usable("set", text, [text.partition("=")[2]])
        values = [each.strip() for each in (sweep or "").partition("=")[2].split(",")]
        if sweep is not None:
            _require_usable("sweep", sweep, [each for each in values if each])
        words = [word for each in sets or [] for word in ("--set", each)]
        words += ["--sweep", sweep] if sweep else []
        with _alone(turn):
            document = _asked(engine, words, stopping)
        return Response(msgspec.json.encode(_shorter(document)), media_type="application/json")

    return routes


def _require_usable(field: str, text: str, values: list[str]) -> None:
    """Raises Problem 422 for what is no setting, or a value that it cannot have."""
    name = text.partition("=")[0].strip().upper()
    told = ""
    if not values or not name:
        told = "write NAME=VALUE" if field == "set" else "write NAME=A,B,C"
    elif len(values) > RUNS_MAX:
        told = f"at most {RUNS_MAX} values at once"
    elif is_other(name):
        told = f"{name}: {REMEDY}"
    for value in values:
        try:
            resolve_settings({}, None, {name: value.strip()})
        except SettingsError as error:
            problem = error.problems[0]
            told = told or f"{problem.variable}={problem.value}: {problem.remedy}"
    if told:
        raise HttpProblem(HTTPStatus.UNPROCESSABLE_ENTITY, told, field=field)


@contextmanager
def _alone(turn: threading.Lock) -> Any:
    """One at a time. Raises Problem 429."""
    if not turn.acquire(blocking=False):
        text = "another comparison is being worked out; ask again when it is done"
        raise HttpProblem(HTTPStatus.TOO_MANY_REQUESTS, text, {"Retry-After": "5"})
    try:
        yield
    finally:
        turn.release()


def _asked(engine: EnginePort, words: Sequence[str], stopping: threading.Event) -> Document:
    """What the command says. Raises Problem 422 with its words where a setting cannot be used."""
    command = [sys.executable, "-c", _START, "--db", str(engine.database)]
    source = str(Path(__file__).resolve().parents[2])
    paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.Popen(  # noqa: S603 - our own program; words were read as settings
        [*command, "whatif", "--json", "--equity", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        text=True,
    )
    found: list[tuple[str, str]] = []
    reader = threading.Thread(target=lambda: found.append(process.communicate()), daemon=True)
    reader.start()
    give_up_at = time.monotonic() + SECONDS_MAX
    while reader.is_alive():
        reader.join(_LOOK_SECONDS)
        if stopping.is_set() or time.monotonic() > give_up_at:
            process.kill()
            reader.join()
            text = f"it was not done within {SECONDS_MAX} s; `pointsman whatif` has no such limit"
            raise HttpProblem(HTTPStatus.SERVICE_UNAVAILABLE, text)
    stdout, stderr = found[0]
    if process.returncode:
        said = " ".join(stderr.split())[-400:].removeprefix("pointsman: ")
        raise HttpProblem(HTTPStatus.UNPROCESSABLE_ENTITY, said or "it could not be worked out")
    document: Document = json.loads(stdout)
    return document


def _shorter(document: Document) -> Document:
    """Without the long lists."""
    for report in (document["base"], *(run["report"] for run in document["runs"])):
        report["closed_trades"] = len(report["trades"])
        for name in _LEFT_OUT:
            del report[name]
    return document
