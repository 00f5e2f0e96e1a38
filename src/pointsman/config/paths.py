"""Whether this user can use the paths that the settings name: the database, and the files that an
engine watches or makes.

Nothing is opened or made here. Each function returns how to fix what is wrong, naming the folder or
file that is in the way, or an empty text where nothing is.
"""

import os
import stat
from pathlib import Path


def fix_of_database(path: Path) -> str:
    """What prevents a database at `path`, which may exist or not, from being opened or made."""
    real = Path(os.path.realpath(path))  # the lock and the journal are made beside the real file
    return _fix_of_file(real, "trading.db") or fix_of_folder(real.parent)


def fix_of_kill_file(path: Path) -> str:
    """What prevents a kill file from ever being seen at `path`."""
    return _fix_of_file(path, "KILL", is_opened=False) or fix_of_folder(path.parent, is_made=False)


def fix_of_folder(folder: Path, *, is_made: bool = True) -> str:
    """What prevents a file from being found in `folder` and, with `is_made`, from being made
    there."""
    try:
        is_folder = stat.S_ISDIR(folder.stat().st_mode)
    except FileNotFoundError:
        return f"the folder {folder} does not exist; make it, or name a file in another folder"
    except OSError as error:
        return f"the folder {folder} cannot be used ({error.strerror}); name a file in another one"
    if not is_folder:
        return f"{folder} is not a folder; name a file in a folder"
    if not os.access(folder, os.X_OK):
        return f"user {os.getuid()} may not look into the folder {folder}; {_GRANT}"
    if is_made and not os.access(folder, os.W_OK):
        return f"user {os.getuid()} may not write in the folder {folder}; {_GRANT}"
    return ""


_GRANT = "give that user access to it, or name a file in another folder"


def _fix_of_file(path: Path, example: str, *, is_opened: bool = True) -> str:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return ""
    except PermissionError:
        return f"user {os.getuid()} may not look into the folder {path.parent}; {_GRANT}"
    except OSError as error:
        return f"{path} cannot be used ({error.strerror}); name another file"
    if stat.S_ISDIR(mode):
        return f"{path} is a folder; name a file, such as {path / example}"
    if is_opened and not stat.S_ISREG(mode):
        return f"{path} is not a regular file; name another one"
    if is_opened and not os.access(path, os.R_OK | os.W_OK):
        return (
            f"user {os.getuid()} may not read and write {path}; give that user access to it, or"
            " name another file"
        )
    return ""
