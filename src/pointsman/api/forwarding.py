"""Signs that a request did not begin on this machine, though the address that it came from is here.

A proxy or a tunnel on this machine makes every stranger look like a caller of this machine.
Invariants: one sign is enough, and a sign only ever takes rights away (RULES 57). What leaves no
sign, such as `ssh -R`, cannot be distinguished from a caller of this machine: then only a token
can.
"""

import re
from functools import lru_cache

from starlette.datastructures import Headers

from pointsman.api.origins import host_of
from pointsman.config.tokens import is_loopback

_FORWARDING = re.compile(
    r"""
      via | forwarded | cdn-loop | max-forwards
    | .* (forward | proxy) .*                      # X-Forwarded-For, X-Original-Forwarded-For, …
    | .* (connecting | client | real | remote | source | peer) [-_]? (ip | addr | address | host)
    | (cf | x-envoy | x-original | x-azure | x-amzn | x-appengine | x-vercel | x-arr | tailscale
       | ngrok | fly | fastly) - .*
    | x-(host | scheme | url-scheme | forwarded | real-port) | front-end-https
    """,
    re.VERBOSE,
)
"""Names of headers that a proxy, a tunnel or a content network adds, and no program of its own."""


def sign_of_forwarding(headers: Headers, http_version: str) -> str:
    """What says that a request was passed on, in words; empty where nothing does. The request names
    exactly one Host."""
    if any(_is_forwarding(name) for name in headers):
        return "a header that proxies add"
    if http_version == "1.0":
        return "HTTP/1.0, which proxies speak"
    host = host_of(f"//{headers.get('host', '')}")
    if host is None or not is_loopback(host):
        return "a Host other than localhost, 127.0.0.1 or ::1"
    return ""


@lru_cache(maxsize=1024)
def _is_forwarding(name: str) -> bool:
    return _FORWARDING.fullmatch(name) is not None
