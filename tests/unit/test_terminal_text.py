"""How amounts and times are written for people."""

import json
from decimal import Decimal

import pytest

from pointsman.domain.timestamps import parse_ts
from pointsman.terminal import text as render
from pointsman.terminal.tables import Column, Listing

AT_NS = parse_ts("2018-01-02T14:30:00.115Z")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("100", "100"),
        ("12500.50", "12,500.5"),
        ("158.3966666667", "158.3967"),
        ("0.0000123400", "0.00001234"),
        ("-1.50", "-1.5"),
        ("0", "0"),
    ],
)
def test_a_number_has_no_idle_zeros(amount: str, text: str) -> None:
    assert render.rounded(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("amount", "decimals", "as_number", "as_average"),
    [
        ("158.4", 2, "158.40", "158.40"),
        ("1.1725", 5, "1.17250", "1.17250"),
        ("1.17253", 2, "1.17253", "1.1725"),
        ("1.1725333333", 5, "1.1725333333", "1.1725333"),
        ("0.12345", 0, "0.12345", "0.12"),
        ("3500", 0, "3,500", "3,500"),
    ],
)
def test_a_price_is_never_cut_and_an_average_behind_the_second_decimal_beyond_the_tick(
    amount: str, decimals: int, as_number: str, as_average: str
) -> None:
    assert render.number(Decimal(amount), decimals) == as_number
    assert render.average(Decimal(amount), decimals) == as_average


def test_money_has_two_decimals() -> None:
    assert render.money(Decimal("99838.63202")) == "99,838.63"
    assert render.money(Decimal("-0.00")) == render.money(Decimal("-0.004")) == "0.00"
    assert render.signed_money(Decimal("-0.004")).plain == "0.00"
    assert render.signed_money(Decimal("0.004")).plain == "0.00"
    assert render.seconds("0.057862418") == "0.058"


def test_a_result_says_its_sign_in_characters_too() -> None:
    assert render.signed_money(Decimal(3)).plain == "+3.00"
    assert render.signed_money(Decimal(-3)).plain == "-3.00"
    assert render.signed_money(Decimal(0)).plain == "0.00"


@pytest.mark.parametrize(
    ("milliseconds", "as_length", "on_a_stopwatch"),
    [
        ("0", "0 ms", "+0.000"),
        ("20", "20 ms", "+0.020"),
        ("-12.5", "-12.5 ms", "-0.012"),
        ("1204", "1.204 s", "+1.204"),
        ("-1204", "-1.204 s", "-1.204"),
        ("724000", "12 min 04 s", "+12:04.000"),
        ("11100000", "3 h 05 min", "+3:05:00.000"),
        ("198000000", "2 days 7 h", "+55:00:00.000"),
        ("86400000", "1 day", "+24:00:00.000"),
        ("28435515521", "329 days", "+7898:45:15.521"),
    ],
)
def test_lengths_of_time(milliseconds: str, as_length: str, on_a_stopwatch: str) -> None:
    length_ns = int(Decimal(milliseconds) * 10**6)
    assert render.length(length_ns) == as_length
    assert render.stopwatch(length_ns) == on_a_stopwatch


def test_a_moment_is_shown_on_the_clock_of_a_zone() -> None:
    assert render.moment(AT_NS) == "2018-01-02 14:30:00.115"
    assert render.moment(AT_NS, "America/New_York") == "2018-01-02 09:30:00.115"


def test_text_from_outside_cannot_steer_the_terminal() -> None:
    assert render.printable("a\x1b[2Jb\r\n\u202ec") == r"a\x1b[2Jb\r\n\u202ec"


def test_counts_agree_with_their_noun() -> None:
    assert render.counted(1, "fill") == "1 fill"
    assert render.counted(1_200, "fill") == "1,200 fills"


def test_colour_and_markup_of_text_are_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    render.console().print("[red]:smile:[/red]")
    assert capsys.readouterr().out == "[red]:smile:[/red]\n"
    render.console(is_error=True).print("oh")
    assert capsys.readouterr().err == "oh\n"


def test_one_document_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    render.print_json([{"a": "1"}])
    assert json.loads(capsys.readouterr().out) == [{"a": "1"}]


def test_what_is_not_for_a_terminal_is_neither_cut_nor_wrapped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = [Column(name, lambda _row: 40 * "x", rank) for rank, name in enumerate("abcdef")]
    monkeypatch.delenv("COLUMNS", raising=False)
    render.console().print(Listing("Wide", columns, [()]))
    assert capsys.readouterr().out.splitlines()[-1].split() == 6 * [40 * "x"]
    monkeypatch.setenv("COLUMNS", "80")
    render.console().print(Listing("Narrow", columns, [()]))
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
