"""`pointsman simulate`: bad days on virtual time, with the settings of this machine.

One line a seed on standard output, or one JSON document at the end; for a seed that fails, what
broke, what led to it, and the command that replays it.
"""

import sys
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from pointsman.cli.options import Options, read_settings, takes_options, whole_option
from pointsman.domain.timestamps import SECOND_NS
from pointsman.engine.exit_codes import ExitCode

if TYPE_CHECKING:
    from pointsman.config.settings import Settings
    from pointsman.simulator.faults import Fault
    from pointsman.simulator.outcome import Failure, SeedOutcome, Summary

HOUR_NS = 3_600 * SECOND_NS
HOURS_MAX = 24
SEEDS_MAX = 1_000_000
_BAR = 40
_WIDTH = 80

LEGEND = """\
naked: how long something held was not all covered by a stop at the venue, the
longest spell and all spells together. One may outlast the deadline,
PROTECTION_DEADLINE_SECONDS, only where requests or answers were lost, late or
wrong, or a crash or another fault came between, and only by what that cost.
Every spell is checked against the log of faults; one too long fails its seed."""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("simulate")(takes_options(simulate))


def simulate(
    options: Options,
    seeds: Annotated[int, whole_option("--seeds", "N", "How many seeds.", 1, SEEDS_MAX)] = 1,
    seed: Annotated[int, whole_option("--seed", "K", "The first seed.", 0)] = 0,
    hours: Annotated[
        str,
        typer.Option("--hours", metavar="H", help="Hours on virtual time that each seed lasts."),
    ] = "1",
    faults: Annotated[
        str | None,
        typer.Option("--faults", metavar="LIST", help="Only these, comma-separated; or none."),
    ] = None,
) -> None:
    """Bad days on virtual time: the whole engine against a hostile venue, faults and crashes."""
    from pointsman.simulator.campaign import simulate as run
    from pointsman.simulator.outcome import summarize

    lasting_ns, kinds = _lasting_ns(hours), _kinds(faults)
    settings = read_settings(options).settings
    _refuse_contradictions(settings)
    replay = _replay_options(hours, faults)
    outcomes = []
    policy = settings.policy({})
    for outcome in run(range(seed, seed + seeds), policy, lasting_ns, kinds):
        outcomes.append(outcome)
        progress = f"{len(outcomes):>{len(str(seeds))}}/{seeds}  "
        lines = [progress + outcome_line(outcome), *failure_lines(outcome.failure, replay)]
        typer.echo("\n".join(lines), err=options.as_json)
    summary = summarize(outcomes, kinds)
    if options.as_json:
        document = {"summary": summary, "seeds": outcomes}
        typer.echo(msgspec.json.encode(document).decode())
    else:
        typer.echo("\n".join(summary_lines(summary)))
    sys.stdout.flush()
    if summary.failed:
        raise typer.Exit(ExitCode.FAILURE)


# -- what is asked -------------------------------------------------------------------------------


def _lasting_ns(hours: str) -> int:
    try:
        lasting = Decimal(hours)
    except InvalidOperation:
        lasting = Decimal(0)
    if not (lasting.is_finite() and Decimal("0.02") <= lasting <= HOURS_MAX):
        raise typer.BadParameter(
            f"{hours}: write a number of hours from 0.02 to {HOURS_MAX}", param_hint="--hours"
        )
    return int(lasting * HOUR_NS)


def _kinds(names: str | None) -> "tuple[Fault, ...]":
    from pointsman.config.problems import did_you_mean
    from pointsman.simulator.faults import Fault

    if names is None:
        return tuple(Fault)
    known = {fault.value: fault for fault in Fault}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if wanted == ["none"]:
        return ()
    for name in wanted:
        if name not in known:
            raise typer.BadParameter(
                f"{name}: no such fault{did_you_mean(name, known)}; there are {', '.join(known)}",
                param_hint="--faults",
            )
    if not wanted:
        raise typer.BadParameter("name at least one fault, or none", param_hint="--faults")
    return tuple(known[name] for name in wanted)


