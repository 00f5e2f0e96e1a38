"""`python -m tests.venue_servers binance --port 9101 --key K --secret S`: a venue on loopback, for
other processes and for people. Its controls are `POST /_control/NAME` with JSON; `GET
/_control/requests` and `GET /_control/account` show what arrived and what it led to.
"""

import argparse
import importlib
import signal

from tests.venue_servers.base import VenueServer

SERVERS = {
    "alpaca": "AlpacaServer",
    "binance": "BinanceServer",
    "bybit": "BybitServer",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.venue_servers", description=__doc__)
    parser.add_argument("venue", choices=sorted(SERVERS))
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--key", default="key")
    parser.add_argument("--secret", default="secret")
    chosen = parser.parse_args()
    module = importlib.import_module(f"tests.venue_servers.{chosen.venue}")
    server: VenueServer = getattr(module, SERVERS[chosen.venue])(
        key=chosen.key, secret=chosen.secret, port=chosen.port
    )
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # before its thread, which then has them blocked
    with server:
        print(f"requests {server.url}")
        print(f"account stream {server.stream_url}")
        print(f"quotes {server.data_url}", flush=True)
        signal.sigwait(ends)


if __name__ == "__main__":
    main()
