"""Where a start continues, by what is stored."""

from typing import Any

import msgspec
import pytest

from pointsman.domain.accounts import Cursor
from pointsman.domain.policy import Policy
from pointsman.engine.stored_start import new_desk, resume_ns, signals_from
from pointsman.storage.entries import RunIdentity
from pointsman.storage.queries import EMPTY
from tests import desk_stories as told

replace = msgspec.structs.replace


class Ledger:
    def known_until_ns(self) -> int:
        return 70


RECORDED = RunIdentity(
    quotes_digest="q", signals_digest="s", instruments_digest="i", settings_digest="d", seed="0"
)


@pytest.mark.parametrize(
    ("last_ns", "identity", "expected"),
    [(None, None, 70), (50, None, 70), (90, None, 90), (50, RECORDED, 50), (None, RECORDED, 0)],
)
def test_a_recorded_run_continues_at_its_journal_and_others_where_the_venue_has_come(
    last_ns: int | None, identity: RunIdentity | None, expected: int
) -> None:
    venue: Any = Ledger()
    assert resume_ns(replace(EMPTY, last_time_ns=last_ns), venue, identity) == expected


def test_a_source_continues_behind_its_last_line() -> None:
    known = signals_from(replace(EMPTY, cursors=(Cursor("a.jsonl", 7),)))
    assert (known("a.jsonl"), known("b.jsonl")) == (7, 0)


def test_a_new_desk_has_the_code_that_was_drawn() -> None:
    policy: Policy = told.ready_desk().books.policy
    assert new_desk(policy, "ABCDEF", EMPTY).books.desk.code == "ABCDEF"
