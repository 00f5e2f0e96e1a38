"""An adapter for tests: what a venue answers is said by the test, everything around it is real."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

from pointsman.domain.commands import Query
from pointsman.domain.events import OrderAbsent, OrderReport, ReportWord
from pointsman.domain.market import Instrument
from pointsman.domain.orders import Order
from pointsman.domain.policy import Abilities
from pointsman.domain.reasons import Reason
from pointsman.domain.venue_reports import OrderFound, VenueHolding, VenueOrder
from pointsman.execution.ports import VenueReply
from pointsman.venues.adapter import Call, History, Incomplete, Opening, Read
from pointsman.venues.outcome import Answer, OutcomeTable, Proof, Row, Stage

GOOD = Answer(status=200, body={"id": "v1", "client": "?"})
TABLE = OutcomeTable(
    rows=(
        Row(outcome=Proof.KEY_REFUSED, status=401, reason=Reason.VENUE_REJECTED),
        Row(outcome=Proof.SLOW_DOWN, status=429, reason=Reason.VENUE_BUSY),
        Row(outcome=Proof.REFUSED, code="NO", reason=Reason.WOULD_TRIGGER),
        Row(outcome=Proof.TOO_LATE, code="LATE", reason=Reason.VENUE_DOWN),
        Row(outcome=Proof.DUPLICATE, code="AGAIN"),
        Row(outcome=Proof.NOT_FOUND, code="GONE", stage=Stage.CANCEL, reason=Reason.NOT_FOUND),
        Row(outcome=Proof.UNKNOWN, code="BUSY"),
    ),
    code_field="code",
    message_field="msg",
)

Answering = Answer | Exception


class ScriptedAdapter:
    """Answers each route with what was put there, the last of it again and again."""

    name = "scripted"
    table = TABLE

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answers: dict[str, deque[Answering]] = defaultdict(lambda: deque([GOOD]))
        self.delays: dict[str, float] = {}  # not money: seconds
        self.clock_set = 0
        self.found: OrderFound | OrderAbsent | None = None
        self.histories: deque[History] = deque([History(cursor="c1")])
        self.connections: deque[list[list[VenueReply] | Exception]] = deque()
        self.cancels_unknown = 0
        """How many cancels still have to ask first what the venue calls the order."""
        self.traded: dict[str, Instrument] = {}
        self.is_closed = False

    async def call(self, call: Call) -> Answer:
        self.calls.append(call)
        await asyncio.sleep(self.delays.get(call.route, 0))
        answers = self.answers[call.route]
        answer = answers.popleft() if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def set_clock(self) -> None:
        self.clock_set += 1

    async def open(self, read: Read) -> Opening:
        await read(Call(route="GET /account"))
        return Opening(abilities=Abilities(), instruments={}, requests_per_minute=1200, account="a")

    async def instruments(self, read: Read) -> dict[str, Instrument]:
        await read(Call(route="GET /instruments"))
        return self.traded

    def submit(self, order: Order) -> Call:
        return Call(route="POST /order", params={"id": order.client_order_id})

    def accepted(self, order: Order, body: Any) -> OrderReport | None:
        if "id" not in body:
            return None
        return OrderReport(
            client_order_id=order.client_order_id,
            kind=ReportWord.ACCEPTED,
            ts_ns=7,
            venue_order_id=body["id"],
        )

    def cancel(self, client_order_id: str, symbol: str) -> Call | None:
        if self.cancels_unknown:
            self.cancels_unknown -= 1
            return None
        return Call(route="DELETE /order", params={"id": client_order_id, "symbol": symbol})

    def canceled(self, client_order_id: str, body: Any) -> OrderReport | None:
        kind = ReportWord.CANCELED
        return OrderReport(client_order_id, kind, 8) if body.get("canceled") else None

    async def query(
        self, read: Read, query: Query, asked_at_ns: int
    ) -> OrderFound | OrderAbsent | None:
        await read(Call(route="GET /order", params={"id": query.client_order_id}))
        return self.found or OrderAbsent(query.client_order_id, asked_at_ns)

    async def history(self, read: Read, cursor: str) -> History:
        await read(Call(route="GET /fills", params={"cursor": cursor}))
        return self.histories.popleft() if len(self.histories) > 1 else self.histories[0]

    async def open_orders(self, read: Read) -> tuple[VenueOrder, ...]:
        await read(Call(route="GET /orders"))
        return ()

    async def holdings(self, read: Read) -> tuple[VenueHolding, ...]:
        await read(Call(route="GET /positions"))
        return (VenueHolding("XXX", None, Decimal(1)),)

    async def stream(self, read: Read) -> AsyncIterator[list[VenueReply]]:
        del read
        if not self.connections:
            await asyncio.Event().wait()
        for item in self.connections.popleft():
            if isinstance(item, Exception):
                raise item
            yield item
        raise Incomplete("the venue closed the stream")

    async def close(self) -> None:
        self.is_closed = True
