"""What tests of the simulator share: the default settings, five VAs, and a ready venue."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from random import Random

from pointsman.config.settings import resolve_settings
from pointsman.domain.client_order_ids import client_order_id
from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.policy import Policy, PositionMode, ReduceOnlyMode
from pointsman.domain.sides import PositionSide, Side
from pointsman.simulator.campaign import simulate
from pointsman.simulator.crashes import CrashTrap
from pointsman.simulator.faults import Fault, FaultPlan, Faults
from pointsman.simulator.hostile_venue import HostileVenue
from pointsman.simulator.market_walk import LISTINGS
from pointsman.simulator.outcome import SeedOutcome

HOUR_NS = 3_600 * 10**9
SETTINGS = {"MAX_ORDERS_PER_MINUTE": "2", "MAX_OPEN_POSITIONS_PER_VA": "3"}
"""What differs from the defaults: limits that are met."""

INSTRUMENTS = {each.instrument.symbol: each.instrument for each in LISTINGS}


def policy(
    mode: PositionMode = PositionMode.HEDGE,
    reduce_only: ReduceOnlyMode = ReduceOnlyMode.CLIP,
    settings: Mapping[str, str] = SETTINGS,
) -> Policy:
    modes = {"PAPER_POSITION_MODE": mode.value, "PAPER_REDUCE_ONLY": reduce_only.value}
    return resolve_settings({}, None, {**settings, **modes}).settings.policy(INSTRUMENTS)


def run(
    seeds: Iterable[int],
    hours: str = "1",
    faults: Iterable[Fault] = tuple(Fault),
    settings: Mapping[str, str] = SETTINGS,
) -> list[SeedOutcome]:
    """Live through these seeds."""
    rules = policy(settings=settings)
    lasting_ns = int(Decimal(hours) * HOUR_NS)
    return list(simulate(seeds, rules, lasting_ns, faults))


def struck_by(rates: dict[Fault, float]) -> Faults:
    """Faults with these rates."""
    return Faults(Random(1), FaultPlan(rates, ()))


def venue(faults: Faults, rules: Policy | None = None) -> HostileVenue:
    """A venue that these faults befall."""
    return HostileVenue(
        Random(1), faults, CrashTrap(), rules or policy(), dict(INSTRUMENTS), has_trade_ids=True
    )


def order(
    number: int,
    role: Role = Role.ENTRY,
    quantity: str = "5",
    *,
    price: str | None = None,
    trigger: str | None = None,
) -> Order:
    """An order on AAA for a long position."""
    types = {
        Role.ENTRY: OrderType.LIMIT_IOC,
        Role.STOP: OrderType.STOP,
        Role.EXIT: OrderType.MARKET,
    }
    return Order(
        client_order_id("ABCDEF", number, role, 1), "VA001", "AAA", number, role, types[role],
        Side.BUY if role is Role.ENTRY else Side.SELL, PositionSide.LONG, Decimal(quantity), 0,
        limit_price=None if price is None else Decimal(price),
        trigger_price=None if trigger is None else Decimal(trigger),
    )  # fmt: skip
