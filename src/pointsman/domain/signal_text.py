"""Text into signals: forgiving in spelling, strict in meaning.

Alerts come from many senders, so keys may stand in any case and under several names, and numbers
may be strings. What they mean is never guessed (RULES 58). Invariants:

* no number passes through binary floating point: JSON numbers are kept as the text that was sent;
* a Signal from here has exactly one size if it can open something, positive amounts only, and at
  most one form of stop and of target;
* an entry with anything in it that is not understood, or not done here, is a `SignalProblem`;
* an exit is an exit: what else stands in it is reported in `Signal.remarks`, and keeps no position.
"""

import json
from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import msgspec

from pointsman.domain.disclosure import disclosed
from pointsman.domain.money import ZERO, plain
from pointsman.domain.sides import MarketPosition, SignalSide
from pointsman.domain.signal_keys import AlertKey, KeyUse, find_key, is_harmless, looks_like_a_size
from pointsman.domain.signal_values import (
    AlertPercentage,
    ListedSymbol,
    SignalProblem,
    held,
    parse_symbol,
    read_text,
    says_nothing,
    shown,
)
from pointsman.domain.signals import Remarks, Signal

__all__ = [
    "TEXT_BYTES_MAX",
    "SignalProblem",
    "parse_signal",
    "parse_symbol",
    "shown",
    "signal_from_mapping",
]

TEXT_BYTES_MAX = 65_536
"""The longest text that is looked at."""

REMARKS_MAX = 20
"""At most this many keys of each kind are reported."""

_RISK_PERCENTAGE_MAX = 100
_SIZES = ("quantity", "notional", "risk_percentage")
_IDENTITY = ("signal_id", "va_id", "listing", "side")
"""Without these there is no signal at all, not even an exit."""

_CURLY = "“”„‟«»‘’‚‛"  # noqa: RUF001 - the marks that word processors make of plain ones


class _Number(str):
    """A JSON number, as the text that was sent."""


def parse_signal(
    text: str | bytes,
    *,
    default_va_id: str | None = None,
    default_notional: Decimal | None = None,
    default_signal_id: str | None = None,
) -> Signal:
    """Read one signal from a JSON object. The defaults are those of `signal_from_mapping`.

    Raises SignalProblem.
    """
    if len(text) > TEXT_BYTES_MAX:
        raise SignalProblem("body", f"{len(text)} bytes", f"send at most {TEXT_BYTES_MAX} bytes")
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        if decoded.startswith(_BYTE_ORDER_MARK):
            raise json.JSONDecodeError("Unexpected UTF-8 BOM", decoded, 0)
        fields = _DECODER.decode(decoded)
    except UnicodeDecodeError as problem:
        raise SignalProblem("body", f"byte {problem.start}", "send UTF-8") from problem
    except json.JSONDecodeError as problem:
        raise SignalProblem("body", decoded, _remedy(decoded, problem)) from problem
    except RecursionError as problem:
        raise SignalProblem("body", decoded, "send a flat JSON object") from problem
    if not isinstance(fields, dict):
        raise SignalProblem("body", fields, "send one JSON object")
    return signal_from_mapping(
        fields,
        default_va_id=default_va_id,
        default_notional=default_notional,
        default_signal_id=default_signal_id,
    )


def _remedy(text: str, problem: json.JSONDecodeError) -> str:
    """What to do about a text that is not JSON."""
    if any(mark in text for mark in _CURLY):
        return (
            'its quotation marks are curly ones, as word processors make them; write plain ones (")'
        )
    return f"send one JSON object ({problem.msg} at character {problem.pos})"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for key, value in pairs:
        if key in fields:
            raise SignalProblem(key, "two values", "it appears twice in one object; send it once")
        fields[key] = value
    return fields


_DECODER = json.JSONDecoder(
    parse_float=_Number, parse_int=_Number, parse_constant=_Number, object_pairs_hook=_object
)
_BYTE_ORDER_MARK = "\ufeff"


