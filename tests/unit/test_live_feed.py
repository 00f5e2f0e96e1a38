"""The beginning of a session on live quotes, with clocks that were changed since the last one."""

import re
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from pointsman.config.settings import resolve_settings
from pointsman.engine.assembly import Assembly, assemble
from pointsman.engine.live_feed import begin_live, said_at_start
from pointsman.engine.live_loop import Clock
from pointsman.storage.errors import StorageFailed
from tests import desk_stories as told
from tests.desk_stories import SECOND_NS

HOUR_NS = 3600 * SECOND_NS


def gives_up(failure: StorageFailed) -> None:
    raise failure


@pytest.fixture
def assembly(tmp_path: Path) -> Iterator[Assembly]:
    settings = resolve_settings({"MAX_LATENCY_MS": "1000"}, None, {}).settings
    with closing(assemble(settings, tmp_path / "t.db", None, wait=gives_up)) as opened:
        opened.start(time.time_ns())
        yield opened


def started(assembly: Assembly, ahead_ns: int) -> tuple[Clock, list[str]]:
    """The books stand so far ahead of the wall clock; a session begins."""
    assembly.resume_ns = time.time_ns() + ahead_ns
    clock = Clock(max(time.time_ns(), assembly.resume_ns))
    rows = begin_live(assembly, clock)
    assert rows.take(told.quote(time.time_ns())) == ""
    return clock, list(said_at_start(assembly, clock.now_ns()))


def test_a_wall_clock_that_was_put_back_is_told_and_quotes_are_held_against_it(
    assembly: Assembly,
) -> None:
    clock, said = started(assembly, HOUR_NS)
    (text,) = said
    assert "put back" in text
    view = assembly.loop.view
    assert HOUR_NS - 60 * SECOND_NS < view.ahead_ns <= HOUR_NS
    fresh = told.quote(time.time_ns())
    assert view.on_quote(fresh, clock.now_ns())
    assert not view.on_quote(told.quote(fresh.ts_ns - HOUR_NS), clock.now_ns())


def test_a_wall_clock_that_was_put_back_by_a_moment_is_waited_for(assembly: Assembly) -> None:
    _, said = started(assembly, SECOND_NS // 5)
    assert said == []
    assert assembly.loop.view.ahead_ns < SECOND_NS // 10


def test_a_cooldown_that_runs_across_a_restart_is_told(assembly: Assembly) -> None:
    books, now_ns = assembly.loop.desk.books, time.time_ns()
    for va_id, until_ns in (("VA001", now_ns + HOUR_NS), ("VA002", now_ns - HOUR_NS)):
        books.accounts[va_id] = replace(books.accounts[va_id], cooldown_until_ns=until_ns)
    _, said = started(assembly, -2 * HOUR_NS)
    assert all(re.search(r"\d\d:\d\d:\d\dZ; ", text) for text in said)
    assert ["runs on until" in said[0], "has ended at" in said[1]] == [True, True]
    assert all("was not running for 7" in text for text in said)
