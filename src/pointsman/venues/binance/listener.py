"""The account's stream of Binance: each message as replies.

What a stop became when it triggered may trade before the stop says so, under an id that nobody has
heard of. Such messages are kept for a moment while it is asked what they belong to; if an answer
does not name them they are foreign, and the next comparison tells them. A question that fails says
nothing, and is asked again. Messages of other kinds are ignored.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pointsman.domain.client_order_ids import is_client_order_id
from pointsman.domain.events import ReportWord
from pointsman.execution.ports import VenueReply
from pointsman.venues.adapter import Incomplete
from pointsman.venues.binance.activity import Activity
from pointsman.venues.binance.lists import Holdings
from pointsman.venues.binance.order_ids import OrderIds, actual_id
from pointsman.venues.binance.shapes import AccountUpdate, OrderUpdate, StopUpdate
from pointsman.venues.binance.words import ENDINGS, order_report, stop_report
from pointsman.venues.shapes import read_as

HELD_SECONDS = 2.0  # not money: seconds
ASK_AGAIN_SECONDS = 0.5  # not money: seconds
HELD_MAX = 1000

BY_THE_VENUE = ("autoclose-", "adl_autoclose", "settlement_autoclose-", "delivery_autoclose-")
"""How ids of orders begin that the venue itself places: liquidations and the like."""


class Listener:
    """Hears one connection of the stream. `find_children` asks what the stops of a symbol became,
    `expect_payment` is called when the account was paid or charged."""

    def __init__(
        self,
        ids: OrderIds,
        activity: Activity,
        holdings: Holdings,
        find_children: Callable[[str], Awaitable[object]],
        expect_payment: Callable[[], None],
    ) -> None:
        self._ids = ids
        self._activity = activity
        self._holdings = holdings
        self._find_children = find_children
        self._expect_payment = expect_payment
        self._held: dict[int, list[OrderUpdate]] = {}

    def hear(self, message: Any) -> list[VenueReply]:
        """What one message tells. Raises Incomplete where it cannot be understood, and where the
        stream tells nothing from now on."""
        kind = message.get("e") if isinstance(message, dict) else None
        if kind == "ORDER_TRADE_UPDATE":
            return self._hear_order(read_as(OrderUpdate, message.get("o")))
        if kind == "ALGO_UPDATE":
            return self._hear_stop(read_as(StopUpdate, message.get("o")), _time_ms(message))
        if kind == "ACCOUNT_UPDATE":
            self._hear_account(read_as(AccountUpdate, message.get("a")), _time_ms(message))
        elif kind == "listenKeyExpired":
            raise Incomplete("the listen key has expired")
        return []

    def _hear_order(self, told: OrderUpdate) -> list[VenueReply]:
        self._activity.touch(told.symbol)
        name = self._ids.name_of(told.order_id)
        if name is None and is_client_order_id(told.client_order_id):
            name = self._ids.note(told.order_id, told.client_order_id)
        if name is None and self._may_be_child(told):
            self._hold(told)
        if name is None or not is_client_order_id(name):
            return []
        return self._report(name, told)

    def _report(self, name: str, told: OrderUpdate) -> list[VenueReply]:
        if told.status == "FILLED" or told.execution in ENDINGS:
            self._ids.has_ended(name)
        report = order_report(name, told)
        return [] if report is None else [report]

    def _hear_stop(self, told: StopUpdate, at_ms: int) -> list[VenueReply]:
        self._activity.touch(told.symbol)
        if not is_client_order_id(told.client_algo_id):
            return []
        child_id = actual_id(told.actual_order_id)
        if child_id is not None:
            self._ids.link(child_id, told.client_algo_id)
        report = stop_report(told, at_ms)
        if report is None:
            return self._release(child_id)
        if report.kind in (ReportWord.ACCEPTED, ReportWord.TRIGGERED):
            self._ids.stop_rests(told.client_algo_id, told.symbol)
        else:
            self._ids.has_ended(told.client_algo_id)
        return [report, *self._release(child_id)]

    def _hear_account(self, told: AccountUpdate, at_ms: int) -> None:
        for position in told.positions:
            self._holdings.hear(position, at_ms)
        if told.reason != "ORDER":
            self._expect_payment()

    # -- what may belong to a stop -----------------------------------------------------------------

    def _may_be_child(self, told: OrderUpdate) -> bool:
        is_by_the_venue = told.client_order_id.startswith(BY_THE_VENUE)
        return not is_by_the_venue and self._ids.may_have_child(told.symbol)

    def _hold(self, told: OrderUpdate) -> None:
        if sum(map(len, self._held.values())) < HELD_MAX:
            self._held.setdefault(told.order_id, []).append(told)

    def held(self) -> dict[int, str]:
        """The orders of which messages are kept, with their symbols."""
        return {order_id: kept[0].symbol for order_id, kept in self._held.items()}

    async def resolve(self, order_id: int, symbol: str) -> list[VenueReply]:
        """Ask what an order belongs to, again and again for a while and until it is answered, and
        give what it tells. Where it belongs to nothing of ours, it is forgotten."""
        until = asyncio.get_running_loop().time() + HELD_SECONDS
        while order_id in self._held:
            try:
                await self._find_children(symbol)
                is_answered = True
            except Incomplete:
                is_answered = False
            if self._ids.name_of(order_id) is not None:
                return self._release(order_id)
            if is_answered and asyncio.get_running_loop().time() >= until:
                foreign = self._held.pop(order_id)[0]
                self._ids.note(order_id, foreign.client_order_id)
                break
            await asyncio.sleep(ASK_AGAIN_SECONDS)
        return []

    def _release(self, order_id: int | None) -> list[VenueReply]:
        """What was kept of an order that has become known."""
        kept = [] if order_id is None else self._held.pop(order_id, [])
        name = "" if order_id is None else self._ids.name_of(order_id) or ""
        return [reply for told in kept for reply in self._report(name, told)]


def _time_ms(message: dict[str, Any]) -> int:
    at_ms = message.get("T", message.get("E"))
    if not isinstance(at_ms, int):
        raise Incomplete(f"a message without a time: {message.get('e')}")
    return at_ms
