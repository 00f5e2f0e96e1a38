"""Text into signals: forgiving in spelling, strict in meaning.

Alerts come from many senders, so keys may stand in any case and under several names, and numbers
may be strings. What they mean is never guessed: a field said twice with different values, a number
that is not plain, an action that we do not do or a size that is missing is a `SignalProblem`. What
always holds:

* no number passes through binary floating point: JSON numbers are kept as the text that was sent;
* a Signal from here has exactly one size if it can open something, positive amounts only, and at
  most one form of stop and of target;
* unknown keys are ignored, since alerts carry many; `id` and `order_id` are among them, for they
  repeat (RULES 37).
"""

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from pointsman.domain.disclosure import disclosed
from pointsman.domain.money import ZERO, parse_decimal, plain
from pointsman.domain.sides import SignalSide
from pointsman.domain.signals import Signal
from pointsman.domain.timestamps import SECOND_NS, parse_ts

TEXT_BYTES_MAX = 65_536
"""The longest text that is looked at."""

_SHOWN_CHARS_MAX = 64
_TTL_SECONDS_MAX = 1_000_000_000
_RISK_PERCENTAGE_MAX = 100
_DECIMAL_EXPONENT_MAX = 64
"""A Decimal beyond it is not written out: its digits alone could fill the memory."""


class SignalProblem(Exception):
    """Something that should have been a signal and was not.

    `field` is the key as the sender wrote it, our own name of a missing one, or `body`; `value` is
    what may be told of what it held (`disclosed`), as printable ASCII; `remedy` what would do.
    """

    def __init__(self, field: str, value: object, remedy: str) -> None:
        self.field = shown(field)
        self.value = disclosed(shown(value))
        self.remedy = remedy
        super().__init__(f"{self.field} = {self.value!r}: {remedy}")


def shown(value: object) -> str:
    """A value as it may stand in an error: one short line of printable ASCII."""
    if isinstance(value, Mapping):
        return "{...}"
    if isinstance(value, list | tuple):
        return "[...]"
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        text = str(value)
    except ValueError:
        return "a number of thousands of digits"
    if len(text) > _SHOWN_CHARS_MAX:
        text = text[: _SHOWN_CHARS_MAX - 3] + "..."
    return ascii(text)[1:-1]


_IDENTIFIER = re.compile(r"[!-~](?:[ -~]{0,126}[!-~])?")
_SYMBOL = re.compile(r"[!-~]{1,64}")
_EXCHANGE = re.compile(r"[A-Za-z0-9_]+:")


def parse_symbol(text: str) -> str:
    """A symbol in upper case, without an `EXCHANGE:` before it.

    `BTC/USDT:USDT` keeps its suffix, for what stands before that colon is a pair. Raises
    ValueError, saying what would do.
    """
    symbol = text.strip()
    if exchange := _EXCHANGE.match(symbol):
        symbol = symbol[exchange.end() :]
    if not _SYMBOL.fullmatch(symbol):
        raise ValueError(
            "write a symbol such as AAPL or BTC/USDT: 1 to 64 printable ASCII characters, no space"
        )
    return symbol.upper()


# The readers of single values. Each raises ValueError, saying what would do.


class _Percentage(NamedTuple):
    """A stop or target that was said as a percentage."""

    of_100: Decimal


def _text(raw: object) -> str:
    """A value that is text, or an exact number as its text."""
    if isinstance(raw, str):
        return raw.strip()
    if isinstance(raw, Decimal):
        is_short = raw.is_finite() and abs(raw.adjusted()) < _DECIMAL_EXPONENT_MAX
        return plain(raw) if is_short else str(raw)
    if isinstance(raw, int) and not isinstance(raw, bool):
        return shown(raw)
    raise ValueError("send text or a plain decimal number; from Python a str, an int or a Decimal")


def _symbol(raw: object) -> str:
    return parse_symbol(_text(raw))


def _identifier(raw: object) -> str:
    text = raw if isinstance(raw, str) else _text(raw)
    if not _IDENTIFIER.fullmatch(text):
        raise ValueError("send 1 to 128 printable ASCII characters, no space at either end")
    return str(text)


def _amount(raw: object) -> Decimal:
    amount = parse_decimal(_text(raw))
    if amount <= ZERO:
        raise ValueError("send a number above zero")
    return amount


