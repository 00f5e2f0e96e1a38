"""A tape: recorded quotes and signals, side by side, each to be taken when its time comes.

It only reads ahead by one of each. A signal arrives at its own stamp; one without a stamp, or that
cannot be read, arrives as soon as the lines before it have.
"""

from collections.abc import Iterator

from pointsman.domain.market import Quote
from pointsman.market.signal_file import BadSignal, SignalLine


class Tape:
    """Two streams that are read in step. `is_open`: more comes from elsewhere, so it is never
    over."""

    def __init__(
        self,
        quotes: Iterator[Quote],
        signals: Iterator[SignalLine | BadSignal],
        is_open: bool = False,
    ) -> None:
        self._is_open = is_open
        self._quotes = quotes
        self._signals = signals
        self._quote = next(self._quotes, None)
        self._signal = next(self._signals, None)

    def next_quote_ns(self) -> int | None:
        """When the next quote comes; None after the last."""
        return None if self._quote is None else self._quote.ts_ns

    def next_signal_ns(self) -> int | None:
        """When the next line of signals comes; None after the last, 0 for "at once"."""
        if self._signal is None:
            return None
        stamp_ns = self._signal.ts_ns if isinstance(self._signal, SignalLine) else None
        return stamp_ns or 0

    def take_quote(self) -> Quote:
        """The next quote."""
        quote = self._quote
        assert quote is not None, "the tape of quotes is at its end"
        self._quote = next(self._quotes, None)
        return quote

    def quotes_before(self, until_ns: int, most: int) -> Iterator[Quote]:
        """Take the next quotes before `until_ns`, `most` at the most."""
        quotes = self._quotes
        for _ in range(most):
            quote = self._quote
            if quote is None or quote.ts_ns >= until_ns:
                return
            self._quote = next(quotes, None)
            yield quote

    def take_signal(self) -> SignalLine | BadSignal:
        """The next line of signals, readable or not."""
        line = self._signal
        assert line is not None, "the tape of signals is at its end"
        self._signal = next(self._signals, None)
        return line

    @property
    def is_over(self) -> bool:
        """Whether both streams are at their end."""
        return self._quote is None and self._signal is None and not self._is_open
