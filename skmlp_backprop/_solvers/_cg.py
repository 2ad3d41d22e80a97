"""Nonlinear conjugate gradients."""

from ._full_batch import FullBatchSolver


class CG(FullBatchSolver):
    """Polak-Ribiere conjugate gradients: little memory, many cheap iterations.

    References
    ----------
    Nocedal, J. and Wright, S. J. (2006). "Numerical Optimization", chapter 5.
    """

    method = "CG"

    def options(self):
        # One more than our own cap, so that ours strikes first.
        return {"gtol": self.tol, "maxiter": self.max_iter + 1}
