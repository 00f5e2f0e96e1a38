"""The verbs that ask something of an engine: what they send, say, and end with."""

import json
import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pointsman.cli.app import main
from pointsman.domain.accounts import KillState
from pointsman.engine import control_client
from pointsman.engine.kill_latch import KillLatch, LatchState, latch_path, read_latch
from pointsman.engine.requests import Answer, Request, encode
from pointsman.storage import lock

Ran = tuple[int, str]
Run = Callable[..., Ran]


@pytest.fixture
def run_bare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a verb in a folder of its own; gives exit code and all that was written."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["pointsman", *arguments])
        code = main()
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


@pytest.fixture
def run(run_bare: Run) -> Run:
    """The same, on the database t.db."""
    return lambda *arguments: run_bare(*arguments, "--db", "t.db")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """What an engine is asked; it agrees with everything."""
    requests: list[Mapping[str, Any]] = []

    def agree(_database: Path, request: Request) -> Answer:
        requests.append(json.loads(encode(request)))
        return {
            "ok": True, "durable": False, "state": "halt", "trading_state": "ACTIVE",
            "was_killed": False, "balance": "1", "closing": 1, "differences": 2, "frozen": {},
        }  # fmt: skip

    monkeypatch.setattr(control_client, "ask", agree)
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    return requests


REASONED = {"reason": "why", "by": "ann"}


@pytest.mark.parametrize(
    ("arguments", "request_", "says"),
    [
        ("kill", {"verb": "kill", "flatten": False, **REASONED}, "killed: halt"),
        ("kill --flatten", {"verb": "kill", "flatten": True, **REASONED}, "in memory only"),
        ("rearm", {"verb": "rearm", **REASONED}, "nothing was killed: ACTIVE"),
        ("pause", {"verb": "pause", "va": None, **REASONED}, "paused all accounts: "),
        (
            "resume --va VA001",
            {"verb": "resume", "va": "VA001", **REASONED},
            "resumed VA001; the engine is ",
        ),
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
    ("held", "says"),
    [
        ([], "resumed all accounts: ACTIVE\n"),
        (["V1", "V2"], ". Still stopped individually: V1, V2 (use `resume --va V1`)\n"),
        ([f"V{number}" for number in range(9)], ": V0, V1, V2, V3, V4, … (use `resume --va V0`)\n"),
    ],
)
def test_to_resume_all_names_what_stays_stopped_by_itself(
    run: Run, monkeypatch: pytest.MonkeyPatch, held: list[str], says: str
) -> None:
    answer = {"ok": True, "durable": True, "trading_state": "ACTIVE", "still_held": held}
    monkeypatch.setattr(control_client, "ask", lambda *_: answer)
    code, said = run("resume", "--reason", "why")
    assert (code, said.endswith(says)) == (0, True), said


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
        "pause", "pause --reason", "flatten", "flatten VA001 --all", "accounts add V",
        "accounts add V --balance -5", "accounts deposit V 0", "accounts deposit V 1e5",
        "accounts withdraw V nan", "accounts deposit V -5", "accounts lend V 5", "panic",
    ],
)  # fmt: skip
def test_bad_usage_asks_nothing_and_ends_with_2(
    run: Run, asked: list[Mapping[str, Any]], arguments: str
) -> None:
    code, _ = run(*arguments.split())
    assert (code, asked) == (2, [])


def test_an_amount_below_zero_is_told_as_such(run: Run) -> None:
    code, said = run("accounts", "deposit", "V", "-5000000")
    assert code == 2
    assert "-5000000: use a number above 0" in said
    assert "withdraw" in said


