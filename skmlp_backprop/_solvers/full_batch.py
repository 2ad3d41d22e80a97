"""The solvers that minimise over all rows, by scipy.optimize.minimize."""

import math

import numpy as np
import scipy.optimize

from .interruption import aborts_when_interrupted
from .training import Stop

# The curvature condition c2 of the line search; SciPy's default is 0.4. A stricter
# search makes fewer, better iterations. On ex4data1, 400-25-10, alpha 1, seeds 0 to 4:
#
#     c2                              0.05   0.1    0.15   0.2    0.3    0.4
#     worst J, 900 evaluations        0.322  0.318  0.320  0.323  0.325  0.324
#     worst J, 400 iterations         0.317  0.311  0.316  0.318  0.324  0.324
#     most evaluations for 400 it.     1447   1405   1353   1229   953    944
#
# The condition c1 of sufficient decrease changes nothing from 0.0001 up to nearly c2.
_CURVATURE = 0.1

_NO_CAP = np.iinfo(np.int32).max

# Products with the Hessian within a step of TNC; SciPy's default is 50, or n / 2 if
# that is less. More steps, each solved more roughly, get further: on ex4data1
# (400-25-10, alpha 1, 250 evaluations, seeds 0 to 7) the worst J is 0.335 with 10,
# 0.343 with 20, 0.358 with 30 and with 50.
_MAX_CG_ITERATIONS = 10

# TNC forms Hessian products by differences of gradients. This is the relative step of
# these differences, SciPy's default being 1.5e-8. A larger step comes as far on
# ex4data1 and amplifies last-bit differences a hundred times less: after 10 evaluations
# weighted and repeated rows differ by 4e-10, where it was 5e-8.
_DIFFERENCE_STEP = 1e-6


class FullBatchSolver:
    """Minimise the objective over all rows with scipy.optimize.minimize.

    A subclass names SciPy's method and its options.

    Parameters
    ----------
    max_iter : int
        Cap on iterations.

    max_fun : int
        Cap on evaluations of loss and gradient.

    tol : float
        Tolerance on the gradient's largest entry.
    """

    stochastic = False
    # Precision to evaluate in; None for that of the data.
    dtype = None
    hyper_parameters = ("max_iter", "max_fun", "tol")

    def __init__(self, max_iter, max_fun, tol):
        self.max_iter = max_iter
        self.max_fun = max_fun
        self.tol = tol

    def minimize(self, objective, rows, training):
        """Minimise.

        Parameters
        ----------
        objective : Objective
            At the initial weights of one network, which the final ones overwrite.

        rows : Rows
            The rows to sum over.

        training : Training
            Given the final weights and why it stopped.
        """
        run = _Minimization(self, objective, rows, training)
        try:
            result = self._call_scipy(run)
            run.keep(result.x, float(result.fun))
            training.stop = self._stop_at(result)
        except _Halt as halt:
            run.keep(*(halt.end or run.best))
            training.stop = halt.stop
        except KeyboardInterrupt:
            if aborts_when_interrupted():
                raise
            run.keep(*run.best)
            training.stop = Stop("interrupted")
        training.weights = training.final_weights = [objective.parameters]

    def _call_scipy(self, run):
        def callback(intermediate_result):
            run.end_iteration(intermediate_result.x, float(intermediate_result.fun))

        return self._scipy_minimize(run.evaluate, run.start, callback)

    def _scipy_minimize(self, evaluate, start, callback):
        return scipy.optimize.minimize(
            evaluate,
            start,
            jac=True,
            method=self.method,
            callback=callback,
            options=self.options(),
        )

    def _stop_at(self, result):
        """The Stop of SciPy's result: "converged" if it meets `tol`, else "stalled"."""
        slope = _largest_entry(result.jac)
        if slope <= self.tol:
            return self._converged()
        return Stop("stalled", str(result.message).rstrip(" .:"), slope)

    def _converged(self):
        message = f"The gradient's largest entry is at most tol={self.tol:g}."
        return Stop("converged", message)


def _largest_entry(gradient):
    """The largest absolute value, which `tol` is a tolerance of."""
    return float(np.linalg.norm(gradient, np.inf))


class _Halt(Exception):
    """Raised through SciPy to end a minimisation at once.

    SciPy's own ways differ by method: TNC has no cap on iterations and lets a
    StopIteration escape, CG has no cap on evaluations, L-BFGS-B overruns its own
    until the iteration is complete.

    Parameters
    ----------
    stop : Stop
        Why it ends.

    end : tuple of (ndarray, float) or None, default=None
        The final weights and their J; None for the best ones.
    """

    def __init__(self, stop, end=None):
        self.stop = stop
        self.end = end


