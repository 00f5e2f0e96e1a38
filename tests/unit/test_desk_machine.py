"""The desk against a venue that is honest and nasty: whatever is lost, late, doubled, partly
filled, refused, raced, or done by somebody else, and whenever the program dies, the books add up,
nothing is sent twice, what leaves never exceeds what is held, and once all is quiet again every
position is covered or gone and the records equal the venue's.
"""

import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from pointsman.domain.accounts import Account, KillState
from pointsman.domain.client_order_ids import parse_client_order_id
from pointsman.domain.commands import Cancel, Command, Step, Submit
from pointsman.domain.events import (
    Level,
    ReportWord,
    VenueLink,
)
from pointsman.domain.money import ZERO
from pointsman.domain.orders import Fill, Order, OrderType, Role
from pointsman.domain.policy import PositionMode, ReduceOnlyMode
from pointsman.domain.positions import Position, PositionState, Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side, SignalSide
from pointsman.execution import reconcile
from pointsman.execution.external_holdings import our_holdings
from pointsman.execution.shortfall import lacking
from tests.desk_world import VAS, DeskWorld
from tests.order_stories import CODE, dump, loaded_again


class CheckedWorld(DeskWorld):
    """A world in which everything is checked."""

    def __init__(self, mode: PositionMode, reduce_only: ReduceOnlyMode) -> None:
        self.best: dict[str, Decimal] = {}
        super().__init__(mode, reduce_only)

    def after(self, step: Step) -> Step:
        for command in step.commands:
            if isinstance(command, Submit):
                assert command.order.client_order_id not in self.sent, "I2"
                self.check_create(command.order)
        self.check_order_of(step.commands)
        return super().after(step)

    def all_is_quiet_again(self) -> None:
        self.settle()
        self.check_rest()

    # -- what must hold after every step -----------------------------------------------------------

    def check(self) -> None:
        """All that must hold after every step."""
        self.the_books_add_up()
        self.orders_only_fill_further()
        self.the_lease_follows_what_is_held()
        self.nothing_overfills_while_nothing_is_lost()

    def check_create(self, order: Order) -> None:
        """I2, I3, I7, I9: each id once and legal; what leaves never exceeds what is held."""
        order_id = order.client_order_id
        assert len(order_id) <= 32, order_id
        assert order_id.isalnum(), order_id
        parts = parse_client_order_id(order_id)
        assert parts is not None
        assert (parts.code, parts.number, parts.role) == (CODE, order.position_id, order.role)
        if order.role is Role.ENTRY:
            return
        books = self.desk.books
        position = books.positions[order.position_id]
        assert order.side is position.side.closes_with, ("I9", order)
        key = (order.symbol, position.side)
        alone = set(books.holders.get(key, {})) == {order.va_id}
        foreign = books.externals.get(books.policy.venue_key(*key))
        if books.policy.venue_clips and alone and (foreign is None or not foreign.quantity):
            return
        orders = [o for o in self.desk.kept.all(Order) if o.position_id == order.position_id]
        out = sum((o.leaves for o in orders if o.role is not Role.ENTRY), ZERO)
        assert out <= position.quantity, ("I7", position, out)

    def check_order_of(self, commands: tuple[Command, ...]) -> None:
        """What makes room goes before what needs it."""
        ranks = [
            0 if isinstance(c, Cancel) else 1 + c.may_raise_exposure
            for c in commands
            if isinstance(c, Cancel | Submit)
        ]
        assert ranks == sorted(ranks)

    def the_books_add_up(self) -> None:
        """RULES 14, I6: from the fills and trades that were kept."""
        kept = self.desk.kept
        for account in kept.all(Account):
            fills = [f for f in kept.all(Fill) if f.va_id == account.va_id]
            paid = sum((f.side.sign * f.quantity * f.price + f.fee for f in fills), ZERO)
            assert account.cash == account.start_balance - paid
            earned = sum((t.pnl for t in kept.all(Trade) if t.va_id == account.va_id), ZERO)
            earned += sum(
                (p.realized_to_date for p in kept.all(Position) if p.va_id == account.va_id), ZERO
            )
            assert account.realized == earned
            assert account.fees == sum((f.fee for f in fills), ZERO)

    def orders_only_fill_further(self) -> None:
        """I4: what has filled never falls, and never exceeds the order."""
        for order in self.desk.kept.all(Order):
            assert order.filled >= self.best.get(order.client_order_id, ZERO)
            assert order.filled <= order.quantity
            self.best[order.client_order_id] = order.filled

    def the_lease_follows_what_is_held(self) -> None:
        """I10: held or worked means leased; nothing left means free."""
        books = self.desk.books
        for va_id, account in books.accounts.items():
            index = books.index[va_id]
            busy = bool(index.orders) or any(
                books.positions[key].state is not PositionState.DUST for key in index.positions
            )
            assert (account.leased_symbol == "XXX") == busy, (account, index.orders)

    def nothing_overfills_while_nothing_is_lost(self) -> None:
        """Where exits and stops never overlap. Where they may, a fill can cross with the cancel
        that a newcomer makes necessary."""
        if self.is_honest and not self.desk.books.policy.venue_clips:
            assert Reason.OVERFILL not in self.desk.kept.incidents()

    # -- at rest -----------------------------------------------------------------------------------

    def check_rest(self) -> None:
        """I7, I10, I18, I20: covered or flat, nothing in doubt, our record equals the venue's."""
        books, venue = self.desk.books, self.venue
        snapshot = venue.snapshot(books.desk.fills_cursor, self.now_ns)
        assert reconcile.compare(books, snapshot) == reconcile.Comparison((), (), (), ()), "I20"
        assert reconcile.differing_holdings(books, snapshot) == []
        theirs = {
            (s, side or PositionSide.LONG): held for (s, side), held in venue.holdings.items()
        }
        ours = our_holdings(books)
        for key, external in books.externals.items():
            ours[key] = ours.get(key, ZERO) + external.quantity
        for key in theirs | ours:
            assert theirs.get(key, ZERO) == ours.get(key, ZERO), ("RULES 28", key)
        assert {o.client_order_id for o in venue.working(*OrderType)} == set(books.orders)
        for position in books.positions.values():
            if position.is_live:
                self.check_cover(position)
        assert dump(loaded_again(self.desk).books) == dump(books), "I18"
        if books.kill_switch.state is KillState.FLATTEN:
            flat = not any(p.is_live for p in books.positions.values())
            assert flat or not self.is_honest

    def check_cover(self, position: Position) -> None:
        books = self.desk.books
        stops = books.orders_of(position.position_id, Role.STOP)
        resting = sum((stop.leaves for stop in stops), ZERO)
        assert not books.orders_of(position.position_id, Role.EXIT)
        if lacking(books, position.symbol, position.side) == ZERO:
            assert not position.closing_all, position
            assert resting == position.quantity, (position, stops)
        else:
            assert resting <= position.quantity
        assert position.naked_since_ns is None
        for stop in stops:
            shown = self.venue.orders[stop.client_order_id]
            assert (shown.quantity - shown.filled, shown.trigger_price) == (
                stop.leaves,
                stop.trigger_price,
            )


