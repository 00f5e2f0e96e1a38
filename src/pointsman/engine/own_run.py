"""Whose a database is: each recorded or simulated run has one of its own, and a live engine another
(RULES 5).

What makes two runs the same stands in a new database before its first turn; it is compared at every
later start, so that no run ever continues in the books of another.
"""

from pointsman.errors import PointsmanError
from pointsman.storage.entries import RunIdentity
from pointsman.storage.sqlite_manager import SqliteManager

OTHER_DATABASE = "use another database with --db PATH"


class OtherRun(PointsmanError):
    """The database belongs to another run than the one asked for (exit 3)."""


def claim(manager: SqliteManager, identity: RunIdentity | None) -> None:
    """Make a new database that of this run, or see that it is of the same one. Raises
    OtherRun, saying what differs."""
    there = manager.run_identity()
    if manager.head.sequence == 0 and there is None:
        if identity is not None:
            manager.set_run_identity(identity)
        return
    if there == identity:
        return
    if there is None or identity is None:
        kind = "a live engine" if there is None else "a recorded or simulated run"
        raise OtherRun(f"{manager.path} belongs to {kind}; {OTHER_DATABASE}")
    names = [
        field.removesuffix("_digest")
        for field in RunIdentity.__struct_fields__
        if getattr(there, field) != getattr(identity, field)
    ]
    raise OtherRun(
        f"{manager.path} holds another run: its {' and '.join(names)} differ; {OTHER_DATABASE}"
    )
