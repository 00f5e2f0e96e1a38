"""The description of the application, with the answers that every route can give.

The framework writes down the routes; the admission in front of them has its own answers, and they
are the same for all.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from pointsman.api.problems import SCHEMA, documented

_EVERY = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.MISDIRECTED_REQUEST,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
)
_WITH_TOKEN = (HTTPStatus.UNAUTHORIZED,)
_WITH_INPUT = (HTTPStatus.UNPROCESSABLE_ENTITY,)
_WITH_BODY = (
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
_OWN_VALIDATION = ("HTTPValidationError", "ValidationError")
"""What the framework would answer, and we do not."""


def describe(app: FastAPI, routes: Sequence[BaseRoute], *, has_tokens: bool) -> None:
    """Have an application tell the whole truth at /openapi.json. Without tokens none is needed."""
    kept: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not kept:
            kept.update(_description(app, routes, has_tokens))
        return kept

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI documents it


def _description(app: FastAPI, routes: Sequence[BaseRoute], has_tokens: bool) -> dict[str, Any]:
    described = get_openapi(title=app.title, version=app.version, routes=routes, description=_TEXT)
    schemas = described.setdefault("components", {}).setdefault("schemas", {})
    for name in _OWN_VALIDATION:
        schemas.pop(name, None)
    schemas["Problem"] = SCHEMA
    for path in described["paths"].values():
        for method, operation in path.items():
            answers = operation["responses"]
            if operation.get("security") and not has_tokens:
                operation["security"].append({})
            if "HTTPValidationError" in str(answers.get("422")):
                del answers["422"]
            for status, answer in documented(*_statuses(method, operation)).items():
                answers.setdefault(str(status), answer)
            operation["responses"] = dict(sorted(answers.items()))
    return described


def _statuses(method: str, operation: dict[str, Any]) -> tuple[HTTPStatus, ...]:
    """What admission, and the reading of fields, can answer to an operation."""
    statuses: tuple[HTTPStatus, ...] = _EVERY
    if operation.get("security"):
        statuses += _WITH_TOKEN
    if operation.get("security") or operation.get("parameters"):
        statuses += _WITH_INPUT
    return statuses + _WITH_BODY if method == "post" else statuses


_TEXT = """A governed trading execution loop.

Amounts are decimals as text. Without tokens only callers on this machine are served. Errors are
`application/problem+json`: `detail` says how to fix it.
"""
