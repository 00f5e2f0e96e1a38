"""Whatever Bybit sends, however strange: it is read, or nothing is concluded from it. Any other
error would end the engine."""

from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.domain.policy import PositionMode
from pointsman.venues.adapter import Incomplete
from pointsman.venues.bybit import account, rows, stream
from pointsman.venues.bybit.codes import TABLE, retry_after_ms
from pointsman.venues.bybit.lists import read_history
from pointsman.venues.errors import VenueRefused
from pointsman.venues.outcome import Answer, Stage, interpret
from tests.unit.test_bybit_account import BTC
from tests.unit.test_bybit_rows import EXECUTION, FUNDING, ORDER, STOP

HOLDING = {"symbol": "BTCUSDT", "side": "Buy", "size": "0.5", "positionIdx": 0}
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.sampled_from(["", "0", "-1"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def strange(draw: st.DrawFn, row: dict[str, Any]) -> dict[str, Any]:
    """A row in which some fields are missing, or hold anything."""
    changed = dict(row)
    for name in draw(st.lists(st.sampled_from(sorted(row)), max_size=3)):
        if draw(st.booleans()):
            changed.pop(name, None)
        else:
            changed[name] = draw(JSON)
    return changed


@settings(max_examples=400)
@given(row=st.sampled_from([ORDER, STOP]).flatmap(strange), mode=st.sampled_from(PositionMode))
def test_orders(row: dict[str, Any], mode: PositionMode) -> None:
    with suppress(Incomplete):
        rows.order_of(row, mode)
    with suppress(Incomplete):
        rows.reply_of("order.linear", row)


@settings(max_examples=400)
@given(
    row=st.sampled_from([EXECUTION, FUNDING]).flatmap(strange), mode=st.sampled_from(PositionMode)
)
def test_executions(row: dict[str, Any], mode: PositionMode) -> None:
    with suppress(Incomplete):
        rows.trade_of(row, mode)
    with suppress(Incomplete):
        rows.funding_of(row)
    with suppress(Incomplete):
        rows.reply_of("execution.linear", row)


@settings(max_examples=300)
@given(row=strange(HOLDING), key=strange({"readOnly": 0, "permissions": {}}), mode=st.sampled_from(
    PositionMode))  # fmt: skip
def test_holdings_modes_and_keys(
    row: dict[str, Any], key: dict[str, Any], mode: PositionMode
) -> None:
    with suppress(Incomplete):
        rows.holding_of(row, mode)
    with suppress(Incomplete, VenueRefused):
        account.check_mode("BTCUSDT", [row], mode)
    with suppress(Incomplete, VenueRefused):
        account.check_key(key)
    with suppress(Incomplete, VenueRefused):
        account.check_account(key)


@settings(max_examples=300)
@given(row=strange(BTC))
def test_contracts(row: dict[str, Any]) -> None:
    with suppress(Incomplete):
        account.instruments_of([row])


@settings(max_examples=400)
@given(
    messages=st.lists(
        st.one_of(
            JSON,
            st.builds(
                lambda topic, data: {"topic": topic, "data": data},
                st.sampled_from([*stream.TOPICS, "wallet", 7]),
                st.one_of(
                    JSON,
                    st.lists(
                        st.sampled_from([ORDER, STOP, EXECUTION, FUNDING]).flatmap(strange),
                        max_size=3,
                    ),
                ),
            ),
        ),
        max_size=4,
    )
)
def test_messages(messages: list[Any]) -> None:
    missing = stream.MissingExecutions()
    for number, message in enumerate(messages):
        with suppress(Incomplete):
            stream.replies_of(message, missing, number)
        missing.to_ask(number)


BODY = {"retCode": 0, "retMsg": "OK", "result": {"list": [EXECUTION]}, "time": 1_700_000_000_000}


@settings(max_examples=200)
@given(body=st.one_of(JSON, strange(BODY), strange(EXECUTION).map(
    lambda row: BODY | {"result": {"list": [row]}})))  # fmt: skip
async def test_answers(body: Any) -> None:
    async def read(call: object) -> Any:
        del call
        return body

    with suppress(Incomplete):
        await read_history(read, "1699999999999", PositionMode.HEDGE)
    with suppress(Incomplete):
        await read_history(read, "", PositionMode.HEDGE)
    rows.accepted_report("ABCDEF1E1", body)
    for stage in Stage:
        interpret(TABLE, stage, Answer(status=200, body=body))
    retry_after_ms(200, body, {"X-Bapi-Limit-Reset-Timestamp": "1"})
