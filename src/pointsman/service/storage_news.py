"""Says once that storage has begun to fail, and once that it works again."""

from collections.abc import Callable

from pointsman.config.fields import LogLevel
from pointsman.execution.ports import StorageStatus
from pointsman.service.log import Said
from pointsman.service.notifications import Kind


class StorageNews:
    """What was last said of storage. `say` writes a line to the log, `notify` sends a notice."""

    def __init__(self, say: Callable[[Said], None], notify: Callable[[Kind, str], None]) -> None:
        self._is_failing = False
        self._say = say
        self._notify = notify

    def look(self, standing: StorageStatus) -> None:
        """Take in how storage stands now."""
        failure = standing.failure
        if (failure is not None) is self._is_failing:
            return
        self._is_failing = failure is not None
        if failure is None:
            self._say((LogLevel.WARNING, "storage works again", {}))
            self._notify(Kind.STORAGE_WORKS, "storage works again")
        else:
            self._say((LogLevel.ERROR, f"storage fails: {failure}", {}))
            self._notify(Kind.STORAGE_FAILS, f"storage fails: {failure}")
