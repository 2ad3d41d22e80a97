"""What the solvers of scipy.optimize.minimize have in common."""

import math

import numpy as np
import scipy.optimize

from .interruption import aborts_when_interrupted
from .problem import Stop


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
    hyper_parameters = ("max_iter", "max_fun", "tol")

    def __init__(self, max_iter, max_fun, tol):
        self.max_iter = max_iter
        self.max_fun = max_fun
        self.tol = tol

    def arithmetic_dtype(self, dtype):
        """Precision to evaluate in, for data of the given precision."""
        return dtype

    def solve(self, problem, parameters, members):
        """Minimise.

        Parameters
        ----------
        problem : Problem
            What to minimise.

        parameters : Parameters
            The initial weights of one network; overwritten by the final ones.

        members : list of one NetworkInTraining
            The network; given its final weights and why it stopped.
        """
        (member,) = members
        member.stop = self._run(problem, parameters, member.history, member.monitor)
        member.weights = member.final_weights = parameters

    def _run(self, problem, parameters, history, monitor):
        evaluations = _Evaluations(problem, parameters, self.max_fun, history.n_fun)
        iterations = _Iterations(evaluations, history, monitor, self.max_iter)
        try:
            result = self._minimize(evaluations, iterations)
        except Converged as end:
            evaluations.keep(history, end.theta, end.loss)
            return Stop("converged")
        except _Halt as halt:
            return evaluations.keep_best(history, halt.stop)
        except KeyboardInterrupt:
            if aborts_when_interrupted():
                raise
            return evaluations.keep_best(history, Stop("interrupted"))
        evaluations.keep(history, result.x, float(result.fun))
        slope = largest_entry(result.jac)
        if slope <= self.tol:
            return Stop("converged")
        return Stop("stalled", str(result.message).rstrip(" .:"), slope)

    def _minimize(self, evaluations, iterations):
        def callback(intermediate_result):
            iterations.end(intermediate_result.x, float(intermediate_result.fun))

        return self._call_scipy(evaluations, evaluations.start(), callback)

    def _call_scipy(self, evaluate, start, callback):
        return scipy.optimize.minimize(
            evaluate,
            start,
            jac=True,
            method=self.method,
            callback=callback,
            options=self.options(),
        )


def largest_entry(gradient):
    """The largest absolute value, which `tol` is a tolerance of."""
    return float(np.linalg.norm(gradient, np.inf))


class Converged(Exception):
    """Raised through SciPy where a method has no criterion like ours."""

    def __init__(self, theta, loss):
        self.theta = theta
        self.loss = loss


class _Halt(Exception):
    """Raised through SciPy to end a minimisation at once.

    SciPy's own ways differ by method: TNC has no cap on iterations and lets a
    StopIteration escape, CG has no cap on evaluations, L-BFGS-B overruns its own
    until the iteration is complete.
    """

    def __init__(self, reason):
        self.stop = Stop(reason)


class _Evaluations:
    """The objective as SciPy calls it: counted, capped, the best one remembered."""

    def __init__(self, problem, parameters, max_fun, n_fun):
        self.problem = problem
        self.parameters = parameters
        self.gradient = parameters.zeros_like()
        self.max_fun = max_fun
        self.n_fun = n_fun
        self.best_loss = math.inf
        self.best_theta = None

    def start(self):
        """The initial flat parameter vector."""
        return self.parameters.flat.astype(np.float64)

    def __call__(self, theta):
        """Evaluate J and its gradient at the flat parameter vector `theta`."""
        if self.n_fun >= self.max_fun:
            raise _Halt("max_fun")
        self.parameters.flat[:] = theta
        loss = self.problem.objective.loss_and_gradient(
            self.parameters, self.problem.rows, self.gradient
        )
        loss = float(loss[0])
        gradient = self.gradient.flat.astype(np.float64)
        # A sum is finite only if its terms are: one pass, nothing allocated.
        if not math.isfinite(loss) or not math.isfinite(gradient.sum()):
            raise _Halt("diverged")
        self.n_fun += 1
        if loss < self.best_loss:
            self.best_loss = loss
            self.best_theta = theta.copy()
        return loss, gradient

    def keep(self, history, theta, loss):
        """Make `theta` the final weights."""
        self.parameters.flat[:] = theta
        history.loss = loss
        history.best_loss = self.best_loss
        history.n_fun = self.n_fun
        history.t = self.n_fun * self.problem.rows.n_rows

    def keep_best(self, history, stop):
        """Make the best weights seen the final ones."""
        if self.best_theta is not None:
            self.keep(history, self.best_theta, self.best_loss)
        return stop


class _Iterations:
    """Counts, caps and reports the iterations."""

    def __init__(self, evaluations, history, monitor, max_iter):
        self.evaluations = evaluations
        self.history = history
        self.monitor = monitor
        self.max_iter = max_iter

    def end(self, theta, loss):
        """Record an iteration that ended at `theta`, with J = `loss`."""
        history = self.history
        history.n_fun = self.evaluations.n_fun
        history.end_iteration(loss)
        self.monitor.say(f"Iteration {history.n_iter}, loss = {loss:.8f}")
        self.monitor.begin_iteration()
        parameters = self.evaluations.parameters
        if self.monitor.end_iteration(
            history,
            lambda: parameters.view_same_on(theta.astype(parameters.flat.dtype)),
        ):
            raise _Halt("callback")
        if history.n_iter == self.max_iter:
            raise _Halt("max_iter")
