"""What has happened at the account since a cursor: executions, funding, and other charges.

Executions are asked for by symbol, from the id after the last one; the venue never gives more than
a page, and a full page is not the last one. A symbol is asked about where its holding is another
than when it was asked last, where the stream or an order of ours says that something may have
happened in it, and once a minute.

The cursor says all that is needed to go on: whatever was read and did not come to be used, because
something else failed, is read again.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from pointsman.domain.client_order_ids import is_client_order_id
from pointsman.domain.events import ChargePaid, FundingPaid
from pointsman.domain.money import ZERO
from pointsman.domain.policy import PositionMode
from pointsman.domain.sides import PositionSide
from pointsman.domain.timestamps import MS_NS
from pointsman.domain.venue_reports import VenueExecution
from pointsman.venues.adapter import History, Incomplete, Read
from pointsman.venues.binance import requests
from pointsman.venues.binance.activity import Activity
from pointsman.venues.binance.lists import find_children, positions, states
from pointsman.venues.binance.shapes import IncomeRow, OrderRow, RateRow, TradeRow
from pointsman.venues.binance.words import Translator
from pointsman.venues.shapes import exact, read_as

DAY_MS = 86_400_000
WINDOW_MS = 7 * DAY_MS
"""The longest time that executions can be asked for at once."""

LATE_MS = 600_000
"""How late a row of the account's income may appear."""

SHOWN_AFTER_MS = 10_000
"""How long after it has traded "no such order" is no proof that an order cannot be asked about."""

FUNDING = "FUNDING_FEE"
CHARGES = ("INSURANCE_CLEAR", "COMMISSION_REBATE")


