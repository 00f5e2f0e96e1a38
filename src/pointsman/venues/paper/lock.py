"""One process at a time on a paper account: a lock that dies with its holder.

It is `flock`, taken on a file beside the ledger and on the ledger itself, so that a hard link or a
bind mount of it is recognised. Closing any descriptor of the ledger drops the locks that SQLite
holds on it in this process (POSIX): the one that is opened here is closed after the last
connection, or never.
"""

import fcntl
import os
from contextlib import ExitStack
from pathlib import Path

_EXCLUSIVE = fcntl.LOCK_EX | fcntl.LOCK_NB


def hold(ledger: Path) -> ExitStack:
    """Lock a ledger, made empty where there is none, until what is given back is closed. Raises
    BlockingIOError where another holds it, under whatever name."""
    with ExitStack() as opening:
        beside = os.open(ledger.with_name(f"{ledger.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
        opening.callback(os.close, beside)
        fcntl.flock(beside, _EXCLUSIVE)
        itself = os.open(ledger, os.O_RDONLY | os.O_CREAT, 0o644)
        # Where this fails it stays open: the holder may be this process.
        fcntl.flock(itself, _EXCLUSIVE)
        opening.callback(os.close, itself)
        return opening.pop_all()
