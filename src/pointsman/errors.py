"""The base of every error that this package raises on purpose.

PointsmanError
 +-- SettingsError        settings that cannot be used; names each with its value and the fix
 +-- SignalProblem        a signal that cannot be read; names the field
 +-- StorageError         the database cannot be opened, is damaged, held or newer (storage.errors)
 +-- StorageHeld          storage fails for now: nothing was decided, send the signal again
 +-- InboxFull            too many signals wait
 +-- EngineStopped        the engine has ended; open it again
 +-- OtherRun             the database belongs to another run
 +-- OtherAccount         another engine holds this account of the venue
 +-- LedgerError          the ledger of the paper venue cannot be used
 +-- UnreadableFile       a file of quotes or signals cannot be read
 +-- ApiError             an answer of the HTTP interface that is no success
"""


class PointsmanError(Exception):
    """The base of them all. The text says what is wrong and how to fix it."""