class HistoryCursor(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """`next_ids` are by symbol, `since_ms` of symbols without executions yet, `began_ms` of those
    that were never asked about. `paid` are the payments among the income of the last LATE_MS before
    `income_ms` that were given already."""

    began_ms: int
    income_ms: int
    next_ids: dict[str, int] = {}
    since_ms: dict[str, int] = {}
    paid: tuple[str, ...] = ()

    def position(self, name: str) -> "ResumePoint":
        if name in self.next_ids:
            return ResumePoint(next_id=self.next_ids[name])
        return ResumePoint(since_ms=self.since_ms.get(name, self.began_ms))


class ResumePoint(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """From where on the executions of a symbol are to be asked for: an id, or else a time."""

    next_id: int | None = None
    since_ms: int = 0


class Asked(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """When a symbol was asked about, from where to go on, and how the symbol stood."""

    at_ns: int
    position: "ResumePoint"
    standing: tuple[Any, ...]
    touches: tuple[int, int]


class HistoryReader:
    """Reads the history of one account. `symbols` are the venue's names of those in the settings,
    `venue_now_ms` is the earliest that the venue's clock may show."""

    def __init__(
        self,
        words: Translator,
        activity: Activity,
        symbols: tuple[str, ...],
        venue_now_ms: Callable[[], int],
    ) -> None:
        self._words = words
        self._activity = activity
        self._symbols = symbols
        self._venue_now_ms = venue_now_ms
        self._asked: dict[str, Asked] = {}
        self._income_at_ns: int | None = None
        self._income_left: tuple[int, tuple[str, ...]] | None = None

    def expect_payment(self) -> None:
        """The stream says that the account was paid or charged."""
        self._income_at_ns = None

    async def read(self, read: Read, cursor: str) -> History:
        """What has happened since the cursor; where it is empty, the cursor of now. Raises
        Incomplete."""
        if not cursor:
            now_ms = self._venue_now_ms()
            return History(cursor=_written(HistoryCursor(began_ms=now_ms, income_ms=now_ms)))
        at = _read(cursor)
        standings = states(await positions(read))
        known = {*self._symbols, *standings, *at.next_ids, *at.since_ms}
        known |= self._activity.names()
        rows: list[TradeRow] = []
        next_ids, since_ms = dict(at.next_ids), dict(at.since_ms)
        for name in sorted(known):
            standing = standings.get(name, ())
            if not self._is_due(name, standing, at):
                continue
            page, position = await self._ask(read, name, standing, at.position(name))
            rows += page
            if position.next_id is None:
                since_ms[name] = position.since_ms
            else:
                next_ids[name] = position.next_id
                since_ms.pop(name, None)
        trades = await self._named(read, rows)
        payments, income_ms, paid = await self._income(read, at)
        after = HistoryCursor(
            began_ms=at.began_ms,
            income_ms=income_ms,
            next_ids=next_ids,
            since_ms=since_ms,
            paid=paid,
        )
        return History(
            trades=trades,
            fundings=tuple(each for each in payments if isinstance(each, FundingPaid)),
            charges=tuple(each for each in payments if isinstance(each, ChargePaid)),
            cursor=_written(after),
        )

    # -- executions --------------------------------------------------------------------------------

    def _is_due(self, name: str, standing: tuple[Any, ...], at: HistoryCursor) -> bool:
        asked = self._asked.get(name)
        return (
            asked is None
            or asked.position != at.position(name)
            or asked.standing != standing
            or asked.touches != self._activity.touches(name)
            or self._activity.is_minute_over(asked.at_ns)
        )

    async def _ask(
        self, read: Read, name: str, standing: tuple[Any, ...], position: ResumePoint
    ) -> tuple[list[TradeRow], ResumePoint]:
        """All executions of one symbol from a position on, and the next position."""
        began_ns, touches = self._activity.now_ns(), self._activity.touches(name)
        before = self._asked.get(name)
        if position.next_id is not None:
            rows = await _from_id(read, name, position.next_id)
        else:
            rows, since_ms = await self._from_time(read, name, position.since_ms)
            position = ResumePoint(since_ms=since_ms)
        if rows:
            position = ResumePoint(next_id=rows[-1].id + 1)
        elif before is not None and _amounts(before.standing) != _amounts(standing):
            # The holding has changed and the list does not show by what: it is asked for again.
            standing = before.standing
        self._asked[name] = Asked(
            at_ns=began_ns, position=position, standing=standing, touches=touches
        )
        return rows, position

    async def _from_time(self, read: Read, name: str, since_ms: int) -> tuple[list[TradeRow], int]:
        """The executions since a time, and from when on to ask where there are none."""
        while True:
            now_ms = self._venue_now_ms()
            is_last_window = since_ms + WINDOW_MS > now_ms
            where = {"startTime": since_ms, "endTime": since_ms + WINDOW_MS}
            rows = read_as(list[TradeRow], await read(requests.trades(name, **where)))
            if len(rows) >= requests.PAGE or (rows and not is_last_window):
                rows += await _from_id(read, name, rows[-1].id + 1)
            if rows or is_last_window:
                is_old = now_ms - since_ms > 2 * DAY_MS
                return rows, now_ms - DAY_MS if is_old else since_ms
            since_ms += WINDOW_MS

    async def _named(self, read: Read, rows: list[TradeRow]) -> tuple[VenueExecution, ...]:
        """Executions with the client order ids of their orders, in the order in which they
        happened."""
        for (name, order_id), at_ms in sorted(_newest(rows).items()):
            if self._words.ids.name_of(order_id) is None:
                await self._learn_name(read, name, order_id, at_ms)
        rows = sorted(rows, key=lambda row: (row.time, row.symbol, row.id))
        ids = self._words.ids
        return tuple(self._words.trade_of(row, ids.name_of(row.order_id) or "") for row in rows)

    async def _learn_name(self, read: Read, name: str, order_id: int, at_ms: int) -> None:
        """Ask for the client order id of an order, which traded last at this time. One whose id is
        not of our form may be what a stop of ours became."""
        said = ""
        try:
            row = read_as(OrderRow, await read(requests.order_by_id(order_id, name)))
            said = row.client_order_id
        except Incomplete as error:
            # An order that the venue itself has placed cannot always be asked about. But one that
            # has traded just now may not be shown yet, and may be ours.
            if not error.is_not_found or self._venue_now_ms() - at_ms < SHOWN_AFTER_MS:
                raise
        if not is_client_order_id(said):
            await find_children(read, self._words.ids, name)
        self._words.ids.note(order_id, said)

    # -- payments ----------------------------------------------------------------------------------

    async def _income(
        self, read: Read, at: HistoryCursor
    ) -> tuple[list[FundingPaid | ChargePaid], int, tuple[str, ...]]:
        """The payments since the cursor, and where the cursor stands then."""
        is_where_it_was_left = self._income_left == (at.income_ms, at.paid)
        if is_where_it_was_left and not self._activity.is_minute_over(self._income_at_ns):
            return [], at.income_ms, at.paid
        began_ns, now_ms = self._activity.now_ns(), self._venue_now_ms()
        given: dict[str, FundingPaid | ChargePaid] = {}
        for row in await _income_rows(read, max(at.began_ms, at.income_ms - LATE_MS)):
            payment_id = f"{row.income_type}:{row.tran_id}:{row.symbol}"
            if payment_id in given:
                continue
            payment = self._payment(payment_id, row)
            is_news = payment_id not in at.paid
            if isinstance(payment, ChargePaid) and row.income_type == FUNDING and is_news:
                payment = await _of_its_side(read, row, payment)
            if payment is not None:
                given[payment_id] = payment
            elif row.symbol and row.symbol not in self._asked:
                self._activity.touch(row.symbol)
        news = [payment for payment_id, payment in given.items() if payment_id not in at.paid]
        income_ms = now_ms if news or now_ms - at.income_ms > LATE_MS else at.income_ms
        late_ns = (income_ms - LATE_MS) * MS_NS
        paid = tuple(payment_id for payment_id, each in given.items() if each.ts_ns >= late_ns)
        self._income_at_ns, self._income_left = began_ns, (income_ms, paid)
        return news, income_ms, paid

    def _currencies(self) -> set[str]:
        return {_currency(self._words.symbol(name)) for name in self._symbols}

    def _payment(self, payment_id: str, row: IncomeRow) -> FundingPaid | ChargePaid | None:
        """None for what is no payment of its own, or is in another coin than prices are."""
        symbol = self._words.symbol(row.symbol)
        if row.asset not in ({_currency(symbol)} if symbol else self._currencies()):
            return None
        # In hedge mode a row does not say whether it is about the long or the short holding: that
        # follows from the rate (`_of_its_side`).
        if row.income_type == FUNDING and self._words.mode is PositionMode.NET:
            return FundingPaid(
                funding_id=payment_id,
                symbol=symbol,
                position_side=PositionSide.LONG,
                amount=exact(row.income, "income"),
                ts_ns=row.time * MS_NS,
            )
        if row.income_type in (FUNDING, *CHARGES):
            return ChargePaid(
                charge_id=payment_id,
                amount=exact(row.income, "income"),
                ts_ns=row.time * MS_NS,
                symbol=symbol,
            )
        return None


async def _of_its_side(read: Read, row: IncomeRow, charge: ChargePaid) -> FundingPaid | ChargePaid:
    """Funding in hedge mode: at a rate above zero longs pay and shorts are paid, below it is the
    other way round. A charge of either side where the rate cannot be read."""
    try:
        rates = read_as(list[RateRow], await read(requests.funding_rates(row.symbol, row.time)))
    except Incomplete:
        return charge
    rate = rates[-1].funding_rate if rates else ZERO
    if ZERO in (rate, charge.amount):
        return charge
    is_long = (rate > ZERO) is (charge.amount < ZERO)
    return FundingPaid(
        funding_id=charge.charge_id,
        symbol=charge.symbol,
        position_side=PositionSide.LONG if is_long else PositionSide.SHORT,
        amount=charge.amount,
        ts_ns=charge.ts_ns,
    )


def _newest(rows: list[TradeRow]) -> dict[tuple[str, int], int]:
    """When each order traded last, by its symbol and id."""
    newest: dict[tuple[str, int], int] = {}
    for row in rows:
        key = (row.symbol, row.order_id)
        newest[key] = max(row.time, newest.get(key, row.time))
    return newest


async def _from_id(read: Read, name: str, next_id: int) -> list[TradeRow]:
    rows: list[TradeRow] = []
    while True:
        page = read_as(list[TradeRow], await read(requests.trades(name, fromId=next_id)))
        rows += page
        if len(page) < requests.PAGE:
            return rows
        next_id = page[-1].id + 1


async def _income_rows(read: Read, since_ms: int) -> list[IncomeRow]:
    """All pages; rows of the same millisecond may come twice."""
    rows: list[IncomeRow] = []
    while True:
        page = read_as(list[IncomeRow], await read(requests.income(since_ms)))
        rows += page
        if len(page) < requests.PAGE:
            return rows
        if page[-1].time <= since_ms:
            raise Incomplete("the income of one millisecond fills a page")
        since_ms = page[-1].time


def _currency(symbol: str) -> str:
    """What a perpetual contract is settled in; empty for anything else."""
    return symbol.partition(":")[2]


def _amounts(standing: tuple[Any, ...]) -> list[Any]:
    return [(side, amount) for side, amount, _ in standing if amount]


def _written(cursor: HistoryCursor) -> str:
    return msgspec.json.encode(cursor, order="sorted").decode()


def _read(cursor: str) -> HistoryCursor:
    try:
        return msgspec.json.decode(cursor, type=HistoryCursor)
    except msgspec.DecodeError as error:
        raise Incomplete(f"the cursor of the history cannot be read: {error}") from None
