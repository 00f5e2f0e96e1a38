"""Reasons: stable codes, each with a group and one sentence, in the order of trial."""

import re

import msgspec
import pytest

from pointsman.domain.reasons import REFUSALS, Reason

# RULES 11, word for word: router, governor, filters, size.
ORDER_OF_TRIAL = """
    UNKNOWN_ACCOUNT EXPIRED STORAGE_FAILED SYMBOL_LOCKED OPPOSING_EXPOSURE SIDE_NOT_ALLOWED
    NOTHING_TO_CLOSE VENUE_FORBIDS
    KILLED PAUSED ENTRIES_HELD VENUE_DOWN VENUE_BUSY FROZEN UNKNOWN_ORDER HOLDING_DISPUTED COOLDOWN
    MAX_OPEN_POSITIONS MAX_POSITION_SIZE INSUFFICIENT_EQUITY MAX_DAILY_LOSS MAX_DRAWDOWN
    MAX_TRADES_PER_DAY MAX_ORDERS_PER_MINUTE
    OUTSIDE_WINDOW NO_QUOTE INVALID_QUOTE LATENCY SPREAD PRICE_DEVIATION SLIPPAGE
    TICK_TOO_COARSE STOP_INVALID
    BELOW_MINIMUM
"""


def test_rule_11_refusals_stand_in_the_order_in_which_they_are_tried() -> None:
    assert [reason.value for reason in REFUSALS] == ORDER_OF_TRIAL.split()


def test_a_reason_is_its_code_wherever_it_is_written() -> None:
    for reason in Reason:
        assert reason == reason.name == f"{reason}"
        assert msgspec.convert(reason.value, Reason) is reason


@pytest.mark.parametrize("reason", Reason)
def test_every_code_is_upper_snake_and_every_sentence_is_one(reason: Reason) -> None:
    assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", reason.value)
    assert re.fullmatch(r"[A-Z][^|.\n]*\w\.", reason.sentence)


def test_no_two_reasons_say_the_same() -> None:
    sentences = [reason.sentence for reason in Reason]
    assert len(set(sentences)) == len(sentences)
