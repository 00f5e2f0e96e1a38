"""Addresses: which are this machine's own, and what the base of a venue's URL may be."""

import pytest

from pointsman.config.addresses import base_url_reader, is_loopback


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.7", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_loopback_is_out_of_reach_for_others(host: str, is_ours: bool) -> None:
    assert is_loopback(host) is is_ours


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("", ""),
        ("https://fapi.binance.com", "https://fapi.binance.com"),
        ("http://127.0.0.1:9101/", "http://127.0.0.1:9101"),
        ("http://[::1]:9101", "http://[::1]:9101"),
    ],
)
def test_the_base_of_a_url_is_read_without_the_slash_at_its_end(text: str, base: str) -> None:
    assert base_url_reader("https", "http")(text) == base


@pytest.mark.parametrize(
    "text",
    [
        "fapi.binance.com",
        "127.0.0.1:9101",
        "//127.0.0.1:9101",
        "wss://127.0.0.1:9101",
        "https://",
        "https://:9101",
        "https://127.0.0.1:port",
        "https://127.0.0.1:99999",
        "https://127.0.0.1:0",
        "https://127.0.0.1/fapi",
        "https://127.0.0.1?key=1",
        "https://127.0.0.1#x",
        "https://me:word@127.0.0.1",
        "https://127.0.0.1@elsewhere.example",
        "https://[::1",
    ],
)
def test_what_is_more_or_less_than_a_base_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"such as https://127\.0\.0\.1:9101"):
        base_url_reader("https", "http")(text)
