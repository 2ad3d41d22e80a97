"""Files that are replaced as a whole, or not at all."""

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
        The file; it may exist or not.

    Raises
    ------
    ValueError
        If the path is not a regular file, the file is write-protected, or its folder
        can't be written to.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not (target.is_file() and os.access(target, os.W_OK)):
        raise ValueError(f"{path} is not a regular file, or it is write-protected.")
    try:
        # What permissions say does not hold for every user and file system.
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise ValueError(
            f"can't write to the folder {target.parent}: {error.strerror}."
        ) from error


def replace_file(path, write):
    """Write a file beside the given one, and replace that once the new one is whole.

    It has the permissions of the file it replaces, or else of any new file.

    Parameters
    ----------
    path : Path
        The file; the file that it links to, if it is a link.

    write : callable
        Takes the path to write to, which ends as `path` does.

    Raises
    ------
    OSError
        If it can't be written. The earlier file stays.
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
    finally:
        beside.unlink(missing_ok=True)


def save(option, path, write):
    """Replace the file that an option names.

    Parameters
    ----------
    option : str
        The option, for the message of an error.

    path, write :
        As of :func:`replace_file`.

    Raises
    ------
    OSError
        If the file can't be written.
    """
    try:
        replace_file(path, write)
    except OSError as error:
        raise OSError(
            f"{option} {path}: {error.strerror}; what was there before is untouched."
        ) from error
