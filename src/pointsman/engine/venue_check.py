"""The certificate: the smallest possible trade, walked through at the venue, promise by promise.

A user makes it himself, with his own key, on the sandbox of his venue: of each promise that this
program makes, whether this venue and this account kept it, and how long it took. Nothing here knows
which venue it is; orders go through the same adapter as those of an engine. Invariants:

* the account must hold nothing of the symbol, and have no order in it, before anything is sent;
* whatever happens, the walk ends by cancelling its orders and exiting what it has bought, and says
  whether the account is flat;
* a promise counts as kept only by words of the venue; what was not reached is not kept.

The walk buys twice the smallest quantity that may be exited, rests a stop below it, exits half,
rests a stop for the rest, and exits that.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import StrEnum

import msgspec

from pointsman.domain.client_order_ids import client_order_id
from pointsman.domain.commands import Cancel, Query, Submit
from pointsman.domain.events import OrderAbsent
from pointsman.domain.market import Instrument
from pointsman.domain.money import ZERO, ceil_to, floor_to, plain
from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.policy import ReduceOnlyMode
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.timestamps import MS_NS
from pointsman.domain.venue_reports import OrderFound
from pointsman.engine.venue_conversation import PATIENCE_NS, Conversation, Line, NotKept
from pointsman.execution.fills import fill_key

DUPLICATE_NS = 2_000 * MS_NS
"""How long a doubled order is given to arrive."""
LOOK_AGAIN_NS = 500 * MS_NS
STOP_BELOW = Decimal("0.95")
"""Where the stop rests, as a share of the price: far enough not to trigger meanwhile."""
LIMIT_ABOVE = Decimal("1.005")
FAR_BELOW = Decimal("0.96")


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the venue says of itself or the account. `remedy` is what to do where it
    stands in the way of trading; empty where it does not."""

    name: str
    value: str
    remedy: str = ""


