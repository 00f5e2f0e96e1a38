"""Policy: every limit as a plain value, with its unit in its name.

`config` turns settings into a Policy; the desk only reads it. A limit of None is switched off.
"""

from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from pointsman.domain.market import Instrument, InstrumentSteps, letters_of
from pointsman.domain.money import is_multiple
from pointsman.domain.sides import EntrySides, PositionSide
from pointsman.domain.timestamps import SECOND_NS


class SizeDecay(msgspec.Struct, frozen=True, gc=False):
    """From `losses` consecutive losses on, an entry's size is multiplied by `factor`."""

    losses: int
    factor: Decimal


class Reversal(StrEnum):
    """What a reversal does (RULES 55): close what is held, or open the other side afterwards."""

    CLOSE = "close"
    CLOSE_AND_OPEN = "close_and_open"


class Limits(msgspec.Struct, frozen=True, gc=False):
    """What one VA may do. Money is in the account's currency, percentages are of 100."""

    max_loss_cooldown: int
    cooldown_ns: int
    max_spread_bps: Decimal
    max_slippage_bps: Decimal
    max_latency_ns: int
    max_price_deviation_bps: Decimal
    max_position_size: Decimal
    max_open_positions: int
    max_leverage: Decimal
    stop_loss_percentage: Decimal
    max_stop_loss_percentage: Decimal
    entry_sides: EntrySides
    max_daily_loss: Decimal | None = None
    max_drawdown_percentage: Decimal | None = None
    max_trades_per_day: int | None = None
    max_orders_per_minute: int | None = None
    loss_size_decay: tuple[SizeDecay, ...] = ()
    reversal: Reversal = Reversal.CLOSE


class PositionMode(StrEnum):
    """Whether the venue account keeps long and short apart, or nets them."""

    HEDGE = "hedge"
    NET = "net"


class ReduceOnlyMode(StrEnum):
    """What the venue does with a reduce-only order larger than what is left to reduce. NONE: it has
    no such flag, and an order that is too large would open the other side; so the desk keeps its
    orders apart there as where they are refused."""

    CLIP = "clip"
    REFUSE = "refuse"
    NONE = "none"


class Abilities(msgspec.Struct, frozen=True, gc=False):
    """What a venue can do, as it says itself; journaled with each start (RULES 43). The defaults
    are what was true of the paper venue before venues stated these: journals of then still decode.
    """

    position_mode: PositionMode | None = None
    """How the account keeps holdings; None where a setting says it, as for the paper venue."""
    reduce_only: ReduceOnlyMode | None = None
    """What becomes of a reduce-only order that is too large; None where a setting says it."""
    entry_beside_stop: bool = True
    """An entry may be sent while an order of the other side works in its symbol at the account, of
    any VA or of somebody else."""
    stop_beside_entry: bool = True
    """A stop may be sent while an entry of its symbol still works at the account."""
    tells_triggered: bool = True
    """A stop that triggers is reported; elsewhere that is learned from its first fill."""
    requests_end_with_session: bool = False
    """A request of an engine that has ended can no longer arrive, because what is under way lives
    and dies with the connection that it was sent on. Then "no such order", asked by the next
    session, proves that the order never arrived; elsewhere that takes ORDER_SETTLE_SECONDS more
    (RULES 26, 67)."""
    request_expiry_ns: int | None = None
    """For so long after it was handed to the adapter a request may still be taken, with the
    adapter's own waiting and the difference of clocks; the venue refuses what comes later. None: a
    request never expires."""
    keeps_ended_orders_ns: int | None = None
    """For how long after it was made an order that has ended can be asked about; None: always."""
    max_stops_per_symbol: int | None = None
    """How many stops may rest in one symbol at once."""
    takes_requests_in_order: bool = True
    """Requests take effect in the order in which they were sent; elsewhere an entry may overtake
    the cancel of a stop."""

    @property
    def forbids(self) -> bool:
        """Whether the venue refuses an order for what else is at work there."""
        return not (
            self.entry_beside_stop and self.stop_beside_entry and self.max_stops_per_symbol is None
        )


