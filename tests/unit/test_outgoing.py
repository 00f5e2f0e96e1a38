"""What connections to venues have in common: no redirection is followed, no key is told."""

import aiohttp
import pytest
from aiohttp.client_reqrep import RequestInfo
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from pointsman.outgoing import words_of

SECRET = "l1st3nK3y"
ADDRESS = f"wss://user:{SECRET}@host.example:9443/private/ws?listenKey={SECRET}&signature={SECRET}"
ASKED = RequestInfo(URL(ADDRESS), "GET", CIMultiDictProxy(CIMultiDict()), URL(ADDRESS))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (aiohttp.WSServerHandshakeError(ASKED, (), status=503, message="Invalid"), "503, Invalid"),
        (aiohttp.TooManyRedirects(ASKED, ()), "0, "),
        (
            aiohttp.ConnectionTimeoutError(f"Connection timeout to host {ADDRESS}"),
            "Connection timeout to host wss://host.example:9443",
        ),
        (aiohttp.InvalidURL(ADDRESS, "no host"), "wss://host.example:9443 - no host"),
        (OSError(104, "Connection reset by peer"), "[Errno 104] Connection reset by peer"),
        (TimeoutError(), ""),
    ],
    ids=lambda each: type(each).__name__,
)
def test_an_error_is_told_without_what_its_address_carries(error: Exception, words: str) -> None:
    assert words_of(error) == words
    assert SECRET not in words_of(error)
