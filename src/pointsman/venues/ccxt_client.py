"""What we use of ccxt: it signs requests, and knows where they go.

Parameters are ours and leave as they are, and answers are given as they came. ccxt's own sending is
not used, because it sorts errors into classes that look like proof, sends some requests in another
form, and can write keys into a log. The wire tests of each adapter pin what exactly leaves; they
are also what says whether a newer ccxt may be used.

ccxt is large, and is imported when it is first needed: on the venue's thread, while it opens.
"""

import importlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

from pointsman.config.known_venues import CCXT
from pointsman.domain.timestamps import MS_NS
from pointsman.venues.adapter import Access, Call, ConnectionFailed, Incomplete, NoAnswer
from pointsman.venues.errors import VenueRefused
from pointsman.venues.http_client import HttpClient, moved
from pointsman.venues.outcome import Answer

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


class CcxtClient:
    """Sends signed requests of one account. `exchange_id` is ccxt's name of the venue, `sandbox`
    its word for the addresses without real money: `test` or `demo`. `recv_window_ms` is how old a
    request may be when it arrives, until `set_clock` knows better."""

    def __init__(
        self,
        exchange_id: str,
        access: Access,
        *,
        sandbox: str,
        recv_window_ms: int,
        options: Mapping[str, Any] = NO_OPTIONS,
    ) -> None:
        self._exchange_id = exchange_id
        self._access = access
        self._sandbox = sandbox
        self._options = {"recvWindow": recv_window_ms, "timeDifference": 0, **options}
        self.http = HttpClient(access.timeout_ms, access.may_send)
        self.clock_error_ms = 0
        """By how much the time stamps of requests may be wrong."""
        self._expiry_ms: int | None = None

    @cached_property
    def exchange(self) -> Any:
        """ccxt's object. Raises VenueRefused where ccxt is not installed."""
        try:
            ccxt = importlib.import_module("ccxt")
        except ImportError as error:
            why = f"this venue needs ccxt ({error}): run pip install {CCXT}"
            raise VenueRefused(why) from None
        # At DEBUG it writes headers and bodies, and so the key.
        logging.getLogger("ccxt").setLevel(logging.INFO)
        access = self._access
        exchange = getattr(ccxt, self._exchange_id)(
            {
                "apiKey": access.key,
                "secret": access.secret,
                "enableRateLimit": False,
                "verbose": False,
                "options": dict(self._options),
            }
        )
        # A step of this machine's clock would let a request live longer at the venue than is said.
        began_ms, began_ns = int(exchange.milliseconds()), time.monotonic_ns()
        exchange.milliseconds = lambda: began_ms + (time.monotonic_ns() - began_ns) // MS_NS
        addresses = exchange.urls[self._sandbox if access.is_sandbox else "api"]
        exchange.urls["api"] = {
            section: moved(address, access.url)
            for section, address in addresses.items()
            if isinstance(address, str)
        }
        return exchange

    def signed(self, call: Call, section: str, path: str) -> dict[str, Any]:
        """A request as it leaves: `url`, `method`, `headers` and `body`. `section` is ccxt's name
        of a group of addresses, `path` what follows the address of that group."""
        method = call.route.partition(" ")[0]
        request: dict[str, Any] = self.exchange.sign(path, [section], method, dict(call.params))
        return request

    async def send(self, call: Call, section: str, path: str) -> tuple[Answer, Mapping[str, str]]:
        """Send a request, and give its answer with the headers. Raises ConnectionFailed and
        NoAnswer."""
        request = self.signed(call, section, path)
        return await self.http.send(
            request["method"], request["url"], request["headers"], request["body"]
        )

    def now_ms(self) -> int:
        """The time as ccxt stamps requests before it corrects them: this machine's when the client
        was made, and steady since."""
        return int(self.exchange.milliseconds())

    def venue_now_ms(self) -> int:
        """The time of the venue, as far as is known."""
        return self.now_ms() - int(self.exchange.options["timeDifference"])

    def venue_at_least_ms(self) -> int:
        """The earliest that the venue's clock may show now: what happens from now on is not stamped
        before."""
        return self.venue_now_ms() - self.clock_error_ms

    @property
    def request_expiry_ms(self) -> int:
        """How old a request can be at most when the venue still takes it. It has been relied on
        since the clock was first set, and is never more than it was then (RULES 26, 67)."""
        return int(self.exchange.options["recvWindow"]) + self.clock_error_ms

    async def ask_clock(self, asked: Awaitable[Answer], time_ms: Callable[[Any], int]) -> None:
        """Set the clock by an answer, whose body `time_ms` reads. Raises Incomplete."""
        before_ms = self.now_ms()
        try:
            answer = await asked
        except (ConnectionFailed, NoAnswer) as error:
            raise Incomplete(f"the venue did not say what time it is: {error}") from None
        self.set_clock(before_ms, time_ms(answer.body), self.now_ms())

    def set_clock(self, before_ms: int, venue_ms: int, after_ms: int) -> None:
        """Stamp requests by the venue's clock from now on: it said `venue_ms` when it was asked
        between `before_ms` and `after_ms` of ours. A request is refused by the venue unless it
        arrives within the settings' time for settling an order; the less exact the clock, the
        shorter its window. Raises Incomplete where the answer took too long to set a clock by."""
        error_ms = (after_ms - before_ms + 1) // 2 + 1
        longest_ms = self._expiry_ms
        if longest_ms is None:
            longest_ms = self._access.order_settle_ns // MS_NS
        elif error_ms >= longest_ms:
            took_ms = after_ms - before_ms
            raise Incomplete(f"the venue took {took_ms} ms to say what time it is: too long")
        window_ms = max(1, min(self._options["recvWindow"], longest_ms - error_ms))
        self.exchange.options["timeDifference"] = (before_ms + after_ms) // 2 - venue_ms
        self.exchange.options["recvWindow"] = window_ms
        self.clock_error_ms = error_ms
        self._expiry_ms = self._expiry_ms or window_ms + error_ms

    async def close(self) -> None:
        """Let go of all connections."""
        await self.http.close()
