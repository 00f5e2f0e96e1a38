"""Fetches again, by version, what the page has of others, with its licences: uPlot, which draws its
plots, and axe-core, which checks in the tests that everyone can use it.

Run it from the checkout as `.venv/bin/python docs/fetch_page_library.py`. For another version
change it here, with its digest; what is fetched is checked before anything is written.
"""

import io
import sys
import tarfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[1]


class Library(NamedTuple):
    """A package of the npm registry: `files` are those that are kept, by their place in it."""

    name: str
    version: str
    digest: str
    target: Path
    files: Mapping[str, str]


LIBRARIES = (
    Library(
        "uplot",
        "1.6.32",
        "4b8a8191e425658e3ea8c8c1314b0fc679c861ee3a1af2b20c7b16ba50b5133d",
        ROOT / "src" / "pointsman" / "api" / "web",
        {
            "package/dist/uPlot.iife.min.js": "uPlot.iife.min.js",
            "package/dist/uPlot.min.css": "uPlot.min.css",
            "package/LICENSE": "uPlot.LICENSE.txt",
        },
    ),
    Library(
        "axe-core",
        "4.10.3",
        "0f2b4d7dcdf7d1219df8d1959ad68e565f51d14c3f0d88bb71cd59abeb956292",
        ROOT / "tests" / "vendor",
        {"package/axe.min.js": "axe.min.js", "package/LICENSE": "axe.LICENSE.txt"},
    ),
)


def fetch(library: Library) -> None:
    """Fetch, check, write."""
    name = f"{library.name}-{library.version}.tgz"
    url = f"https://registry.npmjs.org/{library.name}/-/{name}"
    with urlopen(url, timeout=60) as answer:
        packed = answer.read()
    found = sha256(packed).hexdigest()
    if found != library.digest:
        raise SystemExit(f"{url} has sha256 {found}, not {library.digest}; nothing was written")
    library.target.mkdir(exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for inside, kept in library.files.items():
            file = archive.extractfile(inside)
            assert file is not None, inside
            (library.target / kept).write_bytes(file.read())
    sys.stdout.write(f"{library.name} {library.version} is in {library.target}\n")


if __name__ == "__main__":
    for each in LIBRARIES:
        fetch(each)
