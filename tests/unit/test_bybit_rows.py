"""What Bybit says, as values: on rows with the fields of its documentation."""

from decimal import Decimal
from typing import Any

import pytest

from pointsman.domain.events import FundingPaid, OrderReport, ReportWord, VenueFill
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import OrderType
from pointsman.domain.policy import PositionMode
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.venue_reports import VenueHolding, VenueOrder
from pointsman.execution.fills import fill_key
from pointsman.venues.adapter import Incomplete
from pointsman.venues.bybit import rows

NET, HEDGE = PositionMode.NET, PositionMode.HEDGE
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
MS = 1_000_000

ORDER: dict[str, Any] = {
    "category": "linear",
    "symbol": "ETHUSDT",
    "orderId": "fd4300ae-7847-404e-b947-b46980a4d140",
    "orderLinkId": "ABCDEF7E1",
    "side": "Buy",
    "positionIdx": 0,
    "orderStatus": "New",
    "createType": "CreateByUser",
    "cancelType": "UNKNOWN",
    "rejectReason": "EC_NoError",
    "timeInForce": "IOC",
    "price": "1600.00",
    "qty": "0.10",
    "avgPrice": "",
    "leavesQty": "0.10",
    "cumExecQty": "0.00",
    "cumExecValue": "0",
    "cumExecFee": "0",
    "orderType": "Limit",
    "stopOrderType": "UNKNOWN",
    "triggerPrice": "0.00",
    "triggerDirection": 0,
    "triggerBy": "UNKNOWN",
    "reduceOnly": False,
    "closeOnTrigger": False,
    "createdTime": "1684738540559",
    "updatedTime": "1684738540561",
}
STOP = ORDER | {
    "orderLinkId": "ABCDEF7S1",
    "side": "Sell",
    "orderType": "Market",
    "stopOrderType": "Stop",
    "orderStatus": "Untriggered",
    "price": "",
    "triggerPrice": "1500.00",
    "triggerDirection": 2,
    "triggerBy": "LastPrice",
    "reduceOnly": True,
}
EXECUTION: dict[str, Any] = {
    "category": "linear",
    "symbol": "XRPUSDT",
    "execFee": "0.005061",
    "execId": "7e2ae69c-4edf-5800-a352-893d52b446aa",
    "execPrice": "0.3374",
    "execQty": "25",
    "execType": "Trade",
    "execValue": "8.435",
    "isMaker": False,
    "feeRate": "0.0006",
    "feeCurrency": "",
    "leavesQty": "0",
    "orderId": "f6e324ff-99c2-4e89-9739-3086e47f9381",
    "orderLinkId": "ABCDEF7S1",
    "orderQty": "25",
    "orderType": "Market",
    "stopOrderType": "UNKNOWN",
    "side": "Sell",
    "execTime": "1672364174443",
    "closedSize": "25",
    "seq": 4688002127,
}
FUNDING = EXECUTION | {
    "symbol": "BTCUSDT",
    "orderId": "1682553600-BTCUSDT-592334-Sell",
    "orderLinkId": "",
    "side": "Sell",
    "orderQty": "0.000",
    "orderType": "UNKNOWN",
    "execFee": "0.6364003",
    "execId": "11f1c4ed-ff20-4d73-acb7-96e43a917f25",
    "execPrice": "28399.90",
    "execQty": "0.011",
    "execType": "Funding",
    "execTime": "1682553600000",
    "closedSize": "0.000",
}
FILL = VenueFill(
    trade_id="7e2ae69c-4edf-5800-a352-893d52b446aa",
    quantity=Decimal(25),
    price=Decimal("0.3374"),
    fee=Decimal("0.005061"),
    ts_ns=1672364174443 * MS,
)


def test_an_order_is_read_with_what_stands_in_it() -> None:
    assert rows.order_of(ORDER, NET) == VenueOrder(
        client_order_id="ABCDEF7E1",
        venue_order_id="fd4300ae-7847-404e-b947-b46980a4d140",
        symbol="ETH/USDT:USDT",
        side=Side.BUY,
        position_side=None,
        order_type=OrderType.LIMIT_IOC,
        quantity=Decimal("0.10"),
        filled=Decimal(0),
        status=OrderStatus.ACCEPTED,
        reduce_only=False,
        ts_ns=1684738540561 * MS,
        limit_price=Decimal(1600),
    )


def test_a_stop_is_read_with_its_trigger() -> None:
    stop = rows.order_of(STOP | {"positionIdx": 1}, HEDGE)
    assert (stop.order_type, stop.trigger_price) == (OrderType.STOP, Decimal(1500))
    assert (stop.position_side, stop.reduce_only, stop.is_triggered) == (LONG, True, False)
    assert rows.order_of(STOP | {"price": "1480.00"}, NET).limit_price is None
    for status in ("Triggered", "New", "PartiallyFilled", "Filled", "Cancelled"):
        assert rows.order_of(STOP | {"orderStatus": status}, NET).is_triggered
    assert not rows.order_of(STOP | {"orderStatus": "Deactivated"}, NET).is_triggered


