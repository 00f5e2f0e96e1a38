"""The server: the port is taken at the start, and given back at the end, streams or not."""

import socket
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from pointsman.api.server import HttpServer, PortTaken, listen, url_of
from tests.http_stories import Served


def test_a_port_in_use_is_an_error_that_names_what_would_do() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} .* choose another HTTP_PORT"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_of_another_machine_is_an_error_of_http_host(host: str) -> None:
    with pytest.raises(PortTaken, match=f"on {host} port 0 .*; set HTTP_HOST to an address of"):
        listen(host, 0)


def test_an_address_is_written_as_browsers_take_it() -> None:
    with listen("127.0.0.1", 0) as listener:
        assert url_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
    if socket.has_ipv6:
        with listen("::1", 0) as listener:
            assert url_of(listener) == f"http://[::1]:{listener.getsockname()[1]}"


def test_it_ends_soon_though_somebody_listens_to_the_stream_and_can_begin_again(
    tmp_path: Path,
) -> None:
    with Served(tmp_path) as served:
        for _ in range(2):
            listener = listen("127.0.0.1", 0)
            port = listener.getsockname()[1]
            server = HttpServer(served.app, listener)
            server.start()
            reader = HTTPConnection("127.0.0.1", port, timeout=10)
            reader.request("GET", "/api/v1/stream", headers={"Last-Event-ID": "0"})
            answer = reader.getresponse()
            assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
            assert answer.readline() == b"retry: 2000\n"
            assert [answer.readline(), answer.readline()] == [b"\n", b"id: 1\n"]
            began = time.monotonic()
            server.stop()
            assert time.monotonic() - began < 20
            assert not server.is_alive
            answer.close()
            reader.close()
            with pytest.raises(ConnectionError):
                socket.create_connection(("127.0.0.1", port), timeout=5)
