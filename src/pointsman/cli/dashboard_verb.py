"""`pointsman dashboard`: the terminal that it needs, and the engine or database that it shows."""

import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from pointsman.cli.ending import fail
from pointsman.cli.options import Options, read_settings, takes_options
from pointsman.engine.exit_codes import ExitCode

if TYPE_CHECKING:
    from pointsman.config.settings import Settings
    from pointsman.dashboard.links import Link


_DUMB = ("dumb", "unknown")


class ThemeName(StrEnum):
    """The themes of the dashboard."""

    DARK = "dark"
    LIGHT = "light"
    TERMINAL = "terminal"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("dashboard")(takes_options(dashboard))


def dashboard(
    options: Options,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            help="An engine elsewhere, http://HOST:8080; needs CONTROL_TOKEN or READ_TOKEN.",
        ),
    ] = None,
    theme: Annotated[
        ThemeName | None,
        typer.Option(
            "--theme", help="Colours; by default light in a terminal that says it is light."
        ),
    ] = None,
) -> None:
    """Watch and steer a running engine, over the socket beside its database or over HTTP."""
    settings = read_settings(options).settings
    if not _is_on_a_terminal():
        fail("The dashboard needs a terminal. Without one, use `pointsman status`.", ExitCode.USAGE)
    if is_dumb():
        fail(
            f"The dashboard cannot be shown on a terminal of the type TERM={os.environ['TERM']}. "
            "Set TERM to what yours is, such as xterm-256color, or use `pointsman status`.",
            ExitCode.USAGE,
        )
    # What cannot work is said here, while the terminal is still a plain one.
    link = _local(settings) if url is None else _remote(url, settings)
    from pointsman.dashboard.app import Dashboard

    chosen = None if theme is None else theme.value
    shown = Dashboard(link, is_colourless="NO_COLOR" in os.environ, theme=chosen)
    shown.run()
    if shown.return_code:
        raise typer.Exit(shown.return_code)


def is_dumb() -> bool:
    """Whether the terminal says of itself that it can do no more than print lines."""
    return os.environ.get("TERM") in _DUMB


def _local(settings: "Settings") -> "Link":
    from pointsman.dashboard.links import link_to
    from pointsman.storage.reader import reading

    with reading(settings.database_path):
        pass
    return link_to(settings)


def _remote(url: str, settings: "Settings") -> "Link":
    from pointsman.config.tokens import with_made_tokens
    from pointsman.dashboard.http_link import (
        BadUrl,
        Remote,
        TokenRefused,
        link_over_http,
        picture_of,
    )
    from pointsman.dashboard.links import Unreachable
    from pointsman.storage.errors import StorageError

    if _is_this_machine(url) or settings.tokens_path is not None:
        settings = with_made_tokens(settings, settings.database_path)
    try:
        remote = Remote(url, settings.control_token or settings.read_token)
    except BadUrl as error:
        raise typer.BadParameter(str(error), param_hint="--url") from None
    link = link_over_http(remote, settings)
    try:
        picture_of(remote)
    except TokenRefused as refused:
        fail(str(refused))
    except Unreachable as lost:
        try:
            link.last()
        except (StorageError, OSError):
            here = f"no database here to show instead ({settings.database_path})"
            fail(f"{lost}; start it, or check --url; {here}")
    return link


def _is_this_machine(url: str) -> bool:
    """Whether a URL leads to this machine: no other one is sent the tokens of the engine here."""
    from urllib.parse import urlsplit

    from pointsman.config.addresses import is_loopback

    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False


def _is_on_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()
