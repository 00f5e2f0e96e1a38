"""A desk, a model venue and the wire between them: where the state machine of the desk and its
seeded lives are played. The shell's part is played by `think`, `leave` and `hear`.

An action chooses among what there is, so that any numbers make sense; `settle` ends all faults.
"""

from decimal import Decimal
from typing import Any, TypeVar, cast

from pointsman.domain.commands import Cancel, Command, Compare, Step, Submit
from pointsman.domain.events import (
    Compared,
    Event,
    FlattenRequested,
    Killed,
    Level,
    LevelReached,
    LinkChanged,
    NotSent,
    OrderSent,
    Rearmed,
    ReportWord,
    Resumed,
    SignalReceived,
    TimerFired,
    VenueLink,
)
from pointsman.domain.life_cycle import FINAL
from pointsman.domain.market import Quote
from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.policy import PositionMode, ReduceOnlyMode
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side, SignalSide
from pointsman.domain.signals import Signal
from pointsman.domain.venue_reports import OrderFound, Snapshot
from pointsman.execution import reconcile
from pointsman.execution.ports import VenueReply, VenueRequest
from tests.desk_stories import MIDNIGHT_NS, SECOND_NS, START_NS, WINDOW, limits, policy
from tests.model_venue import ModelVenue
from tests.order_stories import CODE, KeptDesk, dump, loaded_again, replace, start

VAS = ("VA001", "VA002", "VA003")
PRICE = Decimal(100)
FREE = limits(max_position_size=Decimal(1_000_000), max_loss_cooldown=0, max_open_positions=3)
ARRIVES_WITHIN_NS = 9 * SECOND_NS
"""A request that took longer is lost: less than the time after which "no such order" counts."""


_T = TypeVar("_T")


