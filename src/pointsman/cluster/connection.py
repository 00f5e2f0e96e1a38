"""One connection to the NATS servers, on a thread and an asyncio loop of its own.

The engine's threads never wait for a server but where they say so: they hand over work, and look
at what has come of it. Invariants: what cannot be sent now is refused and not kept for later, so
that nothing leaves after a reconnection that was meant for before; a fault of ours in a task is
kept, and the connection counts as dead.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

import nats
import nats.errors
from nats.aio.client import Client
from nats.js.client import JetStreamContext

from pointsman.cluster.errors import ClusterUnreachable

CONNECT_SECONDS = 5.0  # not money: seconds
REQUEST_SECONDS = 2.0  # not money: seconds
RECONNECT_SECONDS = 0.25  # not money: seconds
CLOSE_SECONDS = 2.0  # not money: seconds

FAULTS = (nats.errors.Error, TimeoutError, OSError)
"""What a request to a server may raise while nothing of ours is wrong."""

T = TypeVar("T")


class Connection:
    """Connected from its making to `close`, again and again where it is lost."""

    client: Client
    stream_api: JetStreamContext

    def __init__(self, servers: str, name: str) -> None:
        """`servers` are addresses with commas between, `name` is how the servers show this
        connection. Raises ClusterUnreachable."""
        self.fault: BaseException | None = None
        self._servers = servers.split(",")
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._asyncio = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="cluster", daemon=True)
        self._thread.start()
        try:
            self.ask(self._connect(name), CONNECT_SECONDS)
        except BaseException:
            self.close()
            raise

    @property
    def is_alive(self) -> bool:
        """Whether its thread runs and none of its tasks has ended by a fault."""
        return self._thread.is_alive() and self.fault is None

    @property
    def is_connected(self) -> bool:
        """Whether a server is connected now."""
        return bool(self.client.is_connected)

    def soon(self, call: Callable[[], None]) -> None:
        """Have something called on the connection's thread."""
        self._asyncio.call_soon_threadsafe(call)

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:  # not money: seconds
        """Have something called in a while; on the connection's thread."""
        self._asyncio.call_later(seconds, call)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a task that runs until the connection is closed."""
        self.soon(lambda: self._begin(work))

    def ask(self, work: Coroutine[Any, Any, T], seconds: float) -> T:  # not money: seconds
        """Have something asked of the servers, and wait for the answer; on any other thread.

        Raises ClusterUnreachable, and what the work raises.
        """
        asked: Future[T] = asyncio.run_coroutine_threadsafe(work, self._asyncio)
        try:
            return asked.result(seconds)
        except FAULTS as error:
            asked.cancel()
            told = str(error) or f"no answer within {seconds:g} s"
            raise ClusterUnreachable(f"{self._told()}: {told}") from None

    def close(self) -> None:
        """Let go of the connection; its tasks end."""
        if self._thread.is_alive():
            self.soon(self._stop.set)
            self._thread.join(2 * CLOSE_SECONDS)

    def _told(self) -> str:
        """The servers without what may be a password."""
        return ", ".join(each.rpartition("@")[2].rpartition("/")[2] for each in self._servers)

    # -- the connection's thread -------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._asyncio)
        try:
            self._asyncio.run_until_complete(self._until_stopped())
        finally:
            self._asyncio.close()

    async def _until_stopped(self) -> None:
        await self._stop.wait()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        client = getattr(self, "client", None)
        if client is not None:
            try:
                await asyncio.wait_for(client.close(), CLOSE_SECONDS)
            except FAULTS:
                tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_SECONDS)

    async def _connect(self, name: str) -> None:
        self.client = await nats.connect(
            self._servers,
            name=name,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_SECONDS,
            connect_timeout=2,
            # Nothing waits in memory for a connection to come back.
            pending_size=0,
            error_cb=_ignore,
        )
        self.stream_api = self.client.jetstream(timeout=REQUEST_SECONDS)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fault = self.fault or error


async def _ignore(_error: Exception) -> None:
    """What the client library tells on the side; each request hears of its own fault."""
