"""`make audit`: is there a known vulnerability in what requirements.txt pins?

pip-audit asks the service. What it would leave out in silence is checked too: pins of other
platforms and Python versions. It fails where anything was found, and as well where any package
could not be checked or the service not be reached: no answer is no good news.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.as_installed import ROOT

LOCK = ROOT / "requirements.txt"
PIP_AUDIT = (
    "pip_audit", "--strict", "--disable-pip", "--no-deps", "--progress-spinner", "off",
    "--format", "json",
)  # fmt: skip
_PIN = re.compile(r"(?P<pin>[\w.-]+==[\w.!+-]+)(\s*;.*)?")


class Unchecked(Exception):
    """Something could not be checked; the text says what."""


def pins(lock: str) -> list[str]:
    """Every `name==version` of a lock, whatever platform it is for.

    Raises Unchecked for a line that is none.
    """
    found = []
    for line in lock.splitlines():
        text = re.sub(r"(^|\s)#.*", "", line).strip()
        if not text:
            continue
        match = _PIN.fullmatch(text)
        if match is None:
            raise Unchecked(f"{text!r} in the lock pins no version")
        found.append(match["pin"])
    return found


def rounds(pinned: Sequence[str]) -> list[list[str]]:
    """The pins, so that no round has two versions of one package."""
    split: list[list[str]] = []
    for pin in pinned:
        name = pin.partition("==")[0]
        free = [each for each in split if not any(p.startswith(f"{name}==") for p in each)]
        if free:
            free[0].append(pin)
        else:
            split.append([pin])
    return split


def vulnerabilities(pinned: Sequence[str], options: Sequence[str]) -> list[str]:
    """What is known against these pins, one line each. `options` go to pip-audit.

    Raises Unchecked where any of them could not be checked.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "requirements.txt")
        file.write_text("".join(f"{pin}\n" for pin in pinned), "utf-8")
        done = subprocess.run(
            [sys.executable, "-m", *PIP_AUDIT, "--requirement", str(file), *options],
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        answers = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]
        raise Unchecked(last) from None
    checked = {f"{each['name']}=={each['version']}" for each in answers if "version" in each}
    if checked != set(pinned):
        raise Unchecked(f"no answer for {', '.join(sorted(set(pinned) - checked))}")
    return [
        f"{each['name']} {each['version']}: {known['id']}, mended in "
        f"{', '.join(known['fix_versions']) or 'no version yet'}"
        for each in answers
        for known in each["vulns"]
    ]


def audit(lock: Path, options: Sequence[str]) -> int:
    """Check a lock and say how it went; the exit code."""
    try:
        pinned = pins(lock.read_text("utf-8"))
        found = [line for part in rounds(pinned) for line in vulnerabilities(part, options)]
    except Unchecked as why:
        print(f"audit: FAILED, not everything could be checked: {why}", file=sys.stderr)
        return 1
    for line in found:
        print(f"audit: {line}", file=sys.stderr)
    if found:
        print(f"audit: FAILED, {len(found)} known vulnerabilities", file=sys.stderr)
        return 1
    print(f"audit: {len(pinned)} pins checked, no known vulnerability")
    return 0


if __name__ == "__main__":
    sys.exit(audit(LOCK, sys.argv[1:]))
