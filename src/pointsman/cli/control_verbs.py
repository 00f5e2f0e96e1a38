"""The verbs that ask something of a running engine: kill, rearm, pause, resume, flatten, reconcile,
and those that change accounts.

Each asks the engine over its socket and ends with the exit code of the answer. Only the kill switch
works without an engine as well: then the latch file says it to the next start (RULES 19).
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pointsman.cli.ending import complain, fail, tell
from pointsman.cli.options import (
    Options,
    database_of,
    flag,
    read_settings,
    takes_options,
)
from pointsman.engine import kill_request
from pointsman.engine.exit_codes import ExitCode
from pointsman.engine.kill_request import asker
from pointsman.engine.requests import (
    NO_REASON,
    AddAccount,
    Answer,
    Assign,
    Flatten,
    Kill,
    MoveCash,
    Pause,
    Rearm,
    Reconcile,
    Request,
    Resume,
    refused,
)

if TYPE_CHECKING:
    from pointsman.config.settings import Settings

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is stored.")]
OneVa = Annotated[str | None, typer.Option("--va", metavar="ID", help="Only this account.")]
Va = Annotated[str, typer.Argument(metavar="ID", help="The account.")]
Amount = Annotated[str, typer.Argument(metavar="AMOUNT", help="In the account's currency.")]

_NAMED_MAX = 5


def register(app: typer.Typer) -> None:
    """Add the verbs that stand by themselves."""
    for verb in (kill, rearm, pause, resume, flatten, reconcile):
        app.command(verb.__name__)(takes_options(verb))


def register_accounts(accounts: typer.Typer) -> None:
    """Add the verbs under `accounts`."""
    # An amount below zero is reported as such, not as an unknown option.
    as_it_stands = {"ignore_unknown_options": True}
    for verb in (add, deposit, withdraw, assign):
        command = accounts.command(verb.__name__, context_settings=as_it_stands)
        command(takes_options(verb))


def kill(
    options: Options,
    reason: Reason = NO_REASON,
    is_flatten: Annotated[bool, flag("Also close all positions.", "--flatten")] = False,
) -> None:
    """Press the kill switch: no new risk, until a person rearms."""
    text = reason.encode("utf-8", "replace").decode().strip() or NO_REASON
    database, is_sure = _database_to_kill(options)
    request = Kill(flatten=is_flatten, reason=text, by=asker())
    answer = kill_request.kill(database, request)
    if answer.get("ok") and not answer.get("durable"):
        complain("warning: the latch file could not be written: the kill holds in memory only")
    _finish(options, answer, lambda answer: answer.get("told") or f"killed: {answer.get('state')}")
    if not is_sure:
        complain(f"Not sure that {database} is the right database. Repeat with --db PATH.")
        raise typer.Exit(ExitCode.FAILURE)


def _database_to_kill(options: Options) -> tuple[Path, bool]:
    """Which database, and whether that is sure. Nothing in the configuration may be in the way of a
    kill, not even what should say where the database is."""
    from pointsman.config.database_path import DEFAULT_DATABASE
    from pointsman.config.problems import SettingsError

    try:
        return database_of(options), True
    except SettingsError as error:
        why = ", ".join(problem.variable for problem in error.problems)
    except (OSError, RuntimeError, ValueError) as error:
        why = str(error)
    complain(f"warning: the settings name no usable database ({why}); taking {DEFAULT_DATABASE}")
    return Path(DEFAULT_DATABASE), False


def rearm(options: Options, reason: Reason) -> None:
    """Release the kill switch."""
    from pointsman.engine.control_client import NoEngine, ask

    settings, text = read_settings(options).settings, _reason(reason)
    try:
        answer = ask(settings.database_path, Rearm(reason=text, by=asker()))
    except NoEngine as error:
        answer = _rearm_without_engine(settings, text, str(error))
    _finish(options, answer, _rearmed)


def _rearmed(answer: Answer) -> str:
    if "told" in answer:
        return str(answer["told"])
    # An engine of an older version does not say whether it was.
    done = "rearmed" if answer.get("was_killed", True) else "nothing was killed"
    return f"{done}: {answer['trading_state']}"


def _rearm_without_engine(settings: "Settings", reason: str, no_engine: str) -> Answer:
    """Clear the latch file, and leave word that the next start is to release the kill switch."""
    from pointsman.domain.accounts import KillState
    from pointsman.engine.control_client import engine_pid
    from pointsman.engine.kill_latch import KillLatch, LatchState, latch_path
    from pointsman.engine.latch_watch import why_killed

    database = settings.database_path
    if engine_pid(database) is not None:
        return refused(f"{no_engine}. Stop it, rearm, and start it again")
    if not database.exists() and not latch_path(database).exists():
        return refused(no_engine)
    if settings.kill_switch_enabled:
        text = "KILL_SWITCH_ENABLED=true keeps it killed; set it to false first"
        return refused(text, ExitCode.REFUSED)
    if text := why_killed(settings.kill_switch_file):
        return refused(text, ExitCode.REFUSED)
    try:
        latch = KillLatch(latch_path(database))
    except OSError as error:
        path = latch_path(database)
        return refused(f"{path} cannot be written ({error.strerror}); it stays killed")
    cleared = LatchState(
        state=KillState.OFF, by=asker(), note=reason, at_ns=time.time_ns(), rearms=True
    )
    is_open = latch.release(cleared, latch.last_press.number)
    latch.close()
    if not is_open:
        return refused(f"{latch.path} cannot be written; it stays killed")
    text = (
        f"No engine is running on {database}. The latch is cleared; the next engine to start will "
        "be rearmed."
    )
    return {"ok": True, "durable": True, "told": text}


def pause(options: Options, reason: Reason, va: OneVa = None) -> None:
    """No new entries, of one account or of all; exits go on."""
    request = Pause(va=va, reason=_reason(reason), by=asker())
    _send(options, request, lambda answer: _of_one_or_all("paused", va, answer))


def resume(options: Options, reason: Reason, va: OneVa = None) -> None:
    """Entries again, of one account or of all. Of one account it also lifts a freeze or a stop."""
    request = Resume(va=va, reason=_reason(reason), by=asker())
    _send(options, request, lambda answer: _resumed(va, answer))


def _of_one_or_all(done: str, va: str | None, answer: Answer) -> str:
    """What was done; the trading state is that of the engine, whatever one account may do."""
    state = answer["trading_state"]
    return f"{done} all accounts: {state}" if va is None else f"{done} {va}; the engine is {state}"


def _resumed(va: str | None, answer: Answer) -> str:
    text, held = _of_one_or_all("resumed", va, answer), answer.get("still_held", [])
    for va_id, until in [*answer.get("cooldowns", {}).items()][:_NAMED_MAX]:
        shown = until.partition(".")[0].replace("T", " ")
        text += f". The cooldown of {va_id} runs until {shown} UTC; resume does not end it"
    if not held:
        return text
    shown = ", ".join([*held[:_NAMED_MAX], *(["…"] if len(held) > _NAMED_MAX else [])])
    return f"{text}. Still stopped individually: {shown} (use `resume --va {held[0]}`)"


def flatten(
    options: Options,
    va: Annotated[str | None, typer.Argument(metavar="VA", help="The account.")] = None,
    is_all: Annotated[bool, flag("Every account.", "--all")] = False,
    reason: Reason = "asked for",
) -> None:
    """Close what one account holds, or all of them, at market."""
    if (va is None) is not is_all:
        raise typer.BadParameter("name one account, or --all", param_hint="VA")
    request = Flatten(va=va, reason=_reason(reason), by=asker())
    _send(options, request, lambda answer: f"closing {_counted(answer['closing'], 'position')}")


def reconcile(options: Options) -> None:
    """Compare with the venue now."""
    answer = _answer_to(options, Reconcile())
    if answer.get("ok") and answer["frozen"]:
        frozen = ", ".join(f"{va} ({why})" for va, why in answer["frozen"].items())
        answer = refused(
            f"compared; frozen: {frozen}. Look into it, then `pointsman resume --va ID`",
            ExitCode.MISMATCH,
        )
    _finish(
        options, answer, lambda answer: f"compared: {_counted(answer['differences'], 'difference')}"
    )


def add(
    options: Options,
    va: Va,
    balance: Annotated[str, typer.Option("--balance", metavar="N", help="Start balance.")],
) -> None:
    """Add an account."""
    request = AddAccount(va=va, balance=_amount("--balance", balance))
    _send(options, request, lambda answer: f"opened {va} with {answer['balance']}")


def deposit(options: Options, va: Va, amount: Amount) -> None:
    """Put money into an account; it does not count as profit. `withdraw` takes it out."""
    request = MoveCash(va=va, amount=_amount("AMOUNT", amount))
    _send(options, request, lambda answer: f"deposited {amount}: {va} has {answer['balance']}")


def withdraw(options: Options, va: Va, amount: Amount) -> None:
    """Take free money out of an account; it does not count as a loss."""
    request = MoveCash(va=va, amount=f"-{_amount('AMOUNT', amount)}")
    _send(options, request, lambda answer: f"withdrew {amount}: {va} has {answer['balance']}")


def assign(
    options: Options,
    va: Va,
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="The symbol.")],
    quantity: Annotated[str, typer.Argument(metavar="QUANTITY", help="The quantity.")],
    reason: Reason,
) -> None:
    """Give an account what the venue holds beside our accounts, with a stop at once; or, where it
    holds less, say whose position a foreign execution has closed."""
    request = Assign(
        va=va,
        symbol=symbol,
        quantity=_amount("QUANTITY", quantity),
        reason=_reason(reason),
        by=asker(),
    )
    _send(options, request, lambda _answer: f"assigned {quantity} {symbol} to {va}")


def _send(options: Options, request: Request, said: Callable[[Answer], str]) -> None:
    _finish(options, _answer_to(options, request), said)


def _answer_to(options: Options, request: Request) -> Answer:
    from pointsman.engine.control_client import NoEngine, ask

    try:
        return ask(database_of(options), request)
    except NoEngine as error:
        return refused(str(error))


def _finish(options: Options, answer: Answer, said: Callable[[Answer], str]) -> None:
    from pointsman.terminal.text import print_json, printable

    if answer.get("ok"):
        try:
            tell(options, answer, said(answer))
            sys.stdout.flush()
        except OSError:
            # It has been done, and the person who asked must not believe otherwise.
            complain(printable(said(answer)))
            raise
        return
    if options.as_json:
        print_json(answer)
    fail(printable(str(answer.get("error"))), answer.get("exit", ExitCode.FAILURE))


def _counted(number: int, noun: str) -> str:
    from pointsman.terminal.text import counted

    return counted(number, noun)


def _reason(text: str) -> str:
    """The reason as text that can be stored, never blank."""
    if not text.strip():
        raise typer.BadParameter("say why, in a few words", param_hint="--reason")
    return text.encode("utf-8", "replace").decode()


def _amount(name: str, text: str) -> str:
    from pointsman.domain.money import ZERO, parse_decimal

    try:
        amount = parse_decimal(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text}: {error}", param_hint=name) from None
    if amount <= ZERO:
        hint = "; deposit puts money in, withdraw takes it out" if name == "AMOUNT" else ""
        raise typer.BadParameter(f"{text}: use a number above 0{hint}", param_hint=name)
    return text.lstrip("+")