def signal_from_mapping(
    fields: Mapping[str, object],
    *,
    default_va_id: str | None = None,
    default_notional: Decimal | None = None,
    default_signal_id: str | None = None,
) -> Signal:
    """Make a signal of named values: text, int, Decimal or bool, never float; None is no value.

    The defaults stand in for a missing account, size and id; the size only where the signal may
    open something and no key looks like a size. Raises SignalProblem.
    """
    said = _collected(fields)
    found = said.found
    position = found.get("market_position")
    found.setdefault("signal_id", default_signal_id)
    found.setdefault("va_id", default_va_id)
    found.setdefault("side", SignalSide.CLOSE if position is MarketPosition.FLAT else None)
    for name in _IDENTITY:
        if found.get(name) is None:
            raise SignalProblem("symbol" if name == "listing" else name, "", "it is required")
    listing: ListedSymbol = found.pop("listing")
    found["symbol"] = listing.symbol
    exchange = listing.exchange or found.get("exchange", "").upper()
    found["exchange"] = exchange or None
    if _only_reduces(found["side"], position):
        found["reduce_only"] = True
    if found.get("reduce_only"):
        return _exit(said)
    as_exit = msgspec.structs.replace(
        said, found=dict(found), sent=dict(said.sent), unread=list(said.unread)
    )
    try:
        _settle_entry(said, default_notional)
        return _made(said)
    except SignalProblem as problem:
        if not said.refused:
            as_exit.found["reduce_only"] = True
            problem.as_exit = _exit(as_exit)
        raise


class _Said(msgspec.Struct):
    """What a sender said. `found` are our fields with their values, `sent` the key and the value
    that each came from. `faults` could not be read, `refused` is not done here. `unread` and
    `rounded` are reported."""

    found: dict[str, Any] = {}
    sent: dict[str, tuple[str, object]] = {}
    faults: list[SignalProblem] = []
    refused: list[SignalProblem] = []
    size_like: list[tuple[str, object]] = []
    ignored: list[str] = []
    unread: list[str] = []
    rounded: list[str] = []


def _exit(said: _Said) -> Signal:
    _settle_exit(said)
    return _made(said)


def _made(said: _Said) -> Signal:
    _round(said)
    return Signal(**said.found, remarks=_remarks(said))


def _collected(fields: Mapping[str, object]) -> _Said:
    """Sort all that was sent. Raises SignalProblem where account, id, symbol or side cannot be
    read."""
    said = _Said()
    for name, raw in fields.items():
        if raw is None:
            continue
        key = find_key(name)
        if key is not None and key.use is KeyUse.READ:
            _read(said, key, name, raw)
            continue
        if looks_like_a_size(name, key):
            said.size_like.append((name, raw))
        if key is not None and key.use is KeyUse.REFUSED and not is_harmless(key, raw):
            said.refused.append(SignalProblem(name, raw, f"this is not done here: {key.meaning}"))
        else:
            said.ignored.append(shown(name))
    return said


def _read(said: _Said, key: AlertKey, name: str, raw: object) -> None:
    """Read a key that is known and used."""
    # A symbol may be called NONE.
    if says_nothing(raw) and not (key.field in _IDENTITY and str(raw).strip()):
        if key.field in _SIZES:
            said.size_like.append((name, ""))
        said.unread.append(f"{shown(name)}: it is empty")
        return
    assert key.read is not None, "a key that is used has a reader"
    field = key.field
    try:
        value = key.read(raw)
    except ValueError as problem:
        fault = SignalProblem(name, raw, str(problem))
    else:
        if isinstance(value, AlertPercentage):
            field, value = f"{field}_percentage", value.of_100
        earlier, _ = said.sent.get(field, (name, raw))
        # A percentage may stand in the key of the price; with its own key beside it that is two.
        is_said_alike = _field_called(earlier) == key.field
        if said.found.setdefault(field, value) == value and is_said_alike:
            said.sent.setdefault(field, (name, raw))
            return
        told = said.found[field]
        told = told.symbol if isinstance(told, ListedSymbol) else told
        fault = SignalProblem(
            name, raw, f"{field} is also given as {disclosed(shown(told))}; send it once"
        )
    if field in _IDENTITY:
        raise fault
    said.faults.append(fault)


def _only_reduces(side: SignalSide, position: MarketPosition | None) -> bool:
    """Whether a signal may never open: a close, flat afterwards, or an order against what the
    strategy still holds after it (RULES 10, 55)."""
    if side is SignalSide.CLOSE or position is MarketPosition.FLAT:
        return True
    against = MarketPosition.SHORT if side is SignalSide.BUY else MarketPosition.LONG
    return position is against


# -- exits -----------------------------------------------------------------------------------------


