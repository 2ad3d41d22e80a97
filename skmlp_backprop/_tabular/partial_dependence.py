"""Partial dependence: the mean prediction if a column had the same value everywhere."""

from itertools import product
from numbers import Integral

import narwhals.stable.v2 as nw
import numpy as np
from scipy.stats.mstats import mquantiles

from .._estimators.checks import is_masked, without_mask
from .._network.inference import logits_from_first
from .categories import CategoryEncoding
from .dates import DATES
from .encoder import CHUNK_ROWS
from .sources import NUMBERS, Source


def column_indices(X, features, parameter="features"):
    """Numbers of the columns that names or numbers stand for.

    `parameter` is named by the message if a column occurs twice.

    Raises
    ------
    ValueError
        If the table has no such column, or if a column occurs twice.
    """
    names = []
    if nw.dependencies.is_into_dataframe(X):
        columns = nw.from_native(X, eager_only=True).columns
        names = [name if isinstance(name, str) else None for name in columns]
    is_single = isinstance(features, str) or not np.iterable(features)
    features = [features] if is_single else list(features)
    indices = []
    for feature in features:
        if isinstance(feature, str) and feature in names:
            indices.append(names.index(feature))
        elif (
            isinstance(feature, Integral)
            # True would be taken for 1.
            and not isinstance(feature, bool)
            and feature in range(X.shape[1])
        ):
            indices.append(int(feature))
        else:
            known = [name for name in names if name is not None]
            or_names = f", or one of {known}" if known else ""
            raise ValueError(
                f"X has no column {feature!r}. Pass an integer from 0 to "
                f"{X.shape[1] - 1}, a position{or_names}."
            )
    if not indices or len(set(indices)) < len(indices):
        raise ValueError(f"{parameter} must be distinct columns, got {features!r}.")
    return indices


def grid_of_values(source, encoding, values):
    """The values of a column that a caller names, also as the encoding prepares them.

    Raises
    ------
    ValueError
        If they are no list of values, or if the column can't have them.
    """
    name = source.name
    if isinstance(values, str) or np.ndim(values) != 1 or len(values) == 0:
        raise ValueError(
            f"custom_values of column {name} must be a list of values, got {values!r}."
        )
    if is_masked(values):
        values = without_mask(values)
    elif hasattr(values, "to_pylist"):
        # An array of Arrow.
        values = values.to_pylist()
    # The types of polars have no kind.
    kind = getattr(getattr(values, "dtype", None), "kind", "O")
    values = np.asarray(values) if kind in "biufmM" else _as_objects(values)
    return values, _prepare(name, encoding, values)


def grid_of_column(source, encoding, prepared, resolution, percentiles):
    """Values that a column of a checked table has, as :func:`grid_of_values`.

    `prepared` is the column as the encoding prepares it.

    Raises
    ------
    ValueError
        If the column has missing values only, or the percentiles are equal.
    """
    if isinstance(encoding, CategoryEncoding):
        values = _distinct_categories(source)
        return values, _prepare(source.name, encoding, values)
    column = encoding.read(source)
    rows = np.flatnonzero(~np.isnan(column.values))
    values, first = np.unique(column.values[rows], return_index=True)
    if len(values) == 0:
        raise ValueError(
            f"Column {source.name} of X has missing values only: pass `custom_values`."
        )
    if column.kind != NUMBERS:
        if len(values) > resolution:
            low, high = np.array(percentiles) * (len(values) - 1)
            places = np.linspace(low, high, resolution).round().astype(int)
            first = first[np.unique(places)]
        rows = rows[first]
        # Dates as clocks show them, times of day and time spans as spans.
        if column.kind == DATES:
            return column.wall[rows].astype("M8[us]"), prepared[rows]
        return column.values[rows].astype("m8[us]"), prepared[rows]
    # Between codes there is nothing.
    if len(values) >= resolution and encoding.codes is None:
        low, high = mquantiles(column.values[rows], prob=percentiles)
        if low == high:
            raise ValueError(
                f"The percentiles {percentiles} of column {source.name} are equal: "
                "choose others, or pass `custom_values`."
            )
        values = np.linspace(low, high, resolution)
    return values, _prepare(source.name, encoding, values)


