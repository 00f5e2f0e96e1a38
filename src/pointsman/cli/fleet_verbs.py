"""`fleet`: all desks of a cluster at once. Each that does not answer is named, and the verb ends
with 1."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pointsman.cli.cluster_verbs import From, given_settings
from pointsman.cli.ending import complain, tell
from pointsman.cli.engine_endings import known_endings
from pointsman.cli.options import Options, flag, takes_options
from pointsman.engine.exit_codes import ExitCode
from pointsman.engine.kill_request import asker
from pointsman.engine.requests import NO_REASON, Pause, Rearm, Request, Resume, Show, encode

if TYPE_CHECKING:
    from pointsman.cluster.fleet import Fleet

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is stored.")]
Desks = Annotated[
    list[str] | None,
    typer.Option("--desk", metavar="NAME", help="Only this desk (repeatable); all of them else."),
]
Answers = dict[str, dict[str, Any]]


def register(fleet: typer.Typer) -> None:
    """Add the verbs under `fleet`."""
    for verb in (status, kill, rearm, pause, resume):
        fleet.command(verb.__name__)(takes_options(verb))


def status(options: Options, servers: From = None, desk: Desks = None) -> None:
    """Every desk: owner, state, equity, positions, incidents, and how far its copy is behind."""
    with _fleet(options, servers) as fleet:
        desks = desk or fleet.desks()
        leases = fleet.leases(desks)
        answers = fleet.ask(desks, encode(Show()))
    for name in desks:
        lease = leases.get(name)
        is_held = lease is not None and not lease.is_released
        answers[name]["owner"] = lease.holder if lease is not None and is_held else None
    if options.as_json:
        tell(options, {"desks": answers})
    else:
        _draw(answers)
    _end(answers)


def kill(
    options: Options,
    servers: From = None,
    desk: Desks = None,
    reason: Reason = NO_REASON,
    is_flatten: Annotated[bool, flag("Also close all positions.", "--flatten")] = False,
) -> None:
    """Press the kill switch of every desk. One whose engine cannot be reached is named: it is
    killed when that can be reached again, or when the next one starts."""
    from pointsman.cluster.fleet_kill import FleetKill

    wanted = FleetKill(
        is_set=True,
        flatten=is_flatten,
        by=asker(),
        reason=reason.strip() or NO_REASON,
        at_ns=time.time_ns(),
    )
    with _fleet(options, servers) as fleet:
        answers = fleet.kill(desk or fleet.desks(), wanted)
    _tell_each(options, answers, "killed, all is being closed" if is_flatten else "killed")
    for name, answer in answers.items():
        if answer.get("ok") and not answer["durable"]:
            complain(f"warning: {name}: the latch file cannot be written: it holds in memory only")
    _end(answers)


def rearm(options: Options, reason: Reason, servers: From = None, desk: Desks = None) -> None:
    """Release the kill switch of every desk whose engine answers."""
    from pointsman.cluster.fleet_kill import FleetKill

    by = asker()
    cleared = FleetKill(is_set=False, by=by, reason=reason, at_ns=time.time_ns())
    with _fleet(options, servers) as fleet:
        request = encode(Rearm(reason=reason, by=by))
        answers = fleet.rearm(desk or fleet.desks(), request, cleared)
    _tell_each(options, answers, "rearmed")
    _end(answers)


def pause(options: Options, reason: Reason, servers: From = None, desk: Desks = None) -> None:
    """No new entries on any desk; exits go on."""
    _ask_each(options, servers, desk, Pause(va=None, reason=reason, by=asker()), "paused")


def resume(options: Options, reason: Reason, servers: From = None, desk: Desks = None) -> None:
    """Entries again on every desk that is not killed."""
    _ask_each(options, servers, desk, Resume(va=None, reason=reason, by=asker()), "resumed")


def _ask_each(
    options: Options, servers: str | None, desk: list[str] | None, request: Request, done: str
) -> None:
    with _fleet(options, servers) as fleet:
        answers = fleet.ask(desk or fleet.desks(), encode(request))
    _tell_each(options, answers, done)
    _end(answers)


@contextmanager
def _fleet(options: Options, servers: str | None) -> "Iterator[Fleet]":
    settings = given_settings(options, servers, None).loaded().settings
    with known_endings():
        from pointsman.cluster.fleet import Fleet
        from pointsman.cluster.membership import connect

        with closing(connect(settings)) as connection:
            yield Fleet(connection)


def _tell_each(options: Options, answers: Answers, done: str) -> None:
    lines = [
        f"{desk}: {done if answer.get('ok') else answer.get('error')}"
        for desk, answer in answers.items()
    ]
    tell(options, {"desks": answers}, *(lines or ["there are no desks"]))


def _end(answers: Answers) -> None:
    """End with the code of the first desk that did not do it."""
    for answer in answers.values():
        if not answer.get("ok"):
            raise typer.Exit(int(answer.get("exit", ExitCode.FAILURE)))


def _draw(answers: Answers) -> None:
    from pointsman.terminal.fleet import fleet_listing
    from pointsman.terminal.text import console

    console().print(fleet_listing(answers))
