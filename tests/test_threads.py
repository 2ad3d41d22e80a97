"""What fits and predictions do to the process's BLAS threads, and in which threads."""

import multiprocessing
import os
import random
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
from scipy import sparse
from threadpoolctl import threadpool_info, threadpool_limits

from skmlp_backprop import BackpropMLPClassifier

# Blocks of threads that overlap between two lines, on machines of other cores.
from skmlp_backprop._network import threads

# Fits here are cut short; whether they converge is tested elsewhere.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def n_blas_threads():
    """Threads of each BLAS library."""
    infos = threadpool_info()
    return [info["num_threads"] for info in infos if info["user_api"] == "blas"]


def in_another_thread(function):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


def until(condition, seconds=10):
    """Wait for a condition, for a bounded time; return whether it has come."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()


@pytest.fixture
def unlimited():
    """The BLAS's threads as the process began with them."""
    if threads._n_cores() < 2:
        pytest.skip("one core: there are no threads to limit")
    if threads.is_limited():
        pytest.skip("an environment variable limits the threads")
    before = n_blas_threads()
    if not before:
        pytest.skip("threadpoolctl does not know the BLAS library")
    assert min(before) > 1
    yield before
    assert until(lambda: n_blas_threads() == before)


@pytest.fixture
def small():
    rng = np.random.default_rng(0)
    return rng.standard_normal((60, 5)), np.arange(60) % 3


def fit_small(data, seed=0):
    mlp = BackpropMLPClassifier(
        5, solver="lbfgs", max_iter=15, tol=1e-12, random_state=seed
    )
    return mlp.fit(*data)


class Inside:
    """A callback that notes what is true within a fit, and may wait there."""

    def __init__(self, note):
        self.note = note
        self.notes = []

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_name in ("iteration", "epoch"):
            self.notes.append(self.note())

    def teardown(self, estimator, context):
        pass


def watched_fit(data, note, **params):
    """Fit for one iteration; return what was noted within it."""
    callback = Inside(note)
    params = {"hidden_layer_sizes": 5, "random_state": 0, "max_iter": 1, **params}
    mlp = BackpropMLPClassifier(**params)
    mlp.set_callbacks(callback).fit(*data)
    return callback.notes[0]


@pytest.mark.parametrize("fits_in", ["main", "pool"])
def test_limits_set_after_a_fit_hold_in_any_thread(fits_in, unlimited, small):
    if fits_in == "main":
        fit_small(small)
    else:
        in_another_thread(lambda: fit_small(small))

    def limited():
        with threadpool_limits(1):
            return n_blas_threads()

    assert set(in_another_thread(limited)) == {1}
    assert set(limited()) == {1}


@contextmanager
def a_block_entered_in_a_fit():
    """It is open while the context is, and sets our one thread back at its end."""
    entered, go = threading.Event(), threading.Event()

    def caller():
        with threadpool_limits(threads._n_cores(), user_api="blas"):
            entered.set()
            go.wait()

    block = threading.Thread(target=caller)
    with threads.limited_threads():
        block.start()
        entered.wait()
    try:
        yield
    finally:
        go.set()
        block.join()


def test_a_block_of_as_many_threads_that_ends_long_after(unlimited):
    """It sets our one thread back, which is what there was when it began."""
    with a_block_entered_in_a_fit():
        time.sleep(1)
    assert until(lambda: n_blas_threads() == unlimited)


