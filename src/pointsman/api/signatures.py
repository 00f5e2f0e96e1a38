"""Signed messages: HMAC-SHA256 over the time and the body, which a replay cannot pass.

What always holds: the time is signed and mandatory, so a captured message is worth nothing after a
minute; within it, it is known. After a restart, which forgets it, its signal has the id of the
first one, so it changes nothing.
"""

import hmac
import re
from decimal import Decimal
from http import HTTPStatus

from fastapi import Request
from pydantic import SecretStr

from pointsman.api.problems import Problem
from pointsman.domain.timestamps import SECOND_NS

TIMESTAMP = "X-Pointsman-Timestamp"
SIGNATURE = "X-Pointsman-Signature"
WINDOW_SECONDS = 60
REMEMBERED_MAX = 10_000

_WINDOW_NS = WINDOW_SECONDS * SECOND_NS
_TIME = re.compile(r"[0-9]{1,11}(?:\.[0-9]{1,9})?")


class Signatures:
    """Checks messages that are signed with one secret, and remembers those of the last minutes."""

    def __init__(self, secret: SecretStr) -> None:
        self._key = secret.get_secret_value().encode()
        self._seen: dict[bytes, int] = {}

    def check(self, request: Request, body: bytes, now_ns: int) -> str:
        """The time at which a message was signed, as its sender wrote it. `now_ns` is that of the
        wall clock.

        Raises Problem 401 for one that is not signed, wrongly signed or not of this minute, 409 for
        one that came before, and 429 where too many came.
        """
        signed_at = request.headers.get(TIMESTAMP, "")
        signature = request.headers.get(SIGNATURE, "").strip().lower()
        digest = hmac.digest(self._key, signed_at.encode() + b"." + body, "sha256")
        is_ours = hmac.compare_digest(digest.hex().encode(), signature.encode())
        if not is_ours or not _TIME.fullmatch(signed_at):
            text = f"send {TIMESTAMP}, the time in epoch seconds, and {SIGNATURE}"
            told = f'{text}, the hex HMAC-SHA256 of TIMESTAMP + "." + BODY under WEBHOOK_SECRET'
            raise Problem(HTTPStatus.UNAUTHORIZED, told)
        signed_ns = int(Decimal(signed_at) * SECOND_NS)
        if abs(now_ns - signed_ns) > _WINDOW_NS:
            text = f"signed more than {WINDOW_SECONDS} s from now by the engine's clock"
            raise Problem(HTTPStatus.UNAUTHORIZED, f"{text}; set yours and sign the message again")
        self._remember(digest, signed_ns + _WINDOW_NS, now_ns)
        return signed_at

    def _remember(self, digest: bytes, until_ns: int, now_ns: int) -> None:
        if digest in self._seen:
            text = "this very message came before; a further one is signed with a time of its own"
            raise Problem(HTTPStatus.CONFLICT, text)
        if len(self._seen) >= REMEMBERED_MAX:
            self._seen = {key: ends for key, ends in self._seen.items() if ends >= now_ns}
        if len(self._seen) >= REMEMBERED_MAX:
            text = f"{REMEMBERED_MAX} signed messages came within {WINDOW_SECONDS} s"
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, text, {"Retry-After": str(WINDOW_SECONDS)})
        self._seen[digest] = until_ns