class _Minimization:
    """A run of SciPy: evaluations and iterations, counted, capped and recorded.

    Parameters
    ----------
    solver, objective, rows, training
        As of :meth:`FullBatchSolver.minimize`.

    Attributes
    ----------
    start : ndarray of shape (n_parameters,), float64
        The initial weights.

    best : tuple of (ndarray, float)
        The weights of the lowest J so far, and this J.
    """

    def __init__(self, solver, objective, rows, training):
        self.solver = solver
        self.objective = objective
        self.rows = rows
        self.history = training.history
        self.reporter = training.reporter
        self.start = objective.parameters.flat.astype(np.float64)
        self.best = None, math.inf

    def evaluate(self, theta):
        """Return J and its gradient at the flat parameter vector `theta`."""
        if self.history.n_fun >= self.solver.max_fun:
            raise _Halt(Stop("max_fun"))
        self.objective.parameters.flat[:] = theta
        loss = float(self.objective.loss_and_gradient(self.rows)[0])
        gradient = self.objective.gradient.flat.astype(np.float64)
        # A sum is finite only if its terms are: one pass, nothing allocated.
        if not math.isfinite(loss) or not math.isfinite(gradient.sum()):
            raise _Halt(Stop("diverged"))
        self.history.n_fun += 1
        if loss < self.best[1]:
            self.best = theta.copy(), loss
        return loss, gradient

    def end_iteration(self, theta, loss):
        """Record an iteration that ended at `theta`, with J = `loss`."""
        history, reporter = self.history, self.reporter
        history.end_iteration(loss)
        reporter.say(f"Iteration {history.n_iter}, loss = {loss:.8f}")
        reporter.begin_iteration()
        parameters = self.objective.parameters
        if reporter.end_iteration(
            history, lambda: [parameters.on(theta.astype(parameters.dtype))]
        ):
            raise _Halt(Stop("callback"))
        if history.n_iter == self.solver.max_iter:
            raise _Halt(Stop("max_iter"))

    def keep(self, theta, loss):
        """Make `theta` the final weights; keep the initial ones where it is None."""
        if theta is None:
            return
        self.objective.parameters.flat[:] = theta
        history = self.history
        history.loss = loss
        history.best_loss = self.best[1]
        history.t = history.n_fun * self.rows.n_rows


class LBFGS(FullBatchSolver):
    """Limited-memory BFGS: a quasi-Newton method, the usual choice for small data.

    References
    ----------
    Byrd, R. H., Lu, P., Nocedal, J. and Zhu, C. (1995). "A limited memory
    algorithm for bound constrained optimization." SIAM J. Sci. Comput. 16(5).
    """

    method = "L-BFGS-B"

    def options(self):
        # One more than our own caps, so that ours strike first; and no other tolerance,
        # which would end it at 1e-5 where a gradient of 1e-6 is asked for.
        return {
            "gtol": self.tol,
            "ftol": 0,
            "maxiter": self.max_iter + 1,
            "maxfun": self.max_fun + 1,
        }


class CG(FullBatchSolver):
    """Polak-Ribiere conjugate gradients: little memory, many cheap iterations.

    References
    ----------
    Nocedal, J. and Wright, S. J. (2006). "Numerical Optimization", chapter 5.
    """

    method = "CG"

    def options(self):
        # One more than our own cap, so that ours strikes first.
        return {"gtol": self.tol, "maxiter": self.max_iter + 1, "c2": _CURVATURE}


class TNC(FullBatchSolver):
    """Truncated Newton: each step solves the Newton equations roughly, by CG.

    It forms Hessian products by differences of gradients. In float32 these are
    noise (on ex4data1 it ends at J = 0.68 where float64 reaches 0.31), so it
    evaluates in float64 whatever the input.

    References
    ----------
    Nash, S. G. (1984). "Newton-type minimization via the Lanczos method."
    SIAM J. Numer. Anal. 21(4).
    """

    method = "TNC"
    dtype = np.dtype(np.float64)

    def options(self):
        # Only our tolerance applies: SciPy's are for scaled weights and gradients.
        return {
            "gtol": 0,
            "xtol": 0,
            "ftol": 0,
            "maxfun": _NO_CAP,
            "maxCGit": _MAX_CG_ITERATIONS,
            "accuracy": _DIFFERENCE_STEP,
        }

    def _call_scipy(self, run):
        # TNC's callback is told the weights alone. They are, to the last bit, those
        # of one of the evaluations since the last iteration, whose loss is looked
        # up here; by hash, as a copy of each would be some fifty times the weights.
        seen = {}

        def evaluate(theta):
            loss, gradient = run.evaluate(theta)
            slope = _largest_entry(gradient)
            if run.history.n_fun == 1 and slope <= self.tol:
                raise _Halt(self._converged(), (theta.copy(), loss))
            seen[hash(theta.tobytes())] = loss, slope
            return loss, gradient

        def callback(xk):
            key = hash(xk.tobytes())
            loss, slope = seen[key]
            seen.clear()
            seen[key] = loss, slope
            run.end_iteration(xk, loss)
            if slope <= self.tol:
                raise _Halt(self._converged(), (xk.copy(), loss))

        return self._scipy_minimize(evaluate, run.start, callback)
