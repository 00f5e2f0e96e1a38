"""The story of a signal, drawn for a person.

The signal and when it came, each rule in the order of evaluation with the measured value beside its
limit, the decision, and then all that followed, in time order and timed from the decision.
"""

from collections.abc import Iterator
from io import StringIO
from typing import NamedTuple

from rich.console import Console, Group, RenderableType
from rich.text import Text

from pointsman.domain.orders import Fill, Order, Role
from pointsman.domain.positions import Trade
from pointsman.domain.signals import Action, Check, Decision, Outcome, Remarks, Signal
from pointsman.reading.checks import failed_check, rounding_text
from pointsman.reading.story import Story
from pointsman.terminal.columns import average_price, fee_text, order_price, side_text, wanted_size
from pointsman.terminal.measures import allowed, measured, remark
from pointsman.terminal.tables import Column, Listing, facts
from pointsman.terminal.text import (
    average,
    counted,
    length,
    moment,
    number,
    printable,
    signed_money,
    stopwatch,
)

_TEXT_COLUMNS = 72

MARK = {True: ("✓ pass", "green"), False: ("✗ FAIL", "bold red")}


class Moment(NamedTuple):
    """Something that happened. `rank` orders what happened at one instant."""

    at_ns: int
    rank: int
    what: Text
    detail: Text


def story_text(story: Story, zone: str) -> str:
    """The story as plain text, for readers other than a terminal."""
    paper = Console(
        file=StringIO(), width=_TEXT_COLUMNS, color_system=None, emoji=False, highlight=False
    )
    with paper.capture() as written:
        paper.print(draw_story(story, zone))
    return written.get()


def draw_story(story: Story, zone: str) -> RenderableType:
    """The story for a person; moments on the clock of `zone`."""
    parts: list[RenderableType] = [
        _headline(story),
        _verdict(story, zone),
        Text(),
        facts(_facts(story, zone)),
    ]
    if story.decision is not None:
        parts += [Text(), *_rules(story.record.signal, story.decision, zone)]
    parts.append(Text())
    moments = sorted(_moments(story), key=lambda each: (each.at_ns, each.rank))
    parts.append(_timeline(moments, story.record.received_at_ns))
    parts += _ending(story)
    return Group(*parts)


def _headline(story: Story) -> Text:
    signal = story.record.signal
    parts = [Text(printable(signal.signal_id), style="bold"), side_text(signal.side.value)]
    parts += [Text(wanted_size(signal)), Text(printable(signal.symbol))]
    if signal.price is not None:
        parts.append(Text(f"at {number(signal.price, story.price_decimals)}"))
    return Text("  ").join([parts[0], Text(" ").join(parts[1:])])


def _verdict(story: Story, zone: str) -> RenderableType:
    """The decision in one line, and the reason of a refusal with its numbers in another."""
    decision = story.decision
    if decision is None:
        return Text("received, and not decided", style="bold red")
    if decision.outcome is Outcome.ACCEPTED:
        return Text.assemble(
            ("ACCEPTED", "bold green"), f": {_plan(decision, story.price_decimals)}"
        )
    reason = decision.reason
    lines = [Text.assemble(("REFUSED", "bold red"), (f": {reason}", "bold"))]
    if reason is not None:
        lines.append(Text(reason.sentence))
    failed = failed_check(decision)
    if failed is not None:
        limit = allowed(failed, story.record.signal.side, zone)
        must = f"; must be {limit}" if limit else ""
        lines.append(Text(f"Measured {_measured(failed, zone)}{must}."))
    return Group(*lines)


def _measured(check: Check, zone: str) -> str:
    """The value; of a rule that failed with its remark, which a narrow table has no column for."""
    note = "" if check.passed else remark(check)
    return measured(check, zone) + (f" ({note})" if note else "")


def _plan(decision: Decision, decimals: int) -> str:
    """What an acceptance sets out to do."""
    quantity = "" if decision.quantity is None else f" {number(decision.quantity)}"
    numbers = ", ".join(map(str, decision.position_ids))
    which = f"position{'s' if len(decision.position_ids) > 1 else ''} {numbers}"
    if decision.action is Action.ENTRY:
        bound = decision.limit_price
        limit = "" if bound is None else f" at {number(bound, decimals)} or better"
        return f"enter{quantity} {decision.symbol}{limit}, as {which}"
    if decision.action is Action.WAIT:
        return f"enter {decision.symbol} once the account is flat, as {decision.opening_id}"
    return f"close{quantity} {decision.symbol} of {which}"


