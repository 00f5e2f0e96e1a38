"""What would have been done, in a sentence."""

from decimal import Decimal

import pytest

from pointsman.domain.accounts import AccountReading
from pointsman.reading.shadow import Shadowed, shadowed_document
from pointsman.terminal.shadow import told

FLAT = AccountReading(1, (), 0)
HELD = AccountReading(2, (("AAPL", Decimal("-0.50")), ("MSFT", Decimal(3))), 1)


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (None, None, "the account has not been read"),
        (FLAT, FLAT, "the account is unchanged: it holds nothing, with 0 open orders"),
        (
            FLAT,
            HELD,
            "the account held nothing, with 0 open orders,"
            " and holds -0.50 AAPL, 3 MSFT, with 1 open order now",
        ),
    ],
)
def test_it_says_what_would_have_been_and_what_became_of_the_account(
    before: AccountReading | None, now: AccountReading | None, words: str
) -> None:
    day = Shadowed(
        since_ns=1_796_083_200 * 10**9,
        entries=3,
        closed=1,
        refused=4,
        earned=Decimal("12.304"),
        naked_max_ns=204_000_000,
        before=before,
        now=now,
    )
    assert told(shadowed_document(day)) == (
        "would have entered 3 times since 2026-12-01T00:00:00Z, closed 1 position for"
        f" +12.30 after fees, refused 4 signals, longest time without cover 0.204 s, {words}"
    )
