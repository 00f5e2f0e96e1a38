"""`make audit`, against a service on this machine: it checks every pin, and whatever is not known
to be well is a failure."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.as_installed import ROOT
from tests.lock_audit import Unchecked, audit, pins, rounds

LOCK = """
# made by a tool
alpha==1.0
    # via beta
beta==2.0 ; sys_platform == 'win32'
numpy==2.4.6 ; python_full_version < '3.12'
numpy==2.5.5 ; python_full_version >= '3.12'
"""
EVERY = ["alpha==1.0", "beta==2.0", "numpy==2.4.6", "numpy==2.5.5"]


class Service:
    """A vulnerability service that knows what a test tells it, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.known: dict[str, str] = {}
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                pin = f"{asked['package']['name']}=={asked['version']}"
                service.asked.append(pin)
                body = json.dumps(service.answer(pin, asked["package"]["name"])).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{self.server.server_address[1]}/v1/query"
        self.options = ["--vulnerability-service", "osv", "--osv-url", url]

    def answer(self, pin: str, name: str) -> dict[str, object]:
        if pin not in self.known:
            return {}
        affected = {
            "package": {"name": name, "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9.9"}]}],
        }
        vulnerability = {"id": self.known[pin], "summary": "bad", "affected": [affected]}
        return {"vulns": [vulnerability]}


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.server.shutdown()
    service.server.server_close()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.txt"
    path.write_text(LOCK)
    return path


def test_every_pin_is_asked_about_also_those_of_other_platforms(
    service: Service, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(lock, service.options) == 0
    assert sorted(service.asked) == EVERY
    assert capsys.readouterr().out == "audit: 4 pins checked, no known vulnerability\n"


def test_a_known_vulnerability_fails_it_and_is_named(
    service: Service, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.known["beta==2.0"] = "CVE-2026-1"
    assert audit(lock, service.options) == 1
    assert capsys.readouterr().err.splitlines() == [
        "audit: beta 2.0: CVE-2026-1, mended in 9.9",
        "audit: FAILED, 1 known vulnerabilities",
    ]


def test_a_service_out_of_reach_fails_it(
    service: Service, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.server.shutdown()
    service.server.server_close()
    assert audit(lock, service.options) == 1
    assert "FAILED, not everything could be checked" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["gamma", "gamma>=1", "git+https://example.org/gamma.git"])
def test_what_is_not_pinned_cannot_be_checked(line: str) -> None:
    with pytest.raises(Unchecked, match="pins no version"):
        pins(f"alpha==1.0\n{line}\n")


def test_the_lock_of_this_project_is_all_pins_and_splits_into_rounds() -> None:
    text = (ROOT / "requirements.txt").read_text("utf-8")
    pinned = pins(text)
    assert len(pinned) == len(re.findall(r"^\S+==", text, re.MULTILINE))
    for part in rounds(pinned):
        names = [pin.partition("==")[0] for pin in part]
        assert len(set(names)) == len(names)
    assert sorted(pin for part in rounds(pinned) for pin in part) == sorted(pinned)


def test_it_is_no_part_of_the_tests() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (needs,) = [line for line in makefile.splitlines() if line.startswith("test:")]
    assert "audit" not in needs
    assert "\naudit: " in makefile
