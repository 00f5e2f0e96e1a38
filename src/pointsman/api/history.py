"""What has been, over time: `GET /equity`, for plots."""

from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Response

from pointsman.api.access import Needs, Scope
from pointsman.api.admission import PREFIX
from pointsman.api.ports import EnginePort
from pointsman.api.problems import HttpProblem, documented, only_known
from pointsman.api.reads import reading
from pointsman.domain.timestamps import parse_ts
from pointsman.reading.documents import Document
from pointsman.reading.equity import POINTS, POINTS_MAX, Span, equity_document, read_equity

_Va = Annotated[
    str | None,
    Query(max_length=64, description="Of this virtual account; without it, of all together."),
]
_Limit = Annotated[
    int,
    Query(
        ge=10,
        le=POINTS_MAX,
        description="About how many points; of more, each stretch of time gives its lowest, its"
        " highest and its last.",
    ),
]


def _moment(name: str, text: str | None) -> int | None:
    """Read a moment of the query. Raises Problem 422, naming it."""
    if text is None:
        return None
    try:
        return parse_ts(text)
    except ValueError as error:
        raise HttpProblem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name}: {error}", field=name) from None


def history_routes(engine: EnginePort) -> APIRouter:
    """The routes that look back."""
    asked = [Depends(Needs(Scope.READ)), Depends(only_known)]
    routes = APIRouter(prefix=PREFIX, tags=["read"], dependencies=asked)
    unreadable = documented(HTTPStatus.SERVICE_UNAVAILABLE)

    @routes.get("/equity", response_model=list[Document], responses=unreadable)
    def equity(
        va: _Va = None,
        since: Annotated[
            str | None,
            Query(alias="from", max_length=40, description="Not before this moment, as in `ts`."),
        ] = None,
        until: Annotated[
            str | None, Query(alias="to", max_length=40, description="Before this moment.")
        ] = None,
        limit: _Limit = POINTS,
    ) -> Response:
        """Equity and drawdown over time, oldest first: at each close, and once a minute while
        something is held. Between two points it is what it was at the first; `va_id` null is all
        accounts together."""
        span = Span(va, _moment("from", since), _moment("to", until), limit)
        with reading(engine) as connection:
            points = read_equity(connection, span)
            return Response(
                msgspec.json.encode([equity_document(point) for point in points]),
                media_type="application/json",
            )

    return routes
