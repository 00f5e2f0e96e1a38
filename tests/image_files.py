"""The Dockerfile and docker-compose.yml, read as files."""

import json
import re
from typing import Any

import yaml

from tests.as_installed import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
_COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = _COMPOSE["services"]
SERVICE = SERVICES["trading-engine"]
VOLUMES = _COMPOSE["volumes"]


def settings_of(service: dict[str, Any]) -> dict[str, str]:
    """The environment where neither the shell nor .env says otherwise: `${NAME:-default}`."""
    given = service["environment"].items()
    return {name: re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", value) for name, value in given}


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
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def start_command() -> list[str]:
    """What the image starts."""
    words: list[str] = json.loads(image_instructions("CMD")[-1])
    return words


def health_command() -> list[str]:
    """What the image asks to know that it is well."""
    words: list[str] = json.loads(image_instructions("HEALTHCHECK")[0].partition("CMD ")[2])
    return words
