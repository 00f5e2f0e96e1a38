"""Exit codes, as scripts rely on them."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command ends with; 130 and 143 stand for a clean stop on SIGINT and SIGTERM."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    SETTINGS = 3
    REFUSED = 4
    MISMATCH = 5
    VENUE = 6
    BUSY = 7
    DATABASE = 8
    NOT_OWNER = 9
