"""`restore` and `standby` as a person calls them: what they say, and how they end."""

import json
from pathlib import Path

import pytest

from pointsman.cli.cluster_verbs import set_aside
from pointsman.cluster.membership import join
from pointsman.engine.exit_codes import ExitCode
from tests.integration.clusters import database, new_desk, rows_of, settings_for
from tests.integration.sessions import pointsman
from tests.nats_server import NEEDS_NATS, NatsServer

pytestmark = NEEDS_NATS


def test_a_database_is_restored_and_what_a_paper_desk_lacks_is_said(
    nats: NatsServer, tmp_path: Path
) -> None:
    desk = new_desk()
    own = {"REPLICATE_TO": nats.url, "DESK": desk}
    flags = ("run", "--headless", "--duration", "1", "--market", "http", "--db", "t.db")
    assert pointsman(tmp_path, *flags, settings=own).returncode == 0
    done = pointsman(tmp_path, "restore", "--from", nats.url, "--desk", desk, "--db", "u.db")
    assert done.returncode == 0, done.stderr
    assert f"rows of desk {desk} are in u.db" in done.stdout
    assert "no engine starts on it without that file" in done.stdout
    assert rows_of(tmp_path / "u.db") == rows_of(tmp_path / "t.db")
    flags = ("restore", "--from", nats.url, "--desk", desk, "--db", "u.db", "--json")
    document = json.loads(pointsman(tmp_path, *flags).stdout)
    assert document == {"database": "u.db", "desk": desk, "rows": len(rows_of(tmp_path / "t.db"))}
    check = pointsman(tmp_path, "journal", "check", "--db", "u.db")
    assert check.returncode == 0, check.stdout + check.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("restore",), ExitCode.SETTINGS, "name the NATS servers"),
        (("standby",), ExitCode.SETTINGS, "name the NATS servers"),
        (("restore", "--from", "http://x"), ExitCode.SETTINGS, "write nats://HOST:PORT"),
        (("standby", "--from", "nats://127.0.0.1:9"), ExitCode.SETTINGS, "a file of one machine"),
        (("restore", "--from", "nats://127.0.0.1:9"), ExitCode.VENUE, "127.0.0.1:9"),
    ],
    ids=lambda given: "-".join(given) if isinstance(given, tuple) else "",
)
def test_what_cannot_be_done_says_why(
    tmp_path: Path, arguments: tuple[str, ...], code: ExitCode, told: str
) -> None:
    done = pointsman(tmp_path, *arguments)
    assert done.returncode == code, done.stderr
    assert told in done.stderr


def test_a_run_with_a_database_that_another_has_overtaken_says_what_to_do(
    nats: NatsServer, tmp_path: Path
) -> None:
    desk = new_desk()
    with database(tmp_path / "t.db", 3) as manager:
        join(settings_for(nats.url, desk), manager, 0).close()
    own = {"REPLICATE_TO": nats.url, "DESK": desk}
    done = pointsman(tmp_path, "run", "--market", "http", "--db", "new.db", settings=own)
    assert done.returncode == ExitCode.MISMATCH
    assert "Make a database from the stream: `pointsman restore" in done.stderr


def test_a_database_is_set_aside_with_its_log_and_without_its_latch(tmp_path: Path) -> None:
    for name in ("t.db", "t.db-wal", "t.db.kill"):
        (tmp_path / name).write_text(name)
    aside = set_aside(tmp_path / "t.db", 1_767_225_600)
    assert aside.name == "t.db.forked-20260101-000000"
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {
        "t.db.forked-20260101-000000": "t.db",
        "t.db.forked-20260101-000000-wal": "t.db-wal",
        "t.db.kill": "t.db.kill",
    }
