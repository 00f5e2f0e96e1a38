"""The policy: whose limits, which instrument, what the venue does."""

from decimal import Decimal

import msgspec
import pytest

from pointsman.domain.market import InstrumentSteps
from pointsman.domain.policy import Abilities, PositionMode, ReduceOnlyMode, default_instrument
from tests import desk_stories as told


@pytest.mark.parametrize(
    ("symbol", "lot", "currency"),
    [
        ("AAPL", "1", "USD"),
        ("BRK.B", "1", "USD"),
        ("BTC/USDT", "0.000001", "USDT"),
        ("BTC/EUR:EUR", "0.000001", "EUR"),
    ],
)
def test_a_pair_is_a_coin_in_fine_lots_and_anything_else_a_share(
    symbol: str, lot: str, currency: str
) -> None:
    made = default_instrument(symbol)
    assert (made.symbol, made.currency) == (symbol, currency)
    assert (made.lot, made.min_qty) == (Decimal(lot), Decimal(lot))
    assert (made.tick, made.min_notional, made.fee_bps) == (Decimal("0.01"), Decimal(0), None)


def test_an_instrument_that_is_given_wins_over_the_default() -> None:
    rules = told.policy()
    assert rules.instrument("XXX") is told.XXX
    assert rules.instrument("ZZZ") == default_instrument("ZZZ")


def test_rule_59_derived_steps_hold_where_none_are_given() -> None:
    rules = told.policy().with_steps(
        InstrumentSteps("ZZZ", Decimal("0.001"), Decimal("0.1")),
        InstrumentSteps("XXX", Decimal("0.001"), Decimal("0.1")),
    )
    found = rules.instrument("ZZZ")
    assert (found.tick, found.lot, found.min_qty) == (
        Decimal("0.001"),
        Decimal("0.1"),
        Decimal("0.1"),
    )
    assert rules.instrument("XXX") == told.XXX
    finer = rules.with_steps(InstrumentSteps("ZZZ", Decimal("0.0001"), Decimal("0.1")))
    assert finer.instrument("ZZZ").tick == Decimal("0.0001")


def test_the_instruments_file_may_spell_a_symbol_otherwise() -> None:
    rules = told.policy(instruments={"BTC/USDT": told.XXX})
    assert rules.other_spelling("BTCUSDT") == "BTC/USDT"
    assert rules.other_spelling("BTC/USDT") is None
    assert rules.other_spelling("ETHUSDT") is None


def test_rule_18_a_va_has_its_own_limits_where_they_are_set() -> None:
    own = told.limits(max_open_positions=1)
    rules = told.policy(limits_by_va={"VA002": own})
    assert rules.limits_of("VA002") is own
    assert rules.limits_of("VA001") is rules.limits


@pytest.mark.parametrize(
    ("position_mode", "reduce_only_mode", "is_hedged", "clips"),
    [
        (PositionMode.HEDGE, ReduceOnlyMode.CLIP, True, True),
        (PositionMode.NET, ReduceOnlyMode.REFUSE, False, False),
        (PositionMode.NET, ReduceOnlyMode.NONE, False, False),
    ],
)
def test_what_the_venue_does(
    position_mode: PositionMode, reduce_only_mode: ReduceOnlyMode, is_hedged: bool, clips: bool
) -> None:
    rules = told.policy(position_mode=position_mode, reduce_only_mode=reduce_only_mode)
    assert (rules.is_hedged, rules.venue_clips) == (is_hedged, clips)


def test_rule_43_what_a_venue_states_of_its_account_replaces_what_was_set() -> None:
    rules = told.policy(position_mode=PositionMode.HEDGE, reduce_only_mode=ReduceOnlyMode.CLIP)
    stated = Abilities(position_mode=PositionMode.NET, reduce_only=ReduceOnlyMode.NONE)
    there = rules.at_venue(stated)
    assert (there.position_mode, there.reduce_only_mode) == (PositionMode.NET, ReduceOnlyMode.NONE)
    assert there.abilities is stated
    silent = rules.at_venue(Abilities(tells_triggered=False))
    assert (silent.position_mode, silent.reduce_only_mode) == (
        PositionMode.HEDGE,
        ReduceOnlyMode.CLIP,
    )


def test_abilities_in_a_journal_of_before_they_were_stated_decode_to_what_was_true() -> None:
    written = b'{"requests_end_with_session":true}'
    assert msgspec.json.decode(written, type=Abilities) == Abilities(requests_end_with_session=True)
    assert msgspec.json.decode(b"{}", type=Abilities) == Abilities()
