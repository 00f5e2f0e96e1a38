"""Which file is at a path: another name of the same one, a copy, another, or none."""

import os
import shutil
from pathlib import Path

import pytest

from pointsman.storage.file_identity import fault_of, identities, identity_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.db"
    path.write_text("books")
    return path


def test_other_names_of_a_file_are_the_same_file_and_a_copy_is_not(path: Path) -> None:
    linked, symbolic, copied = (path.with_name(name) for name in ("link", "symlink", "copy"))
    os.link(path, linked)
    symbolic.symlink_to(path)
    shutil.copy(path, copied)
    assert identity_of(path) == identity_of(linked) == identity_of(symbolic)
    assert identity_of(copied) not in (None, identity_of(path))
    assert identity_of(path.with_name("none")) is None
    assert list(identities((path, path.with_name("none")))) == [path]


def test_a_file_that_was_removed_or_replaced_is_told_until_it_is_put_back(path: Path) -> None:
    opened = identity_of(path)
    assert opened is not None
    path.write_text("written to, which is no other file")
    assert fault_of(path, opened) == ""
    kept = path.with_name("kept")
    path.rename(kept)
    assert fault_of(path, opened) == f"{path} was removed while the engine ran"
    shutil.copy(kept, path)
    assert fault_of(path, opened) == f"{path} was replaced by another file while the engine ran"
    kept.rename(path)
    assert fault_of(path, opened) == ""


def test_a_path_that_cannot_be_looked_at_is_a_fault_too(path: Path) -> None:
    assert "cannot be looked at: Not a directory" in fault_of(path / "below", (1, 2))