def _facts(story: Story, zone: str) -> Iterator[tuple[str, Text]]:
    record, decision = story.record, story.decision
    signal = record.signal
    yield _fact("account", signal.va_id)
    asked = list(_asked(signal, story.price_decimals))
    if asked:
        yield _fact("asked for", ", ".join(asked))
    when = f"{moment(record.received_at_ns, zone)} {zone}"
    if signal.ts_ns is not None:
        when += f", {length(record.received_at_ns - signal.ts_ns)} after its own stamp"
    yield _fact("received", when)
    if record.source:
        yield _fact(
            "from", f"{record.source}, line {record.line}" if record.line else record.source
        )
    if record.repeats:
        times = counted(record.repeats, "time")
        yield _fact("came again", f"{times} with the same content, and got the same answer")
    if record.reuses:
        times = counted(record.reuses, "time")
        yield _fact("id reused", f"{times} with other content; nothing was done about those")
    if decision is not None and decision.quote is not None:
        quote = decision.quote
        sizes = f"{quote.bid} x {quote.bid_size} / {quote.ask} x {quote.ask_size}"
        still = f", still so at {moment(quote.confirmed_ns, zone)}" if quote.confirmed_ns else ""
        yield _fact("judged on", f"{sizes}, stamped {moment(quote.ts_ns, zone)}{still}")
    if decision is not None and decision.clipped_quantity is not None:
        cut = number(decision.clipped_quantity)
        yield _fact(
            "cut to",
            f"{cut}: more would have flipped the position, was not there, or is more than the"
            " strategy holds",
        )
    for change in () if decision is None else decision.rounded:
        yield _fact("rounded", rounding_text(change))
    if decision is not None:
        yield from _opening(decision)
    yield from _remarks(signal.remarks)


def _opening(decision: Decision) -> Iterator[tuple[str, Text]]:
    """What a reversal opens afterwards, or leaves unopened."""
    size = decision.opening_quantity
    if decision.opening_id is not None:
        what = "" if size is None else f"{number(size)} "
        yield _fact("then opens", f"{what}as {decision.opening_id}, once the account is flat")
    elif size is not None:
        yield _fact("left unopened", f"{number(size)} (REVERSAL=close)")


def _remarks(remarks: Remarks | None) -> Iterator[tuple[str, Text]]:
    """What was not used of what was sent, and what was rounded."""
    for name in Remarks.__struct_fields__ if remarks is not None else ():
        if told := getattr(remarks, name):
            yield _fact(name, ", ".join(told))


def _fact(name: str, text: str) -> tuple[str, Text]:
    return name, Text(printable(text))


def _asked(signal: Signal, decimals: int) -> Iterator[str]:
    """What a signal says beyond side, size and price."""
    if signal.stop_loss is not None:
        yield f"stop at {number(signal.stop_loss, decimals)}"
    if signal.stop_loss_percentage is not None:
        yield f"stop {number(signal.stop_loss_percentage)} % away"
    if signal.take_profit is not None:
        yield f"target {number(signal.take_profit, decimals)}"
    if signal.take_profit_percentage is not None:
        yield f"target {number(signal.take_profit_percentage)} % away"
    if signal.reduce_only:
        yield "reduce only"
    if signal.market_position is not None:
        size = signal.market_position_size
        held = "" if size is None else f" {number(size)}"
        yield f"the strategy is {signal.market_position.value}{held} after it"
    if signal.ttl_ns is not None:
        yield f"valid for {length(signal.ttl_ns)}"


def _rules(signal: Signal, decision: Decision, zone: str) -> Iterator[RenderableType]:
    def mark(check: Check) -> Text:
        text, style = MARK[check.passed]
        return Text(text, style=style)

    def rule(check: Check) -> Text:
        return Text(check.rule.value, style="" if check.passed else "bold red")

    columns = (
        Column("", mark),
        Column("rule", rule),
        Column("measured", lambda check: _measured(check, zone), folds=True),
        Column("must be", lambda check: allowed(check, signal.side, zone), folds=True),
        Column("remark", lambda check: remark(check) if check.passed else "", 1, folds=True),
    )
    yield Listing("Rules, in the order in which they are tried", columns, decision.checks)
    if decision.action is Action.EXIT:
        text = "An exit is never held up by cooldown, throttle, window, quote or loss limits."
        yield Text(text, style="dim")


def _timeline(moments: list[Moment], decided_at_ns: int) -> RenderableType:
    def offset(each: Moment) -> str:
        return stopwatch(each.at_ns - decided_at_ns)

    columns = (
        Column("after", offset, is_right=True),
        Column("what", lambda each: each.what),
        Column("", lambda each: each.detail, folds=True),
    )
    return Listing("What happened, timed from the decision", columns, moments)


