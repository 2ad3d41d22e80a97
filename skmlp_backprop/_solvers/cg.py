"""Nonlinear conjugate gradients."""

from .full_batch import FullBatchSolver

# The line search's curvature condition, SciPy's default being 0.4. On ex4data1
# (400-25-10, alpha 1, 900 evaluations, seeds 0 to 5) a stricter search makes fewer,
# better iterations: worst J 0.319 with 0.1, 0.323 with 0.2, 0.326 with 0.4.
_CURVATURE = 0.1


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
