"""What Bybit's answers prove (RULES 44): `retCode` of each answer, and HTTP statuses.

Codes and texts are those of the venue's documentation (v5/error). Bybit answers refusals with HTTP
200, so a status alone says little. What is not in the table proves nothing, nor does what stands
there as UNKNOWN: that the venue says "timeout" or "server error" does not tell what it did before.
"""

from collections.abc import Mapping
from typing import Any

from pointsman.domain.reasons import Reason
from pointsman.venues.outcome import OutcomeTable, Proof, Row, Stage

PARAMETER = "10001"
"""One code for everything that is wrong with the fields of a request; its text says what."""

TOO_MANY = "10006"
TOO_FREQUENT = "access too frequent"
"""What stands in a 403 when our address is banned for ten minutes or more."""

BAN_MS = 600_000


def _refused(reason: Reason, *codes: int) -> tuple[Row, ...]:
    return tuple(Row(outcome=Proof.REFUSED, code=str(code), reason=reason) for code in codes)


def _outcomes(outcome: Proof, *codes: int, stage: Stage | None = None) -> tuple[Row, ...]:
    return tuple(Row(outcome=outcome, code=str(code), stage=stage) for code in codes)


def _wrong_field(reason: Reason, *words: str) -> Row:
    return Row(outcome=Proof.REFUSED, code=PARAMETER, words=words, reason=reason)


_KEY_OR_ACCOUNT = _outcomes(
    Proof.KEY_REFUSED,
    10003,  # the key is invalid, or of another environment
    10004,  # wrong signature
    10005,  # no permission
    10007,  # not authenticated
    10008,  # banned
    10009,  # address banned
    10010,  # address not bound to the key
    10024,  # compliance rules
    10027,  # trading banned
    10028,  # unified accounts only
    33004,  # the key has expired
    110067,  # unified accounts not supported
    110088,  # upgrade the account first
)

_CANCELS = (
    *_outcomes(Proof.NOT_FOUND, 110001, stage=Stage.CANCEL),
    *_outcomes(Proof.ENDED, 110008, 110010, stage=Stage.CANCEL),
    # "The order is processing and can not be operated, please try again later."
    Row(outcome=Proof.NOT_SENT, code="110079", stage=Stage.CANCEL, reason=Reason.VENUE_BUSY),
)

_ORDERS = (
    *_refused(Reason.WOULD_TRIGGER, 110092, 110093),
    *_refused(Reason.REDUCE_ONLY, 110017),
    *_refused(Reason.BAD_PRICE, 110003, 110120, 110121, 30208),
    *_refused(Reason.BAD_QUANTITY, 110094),
    # Too many orders, or stops, of this symbol.
    *_refused(Reason.VENUE_FORBIDS, 110009, 110020),
    # Not enough money.
    *_refused(Reason.VENUE_REJECTED, 110004, 110006, 110007, 110012, 110014, 110044, 110045),
    *_refused(Reason.VENUE_REJECTED, 110051, 110052, 110053),
    # Limits of risk, leverage and open interest.
    *_refused(Reason.VENUE_REJECTED, 110011, 110013, 110021, 110023, 110039, 110040, 110085),
    *_refused(Reason.VENUE_REJECTED, 110086, 110089, 110090, 3400139),
    # The contract does not trade now, or not like this.
    *_refused(Reason.VENUE_REJECTED, 10029, 110005, 110032, 110042, 110063, 110066, 110074),
    *_refused(Reason.VENUE_REJECTED, 110095, 110098, 110099, 110103, 110118),
)

_PARAMETERS = (
    # An order of this id lives, whatever else the code is used for.
    Row(outcome=Proof.DUPLICATE, code=PARAMETER, words=("duplicate",), reason=Reason.DUPLICATE_ID),
    # As -4061 elsewhere: the account is in another position mode than we were told.
    Row(outcome=Proof.KEY_REFUSED, code=PARAMETER, words=("position", "mode")),
    _wrong_field(Reason.WOULD_TRIGGER, "expect", "trigger_price"),
    _wrong_field(Reason.BAD_QUANTITY, "qty"),
    _wrong_field(Reason.BAD_QUANTITY, "number of contracts"),
    _wrong_field(Reason.BAD_PRICE, "price"),
    _wrong_field(Reason.VENUE_REJECTED),
)

TABLE = OutcomeTable(
    rows=(
        Row(outcome=Proof.SLOW_DOWN, status=429, reason=Reason.VENUE_BUSY),
        Row(
            outcome=Proof.SLOW_DOWN,
            status=403,
            words=(TOO_FREQUENT,),
            reason=Reason.VENUE_BUSY,
        ),
        Row(outcome=Proof.SLOW_DOWN, code=TOO_MANY, reason=Reason.VENUE_BUSY),
        Row(outcome=Proof.SLOW_DOWN, code="10018", reason=Reason.VENUE_BUSY),
        Row(outcome=Proof.TOO_LATE, code="10002", reason=Reason.VENUE_DOWN),
        Row(outcome=Proof.KEY_REFUSED, status=401),
        *_KEY_OR_ACCOUNT,
        Row(outcome=Proof.DUPLICATE, code="110072", reason=Reason.DUPLICATE_ID),
        Row(outcome=Proof.DUPLICATE, code="110030", reason=Reason.DUPLICATE_ID),
        *_outcomes(Proof.UNKNOWN, -1, 429, 10000, 10014, 10016),
        *_CANCELS,
        *_ORDERS,
        *_PARAMETERS,
    ),
    code_field="retCode",
    message_field="retMsg",
    success="0",
)


def retry_after_ms(status: int, body: Any, headers: Mapping[str, str]) -> int | None:
    """How long Bybit wants nothing: after "too many visits" until the second ends that it has
    counted, which it names by its own clock. None where it says nothing of it."""
    if status == 403 and TOO_FREQUENT in str(body).lower():
        return BAN_MS
    answer = body if isinstance(body, dict) else {}
    at_ms, reset = answer.get("time"), headers.get("X-Bapi-Limit-Reset-Timestamp", "")
    if str(answer.get("retCode")) != TOO_MANY or not isinstance(at_ms, int):
        return None
    return max(0, int(reset) - at_ms) if reset.isascii() and reset.isdigit() else None