class DeskWorld:
    """One desk from its first start on. Not `is_honest` any more: something was lost, out of order,
    or done by somebody else, so that what is over-filled is not ours to prevent."""

    def __init__(self, mode: PositionMode, reduce_only: ReduceOnlyMode) -> None:
        rules = policy(FREE, position_mode=mode, reduce_only_mode=reduce_only)
        self.venue = ModelVenue(rules, PRICE)
        self.desk = KeptDesk(rules, CODE)
        self.now_ns = START_NS
        self.under_way: list[tuple[int, VenueRequest]] = []
        self.heard: list[VenueReply] = []
        self.outbox: list[Command] = []
        self.sent: dict[str, Order] = {}
        self.asked_at_ns = 0
        self.differences = 0
        self.signals = 0
        self.is_honest = True
        self.after(start(self.desk, VAS))
        self.settle()

    # -- the shell ---------------------------------------------------------------------------------

    def quote(self) -> Quote:
        price, size = self.venue.price, Decimal(1000)
        return Quote("XXX", self.now_ns, price, size, price, size)

    def think(self, event: Event) -> Step:
        """Through the door; at a moment of its own, as in a live run."""
        self.now_ns += 1
        self.venue.now_ns = self.now_ns
        if "mark" in event.__struct_fields__:
            event = replace(event, mark=self.quote())
        return self.after(self.desk.handle(event, self.now_ns))

    def after(self, step: Step) -> Step:
        self.outbox += step.commands
        for command in step.commands:
            if isinstance(command, Submit):
                self.sent[command.order.client_order_id] = command.order
        return step

    def leave(self) -> None:
        """All that is durable leaves, in order."""
        while self.outbox:
            command = self.outbox.pop(0)
            assert isinstance(command, VenueRequest)
            if isinstance(command, Compare):
                self.now_ns += 1
                self.asked_at_ns = self.now_ns
                command = Compare(self.desk.books.desk.fills_cursor)
            self.under_way.append((self.now_ns, command))
            if isinstance(command, Submit):
                self.think(OrderSent(command.order.client_order_id))

    def hear(self, reply: VenueReply) -> None:
        """What the shell makes of a reply."""
        if isinstance(reply, Snapshot):
            # One question at a time, and one answer to it.
            if reply.asked_at_ns == self.asked_at_ns:
                self.asked_at_ns = 0
                self.compare(reply)
        elif isinstance(reply, OrderFound):
            if reply.order.client_order_id in self.desk.books.orders:
                for report in reconcile.reports_from(reply):
                    self.think(report)
        else:
            self.think(reply)

    def compare(self, snapshot: Snapshot) -> None:
        books = self.desk.books
        found = reconcile.compare(books, snapshot)
        for report in found.reports:
            self.think(report)
        self.differences = len(found.reports)
        for trade in found.other_trades:
            if trade.client_order_id in self.sent:
                known = self.desk.kept.known_order(trade.client_order_id)
                assert known is not None
                self.differences += reconcile.trade_key(trade) not in known.fill_keys
                self.think(reconcile.trade_report(trade))
            else:
                self.differences += 1
                self.think(reconcile.foreign_fill(trade, self.quote()))
        for differs in reconcile.differing_holdings(books, snapshot):
            self.differences += 1
            self.think(differs)
        cursor = snapshot.fills_cursor
        self.think(Compared(True, snapshot.taken_at_ns, self.differences, cursor, found.unseen))

    # -- the world ---------------------------------------------------------------------------------

    def signal(self, va: str, side: SignalSide, quantity: int, is_all: bool) -> None:
        if not self.desk.books.is_ready:
            return
        self.signals += 1
        size = None if is_all and side is SignalSide.CLOSE else Decimal(quantity)
        sent = Signal(f"s{self.signals}", va, "XXX", side, quantity=size)
        quote = self.quote()
        self.think(SignalReceived(sent, quote, quote, WINDOW, MIDNIGHT_NS))

    def an_entry_is_filled(
        self, va: str, side: SignalSide, quantity: int, slices: list[int]
    ) -> None:
        """A signal, and its order all the way through the venue; what the venue says of it is not
        heard yet."""
        self.signal(va, side, quantity, False)
        self.leave()
        self.arrive(len(self.under_way))
        for order in self.venue.working(OrderType.LIMIT_IOC):
            for part in slices:
                if self.venue.orders[order.client_order_id].status not in FINAL:
                    self.venue.fill(order.client_order_id, Decimal(part))
            if self.venue.orders[order.client_order_id].status not in FINAL:
                self.venue.end(order.client_order_id, ReportWord.CANCELED)
        self.collect()

    def requests_leave_and_arrive(self, count: int) -> None:
        self.leave()
        self.arrive(count)

    def requests_do_not_leave(self, count: int) -> None:
        """The connection is refused: what is sent is given back, and nothing of it arrives."""
        self.leave()
        kept_back = [one for one in self.under_way if isinstance(one[1], Submit | Cancel)][:count]
        for sent in kept_back:
            self.under_way.remove(sent)
            request, is_cancel = sent[1], isinstance(sent[1], Cancel)
            order_id = (
                request.order.client_order_id
                if isinstance(request, Submit)
                else cast(Cancel, request).client_order_id
            )
            told = NotSent(
                client_order_id=order_id,
                is_cancel=is_cancel,
                reason=Reason.VENUE_DOWN,
                ts_ns=self.now_ns,
            )
            self.heard.append(told)

    def a_link_changes(self, link: VenueLink, is_up: bool) -> None:
        self.think(LinkChanged(link, is_up, self.now_ns))

    def arrive(self, count: int) -> None:
        for asked_at_ns, request in self.under_way[:count]:
            self.now_ns += 1
            self.venue.now_ns = self.now_ns
            self.venue.take(request, asked_at_ns)
        del self.under_way[:count]
        self.collect()

    def collect(self) -> None:
        self.heard += self.venue.replies
        self.venue.replies.clear()

    def replies_are_heard(self, places: list[int], is_doubled: bool) -> None:
        """Not always in order, and sometimes twice."""
        for far in places:
            if self.heard:
                place = min(far, len(self.heard) - 1)
                self.is_honest &= place == 0
                reply = self.heard.pop(place)
                self.hear(reply)
                self.heard += [reply] * is_doubled

    def all_replies_are_heard(self) -> None:
        while self.heard:
            self.hear(self.heard.pop(0))

    def something_is_lost(self, place: int, is_request: bool) -> None:
        lost: list[Any] = self.under_way if is_request else self.heard
        if lost:
            self.is_honest = False
            lost.remove(nth(lost, place))

    def an_order_fills(self, place: int, quantity: int) -> None:
        if orders := self.venue.fillable():
            self.venue.fill(nth(orders, place).client_order_id, Decimal(quantity))
            self.collect()

    def an_order_ends(self, place: int, word: ReportWord) -> None:
        """The rest of an immediate-or-cancel order, or the venue ends what should have gone on."""
        if orders := self.venue.working(*OrderType):
            self.venue.end(nth(orders, place).client_order_id, word)
            self.collect()

    def the_price_moves(self, percent: int) -> None:
        self.venue.move_to(Decimal(percent))
        self.collect()

    def the_watch_sees_a_level(self, place: int, level: Level) -> None:
        if held := list(self.desk.books.positions):
            self.think(LevelReached(nth(held, place), level, self.quote()))

    def time_passes(self, milliseconds: int) -> None:
        self.pass_time(milliseconds * 10**6)

    def pass_time(self, after_ns: int) -> None:
        until_ns = self.now_ns + after_ns
        while (due_ns := self.desk.next_due_ns()) is not None and due_ns <= until_ns:
            self.now_ns = max(self.now_ns, due_ns)
            timer = self.desk.due_timer(self.now_ns)
            assert timer is not None
            self.think(TimerFired(timer))
            self.leave()
        self.now_ns = max(self.now_ns, until_ns)
        fresh = [one for one in self.under_way if self.now_ns - one[0] < ARRIVES_WITHIN_NS]
        self.is_honest &= len(fresh) == len(self.under_way)
        self.under_way = fresh

    def a_comparison_is_asked_for(self) -> None:
        self.leave()
        self.outbox.append(Compare(self.desk.books.desk.fills_cursor))
        self.leave()

    def the_program_dies(self, survivors: int, has_left: bool) -> None:
        """What it was told and had not taken in is gone; some of what it sent still arrives."""
        if has_left:
            self.leave()
        self.is_honest &= not self.outbox and not self.heard and len(self.under_way) <= survivors
        del self.under_way[survivors:]
        self.outbox.clear()
        self.heard.clear()
        again = loaded_again(self.desk)
        assert dump(again.books) == dump(self.desk.books), "I18"
        self.desk = again
        self.now_ns += 1
        self.after(start(self.desk, VAS, after_ns=1))

    def the_next_order_is_refused(self, reason: Reason) -> None:
        self.venue.refuse_next = reason

    def somebody_else_trades(self, position_side: PositionSide, side: Side, quantity: int) -> None:
        self.is_honest = False
        self.venue.foreign("XXX", position_side, side, quantity)

    def a_person_acts(self, what: str, va: str) -> None:
        if what == "flatten one":
            self.think(FlattenRequested(va, "person", "test"))
        elif what == "go on":
            self.think(Rearmed("person", "test"))
            for each in VAS:
                self.think(Resumed(each, "person", "test"))
        else:
            self.think(Killed(what == "flatten", "person", "test"))

    # -- at rest -----------------------------------------------------------------------------------

    def settle(self) -> None:
        """No more faults: what was sent arrives, what was said is heard, markets fill."""
        self.venue.refuse_next = None
        for link in VenueLink:
            self.a_link_changes(link, is_up=True)
        self.venue.move_to(PRICE)
        quiet_cycles = 0
        for _ in range(60):
            self.leave()
            self.arrive(len(self.under_way))
            for order in self.venue.fillable():
                if order.order_type is OrderType.LIMIT_IOC:
                    self.venue.end(order.client_order_id, ReportWord.CANCELED)
                else:
                    self.venue.fill(order.client_order_id, order.quantity)
            self.collect()
            while self.heard:
                self.hear(self.heard.pop(0))
            is_quiet = not self.outbox and not self.under_way and self.is_at_rest()
            quiet_cycles = quiet_cycles + 1 if is_quiet else 0
            if quiet_cycles == 3:
                return
            self.pass_time(SECOND_NS // 2)
            self.outbox.append(Compare(self.desk.books.desk.fills_cursor))
        raise AssertionError(("never at rest", dump(self.desk.books), self.venue.orders))

    def is_at_rest(self) -> bool:
        books = self.desk.books
        doubtful = [
            order
            for order in books.orders.values()
            if order.role is not Role.STOP or not order.is_working or order.is_cancel_pending
        ]
        leaving = [p for p in books.positions.values() if p.exit_retry_at_ns is not None]
        is_calm = books.is_ready and not self.differences and not books.naked
        return is_calm and not doubtful and not leaving


def nth(found: list[_T], place: int) -> _T:
    """The one at `place`, or the last."""
    return found[min(place, len(found) - 1)]
