"""One instance per database: a lock that dies with its holder.

The lock is `flock`, so the operating system releases it at any death of the process and nothing
left behind can be in the way. It is taken twice: on a file beside the database, which is there
before a new database is and names the holder, and on the database itself, so that a hard link or a
bind mount of it under another name is recognised.

Closing any descriptor of the database drops the locks that SQLite holds on it in this process
(POSIX). So the one that is opened here is closed after all connections, or never.
"""

import fcntl
import os
from pathlib import Path

from pointsman.storage.errors import DatabaseBusy, StorageUnavailable


def acquire(database: Path) -> int:
    """Take the lock of a database, and return the descriptor that holds it: `os.close` releases it.

    Raises DatabaseBusy, naming the holder, or StorageUnavailable where the lock file cannot be
    made.
    """
    path = lock_path(database)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageUnavailable(
            f"{path} cannot be opened ({error.strerror}); "
            "the folder of the database must exist and be writable"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0)
        os.close(descriptor)
        raise DatabaseBusy(database, int(holder) if holder.isdigit() else None) from None
    except OSError as error:
        os.close(descriptor)
        raise StorageUnavailable(f"{path} cannot be locked: {error.strerror}") from error
    return descriptor


def hold_file(database: Path) -> int:
    """Lock an existing database itself, under whatever name, and return the descriptor that holds
    it. Close it after the last connection of this process.

    Raises DatabaseBusy, or StorageUnavailable where the file cannot be opened.
    """
    try:
        descriptor = os.open(database, os.O_RDONLY)
    except OSError as error:
        raise StorageUnavailable(
            f"{database} cannot be opened ({error.strerror}); make it readable and writable"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Left open: the holder of the lock may be this process, whose connections would suffer.
        if isinstance(error, BlockingIOError):
            raise DatabaseBusy(database, None) from None
        raise StorageUnavailable(f"{database} cannot be locked: {error.strerror}") from error
    return descriptor


def lock_path(database: Path) -> Path:
    """The lock file of a database."""
    return database.with_name(f"{database.name}.lock")