def test_fewer_cores_than_the_blas_has_threads(unlimited):
    """As in a container: the number comes back, not that of the cores."""
    script = (
        "import threading, time\n"
        "from threadpoolctl import threadpool_info, threadpool_limits\n"
        "from skmlp_backprop._network.threads import limited_threads\n"
        "def n():\n"
        "    infos = threadpool_info()\n"
        "    return [i['num_threads'] for i in infos if i['user_api'] == 'blas']\n"
        "before, entered, go = n(), threading.Event(), threading.Event()\n"
        "def caller():\n"
        "    with threadpool_limits(1):\n"
        "        entered.set()\n"
        "        go.wait()\n"
        "with limited_threads():\n"
        "    block = threading.Thread(target=caller)\n"
        "    block.start()\n"
        "    entered.wait()\n"
        "go.set()\n"
        "block.join()\n"
        "deadline = time.monotonic() + 10\n"
        "while n() != before and time.monotonic() < deadline:\n"
        "    time.sleep(0.01)\n"
        "print(n() == before)"
    )
    environment = {**os.environ, "LOKY_MAX_CPU_COUNT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "True"


@pytest.mark.callbacks
def test_fits_in_any_thread_hold_the_blas(unlimited, small):
    """After a fit in one thread those in others get what they ask for."""

    def held():
        return watched_fit(small, n_blas_threads, solver="lbfgs")

    for _ in range(2):
        assert set(held()) == {1}
        assert set(in_another_thread(held)) == {1}


def test_a_fit_that_ends_within_another_leaves_it_the_blas(unlimited):
    """Both have threads of their own, and the BLAS has one to the end of the last."""
    with threads.limited_threads() as n_outer:
        with threads.limited_threads() as n_inner:
            assert n_inner == n_outer == threads._n_cores()
        assert set(n_blas_threads()) == {1}
    assert n_blas_threads() == unlimited


def test_one_thread_looks_after_many_fits(unlimited):
    """It leaves the BLAS to a fit that begins meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
        assert until(lambda: not threads._blas()._is_watched)
        before = threading.active_count()
        for _ in range(5):
            with threads.limited_threads():
                pass
        # An earlier one may be about to end.
        assert threading.active_count() <= before + 2
        with threads.limited_threads():
            time.sleep(0.1)
            assert set(n_blas_threads()) == {1}


def test_own_threads_only_where_the_blas_is_held(unlimited):
    """Another thread's limits are in force: ours can't be, and threads multiply."""
    entered, leave = threading.Event(), threading.Event()

    def limit():
        with threadpool_limits(unlimited[0]):
            entered.set()
            leave.wait(10)

    with ThreadPoolExecutor(1) as pool:
        block = pool.submit(limit)
        assert entered.wait(10)
        with threads.limited_threads() as n_threads:
            assert n_threads == 1
            assert n_blas_threads() == unlimited
        leave.set()
        block.result()
    with threads.limited_threads() as n_threads:
        assert n_threads == threads._n_cores()
        assert set(n_blas_threads()) == {1}


def test_overlapping_fits_and_callers_limits(unlimited, small):
    """Four threads fit while one enters and leaves limits at random."""

    def limit(seed):
        rng = random.Random(seed)
        for _ in range(40):
            time.sleep(rng.random() * 0.01)
            with threadpool_limits(rng.choice([1, 2])):
                time.sleep(rng.random() * 0.01)

    for seed in range(3):
        with ThreadPoolExecutor(5) as pool:
            futures = [pool.submit(limit, seed)]
            mlp = BackpropMLPClassifier(5, solver="lbfgs", max_iter=15, tol=1)
            fits = range(60)
            futures += [pool.submit(mlp.__sklearn_clone__().fit, *small) for _ in fits]
            for future in futures:
                future.result()
        assert until(lambda: n_blas_threads() == unlimited)


@pytest.mark.callbacks
@pytest.mark.parametrize("number", [1, 2])
def test_a_block_entered_in_a_fit_and_left_after_it(number, unlimited, small):
    """What it found was ours; what it leaves must not be."""
    in_fit, in_block, after_fit = (threading.Event() for _ in range(3))

    def limit():
        in_fit.wait(10)
        with threadpool_limits(number):
            in_block.set()
            after_fit.wait(10)
            # Its limit is in force to its end.
            time.sleep(0.05)
            return n_blas_threads()

    def note():
        in_fit.set()
        return in_block.wait(10)

    with ThreadPoolExecutor(1) as pool:
        block = pool.submit(limit)
        assert watched_fit(small, note, solver="lbfgs")
        after_fit.set()
        assert set(block.result()) == {number}
    assert until(lambda: n_blas_threads() == unlimited)


@pytest.mark.callbacks
@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_a_fit_in_a_block_entered_in_another_fit(solver, number, unlimited, small):
    """Each sets back what it found, and at the block's end there is nothing of ours."""
    in_fit, in_block = threading.Event(), threading.Event()

    def note():
        in_fit.set()
        return in_block.wait(10)

    with ThreadPoolExecutor(1) as pool:
        outer = pool.submit(watched_fit, small, note, solver="lbfgs")
        in_fit.wait(10)
        with threadpool_limits(number):
            in_block.set()
            assert outer.result()
            inner = BackpropMLPClassifier(5, solver=solver, max_iter=2)
            inner.fit(*small).predict(small[0])
            assert set(n_blas_threads()) == {number}
    assert until(lambda: n_blas_threads() == unlimited)


def test_a_fit_in_a_block_of_more_threads_than_cores(unlimited, small):
    """It is not waited for that number to come back: no thread of ours stays."""

    def limited_fit():
        with threadpool_limits(unlimited[0] + 2):
            fit_small(small)
            return n_blas_threads()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
        before = threading.active_count()
        assert set(pool.submit(limited_fit).result()) == {unlimited[0] + 2}
        assert n_blas_threads() == unlimited
        assert until(lambda: threading.active_count() <= before)


@pytest.mark.callbacks
def test_a_block_with_a_fit_that_ends_in_another_fit(unlimited, small):
    """The last fit holds what the first one found, which the block has set back."""
    in_first, in_second, first_is_over = (threading.Event() for _ in range(3))

    def note_first():
        in_first.set()
        return in_second.wait(10)

    def limited_fit():
        with threadpool_limits(unlimited[0] + 2):
            assert watched_fit(small, note_first, solver="lbfgs")
        first_is_over.set()

    def note_second():
        in_second.set()
        return first_is_over.wait(10)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(limited_fit)
        assert in_first.wait(10)
        assert watched_fit(small, note_second, solver="lbfgs")
        first.result()
    assert n_blas_threads() == unlimited


@pytest.mark.callbacks
def test_a_block_that_ends_in_a_fit(unlimited, small):
    entered, in_fit, left = (threading.Event() for _ in range(3))

    def limit():
        with threadpool_limits(1):
            entered.set()
            in_fit.wait(10)
        left.set()

    def note():
        in_fit.set()
        left.wait(10)
        return n_blas_threads()

    with ThreadPoolExecutor(1) as pool:
        block = pool.submit(limit)
        assert entered.wait(10)
        assert watched_fit(small, note, solver="lbfgs") == unlimited
        block.result()


@pytest.mark.callbacks
def test_interrupted_and_failing_fits_put_back(unlimited, small):
    def interrupt():
        raise KeyboardInterrupt

    def fail():
        raise RuntimeError("a callback's error")

    # KeyboardInterrupt ends the training, not the fit.
    with pytest.warns(UserWarning, match="interrupted"):
        BackpropMLPClassifier(5, solver="lbfgs").set_callbacks(Inside(interrupt)).fit(
            *small
        )
    assert n_blas_threads() == unlimited
    with pytest.raises(RuntimeError, match="a callback's error"):
        watched_fit(small, fail, solver="lbfgs")
    assert n_blas_threads() == unlimited


@pytest.mark.callbacks
@pytest.mark.parametrize(("units", "held"), [(10, True), ((10, 3000, 3), False)])
def test_sparse_minibatches_hold_the_blas(units, held, unlimited):
    """SciPy multiplies by sparse rows itself: BLAS threads have only the later layers.

    The first product alone is large enough for them in both networks.
    """
    # SciPy calls it rng since 1.15 and takes both.
    shape = (400, 60_000)
    X = sparse.random_array(shape, density=1e-4, random_state=0, format="csr")
    data = X, np.arange(400) % 2
    seen = watched_fit(data, n_blas_threads, hidden_layer_sizes=units)
    assert (seen == [1] * len(unlimited)) == held


def ticks_of_other_threads():
    """Processor time of all threads of the process but this one, in clock ticks."""
    this = str(threading.get_native_id())
    others = [task for task in Path("/proc/self/task").iterdir() if task.name != this]
    stats = [(task / "stat").read_text().rpartition(")")[2].split() for task in others]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats)


@pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="threads' times are in Linux's /proc"
)
@pytest.mark.parametrize("n_rows", [1, 20])
def test_small_predictions_stay_off_the_blas_threads(n_rows, unlimited):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((n_rows, 64)), np.arange(n_rows) % 10
    mlp = BackpropMLPClassifier(50, max_iter=1).fit(X, y)
    # Idle threads of the fit's spin for a while, and one looks after the BLAS.
    time.sleep(1)
    before = ticks_of_other_threads()
    for _ in range(2000):
        mlp.predict_proba(X)
    assert ticks_of_other_threads() - before <= 2
    assert n_blas_threads() == unlimited
    # That the times would have shown it:
    large = np.ones((1000, 1000))
    for _ in range(10):
        large @ large
    assert ticks_of_other_threads() - before > 2


def test_more_cores_than_the_blas_has_threads(monkeypatch):
    """On 96 cores a wheel's OpenBLAS has 64 threads, on Windows 24."""
    monkeypatch.setattr(threads, "_n_cores", lambda: 96)
    of_numpy = [
        controller
        for controller in threads._controller().lib_controllers
        if Path(controller.filepath).parent.name == "numpy.libs"
    ]
    # Wheels for Linux have this folder.
    folder = Path(np.__file__).parents[1] / "numpy.libs"
    assert len(of_numpy) == folder.exists()
    for controller in of_numpy:
        wheel = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        most = re.search(r"MAX_THREADS=(\d+)", wheel["openblas configuration"])
        assert threads._max_threads(controller) == int(most[1])
    text = b"OpenBLAS 0.3.33 DYNAMIC_ARCH Haswell MAX_THREADS=24"
    controller = SimpleNamespace(
        internal_api="openblas",
        dynlib=SimpleNamespace(openblas_get_config64_=lambda: text),
        num_threads=24,
    )
    blas = threads._Blas([controller])
    monkeypatch.setattr(threads, "_blas", lambda: blas)
    assert not threads.is_limited()
    controller.num_threads = 23
    assert threads.is_limited()
    # On 8 cores it has 8.
    monkeypatch.setattr(threads, "_n_cores", lambda: 8)
    assert threads._max_threads(controller) == 8


