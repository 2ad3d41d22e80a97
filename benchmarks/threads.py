"""Fits in other threads than the main one, and predictions on a busy machine."""

import multiprocessing
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import joblib
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_info, threadpool_limits

from skmlp_backprop import BackpropMLPClassifier

from . import _data
from ._report import Row
from ._timing import in_a_row, interleave

BAR = 1.3
# How much slower a prediction may be than on one thread, where others have the cores.
BUSY_BAR = 1.5


def run():
    """L-BFGS and Adam in a pool's thread, then predictions beside busy processes."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    before = _n_threads()
    rows = [*_fits(), _busy_prediction()]
    is_as_before = _n_threads() == before
    figures = {"BLAS threads before": before[0], "and after": _n_threads()[0]}
    rows.append(Row("all of these", figures, "the same", is_as_before))
    return rows


def _n_threads():
    infos = threadpool_info()
    return [info["num_threads"] for info in infos if info["user_api"] == "blas"]


def _fits():
    exercise, digits = _data.exercise(), _data.digits()
    jobs = {
        "L-BFGS, 30 iterations, 400-25-10": (
            BackpropMLPClassifier(25, "logistic", solver="lbfgs", max_iter=30),
            exercise,
        ),
        "Adam, 20 epochs, 64-100-10": (BackpropMLPClassifier(max_iter=20), digits),
    }
    rows = []
    for what, (mlp, (X, y)) in jobs.items():
        mlp.set_params(random_state=0, tol=0)
        fit = in_a_row(lambda mlp=mlp, X=X, y=y: mlp.fit(X, y).n_iter_, 3)
        with ThreadPoolExecutor(1) as pool:
            seconds, _ = interleave(
                {
                    "main": fit,
                    "other": lambda pool=pool, fit=fit: pool.submit(fit).result(),
                },
                calls=3,
            )
        ratio = seconds["other"] / seconds["main"]
        figures = {"s": seconds["other"], "main s": seconds["main"], "ratio": ratio}
        rows.append(
            Row(f"{what}, in another thread", figures, f"<= {BAR}", ratio <= BAR)
        )
    return rows


def _spin(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


@contextmanager
def _busy_machine(seconds=60):
    """Processes that take every core, for a bounded time."""
    processes = [
        multiprocessing.Process(target=_spin, args=(seconds,))
        for _ in range(joblib.cpu_count())
    ]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _busy_prediction():
    X, y = _data.digits()
    X = X[:569]
    ours = BackpropMLPClassifier(max_iter=5, random_state=0).fit(X, y[:569])
    theirs = MLPClassifier(max_iter=5, random_state=0).fit(X, y[:569])

    def on_one_thread():
        with threadpool_limits(1):
            return ours.predict_proba(X)

    with _busy_machine():
        seconds, _ = interleave(
            {
                "ours": in_a_row(lambda: ours.predict_proba(X), 20),
                "one": in_a_row(on_one_thread, 20),
                "mlp": in_a_row(lambda: theirs.predict_proba(X), 20),
            },
            calls=20,
        )
    ratio = seconds["ours"] / seconds["one"]
    figures = {
        "ms": 1e3 * seconds["ours"],
        "on one thread ms": 1e3 * seconds["one"],
        "MLPClassifier ms": 1e3 * seconds["mlp"],
        "ratio": ratio,
    }
    return Row(
        "predict_proba, 569 digits, all cores busy",
        figures,
        f"<= {BUSY_BAR} of one thread",
        ratio <= BUSY_BAR,
    )
