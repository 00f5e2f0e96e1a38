"""Readers of single settings: what is taken, exactly, and what is refused with how to fix it."""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal, getcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.config.values import (
    choice_reader,
    decimal_reader,
    optional,
    read_accounts,
    read_host,
    read_hosts,
    read_path,
    read_size_decay,
    read_switch,
    read_token,
    read_venue,
    whole_reader,
)
from pointsman.domain.money import plain
from pointsman.domain.policy import PositionMode, SizeDecay

Reader = Callable[[str], object]

percentage = decimal_reader(above="0", below="100")
milliseconds = decimal_reader(least="0", places=6)
count = whole_reader(1, 100)
mode = choice_reader(PositionMode)


@given(st.decimals("0.000001", "999999999999", places=6, allow_nan=False))
def test_a_decimal_is_read_exactly_whatever_the_context_of_the_thread(value: Decimal) -> None:
    precision = getcontext().prec
    getcontext().prec = 28
    try:
        assert milliseconds(plain(value)) == value
        assert str(milliseconds(plain(value))) == plain(value)
    finally:
        getcontext().prec = precision


@pytest.mark.parametrize(
    ("reader", "text", "value"),
    [
        (percentage, "2.0", Decimal("2.0")),
        (percentage, "0.000000000001", Decimal("0.000000000001")),
        (milliseconds, "0", Decimal(0)),
        (milliseconds, "500.000001", Decimal("500.000001")),
        (optional(percentage), "", None),
        (optional(percentage), "5", Decimal(5)),
        (count, "100", 100),
        (count, "007", 7),
        (mode, "HEDGE", PositionMode.HEDGE),
        (mode, "net", PositionMode.NET),
        (read_switch, "TRUE", True),
        (read_switch, "off", False),
        (read_host, "::1", "::1"),
        (read_hosts, "", ()),
        (read_hosts, "Engine.lan, desk.example.com", ("engine.lan", "desk.example.com")),
        (read_venue, "paper", "paper"),
        (
            read_accounts,
            " VA001:100000 , b-2_x:0.5",
            (("VA001", Decimal(100000)), ("b-2_x", Decimal("0.5"))),
        ),
        (read_size_decay, "", ()),
        (
            read_size_decay,
            "2:0.5, 4:0.25",
            (SizeDecay(2, Decimal("0.5")), SizeDecay(4, Decimal("0.25"))),
        ),
    ],
)
def test_a_good_text_is_read(reader: Reader, text: str, value: object) -> None:
    assert reader(text) == value


@pytest.mark.parametrize(
    ("reader", "text", "remedy"),
    [
        *(
            (percentage, text, "write a plain decimal number")
            for text in ("nan", "inf", "-inf", "1e5", "1_000", "1,5", "", " ", "0x10", "٣", "2.0 %")
        ),
        (percentage, "1" * 40, "at most 12 digits before"),
        (percentage, "0", "use a number above 0 and below 100"),
        (percentage, "-1", "use a number above 0 and below 100"),
        (percentage, "100", "use a number above 0 and below 100"),
        (milliseconds, "0.0000001", "write at most 6 digits after the point"),
        *(
            (count, text, "write a whole number from 1 to 100")
            for text in ("0", "101", "3.0", "-1")
        ),
        (count, "٣", "write a whole number from 1 to 100"),
        (mode, "both", "use one of hedge, net"),
        (read_switch, "maybe", "write true or false"),
        (read_path, "", "write the path of a file"),
        (read_path, "a\0b", "write the path of a file"),
        (read_host, "http://x/", "write a host name or an IP address"),
        (read_hosts, "a.lan,", "'': write host names such as"),
        (read_hosts, "a.lan:8080", "'a.lan:8080': write host names such as"),
        (read_hosts, "*.lan", "'*.lan': write host names such as"),
        (read_token, "two words of 16 or more", "use 16 to 512 random letters, digits and"),
        (read_token, "naïve-0123456789", "use 16 to 512 random letters, digits and"),
        (read_token, "x" * 15, "use 16 to 512 random letters, digits and"),
        (read_venue, "binance", "use one of paper, binanceusdm, bybit, alpaca"),
        (read_accounts, "", "write ID:BALANCE"),
        (read_accounts, "VA001", "'VA001' has no balance; write ID:BALANCE"),
        (read_accounts, "VA001:1,", "write ID:BALANCE"),
        (read_accounts, "VA001:1,VA001:2", "id 'VA001' appears twice"),
        (read_accounts, "VA 1:1", "id 'VA 1': use 1 to 32 letters"),
        (read_accounts, ":1", "id '': use 1 to 32 letters"),
        (read_accounts, "EXTERNAL:1", "id 'EXTERNAL' is reserved"),
        (read_accounts, "VA001:1e5", "balance '1e5' of VA001: write a plain decimal"),
        (read_accounts, "VA001:", "balance '' of VA001: write a plain decimal"),
        (read_accounts, "VA001:0", "balance '0' of VA001: use a number above 0"),
        (read_size_decay, "2", "'2': write LOSSES:FACTOR"),
        (read_size_decay, "0:0.5", "'0:0.5': write LOSSES:FACTOR; write a whole number"),
        (read_size_decay, "2:0", "'2:0': write LOSSES:FACTOR; use a number above 0"),
        (read_size_decay, "2:1.5", "above 0 and at most 1"),
        (read_size_decay, "4:0.5,2:0.25", "losses must rise and factors fall"),
        (read_size_decay, "2:0.25,4:0.5", "losses must rise and factors fall"),
    ],
)
def test_a_bad_text_is_refused_with_what_would_do(reader: Reader, text: str, remedy: str) -> None:
    with pytest.raises(ValueError, match="^.*" + remedy.replace("(", r"\(")):
        reader(text)


@pytest.mark.parametrize(
    "reader",
    [percentage, count, mode, read_switch, read_accounts, read_size_decay, read_hosts, read_token],
)
@given(text=st.text())
def test_no_text_leads_to_another_error(reader: Reader, text: str) -> None:
    with suppress(ValueError):
        reader(text)


def test_a_home_directory_is_expanded_as_a_shell_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    assert read_path("~/trading.db") == Path("/home/anna/trading.db")
    with pytest.raises(ValueError, match="write the whole path instead of ~"):
        read_path("~nobody-of-that-name/trading.db")
