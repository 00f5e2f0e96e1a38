"""The certificate: the newest check of the venue with orders, as it is read."""

import sqlite3

import msgspec

from pointsman.domain.accounts import VenueAccount
from pointsman.domain.timestamps import iso
from pointsman.engine.snapshot import venue_document
from pointsman.reading.documents import Document
from pointsman.storage.venue_checks import CheckedPromise, read_check


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """A check of `account` with orders in `symbol`. It has at least one promise."""

    account: VenueAccount
    symbol: str
    checked_at_ns: int
    promises: tuple[CheckedPromise, ...]

    @property
    def kept(self) -> int:
        """How many promises were kept."""
        return sum(one.is_kept is True for one in self.promises)

    @property
    def is_whole(self) -> bool:
        """Whether every promise was tried and kept."""
        return self.kept == len(self.promises)

    @property
    def broken(self) -> tuple[CheckedPromise, ...]:
        """The promises that were tried and not kept."""
        return tuple(one for one in self.promises if one.is_kept is False)


def read_certificate(connection: sqlite3.Connection) -> Certificate | None:
    """The newest one of the database, whichever account it is of; None before the first."""
    promises = read_check(connection)
    if not promises:
        return None
    first = promises[0]
    return Certificate(
        account=first.account,
        symbol=first.symbol,
        checked_at_ns=first.checked_at_ns,
        promises=promises,
    )


def certificate_document(certificate: Certificate | None) -> Document | None:
    """A certificate for programs."""
    if certificate is None:
        return None
    return {
        "checked_at": iso(certificate.checked_at_ns),
        "venue": venue_document(certificate.account),
        "symbol": certificate.symbol,
        "is_whole": certificate.is_whole,
        "kept": certificate.kept,
        "promises": [
            {
                "promise": one.promise,
                "text": one.text,
                "is_kept": one.is_kept,
                "took_ms": one.took_ms,
                "detail": one.detail,
            }
            for one in certificate.promises
        ],
    }
