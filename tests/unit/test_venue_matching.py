"""The books behind the loopback venue servers, which the tests of real venues' adapters rely on."""

from decimal import Decimal
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.venue_servers.matching import Account
from tests.venue_servers.records import (
    ENDED,
    ZERO,
    Change,
    ChangeKind,
    FillKind,
    Holding,
    Instrument,
    Order,
    Reason,
    Refused,
    Side,
    Status,
    TimeInForce,
    TriggerBy,
)

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
BTC = Instrument(
    symbol="BTC",
    base="BTC",
    quote="USDT",
    tick=D("0.1"),
    lot=D("0.001"),
    min_quantity=D("0.001"),
    max_quantity=D(100),
    max_market_quantity=D(50),
    min_notional=D(5),
)


class Told(list[Change]):
    """What the account told, short: `trade`, `ended`, ..."""

    def kinds(self) -> str:
        return " ".join(change.kind for change in self)


def opened(
    *, is_hedging: bool = False, cash: str = "100000", **how: object
) -> tuple[Account, Told]:
    told = Told()
    clock = count(1)
    account = Account(
        {"BTC": BTC},
        D(cash),
        now_ns=lambda: next(clock),
        hears=told.append,
        leverage=D(10),
        **how,  # type: ignore[arg-type]
    )
    account.is_hedging = is_hedging
    account.quote("BTC", D(100), D(101))
    return account, told


def order(side: Side, quantity: object = 1, price: object = None, **more: object) -> Order:
    limit = None if price is None else D(str(price))
    if "trigger_price" in more:
        more["trigger_price"] = D(str(more["trigger_price"]))
    return Order(symbol="BTC", side=side, quantity=D(str(quantity)), price=limit, **more)  # type: ignore[arg-type]


def refused(account: Account, wanted: Order) -> Reason:
    before = (dict(account.orders), account.cash, list(account.fills))
    with pytest.raises(Refused) as refusal:
        account.place(wanted)
    assert before == (dict(account.orders), account.cash, list(account.fills))
    return refusal.value.reason


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (order(BUY, 1, "100.05"), Reason.BAD_TICK),
        (order(SELL, 1, trigger_price="90.01"), Reason.BAD_TICK),
        (order(BUY, "0.0015"), Reason.BAD_LOT),
        (order(BUY, "0"), Reason.BELOW_MINIMUM),
        (order(BUY, "0.01", 100), Reason.BELOW_NOTIONAL),
        (order(BUY, 51), Reason.ABOVE_MAXIMUM),
        (order(BUY, 101, 100), Reason.ABOVE_MAXIMUM),
        (order(BUY, holding=Holding.LONG), Reason.WRONG_HOLDING),
        (order(SELL, is_reduce_only=True), Reason.NOTHING_TO_REDUCE),
        (order(SELL, trigger_price=101), Reason.WOULD_TRIGGER),
        (order(BUY, trigger_price=100, trigger_rises=True), Reason.WOULD_TRIGGER),
        (Order(symbol="ETH", side=BUY, quantity=D(1)), Reason.UNKNOWN_SYMBOL),
    ],
)
def test_an_order_that_breaks_a_rule_is_refused_and_changes_nothing(
    wanted: Order, reason: Reason
) -> None:
    assert refused(opened()[0], wanted) is reason


def test_what_the_account_cannot_carry_is_refused_but_closing_is_not() -> None:
    account, _ = opened(cash="100")
    assert refused(account, order(BUY, 10)) is Reason.INSUFFICIENT
    account.place(order(BUY, 9))
    assert refused(account, order(BUY, 1)) is Reason.INSUFFICIENT
    assert account.place(order(SELL, 9)).status is Status.FILLED


@pytest.mark.parametrize(
    ("keeps_ids", "after_the_end"), [(True, Reason.DUPLICATE_ID), (False, None)]
)
def test_a_client_id_is_taken_while_its_order_is_open_and_at_some_venues_for_ever(
    keeps_ids: bool, after_the_end: Reason | None
) -> None:
    account, _ = opened(keeps_ids=keeps_ids)
    first = account.place(order(BUY, 1, 90, client_id="A"))
    assert refused(account, order(BUY, client_id="A")) is Reason.DUPLICATE_ID
    account.cancel(first.id)
    if after_the_end:
        assert refused(account, order(BUY, client_id="A")) is after_the_end
    else:
        assert account.place(order(BUY, client_id="A")).status is Status.FILLED
        assert account.by_client_id("A") is account.orders[list(account.orders)[-1]]


