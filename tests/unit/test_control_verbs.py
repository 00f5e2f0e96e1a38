"""The verbs that steer: what they send, what they say, and what they end with."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pointsman.cli import control
from pointsman.cli.app import main
from pointsman.domain.accounts import KillState
from pointsman.engine.latch import KillLatch, Latched, latch_path, read_latch
from pointsman.storage import lock

Ran = tuple[int, str]
Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a verb on a database of its own; gives exit code and all that was written."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["pointsman", *arguments, "--db", "t.db"])
        code = main()
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """What an engine is asked; it agrees with everything."""
    requests: list[Mapping[str, Any]] = []

    def agree(_database: Path, request: Mapping[str, Any]) -> dict[str, Any]:
        requests.append(request)
        return {
            "ok": True, "durable": False, "state": "halt", "trading_state": "ACTIVE",
            "balance": "1", "closing": 1, "differences": 2, "frozen": {},
        }  # fmt: skip

    monkeypatch.setattr(control, "ask", agree)
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    return requests


REASONED = {"reason": "why", "by": "ann"}


@pytest.mark.parametrize(
    ("arguments", "request_", "says"),
    [
        ("kill", {"verb": "kill", "flatten": False, **REASONED}, "killed: halt"),
        ("kill --flatten", {"verb": "kill", "flatten": True, **REASONED}, "in memory only"),
        ("rearm", {"verb": "rearm", **REASONED}, "rearmed: ACTIVE"),
        ("pause", {"verb": "pause", "va": None, **REASONED}, "paused all"),
        ("resume --va VA001", {"verb": "resume", "va": "VA001", **REASONED}, "resumed VA001"),
        ("flatten VA001", {"verb": "flatten", "va": "VA001", **REASONED}, "closing 1 position\n"),
        (
            "accounts assign VA001 XXX 3",
            {"verb": "assign", "va": "VA001", "symbol": "XXX", "quantity": "3", **REASONED},
            "assigned 3 XXX to VA001",
        ),
    ],
)
def test_a_verb_asks_with_who_and_why(
    run: Run, asked: list[Mapping[str, Any]], arguments: str, request_: dict[str, Any], says: str
) -> None:
    code, said = run(*arguments.split(), "--reason", "why")
    assert (code, asked) == (0, [request_]), said
    assert says in said


@pytest.mark.parametrize(
    ("arguments", "request_"),
    [
        ("reconcile", {"verb": "reconcile"}),
        ("accounts add V --balance 5", {"verb": "add_account", "va": "V", "balance": "5"}),
        ("accounts deposit V 5.5", {"verb": "move_cash", "va": "V", "amount": "5.5"}),
        ("accounts withdraw V +5", {"verb": "move_cash", "va": "V", "amount": "-5"}),
    ],
)
def test_the_others_need_no_reason(
    run: Run, asked: list[Mapping[str, Any]], arguments: str, request_: dict[str, Any]
) -> None:
    code, said = run(*arguments.split())
    assert (code, asked) == (0, [request_]), said


@pytest.mark.parametrize(
    "arguments",
    [
        "kill", "pause --reason", "flatten", "flatten VA001 --all", "accounts add V",
        "accounts add V --balance -5", "accounts deposit V 0", "accounts deposit V 1e5",
        "accounts withdraw V nan", "accounts lend V 5", "panic",
    ],
)  # fmt: skip
def test_bad_usage_asks_nothing_and_ends_with_2(
    run: Run, asked: list[Mapping[str, Any]], arguments: str
) -> None:
    code, _ = run(*arguments.split())
    assert (code, asked) == (2, [])


def test_a_comparison_that_leaves_accounts_frozen_ends_with_5(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"ok": True, "durable": True, "differences": 1, "frozen": {"VA001": "MISMATCH"}}
    monkeypatch.setattr(control, "ask", lambda _database, _request: answer)
    code, said = run("reconcile")
    assert (code, "VA001 (MISMATCH)" in said) == (5, True)


# -- without an engine -----------------------------------------------------------------------------


def test_kill_without_an_engine_latches_the_file(run: Run, tmp_path: Path) -> None:
    code, said = run("kill", "--flatten", "--reason", "night\udcff")
    assert (code, "the next start is killed" in said) == (0, True)
    found = read_latch(latch_path(tmp_path / "t.db"))
    assert (found.state, found.note) == (KillState.FLATTEN, "night?")


def test_kill_of_an_engine_that_does_not_answer_says_what_it_did(run: Run, tmp_path: Path) -> None:
    held = lock.acquire((tmp_path / "t.db").resolve())
    code, said = run("kill", "--reason", "night")
    assert (code, "does not answer: latched in" in said) == (0, True)
    code, said = run("rearm", "--reason", "morning")
    assert (code, "only it can rearm" in said) == (1, True)
    os.close(held)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("KILL_SWITCH_ENABLED", "true", "set it to false"),
        ("KILL_SWITCH_FILE", "/dev/null", "remove it first"),
    ],
)
def test_rule_19_rearm_without_an_engine_is_refused_as_with_one(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    latch = KillLatch(latch_path(tmp_path / "t.db"))
    latch.press(Latched(KillState.HALT))
    monkeypatch.setenv(name, value)
    code, said = run("rearm", "--reason", "morning")
    assert (code, says in said) == (4, True)
    assert read_latch(latch.path).is_set


def test_rearm_where_nothing_ever_ran_says_how_to_start(run: Run, tmp_path: Path) -> None:
    code, said = run("rearm", "--reason", "morning")
    assert (code, "pointsman run" in said) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "none" / "t.db"
    monkeypatch.setattr(sys, "argv", ["pointsman", "kill", "--reason", "x", "--db", str(missing)])
    assert main() == 1
    assert "nothing is killed" in capsys.readouterr().err
