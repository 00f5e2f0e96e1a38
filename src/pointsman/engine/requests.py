"""What people may ask of a running engine: one struct for each request, wherever it comes from.

The command line and the dashboard make these structs and send them over the control socket as JSON,
HTTP makes them of a path, a body and a caller, and a process signal makes a Kill. The engine's
answer is the same on each of these ways. Invariants: `verb` names a request on the socket and in
the path of HTTP; this module imports nothing of the engine, so that a kill from the command line
does not wait for that.
"""

import json
from collections.abc import Sequence
from typing import Any, get_args

import msgspec

from pointsman.engine.exit_codes import ExitCode

NO_REASON = "no reason given"
"""What is recorded of a kill without a reason."""

_NAMED_MAX = 10
"""Of how many accounts an error gives the names."""

Answer = dict[str, Any]
"""What an engine answers, as a JSON object. On the socket `ok` says whether the request was carried
out; where it was not, `error` says why and how to fix it, and `exit` what a command ends with."""


class Refusal(Exception):
    """The request was refused. The text says why and how to fix it; `exit_code` is what a
    command ends with (docs/contract.md)."""

    def __init__(self, text: str, exit_code: ExitCode = ExitCode.FAILURE) -> None:
        super().__init__(text)
        self.exit_code = exit_code


class Unanswered(Refusal):
    """The engine did not take it, or could not store it, in time. It may be asked again."""


class Request(msgspec.Struct, frozen=True, tag_field="verb", forbid_unknown_fields=True):
    """The base of all requests."""

    @property
    def verb(self) -> str:
        """The name of the request on the socket and in the path of HTTP."""
        return str(self.__struct_config__.tag)


class Kill(Request, frozen=True, kw_only=True, tag="kill"):
    """Nothing but the verb is needed."""

    flatten: bool = False
    reason: str = ""
    by: str = "unknown"


class Rearm(Request, frozen=True, kw_only=True, tag="rearm"):
    """Release the kill switch."""

    reason: str
    by: str


class AccountRequest(Request, frozen=True, kw_only=True):
    """The base of requests about one VA, or about all where `va` is None."""

    va: str | None
    reason: str
    by: str


class Pause(AccountRequest, frozen=True, tag="pause"):
    """No new entries; exits go on."""


class Resume(AccountRequest, frozen=True, tag="resume"):
    """Entries again; of one VA it also lifts a freeze or a stop."""


class Flatten(AccountRequest, frozen=True, tag="flatten"):
    """Close what is held, at market."""


class Reconcile(Request, frozen=True, tag="reconcile"):
    """Compare with the venue now."""


class AddAccount(Request, frozen=True, kw_only=True, tag="add_account"):
    """Open a VA with a start balance."""

    va: str
    balance: str


class MoveCash(Request, frozen=True, kw_only=True, tag="move_cash"):
    """`amount` is signed: below zero it is taken out."""

    va: str
    amount: str


class Assign(Request, frozen=True, kw_only=True, tag="assign"):
    """Give a VA its part of what the venue holds otherwise than the VAs do: charge it the foreign
    execution that has closed its position, or give it a holding that is not ours."""

    va: str
    symbol: str
    quantity: str
    reason: str
    by: str


class Show(Request, frozen=True, tag="picture"):
    """The picture, once."""


class Watch(Request, frozen=True, tag="watch"):
    """The picture, again and again."""


AnyRequest = (
    Kill
    | Rearm
    | Pause
    | Resume
    | Flatten
    | Reconcile
    | AddAccount
    | MoveCash
    | Assign
    | Show
    | Watch
)
_DECODER: msgspec.json.Decoder[AnyRequest] = msgspec.json.Decoder(AnyRequest)
_VERBS = ", ".join(str(kind.__struct_config__.tag) for kind in get_args(AnyRequest))


def encode(request: Request) -> bytes:
    """A request as JSON, for the control socket."""
    # Not by msgspec: it refuses an argument of the command line that is no UTF-8.
    return json.dumps(msgspec.to_builtins(request)).encode()


def decode(content: bytes) -> AnyRequest:
    """A request that came over the control socket. Raises Refusal for anything else."""
    try:
        return _DECODER.decode(content)
    except msgspec.DecodeError as error:
        raise Refusal(f"{error}; verbs: {_VERBS}", ExitCode.USAGE) from None


def no_account(va_id: str, known: Sequence[str]) -> str:
    """That there is no such account, and which there are."""
    names = ", ".join([*known[:_NAMED_MAX], *(["…"] if len(known) > _NAMED_MAX else [])])
    return f"no account {va_id!r}; there are {names or 'none yet'}"


def refused(text: str, exit_code: ExitCode = ExitCode.FAILURE) -> Answer:
    """The answer to a request that is not carried out."""
    return {"ok": False, "exit": int(exit_code), "error": text}
