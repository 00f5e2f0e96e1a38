"""Who gets past the door of Binance USDM futures: key, signature, the request's time, and how much
a client may ask in a minute. The headers that count it are part of every answer.
"""

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Callable
from urllib.parse import parse_qsl

from tests.venue_servers.binance_orders import Parameters, refusal
from tests.venue_servers.calls import Call, Route

RECV_WINDOW_MS = 5000
RECV_WINDOW_MS_MAX = 60_000
AHEAD_MS_MAX = 1000
MINUTE_MS = 60_000
WEIGHT_WITHOUT_SYMBOL = {"open_orders": 40, "open_stops": 40}
ORDER_ROUTES = {"create", "stop"}
SIGNATURE = re.compile(r"&?signature=([0-9a-fA-F]*)")


def parameters(call: Call) -> dict[str, str]:
    """Of the query and of the form, as the venue reads them: together."""
    form = call.body.decode("utf-8", "replace")
    pairs = parse_qsl(call.query_text, keep_blank_values=True) + parse_qsl(
        form, keep_blank_values=True
    )
    return dict(pairs)


class Gate:
    def __init__(self, key: str, secret: str, now_ms: Callable[[], int]) -> None:
        self.key = key
        self.secret = secret
        self.now_ms = now_ms
        self.weight_limit = 2400
        self.order_limit = 1200
        self.refusals_until_ban = 3
        self.ban_ms = 120_000
        self.banned_until_ms = 0
        self._minute = 0
        self._counts: Counter[str] = Counter()

    def admit(self, call: Call, route: Route) -> dict[str, str]:
        said = parameters(call)
        weight = route.weight
        if "symbol" not in said:
            weight = WEIGHT_WITHOUT_SYMBOL.get(route.name, weight)
        headers = self._count(weight, route.name in ORDER_ROUTES)
        if route.signed or route.name == "listen_key":
            self._check_key(call)
        if route.signed:
            self._check_signature(call, said)
            self._check_time(Parameters(said))
        return headers

    def _count(self, weight: int, is_order: bool) -> dict[str, str]:
        now = self.now_ms()
        if now < self.banned_until_ms:
            seconds = str((self.banned_until_ms - now) // 1000 + 1)
            text = f"Way too many requests; IP banned until {self.banned_until_ms}."
            raise refusal(-1003, text, 418, Retry_After=seconds)
        if now // MINUTE_MS != self._minute:
            self._minute = now // MINUTE_MS
            self._counts.clear()
        self._counts["weight"] += weight
        self._counts["orders"] += is_order
        headers = {
            "X-MBX-USED-WEIGHT-1M": str(self._counts["weight"]),
            "X-MBX-ORDER-COUNT-1M": str(self._counts["orders"]),
        }
        seconds = str((MINUTE_MS - now % MINUTE_MS) // 1000 + 1)
        if self._counts["weight"] > self.weight_limit:
            self._counts["refused"] += 1
            if self._counts["refused"] > self.refusals_until_ban:
                self.banned_until_ms = now + self.ban_ms
            text = f"Too many requests; current limit is {self.weight_limit} requests per minute."
            raise refusal(-1003, text, 429, Retry_After=seconds, **headers)
        if self._counts["orders"] > self.order_limit:
            text = f"Too many new orders; current limit is {self.order_limit} orders per MINUTE."
            raise refusal(-1015, text, 429, Retry_After=seconds, **headers)
        return headers

    def _check_key(self, call: Call) -> None:
        key = call.headers.get("x-mbx-apikey")
        if not key:
            raise refusal(-2014, "API-key format invalid.", 401)
        if key != self.key:
            text = "Invalid API-key, IP, or permissions for action, request ip: 127.0.0.1"
            raise refusal(-2015, text, 401)

    def _check_signature(self, call: Call, said: dict[str, str]) -> None:
        if not said.get("signature"):
            raise refusal(
                -1102,
                "Mandatory parameter 'signature' was not sent, was empty/null, or malformed.",
            )
        signed = SIGNATURE.sub("", call.query_text) + SIGNATURE.sub("", call.body.decode())
        true = hmac.new(self.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(true, said["signature"].lower()):
            raise refusal(-1022, "Signature for this request is not valid.")

    def _check_time(self, said: Parameters) -> None:
        timestamp = said.number("timestamp")
        window = said.number("recvWindow", RECV_WINDOW_MS)
        if window > RECV_WINDOW_MS_MAX:
            raise refusal(-1131, "recvWindow must be less than 60000")
        now = self.now_ms()
        if timestamp >= now + AHEAD_MS_MAX:
            text = "Timestamp for this request was 1000ms ahead of the server's time."
            raise refusal(-1021, text)
        if now - timestamp > window:
            raise refusal(-1021, "Timestamp for this request is outside of the recvWindow.")
