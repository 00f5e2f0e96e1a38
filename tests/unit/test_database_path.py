"""The path of the database, whatever is wrong with the other settings."""

from pathlib import Path

import pytest

from pointsman.config.database_path import database_path_of


@pytest.mark.parametrize(
    ("env", "dotenv", "path"),
    [
        ({}, None, "trading.db"),
        ({"MAX_SPREAD_BPS": "ten"}, "STOP_LOSS_PERCENTAGE=900\nnonsense\n", "trading.db"),
        ({"MAX_SPREAD_BPS": "ten"}, "nonsense\nDATABASE_PATH=file.db\n", "file.db"),
        ({"DATABASE_PATH": "env.db", "VIRTUAL_ACCOUNTS": ""}, "DATABASE_PATH=file.db", "env.db"),
        ({"DATABASE_PATH": ""}, "DATABASE_PATH=file.db", None),
        ({"DATABASE_PATH_FILE": "/nowhere/path"}, None, None),
        ({"DATABASE_PATH": "env.db", "DATABASE_PATH_FILE": "/dev/null"}, None, None),
    ],
)
def test_no_other_setting_is_in_the_way_of_the_path_of_the_database(
    tmp_path: Path, env: dict[str, str], dotenv: str | None, path: str | None
) -> None:
    file = tmp_path / ".env"
    file.write_text(dotenv or "")
    found = database_path_of(env, None if dotenv is None else file, {})
    assert found == (None if path is None else Path(path))
    assert database_path_of(env, tmp_path / "none", {"DATABASE_PATH": "x.db"}) == Path("x.db")


def test_a_dotenv_that_cannot_be_read_might_have_named_the_database(tmp_path: Path) -> None:
    assert database_path_of({}, tmp_path / "none", {}) is None
    assert database_path_of({"DATABASE_PATH": "x.db"}, tmp_path / "none", {}) == Path("x.db")
