"""Private names of scikit-learn that the searches use, and their purposes.

Imports:

- `_BaseScorer`, `_PassthroughScorer`: the classes of scikit-learn's own scorers; the
  `_score_func` of the former is the metric.
- `_check_method_params`: selects a fold's rows of arguments with an entry for each
  sample.
- `_fit_and_score`: fits and scores a candidate on a fold.
- `HalvingGridSearchCV`, `HalvingRandomSearchCV`: their public import requires an
  experimental import, which users of this package do not need.
- `_insert_error_scores`: sets the score of failed fits, if `scoring` is a callable
  whose results define the metrics.
- `_num_samples`: the number of rows of an array-like.
- `_safe_split`: selects a fold's rows of X and y, also for precomputed kernels.
- `_score`: scores a fitted candidate; a failed scorer gives `error_score`.
- `_warn_or_raise_about_fit_failures`: reports the number of failed fits and their
  errors.
- `_MultimetricScorer`: a scorer of several metrics; `_scorers` is the dict of the
  scorers.

Methods and attributes of GridSearchCV and RandomizedSearchCV, the base classes:

- `_get_scorers`: the scorers of `scoring`, and the metric of the refit.
- `_get_routed_params_for_fit`: the arguments of the estimator, splitter and scorer.
- `_init_callback_context`: makes the context by which `fit` reports to callbacks.
- `_check_input_parameters`: validates the input; the halving searches always have it,
  the other searches from 1.8 on.
- `_run_search`: calls back with the candidates to evaluate.
- `_checked_cv_orig`: the splitter; the searches of this package set it, too.
- `_format_results`: makes `cv_results_` from the scores and times.
- `_check_refit_for_multimetric`: checks that `refit` names a metric.
- `_select_best_index`: the index of the candidate with the best rank.
- `_metadata_request`: the metadata requests that an estimator was given.
- `_n_samples_orig`: the number of rows, which the halving searches' `fit` sets.
"""

from sklearn.metrics._scorer import (
    _BaseScorer,
    _MultimetricScorer,
    _PassthroughScorer,
)
from sklearn.model_selection._search_successive_halving import (
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
)
from sklearn.model_selection._validation import (
    _fit_and_score,
    _insert_error_scores,
    _score,
    _warn_or_raise_about_fit_failures,
)
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params, _num_samples

__all__ = [
    "HalvingGridSearchCV",
    "HalvingRandomSearchCV",
    "_BaseScorer",
    "_MultimetricScorer",
    "_PassthroughScorer",
    "_check_method_params",
    "_fit_and_score",
    "_insert_error_scores",
    "_num_samples",
    "_safe_split",
    "_score",
    "_warn_or_raise_about_fit_failures",
]
