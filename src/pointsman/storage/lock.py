"""One instance per database: a lock that dies with its holder.

The lock is `flock` on a file beside the database, so the operating system releases it at any death
of the process and nothing left behind can be in the way. It is never on the database itself:
opening and closing that file outside SQLite would drop SQLite's own locks on it.
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


def lock_path(database: Path) -> Path:
    """The lock file of a database."""
    return database.with_name(f"{database.name}.lock")