def test_a_displayed_size_is_traded_once() -> None:
    account, told = opened()
    account.quote("BTC", D(100), D(101), ask_size=D(3))
    assert account.place(order(BUY, 2)).status is Status.FILLED
    rest = account.place(order(BUY, 2, 101, time_in_force=TimeInForce.IOC))
    assert (rest.filled, rest.status, rest.ended_by) == (
        1,
        Status.EXPIRED,
        Reason.NOT_FILLED_AT_ONCE,
    )
    assert account.place(order(BUY, 2, 101)).status is Status.NEW
    account.quote("BTC", D(100), D(101), ask_size=D(1))
    assert account.open_orders()[0].status is Status.PARTIALLY_FILLED
    assert told.kinds() == "new trade new trade ended new trade"


@pytest.mark.parametrize(
    ("time_in_force", "status", "reason"),
    [
        (TimeInForce.GTC, Status.PARTIALLY_FILLED, None),
        (TimeInForce.IOC, Status.EXPIRED, Reason.NOT_FILLED_AT_ONCE),
        (TimeInForce.FOK, Status.EXPIRED, Reason.NOT_FILLED_AT_ONCE),
        (TimeInForce.POST_ONLY, Status.CANCELED, Reason.WOULD_TAKE),
    ],
)
def test_what_is_not_filled_at_once_ends_as_its_time_in_force_says(
    time_in_force: TimeInForce, status: Status, reason: Reason | None
) -> None:
    account, _ = opened()
    account.quote("BTC", D(100), D(101), ask_size=D(1))
    done = account.place(order(BUY, 2, 101, time_in_force=time_in_force))
    takes = time_in_force in (TimeInForce.GTC, TimeInForce.IOC)
    assert (done.status, done.ended_by, done.filled) == (status, reason, int(takes))


def test_an_unknown_symbol_has_no_quote() -> None:
    with pytest.raises(Refused, match="unknown_symbol"):
        opened()[0].quote("ETH", D(1), D(2))


def test_what_rests_is_filled_at_its_own_price_as_a_maker() -> None:
    account, _ = opened(taker_rate=D("0.001"), maker_rate=D("0.0001"))
    account.place(order(BUY, 2, 99))
    account.quote("BTC", D(97), D(98))
    (fill,) = account.fills
    assert (fill.price, fill.is_maker, fill.fee) == (99, True, D("0.0198"))


@pytest.mark.parametrize(
    ("trigger_by", "bid", "ask", "last", "triggers"),
    [
        (TriggerBy.LAST, 89, 96, None, False),
        (TriggerBy.LAST, 89, 90, None, True),
        (TriggerBy.LAST, 99, 100, 90, True),
        (TriggerBy.TOUCH, 90, 96, None, True),
        (TriggerBy.TOUCH, 91, 92, 80, False),
        (TriggerBy.TOUCH, 0, 92, None, False),
    ],
)
def test_a_stop_waits_for_its_own_price(
    trigger_by: TriggerBy, bid: int, ask: int, last: int | None, triggers: bool
) -> None:
    account, told = opened()
    account.place(order(BUY))
    stop = account.place(
        order(SELL, trigger_price=90, trigger_by=trigger_by, is_reduce_only=True, client_id="S")
    )
    account.quote("BTC", D(bid), D(ask), last=None if last is None else D(last))
    after = account.orders[stop.id]
    assert after.status is (Status.FILLED if triggers else Status.UNTRIGGERED)
    assert told.kinds() == "new trade new" + " triggered trade" * triggers


def test_a_stop_with_nothing_left_to_close_fails_only_when_it_triggers() -> None:
    account, told = opened()
    account.place(order(BUY))
    stop = account.place(order(SELL, trigger_price=90, is_reduce_only=True))
    resting = account.place(order(SELL, 1, 110, is_reduce_only=True))
    account.place(order(SELL))
    assert account.orders[resting.id].ended_by is Reason.NOTHING_TO_REDUCE
    assert account.orders[stop.id].status is Status.UNTRIGGERED
    account.quote("BTC", D(89), D(90))
    assert account.orders[stop.id].status is Status.REJECTED
    assert told[-1].kind is ChangeKind.ENDED


def test_a_reduce_only_order_trades_no_more_than_is_held() -> None:
    account, _ = opened()
    account.place(order(BUY, 1))
    done = account.place(order(SELL, 3, is_reduce_only=True))
    assert (done.filled, done.status, account.position("BTC").quantity) == (1, Status.CANCELED, 0)


