"""`pointsman simulate`: what is asked, and what is shown."""

import json

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from pointsman.cli import simulate
from pointsman.simulator.faults import Fault
from pointsman.simulator.outcome import Failure, SeedOutcome, summarize

RUNNER = CliRunner()


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    for name in ("KILL_SWITCH_ENABLED", "ORDER_SETTLE_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    made = typer.Typer()
    made.callback()(lambda: None)
    simulate.register(made)
    return made


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--seeds", "0"], "seeds"),
        (["--faults", "bann"], "no such fault"),
        (["--faults", ","], "name at least one fault"),
        (["--hours", "0"], "hours"),
        (["--hours", "soon"], "hours"),
        (["--hours", "25"], "hours"),
    ],
)
def test_bad_input_is_named(app: typer.Typer, arguments: list[str], told: str) -> None:
    result = RUNNER.invoke(app, ["simulate", *arguments])
    assert result.exit_code == 2
    assert told in result.output


@pytest.mark.parametrize(
    ("name", "value"), [("KILL_SWITCH_ENABLED", "true"), ("ORDER_SETTLE_SECONDS", "1")]
)
def test_settings_that_contradict_a_simulation_are_named(
    app: typer.Typer, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    result = RUNNER.invoke(app, ["simulate", "--hours", "0.02"])
    assert result.exit_code == 2
    assert name in result.output


def test_one_line_a_seed_then_a_summary(app: typer.Typer) -> None:
    result = RUNNER.invoke(app, ["simulate", "--seeds", "2", "--seed", "5", "--hours", "0.05"])
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0].startswith("1/2  seed 5 ")
    assert lines[1].startswith("2/2  seed 6 ")
    assert "failed: none" in lines


def test_json_is_one_document(app: typer.Typer) -> None:
    given = ["simulate", "--json", "--hours", "0.05", "--faults", "none"]
    document = json.loads(RUNNER.invoke(app, given).stdout)
    assert document["summary"]["failed"] == []
    assert document["summary"]["faults"] == {}
    assert [seed["failure"] for seed in document["seeds"]] == [None]


def test_every_kind_of_fault_that_was_allowed_is_counted(app: typer.Typer) -> None:
    given = ["simulate", "--hours", "0.05", "--faults", "halt,liquidation"]
    shown = RUNNER.invoke(app, given).output.partition("faults:\n")[2].splitlines()[0].split()
    assert shown[::2] == ["halt", "liquidation"]
    assert all(count.isdigit() for count in shown[1::2])


FAILED = SeedOutcome(
    9, 10**12, 5, 1, 1, 1, 0, {}, (3 * 10**9,), "", Failure(9, 5, 2 * 10**9, "I7", "naked", ("a",))
)


def test_a_failure_says_how_it_is_replayed() -> None:
    lines = simulate.failure_lines(FAILED.failure, " --hours 2")
    assert lines[-1].endswith("pointsman simulate --seeds 1 --seed 9 --hours 2")
    assert any("step 5" in line for line in lines)
    assert simulate.outcome_line(FAILED).endswith("FAILED I7")
    assert "failed: 9" in simulate.summary_lines(summarize([FAILED]))


def test_one_of_a_kind_is_said_in_the_singular() -> None:
    shown = simulate.summary_lines(summarize([FAILED]))[1]
    assert shown == "1 seed, 0.3 hours: 1 signal, 1 order, 1 fill, 0 crashes survived"


@pytest.mark.parametrize("most", [0, 9_999, 10_000, 10**9])
def test_the_summary_fits_80_columns_and_every_count_stands_beside_its_fault(most: int) -> None:
    counts = {fault.value: most - place for place, fault in enumerate(Fault) if place <= most}
    outcome = msgspec.structs.replace(FAILED, faults=counts, failure=None)
    lines = simulate.summary_lines(summarize([outcome], Fault))
    assert max(map(len, lines)) <= 80
    start, end = lines.index("faults:") + 1, lines.index("", 1)
    words = [word for line in lines[start:end] for word in line.split()]
    shown = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    assert shown == {fault.value: counts.get(fault.value, 0) for fault in Fault}


def test_a_naked_time_beyond_the_deadline_is_explained() -> None:
    """RULES 25, in the words of the summary; without faults it ends alike."""
    lines = simulate.summary_lines(summarize([FAILED]))
    assert lines[-5:] == simulate.LEGEND.splitlines()
    assert "naked: longest 3.00 s, in all 3.00 s" in lines
    assert "PROTECTION_DEADLINE_SECONDS" in simulate.LEGEND