def test_an_order_without_an_id_of_its_maker_is_named_as_the_venue_names_it() -> None:
    named = [
        rows.order_of(ORDER | {"orderLinkId": "", "orderId": order_id}, NET).client_order_id
        for order_id in ("a", "b")
    ]
    assert named == ["a", "b"]


@pytest.mark.parametrize(
    ("row", "word", "reason"),
    [
        (ORDER, ReportWord.ACCEPTED, None),
        (STOP, ReportWord.ACCEPTED, None),
        (STOP | {"orderStatus": "Triggered"}, ReportWord.TRIGGERED, None),
        (STOP | {"orderStatus": "New"}, ReportWord.TRIGGERED, None),
        (STOP | {"orderStatus": "Deactivated", "cancelType": "CancelByUser"},
         ReportWord.CANCELED, None),
        (ORDER | {"orderStatus": "Cancelled", "rejectReason": "EC_PerCancelRequest"},
         ReportWord.CANCELED, None),
        (ORDER | {"orderStatus": "Cancelled", "rejectReason": "EC_NoImmediateQtyToFill"},
         ReportWord.CANCELED, Reason.NOT_FILLED),
        (ORDER | {"orderStatus": "Cancelled", "rejectReason": "EC_CancelForNoFullFill"},
         ReportWord.CANCELED, Reason.NOT_FILLED),
        (STOP | {"orderStatus": "Cancelled", "cancelType": "CancelByReduceOnly"},
         ReportWord.CANCELED, Reason.REDUCE_ONLY),
        (STOP | {"orderStatus": "Deactivated", "cancelType": "CancelAllBeforeLiq"},
         ReportWord.CANCELED, Reason.VENUE_REJECTED),
        (ORDER | {"orderStatus": "Rejected", "rejectReason": "EC_Others"},
         ReportWord.REJECTED, Reason.VENUE_REJECTED),
    ],
)  # fmt: skip
def test_a_change_of_an_order_is_reported(
    row: dict[str, Any], word: ReportWord, reason: Reason | None
) -> None:
    assert rows.reply_of("order.linear", row) == OrderReport(
        client_order_id=row["orderLinkId"],
        kind=word,
        ts_ns=1684738540561 * MS,
        venue_order_id=row["orderId"],
        reason=reason,
    )
    found = rows.order_of(row, NET)
    assert found.end_reason is reason


@pytest.mark.parametrize("status", ["PartiallyFilled", "Filled"])
def test_what_was_filled_is_left_to_executions(status: str) -> None:
    assert rows.reply_of("order.linear", ORDER | {"orderStatus": status}) is None


def test_an_execution_of_ours_is_a_trade_under_the_same_key_in_stream_and_history() -> None:
    report = rows.reply_of("execution.linear", EXECUTION)
    assert report == OrderReport(
        client_order_id="ABCDEF7S1",
        kind=ReportWord.TRADE,
        ts_ns=FILL.ts_ns,
        venue_order_id=EXECUTION["orderId"],
        fill=FILL,
    )
    trade = rows.trade_of(EXECUTION | {"seq": 9, "createType": "CreateByUser"}, NET)
    assert (trade.symbol, trade.side, trade.position_side) == ("XRP/USDT:USDT", Side.SELL, None)
    assert fill_key("o", trade.side, trade.fill) == fill_key("o", Side.SELL, FILL)


def test_a_fee_in_another_coin_is_said_to_be_so() -> None:
    assert rows.fill_of(EXECUTION | {"feeCurrency": "USDT"}).fee_currency is None
    assert rows.fill_of(EXECUTION | {"feeCurrency": "MNT"}).fee_currency == "MNT"


def test_funding_is_a_payment_and_never_a_trade() -> None:
    paid = FundingPaid(
        funding_id="11f1c4ed-ff20-4d73-acb7-96e43a917f25",
        symbol="BTC/USDT:USDT",
        position_side=SHORT,
        amount=Decimal("-0.6364003"),
        ts_ns=1682553600000 * MS,
    )
    assert rows.reply_of("execution.linear", FUNDING) == paid
    received = rows.funding_of(FUNDING | {"side": "Buy", "execFee": "-0.5"})
    assert (received.position_side, received.amount) == (LONG, Decimal("0.5"))


