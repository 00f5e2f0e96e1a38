"""What every connection to a venue has in common, that of an account and that of quotes.

Keys, signatures and listen keys go in requests and in their addresses. Invariants:

* no connection follows a redirection (RULES 49);
* records and logs show no more of an address than its host, whatever an error says.
"""

import re

import aiohttp

_ADDRESS = re.compile(r"""([a-z]+://)(?:[^\s/?#'"]*@)?([^\s/?#'"]*)[^\s'"]*""")


def without_redirections() -> aiohttp.TraceConfig:
    """What a session is made with to end where it is sent to another address."""
    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(_refuse)
    return tracing


def words_of(error: BaseException) -> str:
    """What an error says, for records and logs: of an address the host alone."""
    if isinstance(error, aiohttp.ClientResponseError):
        return f"{error.status}, {error.message}"
    return _ADDRESS.sub(r"\1\2", str(error))


async def _refuse(_session: object, _context: object, _redirection: object) -> None:
    raise aiohttp.ClientError("it sends us to another address")
