"""The dashboard of an engine that comes and goes: what is not known to be so now is not claimed."""

import html
import re

import pytest

from pointsman.dashboard import engine_watch
from pointsman.dashboard.links import Unreachable
from pointsman.storage.errors import StorageUnavailable
from tests.dashboard_pictures import NOW_NS, busy_picture, picture
from tests.dashboard_pilot import Engine, opened


async def test_a_lost_engine_is_said_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointsman.dashboard.links.RETRY_SECONDS", 0.01)
    engine = Engine(picture())
    engine.lose()
    async with opened(engine) as screen:
        await screen.sees("ENGINE UNREACHABLE")
        assert "as of 2018-01-02 14:31:05 UTC" in screen.lines[0]
        assert_nothing_is_claimed(screen.text)
        engine.pictures.put(picture(market="back again"))
        await screen.sees("back again")
        await screen.sees("all 3 accounts may enter")


async def test_far_from_its_engine_it_says_whose_database_that_may_be() -> None:
    engine = Engine()
    engine.is_remote = True
    engine.stored = picture(source="database", database="/var/lib/a/long/way/down/trading.db")
    engine.lose()
    async with opened(engine, 72, 20) as screen:
        await screen.sees("Retrying. Below may be ANOTHER engine's database,")
        assert "ENGINE UNREACHABLE" in screen.lines[0]
        assert "of this machine: …" in screen.text
        assert "/down/trading.db" in screen.text


@pytest.mark.parametrize("is_stored", [True, False])
async def test_of_a_lost_engine_elsewhere_what_it_sent_last_stays(is_stored: bool) -> None:
    """Not what another engine has left here, and not nothing."""
    engine = Engine(busy_picture())
    engine.is_remote = True
    other = picture(source="database", database="other.db", now_ns=NOW_NS - 10**12)
    engine.stored = other if is_stored else StorageUnavailable("it does not exist")
    async with opened(engine) as screen:
        await screen.sees("1 NAKED")
        engine.lose()
        await screen.sees("ENGINE UNREACHABLE")
        assert "as of 2018-01-02 14:31:05 UTC" in screen.lines[0]
        assert "the connection has ended" in screen.lines[1]
        assert "was NAKED" in screen.text
        assert "other.db" not in screen.text


async def test_without_engine_and_database_both_are_said() -> None:
    engine = Engine()
    engine.stored = StorageUnavailable("it does not exist")
    engine.lose()
    async with opened(engine) as screen:
        await screen.sees("The connection has ended, and it does not exist")
        assert "ENGINE UNREACHABLE" in screen.lines[0]


async def test_an_engine_that_is_silent_for_too_long_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_watch, "SILENT_SECONDS", 0.0)
    async with opened(Engine(busy_picture())) as screen:
        await screen.sees("it has sent nothing for")
        assert "ENGINE HUNG" in screen.lines[0]
        assert_nothing_is_claimed(screen.text)
        assert "4 positions, their stops not seen since" in screen.text


async def test_a_loop_that_hangs_behind_an_engine_that_answers_is_said() -> None:
    health = picture()["health"] | {"loop_lag_ms": "12000.0"}
    async with opened(Engine(picture(health=health))) as screen:
        await screen.sees("its loop has done nothing for 12 s")
        assert "ENGINE HUNG" in screen.lines[0]
        assert "as of 2018-01-02 14:30:53 UTC" in screen.lines[0]
        assert_nothing_is_claimed(screen.text)


def assert_nothing_is_claimed(text: str) -> None:
    """Of an engine that is not known to run."""
    claims = ("entries and exits", "stops confirmed", "machinery", "may enter", "ENGINE RUNNING")
    assert [claim for claim in claims if claim in text] == []
    assert text.count("confirmed") == text.count("was confirmed")


async def test_what_is_not_of_now_is_dimmed_and_in_red_it_says_since_when() -> None:
    engine = Engine()
    engine.stored = busy_picture() | {"source": "database", "kill": KILLED}
    engine.lose()
    async with opened(engine) as screen:
        await screen.sees("ENGINE UNREACHABLE")
        svg = screen.app.export_screenshot()
    drawn = drawn_words(svg)
    alarm = drawn["as of 2018-01-02 14:31:05 UTC"]
    assert drawn["ENGINE UNREACHABLE"] != alarm, "it stands in a block of that colour"
    assert f'fill="{alarm}"' in svg
    assert alarm == drawn["KILL SWITCH ON: halt"], "what the latch says is of now"
    rows = [colour for words, colour in drawn.items() if words.startswith("VA00")]
    assert len(rows) > 3
    assert set(rows) == {drawn["was ACTIVE"]}
    assert {colour for words, colour in drawn.items() if "spread 10 bps" in words} == set(rows)
    assert alarm not in rows


KILLED = {"state": "halt", "by": "ann", "note": "drill", "at_ns": 1, "flat_at_ns": None}


def drawn_words(svg: str) -> dict[str, str]:
    """The colour of each run of text in an exported picture."""
    fills = dict(re.findall(r"-(r\d+) \{ fill: (#\w+)", svg))
    matrix = svg.partition('-matrix">')[2]
    found = re.findall(r'<text class="[^"]*-(r\d+)"[^>]*>([^<]*)', matrix)
    words = [(html.unescape(text).replace("\xa0", " ").strip(), kind) for kind, text in found]
    return {text: fills[kind] for text, kind in words if text}


async def test_a_kill_without_an_answer_is_read_until_the_engine_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pointsman.dashboard.links.RETRY_SECONDS", 0.01)
    monkeypatch.setattr("pointsman.dashboard.app.NOTICE_SECONDS", 0.0)
    engine = Engine(picture())
    engine.lose()
    engine.answer = Unreachable("no answer")
    async with opened(engine) as screen:
        await screen.sees("ENGINE UNREACHABLE")
        await screen.press("k")
        await screen.type("kill")
        await screen.press("enter")
        await screen.sees("kill: NO ANSWER, may not be done")
        await screen.until(lambda: not screen.app._is_reading, "it has looked again")
        assert "kill: NO ANSWER" in screen.text
        engine.pictures.put(picture(market="back again"))
        await screen.sees("back again")
        engine.pictures.put(picture(market="and on"))
        await screen.until(lambda: "NO ANSWER" not in screen.text, "it is no longer said")
