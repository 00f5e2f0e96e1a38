"""Booking: cash, lots, results and trades, exactly (RULES 14, 15, 25)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.events import ForeignFill, ReportWord, VenueFill
from pointsman.domain.money import exact
from pointsman.domain.orders import Fill
from pointsman.domain.positions import Lot, Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.execution.fills import fill_key
from tests.desk_stories import (
    VA,
    account,
    acknowledge,
    decide,
    enter,
    limits,
    policy,
    quote,
    report,
    send,
    signal,
    stop_out,
    submits,
    tell,
)
from tests.order_stories import KeptDesk, fill_of, kept_desk

ENTRY, EXIT = "ABCDEF1E1", "ABCDEF1X1"
PRICES = st.decimals("95", "105", places=2)
FEES = st.decimals("0", "3", places=12)
SLICES = st.lists(st.tuples(st.integers(1, 9), PRICES, FEES), min_size=1, max_size=4)
ROOMY = policy(limits(max_position_size=Decimal(10**6)))

Slices = list[tuple[int, Decimal, Decimal]]


def fill_in_slices(desk: KeptDesk, order_id: str, slices: Slices) -> None:
    for number, (quantity, price, fee) in enumerate(slices):
        tell(desk, fill_of(desk, order_id, f"t{number}", str(quantity), str(price), fee=str(fee)))


@given(side=st.sampled_from(["buy", "sell"]), entries=SLICES, exits=SLICES)
def test_rule_14_cash_and_balance_add_up_to_the_last_digit(
    side: str, entries: Slices, exits: Slices
) -> None:
    """From the fills alone, whatever the sizes: a position that is left is kept at cost."""
    desk = kept_desk(ROOMY)
    total = sum(quantity for quantity, _, _ in entries)
    acknowledge(desk, send(desk, signal("a", side, quantity=str(total))))
    fill_in_slices(desk, ENTRY, entries)
    opposite = "sell" if side == "buy" else "buy"
    send(desk, signal("b", opposite, quantity="40"))
    left = total
    taken: Slices = []
    for quantity, price, fee in exits:
        if left:
            taken.append((min(quantity, left), price, fee))
            left -= taken[-1][0]
    fill_in_slices(desk, EXIT, taken)
    sign = 1 if side == "buy" else -1
    with exact():
        fees = sum((fee for _, _, fee in [*entries, *taken]), Decimal(0))
        spent = sum((q * p for q, p, _ in entries), Decimal(0))
        earned = sum((q * p for q, p, _ in taken), Decimal(0))
        va = account(desk)
        assert va.cash == 100_000 - sign * (spent - earned) - fees
        assert va.fees == fees
        gain = sum(first_in_first_out(entries, taken, sign), Decimal(0))
        assert va.balance == 100_000 + gain - fees
        held = desk.books.positions.get(1)
        realized = Decimal(0) if held is None else held.realized_to_date
        assert va.realized == sum((one.pnl for one in desk.kept.all(Trade)), realized)
    assert (held is None) == (left == 0)


def first_in_first_out(entries: Slices, exits: Slices, sign: int) -> list[Decimal]:
    """What each single unit earned: the first bought is the first sold."""
    bought = [price for quantity, price, _ in entries for _ in range(quantity)]
    sold = [price for quantity, price, _ in exits for _ in range(quantity)]
    return [sign * (out - into) for into, out in zip(bought, sold, strict=False)]


def test_rule_14_lots_leave_in_the_order_in_which_they_came() -> None:
    desk = kept_desk()
    acknowledge(desk, send(desk, signal("a", quantity="20")))
    fill_in_slices(desk, ENTRY, [(10, Decimal(100), Decimal(0)), (10, Decimal(99), Decimal(0))])
    send(desk, signal("b", "close", "12"))
    fill_in_slices(desk, EXIT, [(12, Decimal(101), Decimal(0))])
    held = desk.books.positions[1]
    assert held.lots == (Lot(Decimal(8), Decimal(99)),)
    assert held.realized_to_date == 10 * 1 + 2 * 2


def test_rule_15_first_in_first_out_is_by_first_fill_one_exit_order_each() -> None:
    desk = kept_desk()
    for name in ("a", "b"):
        acknowledge(desk, send(desk, signal(name)))
    for order_id in ("ABCDEF2E1", ENTRY):
        acknowledge(desk, tell(desk, fill_of(desk, order_id, "t1", "10")))
    leaving = submits(send(desk, signal("c", "close", "14")))
    assert [order.position_id for order in leaving] == [2, 1]
    assert [order.quantity for order in leaving] == [10, 4]


@pytest.mark.parametrize(
    ("price", "fee", "counts"),
    [
        ("101", "0", (1, 0, 0)),
        ("99", "0", (0, 1, 1)),
        ("100", "0", (0, 0, 0)),
        ("100", "0.1", (0, 1, 1)),
    ],
)
def test_rule_15_a_win_a_loss_or_neither(price: str, fee: str, counts: tuple[int, ...]) -> None:
    desk = kept_desk()
    stop_out(desk, enter(desk, signal("a")), price, fee=fee)
    va = account(desk)
    assert (va.wins, va.losses, va.loss_streak) == counts
    assert va.trades == 1


def test_a_trade_shows_averages_and_keeps_the_exact_result() -> None:
    desk = kept_desk()
    acknowledge(desk, send(desk, signal("a", quantity="3")))
    fill_in_slices(
        desk, ENTRY, [(2, Decimal(100), Decimal("0.02")), (1, Decimal("100.01"), Decimal("0.01"))]
    )
    send(desk, signal("b", "close", None))
    fill_in_slices(desk, EXIT, [(3, Decimal("101.1"), Decimal("0.03"))])
    (closed,) = desk.kept.all(Trade)
    assert closed.entry_price == Decimal("100.0033333333")
    assert (closed.exit_price, closed.quantity) == (Decimal("101.1"), Decimal(3))
    assert closed.pnl == Decimal("303.3") - Decimal("300.01") - Decimal("0.06")
    assert (closed.exit_reason, closed.signal_id) == (Reason.SIGNAL_EXIT, "a")


def test_a_partly_closed_position_has_realized_what_it_will_not_lose_again() -> None:
    """RULES 14: entry fees and closed parts are realized when they happen."""
    desk = kept_desk()
    enter(desk, signal("a"), fee="0.1")
    assert account(desk).balance == Decimal("99999.9")
    send(desk, signal("b", "close", "5"))
    fill_in_slices(desk, EXIT, [(5, Decimal(102), Decimal("0.05"))])
    assert account(desk).balance == Decimal("99999.9") + 10 - Decimal("0.05")
    assert desk.books.positions[1].realized_to_date == Decimal("9.85")


def test_an_entry_that_fills_nothing_is_no_position() -> None:
    """F26: and the symbol is free."""
    desk = kept_desk()
    acknowledge(desk, send(desk, signal("a")))
    report(desk, ENTRY, ReportWord.EXPIRED)
    assert (desk.books.positions, desk.kept.all(Trade), desk.kept.all(Fill)) == ({}, [], [])
    assert decide(desk, signal("b", symbol="YYY")).reason is None
    assert desk.books.slots_used(VA) == 1


def test_rule_17_equity_is_sampled_at_each_fill_of_the_account_that_filled() -> None:
    desk = kept_desk(accounts=("VA001", "VA002"))
    enter(desk, signal("a"))
    enter(desk, signal("b", va_id="VA002"))
    tell(desk, fill_of(desk, "ABCDEF1S1", "t1", "4", "98", mark=quote(0, "97", "97.01")))
    assert account(desk).equity == 100_000 - 8 - 18
    tell(desk, fill_of(desk, "ABCDEF1S1", "t2", "8", "98", mark=quote(0, "97", "97.01")))
    assert account(desk, "VA002").frozen_for is Reason.OVERFILL
    assert account(desk, "VA002").equity == 100_000, "it was frozen, it did not fill"


def test_rule_17_a_foreign_fill_that_is_charged_to_an_account_is_a_fill_of_it() -> None:
    desk = kept_desk()
    enter(desk, signal("a"))
    fill = VenueFill("f1", Decimal(4), Decimal(90), Decimal(0), desk.now_ns)
    mark = quote(desk.now_ns, "90", "90.01")
    tell(desk, ForeignFill("XXX", PositionSide.LONG, Side.SELL, fill, "somebody", mark))
    assert account(desk).max_drawdown == Decimal("0.001")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["o1", "o2"]),
            st.sampled_from(list(Side)),
            st.sampled_from(["", "t1", "t2"]),
            st.integers(1, 3),
            st.integers(1, 3),
        ),
        min_size=2,
        max_size=2,
        unique=True,
    )
)
def test_i5_two_executions_share_a_key_only_if_they_are_one(
    pair: list[tuple[str, Side, str, int, int]],
) -> None:
    """By order, trade id and side; without an id by the facts."""
    keys, names = [], []
    for order_id, side, trade_id, quantity, ts_ns in pair:
        fill = VenueFill(trade_id, Decimal(quantity), Decimal(100), Decimal(0), ts_ns)
        keys.append(fill_key(order_id, side, fill))
        facts = (quantity, ts_ns) if not trade_id else ()
        names.append((order_id, side, trade_id, *facts))
    assert (keys[0] == keys[1]) == (names[0] == names[1])
