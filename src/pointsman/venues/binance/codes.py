"""What the codes of Binance prove (its documentation: "error codes" and "general info").

A status of 5xx proves nothing there: "it is important NOT to treat this as a failure operation; the
execution status is UNKNOWN and could have been a success". The one exception is a body that says
"Service Unavailable.". A page of the network in front of the venue, which has no code, proves
nothing either.
"""

import re
from collections.abc import Iterable
from typing import Any

from pointsman.domain.reasons import Reason
from pointsman.venues.outcome import OutcomeTable, Proof, Row, Stage


def _rows(outcome: Proof, codes: Iterable[int], reason: Reason | None = None) -> tuple[Row, ...]:
    return tuple(Row(outcome=outcome, code=str(code), reason=reason) for code in codes)


_BAD_PRICE = (-1111, -4001, -4002, -4014, -4016, -4024)
_BAD_QUANTITY = (-1013, -4003, -4004, -4005, -4023, -4164)
_NOT_VALID = (
    *(-1100, -1101, -1102, -1103, -1104, -1105, -1106, -1115, -1116, -1117, -1121, -1128, -1130),
    *(-4015, -4045, -4131, -4400),
)
"""Parameters that it does not take, too many stops, prices too far from the market, and limits on
accounts that place too many orders."""

_ACCOUNT_FORBIDS = (-2010, -2018, -2019, -2020, -2023, -2024, -2025, -2026, -2027, -2028)
"""Not enough margin, too many orders, leverage, liquidation."""

_KEY = (-1002, -1022, -2014, -2015, -2017)
_MODE = (-4061, -4087, -4088, -4120)
"""Another position mode, an account that may only reduce, and orders that moved to another
address."""

TABLE = OutcomeTable(
    rows=(
        Row(outcome=Proof.SLOW_DOWN, status=429, reason=Reason.VENUE_BUSY),
        Row(outcome=Proof.SLOW_DOWN, status=418, reason=Reason.VENUE_BUSY),
        *_rows(Proof.SLOW_DOWN, (-1003, -1015), Reason.VENUE_BUSY),
        *_rows(Proof.NOT_SENT, (-1016,), Reason.VENUE_DOWN),
        Row(
            outcome=Proof.NOT_SENT,
            status=503,
            fields=("msg",),
            words=("service unavailable.",),
            reason=Reason.VENUE_DOWN,
        ),
        *_rows(Proof.TOO_LATE, (-1021, -5028), Reason.VENUE_DOWN),
        *_rows(Proof.DUPLICATE, (-4116,), Reason.DUPLICATE_ID),
        *_rows(Proof.NOT_FOUND, (-2011, -2013), Reason.NOT_FOUND),
        Row(outcome=Proof.NOT_FOUND, code="-1125", stage=Stage.QUERY),
        *_rows(Proof.KEY_REFUSED, (*_KEY, *_MODE), Reason.VENUE_REJECTED),
        Row(outcome=Proof.KEY_REFUSED, status=401, reason=Reason.VENUE_REJECTED),
        *_rows(Proof.REFUSED, (-2021,), Reason.WOULD_TRIGGER),
        *_rows(Proof.REFUSED, (-2022, -4118), Reason.REDUCE_ONLY),
        *_rows(Proof.REFUSED, _BAD_PRICE, Reason.BAD_PRICE),
        *_rows(Proof.REFUSED, _BAD_QUANTITY, Reason.BAD_QUANTITY),
        *_rows(Proof.REFUSED, (*_NOT_VALID, *_ACCOUNT_FORBIDS), Reason.VENUE_REJECTED),
        *_rows(Proof.UNKNOWN, (-1000, -1001, -1006, -1007, -1008)),
    ),
    code_field="code",
    message_field="msg",
    success="200",
)
"""-1125 is about a listen key. Whether -1008, "overloaded", proves that nothing was done is not
known: the safe reading is that it does not."""

BAN_MS = 120_000
"""The shortest time for which Binance bans an address that went on after 429."""

_UNTIL = re.compile(r"banned until (\d{13})\b")


def ban_ms(status: int, body: Any, now_ms: int) -> int | None:
    """How long a ban lasts that the header does not say the time of; the message may say until
    when, by the venue's clock. None where it is no ban."""
    if status != 418:
        return None
    said = _UNTIL.search(str(body))
    return max(BAN_MS, int(said[1]) - now_ms) if said else BAN_MS
