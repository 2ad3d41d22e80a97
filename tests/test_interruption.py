"""Ctrl-C at any time: no hang, threads as before, and what was fitted before stays."""

import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from skmlp_backprop import BackpropMLPClassifier

# Interruptions at each line of this module.
from skmlp_backprop._network import threads

# Fits here are cut short.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Fits that are interrupted 300 times, at times drawn with a fixed seed. After each
# the BLAS has its threads, and the estimator is fitted: as it was
# before, or anew, but whole. The process ends itself where one hangs.
SCRIPT = """
import faulthandler, signal, sys, threading, time, warnings
from contextlib import contextmanager
import numpy as np, pandas as pd
from threadpoolctl import threadpool_info
from skmlp_backprop import (
    BackpropMLPClassifier, StackedGridSearchCV, TabularMLPClassifier
)
from skmlp_backprop._tabular import ensemble

faulthandler.dump_traceback_later(150, exit=True)
warnings.simplefilter("ignore")
kind = sys.argv[1]
rng = np.random.default_rng(0)
X = pd.DataFrame(rng.normal(size=(120, 4)), columns=list("abcd"))
y = (X["a"] > 0).to_numpy().astype(int)
if kind == "tabular":
    # A thread for each two networks, whatever the cores and the size of a step.
    ensemble._THREAD_PAYS = 1
    held = ensemble.limited_threads

    @contextmanager
    def two_threads():
        with held():
            yield 2

    ensemble.limited_threads = two_threads
    model = TabularMLPClassifier(4, (8,), max_iter=4, random_state=0)
elif kind == "lbfgs":
    model = BackpropMLPClassifier(8, solver="lbfgs", max_iter=25, random_state=0)
else:
    network = BackpropMLPClassifier(8, max_iter=4, random_state=0)
    grid = {"alpha": [0.1, 1], "hidden_layer_sizes": [5, 8]}
    model = StackedGridSearchCV(network, grid, cv=2)

def n_blas_threads():
    infos = threadpool_info()
    return [info["num_threads"] for info in infos if info["user_api"] == "blas"]

def is_mended():
    # Where other threads ran, ours look after the BLAS for half a second.
    deadline = time.monotonic() + 5
    while n_blas_threads() != before and time.monotonic() < deadline:
        time.sleep(0.01)
    return n_blas_threads() == before

signal.signal(signal.SIGALRM, signal.default_int_handler)
before = n_blas_threads()

def seconds_of_a_fit():
    start = time.perf_counter()
    model.fit(X, y)
    return time.perf_counter() - start

# Of one that nothing else on the machine delays: nearly all others take as long.
seconds = min(seconds_of_a_fit() for _ in range(10))
n_raised = n_kept = 0
for i in range(300):
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-6, seconds))
                model.fit(X, y)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        n_raised += 1
    else:
        n_kept += any("interrupted" in str(w.message) for w in caught)
    assert is_mended(), (i, n_blas_threads())
    assert np.isfinite(model.predict_proba(X)).all()
    assert threading.active_count() < 10
model.fit(X, y)
print(n_raised, n_kept)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tabular", "lbfgs", "search"])
def test_interruptions_at_random_times(kind):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), kind],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    n_raised, n_kept = map(int, done.stdout.split())
    # Of a search nothing is kept; fits by themselves keep what they have reached.
    assert n_raised + n_kept > 100
    assert (n_kept == 0) == (kind == "search")


def n_blas_threads():
    infos = threadpool_info()
    return [info["num_threads"] for info in infos if info["user_api"] == "blas"]


RESTORING = {"_restore", "_replace_ones", "_set"}
HOLDING = {"hold", "release", "_watch", *RESTORING}


class InterruptsAtLine:
    """A trace function that raises at the n-th line of some functions that hold."""

    def __init__(self, n, names):
        self.n_left = n
        self.names = names

    def __call__(self, frame, event, _):
        of_ours = frame.f_code.co_filename == threads.__file__
        if not of_ours or frame.f_code.co_name not in self.names:
            return None
        return self.line

    def line(self, frame, event, _):
        if event == "line":
            self.n_left -= 1
            if self.n_left == 0:
                raise KeyboardInterrupt
        return self.line


def test_an_interruption_at_every_line_of_hold_and_release():
    if threads.is_limited() or max(n_blas_threads()) < 2:
        pytest.skip("one core, or limited threads: there is nothing to hold")
    before, n = n_blas_threads(), 0
    traced = sys.gettrace()
    is_over = False
    while not is_over:
        n += 1
        interrupts = InterruptsAtLine(n, HOLDING)
        try:
            sys.settrace(interrupts)
            with threads.limited_threads():
                pass
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(traced)
        assert n_blas_threads() == before, f"interrupted at line {n}"
        assert not threads._blas().holders
        is_over = interrupts.n_left > 0
    assert n > 20
    # No thread waits for a caller's block, as there was none.
    deadline = time.monotonic() + 5
    while threads._blas()._is_watched and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not threads._blas()._is_watched


def test_an_interruption_while_a_callers_block_is_open():
    """The block, entered while the BLAS was held, sets our one thread back."""
    if threads.is_limited() or max(n_blas_threads()) < 2:
        pytest.skip("one core, or limited threads: there is nothing to hold")
    before, n = n_blas_threads(), 0
    is_over = False
    while not is_over:
        n += 1
        entered, go = threading.Event(), threading.Event()

        def caller(entered=entered, go=go):
            with threadpool_limits(max(before), user_api="blas"):
                entered.set()
                go.wait()

        block = threading.Thread(target=caller)
        interrupts = InterruptsAtLine(n, RESTORING)
        traced = sys.gettrace()
        try:
            with threads.limited_threads():
                block.start()
                entered.wait()
                sys.settrace(interrupts)
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(traced)
        go.set()
        block.join()
        deadline = time.monotonic() + 5
        while n_blas_threads() != before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert n_blas_threads() == before, f"interrupted at line {n}"
        is_over = interrupts.n_left > 0
    assert n > 5


def test_an_interrupted_fit_that_fails_leaves_the_old_one(monkeypatch):
    X, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    mlp = BackpropMLPClassifier(5, max_iter=3, random_state=0)
    mlp.fit(X, y)
    before = vars(mlp).copy()

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(type(mlp), "_training_data", interrupted)
    with pytest.raises(KeyboardInterrupt):
        mlp.fit(X, y)
    assert vars(mlp) == before
