"""`stop` and `notify test`: what a person does with the service around the engine."""

import os
import signal
import time
from typing import Annotated

import typer

from pointsman.cli.ending import fail, tell
from pointsman.cli.options import Options, database_of, read_settings, takes_options, whole_option

_LOOK_SECONDS = 0.05  # not money: seconds
_TITLE = "pointsman: a test"
_TEXT = "This is a test by `pointsman notify test`. Notices of this engine arrive here."


def register(app: typer.Typer, notify: typer.Typer) -> None:
    """Add the verbs."""
    app.command("stop")(takes_options(stop))
    notify.command("test")(takes_options(test_notices))


def stop(
    options: Options,
    seconds: Annotated[
        int, whole_option("--timeout", "SECONDS", "How long to wait for its end.", 1)
    ] = 30,
) -> None:
    """Stop the engine of this database cleanly. Positions and their stops stay at the venue."""
    from pointsman.engine.control_client import engine_pid

    database = database_of(options)
    pid = engine_pid(database)
    if not pid:
        fail(f"no engine is running on {database}")
    try:
        os.kill(pid, signal.SIGTERM)
    except PermissionError:
        fail(f"process {pid} belongs to another user; stop it as that user")
    except ProcessLookupError:
        pass  # it has just ended
    give_up_at = time.monotonic() + seconds
    while engine_pid(database) == pid:
        if time.monotonic() >= give_up_at:
            fail(f"process {pid} still holds {database} after {seconds} s; look at its log")
        time.sleep(_LOOK_SECONDS)
    tell(options, {"stopped": pid, "database": str(database)}, f"stopped process {pid}")


def test_notices(options: Options) -> None:
    """Send a test to every address of NOTIFY_URLS, and say which did not take it."""
    from pointsman.service.notifications import addresses_in, sender_to
    from pointsman.terminal.text import counted

    urls = read_settings(options).settings.notify_urls
    send = sender_to(urls)
    if urls is None or send is None:
        fail(
            "NOTIFY_URLS is empty, so nothing is sent. Set it to where notices go, such as "
            "NOTIFY_URLS=ntfy://A-NAME-THAT-NOBODY-GUESSES in .env, and test again"
        )
    count = len(addresses_in(urls.get_secret_value()))
    failed = send(_TITLE, _TEXT)
    if failed:
        which = ", ".join(map(str, failed))
        fail(f"{len(failed)} of {count} addresses did not take it: number {which} in NOTIFY_URLS")
    tell(options, {"sent": count}, f"sent to {counted(count, 'address', 'addresses')}")
