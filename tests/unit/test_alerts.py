"""Alerts: which are one and the same, for ever, within a minute, and over a restart (RULES 37)."""

import json
from typing import Any

import pytest

from pointsman.api import alerts as module
from pointsman.api.alerts import Alerts, canonical
from pointsman.api.problems import HttpProblem
from pointsman.domain.signal_text import SignalProblem, parse_signal

START_S = 1_767_609_000
ALERT = {"ticker": "AAPL", "action": "buy", "contracts": "1"}
LATER = START_S + 1000
"""Long after the start: nothing can be known from before it."""


class Memory:
    """Alerts, and what was decided: of each VA the ids, newest first."""

    def __init__(self, began_s: int = START_S) -> None:
        self.decided: dict[tuple[str, str], list[str]] = {}
        self.alerts = Alerts(began_s * 10**9, lambda *key: self.decided.get(key, []))

    def id_of(
        self,
        at_s: int,
        fields: dict[str, Any] | None = None,
        va: str = "VA1",
        signed_at: str = "",
        *,
        is_decided: bool = True,
    ) -> str:
        body = json.dumps(ALERT if fields is None else fields).encode()
        signal = parse_signal(body, default_va_id=va, default_signal_id="")
        signal_id = self.alerts.named(signal, body, signed_at, at_s * 10**9).signal_id
        if is_decided:
            self.decide(signal_id, va, signal.symbol)
        return signal_id

    def decide(self, signal_id: str, va: str = "VA1", symbol: str = "AAPL") -> None:
        """Something is decided, if it is new."""
        ids = self.decided.setdefault((va, symbol), [])
        if signal_id not in ids:
            ids.insert(0, signal_id)

    def restarted(self, at_s: int) -> "Memory":
        """A memory that begins anew; what was decided is stored."""
        again = Memory(at_s)
        again.decided = self.decided
        return again


def test_an_id_of_its_own_is_kept() -> None:
    assert Memory().id_of(LATER, {**ALERT, "alertId": "mine"}) == "mine"


def test_rule_37_without_a_time_equal_bodies_are_one_signal_for_sixty_seconds() -> None:
    memory = Memory()
    first = memory.id_of(LATER)
    assert [memory.id_of(LATER + after) for after in (0, 1, 59)] == [first] * 3
    second = memory.id_of(LATER + 60)
    assert second != first
    assert memory.id_of(LATER + 119) == second
    assert memory.id_of(LATER + 120) not in (first, second)
    assert first.startswith("alert-")


@pytest.mark.parametrize(
    ("fields", "va"),
    [
        ({**ALERT, "contracts": "2"}, "VA1"),
        ({**ALERT, "comment": "x"}, "VA1"),
        (ALERT, "VA2"),
    ],
)
def test_rule_37_another_body_or_account_is_another_signal(fields: dict[str, Any], va: str) -> None:
    memory = Memory()
    assert memory.id_of(LATER, fields, va) != memory.id_of(LATER)


def test_rule_37_with_a_time_an_alert_is_the_same_for_ever_and_after_a_restart() -> None:
    timed = {**ALERT, "time": "2026-01-05T14:30:00Z"}
    memory = Memory()
    first = memory.id_of(LATER, timed)
    assert memory.id_of(LATER + 10**6, timed) == first
    assert memory.restarted(LATER + 10**7).id_of(LATER + 10**7, timed) == first
    assert memory.id_of(LATER, {**timed, "time": "2026-01-05T14:30:01Z"}) != first


def test_the_time_of_a_signature_stands_in_for_that_of_the_alert() -> None:
    memory = Memory()
    first = memory.id_of(LATER, signed_at="1767609000.1")
    assert memory.id_of(LATER, signed_at="1767609000.2") != first
    assert memory.restarted(LATER).id_of(LATER + 9, signed_at="1767609000.1") == first
    timed = {**ALERT, "time": 1767609000}
    ids = {memory.id_of(LATER, timed, signed_at=each) for each in ("", "1767609000", "1767609009")}
    assert len(ids) == 1, "signed anew, an alert with a time is still the same"


@pytest.mark.parametrize("after", [0, 1, 30, 59])
def test_rule_37_a_restart_does_not_make_two_signals_of_one(after: int) -> None:
    memory = Memory()
    memory.decide("earlier")
    first = memory.id_of(LATER)
    again = memory.restarted(LATER)
    assert again.id_of(LATER + after) == first
    assert again.id_of(LATER + 60) != first, "sixty seconds after the first one, as without it"


def test_a_restart_does_not_make_one_signal_of_two() -> None:
    memory = Memory()
    first = memory.id_of(LATER)
    assert memory.restarted(LATER + 5).id_of(LATER + 61) != first


@pytest.mark.parametrize("after", [0, 1, 59])
@pytest.mark.parametrize("restarts", [False, True])
def test_rule_56_what_was_decided_in_between_makes_equal_bodies_two_signals(
    after: int, restarts: bool
) -> None:
    memory = Memory()
    first = memory.id_of(LATER)
    memory.decide("of another account", "VA2")
    memory.decide("of another symbol", symbol="MSFT")
    assert memory.id_of(LATER + after) == first
    closed = memory.id_of(LATER + after, {**ALERT, "action": "exit"})
    if restarts:
        memory = memory.restarted(LATER + after)
    second = memory.id_of(LATER + after)
    assert len({first, closed, second}) == 3
    assert memory.id_of(LATER + after) == second


def test_rule_56_one_that_waits_to_be_decided_is_still_the_same() -> None:
    memory = Memory()
    memory.decide("earlier")
    first = memory.id_of(LATER, is_decided=False)
    memory.decide("offered before it")
    assert memory.id_of(LATER + 1) == first


def test_what_is_remembered_is_bounded_and_none_is_decided_twice_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "REMEMBERED_MAX", 2)
    memory = Memory()
    first = memory.id_of(LATER)
    memory.id_of(LATER + 1, {**ALERT, "contracts": "2"}, is_decided=False)
    third = {**ALERT, "contracts": "3"}
    with pytest.raises(HttpProblem, match="within 60 s") as refused:
        memory.id_of(LATER + 2, third)
    assert refused.value.status == 429
    assert memory.id_of(LATER + 3) == first
    assert memory.id_of(LATER + 60, third), "the first of them is forgotten"


def test_a_clock_that_is_set_back_makes_no_second_signal() -> None:
    memory = Memory()
    assert memory.id_of(LATER) == memory.id_of(LATER - 3600)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1, "b": [2, {"c": null}]}', ' {"b":[2,{"c":null}],"a":"1"}\n'),
        ('{"a": 1.50}', '\ufeff{"a": "1.50"}'),
    ],
)
def test_spelling_that_means_nothing_is_not_part_of_an_alert(one: str, other: str) -> None:
    assert canonical(one.encode()) == canonical(other.encode())


def test_what_may_mean_something_is() -> None:
    assert len({canonical(text) for text in (b'{"a": 1}', b'{"A": 1}', b'{"a": 1.0}')}) == 3


def test_a_body_that_is_nested_too_deeply_is_no_alert() -> None:
    with pytest.raises(SignalProblem):
        canonical(b'{"a":' * 30_000 + b"1" + b"}" * 30_000)