def test_an_account_that_hedges_keeps_both_sides_apart() -> None:
    account, _ = opened(is_hedging=True)
    account.place(order(BUY, 2, holding=Holding.LONG))
    account.place(order(SELL, 3, holding=Holding.SHORT))
    account.place(order(SELL, 1, holding=Holding.LONG))
    assert {p.holding: p.quantity for p in account.held()} == {Holding.LONG: 1, Holding.SHORT: -3}
    account.liquidate("BTC", Holding.SHORT, FillKind.DELEVERAGING)
    assert [p.holding for p in account.held()] == [Holding.LONG]
    assert account.fills[-1].kind is FillKind.DELEVERAGING
    assert refused(account, order(BUY, 1, holding=Holding.SHORT)) is Reason.NOTHING_TO_REDUCE


def test_nothing_trades_or_triggers_in_a_halt() -> None:
    account, _ = opened()
    account.place(order(BUY))
    account.halt("BTC")
    stop = account.place(order(SELL, trigger_price=90, is_reduce_only=True))
    waiting = account.place(order(BUY))
    account.quote("BTC", D(80), D(81))
    assert [o.id for o in account.open_orders()] == [stop.id, waiting.id]
    account.resume("BTC")
    assert [(f.order_id, f.price) for f in account.fills[1:]] == [(stop.id, 80), (waiting.id, 81)]


def test_a_match_is_told_in_pieces_that_sum_to_it() -> None:
    account, told = opened()
    account.pieces = 20
    done = account.place(order(BUY, "1.234"))
    assert done.status is Status.FILLED
    assert [change.kind for change in told].count(ChangeKind.TRADE) == 20
    assert sum(fill.quantity for fill in account.fills) == D("1.234")


def test_an_amended_order_keeps_its_id_and_matches_again() -> None:
    account, _ = opened()
    first = account.place(order(BUY, 2, 99))
    assert account.amend(first.id, quantity=D(1), price=D(101)).status is Status.FILLED
    with pytest.raises(Refused, match=r"order_ended"):
        account.amend(first.id, quantity=D(1))
    stop = account.place(order(SELL, trigger_price=90))
    assert account.amend(stop.id, trigger_price=D(95)).trigger_price == 95
    with pytest.raises(Refused, match=r"would_trigger"):
        account.amend(stop.id, trigger_price=D(105))


def test_a_share_is_paid_in_full_and_a_payment_moves_cash_alone() -> None:
    account, _ = opened(settles_in_full=True)
    account.place(order(BUY, 2))
    assert (account.cash, account.equity()) == (D(100000) - 202, D(100000) - 202 + D("201.0"))
    account.pay("BTC", D("-0.5"))
    assert account.cash == D("99797.5")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["market", "limit", "stop", "quote", "cancel"]),
        st.sampled_from([BUY, SELL]),
        st.integers(1, 40),
        st.integers(90, 111),
        st.booleans(),
    ),
    max_size=40,
)


def take_step(
    account: Account, what: str, side: Side, quantity: int, price: int, flag: bool
) -> None:
    if what == "quote":
        account.quote("BTC", D(price), D(price + 1), bid_size=D(quantity), ask_size=D(quantity))
    elif what == "cancel":
        for working in account.open_orders()[:1]:
            account.cancel(working.id)
    elif what == "stop":
        account.place(order(side, quantity, trigger_price=price, is_reduce_only=flag))
    else:
        limit = None if what == "market" else price
        account.place(order(side, quantity, limit, is_reduce_only=flag))


@given(steps=STEPS, pieces=st.integers(1, 3))
def test_positions_and_cash_follow_from_the_fills_whatever_happens(
    steps: list[tuple[str, Side, int, int, bool]], pieces: int
) -> None:
    account, told = opened(taker_rate=D("0.0005"), cash="1000000")
    account.pieces = pieces
    ended: dict[str, Order] = {}
    for step in steps:
        held = account.position("BTC").quantity
        try:
            take_step(account, *step)
        except Refused:
            assert account.position("BTC").quantity == held
        signed = sum((f.side.sign * f.quantity for f in account.fills), ZERO)
        assert account.position("BTC").quantity == signed
        assert all(account.orders[done] == old for done, old in ended.items())
        ended |= {o.id: o for o in account.orders.values() if o.status in ENDED}
    for change in told:
        if change.fill and change.order and change.order.is_reduce_only:
            assert change.fill.closed == change.fill.quantity
    for working in account.open_orders():
        account.cancel(working.id)
    account.quote("BTC", D(100), D(101))
    if account.position("BTC").quantity:
        account.liquidate("BTC")
    bought = sum((f.side.sign * f.quantity * f.price + f.fee for f in account.fills), ZERO)
    assert account.cash == D(1000000) - bought
