"""How a training went."""

import time
from dataclasses import dataclass, field, replace

import numpy as np


@dataclass
class History:
    """How a training went; a later call that continues it goes on writing here.

    The fields are the fitted attributes of the same names, less the underscore.
    """

    n_iter: int = 0
    n_fun: int = 0
    t: int = 0
    loss: float = np.inf
    best_loss: float | None = np.inf
    loss_curve: list = field(default_factory=list)
    n_fun_curve: list = field(default_factory=list)
    time_curve: list = field(default_factory=list)
    validation_scores: list | None = None
    best_validation_score: float | None = None
    no_improvement_count: int = 0
    n_fun_before: int = 0
    started: float = field(default_factory=time.perf_counter)

    def end_iteration(self, loss):
        """Record an iteration. `n_fun` already counts its evaluations."""
        self.n_iter += 1
        self.loss = loss
        self.loss_curve.append(loss)
        self.n_fun_curve.append(self.n_fun_before + self.n_fun)
        self.time_curve.append(time.perf_counter() - self.started)

    def count_improvement(self, is_improvement):
        """Count the consecutive epochs without improvement."""
        self.no_improvement_count = (
            0 if is_improvement else self.no_improvement_count + 1
        )

    def copy(self):
        """Copy, lists included."""
        scores = self.validation_scores
        return replace(
            self,
            loss_curve=list(self.loss_curve),
            n_fun_curve=list(self.n_fun_curve),
            time_curve=list(self.time_curve),
            validation_scores=None if scores is None else list(scores),
        )

    def continued(self, fresh):
        """Copy for a call that continues the training, with counts of its own.

        Parameters
        ----------
        fresh : History
            The history that the call would begin with from new weights. It says whether
            the training improves losses or validation scores.
        """
        # The curves go on, with the evaluations and seconds that they count.
        seconds = self.time_curve[-1] if self.time_curve else 0.0
        history = replace(
            self.copy(),
            n_iter=0,
            n_fun=0,
            n_fun_before=self.n_fun_curve[-1] if self.n_fun_curve else 0,
            started=time.perf_counter() - seconds,
        )
        if (history.best_loss is None) == (fresh.best_loss is None):
            return history
        return replace(
            history,
            best_loss=fresh.best_loss,
            validation_scores=fresh.validation_scores,
            best_validation_score=fresh.best_validation_score,
            no_improvement_count=0,
        )


# The fields that are public attributes of the estimator.
PUBLIC_HISTORY = (
    "n_iter",
    "n_fun",
    "t",
    "loss",
    "best_loss",
    "loss_curve",
    "n_fun_curve",
    "time_curve",
    "validation_scores",
    "best_validation_score",
)
