"""L-BFGS."""

from ._full_batch import FullBatchSolver


class LBFGS(FullBatchSolver):
    """Limited-memory BFGS: a quasi-Newton method, the usual choice for small data.

    References
    ----------
    Byrd, R. H., Lu, P., Nocedal, J. and Zhu, C. (1995). "A limited memory
    algorithm for bound constrained optimization." SIAM J. Sci. Comput. 16(5).
    """

    method = "L-BFGS-B"

    def options(self):
        # One more than our own caps, so that ours strike first.
        return {
            "gtol": self.tol,
            "maxiter": self.max_iter + 1,
            "maxfun": self.max_fun + 1,
        }