def _percentage(raw: object) -> Decimal:
    return _amount(_text(raw).removesuffix("%"))


def _time_ns(raw: object) -> int:
    return parse_ts(_text(raw))


def _duration_ns(raw: object) -> int:
    seconds = _amount(raw)
    duration_ns = int(seconds * SECOND_NS)
    if seconds > _TTL_SECONDS_MAX or duration_ns == 0:
        raise ValueError(f"send seconds, from one nanosecond to {_TTL_SECONDS_MAX}")
    return duration_ns


_SIDES = {
    "buy": SignalSide.BUY,
    "long": SignalSide.BUY,
    "sell": SignalSide.SELL,
    "short": SignalSide.SELL,
    "close": SignalSide.CLOSE,
    "exit": SignalSide.CLOSE,
    "flat": SignalSide.CLOSE,
}
_TRUTHS = {"true": True, "false": False}
_SIZED_BY = {
    "fixed_quantity": "quantity",
    "dollar_amount": "notional",
    "risk_percent": "risk_percentage",
}
"""What TradersPost may say that its `quantity` counts. Dollars taken for shares: a wild order."""


def _side(raw: object) -> SignalSide:
    return _chosen(raw, _SIDES)


def _truth(raw: object) -> bool:
    return raw if isinstance(raw, bool) else _chosen(raw, _TRUTHS)


def _sized_by(raw: object) -> str:
    return _chosen(raw, _SIZED_BY)


_T = TypeVar("_T")


def _chosen(raw: object, choices: Mapping[str, _T]) -> _T:
    word = raw.strip().lower() if isinstance(raw, str) else ""
    if word not in choices:
        raise ValueError(f"send one of {', '.join(choices)}")
    return choices[word]


def _flat(raw: object) -> bool | None:
    """`market_position` and `sentiment` matter only when they are flat (RULES 10)."""
    return True if isinstance(raw, str) and raw.strip().lower() == "flat" else None


def _stop_loss(raw: object) -> Decimal | _Percentage:
    return _level(raw, ("stopprice",), "percent or stopPrice")


def _take_profit(raw: object) -> Decimal | _Percentage:
    return _level(raw, ("limitprice", "stopprice"), "percent, limitPrice or stopPrice")


def _level(raw: object, prices: tuple[str, ...], said_as: str) -> Decimal | _Percentage:
    """A stop or target: a price, a string ending in `%`, or an object with one price or `percent`
    (RULES 9, 37). Anything else in the object would be another kind of order, so it is refused."""
    if not isinstance(raw, Mapping):
        is_percentage = isinstance(raw, str) and raw.rstrip().endswith("%")
        return _Percentage(_percentage(raw)) if is_percentage else _amount(raw)
    said = [
        (_squeezed(key), value)
        for key, value in raw.items()
        if value is not None and (_squeezed(key), value) not in _PLAIN_TYPES
    ]
    if len(said) != 1:
        raise ValueError(f"give it exactly one of {said_as}")
    name, value = said[0]
    try:
        if name == "percent":
            return _Percentage(_percentage(value))
        if name in prices:
            return _amount(value)
    except ValueError as problem:
        raise ValueError(f"its {name} is {shown(value)}: {problem}") from problem
    raise ValueError(f"{shown(name)} is not done here; give it {said_as}")


_PLAIN_TYPES = (("type", "stop"), ("type", "limit"))
"""What an object may say of its kind of order beside its level: that it is an ordinary one."""


Reader = Callable[[object], Any]

_KEYS: dict[str, tuple[str, Reader]] = {
    **dict.fromkeys(("side", "action", "signal"), ("side", _side)),
    **dict.fromkeys(("symbol", "ticker", "pair"), ("symbol", _symbol)),
    **dict.fromkeys(("quantity", "qty", "size", "contracts", "amount"), ("quantity", _amount)),
    "quantitytype": ("sized_by", _sized_by),
    "notional": ("notional", _amount),
    "riskpercentage": ("risk_percentage", _percentage),
    "price": ("price", _amount),
    **dict.fromkeys(("stoploss", "sl"), ("stop_loss", _stop_loss)),
    "stoplosspercentage": ("stop_loss_percentage", _percentage),
    **dict.fromkeys(("takeprofit", "tp"), ("take_profit", _take_profit)),
    "takeprofitpercentage": ("take_profit_percentage", _percentage),
    **dict.fromkeys(("vaid", "va", "account"), ("va_id", _identifier)),
    **dict.fromkeys(("signalid", "alertid"), ("signal_id", _identifier)),
    **dict.fromkeys(("ts", "time"), ("ts_ns", _time_ns)),
    "ttl": ("ttl_ns", _duration_ns),
    "reduceonly": ("reduce_only", _truth),
    **dict.fromkeys(("marketposition", "sentiment"), ("is_flat", _flat)),
}
"""Which of our fields a key means and who reads it; a key is looked up in lower case and without
underscores, so that `stop_loss` is `stopLoss`."""

