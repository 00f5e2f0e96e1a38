"""The mutants of accounting: which fills count, and what they cost."""

from tests.mutants.mutant import Mutant

BOOKING, FILLS = "execution/booking.py", "execution/fills.py"
INTAKE, MANAGER = "execution/venue_intake.py", "execution/order_manager.py"

MONEY = (
    Mutant(
        "I5", "a fill is recognised by its trade id alone", FILLS,
        'return f"{order_id}:{fill.trade_id}:{side.value}"', "return fill.trade_id",
    ),
    Mutant(
        "I5", "no fill is recognised", MANAGER,
        "if fill_key(order.client_order_id, order.side, fill) in keys:", "if False:",
    ),
    Mutant(
        "I5", "two equal fills without a trade id are one", FILLS,
        "fill.cumulative or ZERO)", "ZERO)",
    ),
    Mutant(
        "I6", "a fee is taken for one in the base coin", MANAGER,
        "booking.book_fill(books, order, fill, now_ns)",
        "booking.book_fill(books, order, replace(fill, fee=fill.fee * fill.price), now_ns)",
    ),
    Mutant(
        "I6", "a fee in the coin that was bought is taken from cash", FILLS,
        "quantity=fill.quantity - side.sign * fill.fee,", "quantity=fill.quantity,",
    ),
    Mutant(
        "I6", "a funding payment that is told again is booked again", INTAKE,
        "if not self._recall.is_paid(payment_id):", "if payment_id:",
    ),
    Mutant(
        "I6", "cash is a float", BOOKING,
        "paid = order.side.sign * fill.quantity * fill.price + fill.fee",
        "paid = Decimal(float(order.side.sign * fill.quantity * fill.price + fill.fee))",
    ),
    Mutant(
        "I6", "a fee is forgotten", BOOKING, "cash=account.cash - paid,",
        "cash=account.cash - paid + fill.fee,",
    ),
)  # fmt: skip
