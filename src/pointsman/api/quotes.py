"""Quotes in: batches that drive the paper venue, for a market that is fed from outside."""

from collections.abc import Callable
from http import HTTPStatus

import msgspec
from fastapi import APIRouter, Request, Response

from pointsman.api.openapi import (
    QUOTE_LINES,
    QUOTE_ROWS,
    QUOTES,
    QUOTES_TAKEN,
    Schema,
    answers,
    takes,
)
from pointsman.api.pending_decisions import unavailable
from pointsman.api.ports import EnginePort
from pointsman.api.problems import JSON, JSON_LINES, HttpProblem, documented, require_media_type
from pointsman.execution.skipped_rows import SkippedRows
from pointsman.market.lines import Line
from pointsman.market.live_rows import LiveRows
from pointsman.market.posted import (
    PostedQuotes,
    QuoteBatch,
    UnreadableBatch,
    csv_lines,
    json_lines,
    object_lines,
)

_FORMS: dict[str, tuple[Callable[[str], list[Line]], Schema]] = {
    JSON: (object_lines, QUOTES),
    JSON_LINES: (json_lines, QUOTE_LINES),
    "application/x-ndjson": (json_lines, QUOTE_LINES),
    "text/csv": (csv_lines, QUOTE_ROWS),
}
"""Who reads a form of batch, and what OpenAPI says of it."""


def add_quote_route(routes: APIRouter, engine: EnginePort, wall_ns: Callable[[], int]) -> None:
    """Add the route by which quotes come in to the routes for signals, which need the same token.

    `wall_ns` gives the time of the wall clock, which the stamps of the quotes are compared with.
    """
    rows = engine.rows or LiveRows(wall_ns, SkippedRows())
    posted = PostedQuotes(rows)

    @routes.post(
        "/quotes",
        openapi_extra=takes({form: schema for form, (_, schema) in _FORMS.items()}),
        responses={
            200: answers("What was taken.", QUOTES_TAKEN),
            **documented(HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE),
        },
    )
    async def post_quotes(request: Request) -> Response:
        """Feed quotes: JSON, JSON Lines or CSV, at most 1,000 rows and 1 MiB at once, sorted by
        time, each stamped by the sender. Rows that cannot be read are named and skipped; where none
        can, it is a problem. On 503 the first `taken` of the good rows were fed; send the rest
        again."""
        form = require_media_type(request, _FORMS, f"send {', '.join(_FORMS)}")
        if engine.feed is None:
            text = "this engine does not take quotes from outside"
            raise HttpProblem(
                HTTPStatus.CONFLICT,
                f"{text}; start it with `pointsman run --market http`, or with `--market -`",
            )
        read, _ = _FORMS[form]
        body = await request.body()
        try:
            now_ns = wall_ns()
            batch = posted.read(read(body.decode("utf-8-sig")), now_ns)
        except (UnicodeDecodeError, UnreadableBatch) as problem:
            raise HttpProblem(
                HTTPStatus.UNPROCESSABLE_ENTITY, str(problem), field="body"
            ) from problem
        if batch.bad_rows and not batch.quotes:
            raise _nothing_good(batch)
        taken = engine.feed(batch.quotes)
        posted.note(batch.quotes[:taken], now_ns)
        told = {"taken": taken, "bad_rows": batch.bad_rows, "bad": batch.bad}
        if taken < len(batch.quotes):
            text = f"{taken} of {len(batch.quotes)} quotes were taken: too many wait"
            raise unavailable(f"{text}; send the rest again", **msgspec.to_builtins(told))
        return Response(msgspec.json.encode(told), media_type=JSON)


def _nothing_good(batch: QuoteBatch) -> HttpProblem:
    """The answer to a batch of which no row could be taken."""
    first = batch.bad[0]
    return HttpProblem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"row {first.index}: {first.field} = {first.value!r}: {first.remedy}",
        field=first.field,
        taken=0,
        bad_rows=batch.bad_rows,
        bad=msgspec.to_builtins(batch.bad),
    )
