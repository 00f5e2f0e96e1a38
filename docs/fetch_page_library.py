"""Fetches the library that draws the plots of the page again, by version, with its licence.

Run it from the checkout as `.venv/bin/python docs/fetch_page_library.py`. For another version
change VERSION and SHA256 here; what it fetches is checked before anything is written.
"""

import io
import sys
import tarfile
from hashlib import sha256
from pathlib import Path
from urllib.request import urlopen

VERSION = "1.6.32"
SHA256 = "4b8a8191e425658e3ea8c8c1314b0fc679c861ee3a1af2b20c7b16ba50b5133d"
URL = f"https://registry.npmjs.org/uplot/-/uplot-{VERSION}.tgz"
TARGET = Path(__file__).resolve().parents[1] / "src" / "pointsman" / "api" / "web"
FILES = {
    "package/dist/uPlot.iife.min.js": "uPlot.iife.min.js",
    "package/dist/uPlot.min.css": "uPlot.min.css",
    "package/LICENSE": "uPlot.LICENSE.txt",
}


def main() -> None:
    """Fetch, check, write."""
    with urlopen(URL, timeout=60) as answer:
        packed = answer.read()
    found = sha256(packed).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{URL} has sha256 {found}, not {SHA256}; nothing was written")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for inside, name in FILES.items():
            file = archive.extractfile(inside)
            assert file is not None, inside
            (TARGET / name).write_bytes(file.read())
    sys.stdout.write(f"uPlot {VERSION} is in {TARGET}\n")


if __name__ == "__main__":
    main()
