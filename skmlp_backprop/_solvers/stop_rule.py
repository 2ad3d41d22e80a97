"""When to stop for want of progress."""


class StopRule:
    """Progress has ceased after some epochs without an improvement by `tol`.

    The epochs are counted in the history, with which the count goes on in a later call.

    Parameters
    ----------
    tol : float
        An epoch is an improvement if its loss is lower than the lowest before, or its
        score higher than the highest, by at least this much.

    n_iter_no_change : int or inf
        Epochs without one, beyond which to stop.
    """

    def __init__(self, tol, n_iter_no_change):
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change

    def see_loss(self, loss, history):
        """Take an epoch's loss into account; whether it is the lowest so far."""
        self._count(history, is_change=loss <= history.best_loss - self.tol)
        if loss >= history.best_loss:
            return False
        history.best_loss = loss
        return True

    def see_score(self, score, history):
        """Take an epoch's score into account; whether it is the highest so far."""
        history.validation_scores.append(score)
        is_change = score >= history.best_validation_score + self.tol
        self._count(history, is_change)
        if score <= history.best_validation_score:
            return False
        history.best_validation_score = score
        return True

    def has_ceased(self, history):
        """Whether there is no progress any more."""
        return history.no_improvement_count > self.n_iter_no_change

    def _count(self, history, is_change):
        history.no_improvement_count = (
            0 if is_change else history.no_improvement_count + 1
        )
