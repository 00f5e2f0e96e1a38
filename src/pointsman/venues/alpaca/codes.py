"""What Alpaca's answers prove, as data (RULES 44).

One code covers much here: 40310000 is a wash trade, shares that another order holds, or too little
buying power; 40010001 is a client order id that is taken, or a request that cannot be read. Fields
beside it distinguish the cases of the first. The second never counts as a refusal: an order that
lives would look rejected, so the order is asked about.
"""

from pointsman.domain.reasons import Reason
from pointsman.venues.outcome import OutcomeTable, Proof, Row, Stage

_FORBIDDEN = "40310000"
_UNPROCESSABLE = "42210000"
_NOT_FOUND = "40410000"


def _refused(
    status: int,
    code: str,
    reason: Reason,
    *,
    words: tuple[str, ...] = (),
    fields: tuple[str, ...] = (),
) -> Row:
    return Row(
        outcome=Proof.REFUSED,
        stage=Stage.CREATE,
        status=status,
        code=code,
        reason=reason,
        words=words,
        fields=fields,
    )


_CREATE = (
    Row(
        outcome=Proof.DUPLICATE,
        stage=Stage.CREATE,
        status=422,
        code="40010001",
        reason=Reason.DUPLICATE_ID,
    ),
    Row(
        outcome=Proof.DUPLICATE,
        stage=Stage.CREATE,
        status=422,
        words=("client_order_id", "unique"),
        reason=Reason.DUPLICATE_ID,
    ),
    _refused(403, _FORBIDDEN, Reason.VENUE_FORBIDS, fields=("existing_order_id",)),
    _refused(403, _FORBIDDEN, Reason.VENUE_FORBIDS, fields=("reject_reason",)),
    _refused(403, _FORBIDDEN, Reason.VENUE_FORBIDS, words=("wash trade",)),
    _refused(403, _FORBIDDEN, Reason.REDUCE_ONLY, fields=("available",)),
    _refused(403, _FORBIDDEN, Reason.REDUCE_ONLY, words=("insufficient qty",)),
    _refused(403, _FORBIDDEN, Reason.VENUE_REJECTED),
    _refused(403, "40310100", Reason.VENUE_REJECTED),
    _refused(422, _UNPROCESSABLE, Reason.WOULD_TRIGGER, words=("stop price must be",)),
    _refused(422, _UNPROCESSABLE, Reason.BAD_PRICE, words=("sub-penny",)),
    _refused(422, _UNPROCESSABLE, Reason.BAD_QUANTITY, words=("fraction",)),
    _refused(422, _UNPROCESSABLE, Reason.VENUE_REJECTED),
)

_CANCEL = (
    # Asked for before, and not done yet: neither refused nor over.
    Row(outcome=Proof.UNKNOWN, stage=Stage.CANCEL, status=422, words=("pending_cancel",)),
    Row(
        outcome=Proof.ENDED,
        stage=Stage.CANCEL,
        status=422,
        code=_UNPROCESSABLE,
        reason=Reason.NOT_FOUND,
    ),
    Row(
        outcome=Proof.NOT_FOUND,
        stage=Stage.CANCEL,
        status=404,
        code=_NOT_FOUND,
        reason=Reason.NOT_FOUND,
    ),
)

TABLE = OutcomeTable(
    rows=(
        Row(outcome=Proof.SLOW_DOWN, status=429, reason=Reason.VENUE_BUSY),
        Row(outcome=Proof.KEY_REFUSED, status=401, reason=Reason.VENUE_REJECTED),
        *_CREATE,
        *_CANCEL,
        Row(outcome=Proof.NOT_FOUND, stage=Stage.QUERY, status=404, code=_NOT_FOUND),
        # What a wrong key has been answered with too; a page of a firewall has no such field.
        Row(
            outcome=Proof.KEY_REFUSED,
            status=403,
            words=("forbidden",),
            fields=("message",),
            reason=Reason.VENUE_REJECTED,
        ),
    ),
    code_field="code",
    message_field="message",
)
