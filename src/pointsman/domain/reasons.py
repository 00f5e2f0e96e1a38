"""Every reason that pointsman gives, as one enum.

A reason is a stable code that programs may match on, never a text that is parsed. Each has a group
and one sentence; `docs/reasons.md` is generated from this file. The refusals stand in the order in
which they are tried (RULES 11): the first that is breached is the decision's reason.
"""

from enum import StrEnum


class Group(StrEnum):
    """Where a reason is used."""

    ROUTER = "router"
    GOVERNOR = "governor"
    FILTERS = "filters"
    SIZE = "size"
    SIGNAL = "signal"
    EXIT = "exit"
    ORDER = "order"
    INCIDENT = "incident"


class Reason(StrEnum):
    """One code, its group and its sentence."""

    group: Group
    sentence: str

    def __new__(cls, value: str, group: Group, sentence: str) -> "Reason":
        member = str.__new__(cls, value)
        member._value_ = value
        member.group = group
        member.sentence = sentence
        return member

    UNKNOWN_ACCOUNT = (
        "UNKNOWN_ACCOUNT",
        Group.ROUTER,
        "The signal names a virtual account that does not exist.",
    )
    EXPIRED = "EXPIRED", Group.ROUTER, "The signal is older than its own ttl."
    STORAGE_FAILED = (
        "STORAGE_FAILED",
        Group.ROUTER,
        "The decision could not be stored, so nothing was sent.",
    )
    SYMBOL_LOCKED = (
        "SYMBOL_LOCKED",
        Group.ROUTER,
        "The account has a position or order in another symbol; it trades one at a time.",
    )
    OPPOSING_EXPOSURE = (
        "OPPOSING_EXPOSURE",
        Group.ROUTER,
        "The account has exposure in the other direction, which cannot be held beside the entry.",
    )
    SIDE_NOT_ALLOWED = (
        "SIDE_NOT_ALLOWED",
        Group.ROUTER,
        "ENTRY_SIDES, or the venue for this symbol, does not allow entries in this direction.",
    )
    NOTHING_TO_CLOSE = (
        "NOTHING_TO_CLOSE",
        Group.ROUTER,
        "There is no position left that this exit could close.",
    )
    VENUE_FORBIDS = (
        "VENUE_FORBIDS",
        Group.ROUTER,
        "The venue takes no such order beside what works there, or could let the two trade.",
    )

    KILLED = "KILLED", Group.GOVERNOR, "The kill switch is on."
    PAUSED = "PAUSED", Group.GOVERNOR, "Entries are paused by a person."
    ENTRIES_HELD = (
        "ENTRIES_HELD",
        Group.GOVERNOR,
        "A part of the engine is down, or a file that it holds open was removed or replaced.",
    )
    VENUE_DOWN = (
        "VENUE_DOWN",
        Group.GOVERNOR,
        "A part of the connection to the venue is down: orders, account stream or quotes.",
    )
    VENUE_BUSY = (
        "VENUE_BUSY",
        Group.GOVERNOR,
        "The venue said to slow down, or the requests that it allows are used up.",
    )
    FROZEN = (
        "FROZEN",
        Group.GOVERNOR,
        "The account is frozen until a comparison with the venue succeeds and a person resumes it.",
    )
    UNKNOWN_ORDER = (
        "UNKNOWN_ORDER",
        Group.GOVERNOR,
        "An order of the account has an unknown outcome.",
    )
    HOLDING_DISPUTED = (
        "HOLDING_DISPUTED",
        Group.GOVERNOR,
        "The venue holds less of the symbol than the accounts do; `accounts assign` decides "
        "which account bears the difference.",
    )
    COOLDOWN = "COOLDOWN", Group.GOVERNOR, "The account is in a cooldown after consecutive losses."
    MAX_OPEN_POSITIONS = (
        "MAX_OPEN_POSITIONS",
        Group.GOVERNOR,
        "The account would have too many open or reserved positions.",
    )
    MAX_POSITION_SIZE = (
        "MAX_POSITION_SIZE",
        Group.GOVERNOR,
        "The notional held and working would be too large.",
    )
    INSUFFICIENT_EQUITY = (
        "INSUFFICIENT_EQUITY",
        Group.GOVERNOR,
        "The notional would exceed equity times MAX_LEVERAGE.",
    )
    MAX_DAILY_LOSS = (
        "MAX_DAILY_LOSS",
        Group.GOVERNOR,
        "The loss since the start of the trading day is beyond its limit.",
    )
    MAX_DRAWDOWN = (
        "MAX_DRAWDOWN",
        Group.GOVERNOR,
        "The drawdown of equity from its peak is beyond its limit.",
    )
    MAX_TRADES_PER_DAY = (
        "MAX_TRADES_PER_DAY",
        Group.GOVERNOR,
        "Too many entries were accepted today.",
    )
    MAX_ORDERS_PER_MINUTE = (
        "MAX_ORDERS_PER_MINUTE",
        Group.GOVERNOR,
        "Too many entries were accepted within a minute.",
    )

    OUTSIDE_WINDOW = "OUTSIDE_WINDOW", Group.FILTERS, "The trading window is closed."
    NO_QUOTE = "NO_QUOTE", Group.FILTERS, "No quote of the symbol has been seen."
    INVALID_QUOTE = (
        "INVALID_QUOTE",
        Group.FILTERS,
        "The newest quote is crossed, one-sided, zero, negative or not a number.",
    )
    LATENCY = "LATENCY", Group.FILTERS, "The newest quote is too old."
    SPREAD = "SPREAD", Group.FILTERS, "The spread is too wide."
    PRICE_DEVIATION = (
        "PRICE_DEVIATION",
        Group.FILTERS,
        "The signal's price is too far from the market.",
    )
    SLIPPAGE = "SLIPPAGE", Group.FILTERS, "The market is too much worse than the signal's price."
    TICK_TOO_COARSE = (
        "TICK_TOO_COARSE",
        Group.FILTERS,
        "The limit price, rounded to the instrument's tick, cannot reach the quote.",
    )
    STOP_INVALID = (
        "STOP_INVALID",
        Group.FILTERS,
        "The stop or target is on the wrong side of the market, or too far away.",
    )
    BELOW_MINIMUM = "BELOW_MINIMUM", Group.SIZE, "The quantity is less than the venue will trade."

    ID_REUSED = (
        "ID_REUSED",
        Group.SIGNAL,
        "A signal id that is already decided came again with other content.",
    )
    MALFORMED_SIGNAL = (
        "MALFORMED_SIGNAL",
        Group.SIGNAL,
        "A signal could not be read; the field, value and remedy are named.",
    )
    CLIPPED = (
        "CLIPPED",
        Group.SIGNAL,
        "An opposite signal was larger than the position and was clipped, so as never to flip it.",
    )

    SIGNAL_EXIT = "SIGNAL_EXIT", Group.EXIT, "A signal asked to close."
    STOP_LOSS = "STOP_LOSS", Group.EXIT, "The stop resting at the venue was filled."
    TAKE_PROFIT = "TAKE_PROFIT", Group.EXIT, "The price reached the take-profit level."
    STOP_CROSSED = (
        "STOP_CROSSED",
        Group.EXIT,
        "The price was already through the stop, so the position was closed at market.",
    )
    STOP_REJECTED = (
        "STOP_REJECTED",
        Group.EXIT,
        "The venue rejected the stop, so the position was closed at market.",
    )
    UNPROTECTED = (
        "UNPROTECTED",
        Group.EXIT,
        "No stop was confirmed within the protection deadline, so it was closed at market.",
    )
    FLATTEN = "FLATTEN", Group.EXIT, "A person or the kill switch asked to flatten."
    EXTERNAL_CLOSE = (
        "EXTERNAL_CLOSE",
        Group.EXIT,
        "Something outside pointsman closed it at the venue.",
    )

    WOULD_TRIGGER = (
        "WOULD_TRIGGER",
        Group.ORDER,
        "The venue refused a stop that would trigger at once.",
    )
    REDUCE_ONLY = (
        "REDUCE_ONLY",
        Group.ORDER,
        "The venue refused a reduce-only order: nothing is left that it could reduce.",
    )
    BAD_QUANTITY = (
        "BAD_QUANTITY",
        Group.ORDER,
        "The venue refused the quantity: not a multiple of the lot, or below the minimum.",
    )
    BAD_PRICE = (
        "BAD_PRICE",
        Group.ORDER,
        "The venue refused the price: not a multiple of the tick, or outside its bands.",
    )
    DUPLICATE_ID = (
        "DUPLICATE_ID",
        Group.ORDER,
        "The venue already knows an order of this client order id.",
    )
    NOT_FOUND = (
        "NOT_FOUND",
        Group.ORDER,
        "The venue knows no working order of this client order id.",
    )
    VENUE_REJECTED = (
        "VENUE_REJECTED",
        Group.ORDER,
        "The venue rejected the order for another reason.",
    )
    NEVER_ARRIVED = (
        "NEVER_ARRIVED",
        Group.ORDER,
        "The venue does not know the order, and it can no longer arrive.",
    )
    NOT_FILLED = (
        "NOT_FILLED",
        Group.ORDER,
        "What an immediate-or-cancel order could not fill at once was cancelled.",
    )
    ENTRY_WITHDRAWN = (
        "ENTRY_WITHDRAWN",
        Group.ORDER,
        "What was left of an entry was cancelled, since entries were no longer allowed.",
    )

    OVERFILL = "OVERFILL", Group.INCIDENT, "More was filled than was held or ordered."
    STRANGE_REPORT = (
        "STRANGE_REPORT",
        Group.INCIDENT,
        "The venue reported an impossible event; the account is frozen and a comparison asked for.",
    )
    UNKNOWN_OUTCOME = (
        "UNKNOWN_OUTCOME",
        Group.INCIDENT,
        "The venue did not answer in time; the order is queried until it is known.",
    )
    UNLISTED_CODE = (
        "UNLISTED_CODE",
        Group.INCIDENT,
        "The venue answered with a status or code that is in no table; nothing is concluded from "
        "it.",
    )
    NOT_SENT = (
        "NOT_SENT",
        Group.INCIDENT,
        "A request certainly did not reach the venue; a stop, an exit or a cancel is tried again.",
    )
    LINK_DOWN = (
        "LINK_DOWN",
        Group.INCIDENT,
        "A part of the connection to the venue went down; no entry is accepted until it is up.",
    )
    LINK_UP = "LINK_UP", Group.INCIDENT, "A part of the connection to the venue is up again."
    INSTRUMENT_CHANGED = (
        "INSTRUMENT_CHANGED",
        Group.INCIDENT,
        "The venue trades a symbol in other steps or sizes than before; orders follow the newest.",
    )
    EXIT_REJECTED = (
        "EXIT_REJECTED",
        Group.INCIDENT,
        "The venue rejected an exit; a comparison is asked for and the exit tried again.",
    )
    EXIT_UNFILLED = (
        "EXIT_UNFILLED",
        Group.INCIDENT,
        "An exit was not filled within the protection deadline: what is left has no cover.",
    )
    NAKED_POSITION = (
        "NAKED_POSITION",
        Group.INCIDENT,
        "A position had no confirmed stop for longer than the protection deadline.",
    )
    MISMATCH = "MISMATCH", Group.INCIDENT, "Our record and the venue's differed."
    EXTERNAL_ACTIVITY = (
        "EXTERNAL_ACTIVITY",
        Group.INCIDENT,
        "The venue has a holding or an open order that is not ours.",
    )
    DAILY_LOSS_STOP = (
        "DAILY_LOSS_STOP",
        Group.INCIDENT,
        "An account reached its daily loss limit; its entries are stopped until resumed.",
    )
    DRAWDOWN_STOP = (
        "DRAWDOWN_STOP",
        Group.INCIDENT,
        "An account reached its drawdown limit; its entries are stopped until resumed.",
    )
    COOLDOWN_STARTED = "COOLDOWN_STARTED", Group.INCIDENT, "Consecutive losses started a cooldown."
    KILL_PRESSED = "KILL_PRESSED", Group.INCIDENT, "The kill switch was pressed."
    KILL_RELEASED = "KILL_RELEASED", Group.INCIDENT, "The kill switch was released by a person."
    TASK_DIED = (
        "TASK_DIED",
        Group.INCIDENT,
        "A part of the engine failed; no entry leaves until it works again.",
    )
    FILE_LOST = (
        "FILE_LOST",
        Group.INCIDENT,
        "A file that the engine holds open was removed or replaced; no entry leaves until it is "
        "put back.",
    )
    BAD_QUOTES = (
        "BAD_QUOTES",
        Group.INCIDENT,
        "Rows of a quote file could not be read and were skipped.",
    )


REFUSALS: tuple[Reason, ...] = tuple(
    reason
    for reason in Reason
    if reason.group in (Group.ROUTER, Group.GOVERNOR, Group.FILTERS, Group.SIZE)
)
"""The reasons of a refusal, in the order in which they are tried (RULES 11)."""