def _refuse_contradictions(settings: "Settings") -> None:
    """What would let nothing trade, or leave no time to keep a promise."""
    if settings.kill_switch_enabled:
        raise typer.BadParameter(
            "KILL_SWITCH_ENABLED=true prevents all trading; set it to false to simulate",
            param_hint="settings",
        )
    if settings.order_settle_seconds < settings.submit_timeout_seconds:
        raise typer.BadParameter(
            f"ORDER_SETTLE_SECONDS={settings.order_settle_seconds} is less than "
            f"SUBMIT_TIMEOUT_SECONDS={settings.submit_timeout_seconds}: an order would be given up "
            "before it is even in doubt",
            param_hint="settings",
        )


def _replay_options(hours: str, faults: str | None) -> str:
    given = "" if hours == "1" else f" --hours {hours}"
    return given if faults is None else f"{given} --faults {faults}"


# -- what came of it -----------------------------------------------------------------------------


def outcome_line(outcome: "SeedOutcome") -> str:
    """One seed on one line."""
    spells = outcome.naked_ns
    verdict = "ok" if outcome.failure is None else f"FAILED {outcome.failure.invariant}"
    return (
        f"seed {outcome.seed:<7} {outcome.simulated_ns / HOUR_NS:5.2f} h"
        f"  signals {outcome.signals:>4}  orders {outcome.orders:>4}  fills {outcome.fills:>4}"
        f"  faults {sum(outcome.faults.values()):>5}  crashes {outcome.crashes:>3}"
        f"  naked {max(spells, default=0) / SECOND_NS:6.2f} s of {sum(spells) / SECOND_NS:7.2f} s"
        f"  {verdict}"
    )


def failure_lines(failure: "Failure | None", replay: str) -> list[str]:
    """What broke, what led to it, and how to see it again."""
    if failure is None:
        return []
    return [
        f"  {failure.what}",
        f"  at step {failure.step}, {failure.at_ns / SECOND_NS:.3f} s; before it:",
        *(f"    {line}" for line in failure.trail),
        f"  replay: pointsman simulate --seeds 1 --seed {failure.seed}{replay}",
    ]


def summary_lines(summary: "Summary") -> list[str]:
    """All seeds together, and what naked means."""
    from pointsman.terminal.text import counted

    failed = ", ".join(map(str, summary.failed)) or "none"
    crashes = counted(summary.crashes, "crash", "crashes")
    return [
        "",
        f"{counted(summary.seeds, 'seed')}, {summary.hours:.1f} hours: "
        f"{counted(summary.signals, 'signal')}, {counted(summary.orders, 'order')}, "
        f"{counted(summary.fills, 'fill')}, {crashes} survived",
        f"failed: {failed}",
        f"naked: longest {summary.naked_seconds_max:.2f} s, "
        f"in all {summary.naked_seconds_total:.2f} s",
        *_histogram(summary.naked_histogram),
        "faults:" if summary.faults else "faults: none",
        *_table(summary.faults),
        "",
        *LEGEND.splitlines(),
    ]


def _table(counts: dict[str, int]) -> list[str]:
    """Names and counts, in as many columns as a terminal has room for, read downwards."""
    names = max(map(len, counts), default=0)
    digits = max((len(str(count)) for count in counts.values()), default=0)
    cells = [f"  {name:<{names}} {count:>{digits}}" for name, count in counts.items()]
    rows = -(-len(cells) // (_WIDTH // (names + digits + 3)))
    return ["".join(cells[row::rows]) for row in range(rows)]


def _histogram(counts: dict[int, int]) -> Sequence[str]:
    most = max(counts.values(), default=0) or 1
    lines = []
    for end_ms, count in counts.items():
        name = "longer" if end_ms < 0 else f"<= {end_ms / 1_000:g} s"
        lines.append(f"  {name:>10}  {count:>7}  {'#' * -(-count * _BAR // most)}".rstrip())
    return lines
