"""Predicts new rows, and writes the predictions to a CSV file.

They are written beside the columns that the model ignores or, if there are none, beside
the numbers of the rows.
"""

import warnings

import joblib
import numpy as np
from scipy import sparse
from sklearn.base import is_regressor
from sklearn.pipeline import Pipeline

from .._network.warning import warn
from .._tabular.encoder import TabularEncoder
from .._tabular.table import check_table
from ..datasets._text_files import import_pandas
from .data import kinds_of
from .saving import replace_file

# Coverage of the prediction intervals of a regression.
COVERAGE = 0.9


def load_model(path):
    """Load a model that --save wrote; raise ValueError if the file has none."""
    with open(path, "rb") as file:
        try:
            model = joblib.load(file)
        # A damaged pickle raises errors of almost every type.
        except Exception as error:
            raise ValueError(
                f"--load {path}: can't be read as a saved model: {error}"
            ) from error
    if not hasattr(model, "predict") or not hasattr(model, "n_features_in_"):
        raise ValueError(
            f"--load {path}: expected a fitted model, found {type(model).__name__}."
        )
    return model


def columns_of(model):
    """Names of a fitted model's columns, or None, and their kinds, see `kinds_of`."""
    names, n_columns = getattr(model, "feature_names_in_", None), model.n_features_in_
    encoder = _find_encoder(model, n_columns)
    kinds = [None] * n_columns if encoder is None else kinds_of(encoder)
    return None if names is None else names.tolist(), kinds


def _find_encoder(model, n_columns):
    """The first fitted encoder of so many columns within a model, or None.

    Others within the model may be unfitted, or take other columns.
    """
    if getattr(model, "columns_", None) is not None:
        # Of a search: its network has seen numbers alone.
        return model.columns_
    if isinstance(model, TabularEncoder):
        fits = getattr(model, "n_features_in_", None) == n_columns
        return model if fits else None
    found = (_find_encoder(inner, n_columns) for inner in _models_within(model))
    return next((encoder for encoder in found if encoder is not None), None)


def _models_within(model):
    """The estimators within an estimator that may take the same columns."""
    for name in ("encoder_", "best_estimator_", "estimator_", "regressor_"):
        if hasattr(model, name):
            return [getattr(model, name)]
    if isinstance(model, Pipeline):
        return [model.steps[0][1]]
    if hasattr(model, "calibrated_classifiers_"):
        return [model.calibrated_classifiers_[0].estimator]
    # Those of a vote, or of a stack, also Pipelines and others without an encoder.
    return list(getattr(model, "estimators_", []))


def classes_of(model):
    """The classes of a fitted classifier, or None for a regressor.

    Raises ValueError for models whose predictions have no scores here.
    """
    if is_regressor(model):
        return None
    classes = getattr(model, "classes_", None)
    if not isinstance(classes, np.ndarray) or not hasattr(model, "predict_proba"):
        raise ValueError(
            "--target scores regressors, and classifiers that predict the "
            f"probabilities of the classes of one target, not {type(model).__name__}. "
            "Leave it out."
        )
    return classes


def output_names(others, n_outputs, classes, has_interval):
    """Names of the columns to write, beside other columns of the new rows.

    Raises ValueError if a column to copy has the name of a column to write.
    """
    predictions = [f"prediction_{i + 1}" for i in range(n_outputs)]
    names = ["prediction"] if n_outputs == 1 else predictions
    names += [f"probability_{name}" for name in classes]
    if has_interval:
        percent = f"{100 * COVERAGE:.0f}"
        names += [f"lower_{percent}", f"upper_{percent}"]
    for name in names:
        if name in others:
            raise ValueError(
                f"The new rows have a column {name!r}, which the output needs. Rename "
                "it."
            )
    return names


def refuse_gaps(path, X):
    """Raise ValueError if the new rows of a file have missing or infinite numbers."""
    numbers = import_pandas().DataFrame(X).select_dtypes("number")
    values = numbers.to_numpy(np.float64, na_value=np.nan)
    for row, column in np.argwhere(~np.isfinite(values))[:1]:
        problem = "missing" if np.isnan(values[row, column]) else "infinite"
        name = numbers.columns[column]
        name = name if isinstance(name, str) else f"x{name}"
        raise ValueError(
            f"{path}, row {row + 1}, column {name!r}: the value is "
            f"{problem}, but the model takes complete, finite numbers. For missing "
            "values train with --model tabular, without options of the grid search, or "
            "remove the row."
        )


def _check_columns(encoder, X):
    """Warn of numbers unlike those of the training, and refuse other kinds."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        encoder._prepare(check_table(encoder, X, reset=False))
    for found in caught:
        # A single network may continue a trend.
        warn(str(found.message).replace(" The networks continue no trend there.", ""))


def predict(model, path, X, others, output):
    """Write the predictions of rows to a CSV file, beside other columns of their table.

    Raises ValueError if a column to copy has the name of a column to write, or if the
    model takes no missing values and the rows of the file `path` have some; and OSError
    if the file can't be written.
    """
    if getattr(model, "columns_", None) is not None:
        refuse_gaps(path, X)
        _check_columns(model.columns_, X)
    try:
        predicted = model.predict(X)
    except ValueError:
        # Only an error tells, as a Pipeline may fill the gaps.
        if not hasattr(model, "encoder_"):
            refuse_gaps(path, X)
        raise
    if predicted.ndim == 2:
        # Quantiles, columns of numbers, or labels: without probabilities or intervals.
        predicted = predicted.toarray() if sparse.issparse(predicted) else predicted
        columns = [*predicted.T]
        names = output_names(others, len(columns), (), False)
    else:
        columns, classes = [predicted], ()
        has_proba = hasattr(model, "predict_proba")
        has_interval = not has_proba and hasattr(model, "predict_interval")
        if has_proba:
            columns += [*model.predict_proba(X).T]
            classes = model.classes_
        elif has_interval:
            columns += [*model.predict_interval(X, coverage=COVERAGE).T]
        names = output_names(others, 1, classes, has_interval)
    table = others.copy()
    if table.shape[1] == 0:
        table["row"] = np.arange(1, len(X) + 1)
    for name, column in zip(names, columns, strict=True):
        table[name] = column
    replace_file("--output", output, lambda beside: table.to_csv(beside, index=False))
    print(f"Predicted {len(X)} rows; written to {output}: {', '.join(names)}.")
