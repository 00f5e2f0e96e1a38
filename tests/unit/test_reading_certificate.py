"""The certificate as it is read: what was not kept, and what was not tried, does not count."""

import json
from pathlib import Path

import pytest

from pointsman.reading.certificate import certificate_document, read_certificate
from pointsman.storage.reader import reading
from tests.unit.test_venue_checks import keep, promise


def test_there_is_none_before_the_first_check(tmp_path: Path) -> None:
    with reading(keep(tmp_path / "t.db")) as connection:
        assert read_certificate(connection) is None
    assert certificate_document(None) is None


@pytest.mark.parametrize(
    ("verdicts", "kept", "is_whole", "broken"),
    [
        ((True, True), 2, True, 0),
        ((True, False), 1, False, 1),
        ((True, None), 1, False, 0),
    ],
)
def test_only_a_promise_that_was_kept_counts(
    tmp_path: Path,
    verdicts: tuple[bool | None, ...],
    kept: int,
    is_whole: bool,
    broken: int,
) -> None:
    check = [promise(f"p{number}", one) for number, one in enumerate(verdicts)]
    with reading(keep(tmp_path / "t.db", *check)) as connection:
        found = read_certificate(connection)
    assert found is not None
    assert (found.kept, found.is_whole, len(found.broken)) == (kept, is_whole, broken)
    document = json.loads(json.dumps(certificate_document(found)))
    assert document["venue"]["label"] == "alpaca sandbox PA7"
    assert (document["kept"], document["is_whole"], document["symbol"]) == (kept, is_whole, "AAPL")
    assert document["checked_at"] == "2026-12-01T00:00:00.000000Z"
    assert [one["is_kept"] for one in document["promises"]] == list(verdicts)
