"""The connection to the venue, part by part: what is down, and what follows (RULES 45, 46).

While a part is down no entry is accepted and none leaves; entries at work stay, and stops and exits
are still tried. What is down is known of this run alone: each start begins with a connection of its
own. It changes only together with an incident, so that the journal decides alike again.
"""

from collections.abc import Iterator, Mapping

from pointsman.domain.commands import Command, Compare
from pointsman.domain.events import LinkChanged, UnlistedCode, VenueLink
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Check
from pointsman.domain.timestamps import SECOND_NS, in_seconds
from pointsman.execution.books import Books
from pointsman.execution.incidents import note_incident
from pointsman.execution.not_sent import try_again
from pointsman.execution.this_run import LinkDown

UNLISTED_QUIET_NS = 60 * SECOND_NS
"""A code that is in no table is one incident in this time, for each order that it is about."""

_SENDING = (VenueLink.ORDERS, VenueLink.BUDGET)
"""Links without which requests do not leave."""


def link_name(link: VenueLink) -> str:
    """A part of the connection, for people."""
    return link.value.replace("_", " ")


def on_link_changed(books: Books, event: LinkChanged, now_ns: int) -> list[Command]:
    """A part of the connection goes down or is up again. When requests can leave again, what waited
    is tried at once; when the account stream is back, what it may have missed is asked for."""
    run, link = books.this_run, event.link
    down = run.links_down.get(link)
    if event.is_up is (down is None):
        return []
    if down is None:
        run.note_link(link, LinkDown(since_ns=min(event.ts_ns, now_ns), detail=event.detail))
        detail = f"{link_name(link)}: {event.detail}" if event.detail else link_name(link)
        note_incident(books, now_ns, Reason.LINK_DOWN, value=link.value, detail=detail)
        return []
    run.note_link(link, None)
    detail = f"{link_name(link)}, after {in_seconds(now_ns - down.since_ns)} s"
    note_incident(books, now_ns, Reason.LINK_UP, value=link.value, detail=detail)
    commands: list[Command] = []
    if link in _SENDING:
        for position_id in run.pacing.end_waits(now_ns):
            commands += try_again(books, position_id, now_ns)
    if link is VenueLink.ACCOUNT_STREAM:
        commands.append(Compare(books.desk.fills_cursor))
    return commands


def link_checks(books: Books, now_ns: int) -> Iterator[Check]:
    """What is down, as rules that an entry fails: the seconds of what has been down longest, and
    the names of all."""
    for rule, links in _by_rule(books.this_run.links_down).items():
        since_ns = min(down.since_ns for down in links.values())
        note = "; ".join(
            f"{link_name(link)}: {down.detail}" if down.detail else link_name(link)
            for link, down in links.items()
        )
        down_s = in_seconds(now_ns - since_ns)
        yield Check(rule, False, down_s, "0", unit="s down", note=note)


def refusal(books: Books) -> Reason | None:
    """Why no entry may leave now; None where nothing is down."""
    return next(iter(_by_rule(books.this_run.links_down)), None)


def outage(down: Mapping[VenueLink, LinkDown], now_ns: int) -> str:
    """What is down, and for how long, in a few words; empty where nothing is."""
    words = {Reason.VENUE_DOWN: "venue down: ", Reason.VENUE_BUSY: "venue busy: "}
    return "; ".join(
        words[rule] + ", ".join(f"{link_name(link)} {_age(links[link], now_ns)}" for link in links)
        for rule, links in _by_rule(down).items()
    )


def outages(down: Mapping[VenueLink, LinkDown], now_ns: int) -> dict[str, str]:
    """What is down, each part by its name, with what is known of it."""
    return {
        f"venue {link_name(link)}": ": ".join(
            filter(None, (f"{_word(link)} for {_age(known, now_ns)}", known.detail))
        )
        for link, known in down.items()
    }


def _word(link: VenueLink) -> str:
    return "used up" if link is VenueLink.BUDGET else "down"


def _age(down: LinkDown, now_ns: int) -> str:
    return f"{max(0, now_ns - down.since_ns) // SECOND_NS} s"


def _by_rule(
    down: Mapping[VenueLink, LinkDown],
) -> dict[Reason, dict[VenueLink, LinkDown]]:
    """What is down, by the reason that it is refused for, in the order of RULES 11."""
    found: dict[Reason, dict[VenueLink, LinkDown]] = {}
    for link in VenueLink:
        if link in down:
            rule = Reason.VENUE_BUSY if link is VenueLink.BUDGET else Reason.VENUE_DOWN
            found.setdefault(rule, {})[link] = down[link]
    return found


def on_unlisted_code(books: Books, event: UnlistedCode, now_ns: int) -> list[Command]:
    """The venue said something that is in no table: an incident, and nothing is concluded."""
    if not books.this_run.is_news(event.code, event.client_order_id, now_ns, UNLISTED_QUIET_NS):
        return []
    order = books.orders.get(event.client_order_id)
    note_incident(
        books,
        now_ns,
        Reason.UNLISTED_CODE,
        of=order,
        order_id=event.client_order_id or None,
        value=event.code,
        detail=event.text,
    )
    return []
