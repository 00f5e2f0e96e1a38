"""From layers to texts and values: which settings cannot be used, and which accounts are meant."""

import pytest

from pointsman.config.layers import find_all, texts_by_field, va_ids_of, validated
from pointsman.config.limit_fields import LimitFields
from pointsman.config.problems import SettingProblem
from pointsman.config.sources import Layer, SettingEntry, SettingSource


def accounts(text: str) -> dict[str, SettingEntry]:
    return {
        "VIRTUAL_ACCOUNTS": SettingEntry("VIRTUAL_ACCOUNTS", text, SettingSource.ENV, "environment")
    }


@pytest.mark.parametrize(
    ("entries", "at_fault", "ids"),
    [
        ({}, set(), {"VA001", "VA002", "VA003"}),
        ({}, {"VIRTUAL_ACCOUNTS"}, None),
        (accounts("a:1,b:2"), set(), {"a", "b"}),
        (accounts("VA001"), {"VIRTUAL_ACCOUNTS"}, {"VA001"}),
        (accounts("VA001=5;VA002=6"), {"VIRTUAL_ACCOUNTS"}, {"VA001", "5", "VA002", "6"}),
    ],
)
def test_the_accounts_that_are_meant(
    entries: dict[str, SettingEntry], at_fault: set[str], ids: set[str] | None
) -> None:
    assert va_ids_of(entries, at_fault) == ids


def test_a_text_that_cannot_be_read_is_at_fault_and_others_are_found() -> None:
    variables = {"HTTP_PORT_FILE": "/nowhere/port", "HTTP_HOST": "::1"}
    problems: list[SettingProblem] = []
    at_fault: set[str] = set()
    layers = [Layer(SettingSource.ENV, "environment", variables)]
    found = find_all(["HTTP_PORT", "HTTP_HOST", "VENUE"], layers, problems, at_fault)
    assert texts_by_field(found) == {"http_host": "::1"}
    assert [problem.variable for problem in problems] == ["HTTP_PORT_FILE"]
    assert at_fault == {"HTTP_PORT"}


def test_texts_become_values_or_each_fault_with_its_fix() -> None:
    limits, faults = validated(LimitFields, {"max_leverage": "2"})
    assert limits is not None
    assert (limits.max_leverage, faults) == (2, {})
    limits, faults = validated(LimitFields, {"max_leverage": "0", "max_latency_ms": "x"})
    assert (limits, sorted(faults)) == (None, ["max_latency_ms", "max_leverage"])
    assert faults["max_leverage"] == "use a number above 0"
