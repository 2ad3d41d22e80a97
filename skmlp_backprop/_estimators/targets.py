"""Encode y as targets of a network, and decode predictions: labels, or numbers."""

import numpy as np
from scipy import sparse
from sklearn.metrics import accuracy_score, d2_pinball_score, r2_score
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.multiclass import type_of_target

from .._network.losses import LOSSES
from .._network.outputs import NUMBER_OUTPUTS, IncreasingOutput, make_class_output
from .._network.warning import warn


def is_multilabel(y):
    """Whether y is a multilabel indicator matrix."""
    if isinstance(y, np.ndarray) and y.ndim == 1:
        # type_of_target takes as long as many steps of a training.
        return False
    return type_of_target(y, input_name="y").startswith("multilabel")


def refuse_other_indicators(values):
    """Refuse an indicator matrix whose values are not 0 and 1, such as -1 and 1."""
    found = np.unique(values).tolist()
    if not {0, 1}.issuperset(found):
        label = found[-1] or found[0]
        raise ValueError(
            "A multilabel y must have 1 where a row has the label, and 0 where it has "
            f"not, got the values {', '.join(map(repr, found))}. Pass (y == {label})"
            f".astype(int) if {label} means that a row has the label. If each column "
            "has a class of its own, fit a MultiOutputClassifier."
        )


class Labels:
    """The classes; encodes labels as targets, and decodes predictions.

    Parameters
    ----------
    classes : array-like of shape (n_classes,)
        Class labels; for multilabel targets the numbers of the columns.

    multilabel : bool, default=False
        Whether each row may have any number of the classes.

    is_sparse : bool, default=False
        Whether the indicator matrix was sparse: then the predicted one is CSR.
    """

    def __init__(self, classes, *, multilabel=False, is_sparse=False):
        self.classes = LabelEncoder().fit(classes).classes_
        self.multilabel, self.is_sparse = multilabel, is_sparse

    def fitted_attributes(self):
        """The public attributes of a fitted estimator."""
        return {"classes_": self.classes}

    def make_output(self, estimator):
        """Make the output that the estimator's parameters describe."""
        return make_class_output(
            estimator.output_activation, len(self.classes), self.multilabel
        )

    def encode(self, y, dtype):
        """Encode labels as targets of the smallest integer type.

        Parameters
        ----------
        y : array-like of shape (n_rows,), or indicator matrix of shape \
                (n_rows, n_classes)
            Labels.

        dtype : dtype
            Precision of the arithmetic, for targets that are numbers.

        Returns
        -------
        targets : ndarray of shape (n_rows,) or (n_rows, n_classes)
            Class codes, or the indicator matrix.

        Raises
        ------
        ValueError
            If there are labels that are not in `classes`, or if an indicator matrix has
            other values than 0 and 1.
        """
        if is_multilabel(y) != self.multilabel:
            kinds = ("one class per row", "a multilabel indicator matrix")
            raise ValueError(
                f"`y` must be {kinds[self.multilabel]}, as in the previous call, got "
                f"{kinds[not self.multilabel]}."
            )
        if self.multilabel:
            y = y.toarray() if sparse.issparse(y) else np.asarray(y)
            if y.shape[1] != len(self.classes):
                raise ValueError(
                    f"`y` has {y.shape[1]} labels, but {len(self.classes)} were seen "
                    "in the previous call."
                )
            refuse_other_indicators(y)
            return (y != 0).astype(np.uint8)
        codes = self._codes(np.asarray(y))
        if (codes < 0).any():
            raise ValueError(
                "`y` has classes not in `self.classes_`. `self.classes_` has "
                f"{self.classes}. 'y' has {np.unique(y)}."
            )
        return codes.astype(np.min_scalar_type(len(self.classes)))

    def _codes(self, y):
        """The number of each row's class; -1 for an unknown class."""
        if self.classes.dtype == object or y.dtype == object:
            number_of = {label: number for number, label in enumerate(self.classes)}
            return np.array([number_of.get(label, -1) for label in y], np.intp)
        codes = np.searchsorted(self.classes, y)
        codes[codes == len(self.classes)] = 0
        codes[self.classes[codes] != y] = -1
        return codes

    def decode(self, output, logits):
        """The most probable labels, or the indicator matrix, of logits."""
        codes = output.codes(logits)
        if not self.multilabel:
            return self.classes[codes]
        indicators = codes.astype(int)
        return sparse.csr_matrix(indicators) if self.is_sparse else indicators

    def score(self, network, logits, targets, weights):
        """Accuracy; a row of a multilabel y counts if all of its labels are right."""
        codes = network.output.codes(logits)
        return float(accuracy_score(targets, codes, sample_weight=weights))


