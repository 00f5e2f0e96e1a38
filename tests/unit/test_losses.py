"""RULES 16, told from the trades alone."""

from decimal import Decimal

from pointsman.simulator.losses import Losses

COOLDOWN_NS = 300 * 10**9


def test_i13_losses_in_a_row_start_a_cooldown_and_those_inside_it_do_not_count() -> None:
    losses = Losses(2, COOLDOWN_NS)
    for pnl, at_ns in ((-1, 1), (0, 2), (-1, 3)):
        losses.take(Decimal(pnl), at_ns)
    assert losses.until_ns == 3 + COOLDOWN_NS
    losses.take(Decimal(-1), 4)
    losses.take(Decimal(-1), 5)
    assert losses.until_ns == 3 + COOLDOWN_NS
    losses.take(Decimal(-1), losses.until_ns)
    assert losses.until_ns == 3 + COOLDOWN_NS


def test_a_win_ends_the_row_and_a_limit_of_zero_switches_it_off() -> None:
    losses, off = Losses(2, COOLDOWN_NS), Losses(0, COOLDOWN_NS)
    for pnl in (-1, 1, -1):
        losses.take(Decimal(pnl), 1)
        off.take(Decimal(-1), 1)
    assert losses.until_ns == off.until_ns == 0
