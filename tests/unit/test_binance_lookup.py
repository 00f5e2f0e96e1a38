"""Looking an order up: which spaces are asked, and what may be concluded."""

from collections import deque
from typing import Any

import pytest

from pointsman.domain.commands import Query
from pointsman.domain.events import OrderAbsent
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.venue_reports import OrderFound
from pointsman.venues.adapter import Call, Incomplete
from pointsman.venues.binance import requests
from pointsman.venues.binance.lookup import look_up
from pointsman.venues.binance.words import Translator
from pointsman.venues.outcome import AnswerVerdict, Proof
from tests.unit.test_binance_words import ENTRY, ORDER, RESTING, STOP, TRADE, of

SYMBOL = "BTC/USDT:USDT"
GONE = Incomplete("told", AnswerVerdict(outcome=Proof.NOT_FOUND))
UNREADABLE = Incomplete("told", AnswerVerdict(outcome=Proof.UNKNOWN))


class Venue:
    """Answers each route with what was put there, one after the other, the last again and again."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {name: deque(each) for name, each in answers.items()}
        self.asked: list[str] = []

    async def read(self, call: Call) -> Any:
        name = call.route.rpartition("/")[2]
        self.asked.append(name)
        answers = self.answers[name]
        answer = answers.popleft() if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def found(
    venue: Venue, order_id: str, its: Translator | None = None
) -> OrderFound | OrderAbsent | None:
    return await look_up(venue.read, its or of(), Query(order_id, SYMBOL), 5)


async def test_an_entry_is_asked_for_with_its_fills() -> None:
    venue = Venue(order=[ORDER], userTrades=[[TRADE]])
    told = await found(venue, ENTRY)
    assert isinstance(told, OrderFound)
    assert (told.order.status, len(told.fills), told.asked_at_ns) == (OrderStatus.FILLED, 1, 5)
    assert venue.asked == ["order", "userTrades"]


async def test_a_full_page_of_fills_is_not_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "PAGE", 2)
    pages = [[{**TRADE, "id": 1}, {**TRADE, "id": 2}], [{**TRADE, "id": 3}]]
    told = await found(Venue(order=[ORDER], userTrades=pages), ENTRY)
    assert isinstance(told, OrderFound)
    assert [fill.trade_id for fill in told.fills] == ["1", "2", "3"]


async def test_a_resting_stop_is_found_in_its_own_space() -> None:
    venue = Venue(algoOrder=[RESTING])
    told = await found(venue, STOP)
    assert isinstance(told, OrderFound)
    assert (told.order.status, told.fills) == (OrderStatus.ACCEPTED, ())
    assert venue.asked == ["algoOrder"]


FINISHED = {**RESTING, "algoStatus": "FINISHED", "actualOrderId": "77"}
CHILD = {**ORDER, "orderId": 77, "clientOrderId": "x-child"}


@pytest.mark.parametrize(
    "answers",
    [
        {"algoOrder": [FINISHED], "order": [CHILD]},
        {"algoOrder": [GONE], "order": [{**CHILD, "clientOrderId": STOP}]},
        {"algoOrder": [GONE], "order": [GONE, CHILD], "allAlgoOrders": [[FINISHED]]},
    ],
    ids=["the stop is served", "the child has its name", "only the list shows it"],
)
async def test_a_stop_that_has_triggered_is_found_with_the_fills_of_what_it_became(
    answers: dict[str, list[Any]],
) -> None:
    told = await found(Venue(**answers, userTrades=[[TRADE]]), STOP)
    assert isinstance(told, OrderFound)
    assert (told.order.client_order_id, told.order.status) == (STOP, OrderStatus.FILLED)
    assert (told.order.is_triggered, len(told.fills)) == (True, 1)


@pytest.mark.parametrize(
    ("order_id", "asked"),
    [
        (ENTRY, ["order", "algoOrder"]),
        ("ABCDEF1X1", ["order", "algoOrder"]),
        (STOP, ["algoOrder", "order", "allAlgoOrders"]),
    ],
)
async def test_an_order_is_absent_where_every_space_says_so(
    order_id: str, asked: list[str]
) -> None:
    venue = Venue(order=[GONE], algoOrder=[GONE], allAlgoOrders=[[]])
    assert await found(venue, order_id) == OrderAbsent(order_id, 5)
    assert venue.asked == asked


@pytest.mark.parametrize("silent", ["order", "algoOrder", "allAlgoOrders"])
async def test_it_is_not_where_one_of_them_does_not_answer(silent: str) -> None:
    answers = {"order": [GONE], "algoOrder": [GONE], "allAlgoOrders": [[]]}
    with pytest.raises(Incomplete):
        await found(Venue(**{**answers, silent: [UNREADABLE]}), STOP)


async def test_it_is_not_where_it_is_known_to_have_triggered_or_the_list_is_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    venue = Venue(order=[GONE], algoOrder=[GONE], allAlgoOrders=[[]])
    its = of()
    its.ids.link(77, STOP)
    assert await found(venue, STOP, its) is None
    monkeypatch.setattr(requests, "PAGE", 1)
    full = [[{**RESTING, "clientAlgoId": "ABCDEF2S1"}]]
    assert await found(Venue(**{**venue.answers, "allAlgoOrders": full}), STOP) is None


async def test_what_a_stop_became_and_cannot_be_found_yet_says_nothing() -> None:
    with pytest.raises(Incomplete):
        await found(Venue(algoOrder=[FINISHED], order=[GONE]), STOP)