# -- what may happen -------------------------------------------------------------------------------

PLACES, BOTH, QUANTITIES = range(4), (False, True), range(1, 13)
ENDS = (ReportWord.CANCELED, ReportWord.EXPIRED)
REFUSALS = (Reason.VENUE_REJECTED, Reason.WOULD_TRIGGER)
MOSTLY_BUY = (SignalSide.BUY,) * 4 + (SignalSide.SELL,)
SLICES = ([1], [3], [8], [1, 2], [4, 4], [8, 1])
PEOPLE = ("go on",) * 8 + ("flatten one", "halt", "flatten")

ACTIONS: list[tuple[int, str, dict[str, Sequence[Any]]]] = [
    (
        10,
        "signal",
        {"va": VAS, "side": tuple(SignalSide), "quantity": QUANTITIES, "is_all": BOTH},
    ),
    (
        15,
        "an_entry_is_filled",
        {"va": VAS, "side": MOSTLY_BUY, "quantity": QUANTITIES, "slices": SLICES},
    ),
    (10, "requests_leave_and_arrive", {"count": range(6)}),
    (15, "replies_are_heard", {"places": ([0], [0] * 3, [0] * 6), "is_doubled": (False,)}),
    (2, "replies_are_heard", {"places": ([1], [3, 0, 2], [2, 2, 0, 1]), "is_doubled": BOTH}),
    (10, "all_replies_are_heard", {}),
    (10, "an_order_fills", {"place": PLACES, "quantity": QUANTITIES}),
    (2, "an_order_ends", {"place": PLACES, "word": ENDS}),
    (5, "the_price_moves", {"percent": (96, 99, 100, 101, 104)}),
    (2, "the_watch_sees_a_level", {"place": PLACES, "level": tuple(Level)}),
    (6, "time_passes", {"milliseconds": (20, 1000, 2500, 6000, 11_000)}),
    (4, "a_comparison_is_asked_for", {}),
    (3, "all_is_quiet_again", {}),
    (2, "the_program_dies", {"survivors": PLACES, "has_left": BOTH}),
    (1, "something_is_lost", {"place": PLACES, "is_request": BOTH}),
    (2, "the_next_order_is_refused", {"reason": REFUSALS}),
    (3, "requests_do_not_leave", {"count": range(1, 4)}),
    (2, "a_link_changes", {"link": tuple(VenueLink), "is_up": BOTH}),
    (
        1,
        "somebody_else_trades",
        {"position_side": tuple(PositionSide), "side": tuple(Side), "quantity": range(1, 7)},
    ),
    (3, "a_person_acts", {"what": PEOPLE, "va": VAS}),
]
"""Weight, action of the world, and what its arguments are chosen from."""


