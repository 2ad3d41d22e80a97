"""One evaluation of loss and gradient, against torch and against its products."""

import numpy as np

from skmlp_backprop import BackpropMLPClassifier
from skmlp_backprop._network.objective import Objective
from skmlp_backprop._network.threads import limited_threads

from . import _data, _torch_side
from ._report import Row
from ._timing import check_same_loss, in_a_row, interleave

CASES = [
    ("ex4data1 400-25-10", _data.exercise, 25, "logistic", "logistic", 0.9, 1.35),
    ("mnist 784-100-10", _data.mnist, 100, "relu", "softmax", 0.95, 1.2),
]


def products(layer_units, X):
    """A function that computes the network's own products, in their fastest layout.

    In blocks that stay in the cache and on as many threads as is fastest here, each
    candidate layout timed: X W and X' D, or W' X' and D' X, for all layers.
    """
    n_rows, n_features = X.shape
    hidden, n_outputs = layer_units[1:]
    rng = np.random.default_rng(0)
    draw = lambda *shape: rng.standard_normal(shape).astype(X.dtype)  # noqa: E731
    W1, W2 = draw(hidden, n_features), draw(n_outputs, hidden)
    A, D1, D2 = draw(hidden, n_rows), draw(hidden, n_rows), draw(n_outputs, n_rows)
    Z1, Z2 = np.empty_like(A), np.empty_like(D2)
    G1, G2 = np.empty_like(W1), np.empty_like(W2)

    def units_by_rows():
        np.matmul(W1, X.T, out=Z1)
        np.matmul(W2, A, out=Z2)
        np.matmul(D2, A.T, out=G2)
        np.matmul(W2.T, D2, out=Z1)
        np.matmul(D1, X, out=G1)

    V1, V2 = np.ascontiguousarray(W1.T), np.ascontiguousarray(W2.T)
    B, E1, E2 = (np.ascontiguousarray(a.T) for a in (A, D1, D2))
    Y1, Y2 = np.empty_like(B), np.empty_like(E2)
    H1, H2 = np.empty_like(V1), np.empty_like(V2)

    def rows_by_units():
        np.matmul(X, V1, out=Y1)
        np.matmul(B, V2, out=Y2)
        np.matmul(B.T, E2, out=H2)
        np.matmul(E2, V2.T, out=Y1)
        np.matmul(X.T, E1, out=H1)

    return {"units by rows": units_by_rows, "rows by units": rows_by_units}


def run():
    """Both networks in both precisions."""
    rows = []
    for name, load, units, activation, output, bar_torch, bar_products in CASES:
        for dtype in (np.float64, np.float32):
            X, y = _data.in_dtype(load, dtype)
            mlp = BackpropMLPClassifier(
                (units,), activation, output_activation=output, alpha=1, random_state=0
            )._initialized(X, y, np.random.RandomState(0))
            network, data, parameters = mlp._evaluation_point(X, y, None)
            parameters = parameters.copy(dtype)
            with limited_threads() as n_threads:
                objective = Objective(
                    network, mlp.alpha, parameters, n_threads=n_threads
                )

            def ours(objective=objective, data=data):
                return float(objective.loss_and_gradient(data)[0])

            layouts = products(network.layer_units, X)
            calls = 60 if units == 25 else 3
            contenders = {
                "ours": in_a_row(ours, calls, limited_threads),
                "torch": in_a_row(_torch_side.forward_backward(mlp, X, y), calls),
                **{name: in_a_row(call, calls) for name, call in layouts.items()},
            }
            seconds, results = interleave(contenders, calls=calls)
            what = f"{name} {np.dtype(dtype).name}"
            check_same_loss(what, [results["ours"], results["torch"]])
            best = min(seconds[layout] for layout in layouts)
            over_torch, over_products = (
                seconds["ours"] / seconds["torch"],
                seconds["ours"] / best,
            )
            rows.append(
                Row(
                    what,
                    {
                        "ms": 1e3 * seconds["ours"],
                        "torch ms": 1e3 * seconds["torch"],
                        "products ms": 1e3 * best,
                        "of torch": over_torch,
                        "of the products": over_products,
                    },
                    f"<= {bar_torch} of torch, <= {bar_products} of the products",
                    over_torch <= bar_torch and over_products <= bar_products,
                )
            )
    return rows
