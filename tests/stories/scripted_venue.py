"""The venue of a story: the model venue with its own honest books, behind the seam of every venue,
on a line that the story disturbs.

A request arrives at once; what the venue says of it is heard at the engine's next look, unless the
line loses it. What the venue's own books then hold is known to the test alone.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from enum import Enum

import msgspec

from pointsman.domain.commands import Cancel, Submit
from pointsman.domain.events import FundingPaid, NotSent, ReportWord, VenueFill
from pointsman.domain.life_cycle import FINAL
from pointsman.domain.market import Instrument
from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.policy import Policy
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.venue_reports import Snapshot, VenueOrder
from pointsman.execution.ports import VenueReply, VenueRequest
from pointsman.simulator.crashes import Boundary, CrashTrap
from tests.model_venue import ModelVenue

replace = msgspec.structs.replace


FEE = Decimal("0.001")
"""Of what is bought, where the venue takes its fee in a coin."""


class Line(Enum):
    """What the line does to what is said over it."""

    UP = "up"
    ANSWERS_LOST = "requests arrive, nothing comes back"
    DOWN = "nothing arrives either way"
    HELD = "what is said is kept back until the test delivers it"
    REFUSED = "orders and cancels are given back at once: they certainly did not leave"


class ScriptedVenue(ModelVenue):
    """A `pointsman.execution.ports.Venue`. `before_send` sees each request first, `tell` lets the
    engine hear what was said; `orders`, `creates`, `trades` and `holdings` are the venue's own
    books."""

    def __init__(
        self,
        rules: Policy,
        trap: CrashTrap,
        before_send: Callable[[VenueRequest], None],
        tell: Callable[[], None],
    ) -> None:
        super().__init__(rules, Decimal(100))
        self.abilities = rules.abilities
        self.instruments: dict[str, Instrument] = {}
        self.sent: list[VenueRequest] = []
        self.distort: Callable[[VenueReply], Iterable[VenueReply]] = lambda reply: (reply,)
        self.fundings: list[FundingPaid] = []
        self.is_refusing_stops = False
        self.fee_coin: str | None = None
        """What fees are taken from, of buys: the coin that is bought, or a third one."""
        self._line = Line.UP
        self._trap = trap
        self._before_send = before_send
        self._tell = tell
        self._trade_id: str | None = None

    # -- the seam ----------------------------------------------------------------------------------

    def send(self, request: VenueRequest, now_ns: int) -> None:
        self._before_send(request)
        self.sent.append(request)
        if self._line is Line.REFUSED and isinstance(request, Submit | Cancel):
            self._give_back(request, now_ns)
        elif self._line is not Line.DOWN:
            self.now_ns = now_ns
            is_stop = isinstance(request, Submit) and request.order.role is Role.STOP
            if is_stop and self.is_refusing_stops:
                self.refuse_next = Reason.VENUE_REJECTED
            self.take(request, now_ns)
        self._trap.passes(Boundary.AFTER_SEND)

    def _give_back(self, request: Submit | Cancel, now_ns: int) -> None:
        is_cancel = isinstance(request, Cancel)
        named = request if isinstance(request, Cancel) else request.order
        told = NotSent(
            client_order_id=named.client_order_id,
            is_cancel=is_cancel,
            reason=Reason.VENUE_BUSY,
            ts_ns=now_ns,
        )
        self.replies.append(told)

    def next_due_ns(self) -> int | None:
        return None

    def receive(self, now_ns: int) -> list[VenueReply]:
        self.now_ns = now_ns
        if self._line is Line.HELD:
            return []
        said = self._take_said()
        if not self._is_heard:
            return []
        return [heard for reply in said for heard in self.distort(reply)]

    def known_until_ns(self) -> int:
        return 0

    def is_under_way(self) -> bool:
        return False

    def finish(self) -> None:
        pass

    def close(self) -> None:
        """The engine is gone: what is on its way to it is lost."""
        self.replies.clear()

    @property
    def has_news(self) -> bool:
        """Whether something was said that the engine can hear."""
        return bool(self.replies) and self._is_heard

    @property
    def _is_heard(self) -> bool:
        return self._line in (Line.UP, Line.REFUSED)

    def _take_said(self) -> list[VenueReply]:
        said, self.replies = self.replies, []
        return said

    # -- the line ----------------------------------------------------------------------------------

    def becomes(self, line: Line) -> None:
        """From here on the line is like this."""
        self._line = line

    @contextmanager
    def line(self, line: Line) -> Iterator[None]:
        """For a while the line is like this; what was lost meanwhile stays lost."""
        self._tell()
        self._line = line
        yield
        if line is not Line.HELD:
            self.replies.clear()
        self._line = Line.UP

    def loses(self, *kinds: type[VenueReply]) -> None:
        """From here on messages of these kinds never come back; without any, all do."""
        self.distort = lambda said: () if isinstance(said, kinds) else (said,)

    def take_held(self) -> list[VenueReply]:
        """What was said and kept back, in the order in which it was said."""
        return self._take_said()

    def says(self, *replies: VenueReply) -> None:
        """The engine hears this, whatever the venue's books hold."""
        for reply in replies:
            self.replies.append(reply)
            self._tell()

    # -- what happens at the venue -----------------------------------------------------------------

    def fills(
        self,
        order: Order,
        quantity: str | None = None,
        at: str | None = None,
        trade_id: str | None = None,
    ) -> None:
        """An order of ours trades: all that is left of it, unless `quantity` says less; at the
        market, unless `at` says otherwise."""
        market, self.price = self.price, self.price if at is None else Decimal(at)
        self._trade_id = trade_id
        wanted = order.quantity if quantity is None else Decimal(quantity)
        self.fill(order.client_order_id, wanted)
        self.price, self._trade_id = market, None
        self._tell()

    def _execute(self, order: VenueOrder, quantity: Decimal) -> VenueFill:
        fill = super()._execute(order, quantity)
        if self._trade_id is not None:
            fill = replace(fill, trade_id=self._trade_id)
        if self.fee_coin is not None and order.side is Side.BUY:
            fill = replace(fill, fee=quantity * FEE, fee_currency=self.fee_coin)
            if order.symbol.startswith(self.fee_coin):
                self.holdings[order.symbol, order.position_side] -= fill.fee
        self.trades[-1] = replace(self.trades[-1], fill=fill)
        return fill

    def settles_funding(
        self, amount: str, symbol: str = "AAPL", side: PositionSide = PositionSide.LONG
    ) -> FundingPaid:
        """Funding is due on all that is held of a symbol and side: received, or paid where below
        zero. Every comparison shows it from now on."""
        name = f"F{len(self.fundings)}"
        paid = FundingPaid(name, symbol, side, Decimal(amount), self.now_ns)
        self.fundings.append(paid)
        self.replies.append(paid)
        self._tell()
        return paid

    def snapshot(self, cursor: str, asked_at_ns: int) -> Snapshot:
        shown = super().snapshot(cursor, asked_at_ns)
        return replace(shown, fundings=tuple(self.fundings))

    def cancels(self, order: Order) -> None:
        """The venue ends an order of ours; nothing more of it will trade."""
        self.ends(order, ReportWord.CANCELED)

    def ends(self, order: Order, word: ReportWord, reason: Reason | None = None) -> None:
        """An order of ours ends at the venue, in its own words."""
        self.end(order.client_order_id, word, reason)
        self._tell()

    def somebody_sells(self, quantity: int, symbol: str = "AAPL") -> None:
        """A person, or the venue itself, sells of our long holding under an id that is not
        ours."""
        self.foreign(symbol, PositionSide.LONG, Side.SELL, quantity)
        self._tell()

    # -- what its books hold -----------------------------------------------------------------------

    def holds(self, symbol: str = "AAPL") -> Decimal:
        """What the account holds of a symbol, signed, both sides together."""
        return sum((held for (name, _), held in self.holdings.items() if name == symbol), Decimal())

    def creates_of(self, order: Order) -> int:
        """How often a create of this order has arrived."""
        return self.creates[order.client_order_id]

    def open_orders(self, order_type: OrderType | None = None) -> list[VenueOrder]:
        """The orders of ours that can still trade."""
        types = tuple(OrderType) if order_type is None else (order_type,)
        return [order for order in self.working(*types) if order.status not in FINAL]
