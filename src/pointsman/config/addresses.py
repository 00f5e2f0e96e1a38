"""Addresses in the settings: which are this machine's own, and how that of a venue is written."""

from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit


def is_loopback(host: str) -> bool:
    """Whether an address or name is this machine's own, out of reach for any other."""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def base_url_reader(*schemes: str) -> Callable[[str], str]:
    """A reader of the base of a URL: scheme, host and port, and nothing else; empty is none."""
    wanted = f"write scheme, host and port alone, such as {schemes[0]}://127.0.0.1:9101"

    def read(text: str) -> str:
        if not text:
            return ""
        try:
            parts = urlsplit(text)
            is_base = parts.scheme in schemes and _is_base(parts)
        except ValueError:
            is_base = False
        if not is_base:
            raise ValueError(wanted)
        return text.rstrip("/")

    return read


def _is_base(parts: SplitResult) -> bool:
    """Whether a URL names a host and no path, and nobody to log in as. Raises ValueError for a bad
    port."""
    beyond = (parts.path.strip("/"), parts.query, parts.fragment)
    return bool(parts.hostname) and "@" not in parts.netloc and not any(beyond) and parts.port != 0
