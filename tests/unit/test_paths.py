"""Paths of the settings: what is in the way of each is found before anything is made."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pointsman.config.paths import fix_of_database, fix_of_folder, fix_of_kill_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file, a folder, a symbolic link that leads nowhere and a named pipe in it."""
    (tmp_path / "file").write_text("")
    (tmp_path / "sub").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "link").symlink_to("gone/t.db")
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


FIXES: list[tuple[Callable[[Path], str], str, str]] = [
    (fix_of_database, "t.db", ""),
    (fix_of_database, "file", ""),
    (fix_of_database, "sub", "{}/sub is a folder; name a file, such as {}/sub/trading.db"),
    (fix_of_database, "pipe", "{}/pipe is not a regular file; name another one"),
    (
        fix_of_database,
        "gone/t.db",
        "the folder {}/gone does not exist; make it, or name a file in another folder",
    ),
    (
        fix_of_database,
        "link",
        "the folder {}/gone does not exist; make it, or name a file in another folder",
    ),
    (
        fix_of_database,
        "file/t.db",
        "{}/file/t.db cannot be used (Not a directory); name another file",
    ),
    (fix_of_kill_file, "KILL", ""),
    (fix_of_kill_file, "file", ""),
    (fix_of_kill_file, "pipe", ""),
    (fix_of_kill_file, "sub", "{}/sub is a folder; name a file, such as {}/sub/KILL"),
    (
        fix_of_kill_file,
        "gone/KILL",
        "the folder {}/gone does not exist; make it, or name a file in another folder",
    ),
    (fix_of_folder, "sub", ""),
    (fix_of_folder, "file", "{}/file is not a folder; name a file in a folder"),
]


@pytest.mark.parametrize(("fix", "name", "text"), FIXES)
def test_a_path_that_cannot_be_used_is_told_with_the_fix(
    folder: Path, fix: Callable[[Path], str], name: str, text: str
) -> None:
    before = sorted(folder.rglob("*"))
    assert fix(folder / name) == text.replace("{}", str(folder))
    assert sorted(folder.rglob("*")) == before, "a look makes nothing"


def test_a_link_that_leads_to_itself_is_told(folder: Path) -> None:
    assert "name another file" in fix_of_database(folder / "loop")


def test_what_this_user_may_not_use_is_told_with_the_user(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may use everything, so the answer of the system is given here."""
    refused: set[tuple[str, int]] = set()

    def access(path: str | os.PathLike[str], mode: int) -> bool:
        return all(name != Path(path).name or not mode & bit for name, bit in refused)

    monkeypatch.setattr(os, "access", access)
    user = f"user {os.getuid()} may not"
    for name, bit, path, text in (
        ("sub", os.W_OK, "sub/t.db", f"{user} write in the folder {folder / 'sub'}; give"),
        ("sub", os.X_OK, "sub/t.db", f"{user} look into the folder {folder / 'sub'}; give"),
        ("file", os.R_OK, "file", f"{user} read and write {folder / 'file'}; give"),
        ("file", os.W_OK, "file", f"{user} read and write {folder / 'file'}; give"),
    ):
        refused = {(name, bit)}
        assert fix_of_database(folder / path).startswith(text)
    refused = {("sub", os.W_OK)}
    assert fix_of_kill_file(folder / "sub" / "KILL") == "", "a kill file is only looked for"