def _moments(story: Story) -> Iterator[Moment]:
    signal, decision, decimals = story.record.signal, story.decision, story.price_decimals
    if signal.ts_ns is not None and signal.ts_ns != story.record.received_at_ns:
        yield Moment(signal.ts_ns, 0, Text("stamped"), Text("by its sender"))
    if decision is not None:
        words = decision.outcome.value
        style = "green" if decision.outcome is Outcome.ACCEPTED else "red"
        reason = "" if decision.reason is None else decision.reason.value
        yield Moment(decision.decided_at_ns, 1, Text(words, style=style), Text(reason))
    for order in story.orders:
        yield from _order_moments(order, decimals)
    for fill in story.fills:
        detail = Text(f"{fill.client_order_id}: ").append_text(side_text(fill.side.value))
        detail.append(f" {number(fill.quantity)} at {number(fill.price, decimals)}, {_fee(fill)}")
        if fill.booked_at_ns != fill.venue_ts_ns:
            detail.append(
                f", {length(fill.booked_at_ns - fill.venue_ts_ns)} after the venue's stamp"
            )
        yield Moment(fill.booked_at_ns, 3, Text("fill", style="bold"), detail)
    for funding in story.fundings:
        detail = Text("").append_text(signed_money(funding.amount))
        detail.append(f" for {number(funding.quantity)} {printable(funding.symbol)}")
        detail.append(f" of position {funding.position_id}")
        what = "charge" if funding.is_charge else "funding"
        yield Moment(funding.booked_at_ns, 3, Text(what, style="bold"), detail)
    for trade in story.trades:
        yield Moment(
            trade.closed_at_ns, 6, Text("closed", style="bold"), _trade_detail(trade, decimals)
        )
    for incident in story.incidents:
        detail = Text(printable(incident.detail) or incident.kind.sentence)
        yield Moment(incident.at_ns, 7, Text(incident.kind.value, style="yellow"), detail)


def _fee(fill: Fill) -> str:
    """What an execution's fee was; one that is in no result says so."""
    return f"fee {fee_text(fill)}" + (", not in the result" if fill.is_fee_left_out else "")


_ORDER_NAMES = {Role.ENTRY: "entry", Role.STOP: "stop-loss", Role.EXIT: "exit"}


def _order_moments(order: Order, decimals: int) -> Iterator[Moment]:
    name, order_id = _ORDER_NAMES[order.role], order.client_order_id
    detail = Text(f"{order_id}: ").append_text(side_text(order.side.value))
    detail.append(f" {number(order.quantity)} {_terms(order, decimals)}")
    if order.role is Role.EXIT and order.exit_reason is not None:
        detail.append(f", for {order.exit_reason.value}")
    if order.venue_order_id:
        detail.append(f", the venue's {order.venue_order_id}")
    if order.sent_at_ns is None:
        detail.append(", never sent")
    elif order.sent_at_ns != order.created_at_ns:
        detail.append(f", sent {length(order.sent_at_ns - order.created_at_ns)} later")
    # A stop follows from the fill of the same instant, any other order comes before its fills.
    rank = 4 if order.role is Role.STOP else 2
    yield Moment(order.created_at_ns, rank, Text(f"{name} order"), detail)
    if order.is_final:
        ended = Text(f"{order_id}: {order.status.value.lower()}")
        if order.end_reason is not None:
            ended.append(f", {order.end_reason.value}")
        if order.filled:
            mean = average_price(order, decimals)
            whole = "" if order.filled == order.quantity else f" of {number(order.quantity)}"
            ended.append(f"; {number(order.filled)}{whole} at {mean} on average")
        yield Moment(order.updated_at_ns, 5, Text(f"{name} ended"), ended)


def _terms(order: Order, decimals: int) -> str:
    if order.role is Role.ENTRY:
        return f"at {order_price(order, decimals)} or better, immediate-or-cancel"
    return (
        "at market"
        if order.trigger_price is None
        else f"triggered at {order_price(order, decimals)}"
    )


def _trade_detail(trade: Trade, decimals: int) -> Text:
    entry, out = (average(each, decimals) for each in (trade.entry_price, trade.exit_price))
    text = Text(f"{trade.side.value} {number(trade.quantity)} from {entry} to {out}: ")
    text.append_text(signed_money(trade.pnl))
    held = length(trade.closed_at_ns - trade.opened_at_ns)
    return text.append(f" after fees, {trade.exit_reason.value}, held {held}")


def _ending(story: Story) -> Iterator[RenderableType]:
    """What is not over yet."""
    for position in story.positions:
        naked = position.naked_since_ns is not None
        stop = number(position.stop_price, story.price_decimals)
        cover = "without a confirmed stop" if naked else f"stop at {stop}"
        text = f"Position {position.position_id} is {position.state.value}: {position.side.value} "
        text += f"{number(position.quantity)} {position.symbol}, {cover}."
        yield Text(text, style="bold red" if naked else "bold")
    for order in story.orders:
        if not order.is_final:
            status, order_id = order.shown_status.value, order.client_order_id
            kept = "queued by the venue until its session, " if order.is_queued else ""
            leaves = number(order.leaves)
            yield Text(f"Order {order_id} is {status}, {kept}{leaves} may still fill.")
