"""The commands that only read, as a person or a script calls them."""

import json
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pointsman.cli.app import main
from pointsman.storage.sqlite_manager import SqliteManager
from pointsman.version import __version__
from tests.story_database import lived_day

LISTS = ["accounts", "positions", "orders", "fills", "trades", "signals", "incidents"]
READS = [*LISTS, "status", "why loser", "why late", "journal check", "config check", "config show"]
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9]")


class Shell:
    """A folder with the day's database, and a way to call commands in it."""

    def __init__(self, patch: pytest.MonkeyPatch, output: pytest.CaptureFixture[str]) -> None:
        self._patch = patch
        self._output = output

    def call(self, line: str, width: int = 80, **env: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of `pointsman LINE`."""
        with self._patch.context() as patch:
            for name, value in {"COLUMNS": str(width), **env}.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["pointsman", *line.split()])
            code = main()
        told = self._output.readouterr()
        return code, told.out, told.err

    def document(self, line: str) -> Any:
        """What `pointsman LINE --json` answers."""
        code, out, err = self.call(f"{line} --json")
        assert (code, err) == (0, "")
        return json.loads(out)


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    lived_day().store(tmp_path / "trading.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_PATH", raising=False)
    return Shell(monkeypatch, capsys)


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("line", READS)
def test_people_get_what_fits_their_terminal(shell: Shell, line: str, width: int) -> None:
    code, out, err = shell.call(line, width)
    assert (code, err) == (0, "")
    assert out.strip()
    assert max(map(len, out.splitlines())) <= width


@pytest.mark.parametrize("line", READS)
def test_programs_get_one_document(shell: Shell, line: str) -> None:
    document = shell.document(line)
    assert isinstance(document, list if line in LISTS or line == "config show" else dict)


@pytest.mark.parametrize("line", READS)
def test_no_color_is_honoured(shell: Shell, line: str) -> None:
    assert not COLOUR.search(shell.call(line, FORCE_COLOR="1", NO_COLOR="1")[1])


def test_without_it_a_terminal_gets_colour_and_a_pipe_does_not(shell: Shell) -> None:
    assert COLOUR.search(shell.call("orders", FORCE_COLOR="1")[1])
    assert "\x1b" not in shell.call("orders")[1]


def test_options_may_stand_before_and_after_the_verb(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "trading.db").rename(tmp_path / "other.db")
    before = shell.call("--json --db other.db fills --limit 2")
    assert before == shell.call("fills --limit 2 --db other.db --json")
    assert len(json.loads(before[1])) == 2
    assert shell.call("journal --db other.db check") == shell.call("journal check --db other.db")


def test_filters(shell: Shell) -> None:
    assert {row["va_id"] for row in shell.document("fills --va VA002")} == {"VA002"}
    assert shell.document("trades --va VA009") == []
    assert len(shell.document("orders --open")) == 1


def test_it_works_beside_a_running_engine(shell: Shell, tmp_path: Path) -> None:
    manager = SqliteManager(tmp_path / "trading.db")
    manager.open()
    try:
        assert shell.document("status")["engine"]["running"] is True
        assert len(shell.document("signals")) == 5
        assert shell.call("journal check")[0] == 0
    finally:
        manager.close()
    assert shell.document("status")["engine"]["running"] is False


def test_reading_changes_nothing(shell: Shell, tmp_path: Path) -> None:
    before = (tmp_path / "trading.db").read_bytes()
    for line in READS:
        shell.call(line)
    assert (tmp_path / "trading.db").read_bytes() == before


def test_an_unknown_signal_is_named_with_its_nearest(shell: Shell) -> None:
    code, out, err = shell.call("why losser")
    assert (code, out) == (1, "")
    assert "no signal or order 'losser' in trading.db; nearest: loser" in err
    assert "lists the newest" in shell.call("why zzz")[2]


def test_a_missing_database_says_which_and_what_to_do(shell: Shell) -> None:
    code, out, err = shell.call("status --db nowhere.db")
    assert (code, out) == (1, "")
    assert "nowhere.db does not exist" in err
    assert "--db" in err


@pytest.mark.parametrize("line", ["status", "fills", "why loser", "journal check"])
def test_a_corrupt_database_and_one_of_a_newer_schema_are_refused(
    shell: Shell, tmp_path: Path, line: str
) -> None:
    (tmp_path / "torn.db").write_bytes(b"no database at all" * 500)
    assert shell.call(f"{line} --db torn.db")[0] == 8
    with closing(sqlite3.connect(tmp_path / "trading.db")) as connection, connection:
        connection.execute("PRAGMA user_version = 9999")
    code, _, err = shell.call(line)
    assert code == 8
    assert "newer version" in err


@pytest.mark.parametrize("line", ["status", "why loser", "journal check", "db migrate"])
@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        ("notes.txt", 8, "is not an SQLite database and was not changed; name another file"),
        ("foreign.db", 8, "not one of pointsman's, and was not changed; name another database"),
        ("sub", 1, "is a folder; name a database file with --db"),
        ("/dev/null", 1, "is not a regular file; name a database file with --db"),
        ("none.db", 1, "does not exist; `pointsman run` creates it, --db names another"),
        ("none/t.db", 1, "does not exist; `pointsman run` creates it, --db names another"),
        ("notes.txt/t.db", 1, "cannot be used (Not a directory); name another database with"),
    ],
)
def test_what_is_no_database_of_ours_is_told_in_one_line_with_the_fix(
    shell: Shell, tmp_path: Path, line: str, name: str, code: int, told: str
) -> None:
    (tmp_path / "notes.txt").write_text("a shopping list")
    (tmp_path / "sub").mkdir()
    with closing(sqlite3.connect(tmp_path / "foreign.db")) as connection, connection:
        connection.execute("CREATE TABLE theirs (id)")
    ended, out, err = shell.call(f"{line} --db {name}")
    assert (ended, out) == (code, "")
    assert err.startswith(f"pointsman: {(tmp_path / name).resolve()}")
    assert told in err
    assert err.count("\n") == 1


def test_a_mismatch_ends_with_5(shell: Shell, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "trading.db")) as connection, connection:
        connection.execute("UPDATE orders SET filled = '49' WHERE client_order_id = 'ABCDEF1E1'")
    code, out, _ = shell.call("journal check")
    assert code == 5
    assert "table orders, key 'ABCDEF1E1', column filled" in out
    code, out, _ = shell.call("journal check --json")
    assert (code, json.loads(out)["fault"]["column"]) == (5, "filled")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("nonsense", "No such command 'nonsense'"),
        ("statsu", "Did you mean 'status'?"),
        ("orders --limit 0", "--limit: 0: write a whole number from 1 to 999999999"),
        ("orders --limit x", "--limit: x: write a whole number from 1 to 999999999"),
        ("simulate --seeds 0", "--seeds: 0: write a whole number from 1 to"),
        ("why", "Missing argument 'SIGNAL_ID'"),
        ("--db", "--db"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_to_write(shell: Shell, line: str, told: str) -> None:
    code, out, err = shell.call(line, 200)
    assert (code, out) == (2, "")
    assert told in err


@pytest.mark.parametrize("line", ["config check", "config show", "run", "rearm --reason x"])
def test_bad_settings_are_all_named_and_end_with_3(shell: Shell, line: str) -> None:
    code, out, err = shell.call(line, MAX_SPREAD_BPS="x", STOP_LOSS_PERCENTAGE="900", HTTP_POTR="1")
    assert (code, out) == (3, "")
    assert "MAX_SPREAD_BPS" in err
    assert "STOP_LOSS_PERCENTAGE" in err
    assert "did you mean HTTP_PORT?" in err


@pytest.mark.parametrize(
    "line", [*LISTS, "status -v", "why loser", "journal check", "fills --json"]
)
def test_a_look_at_the_database_goes_on_without_bad_settings(shell: Shell, line: str) -> None:
    code, out, err = shell.call(line, MAX_SPREAD_BPS="x")
    assert (code, bool(out)) == (0, True)
    assert out == shell.call(line)[1]
    assert err.startswith("warning: 1 setting cannot be used (MAX_SPREAD_BPS); continuing without")


def test_status_looks_at_no_setting_but_the_path(shell: Shell) -> None:
    code, out, err = shell.call("status", MAX_SPREAD_BPS="x", VIRTUAL_ACCOUNTS="?")
    assert (code, out, err) == (0, shell.call("status")[1], "")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("HTTP_HOST", "0.0.0.0"),
        ("TOKENS_PATH", "none/tokens"),
        ("INSTRUMENTS_FILE", "none.json"),
        ("DATABASE_PATH", "none/t.db"),
        ("KILL_SWITCH_FILE", "none/KILL"),
    ],
)
def test_a_check_refuses_in_the_words_of_a_run(shell: Shell, setting: str, value: str) -> None:
    ran = shell.call("run --headless", 80, HTTP_PORT="0", **{setting: value})
    assert ran[0] == 3
    assert shell.call("config check", 80, **{setting: value})[1:] == ran[1:]


def test_a_check_tells_all_that_a_run_would_refuse_at_once(shell: Shell) -> None:
    code, out, _ = shell.call(
        "config check --json",
        HTTP_HOST="0.0.0.0",
        NOTIFY_URLS="zzz",
        INSTRUMENTS_FILE="none.json",
        MAX_SPREAD_BPS="x",
    )
    names = [problem["variable"] for problem in json.loads(out)["problems"]]
    assert (code, names) == (3, ["MAX_SPREAD_BPS", "HTTP_HOST", "NOTIFY_URLS", "INSTRUMENTS_FILE"])


def test_the_id_of_an_order_stands_for_the_signal_it_came_of(shell: Shell) -> None:
    orders = shell.document("orders")
    roles = {order["role"] for order in orders}
    assert {"entry", "stop"} <= roles
    for order in orders:
        story = shell.document(f"why {order['client_order_id']}")
        its = [each["client_order_id"] for each in story["orders"]]
        assert order["client_order_id"] in its, order["role"]


def test_the_version_is_told(shell: Shell) -> None:
    assert shell.call("--version") == (0, f"{__version__}\n", "")


def test_programs_get_bad_settings_as_a_document(shell: Shell) -> None:
    code, out, _ = shell.call("config check --json", MAX_SPREAD_BPS="x")
    assert code == 3
    assert json.loads(out)["problems"][0]["variable"] == "MAX_SPREAD_BPS"


def test_an_unknown_name_near_one_of_ours_is_pointed_out(shell: Shell) -> None:
    code, out, _ = shell.call("config check", MAX_SPREAD_BP="7")
    assert code == 0
    assert "did you mean MAX_SPREAD_BPS?" in out
    assert "did you mean" in shell.call("-v status", MAX_SPREAD_BP="7")[2]
    assert shell.call("status", MAX_SPREAD_BP="7")[2] == ""


def test_hostile_text_reaches_the_terminal_as_text(shell: Shell) -> None:
    _, out, _ = shell.call("incidents", 200)
    assert "\x1b[31mten" not in out
    assert r"\x1b[31mten" in out


@pytest.mark.parametrize("verb", LISTS)
def test_a_list_of_an_account_that_there_is_not_says_so(shell: Shell, verb: str) -> None:
    code, out, err = shell.call(f"{verb} --va va001")
    assert (code, "none" in out) == (0, True)
    assert err == "pointsman: no account 'va001'; there are VA001, VA002\n"


def test_signals_of_a_symbol_are_found_however_it_is_written(shell: Shell) -> None:
    assert shell.document("signals --symbol xxx") == shell.document("signals --symbol XXX")
    assert shell.call(f"signals --symbol {'x' * 999}")[0] == 2
