"""What an evaluation on a Dask cluster costs beyond its arithmetic, and when two pay.

Beside real sums there are evaluations whose arithmetic is a wait of known length, so
that eight workers can be run on two cores; from those of few workers the cost model
tells those of more. ``python -m benchmarks.cluster --large FOLDER`` makes and fits
20,000,000 rows of 50 features, 4 GB, instead.
"""

import resource
import statistics
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dask.array as da
import numpy as np
from dask import delayed
from distributed import Client, LocalCluster
from scipy.optimize import nnls

from skmlp_backprop import BackpropMLPClassifier
from skmlp_backprop._distributed.client import Shards, answer
from skmlp_backprop._distributed.objective import DistributedObjective
from skmlp_backprop._estimators.training import initial_parameters
from skmlp_backprop._network.objective import Objective
from skmlp_backprop._network.threads import limited_threads
from skmlp_backprop.dask import DaskBackpropMLPClassifier

from ._report import Row

OVERHEAD_BAR = 15
TWO_BAR = 0.65
# Seconds of an evaluation's wait, in place of arithmetic.
WAIT = 0.05
# Hidden units of 50 inputs and 3 outputs: some 1e3, 1e5 and 1e6 weights.
UNITS = (20, 2000, 20_000)
WORKERS = (1, 2, 4, 8)
PLANNED = (10, 100, 1000)


def waiting(shard, method, theta, *_):
    """A sum that takes as long as it is told, of a gradient as long as the weights."""
    time.sleep(WAIT)
    return np.zeros(1), np.zeros_like(theta)


def timed(shard, method, *arguments):
    """A sum, and the seconds it has taken."""
    start = time.perf_counter()
    result = answer(shard, method, *arguments)
    return time.perf_counter() - start, result


class WaitingShards(Shards):
    """Shards whose sums are waits."""

    answer = staticmethod(waiting)


class TimedShards(Shards):
    """Shards that note the seconds of the slowest of them."""

    answer = staticmethod(timed)

    def ask_each(self, method, arguments):
        """Ask, and take the time off the answers."""
        answers = super().ask_each(method, arguments)
        self.slowest = max(seconds for seconds, _ in answers)
        return [result for _, result in answers]


def _rows(n_rows):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n_rows, 50), dtype=np.float32), np.arange(n_rows) % 3


