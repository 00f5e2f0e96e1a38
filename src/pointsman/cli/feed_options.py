"""The flags of `run` that say where quotes and signals come from, and how fast.

Each function raises typer.BadParameter with the flag, what was written and what to write instead.
"""

import errno
import stat
from collections.abc import Sequence
from pathlib import Path

import typer

from pointsman.config.known_venues import KNOWN_VENUES, PAPER
from pointsman.config.problems import did_you_mean

SPEED_MAX = 100_000
SIM, DEMO, NONE, STANDARD_INPUT, HTTP = "sim", "demo", "none", "-", "http"
VENUE = "venue"
VENUES = tuple(KNOWN_VENUES)
"""Venues whose quotes can be had live."""

ARRIVING = {STANDARD_INPUT: "standard input", HTTP: "HTTP"} | {
    name: f"the market of {name}" for name in VENUES
}
"""Markets whose quotes come as they are, and how."""

MARKETS = (SIM, VENUE, *ARRIVING)
SIGNALS = (DEMO, NONE, STANDARD_INPUT)


def read_market(names: list[str], venue: str) -> tuple[str, tuple[Path, ...]]:
    """The kind of market, which is sim, -, http, FILE or the name of a venue, and the files.
    `venue` is where orders go: a real one is traded on its own quotes, or those that are given to
    us, and never on those of the past or of nowhere."""
    if not names:
        names = [SIM if venue == PAPER else VENUE]
    if names == [VENUE]:
        if venue == PAPER:
            raise _bad_market(f"venue: orders go to paper; name one of {', '.join(VENUES)}")
        names = [venue]
    for word in MARKETS:
        if word in names and len(names) > 1:
            alone = "name it alone, or files only"
            raise _bad_market(f"{word} cannot be combined with another market; {alone}")
    kind = names[0] if names[0] == SIM or names[0] in ARRIVING else "FILE"
    if venue != PAPER and kind not in (venue, STANDARD_INPUT, HTTP):
        raise _bad_market(f"{names[0]}: orders go to {venue}; use venue, for its own quotes")
    return kind, tuple(_file("--market", name, MARKETS) for name in names) if kind == "FILE" else ()


def _bad_market(told: str) -> typer.BadParameter:
    return typer.BadParameter(told, param_hint="--market")


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
    if text not in SIGNALS:
        _file("--signals", text, SIGNALS)
    return text


def _file(flag: str, name: str, words: Sequence[str]) -> Path:
    """A file that can be read; `words` is what could be meant instead of one."""
    path = Path(name)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        hint = did_you_mean(name, words) if error.errno == errno.ENOENT else ""
        raise typer.BadParameter(
            f"{name}: {error.strerror}; name a file that can be read, or one of "
            f"{', '.join(words)}{hint}",
            param_hint=flag,
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
