"""Where the time of a minibatch step goes: what is left once its products are paid."""

import time

import numpy as np

from skmlp_backprop import BackpropMLPClassifier
from skmlp_backprop._estimators.training import make_solver
from skmlp_backprop._network.buffers import Buffers
from skmlp_backprop._network.network import _first_product, _first_weight_gradient
from skmlp_backprop._network.objective import Objective
from skmlp_backprop._network.rows import Batches
from skmlp_backprop._network.threads import training_threads

from . import _data
from ._report import Row

CASES = [
    (load, dtype, batch_size, units)
    for load, batch_size, units in (
        (_data.digits, 32, 25),
        (_data.digits, 200, 100),
        (_data.mnist, 200, 25),
        (_data.mnist, 200, 100),
    )
    for dtype in (np.float64, np.float32)
]


def microseconds(function, calls=300):
    """Median time of a call, of 7 times many in a row."""
    times = []
    for _ in range(7):
        start = time.perf_counter()
        for _ in range(calls):
            function()
        times.append((time.perf_counter() - start) / calls)
    return 1e6 * float(np.median(times))


def parts(load, dtype, batch_size, units):
    """Functions that each do a part of a step, by name."""
    X, y = _data.in_dtype(load, dtype, 20000)
    mlp = BackpropMLPClassifier(units, "relu", solver="sgd", random_state=0)
    mlp = mlp._initialized(X, y, np.random.RandomState(0))
    network, rows, parameters = mlp._evaluation_point(X, y, None)
    parameters = parameters.copy(dtype)
    gradient = parameters.zeros_like()
    solver = make_solver(mlp)
    update = solver.update([solver], parameters, gradient)
    update.begin_epoch()
    objective = Objective(network, mlp.alpha, dtype)
    batch = rows.slice(0, batch_size)
    buffers = Buffers(network, 1, batch_size, np.dtype(dtype))
    network.loss_and_gradient(parameters, batch, 1.0, gradient, buffers)
    batches, order = (
        Batches(rows, batch_size),
        np.random.default_rng(0).permutation(len(X)),
    )
    gathered = batches.shuffled(order)

    def gather():
        nonlocal gathered
        if next(gathered, None) is None:
            gathered = batches.shuffled(order)

    def first_products():
        _first_product(parameters, batch.X, buffers.z[0], buffers)
        _first_weight_gradient(buffers.delta[0], batch.X, gradient, buffers)

    def evaluation():
        objective.loss_and_gradient(parameters, batch, gradient)

    def step():
        # Not alone: a gradient that is scaled again and again becomes subnormal.
        evaluation()
        update.step()

    def passes():
        network.loss_and_gradient(parameters, batch, 1.0, gradient, buffers)

    return {
        "gather": gather,
        "first layer's products": first_products,
        "both passes": passes,
        "evaluation": evaluation,
        "evaluation and update": step,
    }


def run():
    """Microseconds of each part; the passes hold the products, the evaluation both."""
    rows = []
    for load, dtype, batch_size, units in CASES:
        with training_threads():
            timed = {
                name: microseconds(part)
                for name, part in parts(load, dtype, batch_size, units).items()
            }
        name = np.dtype(dtype).name
        what = f"{load.__name__} {name} batch {batch_size} units {units}"
        rows.append(Row(what, timed))
    return rows
