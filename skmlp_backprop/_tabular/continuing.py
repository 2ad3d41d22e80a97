"""The state of a fit with ``warm_start``, and the checks of the next fit."""

from typing import NamedTuple

import joblib
import numpy as np

from .._network.warning import warn
from .copies import KNOWN_SHARE, UNLIKE_COPIES, flat, hash_rows, n_combinations
from .ensemble import PausedEnsemble

# In place of the fold of a row: each network is trained on it; the caller passes it as
# validation row; or rows with the same values are in several folds.
_ALL_TRAINED, _OWN_ROWS, _UNKNOWN = -1, -2, -3


class TableHashes(NamedTuple):
    """Hashes of rows with their targets, by which a later fit recognizes the rows.

    `of_rows` has those of the rows with weight, `of_validating` those of the rows that
    validate the networks, and `n_combinations` the effective number of combinations
    that values and target of a row may have.
    """

    of_rows: np.ndarray
    of_validating: np.ndarray
    n_combinations: float


class SeenRows(NamedTuple):
    """The distinct hashes of the rows of several fits, sorted, and the fold of each.

    The fold is _ALL_TRAINED if each network was trained on the row, in some fit. Rows
    that are equal by chance may be in several folds of the same fit: they tell nothing.
    """

    hashes: np.ndarray
    folds: np.ndarray


class WarmStart(NamedTuple):
    """The state of a fit that another fit continues.

    Beside the state of the ensemble, it has the parameters that shape it, the number of
    columns of y in a tuple, the groups, and the rows of all fits.
    """

    ensemble: PausedEnsemble
    shape: dict
    columns: tuple
    groups: np.ndarray | None
    seen: SeenRows


def hash_table(prepared, targets, prepared_val, targets_val):
    """The TableHashes of prepared columns and encoded targets."""
    return TableHashes(
        _hash_with_targets(prepared, targets),
        _hash_with_targets(prepared_val, targets_val),
        n_combinations(flat([*prepared, targets]), are_many=True),
    )


def pause(estimator, ensemble, table, y, groups):
    """The state of a fit, whose ensemble is trained, for the next one.

    Parameters
    ----------
    estimator : TabularMLPClassifier or TabularMLPRegressor
        The estimator, with the state of the fit that this one continues, if any.

    ensemble : Ensemble
        The ensemble, which keeps its state.

    table : EncodedTable
        Its table.

    y, groups : ndarray
        The checked arguments of `fit`; groups may be None.

    Returns
    -------
    paused : WarmStart
        The state.
    """
    folds = ensemble.folds.astype(np.int8)
    seen = _folds_of_distinct(table.hashes.of_rows, folds, mixed=_UNKNOWN)
    if (earlier := estimator._paused) is not None:
        both = (np.concatenate(pair) for pair in zip(earlier.seen, seen, strict=True))
        seen = _folds_of_distinct(*both, mixed=_ALL_TRAINED)
    shape = {name: getattr(estimator, name) for name in estimator._shape_params}
    return WarmStart(ensemble.paused, shape, y.shape[1:], groups, seen)


def check_continues(estimator, y, groups):
    """Check that the parameters, and the shape of y, permit to continue."""
    if estimator._paused is None:
        raise ValueError(
            "warm_start=True has no training to continue: the earlier fit had "
            "warm_start=False, its training diverged, or EarlyStopping has restored "
            "the weights of an earlier epoch. Clone the estimator, set warm_start=True "
            "before its first fit, and pass restore_best=False to EarlyStopping."
        )
    paused = estimator._paused
    if y.shape[1:] != paused.columns:
        raise ValueError(
            "warm_start=True does not permit another number of columns of y, whose "
            f"shape is {y.shape}: the earlier fit had a y of shape "
            f"(n_samples{''.join(f', {n}' for n in paused.columns)}). Set "
            "warm_start=False."
        )
    for name, fitted in paused.shape.items():
        if not _are_same(getattr(estimator, name), fitted):
            raise ValueError(
                f"warm_start=True does not permit another {name}: it was "
                f"{fitted!r} in the earlier fit, and is {getattr(estimator, name)!r}. "
                "Set it back, or set warm_start=False."
            )
    if not np.array_equal(groups, paused.groups):
        raise ValueError(
            "warm_start=True does not permit other groups than those of the "
            "earlier fit: networks would be validated by rows that they were "
            "trained on. Pass the same rows and groups, or set warm_start=False."
        )
    max_iter, n_iter = estimator.max_iter, estimator.n_iter_
    if max_iter != "auto" and max_iter < n_iter:
        raise ValueError(
            f"max_iter={max_iter} must be at least n_iter_={n_iter} with "
            "warm_start=True: it includes the epochs of the earlier fits."
        )


def warn_of_seen_rows(paused, ensemble, hashes):
    """Warn if networks are validated by rows that they were trained on before.

    Parameters
    ----------
    paused : WarmStart
        The state of the earlier fits.

    ensemble : Ensemble
        The ensemble that continues them.

    hashes : TableHashes
        The rows of its table.
    """
    index = ensemble.judge.index
    of_validating = hashes.of_validating[index]
    folds = ensemble.folds[index] if ensemble.leaves_rows_out else _OWN_ROWS
    known, folds_before = paused.seen
    places = np.searchsorted(known, of_validating)
    places[places == len(known)] = 0
    before = folds_before[places]
    is_known = known[places] == of_validating
    n_seen = (is_known & (before != folds) & (before != _UNKNOWN)).sum()
    n_by_chance = len(known) * len(index) / hashes.n_combinations
    if n_seen >= KNOWN_SHARE * len(index) and n_by_chance <= UNLIKE_COPIES * n_seen:
        warn(
            f"warm_start=True: networks are validated by {n_seen} of {len(index)} rows "
            "that they were trained on in an earlier fit. Their scores are too good, "
            "the training may stop too late, and intervals are too narrow. Pass the "
            "rows of the earlier fit in the same order, or X_val and y_val with rows "
            "of no earlier fit, or set warm_start=False."
        )


def _hash_with_targets(prepared, targets):
    """A hash of each prepared row and its encoded target."""
    # Mantissas and exponents: hash_rows converts to float32, where large y overflow.
    parts = np.frexp(targets.astype(np.float64))
    return hash_rows(flat([*prepared, *parts]), len(targets))


def _folds_of_distinct(hashes, folds, mixed):
    """SeenRows, with the fold `mixed` for hashes that are in several."""
    distinct, index = np.unique(hashes, return_inverse=True)
    low = np.full(len(distinct), folds.max())
    np.minimum.at(low, index, folds)
    high = low.copy()
    np.maximum.at(high, index, folds)
    mixed = np.where(low == _UNKNOWN, _UNKNOWN, mixed)
    return SeenRows(distinct, np.where(low == high, low, mixed).astype(np.int8))


def _are_same(*values):
    """Whether the values of a parameter are the same, such as 16 and (16,)."""
    lists = (np.atleast_1d(np.asarray(value, object)).tolist() for value in values)
    return len(set(map(joblib.hash, lists))) == 1
