"""Whether the venue answers what we ask: when the link for orders counts as down (RULES 46).

One lost answer is silence about one order. The link is down when the venue has refused our key, or
when for LINK_DOWN_AFTER_NS no request has had an answer that could be read; the next good answer
brings it up. Pure: time comes in.
"""

from pointsman.domain.timestamps import SECOND_NS

LINK_DOWN_AFTER_NS = 5 * SECOND_NS


class LinkHealth:
    """The answers to requests of one account, as they come in. Each method gives the news: True
    where the link has come up, False where it has gone down, None where nothing has changed."""

    def __init__(self) -> None:
        self._is_up = True
        self._bad_since_ns: int | None = None

    def good(self) -> bool | None:
        """An answer that could be read."""
        self._bad_since_ns = None
        if self._is_up:
            return None
        self._is_up = True
        return True

    def unreadable(self, now_ns: int, sent_ns: int | None = None) -> bool | None:
        """No connection, no answer, or one that cannot be read, to a request that left at
        `sent_ns`: since then nothing could be."""
        if self._bad_since_ns is None:
            self._bad_since_ns = now_ns if sent_ns is None else sent_ns
        if now_ns - self._bad_since_ns < LINK_DOWN_AFTER_NS:
            return None
        return self._go_down()

    def refused_key(self) -> bool | None:
        """The venue does not accept our key."""
        return self._go_down()

    def _go_down(self) -> bool | None:
        if not self._is_up:
            return None
        self._is_up = False
        return False
