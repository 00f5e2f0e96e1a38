"""From the text of one setting to its value.

Each reader takes the text and gives the value, or raises ValueError saying how to fix it. The text
is never read through a binary float. An empty text means "off" where that is allowed, which is
where `optional` is used.
"""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from pointsman.config.known_venues import KNOWN_VENUES, PAPER
from pointsman.domain.accounts import EXTERNAL
from pointsman.domain.money import ZERO, parse_decimal
from pointsman.domain.policy import SizeDecay

if TYPE_CHECKING:
    from pydantic import SecretStr

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_WHOLE = re.compile(r"[0-9]{1,9}")
_VA_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,253}")
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_DESK = re.compile(r"[A-Za-z0-9_-]{1,32}")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{16,512}")
_KEY = re.compile(r"[!-~]{1,512}")
_SYMBOL = re.compile(r"[A-Z0-9]+([.-][A-Z0-9]+)*(/[A-Z0-9]+(:[A-Z0-9]+)?)?")
_YES = frozenset({"true", "1", "yes", "on"})
_NO = frozenset({"false", "0", "no", "off"})

RESERVED_VA_ID = EXTERNAL
"""The account for what the venue holds beyond our VAs (RULES 28)."""


def optional(reader: Callable[[str], T]) -> Callable[[str], T | None]:
    """The same reader, with an empty text for "off"."""
    return lambda text: reader(text) if text else None


def decimal_reader(
    *, above: str = "", least: str = "", below: str = "", most: str = "", places: int = 12
) -> Callable[[str], Decimal]:
    """A reader of plain decimals in a range, with at most `places` digits after the point."""
    bounds = [
        f"{word} {bound}"
        for word, bound in (
            ("above", above),
            ("of at least", least),
            ("below", below),
            ("at most", most),
        )
        if bound
    ]
    wanted = f"use a number {' and '.join(bounds)}"

    def read(text: str) -> Decimal:
        value = parse_decimal(text)
        is_inside = (
            (not above or value > Decimal(above))
            and (not least or value >= Decimal(least))
            and (not below or value < Decimal(below))
            and (not most or value <= Decimal(most))
        )
        if not is_inside:
            raise ValueError(wanted)
        if value != round(value, places):
            raise ValueError(f"write at most {places} digits after the point")
        return value

    return read


def whole_reader(least: int, most: int = 999_999_999) -> Callable[[str], int]:
    """A reader of whole numbers in a range."""

    def read(text: str) -> int:
        if not _WHOLE.fullmatch(text) or not least <= int(text) <= most:
            raise ValueError(f"write a whole number from {least} to {most}")
        return int(text)

    return read


def choice_reader(choices: Iterable[E]) -> Callable[[str], E]:
    """A reader of one of the words of an enum, or of some of them, in any case."""
    words = {str(choice): choice for choice in choices}

    def read(text: str) -> E:
        choice = words.get(text.lower())
        if choice is None:
            raise ValueError(f"use one of {', '.join(words)}")
        return choice

    return read


def read_switch(text: str) -> bool:
    """true or false, also as yes/no, on/off, 1/0."""
    word = text.lower()
    if word not in _YES | _NO:
        raise ValueError("write true or false")
    return word in _YES


def read_path(text: str) -> Path:
    """A path, as given, but for a home directory: `~` is expanded, as a shell would."""
    if not text or "\0" in text:
        raise ValueError("write the path of a file")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError(
            "that user has no home directory; write the whole path instead of ~"
        ) from None


def read_host(text: str) -> str:
    """A host name or address to listen on."""
    if not _HOST.fullmatch(text):
        raise ValueError("write a host name or an IP address, such as 127.0.0.1")
    return text


def read_hosts(text: str) -> tuple[str, ...]:
    """Host names separated by commas, in small letters, without scheme and port; empty is none."""
    names = tuple(name.strip().lower() for name in text.split(",")) if text else ()
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r}: write host names such as engine.lan,desk.example.com")
    return names


def read_desk(text: str) -> str:
    """The name of a desk: a part of the names of its stream and its keys."""
    if not _DESK.fullmatch(text):
        raise ValueError("use 1 to 32 letters, digits, _ and -")
    return text


