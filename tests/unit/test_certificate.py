"""How the check of a venue is shown: what was not kept, or not tried, is never left out."""

from rich.console import RenderableType

from pointsman.engine.venue_check import Fact, Promise, Verdict
from pointsman.terminal.certificate import check_document, draw_facts, draw_result, draw_verdict
from tests.unit.test_tables import drawn


def text_of(renderable: RenderableType) -> str:
    return "\n".join(drawn(renderable, 120))


KEPT = Verdict(promise=Promise.STOP_RESTS, is_kept=True, took_ms=1234, detail="5 at 95")
BROKEN = Verdict(promise=Promise.LOOKED_UP, is_kept=False, detail="not answered\x1b[2J")


def test_a_promise_is_a_line_with_its_time_and_what_was_said() -> None:
    assert draw_verdict(KEPT).plain == (
        f"  kept      1,234 ms  {Promise.STOP_RESTS.value}: 5 at 95"
    )


def test_what_a_venue_says_does_not_steer_the_terminal() -> None:
    line = draw_verdict(BROKEN).plain
    assert line.startswith("  NOT KEPT ")
    assert line.endswith("not answered\\x1b[2J")


def test_what_was_not_tried_is_named() -> None:
    text = text_of(draw_result([KEPT, BROKEN]))
    assert text.count("not tried") == len(Promise) - 2 + 1
    assert f"1 of {len(Promise)} promises not kept, {len(Promise) - 2} not tried" in text


def test_all_kept_is_said_so() -> None:
    every = [Verdict(promise=promise, is_kept=True) for promise in Promise]
    assert text_of(draw_result(every)).strip() == f"All {len(Promise)} promises were kept."


def test_a_fact_in_the_way_says_what_to_do() -> None:
    facts = [Fact(name="quote", value="none", remedy="name another symbol")]
    assert "none; name another symbol" in text_of(draw_facts(facts))


def test_programs_get_every_promise_tried_or_not() -> None:
    document = check_document([], [KEPT, BROKEN])
    assert [one["promise"] for one in document["promises"]] == [p.name.lower() for p in Promise]
    assert {one["is_kept"] for one in document["promises"]} == {True, False, None}
    assert "promises" not in check_document([], None)
