"""All desks of a cluster, asked and told at once; those that do not answer are named."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
from nats.js.kv import KeyValue

from pointsman.cluster.bucket import Changed, names_of, open_bucket
from pointsman.cluster.connection import FAULTS, REQUEST_SECONDS, Connection
from pointsman.cluster.control_subject import control_subject
from pointsman.cluster.errors import ClusterUnreachable
from pointsman.cluster.fleet_kill import FleetKill, kill_of, obeyed_by
from pointsman.cluster.lease import LeaseRecord
from pointsman.cluster.lease_store import LEASES, lease_of

ANSWER_SECONDS = 6.0  # not money: seconds
"""Longer than an engine waits for its own loop."""
OBEYED_SECONDS = 2.0  # not money: seconds
LOOK_SECONDS = 0.05  # not money: seconds

NO_ANSWER = {"ok": False, "exit": 1, "error": "no engine answers for this desk"}


class Fleet:
    """The desks that there are, as the store of leases has them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._bucket: KeyValue = connection.ask(open_bucket(connection), 2 * REQUEST_SECONDS)

    def desks(self) -> list[str]:
        """Their names, sorted. Raises ClusterUnreachable."""
        return self._connection.ask(names_of(self._bucket, LEASES), 2 * REQUEST_SECONDS)

    def leases(self, desks: Sequence[str]) -> dict[str, LeaseRecord]:
        """Who owns each, as far as somebody does."""

        async def read_all() -> list[tuple[LeaseRecord, int] | None]:
            return await asyncio.gather(*(lease_of(self._bucket, desk).read() for desk in desks))

        seen = self._connection.ask(read_all(), 2 * REQUEST_SECONDS)
        found = zip(desks, seen, strict=True)
        return {desk: lease[0] for desk, lease in found if lease is not None}

    def ask(self, desks: Sequence[str], request: bytes) -> dict[str, dict[str, Any]]:
        """Ask the engine of each desk the same, all at once; what each answers."""

        async def ask_one(desk: str) -> dict[str, Any]:
            subject = control_subject(desk)
            try:
                answer = await self._connection.client.request(subject, request, ANSWER_SECONDS)
                document: dict[str, Any] = msgspec.json.decode(answer.data)
            except (msgspec.MsgspecError, *FAULTS):
                return dict(NO_ANSWER)
            return document

        async def ask_all() -> list[dict[str, Any]]:
            return await asyncio.gather(*map(ask_one, desks))

        answers = self._connection.ask(ask_all(), ANSWER_SECONDS + REQUEST_SECONDS)
        return dict(zip(desks, answers, strict=True))

    def kill(self, desks: Sequence[str], kill: FleetKill) -> dict[str, dict[str, Any]]:
        """Kill desks, and wait a moment for each to say that it is. One that does not is killed
        when its engine can be reached again, or its next one starts."""

        async def kill_one(desk: str) -> dict[str, Any]:
            try:
                revision = await kill_of(self._bucket, desk).put(kill)
            except FAULTS as error:
                return {**NO_ANSWER, "error": f"not killed: {error}"}
            until = time.monotonic() + OBEYED_SECONDS
            while time.monotonic() < until:
                with suppress(*FAULTS):  # It is killed all the same: who has obeyed is asked again.
                    found = await obeyed_by(self._bucket, desk).read()
                    if found is not None and found[0].revision >= revision:
                        done = found[0]
                        return {"ok": True, "durable": done.is_durable, "holder": done.holder}
                await asyncio.sleep(LOOK_SECONDS)
            told = "no engine has answered: the desk is killed when one can be reached, or starts"
            return {**NO_ANSWER, "error": told}

        async def kill_all() -> list[dict[str, Any]]:
            return await asyncio.gather(*map(kill_one, desks))

        done = self._connection.ask(kill_all(), OBEYED_SECONDS + 3 * REQUEST_SECONDS)
        return dict(zip(desks, done, strict=True))

    def rearm(
        self, desks: Sequence[str], request: bytes, cleared: FleetKill
    ) -> dict[str, dict[str, Any]]:
        """Rearm desks: each engine first, and where it has done so what the fleet said of it. A
        kill that comes in between stays."""

        async def read_all() -> list[tuple[FleetKill, int] | None]:
            return await asyncio.gather(*(kill_of(self._bucket, desk).read() for desk in desks))

        before = self._connection.ask(read_all(), 2 * REQUEST_SECONDS)
        answers = self.ask(desks, request)
        for desk, found in zip(desks, before, strict=True):
            if answers[desk].get("ok") and found is not None and found[0].is_set:
                clearing = kill_of(self._bucket, desk).write(cleared, found[1])
                try:
                    self._connection.ask(clearing, REQUEST_SECONDS)
                except Changed:
                    told = "the fleet was killed again meanwhile"
                    answers[desk] = {"ok": False, "exit": 4, "error": told}
                except ClusterUnreachable as error:
                    told = f"rearmed, and killed again at its next start, since that stays: {error}"
                    answers[desk] = {**NO_ANSWER, "error": told}
        return answers