def _settle_exit(said: _Said) -> None:
    """An exit is done: what of it cannot be read or done is reported. A size that cannot be read,
    or is none of units or money, closes everything."""
    found = said.found
    for problem in (*said.faults, *said.refused):
        said.unread.append(f"{problem.field}: {problem.remedy}")
    for name in ("stop_loss", "take_profit"):
        if name in found and found.pop(f"{name}_percentage", None) is not None:
            said.unread.append(f"{name}_percentage: {name} is also given")
    is_unsized = any(_field_of(fault) in ("sized_by", *_SIZES) for fault in said.faults)
    sized_by = found.pop("sized_by", "quantity")
    if "quantity" in found and sized_by != "quantity":
        found.setdefault(sized_by, found.pop("quantity"))
    sizes = [name for name in _SIZES if name in found]
    kept = sizes[0] if sizes and not is_unsized else None
    for name in sizes:
        if name != kept or name == "risk_percentage":
            del found[name]
            said.unread.append(f"{name}: it is not used to size this exit")


def _field_of(problem: SignalProblem) -> str:
    """The field of ours that a problem is about, or nothing."""
    return _field_called(problem.field)


def _field_called(name: str) -> str:
    key = find_key(name)
    return "" if key is None else key.field


# -- entries ---------------------------------------------------------------------------------------


def _settle_entry(said: _Said, default_notional: Decimal | None) -> None:
    """Leave exactly one size, and nothing that was not understood. Raises SignalProblem."""
    for problem in (*said.refused, *said.faults):
        raise problem
    found = said.found
    sized_by = found.pop("sized_by", "quantity")
    sizes = [name for name in _SIZES if name in found]
    if len(sizes) > 1:
        name = sizes[1]
        raise SignalProblem(name, found[name], f"{sizes[0]} is also given; send one of them")
    if "quantity" in sizes and sized_by != "quantity":
        found[sized_by] = found.pop("quantity")
        said.sent[sized_by] = said.sent.pop("quantity")
    if found.get("risk_percentage", ZERO) > _RISK_PERCENTAGE_MAX:
        raise SignalProblem("risk_percentage", found["risk_percentage"], "send at most 100")
    for name in ("stop_loss", "take_profit"):
        if name in found and f"{name}_percentage" in found:
            raise SignalProblem(name, found[name], "send a price or a percentage, not both")
    if not sizes:
        for name, raw in said.size_like:
            remedy = f"it is not read as a size; send one of {', '.join(_SIZES)}"
            raise SignalProblem(name, raw, remedy)
        if default_notional is None:
            raise SignalProblem("quantity", "", f"no size; send one of {', '.join(_SIZES)}")
        found["notional"] = default_notional


# -- rounding --------------------------------------------------------------------------------------

_UP_FOR_A_SELL = ("price", "take_profit")
_UP_FOR_A_BUY = ("stop_loss",)


def _rounding(field: str, side: SignalSide) -> str:
    """Towards less risk: sizes and distances down, a price that would pay less, a stop and a target
    nearer to the entry (RULES 59)."""
    if side is SignalSide.SELL and field in _UP_FOR_A_SELL:
        return ROUND_CEILING
    if side is SignalSide.BUY and field in _UP_FOR_A_BUY:
        return ROUND_CEILING
    return ROUND_FLOOR


def _round(said: _Said) -> None:
    """Round every number to the 12 decimals that we hold, and say what that changed."""
    found = said.found
    is_exit = bool(found.get("reduce_only"))
    for field, (name, raw) in said.sent.items():
        amount = found.get(field)
        if not isinstance(amount, Decimal):
            continue
        try:
            found[field] = held(amount, _rounding(field, found["side"]))
        except ValueError as problem:
            if not is_exit:
                raise SignalProblem(name, raw, str(problem)) from problem
            del found[field]
            said.unread.append(f"{shown(name)}: {problem}")
            continue
        if _is_changed(raw, found[field]):
            said.rounded.append(f"{shown(name)}: {shown(raw)} -> {plain(found[field])}")


def _is_changed(raw: object, amount: Decimal) -> bool:
    """Whether a number is not the one that was sent."""
    try:
        text = read_text(raw).removesuffix("%").strip()
        return abs(Decimal(text)) != amount
    except (ArithmeticError, ValueError):
        return False  # an object: its number stands in it


def _remarks(said: _Said) -> Remarks | None:
    """What is reported beside the decision, or nothing."""
    told = (said.ignored, said.unread, said.rounded)
    if not any(told):
        return None
    return Remarks(*(tuple(each[:REMARKS_MAX]) for each in told))
