"""Notices: what a person should know at once, sent to the addresses of NOTIFY_URLS.

Invariants:

* handing one over neither waits nor raises; a thread of its own sends;
* of each kind at most one goes out a minute. What comes meanwhile is counted, and reported with the
  newest of it when the minute is over; so what waits is bounded by the number of kinds;
* nothing of an address is written anywhere, since it holds secrets;
* an incident is in the database, whatever becomes of its notice.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from pydantic import SecretStr

from pointsman.config.problems import MASK, SettingProblem, SettingsError
from pointsman.domain.accounts import Incident
from pointsman.domain.commands import Step
from pointsman.domain.events import Event
from pointsman.domain.reasons import Reason
from pointsman.domain.timestamps import iso
from pointsman.terminal.text import printable

EVERY_SECONDS = 60.0  # not money: seconds
STOP_SECONDS = 3.0  # not money: seconds
"""How long the last notices may take at the end."""

THREAD_NAME = "notices"

Send = Callable[[str, str], Sequence[int]]
"""Sends a title and a text, and gives the numbers of the addresses that did not take it."""


class Kind(StrEnum):
    """What is sent beside the incidents, whose kinds are reasons."""

    ENGINE_STARTED = "ENGINE_STARTED"
    ENGINE_FAULT = "ENGINE_FAULT"
    STORAGE_FAILS = "STORAGE_FAILS"
    STORAGE_WORKS = "STORAGE_WORKS"
    SHADOW_DAY = "SHADOW_DAY"


class _Waiting(NamedTuple):
    """The newest text of a kind, and how many others were held back before it."""

    text: str
    others: int


class Notifications:
    """The notices of one engine. `engine` names it in each of them; `send` None switches them
    off; `complain` writes a line to the log."""

    def __init__(self, engine: str, send: Send | None, complain: Callable[[str], None]) -> None:
        self._engine = engine
        self._send = send
        self._complain = complain
        self._waiting: dict[str, _Waiting] = {}
        self._quiet_until: dict[str, float] = {}
        self._changed = threading.Condition()
        self._is_stopping = False
        self._failures = 0
        self._complains_at = 0.0
        self._thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        """Whether they are sent, or there is nowhere to send them."""
        return self._send is None or (self._thread is not None and self._thread.is_alive())

    def start(self) -> None:
        """Begin to send, or begin again."""
        if self._send is not None:
            self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Send what is due, as far as that goes quickly, and end."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def turn(self, _event: Event, step: Step) -> None:
        """Tell the incidents of a turn."""
        for record in step.changes:
            if isinstance(record, Incident):
                self.say(record.kind, _told(record))

    def say(self, kind: Kind | Reason, text: str) -> None:
        """Tell something; from any thread."""
        if self._send is None:
            return
        with self._changed:
            before = self._waiting.get(kind.value)
            others = 0 if before is None else before.others + 1
            self._waiting[kind.value] = _Waiting(text, others)
            self._changed.notify_all()

    def _run(self) -> None:
        while (due := self._wait()) is not None:
            for kind, waiting in due.items():
                self._tell(kind, waiting)

    def _wait(self) -> dict[str, _Waiting] | None:
        """What is due, as soon as anything is; None when nothing more will be sent."""
        with self._changed:
            while not (due := self._take_due()):
                if self._is_stopping:
                    return None
                until = [self._quiet_until[kind] for kind in self._waiting]
                left = min(until) - time.monotonic() if until else None
                self._changed.wait(left)
            return due

    def _take_due(self) -> dict[str, _Waiting]:
        now = time.monotonic()
        kinds = [kind for kind in self._waiting if self._quiet_until.get(kind, now) <= now]
        self._quiet_until.update(dict.fromkeys(kinds, now + EVERY_SECONDS))
        return {kind: self._waiting.pop(kind) for kind in kinds}

    def _tell(self, kind: str, waiting: _Waiting) -> None:
        more = f"\n{waiting.others} more of this kind were held back" if waiting.others else ""
        text = f"{waiting.text}{more}\nengine: {self._engine}"
        assert self._send is not None
        try:
            failed = self._send(f"pointsman: {kind}", text)
        except Exception as error:  # noqa: BLE001 - what a service raises must not end the others
            self._complain_of(kind, type(error).__name__)  # its text may hold the address
        else:
            if failed:
                self._complain_of(kind, f"address {', '.join(map(str, failed))} did not accept it")

    def _complain_of(self, kind: str, fault: str) -> None:
        """At most once a minute."""
        self._failures += 1
        now = time.monotonic()
        if now >= self._complains_at:
            self._complains_at = now + EVERY_SECONDS
            failures, self._failures = self._failures, 0
            more = f" ({failures} since the last report)" if failures > 1 else ""
            self._complain(f"notice {kind} was not delivered: {fault}{more}")


def _told(incident: Incident) -> str:
    facts = {
        "account": incident.va_id,
        "symbol": incident.symbol,
        "order": incident.client_order_id,
        "value": incident.value,
        "limit": incident.limit,
        "detail": incident.detail or None,
    }
    known = [f"{name}: {printable(text)}" for name, text in facts.items() if text is not None]
    first = f"{incident.kind.sentence} (incident {incident.incident_id}, {iso(incident.at_ns)})"
    return "\n".join([first, *known])


def sender_to(urls: SecretStr | None) -> Send | None:
    """What sends to the addresses of NOTIFY_URLS, separated by spaces or commas; None for none.

    Raises SettingsError where apprise is missing or knows no such address.
    """
    if urls is None:
        return None
    try:
        import apprise
    except ImportError as error:
        remedy = "install apprise (`pip install apprise`), or leave it empty"
        raise SettingsError([SettingProblem("NOTIFY_URLS", MASK, remedy)]) from error
    for name in ("apprise", "requests", "urllib3"):
        # They log addresses, and a logger without a handler writes to standard error.
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
    addresses = addresses_in(urls.get_secret_value())
    # Without a limit of its own apprise sends on the thread that asks, so that nothing of it is
    # left to wait for at the end; each service has the limits of its connection.
    asset = apprise.AppriseAsset(app_id="pointsman", service_timeout=0)
    services = {number: apprise.Apprise(asset=asset) for number, _ in enumerate(addresses, 1)}
    problems = [
        SettingProblem(
            "NOTIFY_URLS",
            MASK,
            f"address {number} of {len(addresses)} is not one that Apprise understands; write it "
            "as the Apprise documentation shows, such as json://host/path",
        )
        for (number, service), address in zip(services.items(), addresses, strict=True)
        if not service.add(address)
    ]
    if problems:
        raise SettingsError(problems)

    def send(title: str, text: str) -> list[int]:
        return [
            number
            for number, service in services.items()
            if not service.notify(body=text, title=title, body_format="text")
        ]

    return send


def addresses_in(text: str) -> list[str]:
    """The addresses in a text. A comma separates only where another address follows: an address
    may have commas of its own."""
    return [part.strip(",") for part in re.split(r"\s+|,(?=[\w+.-]+://)", text) if part.strip(",")]
