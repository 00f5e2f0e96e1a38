"""Signed messages: HMAC-SHA256 over the time and the body, which a replay cannot pass.

Invariants: the time is signed and mandatory, so a captured message is worth nothing after a
minute; within it, it is known, also after a restart, for digests within their time stand in a file
beside the database. They are written, but not synced: they survive a kill of the process. After a
power cut a replay still gets the id of the first signal, so it changes nothing.
"""

import hmac
import os
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path

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
_LINE = re.compile(r"([0-9]{1,20}) ([0-9a-f]{64})")


def signed_path(database: Path) -> Path:
    """The file of the digests that came within the last minutes, for the engine of a database."""
    return database.with_name(f"{database.name}.signed")


class Signatures:
    """Checks messages that are signed with one secret, and remembers those of the last minutes in
    the file `path`. `complain` is called once when that file cannot be used."""

    def __init__(
        self, secret: SecretStr, path: Path, now_ns: int, complain: Callable[[str], None]
    ) -> None:
        self._key = secret.get_secret_value().encode()
        self._path = path
        self._complain = complain
        self._is_failing = False
        self._seen = self._read(now_ns)
        if self._seen:
            self._write()

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
        self._remember(digest.hex(), signed_ns + _WINDOW_NS, now_ns)
        return signed_at

    def _remember(self, digest: str, until_ns: int, now_ns: int) -> None:
        if digest in self._seen:
            text = "this very message came before; a further one is signed with a time of its own"
            raise Problem(HTTPStatus.CONFLICT, text)
        if len(self._seen) >= REMEMBERED_MAX:
            self._seen = _current(self._seen, now_ns)
            self._write()
        if len(self._seen) >= REMEMBERED_MAX:
            text = f"{REMEMBERED_MAX} signed messages came within {WINDOW_SECONDS} s"
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, text, {"Retry-After": str(WINDOW_SECONDS)})
        self._seen[digest] = until_ns
        self._append(digest, until_ns)

    def _read(self, now_ns: int) -> dict[str, int]:
        """What the file holds, without a line that broke off when the process was killed."""
        try:
            text = self._path.read_text("ascii", "replace")
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._fail(error)
            return {}
        lines = map(_LINE.fullmatch, text.splitlines())
        return _current({line[2]: int(line[1]) for line in lines if line}, now_ns)

    def _append(self, digest: str, until_ns: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            descriptor = os.open(self._path, flags, 0o600)
            try:
                os.write(descriptor, f"{until_ns} {digest}\n".encode())
            finally:
                os.close(descriptor)
            self._is_failing = False
        except OSError as error:
            self._fail(error)

    def _write(self) -> None:
        """The file written again with what is remembered now: it is there whole, or as it was."""
        lines = "".join(f"{until_ns} {digest}\n" for digest, until_ns in self._seen.items())
        draft = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        try:
            draft.touch(0o600)
            draft.write_text(lines, "ascii")
            draft.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                draft.unlink()
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        """Go on without the file: it is the second defence after a restart, the id the first."""
        if not self._is_failing:
            self._complain(f"signed messages are not remembered over a restart: {error}")
        self._is_failing = True


def _current(seen: Mapping[str, int], now_ns: int) -> dict[str, int]:
    return {digest: until_ns for digest, until_ns in seen.items() if until_ns >= now_ns}
