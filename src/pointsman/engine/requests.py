"""Requests: what people ask of a running engine, and the events that follow (RULES 19, 20, 34).

A request is checked against the books as they are on the loop's thread, becomes an event, and is
answered once that is durable. The kill latch is a level, not a message: whenever it was pressed
since the loop last looked, the desk is notified, however the press came.
"""

import secrets
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from pointsman.config.values import read_accounts
from pointsman.domain.accounts import Account, KillState
from pointsman.domain.commands import Step
from pointsman.domain.events import (
    AccountOpened,
    Assigned,
    CashMoved,
    Compared,
    Event,
    FlattenRequested,
    Killed,
    Paused,
    Rearmed,
    Resumed,
)
from pointsman.domain.money import ZERO, exact, parse_decimal, plain
from pointsman.domain.timestamps import iso
from pointsman.engine.kill_latch import KillLatch, Latched
from pointsman.engine.kill_request import NO_REASON
from pointsman.engine.request_queue import Answer, ControlQueue, Refusal, Unanswered
from pointsman.execution.execution_loop import ExecutionLoop
from pointsman.execution.external_holdings import assignable, price_of_lack
from pointsman.execution.outbox import StorageHeld

USAGE, REFUSED, MISMATCH = 2, 4, 5
"""Exit codes of docs/contract.md, beside 1 for a plain failure."""

_NAMED_MAX = 10


class Request(msgspec.Struct, frozen=True, tag_field="verb", forbid_unknown_fields=True):
    """The base of what may be asked; the field `verb` says which it is."""


class Kill(Request, frozen=True, tag="kill"):
    """Nothing but the verb is needed."""

    flatten: bool = False
    reason: str = ""
    by: str = "unknown"


class Rearm(Request, frozen=True, tag="rearm"):
    reason: str
    by: str


class Pause(Request, frozen=True, tag="pause"):
    """Of one VA, or of all where `va` is None; the same for Resume and Flatten."""

    va: str | None
    reason: str
    by: str


class Resume(Request, frozen=True, tag="resume"):
    va: str | None
    reason: str
    by: str


class Flatten(Request, frozen=True, tag="flatten"):
    va: str | None
    reason: str
    by: str


class Reconcile(Request, frozen=True, tag="reconcile"):
    pass


class AddAccount(Request, frozen=True, tag="add_account"):
    va: str
    balance: str


class MoveMoney(Request, frozen=True, tag="move_cash"):
    """`amount` is signed: below zero it is taken out."""

    va: str
    amount: str


class Assign(Request, frozen=True, tag="assign"):
    """Charge a foreign execution to the VA whose position it has closed."""

    va: str
    symbol: str
    quantity: str
    reason: str
    by: str


