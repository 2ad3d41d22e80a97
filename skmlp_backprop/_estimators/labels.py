"""Class labels and the integer targets they stand for."""

import numpy as np
from scipy import sparse
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d


def is_multilabel(y):
    """Whether y is a multilabel indicator matrix."""
    return type_of_target(y, input_name="y").startswith("multilabel")


class Labels:
    """The classes of a problem; turns labels into targets and back.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted class labels; for multilabel targets the label indices.

    multilabel : bool, default=False
        Whether each row may have any number of the classes.
    """

    def __init__(self, classes, *, multilabel=False):
        self.encoder = LabelEncoder().fit(classes)
        self.classes = self.encoder.classes_
        self.multilabel = multilabel

    @classmethod
    def of(cls, y):
        """The labels that occur in y.

        Raises
        ------
        ValueError
            If y is not a classification target.
        """
        check_classification_targets(y)
        if is_multilabel(y):
            return cls(np.arange(y.shape[1]), multilabel=True)
        return cls(column_or_1d(y))

    @classmethod
    def given(cls, classes, *, multilabel=False):
        """The labels named in order.

        Raises
        ------
        ValueError
            If they are not sorted and distinct.
        """
        classes = np.asarray(classes)
        labels = cls(classes, multilabel=multilabel)
        if not np.array_equal(labels.classes, classes):
            raise ValueError(
                "classes must be sorted and distinct, in the order of the outputs; "
                f"got {classes.tolist()}."
            )
        return labels

    def encode(self, y):
        """Turn labels into targets of the smallest integer type.

        Parameters
        ----------
        y : array-like of shape (n_rows,), or indicator matrix of shape \
                (n_rows, n_classes)
            Labels.

        Returns
        -------
        targets : ndarray of shape (n_rows,) or (n_rows, n_classes)
            Class codes, or the indicator matrix.

        Raises
        ------
        ValueError
            If there are labels that are not in `classes`.
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
            return (y != 0).astype(np.uint8)
        unknown = np.setdiff1d(y, self.classes)
        if len(unknown):
            raise ValueError(
                "`y` has classes not in `self.classes_`. `self.classes_` has "
                f"{self.classes}. 'y' has {np.unique(y)}."
            )
        codes = self.encoder.transform(y)
        return codes.astype(np.min_scalar_type(len(self.classes)))

    def decode(self, scores):
        """Turn scores into the labels with the highest.

        Parameters
        ----------
        scores : ndarray of shape (n_rows, n_outputs)
            Logits or probabilities, see ``_network.output_activations``.

        Returns
        -------
        y : ndarray of shape (n_rows,) or, for multilabel, (n_rows, n_classes)
            Labels.
        """
        if self.multilabel:
            return (scores > 0).astype(int)
        return self.classes[self.decode_codes(scores)]

    def decode_codes(self, scores):
        """Turn scores into targets, as :meth:`encode` gives them."""
        if self.multilabel:
            return (scores > 0).astype(np.uint8)
        if scores.shape[1] == 1 and len(self.classes) == 2:
            return (scores[:, 0] > 0).astype(np.intp)
        return scores.argmax(axis=1)
