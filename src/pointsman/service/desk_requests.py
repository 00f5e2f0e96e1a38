"""What an engine answers to those who ask its desk from elsewhere in the cluster: how it stands, in
short, and the requests that a fleet makes of all of its desks."""

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from pointsman.domain.money import plain
from pointsman.engine.controls import Controls
from pointsman.engine.exit_codes import ExitCode
from pointsman.engine.live_view import LiveView
from pointsman.engine.requests import (
    Answer,
    Kill,
    Pause,
    Rearm,
    Refusal,
    Request,
    Resume,
    Show,
    decode,
    refused,
)
from pointsman.service.control_server import answer_to

if TYPE_CHECKING:
    from pointsman.cluster.membership import Membership

TAKEN = (Show, Kill, Rearm, Pause, Resume)


def answer_the_fleet(membership: "Membership | None", controls: Controls, board: LiveView) -> None:
    """Answer for the desk from now on, where it is one of a cluster."""
    if membership is not None:
        membership.answer_requests(lambda content: answered(content, controls, board))


def answered(content: bytes, controls: Controls, board: LiveView) -> bytes:
    """The answer to one request, both as JSON."""
    try:
        request: Request = decode(content)
        if not isinstance(request, TAKEN):
            told = f"{request.verb} is not asked of a whole fleet; ask on the desk's own machine"
            raise Refusal(told, ExitCode.USAGE)
        answer = answer_to(request, controls, board)
        document = in_short(answer) if isinstance(request, Show) else answer
    except Refusal as refusal:
        document = refused(str(refusal), refusal.exit_code)
    return msgspec.json.encode(document)


def in_short(picture: Answer) -> Answer:
    """How a desk stands: what a list of desks shows of it."""
    accounts, health = picture["accounts"], picture["health"]
    equity = sum((Decimal(each["equity"]) for each in accounts), Decimal(0))
    return {
        "ok": True,
        "venue": picture["venue"]["label"],
        "is_real_money": picture["venue"]["is_real_money"],
        "is_ready": picture["is_ready"] and not health["unready"],
        "unready": health["unready"],
        "trading_state": picture["trading_state"],
        "kill": picture["kill"],
        "accounts": len(accounts),
        "equity": plain(equity),
        "positions": len(picture["positions"]),
        "naked": sum(each["cover"] == "naked" for each in picture["positions"]),
        "incidents": len(picture["incidents"]),
        "epoch": health["epoch"],
        "replica_lag_rows": health["replica_lag_rows"],
        "http": picture["http"],
    }
