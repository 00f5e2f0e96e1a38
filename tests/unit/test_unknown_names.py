"""What is said of a symbol or an account that is not known, whatever the reason of the refusal."""

from decimal import Decimal

import pytest

from pointsman.domain.reasons import Reason
from pointsman.execution.desk import Desk
from pointsman.execution.unknown_names import account_note
from tests.desk_stories import VA, decide, enter, ready_desk, signal


def holding() -> Desk:
    desk = ready_desk(accounts=(VA, "VA002"))
    enter(desk, signal("first"))
    return desk


@pytest.mark.parametrize(
    ("va_id", "side", "reason"),
    [
        (VA, "buy", Reason.SYMBOL_LOCKED),
        (VA, "close", Reason.SYMBOL_LOCKED),
        ("VA002", "close", Reason.NOTHING_TO_CLOSE),
        ("VA002", "buy", Reason.NO_QUOTE),
    ],
)
@pytest.mark.parametrize(
    ("symbol", "quoted_as", "note"),
    [
        ("X-XX", "XXX", "XXX has quotes: send that symbol"),
        ("XXXX", "XXX", "no quote of XXXX has come; did you mean XXX?"),
        ("YYY", "", "no quote of YYY has come"),
    ],
)
def test_a_symbol_without_quotes_is_pointed_out(
    va_id: str, side: str, reason: Reason, symbol: str, quoted_as: str, note: str
) -> None:
    asked = signal("a", side, va_id=va_id, symbol=symbol)
    decision = decide(holding(), asked, quote=None, quoted_as=quoted_as)
    failed = next(check for check in decision.checks if not check.passed)
    assert (decision.reason, failed.note) == (reason, note)


def test_of_a_symbol_with_quotes_nothing_more_is_said() -> None:
    decision = decide(holding(), signal("a", symbol="YYY"))
    assert decision.reason is Reason.SYMBOL_LOCKED
    assert not any(check.note for check in decision.checks if check.rule is decision.reason)


def test_an_account_that_is_misspelled_is_named() -> None:
    decision = decide(holding(), signal("a", va_id="va002"))
    assert (decision.reason, decision.checks[0].note) == (
        Reason.UNKNOWN_ACCOUNT,
        "did you mean VA002?",
    )


def test_among_very_many_accounts_none_is_looked_for() -> None:
    few = dict.fromkeys(("VA001",), Decimal(1))
    assert account_note("va001", few) == "did you mean VA001?"
    assert account_note("VA002", few) == ""
    assert account_note("va001", [f"VA{number:04d}" for number in range(2_000)]) == ""
