"""`/docs`: every route for people, drawn from the same description that programs get at
`/openapi.json`. It is one page of text and one style sheet, without a script, so it works where
there is no internet.

Invariant: whatever the description holds is escaped.
"""

from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, Response

from pointsman.api.page import SAFE

Described = Mapping[str, Any]

_TAGS = {
    "signals": "Signals in",
    "webhook": "Alerts in",
    "market": "Quotes in",
    "read": "What is, and what was",
    "control": "What a person may do",
    "health": "Is it well",
}
"""What the groups are called, in the order in which they stand."""
_WITHOUT_TAG = "other"


def reference_routes(description: Callable[[], Described]) -> APIRouter:
    """The page; `description` gives that of the application."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/docs")
    async def docs() -> Response:
        """All routes, grouped."""
        return Response(reference(description()), headers=SAFE, media_type="text/html")

    return routes


def reference(described: Described) -> str:
    """The page of one description."""
    groups: dict[str, list[str]] = {tag: [] for tag in _TAGS}
    index: dict[str, list[str]] = {tag: [] for tag in _TAGS}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            tag = next(iter(operation.get("tags", ())), _WITHOUT_TAG)
            groups.setdefault(tag, []).append("".join(_operation(described, path, method)))
            link = f'<a href="#{_anchor(path, method)}">{escape(method.upper())} {escape(path)}</a>'
            index.setdefault(tag, []).append(f"<li>{link}</li>")
    parts = [_HEAD.format(title=escape(f"{described['info']['title']}: HTTP reference"))]
    parts.append(f"<p>{_text(described['info'].get('description', ''))}</p><nav>")
    for tag, links in index.items():
        if links:
            parts.append(
                f"<section><h2>{escape(_name(tag))}</h2><ul>{''.join(links)}</ul></section>"
            )
    parts.append("</nav>")
    for tag, operations in groups.items():
        if operations:
            parts.append(f"<h2>{escape(_name(tag))}</h2>{''.join(operations)}")
    return "".join((*parts, "</main></body></html>"))


def _name(tag: str) -> str:
    return _TAGS.get(tag, tag.capitalize())


def _anchor(path: str, method: str) -> str:
    return escape(f"{method}-{path.strip('/')}", quote=True)


def _text(text: str) -> str:
    """Text with what stands between backquotes as code."""
    pieces = escape(" ".join(text.split())).split("`")
    return "".join(
        f"<code>{piece}</code>" if number % 2 else piece for number, piece in enumerate(pieces)
    )


def _operation(described: Described, path: str, method: str) -> Iterator[str]:
    operation = described["paths"][path][method]
    lock = "" if not operation.get("security") else '<span class="tag">token</span>'
    yield f'<article id="{_anchor(path, method)}"><h3><b class="{escape(method)}">'
    yield f"{escape(method.upper())}</b> <code>{escape(path)}</code> {lock}</h3>"
    yield f"<p>{_text(operation.get('description') or operation.get('summary', ''))}</p>"
    rows = [
        (each["name"], each["in"], each.get("required", False), each.get("schema", {}), each)
        for each in operation.get("parameters", ())
    ]
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = _resolved(described, content.get("schema", {}))
        required = schema.get("required", ())
        rows += [
            (name, media_type, name in required, each, each)
            for name, each in schema.get("properties", {}).items()
        ]
    if rows:
        heads = "".join(f"<th>{name}</th>" for name in ("field", "in", "kind", "meaning"))
        yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
        yield from (_field(described, *row) for row in rows)
        yield "</tbody></table>"
    yield f'<pre tabindex="0">{escape(_example(path, method, operation))}</pre>'
    yield '<p class="answers">'
    yield " · ".join(
        f"<b>{escape(status)}</b> {_text(answer.get('description', ''))}"
        for status, answer in operation["responses"].items()
    )
    yield "</p></article>"


def _field(
    described: Described, name: str, place: str, is_required: bool, schema: Any, said: Described
) -> str:
    text = said.get("description") or schema.get("description", "")
    needed = "<b>required</b> " if is_required else ""
    return (
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(place)}</td>"
        f"<td>{escape(_kind(_resolved(described, schema)))}</td><td>{needed}{_text(text)}</td></tr>"
    )


def _kind(schema: Described) -> str:
    """What a value is, in a word or two."""
    kind = schema.get("type")
    if kind is None:
        kinds = [one for each in schema.get("anyOf", ()) for one in _kind(each).split(" or ")]
    else:
        kinds = [kind] if isinstance(kind, str) else kind
    return " or ".join(dict.fromkeys(each for each in kinds if each not in ("", "null")))


def _resolved(described: Described, schema: Described) -> Described:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    found: Described = described.get("components", {}).get("schemas", {}).get(name, schema)
    return found


def _example(path: str, method: str, operation: Described) -> str:
    """How it is asked from a shell."""
    token = ' -H "Authorization: Bearer $TOKEN"' if operation.get("security") else ""
    verb = "" if method == "get" else f" -X {method.upper()}"
    body = ""
    if "application/json" in operation.get("requestBody", {}).get("content", {}):
        body = " -H 'Content-Type: application/json' -d @body.json"
    return f"curl{verb}{token}{body} 'http://127.0.0.1:8080{path}'"


_HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
    '<link rel="icon" href="assets/icon.svg"><link rel="stylesheet" href="assets/page.css">'
    '</head><body class="reference"><main><h1>{title}</h1>'
    '<p><a href="./">The page</a> · <a href="openapi.json">openapi.json</a>, for programs</p>'
)
