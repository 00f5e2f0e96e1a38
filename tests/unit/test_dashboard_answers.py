"""What an engine has answered, in words; and what to type where it did not."""

import pytest

from pointsman.dashboard.answers import answer_in_words, kill_command
from pointsman.engine.requests import Flatten, Kill, Pause, Reconcile, Request, Resume
from tests.dashboard_pictures import Document

LUNCH = {"reason": "lunch", "by": "eve"}

ANSWERS: list[tuple[Request, Document, str, bool]] = [
    (Kill(), {"ok": True, "durable": True}, "kill: done", False),
    (Kill(), {"ok": True, "durable": False}, "kill: in force, but NOT STORED", True),
    (Pause(va=None, **LUNCH), {"ok": True}, "pause: done for all accounts", False),
    (Pause(va="VA001", **LUNCH), {"ok": True}, "pause: done for VA001", False),
    (Reconcile(), {"ok": True, "differences": 0}, "reconcile: done, 0 diff", False),
    (
        Reconcile(),
        {"ok": True, "differences": 1, "frozen": {"VA003": "OVERFILL"}},
        "reconcile: done, 1 difference; frozen: VA003 (OVERFILL)",
        True,
    ),
    (
        Flatten(va="VA001", **LUNCH),
        {"ok": True, "closing": 2},
        "flatten: done, 2 positions of VA001 closing",
        False,
    ),
    (Resume(va=None, **LUNCH), {"ok": False, "error": "killed"}, "NOT DONE: killed", True),
]


@pytest.mark.parametrize(("request_", "answer", "words", "is_bad"), ANSWERS)
def test_an_answer_says_whether_it_was_done(
    request_: Request, answer: Document, words: str, is_bad: bool
) -> None:
    text, found = answer_in_words(request_, lambda _: answer)
    assert words in text
    assert found is is_bad


def test_what_was_pressed_without_the_engine_is_said_in_the_words_of_the_answer() -> None:
    answer = {"ok": True, "durable": True, "told": "No engine is running on t.db. The kill is …"}
    assert answer_in_words(Kill(), lambda _: answer) == (f"kill: {answer['told']}", False)


def test_a_database_that_is_not_known_or_not_named_in_full_is_said() -> None:
    request = Kill(reason="x")
    asked = "Type on its machine in its folder: pointsman kill --reason x --db"
    assert kill_command(request, "t.db") == f"{asked} t.db"
    assert kill_command(request, "") == f"{asked} PATH"
    assert kill_command(Reconcile(), "/t.db") == ""
