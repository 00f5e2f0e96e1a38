"""What is different from venue to venue: the seam between one venue and what all have in common.

An adapter turns orders into requests and answers into reports. It runs in the venue's own thread,
in asyncio; what it is given and what it gives are values. Everything that must be the same at every
venue is around it: `outcome` judges what an answer proves, `dispatcher` spends the budget, keeps
order, compares and reconnects, `bridge` leads to the engine's thread.

An adapter never concludes anything from an error: it raises `Incomplete`, and what was asked for is
not known.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

import msgspec

from pointsman.domain.commands import Query
from pointsman.domain.events import ChargePaid, FundingPaid, OrderAbsent, OrderReport
from pointsman.domain.market import Instrument
from pointsman.domain.orders import Order
from pointsman.domain.policy import Abilities, PositionMode
from pointsman.domain.timestamps import SECOND_NS
from pointsman.domain.venue_reports import OrderFound, VenueExecution, VenueHolding, VenueOrder
from pointsman.execution.ports import VenueReply
from pointsman.venues.budget import Rate
from pointsman.venues.outcome import Answer, AnswerVerdict, OutcomeTable, Proof


class Call(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One request as it leaves: `route` is a method and a path, such as `POST /fapi/v1/order`,
    `weight` what it costs of the venue's budget. `is_signed`: it carries our key."""

    route: str
    params: dict[str, Any] = {}
    weight: int = 1
    is_signed: bool = True


MaySend = Callable[[], bool]
"""Whether what could change something at the venue may leave at this moment; from any thread."""


def always() -> bool:
    """May send: of an engine that shares its desk with no other."""
    return True


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """What an adapter is made from. `url` and `stream_url` replace scheme, host and port of the
    venue's own addresses and keep their paths; empty keeps all.
    `symbols` are in the unified form. A request that reaches the venue later than `order_settle_ns`
    after it has left is to be refused there, where the venue can do that. `may_send` is asked
    before each request that could change something, when nothing is left to do but to send it."""

    key: str
    secret: str
    is_sandbox: bool
    position_mode: PositionMode
    symbols: tuple[str, ...]
    url: str = ""
    stream_url: str = ""
    timeout_ms: int = 4_000
    order_settle_ns: int = 10 * SECOND_NS
    may_send: MaySend = always

    def __repr__(self) -> str:
        """Without key and secret, wherever it is shown."""
        return f"Access(key=***, secret=***, is_sandbox={self.is_sandbox})"


class ConnectionFailed(Exception):
    """No connection came about: the request is certain not to have arrived."""


class NoAnswer(Exception):
    """The request may have arrived, and no answer that can be read came back."""


class Incomplete(Exception):
    """Something that was asked for could not be read, or was cut off: nothing may be concluded.
    `ruling` is what the venue's answer proves, where there was one."""

    def __init__(self, why: str, ruling: AnswerVerdict | None = None) -> None:
        super().__init__(why)
        self.ruling = ruling

    @property
    def is_not_found(self) -> bool:
        """Whether the venue says that there is no such thing in the id space that was asked."""
        return self.ruling is not None and self.ruling.outcome is Proof.NOT_FOUND


Read = Callable[[Call], Awaitable[Any]]
"""Asks, within the budget, and gives the decoded body of a good answer. Raises Incomplete."""


class History(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What happened at the account since a cursor, in the order in which it happened, and the
    cursor from which to go on."""

    trades: tuple[VenueExecution, ...] = ()
    fundings: tuple[FundingPaid, ...] = ()
    charges: tuple[ChargePaid, ...] = ()
    cursor: str = ""


class Opening(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What the venue says of itself and the account at the start. `requests_per_minute` is the
    weight that it allows, `rates` what it limits besides, `account` how the account is named, for
    a person to recognise it."""

    abilities: Abilities
    instruments: dict[str, Instrument]
    requests_per_minute: int
    account: str
    rates: tuple[Rate, ...] = ()


class Adapter(Protocol):
    """One account at one venue. Symbols are in the unified form on our side of it."""

    name: str
    table: OutcomeTable

    async def call(self, call: Call) -> Answer:
        """Send one request and give what came back. Raises ConnectionFailed and NoAnswer; never
        waits longer than the time limit of the settings."""

    async def set_clock(self) -> None:
        """Learn how far the venue's clock is from ours. Raises Incomplete."""

    async def open(self, read: Read) -> Opening:
        """Check the key, the mode and the account, and learn what can be traded. Raises
        VenueRefused, and Incomplete."""

    async def instruments(self, read: Read) -> dict[str, Instrument]:
        """What can be traded now, as the opening said it then. Raises Incomplete."""

    def submit(self, order: Order) -> Call:
        """The request for an order."""

    def accepted(self, order: Order, body: Any) -> OrderReport | None:
        """The report in a good answer to that request; None where it does not name the order by
        both ids. Fills in it are left to the stream and the history."""

    def cancel(self, client_order_id: str, symbol: str) -> Call | None:
        """The request to cancel an order; None where the venue cancels by its own id only, and what
        that is will be known after a query."""

    def canceled(self, client_order_id: str, body: Any) -> OrderReport | None:
        """The report in a good answer to that request; None where the venue has only taken note
        that it is wanted."""

    async def query(
        self, read: Read, query: Query, asked_at_ns: int
    ) -> OrderFound | OrderAbsent | None:
        """Look an order up by client order id, with all its fills. OrderAbsent only where every id
        space of the venue says that there is none; None where nothing can be said. Raises
        Incomplete."""

    async def history(self, read: Read, cursor: str) -> History:
        """All executions, fundings and charges since the cursor; where it is empty, from now on.
        Every page of it, or Incomplete."""

    async def open_orders(self, read: Read) -> tuple[VenueOrder, ...]:
        """All orders that work or rest, in every id space. Raises Incomplete."""

    async def holdings(self, read: Read) -> tuple[VenueHolding, ...]:
        """What the account holds. Raises Incomplete."""

    def stream(self, read: Read) -> AsyncIterator[list[VenueReply]]:
        """One connection of the account's stream: an empty list once it is established, then what
        it tells. Ends by an exception when the connection is lost."""

    async def close(self) -> None:
        """Let go of connections."""
