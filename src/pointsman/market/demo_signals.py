"""Demo signals: strategies on the simulated market that show, within two minutes, what the engine
does, and then continue.

A session is a sequence of scenes of two minutes. In a scene each virtual account follows one script
and is flat at its end; so scenes are independent, and the signals, their ids and
their line numbers are a function of (seed, time) like the market itself. The first scene of a
session shows everything. It does not depend on luck: it looks ahead in the market for a thin
quote, and for the side that will lose.

Each signal comes a moment after a quote of its symbol, as from a strategy that reacts to it.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from operator import itemgetter
from typing import NamedTuple

from msgspec.structs import replace

from pointsman.domain.market import Quote
from pointsman.domain.money import ZERO, ceil_to, floor_to
from pointsman.domain.policy import default_instrument
from pointsman.domain.sides import Side, SignalSide
from pointsman.domain.signals import Signal
from pointsman.domain.timestamps import MS_NS, SECOND_NS
from pointsman.market.signal_file import SignalLine
from pointsman.market.simulated import SimulatedMarket, draw, draw_key

SCENE_NS = 120 * SECOND_NS

_STEP_NS = 9_200 * MS_NS
_FIRST_STEP_NS = 1_500 * MS_NS
_STEPS = 12
_JITTER_MS = 500
_LOOK_NS = 8 * SECOND_NS
"""So long a step may wait for a quote that suits it. Neither a pause of the quotes nor one with a
wide moment after it is as long."""
_STOPPED_WITHIN_NS = 25 * SECOND_NS
_CALM_BPS = Decimal(8)

_SHOW = ("TXPHCSBHE-HC", "LBPBE--H-E-C", "QCQCQCE--E-C")
"""What the first accounts play in the first scene: the first one shows a partial fill, an exit, and
refusals by router, filters and governor; the second a stop-loss; the third a cooldown."""

_TUNES = ("E-H-P-E-HH-C", "EX--H-E--HDC", "-E-BHE---HHC", "E-E-H--HP-HC")
_USUAL_NOTES = 7
"""What is played otherwise: tunes of as many notes. A letter is a signal, a dash a rest:

