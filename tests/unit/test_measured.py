"""Checks as they are stored: short, and as they were when they are read."""

import json

import msgspec
import pytest
from hypothesis import given

from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Check
from pointsman.storage.measured import as_lists, checks_of, checks_text
from tests.unit.stored_samples import any_of

CHECKS = (
    Check(Reason.KILLED, True, "off", "off"),
    Check(Reason.SPREAD, False, None, "10.0", "bps"),
    Check(Reason.SLIPPAGE, True, "0.0000", "5.0", "bps", ',""]'),
)


@given(any_of(tuple[Check, ...]))
def test_any_checks_survive_being_stored(checks: tuple[Check, ...]) -> None:
    assert checks_of(checks_text(checks)) == checks


def test_a_check_is_a_short_list_that_a_person_can_read() -> None:
    killed, spread, slippage = json.loads(checks_text(CHECKS))
    assert killed == ["KILLED", True, "off", "off"]
    assert spread == ["SPREAD", False, None, "10.0", "bps"]
    assert slippage == ["SLIPPAGE", True, "0.0000", "5.0", "bps", ',""]']


@pytest.mark.parametrize("has_defaults", [True, False])
def test_checks_that_an_earlier_version_stored_are_read_wherever_they_stand(
    has_defaults: bool,
) -> None:
    old = [msgspec.structs.asdict(check) for check in CHECKS]
    if not has_defaults:
        old = [{name: value for name, value in each.items() if value} for each in old]
        old[1]["passed"] = False
    assert checks_of(msgspec.json.encode(old).decode()) == CHECKS
    payload = {"event": {"first": {"decision": {"checks": old}}}, "changes": [{"checks": old}]}
    read = json.loads(as_lists(msgspec.json.encode(payload).decode()))
    for found in (read["event"]["first"]["decision"], read["changes"][0]):
        assert msgspec.convert(found["checks"], tuple[Check, ...]) == CHECKS
