"""Truncated Newton."""

import numpy as np

from .full_batch import Converged, FullBatchSolver, largest_entry

_NO_CAP = np.iinfo(np.int32).max

# Evaluations within one step, SciPy's default being 50. More steps, each solved
# more roughly, get further: on ex4data1 (400-25-10, alpha 1, 250 evaluations, seeds
# 0 to 7) the worst J is 0.335 with 10, 0.343 with 20, 0.358 with 30 and with 50.
_MAX_CG_ITERATIONS = 10

# Relative step of those differences, SciPy's default being 1.5e-8. A larger one comes
# as far on ex4data1 and amplifies last-bit differences a hundred times less: after 10
# evaluations weighted and repeated rows differ by 4e-10, where it was 5e-8.
_DIFFERENCE_STEP = 1e-6


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

    def arithmetic_dtype(self, dtype):
        return np.dtype(np.float64)

    def options(self):
        # No tolerances but ours: those of SciPy's are of scaled weights and gradients.
        return {
            "gtol": 0,
            "xtol": 0,
            "ftol": 0,
            "maxfun": _NO_CAP,
            "maxCGit": _MAX_CG_ITERATIONS,
            "accuracy": _DIFFERENCE_STEP,
        }

    def _minimize(self, evaluations, iterations):
        # TNC's callback is told the weights alone. They are, to the last bit, those
        # of one of the evaluations since the last iteration, whose loss is looked
        # up here; by hash, as a copy of each would be some fifty times the weights.
        seen = {}

        def evaluate(theta):
            loss, gradient = evaluations(theta)
            slope = largest_entry(gradient)
            if evaluations.n_fun == 1 and slope <= self.tol:
                raise Converged(theta.copy(), loss)
            seen[hash(theta.tobytes())] = loss, slope
            return loss, gradient

        def callback(xk):
            key = hash(xk.tobytes())
            loss, slope = seen[key]
            seen.clear()
            seen[key] = loss, slope
            iterations.end(xk, loss)
            if slope <= self.tol:
                raise Converged(xk.copy(), loss)

        return self._call_scipy(evaluate, evaluations.start(), callback)
