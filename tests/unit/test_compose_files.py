"""The image and its compose file, as files: what they promise is what the program has.

No Docker is needed. `tests/integration/test_image_command.py` runs what the image starts.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pointsman.config.fields import NAMES, SECRETS, SettingFields
from pointsman.config.settings import resolve_settings
from tests.as_installed import ROOT
from tests.image_files import (
    DOCKERFILE,
    SERVICE,
    SERVICES,
    VOLUMES,
    health_command,
    image_environment,
    image_instructions,
    settings_of,
)

PROMISED = """
    DATABASE_PATH MAX_LOSS_COOLDOWN COOLDOWN_DURATION_SECONDS MAX_SPREAD_BPS MAX_SLIPPAGE_BPS
    MAX_LATENCY_MS TRADING_WINDOW_START TRADING_WINDOW_END RECONCILE_INTERVAL_SECONDS
    KILL_SWITCH_ENABLED MAX_POSITION_SIZE MAX_OPEN_POSITIONS_PER_VA STOP_LOSS_PERCENTAGE
"""
"""The settings that every user may count on."""

OF_THE_CONTAINER = {
    "DATABASE_PATH": "/data/trading.db",
    "TOKENS_PATH": "/data/tokens",
    "HTTP_HOST": "0.0.0.0",
}
"""What the container itself decides, and differs from the defaults of the program."""

MONITORING = ("prometheus", "grafana")


@pytest.fixture
def service() -> dict[str, Any]:
    """The engine's service."""
    return SERVICE


# --- compose --------------------------------------------------------------------------------------


def test_it_has_every_setting_with_the_default_of_the_program(service: dict[str, Any]) -> None:
    """One that were missing here would silently stay at its default, whatever .env says."""
    settings = settings_of(service)
    assert set(PROMISED.split()) <= set(settings)
    assert set(settings) == set(NAMES)
    differing = {**OF_THE_CONTAINER, "HTTP_ALLOWED_HOSTS": "trading-engine"}
    for name, value in settings.items():
        default = SettingFields.model_fields[name.lower()].default
        assert value == differing.get(name, default), name


def test_each_setting_can_be_changed_from_dotenv_but_those_of_the_container(
    service: dict[str, Any],
) -> None:
    fixed = {*OF_THE_CONTAINER, "HTTP_PORT"}
    for name, value in service["environment"].items():
        assert value.startswith(f"${{{name}:-") is (name not in fixed), name


def test_no_secret_stands_in_the_files(service: dict[str, Any]) -> None:
    settings = settings_of(service)
    assert {settings[name] for name in SECRETS} == {""}
    assert not SECRETS & set(image_environment())


def test_its_settings_are_sound_without_any_dotenv(service: dict[str, Any]) -> None:
    loaded = resolve_settings(settings_of(service), None, {})
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
    assert name in VOLUMES
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


# --- monitoring -----------------------------------------------------------------------------------


def test_without_the_profile_the_engine_is_all_that_starts() -> None:
    assert [name for name, each in SERVICES.items() if "profiles" not in each] == ["trading-engine"]
    assert {name: each.get("profiles") for name, each in SERVICES.items()} == {
        "trading-engine": None,
        **{name: ["monitoring"] for name in MONITORING},
    }


@pytest.mark.parametrize("name", MONITORING)
def test_monitoring_is_pinned_reached_from_this_machine_only_and_changes_no_file(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[a-z]+/[a-z]+:v?\d+\.\d+\.\d+", service["image"])
    assert all(re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port) for port in service["ports"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    for volume in service["volumes"]:
        source, _, place = volume.partition(":")
        if source.startswith("./"):
            assert place.endswith(":ro")
            assert (ROOT / source).exists(), source
        else:
            assert source in VOLUMES


def test_nobody_can_log_in_to_grafana_and_so_there_is_no_password() -> None:
    settings = SERVICES["grafana"]["environment"]
    assert settings["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert settings["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"
    assert settings["GF_AUTH_BASIC_ENABLED"] == "false"
    assert settings["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert not any("PASSWORD" in name for name in settings)


# --- image ----------------------------------------------------------------------------------------


def test_rule_38_the_image_runs_headless_as_an_unprivileged_user_with_its_data_in_a_volume() -> (
    None
):
    assert json.loads(image_instructions("CMD")[-1]) == ["pointsman", "run", "--headless"]
    assert image_instructions("USER") == ["pointsman"]
    assert image_instructions("VOLUME") == ["/data"]
    assert image_instructions("FROM")[-1] == "python:3.11-slim"
    assert OF_THE_CONTAINER.items() <= image_environment().items()


def test_what_it_installs_is_the_lock_and_nothing_besides() -> None:
    installs = re.findall(r"pip install ([^&\n]*)", DOCKERFILE)
    assert [each.strip() for each in installs] == [
        "--requirement /build/requirements-run.txt",
        "--requirement /build/requirements-calendar.txt",
        "--requirement /build/requirements-cluster.txt",
        "--no-deps /build",
    ]
    _, build, image = DOCKERFILE.split("\nFROM ")
    of_the_system = re.findall(r"apt-get install ([^&\n]*)", build)
    assert of_the_system == ["--yes --no-install-recommends binutils"]
    assert "apt-get" not in image


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


def pins_of(name: str) -> dict[str, str]:
    """Package and version, with the Python versions that they are for."""
    lines = (ROOT / name).read_text("utf-8").splitlines()
    return {line: line.partition("==")[0] for line in lines if re.match(r"\S+==", line)}


def test_the_pins_of_the_image_are_those_of_the_tests() -> None:
    tested, run, calendar = (
        pins_of(f"requirements{kind}.txt") for kind in ("", "-run", "-calendar")
    )
    assert set(run) < set(tested)
    assert not {"pytest", "mypy", "ruff"} & set(run.values())
    shared = set(calendar.values()) & set(tested.values())
    assert {line for line, name in calendar.items() if name in shared} < set(tested)


def test_pandas_and_numpy_come_with_the_calendar_alone() -> None:
    heavy = {"pandas", "numpy", "exchange-calendars"}
    assert heavy <= set(pins_of("requirements-calendar.txt").values())
    assert not heavy & {*pins_of("requirements-run.txt").values()}
    assert not heavy & {*pins_of("requirements.txt").values()}
    assert image_instructions("ARG") == ["CALENDAR=", "CLUSTER="]
