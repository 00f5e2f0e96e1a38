"""How records are written for programs: one JSON document, nothing rounded.

Decimals are plain text, times ISO-8601 UTC, lengths of time exact seconds.
"""

from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from pointsman.domain.money import plain
from pointsman.domain.timestamps import SECOND_NS, iso

Document = dict[str, Any]
"""What JSON calls an object."""

_LENGTHS_OF_TIME = (
    "ttl_ns",
    "_max_ns",
    "_total_ns",
    "cooldown_ns",
    "latency_ns",
    "deadline_ns",
    "timeout_ns",
    "settle_ns",
    "interval_ns",
    "offset_ns",
    "on_naked_ns",
    "on_storage_ns",
)
"""Endings of the fields that hold a length of time; any other `_ns` is a moment."""


def seconds_text(length_ns: int) -> str:
    """A length of time in seconds, exactly."""
    return plain(Decimal(length_ns) / SECOND_NS)


def to_document(value: Any, name: str = "") -> Any:
    """A record as JSON knows it. A field `x_ns` becomes the moment `x`, or the length `x_seconds`;
    a moment of 0 stands for never and becomes null."""
    if isinstance(value, msgspec.Struct):
        fields = value.__struct_fields__
        return {document_name(each): to_document(getattr(value, each), each) for each in fields}
    if isinstance(value, tuple):
        return [to_document(each) for each in value]
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, int) and name.endswith("_ns"):
        if name.endswith(_LENGTHS_OF_TIME):
            return seconds_text(value)
        return iso(value) if value else None
    return value


def document_name(field: str) -> str:
    """The name of a record's field in JSON."""
    if field.endswith(_LENGTHS_OF_TIME):
        return f"{field.removesuffix('_ns')}_seconds"
    return field.removesuffix("_ns")
