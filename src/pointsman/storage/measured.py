"""The rules that a decision measured, as they are stored: a list for each,
`["SPREAD",true,"1.9994","10.0","bps"]`, in the order of the fields of a check. Empty texts at its
end are left out.

Up to version 0.2.0 each was an object, `{"rule":"SPREAD","passed":true,…}`. Those read as ever.
"""

from typing import Any

import msgspec

from pointsman.domain.signals import Check

_ENCODER = msgspec.json.Encoder()
_CHECKS = msgspec.json.Decoder(tuple[Check, ...])
_OLD = '[{"rule":'


def shortened(text: bytes) -> bytes:
    """The text of checks, or of a record that holds lists of nothing else, without empty ends. No
    string looks like one: inside strings quotation marks are escaped."""
    return text.replace(b',""]', b"]").replace(b',""]', b"]")


def checks_text(checks: tuple[Check, ...]) -> str:
    """How checks are stored in a column."""
    return shortened(_ENCODER.encode(checks)).decode()


def checks_of(text: str) -> tuple[Check, ...]:
    """The checks in a column. Raises msgspec.DecodeError."""
    return _CHECKS.decode(as_lists(text))


def as_lists(text: str) -> str:
    """JSON with the checks in it as they are stored now. Raises msgspec.DecodeError."""
    if _OLD not in text:
        return text
    return _ENCODER.encode(_listed(msgspec.json.decode(text))).decode()


def _listed(value: Any) -> Any:
    if isinstance(value, list):
        return [_listed(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "rule" in value and "passed" in value:
        given = {"value": None, "limit": None, "unit": "", "note": "", **value}
        return [given[name] for name in Check.__struct_fields__]
    return {name: _listed(each) for name, each in value.items()}
