"""Open routes: is it alive, is it ready, and which version is it."""

from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from pointsman.api.ports import EnginePort
from pointsman.version import __version__


class Alive(BaseModel):
    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """`causes` gives why it is not ready, each by its name."""

    status: Literal["ready", "unready"]
    causes: dict[str, str]


class Pong(BaseModel):
    ping: Literal["pong"] = "pong"


class Version(BaseModel):
    version: str


def health_routes(engine: EnginePort) -> APIRouter:
    """The routes that need no token."""
    routes = APIRouter(tags=["health"])

    @routes.get("/health/live")
    async def live() -> Alive:
        """The process answers."""
        return Alive()

    unready = {"model": Ready, "description": "Not ready; each cause by its name."}

    @routes.get("/health/ready", responses={HTTPStatus.SERVICE_UNAVAILABLE.value: unready})
    async def ready(response: Response) -> Ready:
        """Whether it may trade: compared with the venue, and every part of it works."""
        causes = dict(engine.unready())
        if causes:
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return Ready(status="unready" if causes else "ready", causes=causes)

    @routes.get("/api/v1/ping")
    async def ping() -> Pong:
        """An answer that costs nothing."""
        return Pong()

    @routes.get("/api/v1/version")
    async def version() -> Version:
        """The version of the engine."""
        return Version(version=__version__)

    return routes
