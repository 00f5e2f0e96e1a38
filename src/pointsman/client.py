"""A client of a running engine: send signals and quotes, read the story of a signal, control it.

Needs nothing but Python, so that a strategy can copy this one file. For example, with an engine
that was started by `pointsman run`:

    from decimal import Decimal

    from pointsman.client import Client, ApiError

    with Client("http://127.0.0.1:8080") as client:
        try:
            decision = client.signal(
                va_id="VA001", symbol="AAPL", side="buy", quantity=Decimal(5), stop_loss="1%"
            )
            print(decision["outcome"], decision["reason"])
            print(client.why(decision["signal_id"])["decision"]["checks"][0]["rule"])
        except ApiError as problem:
            print(problem.status, problem.detail, problem.field)

Invariants: only what is safe to send twice is sent again. A signal always has an id, so that
it is decided once however often it is sent.
"""

import hmac
import json
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import quote, urlsplit
from uuid import uuid4

from pointsman.errors import PointsmanError

Document = dict[str, Any]
JSON = "application/json"
JSON_LINES = "application/jsonl"
TRIES = 4
RETRY_SECONDS_MAX = 5.0
IDLE_SECONDS_MAX = 2.0
"""A connection that was quiet for longer may be closed by the engine: then a new one is made."""

_API = "/api/v1"
_UNAVAILABLE = 503


class ApiError(PointsmanError):
    """An error answer from the engine. `detail` says how to fix it, `field` which key is
    at fault, if one is; `document` is the whole answer."""

    def __init__(self, status: int, document: Document, retry_after: str | None) -> None:
        self.status = status
        self.detail = str(document.get("detail", ""))
        self.field: str | None = document.get("field")
        self.document = document
        self.retry_after = retry_after
        super().__init__(f"{status}: {self.detail}")


class _Ask(NamedTuple):
    """One request. `is_safe`: sending it twice is as good as sending it once."""

    method: str
    path: str
    body: bytes
    media_type: str
    is_safe: bool


