"""What a venue sends, as typed records of exact decimals.

Invariant: a field that is missing, or holds another type or a number that cannot be reckoned with
exactly, raises Incomplete, which names it: nothing is concluded from such an answer or message.
"""

from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import msgspec

from pointsman.venues.adapter import Incomplete

T = TypeVar("T")


def read_as(shape: type[T], body: Any) -> T:
    """A body as a record, or a list of them. Raises Incomplete, saying which field does not fit."""
    try:
        read = msgspec.convert(body, shape)
    except msgspec.ValidationError as error:
        raise Incomplete(f"the venue sent something else than it documents: {error}") from None
    _check_numbers(read)
    return read


def exact(text: str, name: str) -> Decimal:
    """A number that a record keeps as it was sent. Raises Incomplete."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    _check(value, name)
    return value


def _check_numbers(read: Any) -> None:
    if isinstance(read, list):
        for row in read:
            _check_numbers(row)
    elif isinstance(read, msgspec.Struct):
        for name in read.__struct_fields__:
            value = getattr(read, name)
            if isinstance(value, Decimal):
                _check(value, name)
            else:
                _check_numbers(value)


def _check(value: Decimal, name: str) -> None:
    """A number has to be finite, with at most 12 digits before and 12 after the point."""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -12 or value.adjusted() >= 12:
        raise Incomplete(f"the venue sent {name}={value}, which no number of ours can be")