def chosen(name: str, choices: dict[str, Sequence[Any]]) -> st.SearchStrategy[Any]:
    given = {argument: st.sampled_from(list(values)) for argument, values in choices.items()}
    return st.tuples(st.just(name), st.fixed_dictionaries(given))


WEIGHTED = [chosen(name, choices) for weight, name, choices in ACTIONS for _ in range(weight)]


class DeskMachine(RuleBasedStateMachine):
    """Hypothesis chooses what happens, and makes short what went wrong."""

    world: CheckedWorld

    @initialize(mode=st.sampled_from(PositionMode), reduce_only=st.sampled_from(ReduceOnlyMode))
    def begin(self, mode: PositionMode, reduce_only: ReduceOnlyMode) -> None:
        self.world = CheckedWorld(mode, reduce_only)

    @rule(action=st.one_of(WEIGHTED))
    def act(self, action: tuple[str, dict[str, Any]]) -> None:
        name, given = action
        getattr(self.world, name)(**given)
        self.world.check()


DeskMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestDeskMachine = DeskMachine.TestCase


def live(seed: int, steps: int = 80) -> None:
    """One life, the same for the same seed: longer than what shrinks well."""
    chance = random.Random(seed)
    world = CheckedWorld(chance.choice(list(PositionMode)), chance.choice(list(ReduceOnlyMode)))
    weights = [weight for weight, _, _ in ACTIONS]
    for _, name, choices in chance.choices(ACTIONS, weights, k=steps):
        given = {argument: chance.choice(values) for argument, values in choices.items()}
        getattr(world, name)(**given)
        world.check()
    world.all_is_quiet_again()


@pytest.mark.parametrize("first_seed", range(0, 200, 20))
def test_seeded_lives(first_seed: int) -> None:
    for seed in range(first_seed, first_seed + 20):
        live(seed)
