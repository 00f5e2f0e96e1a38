"""A broken alert gives away none of the secrets that senders put into it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.disclosure import HIDDEN, disclosed
from pointsman.domain.signal_text import SignalProblem, parse_signal

SECRET = "hunter2-Zq7PassQ8r6t"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12 000",
        "193,70",
        "-5",
        "1.5%",
        "$5",
        "1e400",
        "2026-01-05T14:30:00Z",
        "-Infinity",
        "NaN",
        "bracket",
        "stop_limit",
        "buy now",
        "{{strategy.order.action}}",
        "{...}",
        "[...]",
        "70000 bytes",
        "byte 17",
        "a number of thousands of digits",
    ],
)
def test_numbers_times_words_and_placeholders_are_told(text: str) -> None:
    assert disclosed(text) == text


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        "hunter2",
        "sk_live_51Hx",
        "A1B2C3D4E5F6",
        "correct horse battery staple",
        "eyJhbGciOiJIUzI1NiJ9.e30.x",
        "5,passphrase:hunter2",
        "https://user:pass@host",
        "{{ close }} hunter2",
        "a" * 17,
    ],
)
def test_any_other_text_is_hidden(text: str) -> None:
    assert disclosed(text) == HIDDEN


@pytest.mark.parametrize(
    "body",
    [
        f'{{"action":"buy","passphrase":"{SECRET}"',
        f'{{"passphrase":"{SECRET}","action":buy}}',
        f"buy AAPL {SECRET}",
        f'"{SECRET}"',
        f'["{SECRET}"]',
        f'{{"quantity":"5,passphrase:{SECRET}","action":"buy","ticker":"AAPL","va":"V"}}',
        f'{{"passphrase":"x","passphrase":"{SECRET}"}}',
        '{"pin":1,"pin":81726354}',
        f'{{"action":"{SECRET}","ticker":"AAPL","quantity":1,"va":"V"}}',
        f'{{"key":"{SECRET}","ticker":"AAPL","quantity":1,"va":"V"}}',
    ],
)
def test_a_broken_alert_gives_away_none_of_the_secrets_in_it(body: str) -> None:
    with pytest.raises(SignalProblem) as refused:
        parse_signal(body, default_signal_id="s")
    problem = refused.value
    told = f"{problem} {problem.field} {problem.value} {problem.remedy}"
    assert "hunter2" not in told
    assert "81726354" not in told
    assert problem.field
    assert problem.remedy


@given(st.text(min_size=1))
def test_what_is_told_is_the_text_itself_or_nothing_of_it(text: str) -> None:
    assert disclosed(text) in (text, HIDDEN)