def read_nats(text: str) -> "SecretStr":
    """Addresses of NATS servers with commas between; secret, since they may hold a password."""
    for part in text.split(","):
        try:
            url = urlsplit(part.strip())
            is_usable = url.scheme in ("nats", "tls") and bool(url.hostname) and url.port != 0
        except ValueError:
            is_usable = False
        if not is_usable or url.path.strip("/") or url.query or url.fragment:
            raise ValueError("write nats://HOST:PORT or tls://HOST:PORT, several with commas")
    return _secret(",".join(part.strip().rstrip("/") for part in text.split(",")))


def read_token(text: str) -> "SecretStr":
    """A token that fits into an HTTP header and into a URL, and is too long to be guessed."""
    if not _TOKEN.fullmatch(text):
        raise ValueError("use 16 to 512 random letters, digits and . _ ~ + / = -")
    return _secret(text)


def read_key(text: str) -> "SecretStr":
    """A key or a secret of a venue, as the venue shows it."""
    if not _KEY.fullmatch(text):
        raise ValueError("write the key alone, as the venue shows it, without spaces")
    return _secret(text)


def _secret(text: str) -> "SecretStr":
    # Loaded here: who reads only a path does without.
    from pydantic import SecretStr

    return SecretStr(text)


def read_venue(text: str) -> str:
    """The name of a venue (RULES 35)."""
    if text not in (PAPER, *KNOWN_VENUES):
        raise ValueError(f"use one of {', '.join((PAPER, *KNOWN_VENUES))}")
    return text


def read_symbols(text: str) -> tuple[str, ...]:
    """Symbols in the unified form, separated by commas; empty is none."""
    symbols = tuple(part.strip() for part in text.split(",")) if text else ()
    for symbol in symbols:
        if not _SYMBOL.fullmatch(symbol):
            raise ValueError(f"{symbol!r}: write symbols such as AAPL or BTC/USDT:USDT")
        if symbols.count(symbol) > 1:
            raise ValueError(f"{symbol!r} appears twice; name each symbol once")
    return symbols


def read_accounts(text: str) -> tuple[tuple[str, Decimal], ...]:
    """`ID:BALANCE,…`: each VA with its start balance, in the account's currency, in the order
    given."""
    form = "write ID:BALANCE,… such as VA001:100000,VA002:50000"
    accounts: dict[str, Decimal] = {}
    for part in text.split(","):
        va_id, colon, amount = (word.strip() for word in part.partition(":"))
        if not colon:
            raise ValueError(f"{part.strip()!r} has no balance; {form}" if part.strip() else form)
        if not _VA_ID.fullmatch(va_id):
            raise ValueError(f"id {va_id!r}: use 1 to 32 letters, digits, _ and -")
        if va_id == RESERVED_VA_ID:
            raise ValueError(f"id {va_id!r} is reserved; choose another")
        if va_id in accounts:
            raise ValueError(f"id {va_id!r} appears twice; name each account once")
        accounts[va_id] = _balance(va_id, amount)
    return tuple(accounts.items())


def _balance(va_id: str, text: str) -> Decimal:
    try:
        balance = parse_decimal(text)
    except ValueError as error:
        raise ValueError(f"balance {text!r} of {va_id}: {error}") from None
    if balance <= ZERO:
        raise ValueError(f"balance {text!r} of {va_id}: use a number above 0")
    return balance


def read_size_decay(text: str) -> tuple[SizeDecay, ...]:
    """`LOSSES:FACTOR,…` such as `2:0.5,4:0.25`; empty is off. Losses rise and factors fall, step by
    step."""
    steps: list[SizeDecay] = []
    losses_of, factor_of = whole_reader(1), decimal_reader(above="0", most="1")
    for part in text.split(",") if text else ():
        losses, _, factor = (word.strip() for word in part.partition(":"))
        try:
            steps.append(SizeDecay(losses_of(losses), factor_of(factor)))
        except ValueError as error:
            raise ValueError(f"{part.strip()!r}: write LOSSES:FACTOR; {error}") from None
    for one, following in pairwise(steps):
        if following.losses <= one.losses or following.factor >= one.factor:
            raise ValueError("losses must rise and factors fall, such as 2:0.5,4:0.25")
    return tuple(steps)
