"""Files that are replaced as a whole, or not at all."""

import contextlib
import os
import shutil
import tempfile
import uuid
from pathlib import Path


def check_can_replace(path):
    """Check that a file can be written, as far as that is known before it is.

    Parameters
    ----------
    path : Path
        The file; it may be there or not.

    Raises
    ------
    ValueError
        If there is something else than a file, a file that is write-protected, or no
        folder that can be written to.
    """
    target = _target(path)
    if target.is_dir():
        raise ValueError(f"{path} is a folder.")
    if not target.parent.is_dir():
        raise ValueError(f"there is no folder {target.parent}.")
    if target.exists() and not target.is_file():
        raise ValueError(f"{path} is no regular file.")
    if target.exists() and not os.access(target, os.W_OK):
        raise ValueError(f"{path} is write-protected.")
    try:
        # What permissions say does not hold for every user and file system.
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise ValueError(
            f"can't write to the folder {target.parent}: {error.strerror}."
        ) from error


def replace_file(path, write):
    """Write a file beside, and put it in the place of the given one once it is whole.

    It has the permissions of the file it replaces, or else of any new file.

    Parameters
    ----------
    path : Path
        The file; the one that it links to, if it is a link.

    write : callable
        Takes the path to write to, which ends as `path` does.

    Raises
    ------
    OSError
        If it can't be written. What there was is still there.
    """
    target = _target(path)
    beside = target.with_name(f".{uuid.uuid4().hex}{target.suffix}")
    with contextlib.ExitStack() as on_error:
        on_error.callback(beside.unlink, missing_ok=True)
        beside.touch(exist_ok=False)
        if target.exists():
            shutil.copymode(target, beside)
        write(beside)
        with open(beside, "ab") as file:
            os.fsync(file.fileno())
        os.replace(beside, target)
        on_error.pop_all()


def _target(path):
    return Path(os.path.realpath(path))
