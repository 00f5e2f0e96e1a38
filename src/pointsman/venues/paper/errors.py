"""What keeps the ledger of the paper venue from being used."""

from pointsman.errors import PointsmanError


class LedgerError(PointsmanError):
    """The ledger of the paper venue cannot be used."""


class LedgerBusy(LedgerError):
    """Another process holds this paper account."""


class LedgerUnreadable(LedgerError):
    """The file is no paper ledger, is corrupt, or was written by a newer version. It has not been
    changed."""


class LedgerModeDiffers(LedgerError):
    """The ledger keeps its holdings in the other position mode."""


class LedgerUnwritable(LedgerError):
    """A commit failed (disk full, file locked or read-only). Nothing is lost: commit again."""
