"""The books of the replay: positions, trades and accounts of the VAs (RULES 14-17).

Every amount comes from fills. An entry is immediate-or-cancel against one displayed level, so it
fills at most once and a position has one entry price; `open_position` insists on that.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from tests.audit.inputs import SECOND_NS, Quote, Settings
from tests.audit.paper import Order, Report

ZERO = Decimal(0)


@dataclass(eq=False)
class Position:
    """One accepted entry that filled. `closing` is how much of `quantity` is still to be exited,
    for `closing_reason`; `stop` and `exit` are the orders that have not ended."""

    entry: Order
    signal_id: str
    limit_price: Decimal
    entry_price: Decimal
    trigger: Decimal
    opened_at_ns: int
    quantity: Decimal
    entry_quantity: Decimal
    realized: Decimal = ZERO
    fees: Decimal = ZERO
    exit_value: Decimal = ZERO
    closing: Decimal = ZERO
    closing_reason: str = ""
    stop: Order | None = None
    exit: Order | None = None

    @property
    def side(self) -> str:
        return self.entry.position_side

    @property
    def sign(self) -> int:
        return 1 if self.side == "long" else -1

    @property
    def closing_side(self) -> str:
        return "sell" if self.side == "long" else "buy"

    @property
    def free(self) -> Decimal:
        """What an exit can still be asked for."""
        return self.quantity - self.closing


@dataclass(frozen=True)
class Trade:
    """A position that became flat. Averages are rounded half-even to 10 places (RULES 14)."""

    va_id: str
    symbol: str
    side: str
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    pnl: Decimal
    fees: Decimal
    opened_at_ns: int
    closed_at_ns: int
    exit_reason: str


@dataclass(frozen=True)
class Fill:
    """One execution as booked to its VA."""

    va_id: str
    kind: str
    side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    ts_ns: int


@dataclass(eq=False)
class Account:
    """One VA. `working` are its entries sent and not ended, `resting` its stops and exits; `symbol`
    is the lease."""

    va_id: str
    start: Decimal
    loss_limit: int
    cooldown_ns: int
    cash: Decimal = ZERO
    realized: Decimal = ZERO
    fees: Decimal = ZERO
    positions: list[Position] = field(default_factory=list)
    working: list[Order] = field(default_factory=list)
    resting: list[Order] = field(default_factory=list)
    symbol: str | None = None
    trades: int = 0
    wins: int = 0
    losses: int = 0
    streak: int = 0
    cooldown_until_ns: int | None = None
    peak: Decimal = ZERO
    max_drawdown: Decimal = ZERO

    @classmethod
    def of(cls, va_id: str, start: Decimal, settings: Settings) -> "Account":
        loss_limit = int(settings.number("MAX_LOSS_COOLDOWN", va_id))
        cooldown_ns = settings.nanoseconds("COOLDOWN_DURATION_SECONDS", SECOND_NS, va_id)
        return cls(va_id, start, loss_limit, cooldown_ns, cash=start, peak=start)

    @property
    def balance(self) -> Decimal:
        return self.start + self.realized

    def exposure(self) -> Decimal:
        """Notional held and working, at entry limit prices (RULES 18)."""
        held = sum((item.quantity * item.limit_price for item in self.positions), ZERO)
        working = (order.leaves * order.limit for order in self.working if order.limit is not None)
        return held + sum(working, ZERO)

    def unrealized(self, marks: dict[str, Quote]) -> Decimal:
        """What closing everything at the touch would add, before fees."""
        return sum(
            (
                item.sign
                * item.quantity
                * (marks[item.entry.symbol].touch(item.closing_side) - item.entry_price)
                for item in self.positions
            ),
            ZERO,
        )

    def equity(self, marks: dict[str, Quote]) -> Decimal:
        """RULES 17: cash, and positions at the touch they would close against, last valid quote."""
        worth = (
            item.sign * item.quantity * marks[item.entry.symbol].touch(item.closing_side)
            for item in self.positions
        )
        return self.cash + sum(worth, ZERO)

    def sample(self, marks: dict[str, Quote]) -> None:
        """RULES 17; without money moved in or out a unit is worth what the account is."""
        equity = self.equity(marks)
        self.peak = max(self.peak, equity)
        self.max_drawdown = max(self.max_drawdown, 1 - equity / self.peak)

    def is_cooling(self, now_ns: int) -> bool:
        return self.cooldown_until_ns is not None and now_ns < self.cooldown_until_ns

    def open_position(self, report: Report, trigger: Decimal, signal_id: str) -> Position:
        """Book the fill of an entry."""
        order = report.order
        if order.filled != report.quantity or order.limit is None:
            raise AssertionError(f"entry {order.position_id} filled twice")
        position = Position(
            entry=order,
            signal_id=signal_id,
            limit_price=order.limit,
            entry_price=report.price,
            trigger=trigger,
            opened_at_ns=report.ts_ns,
            quantity=report.quantity,
            entry_quantity=report.quantity,
        )
        self.positions.append(position)
        self.cash -= position.sign * report.quantity * report.price + report.fee
        self._realize(position, ZERO, report.fee)
        return position

    def reduce(self, position: Position, report: Report) -> None:
        """Book the fill of a stop or an exit."""
        if report.quantity > position.quantity:
            raise AssertionError(f"position {position.entry.position_id} overfilled")
        position.quantity -= report.quantity
        position.exit_value += report.quantity * report.price
        self.cash += position.sign * report.quantity * report.price - report.fee
        earned = position.sign * report.quantity * (report.price - position.entry_price)
        self._realize(position, earned, report.fee)

    def _realize(self, position: Position, earned: Decimal, fee: Decimal) -> None:
        position.fees += fee
        position.realized += earned - fee
        self.fees += fee
        self.realized += earned - fee

    def close(self, position: Position, now_ns: int, reason: str) -> Trade:
        """A flat position becomes one trade, and one win or loss (RULES 15)."""
        self.positions.remove(position)
        self.trades += 1
        self._count(position.realized, now_ns)
        places = Decimal(1).scaleb(-10)
        average = position.exit_value / position.entry_quantity
        return Trade(
            va_id=self.va_id,
            symbol=position.entry.symbol,
            side=position.side,
            quantity=position.entry_quantity,
            entry_price=position.entry_price.quantize(places),
            exit_price=average.quantize(places),
            pnl=position.realized,
            fees=position.fees,
            opened_at_ns=position.opened_at_ns,
            closed_at_ns=now_ns,
            exit_reason=reason,
        )

    def _count(self, result: Decimal, now_ns: int) -> None:
        """RULES 16: losses inside a cooldown are losses, but do not count towards the streak."""
        self.wins += result > 0
        self.losses += result < 0
        if not self.is_cooling(now_ns) and self.cooldown_until_ns is not None:
            self.streak, self.cooldown_until_ns = 0, None
        if result > 0:
            self.streak = 0
        elif result < 0 and not self.is_cooling(now_ns):
            self.streak += 1
            if self.loss_limit and self.streak == self.loss_limit:
                self.cooldown_until_ns = now_ns + self.cooldown_ns

    def streak_at(self, now_ns: int) -> int:
        over = self.cooldown_until_ns is not None and now_ns >= self.cooldown_until_ns
        return 0 if over else self.streak