class Steering:
    """One engine's steering. `asked` is for any thread; the methods belong to the loop's.

    `day_start_ns(va_id, now_ns)` is the start of the trading day.
    """

    def __init__(
        self,
        loop: ExecutionLoop,
        latch: KillLatch,
        day_start_ns: Callable[[str, int], int],
        wake: Callable[[], None],
    ) -> None:
        self.asked: ControlQueue[Request] = ControlQueue(wake)
        self.compared_ns: int | None = None
        self._loop = loop
        self._latch = latch
        self._day_start_ns = day_start_ns
        self._press_seen = 0
        self._differences = 0
        self._awaiting: list[tuple[Request, Answer, int]] = []

    def note(self, event: Event) -> None:
        """Told of each turn: a comparison that ended is what some requests wait for."""
        if isinstance(event, Compared) and event.is_complete:
            self.compared_ns = event.taken_at_ns
            self._differences = event.differences

    def work(self) -> None:
        """Do what was asked since the last time. Called after each instant."""
        self._obey_latch()
        for request, answer in self.asked.take():
            self._begin(request, answer)
        if self._awaiting and self.compared_ns is not None:
            self._go_on(self.compared_ns)

    def rearm_at_start(self) -> None:
        """Do what a `rearm` without an engine has left to do."""
        latched = self._latch.latched
        if latched.rearms and latched.is_set:
            self._loop.turn(Rearmed("latch", f"rearmed without an engine, before: {latched.note}"))
            self._loop.when_durable(lambda _step: self._latch.note_rearmed())
        elif latched.rearms:
            self._loop.turn(Rearmed(latched.by, latched.note))
            done = msgspec.structs.replace(latched, rearms=False)
            press = self._latch.last_press.number

            def release(_step: Step | StorageHeld) -> None:
                # Where the disk fails the file stays as it was, and the next start does it again.
                self._latch.release(done, press)

            self._loop.when_durable(release)

    def _obey_latch(self) -> None:
        press = self._latch.last_press
        if press.number == self._press_seen:
            return
        self._press_seen, latched = press.number, press.latched
        if latched.is_set:
            is_flatten = latched.state is KillState.FLATTEN
            self._loop.turn(Killed(is_flatten, latched.by, latched.note))
            self._loop.release()

    def _begin(self, request: Request, answer: Answer) -> None:
        try:
            if self._needs_comparison(request):
                self._loop.compare_soon()
                self._awaiting.append((request, answer, self._loop.now_ns))
            else:
                self._carry_out(request, answer)
        except Refusal as refusal:
            answer.set_exception(refusal)

    def _go_on(self, compared_ns: int) -> None:
        ready = [each for each in self._awaiting if each[2] <= compared_ns]
        self._awaiting = [each for each in self._awaiting if each[2] > compared_ns]
        for request, answer, _ in ready:
            try:
                self._carry_out(request, answer)
            except Refusal as refusal:
                answer.set_exception(refusal)

    def _needs_comparison(self, request: Request) -> bool:
        """A freeze is lifted only after a comparison that succeeded since (RULES 20)."""
        if isinstance(request, Resume) and request.va is not None:
            account, compared_ns = self._account(request.va), self._desk_compared_ns
            return account.frozen_for is not None and compared_ns <= (account.frozen_at_ns or 0)
        return isinstance(request, Reconcile)

    @property
    def _desk_compared_ns(self) -> int:
        return self._loop.desk.books.desk.compared_at_ns or 0

    def _carry_out(self, request: Request, answer: Answer) -> None:
        was_killed = self._loop.desk.books.kill_switch.state is not KillState.OFF
        with exact():
            event = self._event_of(request)
        if event is not None:
            self._loop.turn(event)
        told = self._told(request)
        if isinstance(request, Rearm):
            told["was_killed"] = was_killed
        press = self._press_seen

        def tell(step: Step | StorageHeld) -> None:
            if isinstance(step, StorageHeld):
                answer.set_exception(Unanswered(str(step)))
            else:
                answer.set_result({"durable": True, "press": press, **told})

        self._loop.when_durable(tell)
        self._loop.release()

    def _event_of(self, request: Request) -> Event | None:
        """The event for the desk. Raises Refusal where it would be of no use."""
        match request:
            case Rearm():
                return self._rearmed(request)
            case Pause():
                self._known(request.va)
                return Paused(request.va, request.by, request.reason)
            case Resume():
                self._known(request.va)
                if self._loop.desk.books.kill_switch.state is not KillState.OFF:
                    text = "the kill switch is on; `pointsman rearm --reason TEXT` comes first"
                    raise Refusal(text, REFUSED)
                return Resumed(request.va, request.by, request.reason)
            case Flatten():
                self._known(request.va)
                return FlattenRequested(request.va, request.by, request.reason)
            case AddAccount():
                return self._opened(request)
            case MoveMoney():
                return self._moved(request)
            case Assign():
                return self._assigned(request)
            case _:
                return None

    def _rearmed(self, request: Rearm) -> Event:
        if self._loop.desk.books.policy.kill_switch_enabled:
            raise Refusal(
                "KILL_SWITCH_ENABLED=true keeps it killed; set it to false and start again", REFUSED
            )
        return Rearmed(request.by, request.reason)

    def _opened(self, request: AddAccount) -> Event:
        try:
            named = read_accounts(f"{request.va}:{request.balance}")
        except ValueError as error:
            raise Refusal(str(error), USAGE) from None
        if request.va in self._loop.desk.books.accounts:
            text = f"account {request.va} exists; `pointsman accounts deposit {request.va} AMOUNT`"
            raise Refusal(f"{text} puts money into it")
        if len(named) != 1:
            raise Refusal(f"{request.va!r} names more than one account", USAGE)
        return AccountOpened(*named[0])

    def _moved(self, request: MoveMoney) -> Event:
        account, amount = self._account(request.va), _amount("amount", request.amount)
        if amount == ZERO:
            raise Refusal("amount 0: use a number above 0", USAGE)
        mark = self._loop.view.mark(account.leased_symbol)
        free = self._free(account)
        if amount < ZERO and -amount > free:
            raise Refusal(
                f"{plain(-amount)} is more than {account.va_id} has free: {plain(free)}; "
                "what it holds and works is not free"
            )
        now_ns = self._loop.now_ns
        day_start_ns = self._day_start_ns(account.va_id, now_ns)
        return CashMoved(account.va_id, amount, secrets.token_hex(8), day_start_ns, mark)

    def _assigned(self, request: Assign) -> Event:
        books, quantity = self._loop.desk.books, _amount("quantity", request.quantity)
        mark = self._loop.view.mark(request.symbol)
        self._known(request.va)
        found = assignable(books, request.va, request.symbol)
        most = ZERO if found is None else found[1]
        if found is None or not ZERO < quantity <= most:
            raise Refusal(
                f"cannot assign {request.quantity} {request.symbol} to {request.va}: at most "
                f"{plain(most)} of the shortfall at the venue can be charged to it"
            )
        if price_of_lack(books, request.symbol, found[0], mark) is None:
            raise Refusal(f"no price is known for {request.symbol}; wait for a quote of it")
        return Assigned(request.va, request.symbol, quantity, request.by, request.reason, mark)

    def _free(self, account: Account) -> Decimal:
        """What may be taken out: never more than the cash, and what is left must bear what is held
        and worked (RULES 18)."""
        books = self._loop.desk.books
        equity = books.equity(account.va_id, self._loop.view.mark(account.leased_symbol))
        leverage = books.policy.limits_of(account.va_id).max_leverage
        bearing = (account.equity if equity is None else equity) - account.exposure / leverage
        return max(ZERO, min(account.cash, bearing))

    def _account(self, va_id: str) -> Account:
        account = self._loop.desk.books.accounts.get(va_id)
        if account is None:
            names = list(self._loop.desk.books.accounts)
            more = ", …" if len(names) > _NAMED_MAX else ""
            raise Refusal(f"no account {va_id!r}; there are {', '.join(names[:_NAMED_MAX])}{more}")
        return account

    def _known(self, va_id: str | None) -> None:
        if va_id is not None:
            self._account(va_id)

    def _told(self, request: Request) -> dict[str, Any]:
        """What the answer says besides."""
        books = self._loop.desk.books
        told: dict[str, Any] = {"trading_state": books.kill_switch.trading_state.value}
        if isinstance(request, Reconcile):
            told["differences"] = self._differences
            told["frozen"] = {
                va_id: str(books.accounts[va_id].frozen_for) for va_id in books.frozen
            }
        if isinstance(request, Resume) and request.va is None:
            told["still_held"] = [
                va_id
                for va_id, account in books.accounts.items()
                if account.is_paused or account.frozen_for or account.stopped_by
            ]
        if isinstance(request, Resume):
            resumed = books.accounts.values() if request.va is None else [self._account(request.va)]
            told["cooldowns"] = {
                account.va_id: iso(account.cooldown_until_ns or 0)
                for account in resumed
                if account.is_cooling(self._loop.now_ns)
            }
        if isinstance(request, AddAccount | MoveMoney):
            told["balance"] = plain(books.accounts[request.va].balance)
        if isinstance(request, Flatten):
            closing = [p for p in books.positions.values() if request.va in (None, p.va_id)]
            told["closing"] = sum(position.is_live for position in closing)
        return told


def pressed(request: Kill, now_ns: int) -> Latched:
    """What a kill latches."""
    state = KillState.FLATTEN if request.flatten else KillState.HALT
    return Latched(state, request.by, request.reason.strip() or NO_REASON, now_ns)


def _amount(name: str, text: str) -> Decimal:
    try:
        return parse_decimal(text)
    except ValueError as error:
        raise Refusal(f"{name} {text!r}: {error}", USAGE) from None
