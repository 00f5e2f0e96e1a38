"""The entry point: `python main.py` is `pointsman run` and takes the same flags.

It finds `src` beside itself, so that nothing needs to be installed but requirements.txt (RULES 39),
and says so where that is missing.
"""

import sys
from pathlib import Path


def start() -> None:
    """Hand over to the command line with the verb `run`; does not return."""
    folder = Path(__file__).resolve().parent
    sys.path.insert(0, str(folder / "src"))
    try:
        from pointsman.cli import app, command_line  # noqa: F401 - loaded when it runs
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "pointsman":
            raise
        sys.exit(
            f"pointsman: {error.name} is not installed: "
            f"pip install -r {folder / 'requirements.txt'}"
        )

    sys.argv.insert(1, "run")
    sys.exit(app.main())


if __name__ == "__main__":
    start()
