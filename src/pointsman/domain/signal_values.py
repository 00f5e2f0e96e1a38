"""The single values of a signal: text from a sender into a side, a number, a level or a time.

Each reader takes one raw value and returns what it means, or raises ValueError with the remedy.
Numbers come from machines (RULES 59): exponents and the noise of binary floats are read. What has
more than 12 decimals is returned with all of them; `held` rounds it once the side is known.
Nothing passes through binary floating point.
"""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import NamedTuple, TypeVar

from pointsman.domain.disclosure import disclosed
from pointsman.domain.money import ZERO, exact, plain
from pointsman.domain.sides import MarketPosition, SignalSide
from pointsman.domain.signals import Signal
from pointsman.domain.timestamps import SECOND_NS, parse_ts
from pointsman.errors import PointsmanError

_SHOWN_CHARS_MAX = 64
_TTL_SECONDS_MAX = 1_000_000_000
_DECIMAL_EXPONENT_MAX = 64
"""A Decimal beyond it is not written out: its digits alone could fill the memory."""


class SignalProblem(PointsmanError):
    """Something that should have been a signal and was not.

    `field` is the key as the sender wrote it, our own name of a missing one, or `body`; `value` is
    what may be shown of what it held (`disclosed`), as printable ASCII; `remedy` says how to mend
    it. `as_exit` is the signal as one that only reduces, where that much of it can be read: an
    order against what its VA holds is an exit whatever else stands in it (RULES 58).
    """

    def __init__(self, field: str, value: object, remedy: str) -> None:
        self.field = shown(field)
        self.value = disclosed(shown(value))
        self.remedy = remedy
        self.as_exit: Signal | None = None
        found = f" = {self.value!r}" if self.value else ""
        super().__init__(f"{self.field}{found}: {remedy}")


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
_EXCHANGE = re.compile(r"([A-Za-z0-9_]+):")

OPENING_SUFFIX = "/open"
"""What the id of the opening part of a reversal ends with (RULES 55); no sender may use it."""


def parse_symbol(text: str) -> str:
    """A symbol in upper case, without an `EXCHANGE:` before it.

    `BTC/USDT:USDT` keeps its suffix, for what stands before that colon is a pair. Raises
    ValueError with the remedy.
    """
    return parse_listing(text)[0]


def exchange_of(text: str) -> str | None:
    """The `EXCHANGE:` before a symbol, in upper case."""
    exchange = _EXCHANGE.match(text.strip())
    return exchange[1].upper() if exchange else None


def parse_listing(text: str) -> tuple[str, str | None]:
    """A symbol as `parse_symbol` reads it, and the `EXCHANGE:` before it in upper case, if any."""
    symbol = text.strip()
    if exchange := _EXCHANGE.match(symbol):
        symbol = symbol[exchange.end() :]
    if not _SYMBOL.fullmatch(symbol):
        raise ValueError(
            "write a symbol such as AAPL or BTC/USDT: 1 to 64 printable ASCII characters, no space"
        )
    return symbol.upper(), exchange[1].upper() if exchange else None


class ListedSymbol(NamedTuple):
    """A symbol, and the exchange that was named with it."""

    symbol: str
    exchange: str | None


class AlertPercentage(NamedTuple):
    """A stop or target that was given as a percentage."""

    of_100: Decimal


def read_text(raw: object) -> str:
    """A value that is text, or an exact number as its text."""
    if isinstance(raw, str):
        return raw.strip()
    if isinstance(raw, Decimal):
        is_short = raw.is_finite() and abs(raw.adjusted()) < _DECIMAL_EXPONENT_MAX
        return plain(raw) if is_short else str(raw)
    if isinstance(raw, int) and not isinstance(raw, bool):
        return shown(raw)
    raise ValueError("send text or a plain decimal number; from Python a str, an int or a Decimal")


def read_listing(raw: object) -> ListedSymbol:
    return ListedSymbol(*parse_listing(read_text(raw)))


