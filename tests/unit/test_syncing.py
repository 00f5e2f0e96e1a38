"""What is to last is asked of the disk by name, for files and for folders."""

import os
from pathlib import Path

import pytest

from pointsman.storage.syncing import sync


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_the_disk_is_asked_to_keep_this_very_thing(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / kind
    if kind == "file":
        path.write_bytes(b"kept")
    else:
        path.mkdir()
    kept: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: kept.append(os.fstat(descriptor).st_ino))

    sync(path)

    assert kept == [path.stat().st_ino]


def test_what_is_not_there_cannot_be_kept(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sync(tmp_path / "gone")


def test_a_disk_that_fails_is_told_and_leaves_no_open_descriptor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[int] = []

    def fail(descriptor: int) -> None:
        used.append(descriptor)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(OSError, match="Input/output"):
        sync(tmp_path)

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(used[0])