class Promise(StrEnum):
    """What is promised of every venue, in the order in which it is tried."""

    FLAT_BEFORE = "the account holds nothing of the symbol and has no order in it"
    ENTRY_ENDS = "an entry away from the market ends at once, without a fill"
    ENTRY_ACCEPTED = "an entry is acknowledged by our id and the venue's"
    ENTRY_FILLED = "its fills arrive, and add up to what the venue says was filled"
    STOP_RESTS = "its stop rests at the venue, in the list of open orders, under our id"
    LOOKED_UP = "an order is found by our id alone"
    ABSENCE_SAID = "the venue says so where there is no such order"
    NOT_DOUBLED = "the same order sent twice is one order"
    CANCEL_CONFIRMED = "the end of a cancelled stop is confirmed"
    HALF_EXITED = "half is exited at market, and no more"
    STOP_RESTS_AGAIN = "a stop for the rest rests at the venue"
    ALL_EXITED = "the rest is exited, and nothing is left resting"
    HISTORY_AGREES = "the account's history tells the same fills as its stream"
    FLAT_AFTER = "the account is as flat as before"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a promise was kept. `took_ms` is how long the venue took, where that means something;
    `detail` what it said."""

    promise: Promise
    is_kept: bool
    took_ms: int | None = None
    detail: str = ""


class Walk:
    """One trade at a venue. `code` begins the ids of its orders and belongs to no database."""

    def __init__(self, line: Line, instrument: Instrument, code: str) -> None:
        self._talk = Conversation(line, instrument.symbol)
        self._line = line
        self._instrument = instrument
        self._code = code
        self._cursor = ""
        self.verdicts: list[Verdict] = []

    def run(self, tell: Callable[[Verdict], None] = lambda _verdict: None) -> list[Verdict]:
        """Walk all of it. `tell` is given each verdict when it is reached."""
        try:
            for verdict in self._steps():
                self.verdicts.append(verdict)
                tell(verdict)
                if not verdict.is_kept:
                    break
        finally:
            if Promise.FLAT_BEFORE in {one.promise for one in self.verdicts if one.is_kept}:
                last = self._end_flat()
                self.verdicts.append(last)
                tell(last)
        return self.verdicts

    # -- the steps ---------------------------------------------------------------------------------

    def _steps(self) -> Iterator[Verdict]:
        """One verdict after the other; the first that is not kept ends the walk."""
        for promise, step in (
            (Promise.FLAT_BEFORE, self._flat_before),
            (Promise.ENTRY_ENDS, self._entry_ends),
            (Promise.ENTRY_ACCEPTED, self._entry_accepted),
            (Promise.ENTRY_FILLED, self._entry_filled),
            (Promise.STOP_RESTS, lambda: self._stop_rests(1)),
            (Promise.LOOKED_UP, self._looked_up),
            (Promise.ABSENCE_SAID, self._absence_said),
            (Promise.NOT_DOUBLED, self._not_doubled),
            (Promise.CANCEL_CONFIRMED, lambda: self._cancel(self._id(Role.STOP, 1))),
            (Promise.HALF_EXITED, self._half_exited),
            (Promise.STOP_RESTS_AGAIN, lambda: self._stop_rests(2)),
            (Promise.ALL_EXITED, self._all_exited),
            (Promise.HISTORY_AGREES, self._history_agrees),
        ):
            began_ns = self._line.now_ns()
            try:
                detail = step()
            except NotKept as error:
                yield Verdict(promise=promise, is_kept=False, detail=str(error))
                return
            took_ms = (self._line.now_ns() - began_ns) // MS_NS
            yield Verdict(promise=promise, is_kept=True, took_ms=took_ms, detail=detail)

    def _flat_before(self) -> str:
        talk = self._talk
        snapshot = talk.compare()
        self._cursor = snapshot.fills_cursor
        if (held := talk.held(snapshot)) != ZERO:
            raise NotKept(f"it holds {plain(held)}; choose another --symbol, or close it first")
        if resting := talk.resting(snapshot):
            raise NotKept(f"{len(resting)} orders are open; cancel them first")
        return ""

    def _entry_ends(self) -> str:
        limit = floor_to(self._talk.quote().bid * FAR_BELOW, self._instrument.tick)
        order = self._entry(limit, number=1)
        ended = self._talk.until(lambda: self._talk.end(order), "ended")
        if filled := self._talk.filled(order):
            raise NotKept(f"{plain(filled)} were filled at {plain(limit)}")
        return ended.kind.value.lower()

    def _entry_accepted(self) -> str:
        limit = floor_to(self._talk.quote().ask * LIMIT_ABOVE, self._instrument.tick)
        order = self._entry(limit, number=2)
        report = self._talk.acknowledged(order)
        if not report.venue_order_id:
            raise NotKept("the acknowledgement has no id of the venue")
        return f"{order.client_order_id} is {report.venue_order_id}"

    def _entry_filled(self) -> str:
        talk, order = self._talk, self._talk.sent[self._id(Role.ENTRY, 1)]
        talk.until(
            lambda: talk.end(order) or (talk.filled(order) == order.quantity or None),
            "filled or ended",
        )
        found = talk.ask(Query(order.client_order_id, order.symbol), OrderFound)
        told = found.order.filled
        talk.until(lambda: talk.filled(order) == told or None, f"told fills of {plain(told)}")
        if told < order.quantity:
            raise NotKept(f"{plain(told)} of {plain(order.quantity)}; choose a livelier --symbol")
        return f"{plain(told)} in {len(talk.fills(order))} fills"

    def _stop_rests(self, attempt: int) -> str:
        """Place the stop for what is held, and see it rest."""
        talk = self._talk
        trigger = floor_to(talk.quote().bid * STOP_BELOW, self._instrument.tick)
        order = self._order(Role.STOP, attempt, talk.bought(), trigger_price=trigger)
        talk.acknowledged(order)
        resting = talk.resting(talk.compare(self._cursor)).get(order.client_order_id)
        if resting is None:
            raise NotKept("it is acknowledged, and not in the list of open orders")
        if (resting.quantity, resting.trigger_price) != (order.quantity, trigger):
            told = f"{plain(resting.quantity)} at {resting.trigger_price}"
            raise NotKept(f"it rests with {told}; {plain(order.quantity)} at {plain(trigger)} sent")
        return f"{plain(order.quantity)} at {plain(trigger)}"

    def _looked_up(self) -> str:
        order_id = self._id(Role.STOP, 1)
        found = self._talk.ask(Query(order_id, self._instrument.symbol), OrderFound)
        return f"{found.order.status.value.lower()}, {found.order.venue_order_id}"

    def _absence_said(self) -> str:
        self._talk.ask(Query(self._id(Role.STOP, 9), self._instrument.symbol), OrderAbsent)
        return ""

    def _not_doubled(self) -> str:
        talk = self._talk
        talk.send(Submit(talk.sent[self._id(Role.STOP, 1)]))
        talk.listen(DUPLICATE_NS)  # a venue need not answer to it
        number = len(talk.resting(talk.compare(self._cursor)))
        if number != 1:
            raise NotKept(f"{number} orders rest now")
        return ""

    def _cancel(self, order_id: str) -> str:
        talk = self._talk
        talk.send(Cancel(order_id, self._instrument.symbol))
        return talk.until(lambda: talk.end(talk.sent[order_id]), "ended").kind.value.lower()

    def _half_exited(self) -> str:
        self._free_for_exit(self._id(Role.STOP, 1))
        return self._exit(1, self._talk.bought() / 2)

    def _all_exited(self) -> str:
        stop_id = self._id(Role.STOP, 2)
        self._free_for_exit(stop_id)
        told = self._exit(2, self._talk.bought())
        if self._talk.end(self._talk.sent[stop_id]) is None:
            self._cancel(stop_id)
        return told

    def _free_for_exit(self, stop_id: str) -> None:
        """Where an exit may not overlap with a stop, the stop goes first."""
        may_overlap = self._line.venue.abilities.reduce_only is ReduceOnlyMode.CLIP
        if not may_overlap and self._talk.end(self._talk.sent[stop_id]) is None:
            self._cancel(stop_id)

    def _exit(self, attempt: int, quantity: Decimal) -> str:
        talk = self._talk
        left = talk.bought() - quantity
        order = self._order(Role.EXIT, attempt, quantity)
        talk.acknowledged(order)
        talk.until(lambda: talk.filled(order) == quantity or None, f"filled {plain(quantity)}")
        held = talk.held(talk.compare(self._cursor))
        if held != left:
            raise NotKept(f"the account holds {plain(held)}, not {plain(left)}")
        return plain(quantity)

    def _history_agrees(self) -> str:
        talk = self._talk
        told = {
            fill_key(trade.client_order_id, trade.side, trade.fill)
            for trade in talk.compare(self._cursor).trades
            if trade.client_order_id in talk.sent
        }
        heard = {key for order in talk.sent.values() for key in talk.fills(order)}
        if told != heard:
            raise NotKept(f"only in one of them: {', '.join(sorted(told ^ heard))}")
        return f"{len(told)} fills"

    def _end_flat(self) -> Verdict:
        """Whatever has happened: cancel what rests, exit what is held, and look."""
        talk, began_ns = self._talk, self._line.now_ns()
        troubles: list[str] = []
        try:
            for order_id in talk.resting(talk.compare(self._cursor)):
                if order_id in talk.sent:
                    try:
                        self._cancel(order_id)
                    except NotKept as error:
                        troubles.append(f"cancel of {order_id}: {error}")
            if (held := talk.held(talk.compare(self._cursor))) > ZERO:
                self._order(Role.EXIT, 9, held)
            left = self._what_stays()
        except NotKept as error:
            left = str(error)
        told = "; ".join([left, *troubles, "close it at the venue by hand"])
        return Verdict(
            promise=Promise.FLAT_AFTER,
            is_kept=not left,
            took_ms=(self._line.now_ns() - began_ns) // MS_NS,
            detail=told if left else "",
        )

    def _what_stays(self) -> str:
        """What the account still holds and has open, once it is flat or time is up; empty where it
        is flat. Only its own words count: the report of an exit may be lost."""
        talk, until_ns = self._talk, self._line.now_ns() + PATIENCE_NS
        while True:
            snapshot = talk.compare(self._cursor)
            held, resting = talk.held(snapshot), talk.resting(snapshot)
            if not held and not resting:
                return ""
            if self._line.now_ns() > until_ns:
                return f"{plain(held)} held, {len(resting)} orders open"
            talk.listen(LOOK_AGAIN_NS)

    # -- orders ------------------------------------------------------------------------------------

    def _id(self, role: Role, attempt: int) -> str:
        return client_order_id(self._code, 2, role, attempt)

    def _entry(self, limit: Decimal, *, number: int) -> Order:
        """Send an entry of twice the smallest quantity that may be exited at the stop's price."""
        instrument = self._instrument
        price = limit * STOP_BELOW * STOP_BELOW
        smallest = max(instrument.min_qty, instrument.min_notional / price)
        quantity = 2 * ceil_to(smallest, instrument.lot)
        return self._order(Role.ENTRY, 1, quantity, limit_price=limit, number=number)

    def _order(
        self,
        role: Role,
        attempt: int,
        quantity: Decimal,
        *,
        limit_price: Decimal | None = None,
        trigger_price: Decimal | None = None,
        number: int = 2,
    ) -> Order:
        """Make an order and send it."""
        order = Order(
            client_order_id=client_order_id(self._code, number, role, attempt),
            va_id="",
            symbol=self._instrument.symbol,
            position_id=number,
            role=role,
            order_type=_TYPES[role],
            side=Side.BUY if role is Role.ENTRY else Side.SELL,
            position_side=PositionSide.LONG,
            quantity=quantity,
            created_at_ns=self._line.now_ns(),
            limit_price=limit_price,
            trigger_price=trigger_price,
        )
        self._talk.send_order(order)
        return order


_TYPES = {
    Role.ENTRY: OrderType.LIMIT_IOC,
    Role.STOP: OrderType.STOP,
    Role.EXIT: OrderType.MARKET,
}
