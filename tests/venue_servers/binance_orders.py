"""How Binance USDM futures reads an order: which parameters it takes, which it wants, and the code
with which it refuses one. Codes and texts are the venue's.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.venue_servers.binance_messages import POSITION_SIDES, TIMES_IN_FORCE
from tests.venue_servers.binance_symbols import PRICE_BAND, digits
from tests.venue_servers.calls import Refusal
from tests.venue_servers.records import Instrument, Order, Quote, Reason, Side, TimeInForce, replace

CLIENT_ID = re.compile(r"[\.A-Z\:/a-z0-9_-]{1,36}")

ALWAYS = {"timestamp", "recvWindow", "signature"}
ORDER_TAKES = {
    *("symbol", "side", "type", "quantity", "price", "timeInForce", "reduceOnly", "positionSide"),
    *("newClientOrderId", "newOrderRespType", "selfTradePreventionMode", "priceMatch"),
}
STOP_TAKES = {
    *("algoType", "symbol", "side", "type", "quantity", "triggerPrice", "price", "timeInForce"),
    *("workingType", "reduceOnly", "positionSide", "closePosition", "clientAlgoId"),
    *("priceProtect", "newOrderRespType", "selfTradePreventionMode", "priceMatch"),
}
STOP_TYPES = {"STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"}
CONDITIONAL_TYPES = {*STOP_TYPES, "TRAILING_STOP_MARKET"}

HOLDINGS = {word: holding for holding, word in POSITION_SIDES.items()}
TIMES = {word: time for time, word in TIMES_IN_FORCE.items()}

REFUSALS: dict[Reason, tuple[int, str]] = {
    Reason.DUPLICATE_ID: (-4116, "ClientOrderId is duplicated."),
    Reason.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Reason.BAD_TICK: (-4014, "Price not increased by tick size."),
    Reason.BAD_LOT: (-4023, "Quantity not increased by step size."),
    Reason.BELOW_MINIMUM: (-4004, "Quantity less than min quantity."),
    Reason.BELOW_NOTIONAL: (
        -4164,
        "Order's notional must be no smaller than the minimum (unless you choose reduce only).",
    ),
    Reason.ABOVE_MAXIMUM: (-4005, "Quantity greater than max quantity."),
    Reason.WRONG_HOLDING: (-4061, "Order's position side does not match user's setting."),
    Reason.NOTHING_TO_REDUCE: (-2022, "ReduceOnly Order is rejected."),
    Reason.WOULD_TRIGGER: (-2021, "Order would immediately trigger."),
    Reason.INSUFFICIENT: (-2019, "Margin is insufficient."),
    Reason.UNKNOWN_ORDER: (-2011, "Unknown order sent."),
    Reason.ORDER_ENDED: (-2011, "Unknown order sent."),
}


def refusal(code: int, text: str, status: int = 400, **headers: str) -> Refusal:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Refusal(status, {"code": code, "msg": text}, named)


def refused(reason: Reason) -> Refusal:
    return refusal(*REFUSALS[reason])


class Parameters:
    """What a request says, read the way the venue reads it."""

    def __init__(self, values: Mapping[str, str], takes: set[str] | None = None) -> None:
        self.values = values
        if takes is not None and (unread := set(values) - takes - ALWAYS):
            read, sent = len(values) - len(unread), len(values)
            raise refusal(
                -1104,
                f"Not all sent parameters were read; read '{read}' parameter(s) "
                f"but was sent '{sent}'. ({', '.join(sorted(unread))})",
            )

    def text(self, name: str, otherwise: str | None = None) -> str:
        value = self.values.get(name) or otherwise
        if value is None:
            raise refusal(
                -1102,
                f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.",
            )
        return value

    def get(self, name: str) -> str | None:
        return self.values.get(name)

    def choice(self, name: str, choices: Mapping[str, Any], otherwise: str | None = None) -> Any:
        word = self.text(name, otherwise)
        if word not in choices:
            raise refusal(-1130, f"Data sent for parameter '{name}' is not valid.")
        return choices[word]

    def is_true(self, name: str) -> bool:
        words = {"true": True, "false": False, "TRUE": True, "FALSE": False}
        return bool(self.choice(name, words, "false"))

    def number(self, name: str, otherwise: int | None = None) -> int:
        word = self.text(name, None if otherwise is None else str(otherwise))
        if not re.fullmatch(r"\d+", word):
            raise refusal(-1100, f"Illegal characters found in parameter '{name}'.")
        return int(word)

    def decimal(self, name: str, digits_max: int) -> Decimal:
        try:
            value = Decimal(self.text(name))
        except InvalidOperation as error:
            raise refusal(-1100, f"Illegal characters found in parameter '{name}'.") from error
        if value <= 0:
            text = "Price less than 0." if "rice" in name else "Quantity less than zero."
            raise refusal(-4001 if "rice" in name else -4003, text)
        if digits(value) > digits_max:
            raise refusal(-1111, "Precision is over the maximum defined for this asset.")
        return value

    def client_id(self, name: str, otherwise: str) -> str:
        word = self.text(name, otherwise)
        if not CLIENT_ID.fullmatch(word):
            legal = "'^[\\.A-Z\\:/a-z0-9_-]{1,36}$'"
            raise refusal(
                -1100, f"Illegal characters found in parameter '{name}'; legal range is {legal}."
            )
        return word


def read_order(
    said: Parameters, rules: Instrument, client_id: str, *, is_hedging: bool, is_limit: bool
) -> Order:
    """The part that plain and conditional orders have in common."""
    holding = HOLDINGS.get(said.text("positionSide", "BOTH"))
    if holding is None:
        raise refusal(-1130, "Data sent for parameter 'positionSide' is not valid.")
    if is_hedging and said.get("reduceOnly") is not None:
        raise refusal(-1106, "Parameter 'reduceonly' sent when not required.")
    if not is_limit and said.get("price") is not None:
        raise refusal(-1106, "Parameter 'price' sent when not required.")
    return Order(
        client_id=client_id,
        symbol=rules.symbol,
        side=said.choice("side", {"BUY": Side.BUY, "SELL": Side.SELL}),
        quantity=said.decimal("quantity", digits(rules.lot)),
        price=said.decimal("price", digits(rules.tick)) if is_limit else None,
        time_in_force=said.choice("timeInForce", TIMES) if is_limit else TimeInForce.GTC,
        holding=holding,
        is_reduce_only=said.is_true("reduceOnly"),
    )


def read_plain_order(
    said: Parameters, rules: Instrument, client_id: str, *, is_hedging: bool
) -> Order:
    kind = said.text("type")
    if kind in CONDITIONAL_TYPES:
        raise refusal(
            -4120,
            "Order type not supported for this endpoint. "
            "Please use the Algo Order API endpoints instead.",
        )
    is_limit = said.choice("type", {"LIMIT": True, "MARKET": False})
    return read_order(said, rules, client_id, is_hedging=is_hedging, is_limit=is_limit)


def read_stop(said: Parameters, rules: Instrument, ledger_id: str, *, is_hedging: bool) -> Order:
    """`STOP` waits for a price that is worse for its side than now, `TAKE_PROFIT` for a better."""
    said.choice("algoType", {"CONDITIONAL": True})
    kind = said.choice("type", {kind: kind for kind in STOP_TYPES})
    said.choice("workingType", dict.fromkeys(("CONTRACT_PRICE", "MARK_PRICE")), "CONTRACT_PRICE")
    if said.is_true("closePosition"):
        raise refusal(-1130, "Data sent for parameter 'closePosition' is not valid (not built).")
    is_limit = kind in ("STOP", "TAKE_PROFIT")
    if is_limit and said.get("timeInForce") is None:
        said = Parameters({**said.values, "timeInForce": "GTC"})
    order = read_order(said, rules, ledger_id, is_hedging=is_hedging, is_limit=is_limit)
    rises = (order.side is Side.BUY) is kind.startswith("STOP")
    trigger = said.decimal("triggerPrice", digits(rules.tick))
    return replace(order, trigger_price=trigger, trigger_rises=rises)


def check_band(order: Order, quote: Quote | None) -> None:
    """A limit far beyond the last price is taken for a mistake."""
    if quote is None or order.price is None:
        return
    highest, lowest = (quote.last * part for part in PRICE_BAND)
    if order.side is Side.BUY and order.price > highest:
        raise refusal(-4016, f"Limit price can't be higher than {highest}.")
    if order.side is Side.SELL and order.price < lowest:
        raise refusal(-4024, f"Limit price can't be lower than {lowest}.")
