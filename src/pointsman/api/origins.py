"""By which name the server is asked, and from which page (RULES 36).

A page of another site that a browser shows can send requests to this machine, and a name that an
attacker owns can point at it. Invariants: a request is answered only where it names a host
that is ours, and where the page that sent it, if any, is one of ours.
"""

from collections.abc import Iterable
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from pointsman.api.problems import Problem
from pointsman.config.settings import Settings

_SAFE_METHODS = ("GET", "HEAD")


class Origins:
    """The names of one server, beside IP addresses, which no other site can have pointed here."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(name.lower() for name in names)

    def check(self, method: str, headers: Headers) -> None:
        """Raises Problem 421 for a foreign Host, 403 for a request that a foreign page sent."""
        hosts = headers.getlist("host")
        host = host_of(f"//{hosts[0]}") if len(hosts) == 1 else None
        if host is None or not (host in self._names or is_address(host)):
            text = "no such host here; ask by an IP address, or set HTTP_ALLOWED_HOSTS"
            raise Problem(HTTPStatus.MISDIRECTED_REQUEST, text)
        for origin in headers.getlist("origin"):
            # An address is ours only where the request itself was sent to it.
            from_host = host_of(origin)
            if from_host is None or (from_host != host and from_host not in self._names):
                raise _foreign("Origin")
        if method not in _SAFE_METHODS and headers.get("sec-fetch-site") == "cross-site":
            raise _foreign("Sec-Fetch-Site")


def origins_of(settings: Settings) -> Origins:
    """The names that the settings give."""
    return Origins(("localhost", settings.http_host, *settings.http_allowed_hosts))


def is_address(host: str) -> bool:
    """Whether a host is an IP address and no name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def host_of(url: str) -> str | None:
    """The host of an address, in small letters; None where it has none, or more than that."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        return None
    return host or None


def _foreign(header: str) -> Problem:
    text = f"the header {header} names another site; such a request changes nothing here"
    return Problem(HTTPStatus.FORBIDDEN, text)
