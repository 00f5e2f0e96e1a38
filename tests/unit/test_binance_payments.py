"""What the account was paid and charged: funding and other payments, each given once."""

from decimal import Decimal
from typing import Any

import pytest

from pointsman.domain.events import ChargePaid
from pointsman.domain.policy import PositionMode
from pointsman.domain.sides import PositionSide
from pointsman.venues.adapter import History, Incomplete
from pointsman.venues.binance import requests
from pointsman.venues.binance.history import LATE_MS
from tests.unit.test_binance_history import BEGAN_MS, FUNDING, Venue


async def paid(venue: Venue, *rows: dict[str, Any]) -> History:
    cursor = await venue.begin()
    venue.later(1000)
    venue.income = list(rows)
    venue.reader.expect_payment()
    return await venue.history(cursor)


async def test_funding_is_given_once_however_often_it_is_listed() -> None:
    venue = Venue()
    history = await paid(venue, FUNDING, FUNDING)
    (funding,) = history.fundings
    assert (funding.symbol, funding.amount) == ("BTC/USDT:USDT", Decimal("-1.5"))
    for _ in range(30):
        venue.later(LATE_MS // 10)
        history = await venue.history(history.cursor)
        assert history.fundings == ()


async def test_a_row_that_appears_late_is_not_missed() -> None:
    venue = Venue()
    history = await paid(venue, {**FUNDING, "time": BEGAN_MS + 900})
    venue.later(60_000)
    venue.income.insert(0, {**FUNDING, "tranId": 40, "time": BEGAN_MS + 500})
    assert len((await venue.history(history.cursor)).fundings) == 1


@pytest.mark.parametrize(
    ("changes", "fundings", "charges"),
    [
        ({}, 1, 0),
        ({"incomeType": "INSURANCE_CLEAR"}, 0, 1),
        ({"incomeType": "COMMISSION_REBATE", "symbol": ""}, 0, 1),
        ({"incomeType": "COMMISSION_REBATE", "symbol": "", "asset": "BNB"}, 0, 0),
        ({"asset": "BNB"}, 0, 0),
        ({"incomeType": "COMMISSION"}, 0, 0),
        ({"incomeType": "REALIZED_PNL"}, 0, 0),
        ({"incomeType": "TRANSFER", "symbol": ""}, 0, 0),
        ({"incomeType": "REALIZED_PNL", "income": "-0.99541666666666666"}, 0, 0),
        ({"incomeType": "COMMISSION", "income": ""}, 0, 0),
    ],
)
async def test_only_what_is_a_payment_of_its_own_is_one(
    changes: dict[str, str], fundings: int, charges: int
) -> None:
    history = await paid(Venue(), {**FUNDING, **changes})
    assert (len(history.fundings), len(history.charges)) == (fundings, charges)


@pytest.mark.parametrize("income", ["", "NaN", "-0.99541666666666666", "1e30"])
@pytest.mark.parametrize("mode", PositionMode)
async def test_a_payment_whose_amount_is_no_exact_number_leaves_the_history_unread(
    mode: PositionMode, income: str
) -> None:
    with pytest.raises(Incomplete, match="income="):
        await paid(Venue(mode), {**FUNDING, "income": income})


@pytest.mark.parametrize(
    ("rates", "income", "side"),
    [
        (["0.0001"], "-1.5", PositionSide.LONG),
        (["0.0001"], "1.5", PositionSide.SHORT),
        (["-0.0001"], "-1.5", PositionSide.SHORT),
        (["-0.0001"], "1.5", PositionSide.LONG),
        (["-0.0001", "0.0001"], "1.5", PositionSide.SHORT),
    ],
)
async def test_in_hedge_mode_the_rate_says_whose_funding_it_is(
    rates: list[str], income: str, side: PositionSide
) -> None:
    venue = Venue(PositionMode.HEDGE)
    venue.rates = rates
    history = await paid(venue, {**FUNDING, "income": income})
    (funding,) = history.fundings
    assert (funding.position_side, funding.amount) == (side, Decimal(income))
    assert history.charges == ()
    venue.later(60_000)
    again = await venue.history(history.cursor)
    assert (again.fundings, again.charges) == ((), ())
    assert "income" in venue.asked
    assert "fundingRate BTCUSDT" not in venue.asked, "it was booked"


@pytest.mark.parametrize("rates", [[], ["0"], None])
async def test_in_hedge_mode_funding_is_of_either_side_where_no_rate_is_told(
    rates: list[str] | None,
) -> None:
    venue = Venue(PositionMode.HEDGE)
    venue.rates = rates or []
    venue.fails_at = "fundingRate" if rates is None else ""
    history = await paid(venue, FUNDING)
    assert history.charges == (
        ChargePaid(
            charge_id="FUNDING_FEE:41:BTCUSDT",
            amount=Decimal("-1.5"),
            ts_ns=(BEGAN_MS + 1000) * 1_000_000,
            symbol="BTC/USDT:USDT",
        ),
    )


async def test_income_is_read_over_all_pages_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(requests, "PAGE", 3)
    rows = [{**FUNDING, "tranId": n, "time": BEGAN_MS + n // 2} for n in range(9)]
    assert len((await paid(Venue(), *rows)).fundings) == 9
    with pytest.raises(Incomplete, match="fills a page"):
        await paid(Venue(), *[{**FUNDING, "tranId": n, "time": BEGAN_MS} for n in range(9)])
