"""Signs that a request was passed on by a proxy or a tunnel (RULES 57)."""

import pytest
from starlette.datastructures import Headers

from pointsman.api.access import sign_of_forwarding

LOCAL = {"Host": "127.0.0.1:8080"}


@pytest.mark.parametrize(
    "name",
    [
        "Forwarded",
        "Via",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Port",
        "X-Forwarded-Server",
        "X-Forwarded",
        "Forwarded-For",
        "X-Original-Forwarded-For",
        "X-Original-URL",
        "X-Real-IP",
        "X-Client-IP",
        "Client-IP",
        "X-Cluster-Client-IP",
        "True-Client-IP",
        "Fastly-Client-IP",
        "Fly-Client-IP",
        "X-Azure-ClientIP",
        "CF-Connecting-IP",
        "CF-Connecting-IPv6",
        "CF-Ray",
        "CDN-Loop",
        "DO-Connecting-IP",
        "X-Remote-Addr",
        "X-Source-IP",
        "X-ProxyUser-IP",
        "Proxy-Connection",
        "X-Envoy-External-Address",
        "X-Amzn-Trace-Id",
        "Tailscale-User-Login",
        "X-Scheme",
        "Front-End-Https",
    ],
)
def test_a_header_of_a_proxy_is_a_sign_whatever_its_name_and_value(name: str) -> None:
    for value in ("203.0.113.9", "127.0.0.1", ""):
        assert sign_of_forwarding(Headers({**LOCAL, name: value}), "1.1")
        assert sign_of_forwarding(Headers({**LOCAL, name.upper(): value}), "1.1")


@pytest.mark.parametrize(
    ("host", "is_sign"),
    [
        ("127.0.0.1:8080", False),
        ("localhost", False),
        ("[::1]:18100", False),
        ("192.168.1.5:8080", True),
        ("8.8.8.8", True),
        ("bot.example.com", True),
        ("localhost.evil.example", True),
        ("127.0.0.1.evil.example", True),
        ("0.0.0.0:8080", True),
        ("", True),
    ],
)
def test_a_host_that_is_no_address_of_this_machine_is_a_sign(host: str, is_sign: bool) -> None:
    assert bool(sign_of_forwarding(Headers({"Host": host}), "1.1")) is is_sign


def test_http_1_0_is_a_sign() -> None:
    assert "HTTP/1.0" in sign_of_forwarding(Headers(LOCAL), "1.0")


def test_what_programs_of_this_machine_send_is_no_sign() -> None:
    usual = {
        **LOCAL,
        "User-Agent": "curl/8.5.0",
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate, br, zstd",
        "Accept-Language": "en",
        "Authorization": "Bearer x",
        "Connection": "keep-alive",
        "Content-Type": "application/json",
        "Content-Length": "2",
        "Origin": "http://localhost:8080",
        "Referer": "http://localhost:8080/docs",
        "Sec-Fetch-Site": "same-origin",
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
        "Cookie": "x=y",
        "DNT": "1",
        "Last-Event-ID": "12",
        "X-Request-Id": "7",
        "Traceparent": "00-1-2-00",
        "X-Pointsman-Timestamp": "1",
        "X-Pointsman-Signature": "1",
    }
    assert sign_of_forwarding(Headers(usual), "1.1") == ""
