"""What can be asked: the picture of this moment, and the lists of the database.

What is live comes from the board; what has been comes from the database, read-only, on the threads
for reading and never on the server's own loop. Documents are those of the commands' `--json`.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Header, Path, Query, Response

from pointsman.api.access import Needs, Scope
from pointsman.api.admission import PREFIX
from pointsman.api.encoded_picture import EncodedPicture
from pointsman.api.ports import EnginePort
from pointsman.api.problems import HttpProblem, documented, only_known
from pointsman.domain.orders import Fill, Order
from pointsman.reading.certificate import certificate_document, read_certificate
from pointsman.reading.documents import Document, to_document
from pointsman.reading.lists import LIMIT, LISTS, ListFilter, order_document
from pointsman.reading.newest_start import read_policy
from pointsman.reading.story import near_ids, read_story, story_document
from pointsman.storage import queries
from pointsman.storage.errors import StorageError
from pointsman.storage.reader import open_reader

LIMIT_MAX = 1000
TEXT = "text/plain"

_Va = Annotated[
    str | None, Query(max_length=64, description="Only what belongs to this virtual account.")
]
_Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="How many of the newest.")]
_Id = Annotated[str, Path(max_length=512)]
_UNREADABLE = documented(HTTPStatus.SERVICE_UNAVAILABLE)
_UNKNOWN = documented(HTTPStatus.NOT_FOUND)


def read_routes(engine: EnginePort) -> APIRouter:
    """The routes that change nothing."""
    asked = [Depends(Needs(Scope.READ)), Depends(only_known)]
    routes = APIRouter(prefix=PREFIX, tags=["read"], dependencies=asked)
    _add_live_routes(routes, engine)
    _add_venue_routes(routes, engine)
    _add_list_routes(routes, engine)
    _add_one_routes(routes, engine)
    return routes


def _add_live_routes(routes: APIRouter, engine: EnginePort) -> None:
    """What is now, with the prices of now."""
    picture = EncodedPicture(engine.board)

    @routes.get("/status", response_model=Document)
    def status() -> Response:
        """The whole picture of this moment. Decimals are texts, times integer nanoseconds."""
        return Response(picture.now(), media_type="application/json")

    @routes.get("/accounts", response_model=list[Document])
    def accounts() -> Response:
        """The virtual accounts, marked at the prices of now."""
        return _json(engine.board.document()["accounts"])

    @routes.get("/accounts/{va}", response_model=Document, responses=_UNKNOWN)
    def account(va: _Id) -> Response:
        """One virtual account, marked at the prices of now."""
        every = engine.board.document()["accounts"]
        found = next((each for each in every if each["va_id"] == va), None)
        if found is None:
            known = ", ".join(each["va_id"] for each in every[:10])
            raise HttpProblem(HTTPStatus.NOT_FOUND, f"no such account; there are {known}")
        return _json(found)

    @routes.get("/positions", response_model=list[Document])
    def positions(va: _Va = None) -> Response:
        """What is held, marked at the prices of now."""
        every = engine.board.document()["positions"]
        return _json([each for each in every if va in (None, each["va_id"])])

    @routes.get("/config", response_model=list[Document])
    async def config() -> Response:
        """Every setting, with what it came from; secrets are masked."""
        return _json(
            [
                {"name": name, "value": value, "source": source.value}
                for name, value, source in engine.settings.shown()
            ]
        )


def _add_venue_routes(routes: APIRouter, engine: EnginePort) -> None:
    """The account at the venue, and how the books agree with it."""

    @routes.get("/venue", response_model=Document, responses=_UNREADABLE)
    def venue() -> Response:
        """The account at the venue: how each part of the connection to it is, its budget of
        requests, what it can do, and the newest check with orders."""
        document = engine.board.document()
        health = document["health"]
        with reading(engine) as connection:
            policy, certificate = read_policy(connection), read_certificate(connection)
        abilities = None if policy is None else msgspec.to_builtins(policy.abilities)
        return _json(
            {
                "venue": document["venue"],
                "links": health.get("venue_links", []),
                "budget": health.get("venue_budget"),
                "abilities": abilities,
                "last_check": certificate_document(certificate),
            }
        )

    @routes.get("/reconciliations", response_model=list[Document])
    async def reconciliations() -> Response:
        """The last comparisons with the venue since the start, oldest first: `ok`, `mismatch`, or
        `incomplete`, which counts for nothing."""
        return _json(engine.comparisons())


def _add_list_routes(routes: APIRouter, engine: EnginePort) -> None:
    """What has been, newest last."""

    def listed(name: str, wanted: ListFilter) -> Response:
        kind = LISTS[name]
        with reading(engine) as connection:
            return _json([kind.document(row) for row in kind.rows(connection, wanted)])

    @routes.get("/orders", response_model=list[Document], responses=_UNREADABLE)
    def orders(
        va: _Va = None,
        limit: _Limit = LIMIT,
        is_open: Annotated[
            bool, Query(alias="open", description="Only those that may still fill.")
        ] = False,
    ) -> Response:
        """Orders, newest last."""
        return listed("orders", ListFilter(va, limit, is_open))

    @routes.get("/fills", response_model=list[Document], responses=_UNREADABLE)
    def fills(va: _Va = None, limit: _Limit = LIMIT) -> Response:
        """Fills in the order of booking."""
        return listed("fills", ListFilter(va, limit))

    @routes.get("/trades", response_model=list[Document], responses=_UNREADABLE)
    def trades(va: _Va = None, limit: _Limit = LIMIT) -> Response:
        """Closed positions in the order of closing."""
        return listed("trades", ListFilter(va, limit))

    @routes.get("/signals", response_model=list[Document], responses=_UNREADABLE)
    def signals(va: _Va = None, limit: _Limit = LIMIT) -> Response:
        """Signals with their decisions, newest last."""
        return listed("signals", ListFilter(va, limit))

    @routes.get("/incidents", response_model=list[Document], responses=_UNREADABLE)
    def incidents(va: _Va = None, limit: _Limit = LIMIT) -> Response:
        """Incidents, newest last."""
        return listed("incidents", ListFilter(va, limit))


def _add_one_routes(routes: APIRouter, engine: EnginePort) -> None:
    """One order, one signal."""

    @routes.get(
        "/orders/{client_order_id}",
        response_model=Document,
        responses={**_UNREADABLE, **_UNKNOWN},
    )
    def order(client_order_id: _Id) -> Response:
        """One order with its fills."""
        with reading(engine) as connection:
            key = (client_order_id,)
            found = queries.one(connection, Order, "WHERE client_order_id = ?", key)
            if found is None:
                raise HttpProblem(HTTPStatus.NOT_FOUND, "no order has this client_order_id")
            own = queries.records(connection, Fill, "WHERE client_order_id = ? ORDER BY rowid", key)
            return _json({**order_document(found), "fills": [to_document(fill) for fill in own]})

    @routes.get(
        "/signals/{signal_id:path}",
        response_model=Document,
        responses={
            **_UNREADABLE,
            **_UNKNOWN,
            200: {"content": {TEXT: {"schema": {"type": "string"}}}},
        },
    )
    def signal(
        signal_id: _Id, accept: Annotated[str | None, Header(include_in_schema=False)] = None
    ) -> Response:
        """The whole story of one signal: each rule in order with its measured value and limit, then
        what came of it. With `Accept: text/plain` as it is drawn for a person."""
        with reading(engine) as connection:
            story = read_story(connection, signal_id)
            if story is None:
                near = near_ids(connection, signal_id)
                hint = f"; did you mean {', '.join(near)}?" if near else ""
                raise HttpProblem(
                    HTTPStatus.NOT_FOUND, f"no signal has this signal_id{hint}", near=near
                )
        if wants_text(accept or ""):
            return Response(engine.draw_story(story), media_type=TEXT)
        return _json(story_document(story))


def wants_text(accept: str) -> bool:
    """Whether an `Accept` header names plain text and not JSON."""
    names = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return TEXT in names and "application/json" not in names


@contextmanager
def reading(engine: EnginePort) -> Iterator[sqlite3.Connection]:
    """A read-only connection that sees one moment of the database. Raises Problem 503 where it
    cannot be read."""
    try:
        with closing(open_reader(engine.database)) as connection:
            yield connection
    except (StorageError, sqlite3.Error) as error:
        engine.complain(f"HTTP could not read the database: {error}")
        text = "the database cannot be read now; the log of the engine says why"
        raise HttpProblem(HTTPStatus.SERVICE_UNAVAILABLE, text, {"Retry-After": "5"}) from error


def _json(document: Document | Sequence[Any]) -> Response:
    """Encoded where it was read, so that the server's loop does not wait for it."""
    return Response(msgspec.json.encode(document), media_type="application/json")
