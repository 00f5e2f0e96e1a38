"""What an answer of a venue proves about a request (RULES 44).

Each venue has one table, as data. Only a row of it concludes anything: a status or code that no row
names leaves the outcome unknown, and an incident names it. Libraries sort errors into classes that
look like proof and are not ("the body broke off" counts as a refusal in one of them), so the raw
HTTP status and the venue's own code are judged here. An error of the venue's server says nothing of
what was done before it, whatever code stands in it: there a row has to name the status.
"""

from enum import Enum, auto
from typing import Any

import msgspec

from pointsman.domain.reasons import Reason


class Stage(Enum):
    """What was asked for: the same code can mean different things."""

    CREATE = auto()
    CANCEL = auto()
    QUERY = auto()


class Proof(Enum):
    """What is proven."""

    DONE = auto()
    """The venue did it, if its answer also names the order."""
    REFUSED = auto()
    """The venue looked at it and said no."""
    NOT_SENT = auto()
    """The venue did not look at it: nothing has come of it and nothing will."""
    TOO_LATE = auto()
    """The same, because its time stamp was too old or too new: our clock is to be set again."""
    SLOW_DOWN = auto()
    """The same, because there were too many requests; the venue wants none for a while."""
    DUPLICATE = auto()
    """There is an order with this client order id already: this request arrived earlier."""
    NOT_FOUND = auto()
    """The venue knows no such order, in the id space that was asked."""
    ENDED = auto()
    """The order has ended already, so that there is nothing to cancel."""
    KEY_REFUSED = auto()
    """The venue does not accept our key, or not in this mode: refused, and so will be the rest."""
    UNKNOWN = auto()
    """Nothing is proven."""


class Answer(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What came back over HTTP. `body` is the decoded JSON, or the text where it is not JSON;
    `retry_after_ms` is set where the venue said so,
    and `used` is the weight that it has counted within its minute."""

    status: int
    body: Any = None
    retry_after_ms: int | None = None
    used: int | None = None


class Row(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What one answer means. Whatever is None matches anything; `words` must all stand in the
    message, in any case, and the answer must have all `fields`."""

    outcome: Proof
    code: str | None = None
    status: int | None = None
    stage: Stage | None = None
    words: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    reason: Reason | None = None


class OutcomeTable(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The rows of one venue, the first that matches counts, and where its answers keep code and
    message. `success` is the code that means success where every answer has one."""

    rows: tuple[Row, ...]
    code_field: str
    message_field: str
    success: str | None = None


class AnswerVerdict(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What an answer proves. `reason` is ours, where the venue refused; `code` and `told` are what
    it said, for a person to read; `is_listed` says whether a row of the table matched."""

    outcome: Proof
    reason: Reason | None = None
    code: str = ""
    told: str = ""
    is_listed: bool = True


_OF_THE_ORDER = (Proof.REFUSED, Proof.KEY_REFUSED, Proof.NOT_FOUND, Proof.ENDED)
"""What a venue can prove only by having looked at the request and answered it."""

TOLD_LEN_MAX = 300
"""How much of an answer is shown."""


def interpret(table: OutcomeTable, stage: Stage, answer: Answer) -> AnswerVerdict:
    """What `answer` proves about a request of this stage."""
    code, message = code_and_message(table, answer.body)
    shown, told = code or f"HTTP {answer.status}", message[:TOLD_LEN_MAX]
    is_read = isinstance(answer.body, dict | list) or (answer.status == 204 and not answer.body)
    if 200 <= answer.status < 300 and is_read and code in (None, table.success):
        return AnswerVerdict(outcome=Proof.DONE, code=shown, told=told)
    lower = message.lower()
    fields = answer.body if isinstance(answer.body, dict) else {}
    for row in table.rows:
        if (
            row.code in (None, code)
            and row.status in (None, answer.status)
            and row.stage in (None, stage)
            and all(word in lower for word in row.words)
            and all(field in fields for field in row.fields)
        ):
            is_server_error = answer.status >= 500 and row.status is None
            if is_server_error and row.outcome in _OF_THE_ORDER:
                return AnswerVerdict(outcome=Proof.UNKNOWN, code=shown, told=told)
            return AnswerVerdict(outcome=row.outcome, reason=row.reason, code=shown, told=told)
    return AnswerVerdict(outcome=Proof.UNKNOWN, code=shown, told=told, is_listed=False)


def code_and_message(table: OutcomeTable, body: Any) -> tuple[str | None, str]:
    """The venue's own code as text, and what it says beside it. A body that is no JSON object is
    the message as it is."""
    if not isinstance(body, dict):
        return None, str(body) if body else "no body"
    code = body.get(table.code_field)
    return None if code is None else str(code), str(body.get(table.message_field) or body)
