"""The image and its compose file, as files: what they promise is what the program has.

No Docker is needed. The start command of the image is run as an ordinary process, with the same
environment.
"""

import json
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from pointsman.config.fields import NAMES, SettingFields
from pointsman.config.settings import load_settings
from tests.as_installed import ROOT, as_installed

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE = (ROOT / "docker-compose.yml").read_text("utf-8")
PATIENCE_SECONDS = 40.0

PROMISED = """
    DATABASE_PATH MAX_LOSS_COOLDOWN COOLDOWN_DURATION_SECONDS MAX_SPREAD_BPS MAX_SLIPPAGE_BPS
    MAX_LATENCY_MS TRADING_WINDOW_START TRADING_WINDOW_END RECONCILE_INTERVAL_SECONDS
    KILL_SWITCH_ENABLED MAX_POSITION_SIZE MAX_OPEN_POSITIONS_PER_VA STOP_LOSS_PERCENTAGE
"""
"""The settings that every user may count on."""

OF_THE_CONTAINER = {"DATABASE_PATH": "/data/trading.db", "HTTP_HOST": "0.0.0.0"}
"""What differs in a container from the defaults of the program."""


@pytest.fixture(scope="module")
def service() -> dict[str, Any]:
    """The one service."""
    services = yaml.safe_load(COMPOSE)["services"]
    assert list(services) == ["trading-engine"]
    found: dict[str, Any] = services["trading-engine"]
    return found


def without_dotenv(value: str) -> str:
    """What `${NAME:-default}` is where neither the shell nor .env says otherwise."""
    return re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", value)


def settings_of(service: dict[str, Any]) -> dict[str, str]:
    return {name: without_dotenv(value) for name, value in service["environment"].items()}


def image_instructions(word: str) -> list[str]:
    """What follows each instruction of that name, its continued lines joined."""
    whole = DOCKERFILE.replace("\\\n", " ")
    return [line.partition(" ")[2] for line in whole.splitlines() if line.startswith(f"{word} ")]


def image_environment() -> dict[str, str]:
    """The variables of the last stage."""
    stage = DOCKERFILE.replace("\\\n", " ").rpartition("\nFROM ")[2]
    pairs = [
        part for line in stage.splitlines() if line.startswith("ENV ") for part in line.split()
    ]
    return dict(pair.split("=", 1) for pair in pairs[1:])


def health_command() -> list[str]:
    words: list[str] = json.loads(image_instructions("HEALTHCHECK")[0].partition("CMD ")[2])
    return words


# --- compose --------------------------------------------------------------------------------------


def test_every_setting_it_names_exists_and_has_the_default_of_the_program(
    service: dict[str, Any],
) -> None:
    settings = settings_of(service)
    assert set(PROMISED.split()) <= set(settings) <= set(NAMES)
    for name, value in settings.items():
        default = SettingFields.model_fields[name.lower()].default
        assert value == OF_THE_CONTAINER.get(name, default), name


def test_each_setting_can_be_changed_from_dotenv_but_those_of_the_container(
    service: dict[str, Any],
) -> None:
    fixed = {*OF_THE_CONTAINER, "HTTP_PORT"}
    for name, value in service["environment"].items():
        assert value.startswith(f"${{{name}:-") is (name not in fixed), name


def test_its_settings_are_sound_without_any_dotenv(service: dict[str, Any]) -> None:
    loaded = load_settings(settings_of(service), None, {})
    assert not loaded.warnings
    assert loaded.settings.database_path == Path("/data/trading.db")


def test_only_this_machine_reaches_the_port_and_the_data_outlives_the_container(
    service: dict[str, Any],
) -> None:
    assert service["build"] == "."
    assert service["ports"] == ["127.0.0.1:8080:8080"]
    (volume,) = service["volumes"]
    name, _, place = volume.partition(":")
    assert place == "/data"
    assert name in yaml.safe_load(COMPOSE)["volumes"]
    assert service["restart"] == "unless-stopped"
    assert service["stop_grace_period"] == "30s"
    assert service["init"] is True


def test_it_can_write_nothing_but_its_data_and_gain_no_rights(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    user, _, group = service["user"].partition(":")
    assert f"--uid {user} " in DOCKERFILE
    assert f"--gid {group} " in DOCKERFILE
    assert "privileged" not in service
    assert "tty" not in service


# --- image ----------------------------------------------------------------------------------------


def test_rule_38_the_image_runs_headless_as_an_unprivileged_user_with_its_data_in_a_volume() -> (
    None
):
    assert json.loads(image_instructions("CMD")[-1]) == ["pointsman", "run", "--headless"]
    assert image_instructions("USER") == ["pointsman"]
    assert image_instructions("VOLUME") == ["/data"]
    assert image_instructions("FROM")[-1] == "python:3.11-slim"
    assert OF_THE_CONTAINER.items() <= image_environment().items()


def test_everything_that_it_copies_is_there_and_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    sources = [
        source
        for line in image_instructions("COPY")
        if "--from=" not in line
        for source in line.split()[:-1]
    ]
    assert "src" in sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert source not in ignored


def test_the_image_and_compose_ask_the_same_of_its_health(service: dict[str, Any]) -> None:
    check = service["healthcheck"]
    assert check["test"] == ["CMD", *health_command()]
    assert health_command()[0] == "python"
    options = dict(re.findall(r"--([a-z-]+)=(\S+)", image_instructions("HEALTHCHECK")[0]))
    assert options.pop("retries") == str(check["retries"])
    assert options == {name: check[name.replace("-", "_")] for name in options}


def test_the_pins_of_the_image_are_those_of_the_tests() -> None:
    tested, run = (
        {line for line in (ROOT / name).read_text("utf-8").splitlines() if "==" in line}
        for name in ("requirements.txt", "requirements-run.txt")
    )
    assert run < tested
    assert not any(line.startswith(("pytest", "mypy", "ruff")) for line in run)


# --- the start command as a process ---------------------------------------------------------------


@pytest.fixture
def in_place_of_the_container(tmp_path: Path, service: dict[str, Any]) -> dict[str, str]:
    """The environment of the container, with another folder for /data and `pointsman` as a
    command."""
    database = str(tmp_path / "trading.db")
    inside = {**image_environment(), **settings_of(service)}
    return {**inside, **as_installed(tmp_path), "DATABASE_PATH": database}


def test_the_start_command_trades_is_healthy_and_stops_cleanly(
    tmp_path: Path, in_place_of_the_container: dict[str, str]
) -> None:
    environment = in_place_of_the_container
    log = tmp_path / "log"
    with log.open("w") as stream:
        engine = subprocess.Popen(
            json.loads(image_instructions("CMD")[-1]),
            env=environment,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        assert is_healthy(environment, tmp_path, engine), log.read_text()
    finally:
        engine.send_signal(signal.SIGTERM)
        code = engine.wait(PATIENCE_SECONDS)
    assert code == 128 + signal.SIGTERM, log.read_text()
    lines = log.read_text()
    assert "started" in lines
    assert "\x1b" not in lines
    assert health(environment, tmp_path) != 0, "nothing runs any more"


def is_healthy(environment: dict[str, str], folder: Path, engine: subprocess.Popen[bytes]) -> bool:
    """Whether the health check passes before patience ends."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while engine.poll() is None and time.monotonic() < give_up_at:
        if health(environment, folder) == 0:
            return True
    return False


def health(environment: dict[str, str], folder: Path) -> int:
    """The exit code of the health check."""
    words = health_command()
    done = subprocess.run(words, env=environment, cwd=folder, capture_output=True, check=False)
    return done.returncode
