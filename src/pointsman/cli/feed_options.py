"""The flags of `run` that say where quotes and signals come from, and how fast.

Each function raises typer.BadParameter with the flag, what was written and what to write instead.
"""

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pointsman.config.known_venues import PAPER

if TYPE_CHECKING:
    from pointsman.config.settings import Settings

SPEED_MAX = 100_000
SIM, DEMO, NONE, STANDARD_INPUT, HTTP = "sim", "demo", "none", "-", "http"
ARRIVING = {STANDARD_INPUT: "standard input", HTTP: "HTTP"}
"""Markets whose quotes come as they are, and how."""


def default_market(settings: "Settings") -> str:
    """Where quotes come from if nobody says: at a real venue never from a simulation."""
    return SIM if settings.venue == PAPER else HTTP


def read_market(names: list[str]) -> tuple[str, tuple[Path, ...]]:
    """The kind of market, which is sim, -, http or FILE, and the files."""
    if names in ([SIM], [STANDARD_INPUT], [HTTP]):
        return names[0], ()
    for word in (SIM, STANDARD_INPUT, HTTP):
        if word in names:
            raise typer.BadParameter(
                f"{word} cannot be combined with another market; name it alone, or files only",
                param_hint="--market",
            )
    return "FILE", tuple(_file("--market", name) for name in names)


def read_signals(kind: str, speed: int | None, text: str | None) -> str:
    """Where signals come from: demo, none, - or the name of a file."""
    if text is None:
        return DEMO if kind == SIM else NONE
    if text == DEMO and kind != SIM:
        raise typer.BadParameter(
            "the demo signals need the simulated market; name a file, - or none",
            param_hint="--signals",
        )
    if text == STANDARD_INPUT and kind != SIM:
        raise typer.BadParameter(
            "signals on standard input need --market sim; here name a file or none",
            param_hint="--signals",
        )
    if text == STANDARD_INPUT and speed is None:
        raise typer.BadParameter(
            "signals on standard input cannot be used with --speed max; leave it out",
            param_hint="--signals",
        )
    if text not in (DEMO, NONE, STANDARD_INPUT):
        _file("--signals", text)
    return text


def _file(flag: str, name: str) -> Path:
    path = Path(name)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise typer.BadParameter(
            f"{name}: {error.strerror}; name a file that can be read", param_hint=flag
        ) from None
    if stat.S_ISDIR(mode):
        raise typer.BadParameter(f"{name} is a folder; name the files in it", param_hint=flag)
    if not stat.S_ISREG(mode):
        raise typer.BadParameter(
            f"{name} is not a regular file; name one, or - for standard input", param_hint=flag
        )
    return path


def read_speed(kind: str, text: str | None) -> int | None:
    """Times real time; None is as fast as it goes."""
    if text is None:
        return None if kind == "FILE" else 1
    if kind in ARRIVING and text != "1":
        raise typer.BadParameter(
            f"{text}: quotes on {ARRIVING[kind]} need speed 1", param_hint="--speed"
        )
    if text == "max":
        return None
    if not text.isdigit() or not 1 <= int(text) <= SPEED_MAX:
        raise typer.BadParameter(
            f"{text}: write max, or a whole number from 1 to {SPEED_MAX}", param_hint="--speed"
        )
    return int(text)
