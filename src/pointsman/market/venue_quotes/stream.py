"""What the connection for quotes needs to know of a venue, and what it can hear from one.

A stream is the protocol of one connection, from its first message on: text in, what it means out,
and what to send. It has no socket and no clock, and what it keeps ends with its connection, so that
nothing is ever concluded across a gap.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
from pydantic import SecretStr

from pointsman.domain.market import Quote


class Opened(msgspec.Struct, frozen=True):
    """Quotes may be asked for from now on."""


class Accepted(msgspec.Struct, frozen=True):
    """The venue has accepted a request for quotes."""


class Pong(msgspec.Struct, frozen=True):
    """The answer to the ping of this number, in the words of the venue. Where the venue answers
    pings of the websocket itself, no message means this."""

    number: str


class Refused(msgspec.Struct, frozen=True):
    """The venue refuses something, in its words. `ends_connection`: nothing will come on it."""

    told: str
    ends_connection: bool = False


class Ask(msgspec.Struct, frozen=True):
    """These messages are to be sent."""

    texts: tuple[str, ...]


class Missed(msgspec.Struct, frozen=True):
    """Messages about a symbol are missing: nothing is known of it before its next quote."""

    symbol: str


Heard = Quote | Opened | Accepted | Pong | Refused | Ask | Missed
"""What a message can mean."""


class UnreadableMessage(Exception):
    """A message that does not have the form that the venue documents; the text says which."""


class QuoteStream(Protocol):
    """The protocol of one connection."""

    def opening(self) -> Sequence[str]:
        """What to send when the connection stands. `Opened` is heard afterwards; where nothing is
        to be sent, quotes may be asked for at once."""

    def subscribe(self, symbols: Sequence[str]) -> Sequence[str]:
        """The messages that ask for quotes of further symbols."""

    def ping(self, number: str) -> str:
        """A message that the venue answers with a pong of this number; empty where it answers pings
        of the websocket."""

    def read(self, text: str) -> Sequence[Heard]:
        """What a message means. Raises UnreadableMessage."""


class Login(msgspec.Struct, frozen=True):
    """Key and secret, for a venue that asks for them."""

    key: SecretStr
    secret: SecretStr


class QuoteSource(msgspec.Struct, frozen=True, kw_only=True):
    """A venue whose quotes can be had. `host` and `sandbox_host` are scheme and host, `path` what
    comes after them. No more than `symbols_max` may be asked for. A connection on which no message
    came for `silence_seconds` is believed no more, though it answers; where the venue
    `is_always_open` it is opened again. `venue_symbol` gives the venue's own name of a symbol in
    the unified form, None where there is none."""

    name: str
    host: str
    sandbox_host: str
    path: str
    symbols_max: int
    silence_seconds: int
    is_always_open: bool
    needs_login: bool
    venue_symbol: Callable[[str], str | None]
    stream: Callable[[Login | None], QuoteStream]

    def url(self, base: str, *, is_sandbox: bool) -> str:
        """Where quotes come from; `base`, where it is not empty, replaces scheme, host and port."""
        own = self.sandbox_host if is_sandbox else self.host
        return f"{base or own}{self.path}"