def test_mkl_has_a_thread_for_each_core_of_two_hyperthreads(monkeypatch):
    def cpu_count(only_physical_cores=False):
        return 4 if only_physical_cores else 8

    monkeypatch.setattr(joblib, "cpu_count", cpu_count)
    controller = SimpleNamespace(internal_api="mkl", num_threads=4)
    blas = threads._Blas([controller])
    assert not blas.is_limited()
    controller.num_threads = 3
    assert blas.is_limited()


class Library:
    """A library that another thread may limit to one thread, after n readings.

    As in threadpoolctl, the first thread that sets a number is the only one to do so.
    """

    internal_api, dynlib = "openblas", None

    def __init__(self, number, n_readings=0):
        self.number = number
        self.n_left = n_readings
        self.is_ours = self.is_theirs = False

    @property
    def num_threads(self):
        number = self.number
        self.n_left -= 1
        if self.n_left == 0 and not self.is_ours:
            self.number, self.is_theirs = 1, True
        return number

    def set_num_threads(self, number):
        self.is_ours = not self.is_theirs
        if self.is_ours:
            self.number = number


def test_a_limit_that_is_set_while_a_fit_begins(monkeypatch):
    """There are several readings before the fit has set its own limit."""
    monkeypatch.setattr(threads, "_n_cores", lambda: 4)
    n_threads = []
    for n_readings in range(10):
        library = Library(4, n_readings)
        blas = threads._Blas([library])
        monkeypatch.setattr(threads, "_blas", lambda blas=blas: blas)
        with threads.limited_threads() as n:
            n_threads.append(n)
            assert n == (1 if library.is_theirs else 4)
    assert set(n_threads) == {1, 4}


