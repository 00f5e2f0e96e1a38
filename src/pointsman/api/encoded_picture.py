"""The picture of this moment as it is sent: encoded once for all who ask within a tenth of a
second, as often as it may change (RULES 34). A kill, and anything that the engine has told since,
makes a new one at once.
"""

import threading
import time

import msgspec

from pointsman.engine.live_view import PICTURE_SECONDS, LiveView


class EncodedPicture:
    """The board's document as JSON. From any thread."""

    def __init__(self, board: LiveView) -> None:
        self._board = board
        self._making = threading.Lock()
        self._made_of: object = None
        self._made_at = 0.0  # not money: seconds
        self._json = b""

    def now(self) -> bytes:
        """The picture of now."""
        with self._making:
            made_of, now = (self._board.number, self._board.latched), time.monotonic()
            if made_of != self._made_of or now >= self._made_at + PICTURE_SECONDS:
                self._json = msgspec.json.encode(self._board.document())
                self._made_of, self._made_at = made_of, now
            return self._json