class Evaluation:
    """Evaluations of J on a cluster, as a solver calls them."""

    def __init__(self, client, n_rows, units, kind):
        X, y = _rows(n_rows)
        chunk = -(-n_rows // 8)
        mlp = DaskBackpropMLPClassifier(units, random_state=0, client=client)
        data = mlp._distribute(
            da.from_array(X, chunks=(chunk, 50)),
            da.from_array(y, chunks=chunk),
            None,
            continuing=False,
            # What is computed stays until the cluster is closed.
            at_the_end=ExitStack(),
        )
        self.rows = data.rows
        shards = self.rows.shards
        self.rows.shards = kind(client, shards.futures, shards.workers)
        parameters = initial_parameters(mlp, data, np.random.RandomState(0))
        self.objective = DistributedObjective(
            data.network, 1e-4, parameters.copy(np.float32)
        )

    def __call__(self):
        """Evaluate; return the seconds."""
        start = time.perf_counter()
        self.objective.loss_and_gradient(self.rows)
        return time.perf_counter() - start


class LocalEvaluation:
    """The same in this process, whose threads share the rows."""

    def __init__(self, n_rows, units):
        mlp = BackpropMLPClassifier(units, random_state=0)
        X, y = mlp._validate_rows(*_rows(n_rows), reset=True)
        data = mlp._training_data(X, y, mlp._target_encoder_of(y), None)
        self.rows = data.rows
        parameters = initial_parameters(mlp, data, np.random.RandomState(0))
        with limited_threads() as n_threads:
            self.objective = Objective(
                data.network,
                1e-4,
                parameters.copy(np.float32),
                n_threads=n_threads,
            )

    def __call__(self):
        """Evaluate; return the seconds."""
        start = time.perf_counter()
        with limited_threads():
            self.objective.loss_and_gradient(self.rows)
        return time.perf_counter() - start


def run():
    """Waits on 1 to 8 workers, then arithmetic on one and on two."""
    seconds = _overheads_of_waits()
    rows = [
        Row(
            f"{n_weights} weights, {k} workers that wait 50 ms",
            {"ms beyond": 1e3 * seconds[n_weights, k]},
        )
        for n_weights, k in seconds
    ]
    model = CostModel.of({key: s for key, s in seconds.items() if key[1] < 8})
    for (n_weights, k), measured in seconds.items():
        if k == 8:
            figures = {
                "ms by the model of 1, 2, 4": 1e3 * model(n_weights, k),
                "measured": 1e3 * measured,
            }
            rows.append(Row(f"{n_weights} weights, {k} workers", figures))
    of_all = CostModel.of(seconds)
    rows.append(Row("the model of all these", of_all.figures()))
    for n_weights in sorted({n for n, _ in seconds}):
        figures = {f"ms, {k} workers": 1e3 * of_all(n_weights, k) for k in PLANNED}
        rows.append(Row(f"{n_weights} weights, beyond arithmetic", figures))
    return [*rows, *_arithmetic()]


class CostModel:
    """Seconds beyond the arithmetic: of an evaluation, a worker, and a byte of each.

    ``evaluation + workers * (task + bytes * per_byte)``, bytes those of the weights, of
    which each worker is sent a copy and sends one back.
    """

    def __init__(self, evaluation, task, per_byte):
        self.evaluation = evaluation
        self.task = task
        self.per_byte = per_byte

    @classmethod
    def of(cls, seconds):
        """Fit to measurements, by relative errors."""
        terms = [(1, k, k * 4 * n_weights) for n_weights, k in seconds]
        target = np.array(list(seconds.values()))
        terms = np.array(terms) / target[:, np.newaxis]
        scale = np.abs(terms).max(axis=0)
        solution, _ = nnls(terms / scale, np.ones(len(target)))
        return cls(*(solution / scale))

    def __call__(self, n_weights, n_workers):
        per_worker = self.task + 4 * n_weights * self.per_byte
        return self.evaluation + n_workers * per_worker

    def figures(self):
        """Its constants."""
        return {
            "ms an evaluation": 1e3 * self.evaluation,
            "ms a worker": 1e3 * self.task,
            "ms a MB to a worker and back": 1e3 * self.per_byte * 2**20,
        }


def _overheads_of_waits():
    """Median seconds beyond the wait, by number of weights and of workers."""
    seconds = {}
    for k in WORKERS:
        with _cluster(k) as client:
            for units in UNITS:
                evaluate = Evaluation(client, 64, units, WaitingShards)
                n_weights = evaluate.objective.parameters.flat.size
                n_calls = 10 if units == UNITS[-1] else 30
                times = [evaluate() for _ in range(n_calls)][3:]
                seconds[n_weights, k] = statistics.median(times) - WAIT
    return seconds


@contextmanager
def _cluster(n_workers):
    """A client of so many workers, of one thread each."""
    with (
        LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
        ) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(n_workers)
        yield client


def _arithmetic():
    """Sums on one worker, on two and in this process, in turn; with the bars."""
    rows = []
    with _cluster(1) as one, _cluster(2) as two:
        for n_rows in (2**14, 180_000, 2**19):
            on_one, on_two = (
                Evaluation(client, n_rows, 100, TimedShards) for client in (one, two)
            )
            local = LocalEvaluation(n_rows, 100)
            seconds = {"one": [], "two": [], "here": [], "slowest": []}
            for _ in range(15):
                seconds["one"].append(on_one())
                seconds["two"].append(on_two())
                seconds["slowest"].append(on_two.rows.shards.slowest)
                seconds["here"].append(local())
            rows += _rows_of_arithmetic(n_rows, seconds)
    return rows


def _rows_of_arithmetic(n_rows, seconds):
    # The first evaluations make buffers.
    ms = {name: 1e3 * np.array(s[2:]) for name, s in seconds.items()}
    one, two, here = (np.median(ms[name]) for name in ("one", "two", "here"))
    arithmetic = np.median(ms["slowest"])
    beyond = np.median(ms["two"] - ms["slowest"])
    what = f"{n_rows} x 50, 100 units"
    yield Row(
        f"{what}, two workers",
        {"ms": two, "arithmetic": arithmetic, "beyond": beyond},
        f"beyond <= {OVERHEAD_BAR} ms",
        beyond <= OVERHEAD_BAR,
    )
    yield Row(
        f"{what}, two workers over one",
        {"one worker ms": one, "ratio": two / one},
        f"<= {TWO_BAR} from 50 ms of arithmetic",
        two <= TWO_BAR * one or one < 50,
    )
    # A second worker takes half of the arithmetic off.
    per_row = arithmetic / (n_rows / 2)
    figures = {
        "local ms": here,
        "two workers / local": two / here,
        "rows of a batch from which two workers pay": beyond / (per_row / 2),
    }
    yield Row(f"{what}, a process of two threads", figures)


def large(folder, n_rows=20_000_000, n_evaluations=5):
    """Fit rows that are read from files, beside one process on a memory map of them."""
    path, chunk = Path(folder) / "X.npy", n_rows // 20
    if not path.exists():
        X = np.lib.format.open_memmap(path, "w+", np.float32, (n_rows, 50))
        rng = np.random.default_rng(0)
        for start in range(0, n_rows, chunk):
            X[start : start + chunk] = rng.standard_normal((chunk, 50), np.float32)
        X.flush()
    mapped = np.load(path, mmap_mode="r")
    params = {
        "hidden_layer_sizes": 100,
        "solver": "lbfgs",
        "max_fun": n_evaluations,
        "random_state": 0,
    }
    rows = []
    with _cluster(2) as client:
        X = da.concatenate(
            [
                da.from_delayed(
                    delayed(_read)(path, start, start + chunk),
                    (chunk, 50),
                    np.float32,
                )
                for start in range(0, n_rows, chunk)
            ]
        )
        mlp = DaskBackpropMLPClassifier(client=client, **params)
        before = _peak()
        start = time.perf_counter()
        mlp.fit(X, (X[:, 0] > 0).astype(np.int8))
        figures = {
            "s": time.perf_counter() - start,
            "s an evaluation": mlp.time_curve_[-1] / mlp.n_fun_,
            "client's MB": _peak() - before,
        }
        rows.append(Row(f"{n_rows} x 50, two workers", figures))
    y = (mapped[:, 0] > 0).astype(np.int8)
    start = time.perf_counter()
    local = BackpropMLPClassifier(**params).fit(mapped, y)
    figures = {
        "s": time.perf_counter() - start,
        "s an evaluation": local.time_curve_[-1] / local.n_fun_,
    }
    return [*rows, Row(f"{n_rows} x 50, a process on a memory map", figures)]


def _read(path, start, stop):
    return np.array(np.load(path, mmap_mode="r")[start:stop])


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


if __name__ == "__main__":
    for row in large(sys.argv[-1]) if "--large" in sys.argv else run():
        print(row)
