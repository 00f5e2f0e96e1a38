"""How records are written for programs."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.accounts import Account, KillSwitch
from pointsman.domain.market import Quote
from pointsman.domain.positions import Lot
from pointsman.domain.reasons import Reason
from pointsman.domain.timestamps import iso, parse_ts
from pointsman.reading.documents import to_document
from tests.unit.stored_samples import position

AT_NS = parse_ts("2018-01-02T14:30:00.115Z")


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (AT_NS, "2018-01-02T14:30:00.115000Z"),
        (AT_NS + 1, "2018-01-02T14:30:00.115000001Z"),
        (AT_NS + 1_000, "2018-01-02T14:30:00.115001Z"),
    ],
)
def test_a_moment_keeps_its_nanoseconds(time_ns: int, text: str) -> None:
    assert iso(time_ns) == text


@given(st.integers(0, 2**63 - 1))
def test_what_is_written_of_a_moment_reads_back_as_the_same(time_ns: int) -> None:
    assert parse_ts(iso(time_ns)) == time_ns


def test_a_record_becomes_plain_json() -> None:
    account = Account(
        "VA001", Decimal("1E+5"), AT_NS, frozen_for=Reason.OVERFILL, naked_max_ns=20_000_000
    )
    document = json.loads(json.dumps(to_document(account)))
    assert document["start_balance"] == "100000"
    assert document["opened_at"] == "2018-01-02T14:30:00.115000Z"
    assert document["frozen_for"] == "OVERFILL"
    assert document["naked_max_seconds"] == "0.02"
    assert (document["day_start"], document["cooldown_until"]) == (None, None)
    assert not [name for name in document if name.endswith("_ns")]


def test_nested_records_lists_and_nan_become_plain_json_too() -> None:
    lots = to_document(position(1))["lots"]
    assert lots == [to_document(Lot(Decimal(10), Decimal("158.39")))]
    nan = Decimal("NaN")
    assert to_document(Quote("XXX", AT_NS, nan, nan, nan, nan))["bid"] == "NaN"
    assert to_document(KillSwitch())["is_paused"] is False