class Policy(msgspec.Struct, frozen=True, gc=False):
    """Everything that governs a run, as journaled at its start (RULES 33)."""

    limits: Limits
    limits_by_va: dict[str, Limits]
    instruments: dict[str, Instrument]
    position_mode: PositionMode
    reduce_only_mode: ReduceOnlyMode
    protection_deadline_ns: int
    submit_timeout_ns: int
    order_settle_ns: int
    reconcile_interval_ns: int
    global_max_daily_loss: Decimal | None = None
    global_max_drawdown_percentage: Decimal | None = None
    global_max_orders_per_minute: int | None = None
    kill_on_mismatch_cycles: int | None = None
    kill_on_naked_ns: int | None = None
    kill_on_storage_ns: int | None = None
    kill_switch_enabled: bool = False
    abilities: Abilities = Abilities()
    reversal_wait_ns: int = 10 * SECOND_NS
    file_instruments: dict[str, Instrument] = {}
    """At a venue that says what it trades: those of the instruments file, which have made the
    `instruments` stricter, and make stricter what the venue says later (RULES 48)."""
    steps: dict[str, InstrumentSteps] = {}
    """What has been derived from quotes so far. Empty in settings: the desk adds it."""

    def limits_of(self, va_id: str) -> Limits:
        """The limits of one VA: its own where set, else the general ones."""
        return self.limits_by_va.get(va_id, self.limits)

    def instrument(self, symbol: str) -> Instrument:
        """The instrument of a symbol, with sensible defaults where none was given."""
        known = self.instruments.get(symbol)
        instrument = known if known is not None else default_instrument(symbol)
        steps = self.steps.get(symbol)
        return instrument if steps is None else instrument.with_steps(steps)

    def other_spelling(self, symbol: str) -> str | None:
        """How the instruments that were given spell a symbol that they do not have."""
        if not self.instruments or symbol in self.instruments:
            return None
        letters = letters_of(symbol)
        return next((known for known in self.instruments if letters_of(known) == letters), None)

    def at_venue(self, abilities: Abilities) -> "Policy":
        """The policy at a venue with these abilities: what it states of its account replaces what
        was set."""
        return replace(
            self,
            abilities=abilities,
            position_mode=abilities.position_mode or self.position_mode,
            reduce_only_mode=abilities.reduce_only or self.reduce_only_mode,
        )

    def with_instruments(self, *said: Instrument) -> "Policy":
        """The policy once the venue has said something else of these instruments (RULES 48)."""
        own = self.file_instruments
        newest = {
            each.symbol: stricter(each, own[each.symbol]) if each.symbol in own else each
            for each in said
        }
        return replace(self, instruments={**self.instruments, **newest})

    def with_steps(self, *learned: InstrumentSteps) -> "Policy":
        """The policy once the steps of symbols have been derived (RULES 59)."""
        return replace(self, steps={**self.steps, **{steps.symbol: steps for steps in learned}})

    @property
    def request_life_ns(self) -> int:
        """How long after it has left a request may still arrive: after that "no such order" proves
        that it did not (RULES 26, 67)."""
        expiry_ns = self.abilities.request_expiry_ns
        return self.order_settle_ns if expiry_ns is None else min(expiry_ns, self.order_settle_ns)

    @property
    def venue_clips(self) -> bool:
        return self.reduce_only_mode is ReduceOnlyMode.CLIP

    @property
    def is_hedged(self) -> bool:
        return self.position_mode is PositionMode.HEDGE

    def venue_key(self, symbol: str, side: PositionSide) -> tuple[str, PositionSide]:
        """How the venue keeps a holding apart: by side in hedge mode, as one signed holding in net
        mode."""
        return symbol, side if self.is_hedged else PositionSide.LONG


_CENT = Decimal("0.01")


@lru_cache(maxsize=4096)
def default_instrument(symbol: str) -> Instrument:
    """What a symbol is taken for before its quotes say more: `BASE/QUOTE` a coin in fine lots,
    anything else a share in whole ones, in cents."""
    is_pair = "/" in symbol
    lot = Decimal("0.000001") if is_pair else Decimal(1)
    currency = symbol.partition("/")[2].partition(":")[0] if is_pair else "USD"
    return Instrument(
        symbol=symbol,
        tick=_CENT,
        lot=lot,
        min_qty=lot,
        min_notional=Decimal(0),
        currency=currency,
        is_tick_derived=True,
        is_lot_derived=True,
    )


def stricter(venue: Instrument, own: Instrument) -> Instrument:
    """The instrument of a venue where the instruments file says more of it: what the file left out
    is the venue's, and so is a step of the file that is no multiple of the venue's."""
    default = default_instrument(own.symbol)
    is_least_given = not own.is_lot_derived or own.min_qty != default.min_qty
    largest = [each.max_market_quantity for each in (venue, own)]
    has_tick = not own.is_tick_derived and is_multiple(own.tick, venue.tick)
    has_lot = not own.is_lot_derived and is_multiple(own.lot, venue.lot)
    return replace(
        venue,
        tick=own.tick if has_tick else venue.tick,
        lot=own.lot if has_lot else venue.lot,
        min_qty=max(venue.min_qty, own.min_qty) if is_least_given else venue.min_qty,
        min_notional=max(venue.min_notional, own.min_notional),
        fee_bps=venue.fee_bps if own.fee_bps is None else own.fee_bps,
        max_market_quantity=min((each for each in largest if each is not None), default=None),
    )