@pytest.mark.parametrize(
    ("topic", "row"),
    [
        ("execution.linear", EXECUTION | {"orderLinkId": "", "execType": "BustTrade"}),
        ("execution.linear", EXECUTION | {"orderLinkId": "my-own-order"}),
        ("execution.linear", FUNDING | {"symbol": "BTCPERP"}),
        ("order.linear", ORDER | {"orderLinkId": ""}),
        ("order.linear", ORDER | {"orderLinkId": "web-1", "orderStatus": "NeverHeardOf"}),
        ("order.linear", ORDER | {"category": "spot"}),
    ],
)
def test_what_is_not_ours_is_left_to_the_comparison(topic: str, row: dict[str, Any]) -> None:
    assert rows.reply_of(topic, row) is None


@pytest.mark.parametrize(
    ("change", "side"),
    [
        ({"side": "Buy", "closedSize": "0"}, LONG),
        ({"side": "Sell", "closedSize": "0.0"}, SHORT),
        ({"side": "Sell", "closedSize": "25"}, LONG),
        ({"side": "Buy", "closedSize": "25"}, SHORT),
        ({"side": "Sell", "closedSize": "", "execType": "BustTrade"}, LONG),
        ({"side": "Buy", "closedSize": "", "execType": "AdlTrade"}, SHORT),
    ],
)
def test_in_hedge_mode_an_execution_is_of_the_side_that_it_opens_or_closes(
    change: dict[str, str], side: PositionSide
) -> None:
    assert rows.trade_of(EXECUTION | change, HEDGE).position_side is side


@pytest.mark.parametrize(
    ("change", "mode", "held"),
    [
        ({}, NET, VenueHolding("BTC/USDT:USDT", None, Decimal("0.5"))),
        ({"side": "Sell"}, NET, VenueHolding("BTC/USDT:USDT", None, Decimal("-0.5"))),
        ({"positionIdx": 1}, HEDGE, VenueHolding("BTC/USDT:USDT", LONG, Decimal("0.5"))),
        ({"side": "Sell", "positionIdx": 2}, HEDGE,
         VenueHolding("BTC/USDT:USDT", SHORT, Decimal("-0.5"))),
        ({"size": "0", "side": ""}, NET, None),
        ({"size": "0.000", "side": "None"}, NET, None),
    ],
)  # fmt: skip
def test_a_holding_is_signed(
    change: dict[str, Any], mode: PositionMode, held: VenueHolding | None
) -> None:
    row = {"symbol": "BTCUSDT", "side": "Buy", "size": "0.5", "positionIdx": 0} | change
    assert rows.holding_of(row, mode) == held


def test_a_holding_in_another_position_mode_concludes_nothing() -> None:
    row = {"symbol": "BTCUSDT", "side": "Buy", "size": "0.5", "positionIdx": 1}
    with pytest.raises(Incomplete, match="positionIdx 1 does not fit position mode net"):
        rows.holding_of(row, NET)


@pytest.mark.parametrize("name", ["execId", "execQty", "execPrice", "execTime", "orderId"])
@pytest.mark.parametrize("value", [None, 7, "seven"])
def test_an_execution_that_lacks_something_concludes_nothing(name: str, value: Any) -> None:
    if value == "seven" and name.endswith("Id"):
        return
    with pytest.raises(Incomplete, match=name):
        rows.reply_of("execution.linear", EXECUTION | {name: value})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"orderStatus": "Sleeping"}, "orderStatus is none that we know: Sleeping"),
        ({"side": "None"}, "side is neither"),
        ({"qty": "NaN"}, "qty is no number"),
        ({"updatedTime": "yesterday"}, "updatedTime is no time"),
        ({"positionIdx": 2}, "positionIdx 2"),
    ],
)
def test_an_order_that_cannot_be_read_concludes_nothing(change: Any, said: str) -> None:
    with pytest.raises(Incomplete, match=said):
        rows.order_of(ORDER | change, NET)


GOOD = {"retCode": 0, "result": {"orderId": "v1", "orderLinkId": "ABCDEF1E1"}, "time": 1700}


def test_an_order_counts_as_accepted_only_when_it_is_named_by_both_ids() -> None:
    report = rows.accepted_report("ABCDEF1E1", GOOD)
    assert report is not None
    assert (report.kind, report.venue_order_id, report.ts_ns) == (
        ReportWord.ACCEPTED,
        "v1",
        1700 * MS,
    )


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        "<html>",
        GOOD | {"result": {}},
        GOOD | {"result": None},
        GOOD | {"result": {"orderId": "", "orderLinkId": "ABCDEF1E1"}},
        GOOD | {"result": {"orderId": "v1", "orderLinkId": "ABCDEF2E1"}},
    ],
)
def test_any_other_answer_to_an_order_says_nothing(body: Any) -> None:
    assert rows.accepted_report("ABCDEF1E1", body) is None


@pytest.mark.parametrize("body", [{}, [], None, "<html>", {"result": {"list": {}}}])
def test_an_answer_without_a_list_is_incomplete(body: Any) -> None:
    with pytest.raises(Incomplete):
        rows.list_of(body)
