"""How many processes shorten a search, by an estimate of its work."""

import math
from itertools import pairwise
from multiprocessing import active_children

import numpy as np
from joblib.externals.loky.backend.process import LokyProcess
from joblib.parallel import LokyBackend, get_active_backend
from scipy import sparse
from sklearn.base import is_classifier
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

from .._estimators.base import BaseBackpropMLP
from .._estimators.devices import device_of
from .._estimators.training import make_solver
from .fits import is_sklearns
from .last_steps import last_step

# The constants below were measured on the digits and on 5000 rows of MNIST, in
# processor time. A weight takes six operations for each row; `devices` has the
# operations per second.
# The update of a weight takes as long as this number of rows.
_ROWS_OF_UPDATE = 45
# The activation of a unit takes as long as the products of this number of weights.
_WEIGHTS_OF_UNIT = 25
# A nonzero entry of sparse rows takes as long as this number of dense entries.
_ENTRIES_OF_NONZERO = 10
# Preparation and scoring of a candidate on a fold.
_SECONDS_OF_FIT = 5e-4

# Steps of Pipelines that keep the number of columns and take less time than a training.
_SHORT_STEPS = (
    ColumnTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OrdinalEncoder,
    Pipeline,
    RobustScaler,
    SimpleImputer,
    StandardScaler,
    TransformedTargetRegressor,
)


def choose_processes(most, n_fits, estimators, groups, scorer, X, y, n_rows):
    """Choose the number of processes that shortens a search most.

    Parameters
    ----------
    most : int
        Largest number of processes.

    n_fits : list of (int, int)
        Number of fits of this and each later round of the search, with the ratio of the
        round's resources to those of this round.

    estimators : list of estimator
        The candidates.

    groups : list of Group
        The group of each candidate.

    scorer : callable
        The scorer.

    X, y, n_rows
        See :func:`estimate_seconds`.

    Returns
    -------
    n_processes : int
        The number. It is `most` if the time of the search is not known.

    why : str
        The reason, in a sentence.
    """
    seconds = None
    if not isinstance(get_active_backend()[0], LokyBackend):
        unknown = "the backend of joblib is not its default"
    elif any(group.why_alone for group in groups):
        unknown = "there are candidates that can't be stacked"
    elif not is_sklearns(scorer):
        unknown = "a scorer is not scikit-learn's"
    else:
        unknown = "X is no matrix, or a Pipeline has steps of unknown time"
        seconds = estimate_seconds(estimators, X, y, n_rows)
    if seconds is None:
        return most, f"Using {most} of {most} processes, as n_jobs says: {unknown}."
    seconds_with = {}
    for n in range(1, most + 1):
        n_in_turn = sum(-(-k // n) * factor for k, factor in n_fits)
        seconds_with[n] = seconds_to_start(n) + n_in_turn * seconds
    chosen = min(seconds_with, key=seconds_with.get)
    why = f"takes about {seconds_with[chosen]:.1f} s"
    if chosen > 1:
        why += f", with one {seconds_with[1]:.1f} s"
    else:
        why += ", and more processes would not shorten it"
    return chosen, f"Using {chosen} of {most} processes: the search {why}."


def estimate_seconds(estimators, X, y, n_rows):
    """Estimate the mean time of a fit, in seconds on one core.

    Parameters
    ----------
    estimators : list of estimator
        The candidates. Their last steps can be trained in stacks.

    X, y : array-like
        All of the data.

    n_rows : int
        Number of rows of a training fold.

    Returns
    -------
    seconds : float or None
        The time, if all candidates train to `max_iter`. None if it is not known: X is
        no matrix, or the Pipelines have steps whose time is not known.
    """
    shape = X.shape if hasattr(X, "shape") else np.shape(X[:1])
    if len(shape) != 2 or not all(map(_has_short_steps, estimators)):
        return None
    n_columns, n_entries = shape[1], shape[1]
    if sparse.issparse(X):
        n_entries = min(n_columns, _ENTRIES_OF_NONZERO * X.nnz / shape[0])
    size = n_rows, n_columns, n_entries, _n_outputs(y, is_classifier(estimators[0]))
    networks = [last_step(estimator)[1] for estimator in estimators]
    try:
        seconds = np.mean([_seconds(network, *size) for network in networks])
    except (AttributeError, ImportError, TypeError, ValueError):
        # The fit of the candidate tells of the parameter that is invalid.
        return None
    is_single = getattr(X, "dtype", None) == np.float32
    return seconds / (1 + is_single) + _SECONDS_OF_FIT


def _has_short_steps(estimator):
    steps = [estimator, *estimator.get_params().values()]
    return all(
        type(step) in _SHORT_STEPS or isinstance(step, BaseBackpropMLP)
        for step in steps
        if hasattr(step, "fit")
    )


def _n_outputs(y, has_labels):
    shape = getattr(y, "shape", ())
    if len(shape) > 1:
        return shape[1]
    return len(set(np.ravel(y).tolist())) if has_labels else 1


def _seconds(network, n_rows, n_columns, n_entries, n_outputs):
    """Seconds of a training; updates and activations count as operations."""
    units = [*np.ravel(network.hidden_layer_sizes).astype(int).tolist(), n_outputs]
    n_weights = n_columns * units[0] + sum(i * o for i, o in pairwise(units))
    of_row = n_weights - (n_columns - n_entries) * units[0]
    of_row += _WEIGHTS_OF_UNIT * sum(units)
    n_batches = math.ceil(n_rows / make_solver(network).n_batch_rows(n_rows))
    of_epoch = of_row * n_rows + n_weights * _ROWS_OF_UPDATE * n_batches
    return 6 * of_epoch * network.max_iter / device_of(network).operations


def seconds_to_start(n_processes):
    """Estimate the time to start processes, in seconds; running processes wait."""
    if n_processes == 1:
        return 0.0
    n_running = sum(isinstance(child, LokyProcess) for child in active_children())
    if n_processes <= n_running:
        return 0.1
    # They import scikit-learn: on 16 cores 2.9 s for 16 processes.
    return 1.5 + 0.08 * n_processes