def test_a_resume_says_which_cooldown_it_does_not_end(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {
        "ok": True, "durable": True, "trading_state": "ACTIVE",
        "cooldowns": {"VA001": "2018-01-02T14:45:00.123456Z"},
    }  # fmt: skip
    monkeypatch.setattr(control_client, "ask", lambda _database, _request: answer)
    code, said = run("resume", "--va", "VA001", "--reason", "x")
    told = "The cooldown of VA001 runs until 2018-01-02 14:45:00 UTC; resume does not end it"
    assert (code, told in said) == (0, True), said


def test_a_comparison_that_leaves_accounts_frozen_ends_with_5(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"ok": True, "durable": True, "differences": 1, "frozen": {"VA001": "MISMATCH"}}
    monkeypatch.setattr(control_client, "ask", lambda _database, _request: answer)
    code, said = run("reconcile")
    assert (code, "VA001 (MISMATCH)" in said) == (5, True)


@pytest.mark.parametrize("reason", [[], ["--reason", ""], ["--reason", "  "]])
def test_a_kill_needs_no_reason(
    run: Run, asked: list[Mapping[str, Any]], reason: list[str]
) -> None:
    code, said = run("kill", *reason)
    assert (code, [each["reason"] for each in asked]) == (0, ["no reason given"]), said


# -- without an engine -----------------------------------------------------------------------------


def test_kill_without_an_engine_latches_the_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.db").touch()
    code, said = run("kill", "--flatten", "--reason", "night\udcff")
    assert (code, "the next engine to start will start killed" in said) == (0, True)
    found = read_latch(latch_path(tmp_path / "t.db"))
    assert (found.state, found.note) == (KillState.FLATTEN, "night?")


def test_kill_in_the_wrong_folder_is_no_success_and_says_which_database_it_meant(
    run: Run, tmp_path: Path
) -> None:
    code, said = run("kill")
    assert (code, f"there is no database {tmp_path / 't.db'}" in said) == (1, True), said
    assert "keeps trading" in said
    assert read_latch(latch_path(tmp_path / "t.db")).is_set


def test_kill_of_an_engine_that_does_not_answer_says_what_it_did(run: Run, tmp_path: Path) -> None:
    held = lock.acquire((tmp_path / "t.db").resolve())
    code, said = run("kill", "--reason", "night")
    assert (code, f"holds {tmp_path / 't.db'} but does not answer. The kill" in said) == (0, True)
    code, said = run("rearm", "--reason", "morning")
    assert (code, "Stop it, rearm, and start it again" in said) == (1, True)
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
    latch.press(LatchState(KillState.HALT))
    monkeypatch.setenv(name, value)
    code, said = run("rearm", "--reason", "morning")
    assert (code, says in said) == (4, True)
    assert read_latch(latch.path).is_set


@pytest.mark.parametrize("is_heard", [True, False])
def test_of_an_engine_that_hangs_is_said_what_may_still_come(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_heard: bool
) -> None:
    """What was sent waits in its socket, and is carried out when it goes on."""
    monkeypatch.setattr(control_client, "TIMEOUT_SECONDS", 0.1)
    held = lock.acquire((tmp_path / "t.db").resolve())
    with socket.socket(socket.AF_UNIX) as listener:
        if is_heard:
            listener.bind("t.db.sock")
            listener.listen()
        for arguments in (("pause", "--reason", "x"), ("flatten", "--all"), ("reconcile",)):
            code, said = run(*arguments)
            assert code == 1
            assert f"process {os.getpid()} holds t.db but does not answer" in said
            assert ("may still take effect" in said) is is_heard
            assert ("like a Python program; it takes `kill` only" in said) is not is_heard
            assert "start one" not in said
    os.close(held)


ASKING = ("kill", "pause", "resume", "flatten --all", "accounts deposit V 5")


@pytest.mark.parametrize("arguments", ASKING)
def test_no_bad_setting_is_in_the_way_of_a_verb_that_needs_the_path_alone(
    run: Run,
    asked: list[Mapping[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: str,
) -> None:
    (tmp_path / ".env").write_text("MAX_SPREAD_BPS=ten\n")
    monkeypatch.setenv("STOP_LOSS_PERCENTAGE", "900")
    reason = [] if "deposit" in arguments else ["--reason", "x"]
    code, said = run(*arguments.split(), *reason)
    assert (code, len(asked)) == (0, 1), said
    assert "warning: 2 settings cannot be used (MAX_SPREAD_BPS, STOP_LOSS_PERCENTAGE)" in said
    assert "on t.db" in said


def test_rearm_needs_the_settings_of_the_kill_switch_and_stays_strict(
    run: Run, asked: list[Mapping[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KILL_SWITCH_ENABLED", "maybe")
    assert (run("rearm", "--reason", "x")[0], asked) == (3, [])


@pytest.mark.parametrize(
    ("env", "arguments"),
    [({"DATABASE_PATH": ""}, []), ({}, ["--env-file", "none"]), ({"HTTP_PORT": "x"}, [])],
)
def test_nothing_in_the_configuration_stops_a_kill(
    run_bare: Run,
    asked: list[Mapping[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    env: dict[str, str],
    arguments: list[str],
) -> None:
    """Not even a path that cannot be read: then it may be another engine's, and that is told and no
    success. A verb that is less urgent is refused."""
    is_sure = "HTTP_PORT" in env
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    code, said = run_bare("kill", "--reason", "x", *arguments)
    assert (code, [each["verb"] for each in asked]) == (0 if is_sure else 1, ["kill"]), said
    assert ("Repeat with --db PATH" in said) is not is_sure
    assert run_bare("pause", "--reason", "x", *arguments)[0] == (0 if is_sure else 3)


def test_rearm_where_nothing_ever_ran_says_how_to_start(run: Run, tmp_path: Path) -> None:
    code, said = run("rearm", "--reason", "morning")
    assert (code, "pointsman run" in said) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_rearm_or_pause_after_a_crash_names_the_market_that_the_run_needs(
    run: Run, tmp_path: Path
) -> None:
    code, said = run("pause", "--reason", "x")
    assert (code, "same --market" in said) == (1, False), said
    (tmp_path / "t.db").touch()
    code, said = run("pause", "--reason", "x")
    assert (code, "`pointsman run --db t.db`, with the same --market as before" in said) == (
        1,
        True,
    )


def test_a_folder_that_is_missing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "none" / "t.db"
    monkeypatch.setattr(sys, "argv", ["pointsman", "kill", "--reason", "x", "--db", str(missing)])
    assert main() == 1
    assert "nothing is killed" in capsys.readouterr().err
