"""A way past the framework for the one route that must be quick: POST /api/v1/signals.

Finding a route, resolving what it depends on and making its answer cost the framework more than all
that a signal costs us. Invariants: the shortcut lies behind the door, and asks for the same
scope and answers with the same function as the route that the framework knows and describes.
"""

from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pointsman.api.problems import Problem, problem_response

Answer = Callable[[Request], Awaitable[Response]]


class Shortcut:
    """ASGI middleware: a POST to `path` is answered by `answer`, which raises Problem; all else
    continues."""

    def __init__(self, app: ASGIApp, path: str, answer: Answer) -> None:
        self._app = app
        self._path = path
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_ours = scope["type"] == "http" and scope["path"] == self._path
        if not is_ours or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        response: Response
        try:
            response = await self._answer(Request(scope, receive))
        except Problem as problem:
            response = problem_response(problem)
        await response(scope, receive, send)
