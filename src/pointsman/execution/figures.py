"""What accounts and positions amount to at one moment: results, equity, drawdown, status, cover.

Computed here for the report, the lists, `status`, the live snapshot and the metrics, so that no two
of them can disagree; drawdown, daily loss and status are also what the limits use. Invariants:
figures of accounts and positions are exact, whatever decimal context the caller has; equity is cash
and holdings at the touch that they would close against (RULES 14, 17), and a holding without a
quote counts at cost.

The limits take equity from `Books.equity`, which looks at no position: it marks the symbol of one
quote and counts a residue in any other symbol at cost.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from enum import StrEnum

import msgspec

from pointsman.domain.accounts import Account, DeskRecord, KillSwitch, TradingState
from pointsman.domain.money import ONE, ZERO, exact, shown_average, shown_ratio
from pointsman.domain.positions import Position
from pointsman.domain.sides import PositionSide
from pointsman.domain.timestamps import SECOND_NS

ClosingPrice = Callable[[str, PositionSide], Decimal | None]
"""The touch that a holding of a symbol and side would close against; None without a quote."""


class AccountStatus(StrEnum):
    """Whether an account may enter, or the first reason why not, in the order of RULES 11."""

    KILLED = "killed"
    PAUSED = "paused"
    FROZEN = "frozen"
    COOLDOWN = "cooldown"
    STOPPED = "stopped"
    ACTIVE = "active"


class Cover(StrEnum):
    """Whether the venue has confirmed stops for all of a position. UNCONFIRMED is without for less
    than the protection deadline, NAKED for longer; EXITING is being closed."""

    COVERED = "covered"
    UNCONFIRMED = "unconfirmed"
    EXITING = "exiting"
    NAKED = "naked"


class PositionFigures(msgspec.Struct, frozen=True):
    """A position at `mark`, the touch that it would close against, None without a quote.
    `entry_price` is the shown average of its open lots; `unrealized` is what closing all of it
    there would add, before fees."""

    position: Position
    entry_price: Decimal
    mark: Decimal | None
    unrealized: Decimal


class AccountFigures(msgspec.Struct, frozen=True):
    """What one account amounts to. `status_text` is the status with its reason, in words;
    `drawdown` is how far equity is below its peak, a ratio as it is shown; `loss_streak` is 0 once
    a cooldown has ended."""

    account: Account
    status: AccountStatus
    status_text: str
    balance: Decimal
    unrealized: Decimal
    equity: Decimal
    drawdown: Decimal
    loss_streak: int
    is_cooling: bool
    open_positions: int


def position_figures(
    positions: Iterable[Position], closing_price: ClosingPrice
) -> list[PositionFigures]:
    """Every position at its closing price."""
    with exact():
        return [_position(each, closing_price(each.symbol, each.side)) for each in positions]


def _position(position: Position, mark: Decimal | None) -> PositionFigures:
    return PositionFigures(
        position=position,
        entry_price=shown_average(position.cost, position.quantity),
        mark=mark,
        unrealized=ZERO if mark is None else position.unrealized(mark) + ZERO,
    )


def account_figures(
    accounts: Iterable[Account],
    positions: Iterable[PositionFigures],
    switch: KillSwitch,
    now_ns: int,
) -> list[AccountFigures]:
    """Every account, with those of `positions` that it holds."""
    held: dict[str, list[PositionFigures]] = {}
    for each in positions:
        held.setdefault(each.position.va_id, []).append(each)
    with exact():
        return [
            _account(account, held.get(account.va_id, []), switch, now_ns) for account in accounts
        ]


def _account(
    account: Account, held: list[PositionFigures], switch: KillSwitch, now_ns: int
) -> AccountFigures:
    unrealized = sum((each.unrealized for each in held), ZERO)
    at_cost = sum((each.position.side.sign * each.position.cost for each in held), account.cash)
    equity = at_cost + unrealized
    return AccountFigures(
        account=account,
        status=account_status(account, switch, now_ns),
        status_text=_status_text(account, switch, now_ns),
        balance=account.balance,
        unrealized=unrealized,
        equity=equity,
        drawdown=shown_drawdown(equity, max(account.peak_equity, equity)),
        loss_streak=account.streak_at(now_ns),
        is_cooling=account.is_cooling(now_ns),
        open_positions=sum(each.position.is_live for each in held),
    )


# -- losses ----------------------------------------------------------------------------------------


def drawdown(equity: Decimal, peak: Decimal) -> Decimal:
    """1 - equity / peak: a ratio, zero at the peak (RULES 17)."""
    return ONE - equity / peak if peak > ZERO else ZERO


def shown_drawdown(equity: Decimal, peak: Decimal) -> Decimal:
    """The drawdown as it is stored and shown."""
    return shown_ratio(drawdown(equity, peak)) if peak > ZERO else ZERO


def daily_loss(measured: Account | DeskRecord, equity: Decimal) -> Decimal:
    """What a VA, or all VAs together, lost since 00:00 of the trading day, money moved in or out
    apart (RULES 17)."""
    return measured.day_start_equity + measured.day_deposits - equity


# -- status ----------------------------------------------------------------------------------------


def account_status(account: Account, switch: KillSwitch, now_ns: int) -> AccountStatus:
    """Whether an account may enter, and whether its working entries may stay (RULES 16, 17, 19)."""
    state = switch.trading_state
    if state is TradingState.HALTED:
        return AccountStatus.KILLED
    if state is TradingState.REDUCING or account.is_paused:
        return AccountStatus.PAUSED
    if account.frozen_for is not None:
        return AccountStatus.FROZEN
    if account.is_cooling(now_ns):
        return AccountStatus.COOLDOWN
    return AccountStatus.ACTIVE if account.stopped_by is None else AccountStatus.STOPPED


def _status_text(account: Account, switch: KillSwitch, now_ns: int) -> str:
    """The status in words, with its reason."""
    status = account_status(account, switch, now_ns)
    match status:
        case AccountStatus.KILLED:
            return f"killed ({switch.state.value}), by {switch.changed_by}: {switch.note}"
        case AccountStatus.PAUSED if switch.is_paused:
            return f"all paused by {switch.changed_by}: {switch.note}"
        case AccountStatus.PAUSED:
            return "paused by a person"
        case AccountStatus.COOLDOWN:
            left_ns = (account.cooldown_until_ns or 0) - now_ns
            return f"cooldown, {-(-left_ns // SECOND_NS)} s left"
    reason = account.frozen_for or account.stopped_by
    return status.value if reason is None else f"{status.value}: {reason.value}"


# -- cover -----------------------------------------------------------------------------------------


def naked_ns(position: Position, now_ns: int) -> int:
    """For how long a position has not been covered by confirmed stops, 0 where it is."""
    since_ns = position.naked_since_ns
    return 0 if since_ns is None else max(0, now_ns - since_ns)


def cover_of(position: Position, now_ns: int, deadline_ns: int) -> Cover:
    """Whether a position has its stops; `deadline_ns` is the time within which they must be
    confirmed."""
    if naked_ns(position, now_ns) > deadline_ns:
        return Cover.NAKED
    if position.closing_all or position.closing > ZERO:
        return Cover.EXITING
    return Cover.COVERED if position.naked_since_ns is None else Cover.UNCONFIRMED
