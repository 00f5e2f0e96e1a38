"""`stop` and `notify test`, with a real engine and a real receiver."""

import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from tests.as_installed import as_installed


def asked(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [folder / "bin" / "pointsman", *words],
        cwd=folder,
        env={**as_installed(folder), **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_stop_ends_the_engine_cleanly_and_waits_for_its_end(tmp_path: Path) -> None:
    env = as_installed(tmp_path)
    with subprocess.Popen(
        [tmp_path / "bin" / "pointsman", "run", "--headless"],
        cwd=tmp_path,
        env=env,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as engine:
        assert engine.stderr is not None
        while "http listens" not in engine.stderr.readline():
            assert engine.poll() is None
        done = asked(tmp_path, "stop")
        assert (done.returncode, done.stdout) == (0, f"stopped process {engine.pid}\n")
        assert engine.wait(10) == 143
    again = asked(tmp_path, "stop")
    assert again.returncode == 1
    assert "no engine is running on trading.db" in again.stderr


class Receiver(BaseHTTPRequestHandler):
    """Takes what is posted."""

    taken: list[bytes] = []  # noqa: RUF012 - one receiver in this file

    def do_POST(self) -> None:
        """Keep it."""
        self.taken.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


def test_a_test_notice_arrives_and_one_that_does_not_is_named(tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = f"json://127.0.0.1:{server.server_port}"
        done = asked(tmp_path, "notify", "test", NOTIFY_URLS=here)
        assert (done.returncode, done.stdout) == (0, "sent to 1 address\n")
        assert b"Notices of this engine arrive here" in Receiver.taken[0]
        missed = asked(tmp_path, "notify", "test", NOTIFY_URLS=f"{here} json://127.0.0.1:9")
        server.shutdown()
    assert missed.returncode == 1
    assert "1 of 2 addresses did not take it: number 2" in missed.stderr
    none = asked(tmp_path, "notify", "test")
    assert none.returncode == 1
    assert "NOTIFY_URLS is empty" in none.stderr
    assert "Set it to where notices go, such as NOTIFY_URLS=ntfy://" in none.stderr
