"""What Binance says, in our words: on the payloads of its documentation and of users."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pointsman.domain.events import OrderReport, ReportWord
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import OrderType
from pointsman.domain.policy import PositionMode
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.venues.adapter import Incomplete
from pointsman.venues.binance import words
from pointsman.venues.binance.order_ids import OrderIds
from pointsman.venues.binance.shapes import (
    OrderRow,
    OrderUpdate,
    PositionRow,
    StopRow,
    StopUpdate,
    TradeRow,
)
from pointsman.venues.binance.words import Translator
from pointsman.venues.shapes import read_as

NET, HEDGE = PositionMode.NET, PositionMode.HEDGE
ENTRY, STOP = "ABCDEF1E1", "ABCDEF1S1"

ORDER: dict[str, Any] = {
    "orderId": 7,
    "clientOrderId": ENTRY,
    "symbol": "BTCUSDT",
    "status": "FILLED",
    "side": "BUY",
    "positionSide": "BOTH",
    "type": "LIMIT",
    "timeInForce": "IOC",
    "origQty": "0.010",
    "executedQty": "0.010",
    "price": "50000.10",
    "reduceOnly": False,
    "updateTime": 1_700_000_000_123,
}
RESTING: dict[str, Any] = {
    "algoId": 9,
    "clientAlgoId": STOP,
    "symbol": "BTCUSDT",
    "side": "SELL",
    "positionSide": "BOTH",
    "algoStatus": "NEW",
    "quantity": "0.010",
    "triggerPrice": "49000.0",
    "reduceOnly": True,
    "updateTime": 1_700_000_000_123,
    "actualOrderId": "",
}
TRADE: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "id": 5,
    "orderId": 7,
    "side": "BUY",
    "positionSide": "BOTH",
    "price": "50000.1",
    "qty": "0.010",
    "commission": "0.25",
    "commissionAsset": "USDT",
    "time": 1_700_000_000_123,
}
UPDATE: dict[str, Any] = {
    "s": "BTCUSDT",
    "c": ENTRY,
    "f": "IOC",
    "x": "TRADE",
    "X": "FILLED",
    "i": 7,
    "l": "0.010",
    "z": "0.010",
    "L": "50000.1",
    "N": "USDT",
    "n": "0.25",
    "T": 1_700_000_000_123,
    "t": 5,
}
STOP_UPDATE: dict[str, Any] = {"caid": STOP, "aid": 9, "s": "BTCUSDT", "X": "NEW", "ai": ""}


def of(mode: PositionMode = NET) -> Translator:
    made = Translator(mode, OrderIds())
    made.names["BTCUSDT"] = "BTC/USDT:USDT"
    return made


def order(**changes: Any) -> OrderRow:
    return read_as(OrderRow, {**ORDER, **changes})


def stop(**changes: Any) -> StopRow:
    return read_as(StopRow, {**RESTING, **changes})


def update(**changes: Any) -> OrderUpdate:
    return read_as(OrderUpdate, {**UPDATE, **changes})


# -- rows ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"status": "NEW", "executedQty": "0"}, OrderStatus.ACCEPTED, None),
        ({"status": "PARTIALLY_FILLED"}, OrderStatus.PARTIALLY_FILLED, None),
        ({}, OrderStatus.FILLED, None),
        ({"status": "CANCELED"}, OrderStatus.CANCELED, None),
        ({"status": "EXPIRED"}, OrderStatus.EXPIRED, Reason.NOT_FILLED),
        ({"status": "EXPIRED", "timeInForce": "GTC"}, OrderStatus.EXPIRED, None),
        ({"status": "EXPIRED_IN_MATCH"}, OrderStatus.EXPIRED, Reason.NOT_FILLED),
        ({"status": "REJECTED"}, OrderStatus.REJECTED, None),
    ],
)
def test_an_order_has_one_status(
    changes: dict[str, str], status: OrderStatus, reason: Reason | None
) -> None:
    told = of().order_of(order(**changes))
    assert (told.status, told.end_reason) == (status, reason)
    assert (told.symbol, told.client_order_id, told.venue_order_id) == (
        "BTC/USDT:USDT",
        ENTRY,
        "7",
    )
    assert (told.quantity, told.limit_price) == (Decimal("0.01"), Decimal("50000.1"))
    assert told.ts_ns == 1_700_000_000_123_000_000


@pytest.mark.parametrize("changes", [{"status": "DONE"}, {"side": "HOLD"}])
def test_what_is_not_documented_is_not_guessed(changes: dict[str, str]) -> None:
    with pytest.raises(Incomplete, match="does not document"):
        of().order_of(order(**changes))


@pytest.mark.parametrize(
    ("row", "status", "is_triggered"),
    [
        ({}, OrderStatus.ACCEPTED, False),
        ({"algoStatus": "TRIGGERING"}, OrderStatus.ACCEPTED, True),
        ({"algoStatus": "TRIGGERED"}, OrderStatus.ACCEPTED, True),
        ({"algoStatus": "CANCELED"}, OrderStatus.CANCELED, False),
        ({"algoStatus": "EXPIRED"}, OrderStatus.EXPIRED, False),
        ({"algoStatus": "REJECTED"}, OrderStatus.REJECTED, False),
    ],
)
def test_a_stop_that_has_become_no_order_has_one_status(
    row: dict[str, str], status: OrderStatus, is_triggered: bool
) -> None:
    told = of().stop_of(stop(**row))
    assert (told.status, told.is_triggered, told.filled) == (status, is_triggered, 0)
    assert (told.client_order_id, told.venue_order_id) == (STOP, "9")
    assert (told.order_type, told.trigger_price) == (OrderType.STOP, 49000)


def test_a_finished_stop_says_nothing_without_what_it_became() -> None:
    finished = stop(algoStatus="FINISHED", actualOrderId="77")
    with pytest.raises(Incomplete, match="FINISHED, with no order known"):
        of().stop_of(finished)
    child = order(orderId=77, status="EXPIRED", executedQty="0.004", type="MARKET")
    told = of().stop_of(finished, child)
    assert (told.status, told.filled) == (OrderStatus.EXPIRED, Decimal("0.004"))
    assert (told.quantity, told.is_triggered) == (Decimal("0.01"), True)


def test_what_a_stop_became_is_shown_as_the_stop() -> None:
    its = of()
    its.ids.link(77, STOP)
    told = its.order_of(order(orderId=77, clientOrderId="x-child", type="MARKET", status="NEW"))
    assert (told.client_order_id, told.order_type, told.is_triggered) == (
        STOP,
        OrderType.STOP,
        True,
    )


@pytest.mark.parametrize(
    ("mode", "said", "side", "is_closing"),
    [
        (NET, "BOTH", None, False),
        (HEDGE, "LONG", PositionSide.LONG, False),
        (HEDGE, "SHORT", PositionSide.SHORT, True),
    ],
)
def test_in_hedge_mode_the_side_of_the_holding_says_what_closes(
    mode: PositionMode, said: str, side: PositionSide | None, is_closing: bool
) -> None:
    told = of(mode).order_of(order(positionSide=said))
    assert (told.position_side, told.reduce_only) == (side, is_closing)


@pytest.mark.parametrize(("mode", "said"), [(NET, "LONG"), (HEDGE, "BOTH")])
def test_a_mode_that_was_switched_meanwhile_is_noticed(mode: PositionMode, said: str) -> None:
    with pytest.raises(Incomplete, match="switched"):
        of(mode).order_of(order(positionSide=said))


def test_a_stop_of_somebody_else_may_have_neither_quantity_nor_trigger() -> None:
    told = of().stop_of(stop(quantity=None, triggerPrice="", clientAlgoId="web_1"))
    assert (told.quantity, told.trigger_price) == (0, None)
    with pytest.raises(Incomplete, match="no number"):
        of().stop_of(stop(quantity="much"))


def test_an_execution_of_the_history() -> None:
    told = of().trade_of(read_as(TradeRow, TRADE), STOP)
    assert (told.client_order_id, told.venue_order_id, told.side) == (STOP, "7", Side.BUY)
    assert (told.fill.trade_id, told.fill.quantity) == ("5", Decimal("0.01"))
    assert (told.fill.fee, told.fill.fee_currency) == (Decimal("0.25"), "USDT")


@pytest.mark.parametrize(
    ("amount", "expected"), [("0.002", Decimal("0.002")), ("-3", -3), ("0.000", None)]
)
def test_a_holding_is_signed_and_none_is_none(amount: str, expected: Decimal | None) -> None:
    row = {"symbol": "BTCUSDT", "positionSide": "BOTH", "positionAmt": amount, "updateTime": 1}
    told = of().holding_of(read_as(PositionRow, row))
    assert (None if told is None else told.quantity) == expected


# -- messages --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "changes", "kind", "reason"),
    [
        (ENTRY, {"x": "NEW", "X": "NEW"}, ReportWord.ACCEPTED, None),
        (STOP, {"x": "NEW", "X": "NEW"}, ReportWord.TRIGGERED, None),
        (ENTRY, {}, ReportWord.TRADE, None),
        (ENTRY, {"x": "CALCULATED"}, ReportWord.TRADE, None),
        (ENTRY, {"x": "CALCULATED", "l": "0"}, None, None),
        (ENTRY, {"x": "CANCELED", "X": "CANCELED"}, ReportWord.CANCELED, None),
        (ENTRY, {"x": "EXPIRED", "X": "EXPIRED"}, ReportWord.EXPIRED, Reason.NOT_FILLED),
        (
            STOP,
            {"x": "EXPIRED", "f": "GTC", "er": "4"},
            ReportWord.EXPIRED,
            Reason.REDUCE_ONLY,
        ),
        (STOP, {"x": "EXPIRED", "f": "GTC", "er": 9}, ReportWord.EXPIRED, Reason.NOT_FILLED),
        (STOP, {"x": "EXPIRED", "f": "GTC"}, ReportWord.EXPIRED, None),
        (ENTRY, {"x": "AMENDMENT"}, None, None),
    ],
)
def test_a_message_about_an_order(
    name: str, changes: dict[str, Any], kind: ReportWord | None, reason: Reason | None
) -> None:
    report = words.order_report(name, update(**changes))
    if kind is None:
        assert report is None
        return
    assert report is not None
    assert (report.client_order_id, report.kind, report.reason) == (name, kind, reason)
    assert (report.fill is not None) is (kind is ReportWord.TRADE)


def test_a_fill_has_the_same_key_in_the_stream_and_in_the_history() -> None:
    report = words.order_report(ENTRY, update())
    told = words.fill_of(read_as(TradeRow, TRADE))
    assert report is not None
    assert report.fill is not None
    assert report.fill.cumulative == Decimal("0.01")
    for field in ("trade_id", "quantity", "price", "fee", "fee_currency", "ts_ns"):
        assert getattr(report.fill, field) == getattr(told, field)


@pytest.mark.parametrize(
    ("changes", "kind", "reason"),
    [
        ({}, ReportWord.ACCEPTED, None),
        ({"X": "TRIGGERING"}, ReportWord.TRIGGERED, None),
        ({"X": "TRIGGERED", "ai": "77"}, ReportWord.TRIGGERED, None),
        ({"X": "FINISHED", "ai": "77"}, None, None),
        ({"X": "CANCELED"}, ReportWord.CANCELED, None),
        ({"X": "CANCELED", "ai": "77"}, None, None),
        ({"X": "EXPIRED"}, ReportWord.EXPIRED, None),
        ({"X": "REJECTED", "rm": "Reduce Only reject"}, ReportWord.REJECTED, Reason.REDUCE_ONLY),
        (
            {"X": "REJECTED", "rm": "Margin is insufficient."},
            ReportWord.REJECTED,
            Reason.VENUE_REJECTED,
        ),
    ],
)
def test_a_message_about_a_stop(
    changes: dict[str, str], kind: ReportWord | None, reason: Reason | None
) -> None:
    report = words.stop_report(read_as(StopUpdate, {**STOP_UPDATE, **changes}), 5)
    assert (report and report.kind, report and report.reason) == (kind, reason)


def test_words_that_are_not_documented_are_not_guessed() -> None:
    with pytest.raises(Incomplete, match="MOVED"):
        words.order_report(ENTRY, update(x="MOVED"))
    with pytest.raises(Incomplete, match="MOVED"):
        words.stop_report(read_as(StopUpdate, {**STOP_UPDATE, "X": "MOVED"}), 5)


# -- answers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "body", "venue_order_id"),
    [
        (ENTRY, {"orderId": 7, "clientOrderId": ENTRY, "updateTime": 3}, "7"),
        (STOP, {"algoId": 9, "clientAlgoId": STOP, "updateTime": 3}, "9"),
        (ENTRY, {"orderId": 7, "clientOrderId": "other"}, None),
        (ENTRY, {"clientOrderId": ENTRY}, None),
        (STOP, {"orderId": 9, "clientOrderId": STOP}, None),
        (ENTRY, {}, None),
        (ENTRY, [], None),
        (ENTRY, None, None),
    ],
)
def test_an_order_is_accepted_where_the_answer_names_it_by_both_ids(
    name: str, body: object, venue_order_id: str | None
) -> None:
    report = words.accepted_report(name, body, 4)
    assert (report and report.venue_order_id) == venue_order_id
    if isinstance(report, OrderReport):
        assert (report.kind, report.ts_ns) == (ReportWord.ACCEPTED, 3_000_000)


CANCELED = {"orderId": 7, "status": "CANCELED", "updateTime": 3}


@pytest.mark.parametrize(
    ("name", "body", "ts_ns"),
    [
        (ENTRY, CANCELED | {"clientOrderId": ENTRY}, 3_000_000),
        (ENTRY, CANCELED | {"clientOrderId": "ABCDEF2E1"}, None),
        (ENTRY, CANCELED, None),
        (STOP, CANCELED | {"orderId": 77, "clientOrderId": "theirs"}, 3_000_000),
        (STOP, CANCELED | {"orderId": 78, "clientOrderId": "theirs"}, None),
        (STOP, {"algoId": 9, "clientAlgoId": STOP, "code": "200", "msg": "success"}, 4_000_000),
        (ENTRY, {"orderId": 7, "status": "FILLED", "clientOrderId": ENTRY}, None),
        (STOP, {"algoId": 9, "clientAlgoId": "other", "code": "200"}, None),
        (ENTRY, {}, None),
        (ENTRY, [], None),
    ],
)
def test_an_order_is_cancelled_where_the_answer_says_that_it_has_ended(
    name: str, body: object, ts_ns: int | None
) -> None:
    child_id = 77 if name == STOP else None
    report = words.canceled_report(name, child_id, body, 4)
    assert (report and report.ts_ns) == ts_ns


# -- payloads of users -----------------------------------------------------------------------------


@pytest.fixture
def payloads(shared_data: Path) -> Path:
    return shared_data / "venue-messages" / "binance" / "futures"


def test_every_recorded_message_about_orders_can_be_read(payloads: Path) -> None:
    seen = set()
    for path in sorted((payloads / "user_data_json").glob("*.json")):
        message = json.loads(path.read_text())
        if message["e"] == "ORDER_TRADE_UPDATE":
            words.order_report(ENTRY, read_as(OrderUpdate, message["o"]))
        elif message["e"] == "ALGO_UPDATE":
            words.stop_report(read_as(StopUpdate, message["o"]), message["T"])
        seen.add(message["e"])
    assert {"ORDER_TRADE_UPDATE", "ALGO_UPDATE"} <= seen


def test_every_recorded_answer_can_be_read(payloads: Path) -> None:
    def body(name: str) -> Any:
        return json.loads((payloads / "http_json" / f"{name}.json").read_text())

    assert of().order_of(read_as(OrderRow, body("order_response"))).status is OrderStatus.ACCEPTED
    (resting,) = read_as(list[StopRow], body("open_algo_orders"))
    assert of().stop_of(resting).trigger_price == 45000
    (held,) = read_as(list[PositionRow], body("position_risk"))
    holding = of().holding_of(held)
    assert holding is not None
    assert holding.quantity == Decimal("0.001")