class Client:
    """One kept-alive connection to one engine, for one thread at a time.

    `token` is a SIGNAL_TOKEN, READ_TOKEN or CONTROL_TOKEN; an engine on this machine that has none
    needs none. `tokens_path` is the file in which an engine on this machine has made its tokens,
    such as trading.db.tokens; its CONTROL_TOKEN is used. With `secret`, the WEBHOOK_SECRET, and no
    token, `signal` is sent signed. `timeout` is in seconds.

    Every method raises ApiError for an answer that is no success, and OSError, TimeoutError among
    them, where there is none.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        token: str | None = None,
        secret: str | None = None,
        timeout: float = 10.0,
        tokens_path: str | Path | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.hostname is None:
            raise ValueError(f"url {url!r}: write it as http://127.0.0.1:8080")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=timeout)
        self._prefix = parts.path.rstrip("/")
        self._token = token if tokens_path is None else _made_token(Path(tokens_path))
        self._secret = secret
        self._used_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next call makes a new one."""
        self._connection.close()

    # -- signals and quotes in ---------------------------------------------------------------------

    def signal(self, **fields: Any) -> Document:
        """Have one signal decided: `va_id`, `symbol`, `side`, a size and more (docs/signals.md);
        amounts as str, int or Decimal. Without a `signal_id` it gets a new one.

        The decision, once it is durable: `outcome`, `reason`, `value`, `limit` and more; a refusal
        is an answer, no error. A signed one may be answered with `status` "waiting". Sent again
        with the same id where the connection broke or the engine says "later".
        """
        body = _encoded({"signal_id": uuid4().hex, **fields})
        if self._secret is not None and self._token is None:
            return self._asked(_Ask("POST", "/webhook", body, JSON, is_safe=True))
        return self._asked(_Ask("POST", f"{_API}/signals", body, JSON, is_safe=True))

    def signals(self, signals: Sequence[Mapping[str, Any]]) -> list[Document]:
        """Have up to 1,000 signals decided in order: one answer each, with its `line` from 1 on and
        its `status`: a decision where that is 200, else a `detail`."""
        lines = [_encoded({"signal_id": uuid4().hex, **fields}) for fields in signals]
        ask = _Ask("POST", f"{_API}/signals/bulk", b"\n".join(lines), JSON_LINES, is_safe=True)
        return [json.loads(line) for line in self._sent(ask).splitlines()]

    def quotes(self, quotes: Sequence[Mapping[str, Any]]) -> Document:
        """Feed up to 1,000 quotes, sorted by time, each with `ts`, `symbol`, `bid`, `bid_size`,
        `ask` and `ask_size`: how many were `taken`, and the `bad` ones. Never sent again."""
        body = _encoded({"quotes": list(quotes)})
        return self._asked(_Ask("POST", f"{_API}/quotes", body, JSON, is_safe=False))

    # -- what is -----------------------------------------------------------------------------------

    def why(self, signal_id: str) -> Document:
        """The whole story of one signal."""
        return self._read(f"/signals/{quote(signal_id, safe='')}")

    def status(self) -> Document:
        """The whole picture of this moment."""
        return self._read("/status")

    def _read(self, path: str) -> Document:
        return self._asked(_Ask("GET", _API + path, b"", JSON, is_safe=True))

    # -- requests ----------------------------------------------------------------------------------

    def kill(self, reason: str = "", flatten: bool = False) -> Document:
        """Press the kill switch; with `flatten` also close everything."""
        return self._request("kill", is_safe=True, reason=reason, flatten=flatten)

    def rearm(self, reason: str) -> Document:
        """Clear the kill switch."""
        return self._request("rearm", reason=reason)

    def pause(self, reason: str, va: str | None = None) -> Document:
        """No new entries, of one VA or of all."""
        return self._request("pause", is_safe=True, reason=reason, va=va)

    def resume(self, reason: str, va: str | None = None) -> Document:
        """End a pause."""
        return self._request("resume", reason=reason, va=va)

    def flatten(self, reason: str, va: str | None = None) -> Document:
        """Close what one VA holds, or all do."""
        return self._request("flatten", reason=reason, va=va)

    def reconcile(self) -> Document:
        """Compare with the venue now."""
        return self._request("reconcile")

    def _request(self, verb: str, is_safe: bool = False, **fields: Any) -> Document:
        said = {name: value for name, value in fields.items() if value is not None}
        return self._asked(_Ask("POST", f"{_API}/{verb}", _encoded(said), JSON, is_safe))

    # -- sending -----------------------------------------------------------------------------------

    def _asked(self, ask: _Ask) -> Document:
        document: Document = json.loads(self._sent(ask))
        return document

    def _sent(self, ask: _Ask) -> bytes:
        for left in reversed(range(TRIES)):
            seconds = 0.1
            try:
                return self._once(ask)
            except ConnectionError:
                self.close()
                if not ask.is_safe or not left:
                    raise
            except ApiError as problem:
                retry_after = problem.retry_after or ""
                if problem.status != _UNAVAILABLE or not retry_after.isdecimal():
                    raise
                if not ask.is_safe or not left:
                    raise
                seconds = min(float(retry_after), RETRY_SECONDS_MAX)
            except BaseException:
                self.close()  # An answer may still be on its way to nobody.
                raise
            time.sleep(seconds)
        raise AssertionError("the last try returns or raises")

    def _once(self, ask: _Ask) -> bytes:
        if time.monotonic() - self._used_at > IDLE_SECONDS_MAX:
            self.close()
        try:
            self._connection.request(
                ask.method, self._prefix + ask.path, ask.body, self._headers(ask)
            )
        except ConnectionRefusedError as error:
            where = f"{self._connection.host}:{self._connection.port}"
            told = f"no engine listens on {where}: start one with `pointsman run`, or check the url"
            raise ConnectionRefusedError(error.errno, told) from error
        answer = self._connection.getresponse()
        content = answer.read()
        self._used_at = time.monotonic()
        if answer.status >= 300:
            raise ApiError(answer.status, _document(content), answer.getheader("Retry-After"))
        return content

    def _headers(self, ask: _Ask) -> dict[str, str]:
        headers = {"Accept": JSON}
        if ask.method == "POST":
            headers["Content-Type"] = ask.media_type
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        elif self._secret is not None:
            # Signed again each time, for the same message is taken only once.
            seconds, rest_ns = divmod(time.time_ns(), 10**9)
            stamp = f"{seconds}.{rest_ns:09d}"
            signed = hmac.digest(self._secret.encode(), stamp.encode() + b"." + ask.body, "sha256")
            headers["X-Pointsman-Timestamp"] = stamp
            headers["X-Pointsman-Signature"] = signed.hex()
        return headers


def _made_token(path: Path) -> str:
    """The token in an engine's file that may do everything. Raises OSError, and ValueError where
    there is none."""
    for line in path.read_text("ascii").splitlines():
        name, _, value = line.partition("=")
        if name == "CONTROL_TOKEN" and value:
            return value
    raise ValueError(f"{path} holds no CONTROL_TOKEN; name the file whose path the engine logged")


def _document(content: bytes) -> Document:
    """A problem as it was sent; whatever else a proxy may have said is its detail."""
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    if isinstance(document, dict):
        return document
    return {"detail": content[:200].decode("ascii", "replace")}


def _encoded(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(_exact(fields, "body"), separators=(",", ":")).encode()


def _exact(value: Any, name: str) -> Any:
    """A value as JSON knows it. Raises TypeError for a float, which may not be what was meant."""
    if isinstance(value, float):
        raise TypeError(f"{name}={value!r}: send a str, an int or a Decimal")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return {key: _exact(each, key) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(each, name) for each in value]
    return value
