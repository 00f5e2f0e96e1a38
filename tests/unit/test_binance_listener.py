"""The account's stream of Binance, message by message."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.events import OrderReport
from pointsman.execution.ports import VenueReply
from pointsman.venues.adapter import Incomplete
from pointsman.venues.binance import listener as module
from pointsman.venues.binance.activity import Activity
from pointsman.venues.binance.listener import Listener
from pointsman.venues.binance.lists import Holdings
from pointsman.venues.binance.order_ids import OrderIds
from tests.unit.test_binance_words import ENTRY, STOP, STOP_UPDATE, UPDATE


class Heard:
    """A connection; `children` is what the venue answers about what stops became."""

    def __init__(self) -> None:
        self.ids = OrderIds()
        self.activity = Activity(lambda: 1)
        self.children: dict[int, str] = {}
        self.asked: list[str] = []
        self.failures = 0
        """How many questions fail before one is answered."""
        self.payments = 0
        self.listener = Listener(
            self.ids, self.activity, Holdings(self.activity), self._find, self._expect
        )

    async def _find(self, symbol: str) -> None:
        self.asked.append(symbol)
        if len(self.asked) <= self.failures:
            raise Incomplete("not now")
        for child_id, stop_id in self.children.items():
            self.ids.link(child_id, stop_id)

    def _expect(self) -> None:
        self.payments += 1

    def order(self, **changes: Any) -> list[str]:
        message = {"e": "ORDER_TRADE_UPDATE", "T": 5, "o": {**UPDATE, **changes}}
        return shown(self.listener.hear(message))

    def stop(self, **changes: Any) -> list[str]:
        message = {"e": "ALGO_UPDATE", "T": 5, "o": {**STOP_UPDATE, **changes}}
        return shown(self.listener.hear(message))

    def resolve(self, order_id: int) -> list[str]:
        return shown(asyncio.run(self.listener.resolve(order_id, "BTCUSDT")))


def shown(replies: list[VenueReply]) -> list[str]:
    reports = [reply for reply in replies if isinstance(reply, OrderReport)]
    assert len(reports) == len(replies)
    return [f"{report.client_order_id} {report.kind.value}" for report in reports]


CHILD = {"c": "x-child", "i": 77}


def test_orders_of_ours_are_reported_and_others_are_not() -> None:
    heard = Heard()
    assert heard.order() == [f"{ENTRY} TRADE"]
    assert heard.order(c="web_1", i=8) == []
    assert heard.stop(caid="web_2") == []
    assert heard.listener.held() == {}


def test_a_stop_and_what_it_becomes_are_one_order() -> None:
    heard = Heard()
    assert heard.stop() == [f"{STOP} ACCEPTED"]
    assert heard.stop(X="TRIGGERED", ai="77") == [f"{STOP} TRIGGERED"]
    assert heard.order(**CHILD, x="NEW", X="NEW") == [f"{STOP} TRIGGERED"]
    assert heard.order(**CHILD) == [f"{STOP} TRADE"]
    assert heard.stop(X="FINISHED", ai="77") == []
    assert not heard.ids.may_have_child("BTCUSDT")


def test_a_fill_that_comes_before_the_trigger_waits_for_it() -> None:
    heard = Heard()
    heard.stop()
    assert heard.order(**CHILD, x="NEW", X="NEW") == []
    assert heard.order(**CHILD, X="PARTIALLY_FILLED") == []
    assert heard.listener.held() == {77: "BTCUSDT"}
    assert heard.stop(X="TRIGGERED", ai=77) == [
        f"{STOP} TRIGGERED",
        f"{STOP} TRIGGERED",
        f"{STOP} TRADE",
    ]
    assert heard.listener.held() == {}
    assert heard.resolve(77) == []


def test_or_for_the_answer_to_a_question() -> None:
    heard = Heard()
    heard.stop()
    heard.order(**CHILD)
    heard.children[77] = STOP
    assert heard.resolve(77) == [f"{STOP} TRADE"]
    assert heard.asked == ["BTCUSDT"]


def test_after_two_seconds_it_is_foreign_and_not_asked_about_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "HELD_SECONDS", 0.05)
    monkeypatch.setattr(module, "ASK_AGAIN_SECONDS", 0.01)
    heard = Heard()
    heard.stop()
    heard.order(**CHILD)
    assert heard.resolve(77) == []
    assert len(heard.asked) > 1
    assert heard.order(**CHILD) == []
    assert heard.listener.held() == {}
    # Should the stop yet say that it is its own, it is.
    heard.stop(X="TRIGGERED", ai="77")
    assert heard.order(**CHILD) == [f"{STOP} TRADE"]


def test_an_order_is_not_foreign_because_the_question_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "HELD_SECONDS", 0.05)
    monkeypatch.setattr(module, "ASK_AGAIN_SECONDS", 0.01)
    heard = Heard()
    heard.failures = 20
    heard.stop()
    heard.order(**CHILD)
    heard.children[77] = STOP
    assert heard.resolve(77) == [f"{STOP} TRADE"]
    assert len(heard.asked) == 21


@pytest.mark.parametrize("name", ["autoclose-1", "adl_autoclose", "settlement_autoclose-1"])
def test_a_liquidation_is_foreign_at_once(name: str) -> None:
    heard = Heard()
    heard.stop()
    assert heard.order(c=name, i=8, x="CALCULATED") == []
    assert heard.listener.held() == {}


def test_every_message_about_a_symbol_makes_it_active() -> None:
    heard = Heard()
    heard.order(c="autoclose-1", i=8, s="ETHUSDT")
    heard.stop(caid="web_2", s="SOLUSDT")
    account = {"m": "ORDER", "P": [{"s": "XRPUSDT", "pa": "1", "ps": "BOTH"}]}
    heard.listener.hear({"e": "ACCOUNT_UPDATE", "T": 5, "a": account})
    assert heard.activity.names() == {"ETHUSDT", "SOLUSDT", "XRPUSDT"}
    assert heard.payments == 0
    heard.listener.hear({"e": "ACCOUNT_UPDATE", "T": 5, "a": {"m": "FUNDING_FEE", "P": []}})
    assert heard.payments == 1


@pytest.mark.parametrize(
    "message",
    [
        {"e": "listenKeyExpired", "E": 5, "listenKey": "k"},
        {"e": "ORDER_TRADE_UPDATE", "T": 5},
        {"e": "ORDER_TRADE_UPDATE", "T": 5, "o": {"c": ENTRY}},
        {"e": "ORDER_TRADE_UPDATE", "T": 5, "o": {**UPDATE, "x": "MOVED"}},
        {"e": "ALGO_UPDATE", "o": STOP_UPDATE},
        {"e": "ACCOUNT_UPDATE", "T": 5, "a": {}},
    ],
)
def test_what_cannot_be_understood_ends_the_connection(message: dict[str, Any]) -> None:
    with pytest.raises(Incomplete):
        Heard().listener.hear(message)


@pytest.mark.parametrize("message", [{"e": "TRADE_LITE"}, {"e": "NEW_KIND"}, {}, [], "text"])
def test_messages_of_other_kinds_are_ignored(message: object) -> None:
    assert Heard().listener.hear(message) == []


def test_every_recorded_message_can_be_heard(shared_data: Path) -> None:
    folder = shared_data / "venue-messages" / "binance" / "futures" / "user_data_json"
    heard, paths = Heard(), sorted(folder.glob("*.json"))
    assert len(paths) > 10
    for path in paths:
        assert heard.listener.hear(json.loads(path.read_text())) == [], path.name


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
)
MESSAGES: list[dict[str, Any]] = [
    {"e": "ORDER_TRADE_UPDATE", "T": 5, "o": UPDATE},
    {"e": "ORDER_TRADE_UPDATE", "T": 5, "o": {**UPDATE, "x": "EXPIRED", "er": "2"}},
    {"e": "ALGO_UPDATE", "T": 5, "o": {**STOP_UPDATE, "X": "TRIGGERED", "ai": "77"}},
    {"e": "ALGO_UPDATE", "T": 5, "o": {**STOP_UPDATE, "X": "REJECTED", "rm": "told"}},
    {"e": "ACCOUNT_UPDATE", "T": 5, "a": {"m": "ORDER", "P": [{"s": "B", "pa": "1", "ps": "B"}]}},
]


@given(st.sampled_from(MESSAGES), st.data(), ANYTHING)
def test_whatever_stands_in_a_field_a_message_is_understood_or_is_not(
    message: dict[str, Any], data: st.DataObject, anything: Any
) -> None:
    heard = Heard()
    heard.stop()
    content = next(name for name in ("o", "a") if name in message)
    name = data.draw(st.sampled_from([*message, *message[content]]))
    changed = {**message, name: anything}
    if name in message[content]:
        changed = {**message, content: {**message[content], name: anything}}
    try:
        replies = heard.listener.hear(changed)
    except Incomplete:
        return
    for reply in replies:
        assert isinstance(reply, OrderReport)
        assert reply.fill is None or reply.fill.quantity.is_finite()
