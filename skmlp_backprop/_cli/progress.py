"""One line that tells how long work goes on."""

import sys
from contextlib import contextmanager
from threading import Event, Thread
from time import perf_counter


@contextmanager
def timed(text):
    """Print a line about work, at the end with its time; on a terminal also before.

    Parameters
    ----------
    text : str
        What is done.
    """
    start, ended = perf_counter(), Event()

    def show_seconds():
        while not ended.wait(1):
            print(f"\r{text}: {perf_counter() - start:.0f} s", end="", flush=True)

    print(text, end="", flush=True)
    thread = Thread(target=show_seconds, daemon=True)
    if sys.stdout.isatty():
        thread.start()
    try:
        yield
        ending = f": {duration(perf_counter() - start)}"
        begin = f"\r{text}" if sys.stdout.isatty() else ""
    except BaseException:
        begin = ending = ""
        raise
    finally:
        ended.set()
        if thread.ident:
            thread.join()
        print(f"{begin}{ending}")


def duration(seconds):
    """A time in words, to about two digits."""
    if seconds < 100:
        return f"{seconds:.{1 if seconds < 10 else 0}f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
