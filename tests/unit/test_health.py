"""Health: alive, ready, and if not, why not."""

from pathlib import Path

from pointsman import __version__
from tests.http_stories import TOKENS, Served


def test_every_cause_is_named_until_it_is_gone(tmp_path: Path) -> None:
    with Served(tmp_path, TOKENS) as served:
        client = served.client()
        assert client.get("//health/live").json() == {"status": "alive"}
        assert client.get("/version").json() == {"version": __version__}
        assert client.get("/ping").json() == {"ping": "pong"}
        ready = client.get("//health/ready")
        assert (ready.status_code, ready.json()) == (200, {"status": "ready", "causes": {}})
        served.unready = {"feed": "silent for 31 s"}
        unready = client.get("//health/ready")
        assert unready.status_code == 503
        assert unready.json() == {"status": "unready", "causes": {"feed": "silent for 31 s"}}
