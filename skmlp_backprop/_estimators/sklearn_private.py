"""The private names of scikit-learn that the estimators use, and their purposes.

They may change with any minor release: the tests run with the oldest and the newest,
and name those that are missing. What only the searches use is in
``_search.sklearn_private``, so that code that only predicts imports less.

Imported:

- `_fit_context`: decorates `fit`, to validate the parameters and to skip that for
  estimators nested in an estimator whose parameters were already validated.
- `Interval`, `Options`, `StrOptions`: state which values a parameter may have.
- `validate_params`: validates the parameters of a function by these.
- `_check_partial_fit_first_call`: sets `classes_`, or compares them with those of the
  first call.
- `_check_sample_weight`: validates sample weights; `MAY_BE_ZERO` lets all of them be 0,
  which only versions from 1.9 on refuse.
- `KNOWS_ALL_TABLES`: whether it reads the names of columns of any library, as it does
  from 1.9 on.
- `_check_y`: validates the targets of a table, which is validated column by column.
- `_check_feature_names_in`: names a table's columns, or compares names with these.
- `_safe_indexing`: takes rows of a table of any kind.

Of the estimators' base classes:

- `_validate_params`: validates the parameters where there is no `fit`.
- `_parameter_constraints`: what these are validated by.
- `_get_param_names`: the names of the parameters, which it reads off the signature.
- `_init_callback_context`: makes the context that `fit` reports to callbacks through.
- `_skl_callbacks`: the callbacks that were set; not there if there are none.

Of a fitted MLPClassifier or MLPRegressor, which `interchange` reads or writes:

- `_label_binarizer`: its classes; `y_type_` tells whether they are multilabel, and
  `sparse_input_` whether y was sparse.
- `_no_improvement_count`: epochs since the best one.
- `_best_coefs`, `_best_intercepts`: the weights of the best epoch.
"""

from inspect import signature

from sklearn import __version__ as sklearn_version
from sklearn.base import _fit_context
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import (
    Interval,
    Options,
    StrOptions,
    validate_params,
)
from sklearn.utils.fixes import parse_version
from sklearn.utils.multiclass import _check_partial_fit_first_call
from sklearn.utils.validation import (
    _check_feature_names_in,
    _check_sample_weight,
    _check_y,
)

KNOWS_ALL_TABLES = parse_version(sklearn_version) >= parse_version("1.9.dev0")
MAY_BE_ZERO = (
    {"allow_all_zero_weights": True}
    if "allow_all_zero_weights" in signature(_check_sample_weight).parameters
    else {}
)

__all__ = [
    "KNOWS_ALL_TABLES",
    "MAY_BE_ZERO",
    "Interval",
    "Options",
    "StrOptions",
    "_check_feature_names_in",
    "_check_partial_fit_first_call",
    "_check_sample_weight",
    "_check_y",
    "_fit_context",
    "_safe_indexing",
    "validate_params",
]
