"""The description of the application, with the answers that every route can give.

The framework writes down the routes; the admission in front of them has its own answers, and they
are the same for all. Bodies that are read as raw bytes, and the answers to them, are described by
the schemas here. These name each field as we do; other spellings that are read as well (RULES 37)
are said in words, for a schema cannot.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from pointsman.api.problems import JSON, SCHEMA, documented
from pointsman.domain.signals import Action, Outcome

Schema = dict[str, Any]

_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_TEXTS: Schema = {"type": "array", "items": {"type": "string"}}
_ID = {
    "type": ["string", "number"],
    "pattern": "^[!-~]([ -~]{0,126}[!-~])?$",
    "description": "1 to 128 printable ASCII characters, no space at either end.",
}
_AMOUNT: Schema = {
    "type": ["string", "number", "null"],
    "pattern": "^(?=.*[1-9])[+]?([0-9]{1,12}(\\.[0-9]{0,12})?|\\.[0-9]{1,12})$",
    "exclusiveMinimum": 0,
    "maximum": 999999999999,
    "description": "A plain decimal above 0, at most 12 digits before and 12 after the point; "
    "best as text, for then no program on the way rounds it.",
}
_PERCENTAGE = {
    **_AMOUNT,
    "pattern": f"{_AMOUNT['pattern'][:-1]} *%?$",
    "description": "Of 100, above 0.",
}
_LEVEL = {
    "anyOf": [
        {**_AMOUNT, "description": "A price."},
        {"type": "string", "pattern": "% *$", "description": "A percentage."},
        {"type": "object", "description": "One of percent, stopPrice, limitPrice."},
    ]
}
_TIME = {
    "type": ["string", "number", "null"],
    "description": "ISO-8601, UTC without an offset, or an epoch in s, ms, us or ns.",
}
_SIDES = ("buy", "long", "sell", "short", "close", "exit", "flat")
_IN_ANY_CASE = ("".join(f"[{letter}{letter.upper()}]" for letter in side) for side in _SIDES)
_SIDE = {
    "type": "string",
    "pattern": f"^ *({'|'.join(_IN_ANY_CASE)}) *$",
    "examples": list(_SIDES),
    "description": "In any case.",
}

SIGNAL: Schema = {
    "type": "object",
    "description": "Keys may stand in any case and without underscores. Also read: action or "
    "signal for side; ticker or pair for symbol; qty, size, contracts or amount for quantity; sl, "
    "tp, va, account, alertId, time. What opens something has exactly one of quantity, notional "
    "and risk_percentage. Numbers may have an exponent, and as many decimals as a binary float "
    "gives them. Keys that change an order and are not done here are refused; unknown ones are "
    "ignored, and reported.",
    "required": ["signal_id", "va_id", "symbol", "side"],
    "properties": {
        "signal_id": {**_ID, "description": "Yours; the same id is decided once, for ever."},
        "va_id": {**_ID, "description": "The virtual account."},
        "symbol": {"type": ["string", "number"], "examples": ["AAPL", "NASDAQ:AAPL", "BTC/USDT"]},
        "side": _SIDE,
        "quantity": _AMOUNT,
        "notional": _AMOUNT,
        "risk_percentage": _PERCENTAGE,
        "price": {**_AMOUNT, "description": "What the sender expects; slippage is measured by it."},
        "stop_loss": _LEVEL,
        "stop_loss_percentage": _PERCENTAGE,
        "take_profit": _LEVEL,
        "take_profit_percentage": _PERCENTAGE,
        "reduce_only": {"type": ["boolean", "string", "null"]},
        "market_position": {
            "description": "What the strategy holds after the order: long, short or flat. Flat, or "
            "the opposite of the order, means: only close."
        },
        "market_position_size": {
            "description": "How much it holds then; sizes the opening part of a reversal."
        },
        "ts": _TIME,
        "ttl": {**_AMOUNT, "description": "Seconds after ts until which it may be acted on."},
    },
    "examples": [
        {
            "signal_id": "breakout-20260105-1",
            "va_id": "VA001",
            "symbol": "AAPL",
            "side": "buy",
            "quantity": "10",
            "stop_loss": "2%",
        }
    ],
}

ALERT: Schema = {
    **SIGNAL,
    "required": [],
    "description": SIGNAL["description"] + " Without va_id the one of the URL is meant, without a "
    "size WEBHOOK_DEFAULT_NOTIONAL; without signal_id it follows from the alert.",
    "examples": [
        {
            "ticker": "{{exchange}}:{{ticker}}",
            "action": "{{strategy.order.action}}",
            "contracts": "{{strategy.order.contracts}}",
            "market_position": "{{strategy.market_position}}",
            "market_position_size": "{{strategy.market_position_size}}",
            "time": "{{timenow}}",
        }
    ],
}

DECISION: Schema = {
    "type": "object",
    "description": "The decision, durable. A refusal has its reason, and the value that was "
    "measured beside the limit.",
    "properties": {
        "signal_id": _TEXT,
        "va_id": _TEXT,
        "symbol": _TEXT,
        "outcome": {"type": "string", "enum": [outcome.value for outcome in Outcome]},
        "reason": _TEXT_OR_NULL,
        "value": _TEXT_OR_NULL,
        "limit": _TEXT_OR_NULL,
        "decided_at": {"type": "string", "format": "date-time"},
        "duplicate": {
            "type": "boolean",
            "description": "The id came before: this is the first decision, and nothing was done.",
        },
        "action": {"enum": [*(action.value for action in Action), None]},
        "quantity": _TEXT_OR_NULL,
        "clipped_quantity": _TEXT_OR_NULL,
        "limit_price": _TEXT_OR_NULL,
        "client_order_id": _TEXT_OR_NULL,
        "opening_id": {
            **_TEXT_OR_NULL,
            "description": "The opening part of a reversal: a signal of its own, decided once the "
            "account is flat.",
        },
        "opening_quantity": _TEXT_OR_NULL,
        "unopened_quantity": {
            **_TEXT_OR_NULL,
            "description": "What a reversal leaves unopened (REVERSAL=close).",
        },
        "order_status": {
            **_TEXT_OR_NULL,
            "description": "Of a duplicate: the state of its entry order now.",
        },
        "detail": {
            **_TEXT_OR_NULL,
            "description": "What a refusal says beside its numbers; why an order never left.",
        },
        "ignored": {**_TEXTS, "description": "Keys that are not used."},
        "unread": {
            **_TEXTS,
            "description": "Keys without a value; of an exit, also what could not be read or done.",
        },
        "rounded": {**_TEXTS, "description": "Numbers that were rounded, also to lot and tick."},
    },
}
DECISION["required"] = list(DECISION["properties"])

LATER: Schema = {
    "type": "object",
    "required": ["signal_id", "status", "detail"],
    "properties": {"signal_id": _TEXT, "status": {"const": "waiting"}, "detail": _TEXT},
}

DECISION_LINE: Schema = {
    "type": "object",
    "description": "One for each line, in order: the decision where status is 200, else a problem.",
    "required": ["line", "status"],
    "properties": {
        **DECISION["properties"],
        "line": {"type": "integer", "description": "Its number, from 1; blank lines count."},
        "status": {"type": "integer"},
        "detail": {**_TEXT_OR_NULL, "description": "What is wrong, and how to mend it."},
        "field": {**_TEXT, "description": "The key at fault, as it was sent."},
        "remedy": _TEXT,
    },
}

_NUMBER = {"type": ["string", "number", "null"], "description": "null: there is no such price."}
QUOTE: Schema = {
    "type": "object",
    "required": ["ts", "symbol", "bid", "bid_size", "ask", "ask_size"],
    "properties": {
        "ts": {**_TIME, "type": ["string", "number"]},
        "symbol": _TEXT,
        **dict.fromkeys(("bid", "bid_size", "ask", "ask_size"), _NUMBER),
    },
}
QUOTES: Schema = {
    "type": "object",
    "required": ["quotes"],
    "properties": {"quotes": {"type": "array", "maxItems": 1000, "items": QUOTE}},
}
QUOTES_TAKEN: Schema = {
    "type": "object",
    "required": ["taken", "bad", "bad_rows"],
    "properties": {
        "taken": {"type": "integer"},
        "bad_rows": {"type": "integer"},
        "bad": {
            "type": "array",
            "description": "The first of the rows that were skipped, each by its place from 0.",
            "items": {
                "type": "object",
                "required": ["index", "field", "value", "remedy"],
                "properties": {
                    "index": {"type": "integer"},
                    **dict.fromkeys(("field", "value", "remedy"), _TEXT),
                },
            },
        },
    },
}


def takes(by_media_type: Mapping[str, Schema]) -> Schema:
    """What a route takes, for `openapi_extra`."""
    content = {media_type: {"schema": schema} for media_type, schema in by_media_type.items()}
    return {"requestBody": {"required": True, "content": content}}


SIGNAL_LINES: Schema = {"type": "string", "description": "One signal a line."}
QUOTE_LINES: Schema = {"type": "string", "description": "One quote a line, as an object."}
QUOTE_ROWS: Schema = {
    "type": "string",
    "description": f"A header that names {', '.join(QUOTE['required'])}, and a row for each quote.",
}


def answers(description: str, schema: Schema, media_type: str = JSON) -> Schema:
    """An answer, for `responses`."""
    return {"description": description, "content": {media_type: {"schema": schema}}}


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
    described = get_openapi(title=app.title, version=app.version, routes=routes, description=_ABOUT)
    schemas = described.setdefault("components", {}).setdefault("schemas", {})
    for name in _OWN_VALIDATION:
        schemas.pop(name, None)
    schemas["Problem"] = SCHEMA
    for path in described["paths"].values():
        for method, operation in path.items():
            operation["summary"] = _first_sentence(operation["description"])
            responses = operation["responses"]
            if operation.get("security") and not has_tokens:
                operation["security"].append({})
            if "HTTPValidationError" in str(responses.get("422")):
                del responses["422"]
            for status, answer in documented(*_statuses(method, operation)).items():
                responses.setdefault(str(status), answer)
            operation["responses"] = dict(sorted(responses.items()))
    return described


def _first_sentence(text: str) -> str:
    """What a list of the routes shows of one, in place of the name of its function."""
    return re.split(r"[.:](?:\s|$)", " ".join(text.split()), maxsplit=1)[0]


def _statuses(method: str, operation: dict[str, Any]) -> tuple[HTTPStatus, ...]:
    """What admission, and the reading of fields, can answer to an operation."""
    statuses: tuple[HTTPStatus, ...] = _EVERY
    if operation.get("security"):
        statuses += _WITH_TOKEN
    if operation.get("security") or operation.get("parameters"):
        statuses += _WITH_INPUT
    return statuses + _WITH_BODY if method == "post" else statuses


_ABOUT = """A governed trading execution loop.

Amounts are decimals as text. Without tokens only callers on this machine are served. Errors are
`application/problem+json`: `detail` says how to fix it.
"""
