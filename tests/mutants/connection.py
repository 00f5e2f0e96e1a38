"""The mutants of the connection to the venue: links, requests that do not leave, charges."""

from tests.mutants.mutant import Mutant

GOVERNOR, GATE = "execution/governor.py", "execution/last_check.py"
DOUBT, HANDLERS = "execution/doubt.py", "execution/event_handlers.py"
INTAKE, PACING = "execution/venue_intake.py", "execution/pacing.py"
LINKS, NOT_SENT = "execution/venue_links.py", "execution/not_sent.py"

CONNECTION = (
    Mutant(
        "I23", "an entry is accepted while a link is down", GOVERNOR,
        "yield from link_checks(books, entry.now_ns)", "yield from ()",
    ),
    Mutant(
        "I23", "an entry that waits leaves although a link went down", GATE,
        "if (down := venue_links.refusal(books)) is not None:",
        "if (down := venue_links.refusal(books)) is not None and False:",
        "tests/unit/test_venue_links.py",
        "a link seldom goes down exactly between a decision and its commit",
    ),
    Mutant(
        "I23", "a link that came up again counts as down", LINKS,
        "run.note_link(link, None)", "pass",
        "tests/unit/test_venue_links.py", "that entries are refused for ever breaks no statement",
    ),
    Mutant(
        "I23", "what did not reach the venue is sent again at the speed of the wire",
        PACING,
        "wait_ns = 0 if count == 1 else min(FIRST_WAIT_NS << (count - 2), WAIT_NS_MAX)",
        "wait_ns = 0",
    ),
    Mutant(
        "I2", "what did not reach the venue is sent again under its id", NOT_SENT,
        "    end_order(books, ended, ReportKind.DENIED, event.reason, now_ns)\n",
        "    from pointsman.domain.commands import Submit\n    return [Submit(ended)]\n",
    ),
    Mutant(
        "I23", "silence is taken for not sent", DOUBT,
        "    return [_ask(books, order, now_ns)]\n\n\ndef _ask",
        '    end_order(books, order, ReportKind.DENIED, None, now_ns) if is_submit else None\n'
        "    return [_ask(books, order, now_ns)]\n\n\ndef _ask",
    ),
    Mutant(
        "I23", "nothing is compared after the account stream is back", LINKS,
        "if link is VenueLink.ACCOUNT_STREAM:", "if False:",
    ),
    Mutant(
        "I7", "what did not reach the venue is not sent again", PACING,
        "return run is None or now_ns >= run.again_at_ns", "return run is None",
    ),
    Mutant(
        "I21", "a cancel that did not leave counts as under way", NOT_SENT,
        "books.put_order(replace(order, is_cancel_pending=False, updated_at_ns=now_ns))", "pass",
        "tests/unit/test_not_sent.py", "its silence is noticed, and the order is asked about",
    ),
    Mutant(
        "I6", "a charge is reported and not booked", HANDLERS,
        "ev.ChargePaid: on_charge,", "ev.ChargePaid: lambda _books, _event, _now_ns: [],",
    ),
    Mutant(
        "I6", "the charges of a comparison are left out", INTAKE,
        "(*snapshot.fundings, *snapshot.charges)", "(*snapshot.fundings,)",
    ),
)  # fmt: skip