def read_identifier(raw: object) -> str:
    text = raw if isinstance(raw, str) else read_text(raw)
    if not _IDENTIFIER.fullmatch(text):
        raise ValueError("send 1 to 128 printable ASCII characters, no space at either end")
    return str(text)


def read_signal_id(raw: object) -> str:
    text = read_identifier(raw)
    if text.endswith(OPENING_SUFFIX):
        raise ValueError(f"choose an id that does not end with {OPENING_SUFFIX}")
    return text


# -- numbers ---------------------------------------------------------------------------------------

PLACES_MAX = 12
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_NUMBER_CHARS_MAX = 60
_NUMBER_END = Decimal(10) ** 12
_REMEDY = "write a plain decimal number, at most 12 digits before and 12 after the point"
_FLOAT_DIGITS = (16, 17)
"""The significant digits of a binary float that is not a short decimal."""

_NOISELESS = Context(prec=15, rounding=ROUND_HALF_EVEN)
_NOISELESS_DIGITS_MAX = 11
"""A float within noise of a decimal of so few digits stands for that decimal."""


def read_number(raw: object) -> Decimal:
    """A number without the noise of binary floats: `193.7200000000002` is 193.72 and `1e-05` is
    0.00001. One of many true decimals keeps them: 0.3333333333333333 is what it says."""
    text = read_text(raw)
    if len(text) > _NUMBER_CHARS_MAX or not _NUMBER.fullmatch(text):
        raise ValueError(_REMEDY)
    amount = Decimal(text)
    if abs(amount.adjusted()) >= _DECIMAL_EXPONENT_MAX or abs(amount) >= _NUMBER_END:
        raise ValueError(_REMEDY)
    if len(amount.as_tuple().digits) in _FLOAT_DIGITS:
        with localcontext(_NOISELESS):
            short = (+amount).normalize()
        if len(short.as_tuple().digits) <= _NOISELESS_DIGITS_MAX:
            return Decimal(plain(short))
    return Decimal(plain(amount))


def read_amount(raw: object) -> Decimal:
    amount = read_number(raw)
    if amount <= ZERO:
        raise ValueError("send a number above zero")
    return amount


def read_size_held(raw: object) -> Decimal:
    """The size of a position: zero where there is none. Some senders sign it."""
    return abs(read_number(raw))


def read_percentage(raw: object) -> Decimal:
    return read_amount(read_text(raw).removesuffix("%"))


def held(amount: Decimal, rounding: str) -> Decimal:
    """A number with at most 12 decimals. Raises ValueError where nothing is left of it."""
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent >= -PLACES_MAX:
        return amount
    with exact():
        rounded = amount.quantize(Decimal(1).scaleb(-PLACES_MAX), rounding=rounding)
    if rounded == ZERO and amount != ZERO:
        raise ValueError("it is smaller than 12 decimals can say; send a larger number")
    return rounded.normalize() if rounded else rounded


# -- times -----------------------------------------------------------------------------------------

_LONG_FRACTION = re.compile(r"(\.[0-9]{9})[0-9]+")


def read_time_ns(raw: object) -> int:
    """A time, as `parse_ts` reads it; what stands below the nanosecond is cut off."""
    return parse_ts(_LONG_FRACTION.sub(r"\1", read_text(raw)))


def read_duration_ns(raw: object) -> int:
    seconds = read_amount(raw)
    if seconds > _TTL_SECONDS_MAX or seconds * SECOND_NS < 1:
        raise ValueError(f"send seconds, from one nanosecond to {_TTL_SECONDS_MAX}")
    return int(seconds * SECOND_NS)


# -- words -----------------------------------------------------------------------------------------