_SIZES = ("quantity", "notional", "risk_percentage")


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
        fields = json.loads(
            decoded,
            parse_float=_Number,
            parse_int=_Number,
            parse_constant=_Number,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError as problem:
        raise SignalProblem("body", f"byte {problem.start}", "send UTF-8") from problem
    except json.JSONDecodeError as problem:
        remedy = f"send one JSON object ({problem.msg} at character {problem.pos})"
        raise SignalProblem("body", decoded, remedy) from problem
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


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for key, value in pairs:
        if key in fields:
            raise SignalProblem(key, "two values", "it stands twice in one object; send it once")
        fields[key] = value
    return fields


def signal_from_mapping(
    fields: Mapping[str, object],
    *,
    default_va_id: str | None = None,
    default_notional: Decimal | None = None,
    default_signal_id: str | None = None,
) -> Signal:
    """Make a signal of named values: text, int, Decimal or bool, never float; None is no value.

    The defaults stand in for a missing account, size and id; the size only where the signal may
    open something. Raises SignalProblem.
    """
    found = _collected(fields)
    is_flat = found.pop("is_flat", False)
    found.setdefault("signal_id", default_signal_id)
    found.setdefault("va_id", default_va_id)
    found.setdefault("side", SignalSide.CLOSE if is_flat else None)
    for name in ("signal_id", "va_id", "symbol", "side"):
        if found.get(name) is None:
            raise SignalProblem(name, "", "it is missing; send it")
    if is_flat or found["side"] is SignalSide.CLOSE:
        found["reduce_only"] = True
    _settle_size(found, default_notional)
    for name in ("stop_loss", "take_profit"):
        if name in found and f"{name}_percentage" in found:
            raise SignalProblem(name, found[name], "send a price or a percentage, not both")
    return Signal(**found)


def _collected(fields: Mapping[str, object]) -> dict[str, Any]:
    """Our fields with their values, whatever they were called."""
    found: dict[str, Any] = {}
    for key, raw in fields.items():
        known = _KEYS.get(_squeezed(key))
        if known is None or raw is None:
            continue
        name, read = known
        try:
            value = read(raw)
        except ValueError as problem:
            raise SignalProblem(key, raw, str(problem)) from problem
        if isinstance(value, _Percentage):
            name, value = f"{name}_percentage", value.of_100
        if value is not None and found.setdefault(name, value) != value:
            remedy = f"{name} is also given as {shown(found[name])}; send it once"
            raise SignalProblem(key, raw, remedy)
    return found


def _settle_size(found: dict[str, Any], default_notional: Decimal | None) -> None:
    """Leave exactly one size, or none where nothing can be opened (RULES 10, 37)."""
    sized_by = found.pop("sized_by", "quantity")
    sizes = [name for name in _SIZES if name in found]
    if len(sizes) > 1:
        name = sizes[1]
        raise SignalProblem(name, found[name], f"{sizes[0]} is also given; send one of them")
    if "quantity" in sizes:
        sizes = [sized_by]
        found[sized_by] = found.pop("quantity")
    if found.get("risk_percentage", ZERO) > _RISK_PERCENTAGE_MAX:
        raise SignalProblem("risk_percentage", found["risk_percentage"], "send at most 100")
    if found["side"] is SignalSide.CLOSE and sizes not in ([], ["quantity"]):
        name = sizes[0]
        raise SignalProblem(
            name, found[name], "send a quantity to close, or no size to close everything"
        )
    if not sizes and not found.get("reduce_only"):
        if default_notional is None:
            raise SignalProblem("quantity", "", f"no size; send one of {', '.join(_SIZES)}")
        found["notional"] = default_notional


def _squeezed(key: object) -> str:
    return key.lower().replace("_", "") if isinstance(key, str) else ""