* E entry, S short entry, T entry on a thin quote for more than it displays;
* L entry whose stop will be hit, Q entry that will lose when the next step closes it;
* X entry in another symbol, which the router refuses while something is held;
* B entry that is too big, P entry at a price that the market has left behind;
* H a part is closed, C all is closed, D all of the other symbol is closed.
"""

_REST = "-"
_EXITS = "HCD"
_LEADING = "ETSLQ"
"""The entries that are meant to be accepted: what follows goes their way, until all is closed."""

_USUAL = (2_000, 2_500)
"""The least notional of an entry, and how much more it may be."""
_SMALL, _LARGE, _TOO_LARGE = 800, 9_000, 15_000
"""Within a displayed size; beyond a thin one; beyond MAX_POSITION_SIZE."""

_LEFT_BEHIND = Decimal("0.003")
_RIGHT_OF_8 = 7
"""How often in 8 an entry is on the side that will be right: some cooldowns, but not only."""


class _Part(NamedTuple):
    """What one account plays in one scene. `begins_ns` is the time of its first step."""

    market: SimulatedMarket
    va_id: str
    symbol: str
    other: str
    tune: str
    begins_ns: int
    key: int

    def due_ns(self, step: int) -> int:
        jitter_ms = draw(self.key, step) % _JITTER_MS
        return self.begins_ns + step * _STEP_NS + jitter_ms * MS_NS

    def drawn(self, step: int, below: int) -> int:
        return (draw(self.key, step) >> 32) % below

    def quotes(self, step: int, symbol: str | None = None) -> list[Quote]:
        """The quotes that a step may wait for."""
        due_ns = self.due_ns(step)
        return self.market.quotes_of(symbol or self.symbol, due_ns, due_ns + _LOOK_NS)

    def signal(self, step: int, quote: Quote, side: SignalSide) -> Signal:
        """A signal on a quote, without its id: some 50 ms later, when the next is still far."""
        ts_ns = quote.ts_ns + (20 + self.drawn(step, 60)) * MS_NS
        is_exit = side is SignalSide.CLOSE
        return Signal("", self.va_id, quote.symbol, side, reduce_only=is_exit, ts_ns=ts_ns)


def demo_signals(
    market: SimulatedMarket, va_ids: Sequence[str], from_ns: int
) -> Iterator[SignalLine]:
    """The signals at or after `from_ns` for these accounts, in time order and without end; none
    where a session is shorter than a scene. Line numbers rise by one within a session, and from one
    to the next."""
    from_ns = max(from_ns, market.first_open_ns)
    while (session := market.session(from_ns)) is not None:
        scenes = (session.closes_ns - session.opens_ns) // SCENE_NS
        if scenes == 0 or not va_ids:
            return
        for number in range(max(0, from_ns - session.opens_ns) // SCENE_NS, scenes):
            scene_ns = session.opens_ns + number * SCENE_NS
            cast = _cast(market, scene_ns + _FIRST_STEP_NS) if number == 0 else []
            signals = _scene(market, va_ids, cast, scene_ns)
            first_line = _first_line(market, len(va_ids), session.opens_ns, number)
            for line, (ts_ns, signal) in enumerate(signals, first_line):
                if ts_ns >= from_ns:
                    yield SignalLine(line, ts_ns, replace(signal, signal_id=f"demo-{line}"))
        from_ns = session.closes_ns


def _first_line(market: SimulatedMarket, accounts: int, opens_ns: int, number: int) -> int:
    """The line that a scene begins with. A session begins where it would if every scene since the
    first opening, nights included, had been as full as can be."""
    before = (opens_ns - market.first_open_ns) // SCENE_NS * accounts * _STEPS + 1
    if number == 0:
        return before
    shows = _SHOW[:accounts]
    shown = sum(len(tune) - tune.count(_REST) for tune in shows)
    return before + shown + (number * accounts - len(shows)) * _USUAL_NOTES


def _scene(
    market: SimulatedMarket, va_ids: Sequence[str], cast: Sequence[str], scene_ns: int
) -> list[tuple[int, Signal]]:
    """The signals of one scene, still without ids, each with its time, in time order. The first
    accounts play the show, if it has a cast."""
    signals: list[tuple[int, Signal]] = []
    for place, va_id in enumerate(va_ids):
        key = draw_key(market.seed, "demo", va_id, scene_ns)
        if place < len(cast):
            symbol, tune = cast[place], _SHOW[place]
        else:
            symbol = _lively(market, scene_ns, key)
            tune = _TUNES[draw(key, -3) % len(_TUNES)]
        after = market.symbols.index(symbol) + 1
        other = market.symbols[after % len(market.symbols)]
        begins_ns = scene_ns + _FIRST_STEP_NS + place * _STEP_NS // len(va_ids)
        part = _Part(market, va_id, symbol, other, tune, begins_ns, key)
        signals += [(signal.ts_ns or 0, signal) for signal in _play(part)]
    return sorted(signals, key=itemgetter(0))


def _cast(market: SimulatedMarket, begins_ns: int) -> list[str]:
    """The symbols of the show, all different: one with a thin quote first, one that moves soon, and
    another."""

    def thinness(symbol: str) -> Decimal:
        # Less by the jitter of a step, so that what is found is in its reach.
        from_ns, until_ns = begins_ns + _JITTER_MS * MS_NS, begins_ns + _LOOK_NS
        return _unlike_half(_thinnest(market.quotes_of(symbol, from_ns, until_ns)))

    def stillness(symbol: str) -> Decimal:
        return -_range(market, symbol, begins_ns + _LOOK_NS, begins_ns + _STOPPED_WITHIN_NS)

    thin, *others = sorted(market.symbols, key=thinness)
    lively, *others = sorted(others, key=stillness)
    return [thin, lively, others[0]]


def _lively(market: SimulatedMarket, scene_ns: int, key: int) -> str:
    """Of two symbols that are drawn, the one that moves more in a scene."""
    drawn = [market.symbols[draw(key, number) % len(market.symbols)] for number in (-1, -2)]
    return max(drawn, key=lambda symbol: _range(market, symbol, scene_ns, scene_ns + SCENE_NS))


def _range(market: SimulatedMarket, symbol: str, from_ns: int, until_ns: int) -> Decimal:
    """How far apart the highest and the lowest price are, as a part of the price."""
    quotes = market.quotes_of(symbol, from_ns, until_ns)
    return (max(q.ask for q in quotes) - min(q.bid for q in quotes)) / quotes[0].mid


def _play(part: _Part) -> Iterator[Signal]:
    """The signals of one part, in order."""
    side, quantity, is_flat = Side.BUY, ZERO, True
    for step, note in enumerate(part.tune):
        if note == _REST:
            continue
        if note in _EXITS:
            symbol = part.other if note == "D" else part.symbol
            signal = part.signal(step, part.quotes(step, symbol)[0], SignalSide.CLOSE)
            yield replace(signal, quantity=_in_lots(quantity / 4, symbol) if note == "H" else None)
            is_flat = is_flat or note == "C"
            continue
        if note == "E" and is_flat:
            side = _side_until_closed(part, step)
        entry = _ENTRIES[note](part, step, side)
        if note in _LEADING:
            side, quantity, is_flat = Side(entry.side), entry.quantity or ZERO, note == "L"
        yield entry


def _side_until_closed(part: _Part, step: int) -> Side:
    """More often than not the side that is better when all is closed next."""
    first, last = part.quotes(step)[0], part.quotes(part.tune.index("C", step))[0]
    right = _better_side(first, last)
    return right if part.drawn(step, 8) < _RIGHT_OF_8 else right.opposite


def _better_side(first: Quote, last: Quote) -> Side:
    """Of an entry on the first quote that is closed on the last one."""
    return Side.BUY if last.bid - first.ask > first.bid - last.ask else Side.SELL


# --- entries --------------------------------------------------------------------------------------


def _entry(part: _Part, step: int, quote: Quote, side: Side, notional: int) -> Signal:
    quantity = _in_lots(notional / quote.touch(side), quote.symbol)
    return replace(part.signal(step, quote, SignalSide(side)), quantity=quantity)


def _usual(part: _Part, step: int, side: Side) -> Signal:
    """On the next quote, whatever it is; with a stop and a target of a few basis points, and every
    other time with the price that it expects."""
    quote = part.quotes(step)[0]
    least, more = _USUAL
    entry = _entry(part, step, quote, side, least + part.drawn(step, more))
    return replace(
        entry,
        price=quote.touch(side) if part.drawn(step, 2) else None,
        stop_loss_percentage=Decimal(15 + part.drawn(step, 40)) / 100,
        take_profit_percentage=Decimal(15 + part.drawn(step, 50)) / 100,
    )


def _thin(part: _Part, step: int, _side: Side) -> Signal:
    return _entry(part, step, _thinnest(part.quotes(step)), Side.BUY, _LARGE)


def _short(part: _Part, step: int, _side: Side) -> Signal:
    entry = _entry(part, step, _calm(part.quotes(step))[0], Side.SELL, _USUAL[0])
    return replace(entry, stop_loss_percentage=Decimal("0.5"))


def _stopped(part: _Part, step: int, _side: Side) -> Signal:
    """On the side that the price will move against further, with a stop on its way."""
    quote, tick = _calm(part.quotes(step))[0], default_instrument(part.symbol).tick
    ahead = part.market.quotes_of(
        part.symbol, quote.ts_ns + SECOND_NS, quote.ts_ns + _STOPPED_WITHIN_NS
    )
    fall = quote.bid - min(later.bid for later in ahead)
    rise = max(later.ask for later in ahead) - quote.ask
    distance = ceil_to(max(fall, rise) / 2, tick)
    side = Side.BUY if fall >= rise else Side.SELL
    entry = _entry(part, step, quote, side, _USUAL[0])
    return replace(entry, stop_loss=quote.touch(side.opposite) - side.sign * distance)


def _losing(part: _Part, step: int, _side: Side) -> Signal:
    """On the side that is worse at the next step: with the spread, a loss for sure."""
    quote, last = _calm(part.quotes(step))[0], part.quotes(step + 1)[0]
    return _entry(part, step, quote, _better_side(quote, last).opposite, _SMALL)


def _elsewhere(part: _Part, step: int, side: Side) -> Signal:
    return _entry(part, step, part.quotes(step, part.other)[0], side, _SMALL)


def _too_large(part: _Part, step: int, side: Side) -> Signal:
    return _entry(part, step, part.quotes(step)[0], side, _TOO_LARGE)


def _left_behind(part: _Part, step: int, side: Side) -> Signal:
    quote, tick = part.quotes(step)[0], default_instrument(part.symbol).tick
    price = floor_to(quote.touch(side) * (1 - side.sign * _LEFT_BEHIND), tick)
    return replace(_entry(part, step, quote, side, _SMALL), price=price)


_ENTRIES: dict[str, Callable[[_Part, int, Side], Signal]] = {
    "E": _usual,
    "T": _thin,
    "S": _short,
    "L": _stopped,
    "Q": _losing,
    "X": _elsewhere,
    "B": _too_large,
    "P": _left_behind,
}


def _calm(quotes: list[Quote]) -> list[Quote]:
    """Those with a narrow spread; all, if there is none."""
    return [quote for quote in quotes if quote.spread_bps <= _CALM_BPS] or quotes


def _thinnest(quotes: list[Quote]) -> Quote:
    """The calm one that offers most nearly half of a large entry."""
    return min(_calm(quotes), key=_unlike_half)


def _unlike_half(quote: Quote) -> Decimal:
    """How far what a quote offers is from half of a large entry."""
    return abs(quote.ask * quote.ask_size - _LARGE // 2)


def _in_lots(quantity: Decimal, symbol: str) -> Decimal:
    """Rounded down to the lot, but at least one."""
    lot = default_instrument(symbol).lot
    return max(lot, floor_to(quantity, lot))
