"""The page: `GET /`, and the files that it is made of, from the package.

It is open, as the health routes are: it holds no data, and what it shows it asks for over the other
routes with the token that a person types into it. Invariants: every file is read once, when the
application is built, and found by its exact name, so no path from outside reaches the disk; the
policy lets a browser run no script, load no file and call no host but this one, and take no text
for markup (Trusted Types), so what comes from outside stays text.
"""

import gzip
import json
from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Header, Path, Response

from pointsman.api.problems import nowhere
from pointsman.reading.words import words_document

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
"""What a browser may do with a page of ours."""
SAFE = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}
_INDEX = "index.html"
_WORDS = "words.json"

_Encodings = Annotated[str, Header(alias="Accept-Encoding")]
_Known = Annotated[str, Header(alias="If-None-Match")]


class _Asset(NamedTuple):
    """A file as it is sent. `tag` changes with its content."""

    body: bytes
    zipped: bytes
    media_type: str
    tag: str


def page_routes() -> APIRouter:
    """The page and its files. They are no part of the description, which is for programs."""
    routes = APIRouter(include_in_schema=False)
    assets = _assets()

    @routes.get("/")
    async def page(encodings: _Encodings = "", known: _Known = "") -> Response:
        return _answer(assets[_INDEX], encodings, known)

    @routes.get("/assets/{name}")
    async def asset(
        name: Annotated[str, Path()], encodings: _Encodings = "", known: _Known = ""
    ) -> Response:
        found = assets.get(name)
        if found is None or name == _INDEX:
            raise nowhere()
        return _answer(found, encodings, known)

    return routes


def _assets() -> Mapping[str, _Asset]:
    folder = files("pointsman.api") / "web"
    found = {each.name: _asset(each.name, each.read_bytes()) for each in folder.iterdir()}
    return found | {_WORDS: _asset(_WORDS, json.dumps(words_document()).encode())}


def _asset(name: str, body: bytes) -> _Asset:
    return _Asset(
        body=body,
        zipped=gzip.compress(body, mtime=0),
        media_type=_MEDIA_TYPES[name.rpartition(".")[2]],
        tag=f'"{sha256(body).hexdigest()[:32]}"',
    )


def _answer(asset: _Asset, encodings: str, known: str) -> Response:
    """The file, zipped where that is understood; only its tag where the browser has it already. It
    asks each time, so a new version is seen at once."""
    headers = {**SAFE, "Cache-Control": "no-cache", "ETag": asset.tag, "Vary": "Accept-Encoding"}
    if asset.tag in known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    body = asset.body
    if "gzip" in encodings:
        body, headers["Content-Encoding"] = asset.zipped, "gzip"
    return Response(body, headers=headers, media_type=asset.media_type)