@pytest.mark.parametrize("has_block", [False, True])
def test_no_thread_stays_on_one_core(has_block, monkeypatch):
    """Where one thread is what there was, also at the end of a caller's block."""
    monkeypatch.setattr(threads, "_n_cores", lambda: 1)
    library = Library(1)
    blas = threads._Blas([library])
    monkeypatch.setattr(threads, "_blas", lambda: blas)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
        with threads.limited_threads():
            library.number = 2 if has_block else 1
        assert blas._is_watched
        library.number = 1
        assert until(lambda: not blas._is_watched, 5)
    assert library.number == 1


@pytest.mark.callbacks
def test_large_minibatches_share_the_threads_of_the_blas(unlimited):
    data = np.ones((256, 200)), np.arange(256) % 2
    seen = watched_fit(data, n_blas_threads, hidden_layer_sizes=100, batch_size=256)
    assert seen == unlimited


def test_a_library_that_threadpoolctl_does_not_know(unlimited, monkeypatch):
    """Such as Accelerate, whose threads joblib limits by a variable."""
    nothing = threads._Blas([])
    monkeypatch.setattr(threads, "_blas", lambda: nothing)
    with threads.limited_threads() as n_threads:
        assert n_threads == threads._n_cores()
    for value, expected in ("1", 1), ("many", threads._n_cores()):
        monkeypatch.setenv("VECLIB_MAXIMUM_THREADS", value)
        with threads.limited_threads() as n_threads:
            assert n_threads == expected


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


def in_a_fork(function):
    """What a function returns in a forked process, which must end."""
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    process = context.Process(target=lambda: queue.put(function()))
    process.start()
    process.join(20)
    if process.is_alive():
        process.kill()
    assert process.exitcode == 0
    return queue.get()


def fork_and_count():
    """Threads of a process that was forked within a fit.

    At its beginning, in a block of one thread, and after a fit of its own.
    """

    def limited():
        with threadpool_limits(1):
            return n_blas_threads()

    def work():
        first = n_blas_threads()
        of_block = in_another_thread(limited)
        with threads.limited_threads():
            pass
        return first, of_block, n_blas_threads()

    return in_a_fork(work)


@pytest.mark.callbacks
@needs_fork
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_process_forked_in_a_fit_is_not_limited(unlimited, small):
    counts = watched_fit(small, fork_and_count, solver="sgd")
    assert counts == (unlimited, [1] * len(unlimited), unlimited)


@needs_fork
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_process_forked_while_another_thread_has_the_lock(unlimited):
    """That thread, which would free it, is not in the new process."""
    locked, go = threading.Event(), threading.Event()

    def lock():
        with threads._lock:
            locked.set()
            go.wait()

    def n_threads():
        with threads.limited_threads() as n:
            return n

    with ThreadPoolExecutor(1) as pool:
        pool.submit(lock)
        assert locked.wait(10)
        try:
            assert in_a_fork(n_threads) == threads._n_cores()
        finally:
            go.set()


@needs_fork
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_process_forked_while_a_thread_looks_after_the_blas(unlimited):
    """The new process has no such thread until one of its own fits needs it."""

    def needs_none():
        with threads.limited_threads():
            pass
        return threading.active_count() == 1

    def is_mended():
        with a_block_entered_in_a_fit():
            pass
        return until(lambda: n_blas_threads() == unlimited, 5)

    with a_block_entered_in_a_fit():
        assert in_a_fork(needs_none)
        assert in_a_fork(is_mended)


def test_a_variable_that_came_too_late_for_the_blas(unlimited, monkeypatch):
    # As a Dask cluster sets it for its workers, in its own process too.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with threads.limited_threads() as n_threads:
        assert n_threads > 1
        assert max(n_blas_threads()) == 1


def test_a_variable_that_the_blas_has_read():
    script = (
        "from skmlp_backprop._network import threads\n"
        "with threads.limited_threads() as n_threads: print(n_threads)"
    )
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == "1"
