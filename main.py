"""The entry point: `python main.py` is `pointsman run` and takes the same flags.

It finds `src` beside itself, so that nothing needs to be installed but requirements.txt (RULES 39).
"""

import sys
from pathlib import Path


def start() -> None:
    """Hand over to the command line with the verb `run`; does not return."""
    sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))
    from pointsman.cli.app import main

    sys.argv.insert(1, "run")
    sys.exit(main())


if __name__ == "__main__":
    start()