def warn_of_one_hot():
    """Warn that y looks like one-hot encoded classes."""
    warn(
        "Each row of y has exactly one 1, as one-hot encoded classes have. It is "
        "taken as a multilabel indicator matrix: `predict` returns such a matrix, "
        "and `score` is the share of rows that are right in all columns. If each "
        "row has one class, pass the classes, as by y.argmax(axis=1)."
    )


class Numbers:
    """The numbers of a regression; encodes y as targets, and decodes predictions.

    Parameters
    ----------
    n_columns : int or None
        Number of columns of y; None for a one-dimensional y.
    """

    def __init__(self, n_columns=None):
        self.n_columns = n_columns

    def fitted_attributes(self):
        """The public attributes of a fitted estimator."""
        return {}

    def make_output(self, estimator):
        """Make the output that the estimator's parameters describe.

        Raises
        ------
        ValueError
            If `quantile` is not in (0, 1) or not in increasing order, or has several
            values for several columns of y.
        """
        levels = np.atleast_1d(estimator.quantile)
        is_sorted = levels.ndim == 1 and (np.diff(levels) > 0).all()
        if not (len(levels) and is_sorted and levels[0] > 0 and levels[-1] < 1):
            raise ValueError(
                "quantile must be a number in (0, 1), or several in increasing order, "
                f"got {estimator.quantile!r}."
            )
        n_columns = 1 if self.n_columns is None else self.n_columns
        names = [output for loss, output in LOSSES if loss == estimator.loss]
        kinds = [NUMBER_OUTPUTS[name] for name in names if name in NUMBER_OUTPUTS]
        if IncreasingOutput not in kinds or np.isscalar(estimator.quantile):
            return kinds[0](n_columns)
        if self.n_columns is not None:
            raise ValueError(
                "Several quantiles need a y of one dimension, got shape (n_rows, "
                f"{n_columns}). Pass a single number as `quantile`."
            )
        return IncreasingOutput(len(estimator.quantile))

    def encode(self, y, dtype):
        """Encode numbers as targets.

        Parameters
        ----------
        y : array-like of shape (n_rows,) or (n_rows, n_columns)
            The numbers.

        dtype : dtype
            Precision of the arithmetic.

        Returns
        -------
        targets : ndarray of shape (n_rows, n_columns)
            The numbers in columns.

        Raises
        ------
        ValueError
            If y has another number of columns, or numbers too large for the precision.
        """
        y = np.asarray(y)
        n_columns = None if y.ndim == 1 else y.shape[1]
        if n_columns != self.n_columns:
            raise ValueError(
                f"`y` has {_columns(n_columns)}, but {_columns(self.n_columns)} "
                "in the previous call."
            )
        with np.errstate(over="ignore"):
            targets = y.astype(dtype).reshape(len(y), -1)
        if not np.isfinite(targets).all():
            raise ValueError(
                f"Input y contains values too large for {np.dtype(dtype)}, the "
                "precision of X. Scale y, or pass X of float64."
            )
        return targets

    def decode(self, output, logits):
        """The predicted numbers, in one dimension as y if it had one."""
        values = output.values(logits)
        # A list of quantiles has columns, even if it has a single quantile.
        is_flat = self.n_columns is None and not isinstance(output, IncreasingOutput)
        return values[:, 0] if is_flat else values

    def score(self, network, logits, targets, weights):
        """R2, or D2 for quantiles and medians, averaged; nan if it is undefined."""
        values = network.output.values(logits)
        if not np.isfinite(values).all():
            return float("nan")
        if network.loss.quantile is None:
            return float(r2_score(targets, values, sample_weight=weights))
        return d2_of_quantiles(network.loss.quantile, targets, values, weights)


def d2_of_quantiles(quantiles, targets, values, weights):
    """D2 of predicted quantiles, averaged over several quantiles."""
    if np.isscalar(quantiles):
        levels, predicted = [quantiles], [values]
    else:
        levels, predicted = quantiles, values.T[:, :, np.newaxis]
    scores = [
        d2_pinball_score(targets, p, sample_weight=weights, alpha=level)
        for level, p in zip(levels, predicted, strict=True)
    ]
    return float(np.mean(scores))


def _columns(n_columns):
    return "one dimension" if n_columns is None else f"{n_columns} columns"
