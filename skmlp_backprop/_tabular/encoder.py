"""The transformer that encodes a table as inputs of a network."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._estimators.base import restore_on_error, store_parameters
from .._estimators.pickled_state import PicklesMixin
from .._estimators.sklearn_private import (
    Interval,
    StrOptions,
    _check_feature_names_in,
    _fit_context,
)
from .._network.rows import TableRows
from .._network.warning import warn
from .bins import refine_bins
from .categories import CategoryEncoding
from .columns import read_columns, read_known_columns
from .combination import Combination
from .date_encoding import DateEncoding
from .encodings import MIN_ROWS, NumberColumns, NumberEncoding
from .number_warnings import KnownNumbers
from .relevance import Entries
from .sources import CATEGORIES, NUMBERS
from .table import TakesTablesMixin, check_table

# A prediction encodes this number of rows at a time.
CHUNK_ROWS = 4096


class TabularEncoder(TakesTablesMixin, TransformerMixin, PicklesMixin, BaseEstimator):
    """Encode the columns of a table as numbers that suit a network's inputs.

    A column of numbers becomes

    - the scaled number: z = (x - median) / (interquartile range / 1.35), which
      standardises normal numbers, limited smoothly to (-3, 3): z / sqrt(1 + (z / 3)^2);
    - its piecewise-linear encoding if `n_bins` is not 0: an entry for each bin between
      quantiles (in the classifier's encoder also between thresholds), which is 0 below
      the bin, 1 above the bin, and rises linearly inside the bin;
    - if the column had missing values in `fit`, an indicator: 1 for a missing value,
      whose other entries are 0. Otherwise a missing value is encoded as the median, but
      in one of `code_features_` as a number between two codes.

    A column of dates becomes

    - the time itself in UTC, to the microsecond, encoded as a number;
    - the sine and the cosine of its position in the year, the week and the day, named
      "month", "weekday" and "hour": only for those of the three that varied in `fit`.
      The position in the year and in the day is exact; that in the week is the day.
      They follow the clocks of the column's time zone. In `transform`, dates of
      another zone are converted to the zone of `fit`. For a missing value they are 0.
      The tabular estimators add shorter cycles where these explain y.

    A column of times of day becomes the time since midnight, encoded as a number, and
    the pair "hour". A column of time spans becomes numbers.

    A categorical column is one-hot encoded: an entry for each category. A column with
    two categories becomes a single entry of -1 or 1. Missing values are a category if
    the column had missing values in `fit`. All rare categories share an entry. A
    category that was not seen in `fit` is encoded as a rare category, or by zeros if
    the column had no rare categories. A column with a single category becomes 1. In
    `transform`, values that are equal apart from their type, such as 1, 1.0 and "1",
    are the same category, unless `fit` saw several of them.

    The entries of a column are side by side, in the order of the columns. Categorical
    columns with more than 16 entries come last. After them come the combinations of the
    values of `combined_features_`, if there are any: an entry for each.

    Parameters
    ----------
    categorical_features : "from_dtype", array-like of {bool, int, str} or None, \
            default="from_dtype"
        Which columns are categorical. "from_dtype" selects the columns of a DataFrame
        that hold categories, text, or objects that are neither all numbers nor all
        dates. A mask, indices or names select columns in addition, and also select
        columns of an array; a mask that is a Series is matched to the columns of a
        DataFrame by its index, if that has their names. None makes no column
        categorical. The user guide has the rules for numbers that are written as text.

    n_bins : int or "auto", default="auto"
        Largest number of bins of the piecewise-linear encoding of a column of numbers
        or dates; 0 for no such encoding. "auto" is 16. With more than 64 such columns
        it is 1024 divided by their number, or 0 if that is less than 2.

    min_frequency : int, default=1
        Smallest number of rows of a category that is not rare.

    max_categories : int or "auto", default="auto"
        Largest number of entries of a categorical column, including the entry of the
        rare categories. A column with more categories keeps the most frequent ones; the
        others count as rare. Ties are broken by a hash of the category. "auto" is 255.
        With more than 16 categorical columns it is 4096 divided by their number, but 16
        or more.

    dtype : {numpy.float64, numpy.float32}, default=numpy.float64
        dtype of the output.

    Attributes
    ----------
    is_categorical_ : ndarray of shape (`n_features_in_`,), bool
        Which columns are categorical.

    combined_features_ : ndarray of int
        Indices of the columns whose combinations of values have entries. It is empty in
        an encoder that was fitted by itself: only TabularMLPClassifier combines
        columns, by the classes of the rows.

    code_features_ : ndarray of int
        Indices of the columns of numbers that are taken as codes, which have an entry
        for each value. It is empty in an encoder that was fitted by itself: only the
        tabular estimators find codes, by the labels of the rows.

    n_features_in_ : int
        Number of columns.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns. Defined if X has names that are all strings.

    See Also
    --------
    TabularMLPClassifier : A classifier that encodes its tables by a TabularEncoder.

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

    Dates: the hour does not vary.

    >>> X = pd.DataFrame({"sold": pd.to_datetime(["2024-01-01", "2024-07-01", None])})
    >>> encoder = TabularEncoder(n_bins=0).fit(X)
    >>> encoder.get_feature_names_out().tolist()
    ['sold', 'sold_missing', 'sold_month_sin', 'sold_month_cos']
    >>> encoder.transform(X).round(2) + 0
    array([[-1.23,  0.  ,  0.  ,  1.  ],
           [ 1.23,  0.  ,  0.  , -1.  ],
           [ 0.  ,  1.  ,  0.  ,  0.  ]])
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

    # Columns are combined by labels, which `fit` has not.
    _combination = None

    def __init__(
        self,
        *,
        categorical_features="from_dtype",
        n_bins="auto",
        min_frequency=1,
        max_categories="auto",
        dtype=np.float64,
    ):
        store_parameters(locals())

    @_fit_context(prefer_skip_nested_validation=True)
    @restore_on_error
    def fit(self, X, y=None):
        """Learn the quantiles and the categories of the columns.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table. NaN and None are missing values.

        y : None
            Ignored.

        Returns
        -------
        self : TabularEncoder
            The fitted encoder.

        Raises
        ------
        ValueError
            If a column can be neither numbers nor dates nor categories, or if it has
            dates of several time zones. The message names the column. An earlier fit
            stays unchanged.

        Warns
        -----
        UserWarning
            If a column has numbers written as text, or if it identifies the rows.
        """
        _checked_dtype(self.dtype)
        X = check_table(self, X, reset=True)
        self._learn(read_columns(X, self.categorical_features))
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    @restore_on_error
    def fit_transform(self, X, y=None):
        """Fit to a table, and encode the table.

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
        X = check_table(self, X, reset=True)
        columns = read_columns(X, self.categorical_features)
        self._learn(columns)
        return self._encode_rows(self._prepare_columns(columns), dtype).toarray()

    @property
    def combined_features_(self):
        """Indices of the columns whose combinations of values have entries."""
        check_is_fitted(self, "is_categorical_")
        columns = [] if self._combination is None else self._combination.columns
        return np.array(columns, np.intp)

    @property
    def code_features_(self):
        """Indices of the columns of numbers that are taken as codes."""
        check_is_fitted(self, "is_categorical_")
        numeric, encodings = self._layout.numeric, self._encodings
        columns = [i for i in numeric if encodings[i].codes is not None]
        return np.array(columns, np.intp)

    def _prepare(self, X):
        """Read another checked table, and prepare it for :meth:`_encode_rows`."""
        return self._prepare_new(read_known_columns(X, self._encodings))

    def _prepare_new(self, columns):
        """Prepare columns, and warn of values unlike those of `fit`."""
        prepared = self._prepare_columns(columns)
        if len(prepared[0]) >= MIN_ROWS:
            self._warn_of_empty_columns(columns)
        if numeric := self._layout.numeric:
            self._layout.known_numbers.warn_of_others([columns[i] for i in numeric])
        for encoding, column in zip(self._encodings, columns, strict=True):
            if isinstance(encoding, DateEncoding):
                encoding.warn_of_other_dates(column)
        if self._combination is not None:
            self._combination.report_close(prepared, [c.name for c in columns])
        return prepared

    def _warn_of_empty_columns(self, columns):
        """Warn of columns without values, if `fit` had so few missing values there.

        Columns without missing values in `fit` have other warnings.
        """
        # The share with which all rows lack a value by chance, once in a million times.
        limit = 1e-6 ** (1 / len(columns[0].values))
        for column, share in zip(columns, self._missing_shares, strict=True):
            if 0 < share < limit and column.is_missing.all():
                warn(
                    f"Column {column.name} has no value, but had values in "
                    f"{1 - share:.0%} of the rows of `fit`. Check that the column was "
                    "read as before the fit."
                )

    def _learn(self, columns, labelled=None):
        """Fit to columns.

        Parameters
        ----------
        columns : list of Column
            The columns of a table, see :func:`.columns.read_columns`.

        labelled : Labelled or None, default=None
            Rows from whose labels the bins of numbers are learned, too; None for
            quantiles alone.
        """
        is_categorical = [column.kind == CATEGORIES for column in columns]
        self.is_categorical_ = np.array(is_categorical)
        n_categorical = sum(is_categorical)
        n_bins, max_entries = self.n_bins, self.max_categories
        if n_bins == "auto":
            n_bins = min(16, 1024 // max(1, len(columns) - n_categorical))
            n_bins = n_bins if n_bins > 1 else 0
        if max_entries == "auto":
            max_entries = min(255, max(16, 4096 // max(1, n_categorical)))
        encodings = []
        for column in columns:
            if column.kind == CATEGORIES:
                encoding = CategoryEncoding.from_column(
                    column, self.min_frequency, max_entries
                )
            elif column.kind == NUMBERS:
                encoding = NumberEncoding.from_column(column, n_bins, labelled)
            else:
                encoding = DateEncoding.from_column(column, n_bins, labelled)
            encodings.append(encoding)
        if labelled is not None and self.n_bins == "auto":
            refine_bins(encodings, columns, labelled, n_bins)
        self._encodings, self._layout = encodings, _Layout(encodings)
        self._missing_shares = np.array([c.is_missing.mean() for c in columns])
        self._combination = None

    def transform(self, X):
        """Encode a table.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            A table with the same columns as in `fit`.

        Returns
        -------
        encoded : ndarray of shape (n_samples, n_entries)
            The encoded table.

        Raises
        ------
        ValueError
            If a column has dates where `fit` saw other values, or the reverse; if dates
            have a time zone where those of `fit` had none, or the reverse; or if a
            column of numbers has text. The message names the column.
        """
        check_is_fitted(self)
        dtype = _checked_dtype(self.dtype)
        X = check_table(self, X, reset=False)
        return self._encode_rows(self._prepare(X), dtype).toarray()

    def get_feature_names_out(self, input_features=None):
        """Get the names of the entries of the encoded table.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns. None takes the names of the columns in `fit`, or x0,
            x1 and so on if the columns had no names.

        Returns
        -------
        names : ndarray of str objects
            The column's name, followed by the bin, the code, the category, "missing",
            "rare", or the position of a date, such as "month_sin". A number at the end
            makes equal names distinct. The combinations of columns are numbered.
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        entries = [
            names[i] if suffix is None else f"{names[i]}_{suffix}"
            for i in self._layout.order
            for suffix in self._encodings[i].suffixes()
        ]
        if len(self.combined_features_):
            joint = " x ".join(map(str, names[self.combined_features_]))
            entries += [f"{joint}_{i}" for i in range(self._combination.width)]
        return np.array(_make_distinct(entries), dtype=object)

    def _prepare_columns(self, columns):
        """Prepare columns for :meth:`_encode_rows`.

        Returns
        -------
        prepared : list of ndarray, each of length n_rows
            Of each column the numbers, or the indices of entries: much smaller than the
            encoded table.
        """
        numeric = [columns[i] for i in self._layout.numeric]
        numbers = iter(self._layout.numbers.prepare(numeric).T if numeric else ())
        return [
            next(numbers) if encoding.is_numeric else encoding.prepare(column)
            for column, encoding in zip(columns, self._encodings, strict=True)
        ]

    def _encode_rows(self, prepared, dtype):
        """Encode the result of :meth:`_prepare` as rows of networks.

        Parameters
        ----------
        prepared : list of ndarray, each of length n_rows
            The result of :meth:`_prepare_columns`, or some of its rows.

        dtype : dtype
            dtype of the output.

        Returns
        -------
        rows : TableRows of shape (n_rows, n_entries)
            The encoded rows, with codes in place of the entries of columns with many
            categories.
        """
        n_rows, layout = len(prepared[0]), self._layout
        encoded = np.empty((n_rows, len(layout.entries.columns)), dtype)
        if numbers := [prepared[i] for i in layout.numeric]:
            layout.numbers.write(np.stack(numbers, axis=1), encoded)
        codes, n_levels = [], 0
        for values, encoding, place in zip(
            prepared, self._encodings, layout.places, strict=True
        ):
            if encoding.has_many_categories:
                # An unseen category has no entry.
                code = np.where(values < encoding.width, values + n_levels, -1)
                codes.append(code.astype(np.int32))
                n_levels += encoding.width
            elif not encoding.is_numeric:
                encoding.write(values, encoded[:, place])
        if self._combination is not None:
            codes.append(self._combination.codes(prepared, n_levels))
            n_levels += self._combination.width
        codes = np.stack(codes, axis=1) if codes else np.empty((n_rows, 0), np.int32)
        return TableRows(encoded, codes, n_levels)

    def _replace_combination(self, rows, prepared):
        """Encoded rows with the combinations of other prepared columns."""
        codes = rows.codes.copy()
        start = rows.n_levels - self._combination.width
        codes[:, -1] = self._combination.codes(prepared, start)
        return TableRows(rows.numbers, codes, rows.n_levels)

    def __getstate__(self):
        state = super().__getstate__()
        if self._combination is not None:
            state["_combination"] = self._combination.to_state()
        if "_encodings" in state:
            del state["_layout"]
            state["_encodings"] = [
                {"class": type(encoding).__name__, "state": encoding.to_state()}
                for encoding in self._encodings
            ]
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if "_encodings" in vars(self):
            classes = (CategoryEncoding, DateEncoding, NumberEncoding)
            class_of = {cls.__name__: cls for cls in classes}
            self._encodings = [
                class_of[saved["class"]].from_state(saved["state"])
                for saved in self._encodings
            ]
            self._layout = _Layout(self._encodings)
        if self._combination is not None:
            self._combination = Combination(**self._combination)


class _Layout:
    """Where the encoded table has the entries of each column.

    Parameters
    ----------
    encodings : list of NumberEncoding, CategoryEncoding or DateEncoding
        The encodings of the columns.

    Attributes
    ----------
    order : list of int
        The columns in the order of the entries: those of codes come last.

    places : list of slice or int
        Where a :class:`TableRows` has the entries of each column: the slice of its
        numbers, or which of its columns of codes.

    entries : Entries
        The column of each entry, without the columns of codes, and whether it is a bin.

    numeric : list of int
        The columns of numbers.

    numbers : NumberColumns
        Encodes these.

    known_numbers : KnownNumbers
        Warns of others in these columns.
    """

    def __init__(self, encodings):
        self.places, codes, others, columns, are_bins = [], [], [], [], []
        for i, encoding in enumerate(encodings):
            if encoding.has_many_categories:
                self.places.append(len(codes))
                codes.append(i)
            else:
                self.places.append(slice(len(columns), len(columns) + encoding.width))
                others.append(i)
                columns += [i] * encoding.width
                # The bins come after the number.
                n_others = encoding.width - 1 - encoding.n_bins
                are_bins += [False, *[True] * encoding.n_bins, *[False] * n_others]
        self.order = others + codes
        self.entries = Entries(np.array(columns, np.intp), np.array(are_bins, bool))
        self.numeric = [i for i in others if encodings[i].is_numeric]
        of_numbers = [encodings[i] for i in self.numeric]
        self.numbers = NumberColumns(
            of_numbers, [self.places[i].start for i in self.numeric]
        )
        self.known_numbers = KnownNumbers(of_numbers)


def _checked_dtype(dtype):
    """Return the parameter `dtype` as a dtype: float64 or float32."""
    try:
        checked = np.dtype(dtype)
    except TypeError:
        checked = None
    if dtype is None or checked not in (np.float64, np.float32):
        raise ValueError(
            f"dtype must be numpy.float64 or numpy.float32, got {dtype!r}."
        )
    return checked


def _make_distinct(names):
    """Append _2, _3 and so on to a name that occurred before."""
    given, distinct = set(names), {}
    for name in names:
        candidate, number = name, 1
        while candidate in distinct or (number > 1 and candidate in given):
            number += 1
            candidate = f"{name}_{number}"
        distinct[candidate] = None
    return list(distinct)
