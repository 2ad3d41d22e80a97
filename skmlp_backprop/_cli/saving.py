"""Files that are replaced as a whole, or not at all."""

import os
import shutil
import uuid
from pathlib import Path


def check_can_replace(path):
    """Check that a file, which need not exist, can be replaced.

    Raises ValueError if the path is not a regular file, or if the file or its folder
    can't be written to.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.exists():
            if not target.is_file():
                raise ValueError(f"{path} is not a regular file.")
            # Another program may have opened it, which no permission bit tells.
            target.open("r+b").close()
    except OSError as error:
        raise ValueError(f"can't write to {path}: {error.strerror}.") from error
    probe = target.with_name(f".{uuid.uuid4().hex}")
    try:
        # Permission bits do not bind every user and file system, so try it. On
        # Windows, tempfile tries for hours.
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise ValueError(
            f"can't write to the folder {target.parent}: {error.strerror}."
        ) from error


def replace_file(option, path, write):
    """Write a file beside the given file, and replace that once the new file is whole.

    It has the permissions of the file it replaces, or else of any new file. A link is
    followed. `write` takes the path to write to, which ends as `path` does. The OSError
    of a failure names the option; the earlier file stays.
    """
    target = Path(os.path.realpath(path))
    beside = target.with_name(f".{uuid.uuid4().hex}{target.suffix}")
    try:
        beside.touch(exist_ok=False)
        if target.exists():
            shutil.copymode(target, beside)
        write(beside)
        with open(beside, "ab") as file:
            os.fsync(file.fileno())
        os.replace(beside, target)
    except OSError as error:
        raise OSError(
            f"{option} {path}: {error.strerror}; what was there before is untouched."
        ) from error
    finally:
        beside.unlink(missing_ok=True)
