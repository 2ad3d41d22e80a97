"""The encoding of a table's columns as a network's inputs."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._estimators.restoring import restore_on_error
from .._estimators.sklearn_private import (
    Interval,
    StrOptions,
    _check_feature_names_in,
    _fit_context,
)
from .encodings import CategoryEncoding, NumberEncoding
from .table import TakesTablesMixin, check_table, read_columns, read_known_columns


class TabularEncoder(TakesTablesMixin, TransformerMixin, BaseEstimator):
    """Encode the columns of a table as numbers that a network learns well from.

    A column of numbers becomes

    - its distance from the median, in units of the interquartile range (divided by
      1.35, by which normal numbers keep their standard deviation), bent smoothly so
      that it never passes 3 either way: z / sqrt(1 + (z / 3)^2);
    - with `n_bins`, its piecewise-linear encoding: one entry for each bin between
      quantiles, 0 below the bin, 1 above it and rising in between;
    - where the table it was fitted to lacks some of its numbers, 1 where it lacks one,
      at which all other entries are 0.

    A categorical column becomes an entry for each category, 1 where the row has it; one
    entry for two categories, -1 and 1. Missing values are a category of their own, if
    there were any, and so are all rare ones together. A category that was not seen is
    taken for a rare one, or has no entry. Categories that are equal up to their type,
    such as 1, 1.0 and "1", are the same in `transform`, where that is unambiguous.

    Parameters
    ----------
    categorical_features : "from_dtype", array-like of {bool, int, str} or None, \
            default="from_dtype"
        Which columns are categorical. "from_dtype" finds those of a DataFrame that hold
        categories, text, or objects that are not all numbers. A mask, indices or names
        declare further ones, also of an array. None is for none at all. The user guide
        has the rules for text that is numbers.

    n_bins : int or "auto", default="auto"
        Most bins of the piecewise-linear encoding of a column of numbers; 0 for none.
        "auto" is 16, or with more than 64 such columns as many as make 1024 bins of all
        together, none if that leaves fewer than two.

    min_frequency : int, default=1
        Rows that a category must have for an entry of its own.

    max_categories : int or "auto", default="auto"
        Most entries of a categorical column, that of all rare categories among them:
        of more categories the most frequent have their own, and of equally frequent
        ones some, in an order that is random. "auto" is 255, or with more than 16
        categorical columns as many as make 4096 entries of all together, but not below
        16.

    dtype : {numpy.float64, numpy.float32}, default=numpy.float64
        Type of the output.

    Attributes
    ----------
    is_categorical_ : ndarray of shape (`n_features_in_`,), bool
        Which columns are categorical.

    n_features_in_ : int
        Number of columns.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, where X has names that are all strings.

    See Also
    --------
    TabularMLPClassifier : Encodes so by itself.

    References
    ----------
    Gorishniy, Y., Rubachev, I. and Babenko, A. (2022). "On embeddings for numerical
    features in tabular deep learning." NeurIPS. The piecewise-linear encoding.

    Holzmüller, D., Grinsztajn, L. and Steinwart, I. (2024). "Better by default: strong
    pre-tuned MLPs and boosted trees on tabular data." NeurIPS. The scaling.

    Examples
    --------
    >>> import pandas as pd
    >>> from skmlp_backprop import TabularEncoder
    >>> X = pd.DataFrame({"size": [1.0, 2.0, None], "colour": ["red", "blue", "red"]})
    >>> TabularEncoder(n_bins=0).fit_transform(X).round(2)
    array([[-1.23,  0.  ,  1.  ],
           [ 1.23,  0.  , -1.  ],
           [ 0.  ,  1.  ,  1.  ]])
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "n_bins": [StrOptions({"auto"}), Interval(Integral, 0, None, closed="left")],
        "min_frequency": [Interval(Integral, 1, None, closed="left")],
        "max_categories": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "dtype": "no_validation",
    }

    def __init__(
        self,
        *,
        categorical_features="from_dtype",
        n_bins="auto",
        min_frequency=1,
        max_categories="auto",
        dtype=np.float64,
    ):
        self.categorical_features = categorical_features
        self.n_bins = n_bins
        self.min_frequency = min_frequency
        self.max_categories = max_categories
        self.dtype = dtype

    @_fit_context(prefer_skip_nested_validation=True)
    @restore_on_error
    def fit(self, X, y=None):
        """Learn the columns' quantiles and categories.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table; NaN, None and the like are missing values.

        y : None
            Ignored.

        Returns
        -------
        self : TabularEncoder
            The fitted encoder.

        Raises
        ------
        ValueError
            If a column can be neither numbers nor categories; the message names it.
            What was fitted before stays as it was.

        Warns
        -----
        UserWarning
            Where a column has numbers written as text, or identifies the rows.
        """
        _checked_dtype(self.dtype)
        self._learn(check_table(self, X, reset=True))
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    @restore_on_error
    def fit_transform(self, X, y=None):
        """Fit to a table, and encode it.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.

        y : None
            Ignored.

        Returns
        -------
        encoded : ndarray of shape (n_samples, n_entries)
            The encoded table.
        """
        dtype = _checked_dtype(self.dtype)
        return self.fit_and_encode(check_table(self, X, reset=True), dtype)

    def fit_and_encode(self, X, dtype):
        """Fit to a checked table, and encode it.

        Parameters
        ----------
        X : DataFrame or ndarray of shape (n_samples, n_features)
            The table, as :func:`.table.check_table` returns it.

        dtype : dtype
            Type of the output.

        Returns
        -------
        encoded : ndarray of shape (n_samples, n_entries)
            The encoded table.
        """
        return self._encode(self._prepare(self._learn(X)), dtype)

    def _learn(self, X):
        """Fit to a checked table; return its columns."""
        columns = read_columns(X, self.categorical_features)
        self.is_categorical_ = np.array([column.is_categorical for column in columns])
        n_categorical = np.count_nonzero(self.is_categorical_)
        n_bins = self._most_bins(len(columns) - n_categorical)
        most = self._most_categories(n_categorical)
        self._encodings = [
            CategoryEncoding.fitted_to(column, self.min_frequency, most)
            if column.is_categorical
            else NumberEncoding.fitted_to(column, n_bins)
            for column in columns
        ]
        return columns

    def transform(self, X):
        """Encode a table.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table, with the columns that there were in `fit`.

        Returns
        -------
        encoded : ndarray of shape (n_samples, n_entries)
            The encoded table.
        """
        check_is_fitted(self)
        dtype = _checked_dtype(self.dtype)
        X = check_table(self, X, reset=False)
        return self._encode(self._prepared(X), dtype)

    def encode_in_chunks(self, X, n_rows):
        """Encode a checked table, so many rows at a time, which takes less memory.

        Parameters
        ----------
        X : DataFrame or ndarray of shape (n_samples, n_features)
            The table, as :func:`.table.check_table` returns it.

        n_rows : int
            Rows of a chunk.

        Yields
        ------
        encoded : ndarray of shape (n_chunk_rows, n_entries), float64
            The next rows, encoded.
        """
        prepared = self._prepared(X)
        for start in range(0, len(prepared[0]), n_rows):
            rows = [values[start : start + n_rows] for values in prepared]
            yield self._encode(rows, np.float64)

    def get_feature_names_out(self, input_features=None):
        """Names of the entries.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns; None for those there were in `fit`, or x0, x1 and so
            on.

        Returns
        -------
        names : ndarray of str objects
            The column's name followed by what the entry tells of it; by a number, too,
            where that would be another's name.
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        entries = [
            name if suffix is None else f"{name}_{suffix}"
            for name, encoding in zip(names, self._encodings, strict=True)
            for suffix in encoding.suffixes()
        ]
        return np.array(_made_distinct(entries), dtype=object)

    def _prepared(self, X):
        """What the encodings make of the columns of a checked table."""
        return self._prepare(read_known_columns(X, self.is_categorical_))

    def _prepare(self, columns):
        return [
            encoding.prepare(column)
            for column, encoding in zip(columns, self._encodings, strict=True)
        ]

    def _most_bins(self, n_numeric):
        if self.n_bins != "auto":
            return self.n_bins
        n_bins = min(16, 1024 // max(1, n_numeric))
        return n_bins if n_bins > 1 else 0

    def _most_categories(self, n_categorical):
        if self.max_categories != "auto":
            return self.max_categories
        return min(255, max(16, 4096 // max(1, n_categorical)))

    def _encode(self, prepared, dtype):
        widths = [encoding.width for encoding in self._encodings]
        encoded = np.empty((len(prepared[0]), sum(widths)), dtype)
        parts = np.split(encoded, np.cumsum(widths)[:-1], axis=1)
        for values, encoding, part in zip(
            prepared, self._encodings, parts, strict=True
        ):
            encoding.write(values, part)
        return encoded

    def __getstate__(self):
        state = super().__getstate__()
        if "_encodings" not in state:
            return state
        return {**state, "_encodings": [e.to_plain() for e in self._encodings]}

    def __setstate__(self, state):
        if "_encodings" in state:
            kinds = (NumberEncoding, CategoryEncoding)
            encodings = [
                kinds[int(is_categorical)].from_plain(plain)
                for is_categorical, plain in zip(
                    state["is_categorical_"], state["_encodings"], strict=True
                )
            ]
            state = {**state, "_encodings": encodings}
        super().__setstate__(state)


def _checked_dtype(dtype):
    """The type of the output.

    Raises
    ------
    ValueError
        If it is another than the two.
    """
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if dtype is None or found not in (np.float64, np.float32):
        raise ValueError(
            f"dtype must be numpy.float64 or numpy.float32, got {dtype!r}."
        )
    return found


def _made_distinct(names):
    """The same names, those that occurred before with a number, from 2 on."""
    taken, distinct = set(names), {}
    for name in names:
        candidate, number = name, 1
        while candidate in distinct or (number > 1 and candidate in taken):
            number += 1
            candidate = f"{name}_{number}"
        distinct[candidate] = None
    return list(distinct)
