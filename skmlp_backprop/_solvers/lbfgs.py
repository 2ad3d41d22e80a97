"""L-BFGS."""

from .full_batch import FullBatchSolver


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
