"""An environment in which `pointsman` and `python` are commands, as after an install, whatever this
machine has installed; and nothing of the developer's own settings."""

import os
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
START = "import sys; from pointsman.cli.app import main; sys.exit(main())"


def as_installed(folder: Path) -> dict[str, str]:
    """The environment; the commands are put into `folder`/bin."""
    tools = folder / "bin"
    if not tools.exists():
        tools.mkdir()
        python = shlex.quote(sys.executable)
        for name, code in (("python", ""), ("pointsman", f' -c "{START}"')):
            (tools / name).write_text(f'#!/bin/sh\nexec {python}{code} "$@"\n')
            (tools / name).chmod(0o755)
    path = f"{tools}:{os.environ['PATH']}"
    own = {"PYTHONPATH": str(ROOT / "src"), "HTTP_PORT": "0"}
    return {"PATH": path, "HOME": str(folder), **own}