def _prepare(name, encoding, values):
    """Prepare the values of a grid as those of an array's column."""
    return encoding.prepare(encoding.read(Source(name, values)), is_grid=True)


def _as_objects(values):
    """An array whose values keep their types: NumPy converts 1 beside "a" to text."""
    array = np.empty(len(values), object)
    array[:] = list(values)
    return array


def _distinct_categories(source):
    """The categories, in order if they have one; None for missing values comes last."""
    categories = source.factorized[1]
    present = [value for value in categories if value is not None]
    try:
        present = sorted(present)
    except TypeError:
        present = sorted(present, key=str)
    return _as_objects(present + [None] * (len(present) < len(categories)))


def partial_dependence(model, prepared, indices, grids, sample_weight, keeps_rows):
    """Average the networks' estimates over rows that have the values of the grids.

    The first layer is linear. So each row is multiplied by its weights once, and each
    value of a grid once; then they are added in all combinations.

    Parameters
    ----------
    model : BaseTabularMLP
        The fitted model.

    prepared : list of ndarray, each of length n_rows
        The table, as the encoder prepares it.

    indices : list of int
        Numbers of the columns.

    grids : list of ndarray
        The values of each of the columns, as the encoder prepares them.

    sample_weight : ndarray of shape (n_rows,)
        Weights of the rows. Their sum is 1.

    keeps_rows : bool
        Whether to return the estimates of each row.

    Returns
    -------
    average : ndarray of shape (n_points, n_outputs)
        The means, for each point of the joint grid.

    individual : ndarray of shape (n_points, n_rows, n_outputs) or None
        The estimates.
    """
    encoder, members = model.encoder_, model.estimators_
    network = members[0]._network
    places = [encoder._layout.places[index] for index in indices]
    changes_combination = bool(set(indices) & set(encoder.combined_features_))
    # The combinations of columns are the last codes.
    changed = [*places, -1] if changes_combination else places
    grid_rows = [
        encoder._encode_rows(_with_values(prepared, index, grid), np.float64)
        for index, grid in zip(indices, grids, strict=True)
    ]
    points = list(product(*(range(len(grid)) for grid in grids)))
    n_rows, logits = len(prepared[0]), np.zeros((1, members[0].n_outputs_))
    # Two classes have a single logit.
    n_outputs = network.output.values(logits).shape[1]
    average = np.zeros((len(points), n_outputs))
    individual = np.zeros((len(points), n_rows, n_outputs)) if keeps_rows else None
    for start in range(0, n_rows, CHUNK_ROWS):
        chunk = slice(start, start + CHUNK_ROWS)
        values = [column[chunk] for column in prepared]
        rows = encoder._encode_rows(values, np.float64)
        weights = sample_weight[chunk] / len(members)
        firsts = []
        for member in members:
            coef, intercept = member._weights()[0][0], member._weights()[1][0]
            others = rows.product(coef) + intercept
            for place in changed:
                others -= rows.product_of(place, coef)
            of_grids = [
                of_grid.product_of(place, coef)
                for of_grid, place in zip(grid_rows, places, strict=True)
            ]
            firsts.append((coef, others, of_grids))
        for number, point in enumerate(points):
            if changes_combination:
                for index, grid, i in zip(indices, grids, point, strict=True):
                    values[index] = np.repeat(grid[i : i + 1], len(rows), axis=0)
                combined = encoder._replace_combination(rows, values)
            for member, (coef, others, of_grids) in zip(members, firsts, strict=True):
                z = others.copy()
                for of_values, i in zip(of_grids, point, strict=True):
                    z += of_values[i]
                if changes_combination:
                    z += combined.product_of(-1, coef)
                with np.errstate(all="ignore"):
                    logits = logits_from_first(network, member._weights(), z)
                    estimates = network.output.values(logits)
                    average[number] += weights @ estimates
                if keeps_rows:
                    individual[number, chunk] += estimates / len(members)
    return average, individual


def _with_values(prepared, index, values):
    """Prepared rows with the values in a column, and the first row's in the others."""
    rows = [np.repeat(column[:1], len(values), axis=0) for column in prepared]
    rows[index] = values
    return rows
