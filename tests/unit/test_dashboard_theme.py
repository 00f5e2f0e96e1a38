"""Colour repeats what a sign says already."""

from decimal import Decimal

import pytest

from pointsman.dashboard.theme import GOOD, LOSS, result


@pytest.mark.parametrize(
    ("amount", "words", "tone"),
    [
        ("1234.5", "+1,234.50", GOOD),
        ("0", "0.00", ""),
        ("-2", "-2.00", LOSS),
    ],
)
def test_a_result_is_signed_and_its_colour_says_it_again(
    amount: str, words: str, tone: str
) -> None:
    shown = result(Decimal(amount))
    assert (shown.plain, shown.style) == (words, tone)
