"""Host and Origin: names that point at us, and pages that ask us, of somebody else (RULES 36)."""

import pytest
from starlette.datastructures import Headers

from pointsman.api.access import Origins, origins_of
from pointsman.api.problems import HttpProblem
from pointsman.config.settings import resolve_settings

ENV = {"HTTP_HOST": "0.0.0.0", "HTTP_ALLOWED_HOSTS": "engine.lan,trading-engine"}
ORIGINS = origins_of(resolve_settings(ENV, None, {}).settings)


def status(method: str, *headers: tuple[str, str]) -> int:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    try:
        ORIGINS.check(method, Headers(raw=raw))
    except HttpProblem as problem:
        return problem.status.value
    return 200


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1:8080", 200),
        ("192.0.2.7", 200),
        ("[::1]:8080", 200),
        ("localhost:8080", 200),
        ("LOCALHOST", 200),
        ("engine.lan", 200),
        ("trading-engine:8080", 200),
        ("evil.example", 421),
        ("engine.lan.evil.example", 421),
        ("localhost.evil.example", 421),
        ("evil.example@localhost", 421),
        ("localhost:port", 421),
        ("localhost/../evil.example", 421),
        ("127.1", 421),
        ("", 421),
        ("é", 421),
    ],
)
def test_only_addresses_and_our_names_are_answered(host: str, expected: int) -> None:
    assert status("GET", ("Host", host)) == expected


def test_a_request_names_one_host() -> None:
    assert status("GET") == 421
    assert status("GET", ("Host", "localhost"), ("Host", "localhost")) == 421


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://127.0.0.1:8080", 200),
        ("http://localhost:3000", 200),
        ("https://engine.lan", 200),
        ("http://192.0.2.7", 403),
        ("https://evil.example", 403),
        ("https://localhost.evil.example", 403),
        ("https://localhost@evil.example", 403),
        ("null", 403),
        ("", 403),
        ("http://[", 403),
    ],
)
def test_a_page_of_another_site_is_refused_whatever_the_method(origin: str, expected: int) -> None:
    for method in ("GET", "POST"):
        assert status(method, ("Host", "127.0.0.1:8080"), ("Origin", origin)) == expected


@pytest.mark.parametrize(
    ("method", "site", "expected"),
    [
        ("POST", "cross-site", 403),
        ("OPTIONS", "cross-site", 403),
        ("GET", "cross-site", 200),
        ("POST", "same-origin", 200),
        ("POST", "none", 200),
    ],
)
def test_what_the_browser_says_of_the_sender_counts(method: str, site: str, expected: int) -> None:
    assert status(method, ("Host", "localhost"), ("Sec-Fetch-Site", site)) == expected


def test_a_name_to_listen_on_is_ours_as_well() -> None:
    Origins(("Desk.Example",)).check("GET", Headers({"Host": "desk.example:80"}))