SIDES = {
    "buy": SignalSide.BUY,
    "long": SignalSide.BUY,
    "sell": SignalSide.SELL,
    "short": SignalSide.SELL,
    "close": SignalSide.CLOSE,
    "exit": SignalSide.CLOSE,
    "flat": SignalSide.CLOSE,
}
_POSITIONS = {
    "long": MarketPosition.LONG,
    "bullish": MarketPosition.LONG,
    "short": MarketPosition.SHORT,
    "bearish": MarketPosition.SHORT,
    "flat": MarketPosition.FLAT,
}
_TRUTHS = {"true": True, "false": False}
_SIZED_BY = {
    "fixed_quantity": "quantity",
    "dollar_amount": "notional",
    "risk_percent": "risk_percentage",
}
"""What TradersPost may say that its `quantity` counts. Dollars taken for shares: a wild order."""

_ELSEWHERE = {
    ("kill", "pause", "resume"): "POST /api/v1/{word}",
    ("flatten", "close_all", "exit_all"): "POST /api/v1/flatten",
}
"""Actions that other relays take as alerts: where they are done here."""


def read_side(raw: object) -> SignalSide:
    try:
        return _chosen(raw, SIDES)
    except ValueError as problem:
        word = raw.strip().lower() if isinstance(raw, str) else ""
        for words, path in _ELSEWHERE.items():
            if word in words:
                place = path.format(word=word)
                raise ValueError(f"{problem}; {word} is not for alerts, use {place}") from None
        raise


def read_position(raw: object) -> MarketPosition:
    return _chosen(raw, _POSITIONS)


def read_truth(raw: object) -> bool:
    return raw if isinstance(raw, bool) else _chosen(raw, _TRUTHS)


def read_sized_by(raw: object) -> str:
    return _chosen(raw, _SIZED_BY)


_T = TypeVar("_T")


def _chosen(raw: object, choices: Mapping[str, _T]) -> _T:
    word = raw.strip().lower() if isinstance(raw, str) else ""
    if word not in choices:
        raise ValueError(f"send one of {', '.join(choices)}")
    return choices[word]


# -- levels ----------------------------------------------------------------------------------------


def read_stop_loss(raw: object) -> Decimal | AlertPercentage:
    return _level(raw, ("stopprice",), "percent or stopPrice")


def read_take_profit(raw: object) -> Decimal | AlertPercentage:
    return _level(raw, ("limitprice", "stopprice"), "percent, limitPrice or stopPrice")


def _level(raw: object, prices: tuple[str, ...], said_as: str) -> Decimal | AlertPercentage:
    """A stop or target: a price, a string ending in `%`, or an object with one price or `percent`
    (RULES 9, 37). Anything else in the object would be another kind of order, so it is refused."""
    if not isinstance(raw, Mapping):
        is_percentage = isinstance(raw, str) and raw.rstrip().endswith("%")
        return AlertPercentage(read_percentage(raw)) if is_percentage else read_amount(raw)
    said = [
        (squeezed(key), value)
        for key, value in raw.items()
        if not says_nothing(value) and (squeezed(key), value) not in _PLAIN_TYPES
    ]
    if len(said) != 1:
        raise ValueError(f"give it exactly one of {said_as}")
    name, value = said[0]
    try:
        if name == "percent":
            return AlertPercentage(read_percentage(value))
        if name in prices:
            return read_amount(value)
    except ValueError as problem:
        raise ValueError(f"its {name} is {disclosed(shown(value))}: {problem}") from problem
    raise ValueError(f"{shown(name)} is not done here; give it {said_as}")


_PLAIN_TYPES = (("type", "stop"), ("type", "limit"))
"""What an object may say of its kind of order beside its level: that it is an ordinary one."""


def says_nothing(raw: object) -> bool:
    """Whether a value says nothing: builders of alerts send "" or "None" for what is not used."""
    return raw is None or (isinstance(raw, str) and raw.strip().lower() in ("", "none", "null"))


def squeezed(key: object) -> str:
    """A key in lower case and without underscores, so that `stop_loss` is `stopLoss`."""
    return key.lower().replace("_", "") if isinstance(key, str) else ""
