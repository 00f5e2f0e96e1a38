"""The shortcut: the same scope, the same answers, only without the framework."""

import json
from collections.abc import Mapping

import httpx
import pytest
from fastapi import FastAPI

from pointsman.api.access import access_of
from pointsman.api.shortcut import Shortcut
from pointsman.api.signals import quick_signal
from tests.unit.played_engine import FULL, Played

JSON = {"Content-Type": "application/json"}
READ, SIGNAL = "r" * 16, "s" * 16
BODY = json.dumps(FULL)


async def both(
    body: str, headers: Mapping[str, str], method: str = "POST"
) -> tuple[httpx.Response, httpx.Response]:
    """What the route answers, and what the shortcut does."""
    played = Played(SIGNAL_TOKEN=SIGNAL, READ_TOKEN=READ)
    engine = played.engine()
    app = FastAPI()
    app.add_middleware(
        Shortcut, path="/signals", answer=quick_signal(engine, access_of(played.settings))
    )
    transport = httpx.ASGITransport(app)
    async with (
        played.client() as usual,
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as quick,
    ):
        first, second = [
            await client.request(method, "/signals", content=body, headers=dict(headers))
            for client in (usual, quick)
        ]
        return first, second


@pytest.mark.parametrize(
    ("body", "token", "status"),
    [
        (BODY, SIGNAL, 200),
        (BODY, READ, 403),
        (BODY, "guess", 401),
        ("rubbish", SIGNAL, 422),
        ("rubbish", "guess", 401),
    ],
)
async def test_it_answers_as_the_route_does(body: str, token: str, status: int) -> None:
    usual, quick = await both(body, {**JSON, "Authorization": f"Bearer {token}"})
    assert usual.status_code == quick.status_code == status
    assert usual.json() == quick.json()
    assert usual.headers == quick.headers


async def test_the_content_type_counts_here_too() -> None:
    usual, quick = await both(BODY, {"Authorization": f"Bearer {SIGNAL}"})
    assert usual.status_code == quick.status_code == 415


async def test_all_else_goes_on() -> None:
    _, quick = await both("", {}, "GET")
    assert quick.status_code == 404, "the application behind it has no route"
