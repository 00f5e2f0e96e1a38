"""What an engine in shadow would have done, in a sentence: for the log, notices and the summary."""

from decimal import Decimal

from pointsman.reading.documents import Document
from pointsman.terminal.text import counted, money, seconds


def told(document: Document) -> str:
    """What would have been done, and how the account itself changed; from the document of
    `reading.shadow`."""
    since = "" if document["since"] is None else f" since {document['since'][:19]}Z"
    earned = Decimal(document["earned_after_fees"])
    sign = "+" if earned > 0 else ""
    parts = [
        f"would have entered {counted(document['entries'], 'time')}{since}",
        f"closed {counted(document['closed'], 'position')} for {sign}{money(earned)} after fees",
        f"refused {counted(document['refused'], 'signal')}",
        f"longest time without cover {seconds(document['naked_seconds_max'])} s",
        _account(document["account_before"], document["account_now"]),
    ]
    return ", ".join(part for part in parts if part)


def holds(reading: Document) -> str:
    """What the account holds, in words."""
    rows = reading["holdings"]
    holdings = ", ".join(f"{row['quantity']} {row['symbol']}" for row in rows) or "nothing"
    return f"{holdings}, with {counted(reading['open_orders'], 'open order')}"


def _account(before: Document | None, now: Document | None) -> str:
    if before is None or now is None:
        return "the account has not been read"
    if (before["holdings"], before["open_orders"]) == (now["holdings"], now["open_orders"]):
        return f"the account is unchanged: it holds {holds(now)}"
    return f"the account held {holds(before)}, and holds {holds(now)} now"
