"""The request handler: from a request to the event that the desk decides on (RULES 19, 20, 34).

A request is checked against the books as they are on the loop's thread, becomes an event, and is
answered once that is durable. The kill latch is a level, not a message: whenever it was pressed
since the loop last looked, the desk is notified, however the press came.
"""

import secrets
from collections.abc import Callable
from decimal import Decimal

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
from pointsman.domain.market import Quote
from pointsman.domain.money import ZERO, exact, parse_decimal, plain
from pointsman.domain.timestamps import iso
from pointsman.engine.controls import PendingAnswer, RequestQueue
from pointsman.engine.exit_codes import ExitCode
from pointsman.engine.kill_latch import KillLatch
from pointsman.engine.requests import (
    AccountRequest,
    AddAccount,
    Answer,
    Assign,
    Flatten,
    MoveCash,
    Pause,
    Rearm,
    Reconcile,
    Refusal,
    Request,
    Resume,
    Unanswered,
    no_account,
)
from pointsman.execution.adoption import foreign_holding, why_not_adopted
from pointsman.execution.execution_loop import ExecutionLoop
from pointsman.execution.external_holdings import assignable, price_of_lack
from pointsman.execution.outbox import StorageHeld


class RequestHandler:
    """Carries out the requests to one engine. Any thread may put one into `queue`; the methods are
    for the loop's.

    `day_start_ns(va_id, now_ns)` is the start of the trading day.
    """

    def __init__(
        self,
        loop: ExecutionLoop,
        latch: KillLatch,
        day_start_ns: Callable[[str, int], int],
        wake: Callable[[], None],
    ) -> None:
        self.queue = RequestQueue(wake)
        self.compared_ns: int | None = None
        self._loop = loop
        self._latch = latch
        self._day_start_ns = day_start_ns
        self._press_seen = 0
        self._differences = 0
        self._awaiting: list[tuple[Request, PendingAnswer, int]] = []

    def note(self, event: Event) -> None:
        """Called with the event of each turn: some requests wait for a comparison to end."""
        if isinstance(event, Compared) and event.is_complete:
            self.compared_ns = event.taken_at_ns
            self._differences = event.differences

    def work(self) -> None:
        """Handle a press of the latch and the requests since the last time. Called after each
        instant."""
        self._apply_latch()
        for request, answer in self.queue.take():
            self._begin(request, answer)
        if self._awaiting and self.compared_ns is not None:
            self._continue_after(self.compared_ns)

    def rearm_at_start(self) -> None:
        """Do what a `rearm` without an engine has left to do."""
        latched = self._latch.latched
        if latched.rearms and latched.is_set:
            note = f"rearmed without an engine, before: {latched.note}"
            self._loop.turn(Rearmed(by="latch", note=note))
            self._loop.when_durable(lambda _step: self._latch.note_rearmed())
        elif latched.rearms:
            self._loop.turn(Rearmed(by=latched.by, note=latched.note))
            done = msgspec.structs.replace(latched, rearms=False)
            press = self._latch.last_press.number

            def release(_step: Step | StorageHeld) -> None:
                # Where the disk fails the file stays as it was, and the next start does it again.
                self._latch.release(done, press)

            self._loop.when_durable(release)

    def _apply_latch(self) -> None:
        press = self._latch.last_press
        if press.number == self._press_seen:
            return
        self._press_seen, latched = press.number, press.latched
        if latched.is_set:
            is_flatten = latched.state is KillState.FLATTEN
            self._loop.turn(Killed(flatten=is_flatten, by=latched.by, note=latched.note))
            self._loop.release()

    def _begin(self, request: Request, answer: PendingAnswer) -> None:
        try:
            if self._needs_comparison(request):
                self._loop.compare_soon()
                self._awaiting.append((request, answer, self._loop.now_ns))
            else:
                self._carry_out(request, answer)
        except Refusal as refusal:
            answer.set_exception(refusal)

    def _continue_after(self, compared_ns: int) -> None:
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

    def _carry_out(self, request: Request, answer: PendingAnswer) -> None:
        was_killed = self._loop.desk.books.kill_switch.state is not KillState.OFF
        with exact():
            event = self._event_for(request)
        if event is not None:
            self._loop.turn(event)
        details = self._details(request)
        if isinstance(request, Rearm):
            details["was_killed"] = was_killed
        press = self._press_seen

        def reply(step: Step | StorageHeld) -> None:
            if isinstance(step, StorageHeld):
                answer.set_exception(Unanswered(str(step)))
            else:
                answer.set_result({"durable": True, "press": press, **details})

        self._loop.when_durable(reply)
        self._loop.release()

    def _event_for(self, request: Request) -> Event | None:
        """The event for the desk. Raises Refusal where it would be of no use."""
        if isinstance(request, AccountRequest) and request.va is not None:
            self._account(request.va)
        match request:
            case Rearm():
                return self._rearmed(request)
            case Pause():
                return Paused(va_id=request.va, by=request.by, note=request.reason)
            case Resume():
                if self._loop.desk.books.kill_switch.state is not KillState.OFF:
                    text = "the kill switch is on; `pointsman rearm --reason TEXT` comes first"
                    raise Refusal(text, ExitCode.REFUSED)
                return Resumed(va_id=request.va, by=request.by, note=request.reason)
            case Flatten():
                return FlattenRequested(va_id=request.va, by=request.by, note=request.reason)
            case AddAccount():
                return self._opened(request)
            case MoveCash():
                return self._moved(request)
            case Assign():
                return self._assigned(request)
            case _:
                return None

    def _rearmed(self, request: Rearm) -> Event:
        if self._loop.desk.books.policy.kill_switch_enabled:
            text = "KILL_SWITCH_ENABLED=true keeps it killed; set it to false and start again"
            raise Refusal(text, ExitCode.REFUSED)
        return Rearmed(by=request.by, note=request.reason)

    def _opened(self, request: AddAccount) -> Event:
        try:
            named = read_accounts(f"{request.va}:{request.balance}")
        except ValueError as error:
            raise Refusal(str(error), ExitCode.USAGE) from None
        if request.va in self._loop.desk.books.accounts:
            text = f"account {request.va} exists; `pointsman accounts deposit {request.va} AMOUNT`"
            raise Refusal(f"{text} puts money into it")
        if len(named) != 1:
            raise Refusal(f"{request.va!r} names more than one account", ExitCode.USAGE)
        return AccountOpened(*named[0])

    def _moved(self, request: MoveCash) -> Event:
        account, amount = self._account(request.va), _amount("amount", request.amount)
        if amount == ZERO:
            raise Refusal("amount 0: use a number above 0", ExitCode.USAGE)
        mark = self._loop.view.mark(account.leased_symbol)
        free = self._free(account)
        if amount < ZERO and -amount > free:
            raise Refusal(
                f"{plain(-amount)} is more than {account.va_id} has free: {plain(free)}; "
                "what it holds and works is not free"
            )
        return CashMoved(
            va_id=account.va_id,
            amount=amount,
            ref=secrets.token_hex(8),
            day_start_ns=self._day_start_ns(account.va_id, self._loop.now_ns),
            mark=mark,
        )

    def _assigned(self, request: Assign) -> Event:
        books, quantity = self._loop.desk.books, _amount("quantity", request.quantity)
        mark = self._loop.view.mark(request.symbol)
        self._account(request.va)
        found = assignable(books, request.va, request.symbol)
        if found is None and foreign_holding(books, request.symbol) is not None:
            if why := why_not_adopted(books, request.va, request.symbol, quantity, mark):
                raise Refusal(f"cannot assign {request.quantity} {request.symbol}: {why}")
            return self._assignment(request, quantity, mark)
        most = ZERO if found is None else found[1]
        if found is None or not ZERO < quantity <= most:
            raise Refusal(
                f"cannot assign {request.quantity} {request.symbol} to {request.va}: at most "
                f"{plain(most)} of the shortfall at the venue can be charged to it"
            )
        if price_of_lack(books, request.symbol, found[0], mark) is None:
            raise Refusal(f"no price is known for {request.symbol}; wait for a quote of it")
        return self._assignment(request, quantity, mark)

    @staticmethod
    def _assignment(request: Assign, quantity: Decimal, mark: Quote | None) -> Event:
        return Assigned(
            va_id=request.va,
            symbol=request.symbol,
            quantity=quantity,
            by=request.by,
            note=request.reason,
            mark=mark,
        )

    def _free(self, account: Account) -> Decimal:
        """What may be taken out: never more than the cash, and what is left must bear what is held
        and worked (RULES 18)."""
        books = self._loop.desk.books
        equity = books.equity(account.va_id, self._loop.view.mark(account.leased_symbol))
        leverage = books.policy.limits_of(account.va_id).max_leverage
        bearing = (account.equity if equity is None else equity) - account.exposure / leverage
        return max(ZERO, min(account.cash, bearing))

    def _account(self, va_id: str) -> Account:
        """Raises Refusal for one that there is not."""
        account = self._loop.desk.books.accounts.get(va_id)
        if account is None:
            raise Refusal(no_account(va_id, list(self._loop.desk.books.accounts)))
        return account

    def _details(self, request: Request) -> Answer:
        """What the answer says besides."""
        books = self._loop.desk.books
        details: Answer = {"trading_state": books.kill_switch.trading_state.value}
        if isinstance(request, Reconcile):
            details["differences"] = self._differences
            details["frozen"] = {
                va_id: str(books.accounts[va_id].frozen_for) for va_id in books.frozen
            }
        if isinstance(request, Resume) and request.va is None:
            details["still_held"] = [
                va_id
                for va_id, account in books.accounts.items()
                if account.is_paused or account.frozen_for or account.stopped_by
            ]
        if isinstance(request, Resume):
            resumed = books.accounts.values() if request.va is None else [self._account(request.va)]
            details["cooldowns"] = {
                account.va_id: iso(account.cooldown_until_ns or 0)
                for account in resumed
                if account.is_cooling(self._loop.now_ns)
            }
        if isinstance(request, AddAccount | MoveCash):
            details["balance"] = plain(books.accounts[request.va].balance)
        if isinstance(request, Flatten):
            closing = [p for p in books.positions.values() if request.va in (None, p.va_id)]
            details["closing"] = sum(position.is_live for position in closing)
        return details


def _amount(name: str, text: str) -> Decimal:
    try:
        return parse_decimal(text)
    except ValueError as error:
        raise Refusal(f"{name} {text!r}: {error}", ExitCode.USAGE) from None
