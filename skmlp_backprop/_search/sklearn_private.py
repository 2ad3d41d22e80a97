"""What the searches use of scikit-learn's private names, and what each is for.

Imported:

- `_BaseScorer`, `_PassthroughScorer`: the classes of scikit-learn's own scorers; the
  `_score_func` of the former is the metric.
- `_check_method_params`: cuts what has one entry for each sample to a fold's rows.
- `_fit_and_score`: fits and scores one candidate on one fold.
- `HalvingGridSearchCV`, `HalvingRandomSearchCV`: public only behind an experimental
  import, from which their users are spared.
- `_insert_error_scores`: gives the fits that failed their score, where a callable
  scoring tells only now which metrics there are.
- `_num_samples`: the number of rows of anything array-like.
- `_safe_split`: cuts X and y to a fold's rows, for precomputed kernels, too.
- `_score`: scores a fitted candidate; a score that fails costs `error_score`.
- `_warn_or_raise_about_fit_failures`: tells how many fits failed, and why.
- `_MultimetricScorer`: several scorers in one; `_scorers` is the dict of them.

Of GridSearchCV and RandomizedSearchCV, which ours inherit from:

- `_get_scorers`: the scorers that `scoring` names, and the metric to refit by.
- `_get_routed_params_for_fit`: what each of estimator, splitter and scorer is passed.
- `_init_callback_context`: makes the context that `fit` reports to callbacks through.
- `_check_input_parameters`: validates what the base of all searches does, from 1.8 on;
  of the halving searches always.
- `_run_search`: calls back with the candidates to evaluate.
- `_checked_cv_orig`: the splitter, which we set where they do.
- `_format_results`: makes `cv_results_` of the scores and times.
- `_check_refit_for_multimetric`: whether `refit` names one of several metrics.
- `_select_best_index`: the number of the candidate with the best rank.
- `_metadata_request`: of an estimator, what metadata it was told to ask for.
- `_n_samples_orig`: the number of rows, which the halving searches' own `fit` sets.
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
