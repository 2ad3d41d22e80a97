"""Estimators of tables, each with the preparation that its documentation asks for."""

import importlib.util
from functools import partial

import numpy as np
from scipy.stats import loguniform, randint, uniform
from sklearn.compose import (
    TransformedTargetRegressor,
    make_column_selector,
    make_column_transformer,
)
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.model_selection import RandomizedSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder

from skmlp_backprop import TabularMLPClassifier, TabularMLPRegressor

_MAX_CATEGORIES = 255


def tabular(is_classifier, frame, seed):
    """Ours, with all defaults and no preparation."""
    estimator = TabularMLPClassifier if is_classifier else TabularMLPRegressor
    return estimator(random_state=seed)


def hist_gradient_boosting(is_classifier, frame, seed):
    """Categories declared; columns of more than it takes encoded by their target."""
    categorical = frame.select_dtypes("category")
    large = categorical.columns[categorical.nunique() > _MAX_CATEGORIES]
    encoder = make_column_transformer(
        (TargetEncoder(random_state=seed), large),
        remainder="passthrough",
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    estimator = (
        HistGradientBoostingClassifier
        if is_classifier
        else HistGradientBoostingRegressor
    )
    return make_pipeline(encoder, estimator(random_state=seed))


def hist_gradient_boosting_stopped(is_classifier, frame, seed):
    """The same with early stopping, whatever the number of rows."""
    model = hist_gradient_boosting(is_classifier, frame, seed)
    return model.set_params(**{f"{model.steps[-1][0]}__early_stopping": True})


def hist_gradient_boosting_tuned(is_classifier, frame, seed):
    """The same, with the best of 20 candidates at random in 3 folds."""
    model = hist_gradient_boosting(is_classifier, frame, seed)
    last = model.steps[-1][0]
    space = {
        "learning_rate": loguniform(0.01, 0.3),
        "max_leaf_nodes": randint(7, 64),
        "min_samples_leaf": randint(5, 100),
        "l2_regularization": loguniform(1e-3, 10),
        "max_features": uniform(0.3, 0.7),
        "max_iter": [500],
        "early_stopping": [True],
    }
    return RandomizedSearchCV(
        model,
        {f"{last}__{name}": values for name, values in space.items()},
        n_iter=20,
        scoring="neg_log_loss" if is_classifier else "neg_root_mean_squared_error",
        cv=3,
        random_state=seed,
    )


def random_forest(is_classifier, frame, seed):
    """Categories one-hot, medians for missing numbers."""
    estimator = RandomForestClassifier if is_classifier else RandomForestRegressor
    return make_pipeline(_one_hot(), estimator(random_state=seed, n_jobs=-1))


def mlp(is_classifier, frame, seed):
    """Categories one-hot, numbers imputed and standardised, y too."""
    if is_classifier:
        return make_pipeline(
            _one_hot(StandardScaler()), MLPClassifier(random_state=seed)
        )
    regressor = TransformedTargetRegressor(
        MLPRegressor(random_state=seed), transformer=StandardScaler()
    )
    return make_pipeline(_one_hot(StandardScaler()), regressor)


def _one_hot(*scaling):
    numbers = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True), *scaling
    )
    return make_column_transformer(
        (numbers, make_column_selector(dtype_exclude="category")),
        (
            OneHotEncoder(
                handle_unknown="infrequent_if_exist",
                max_categories=_MAX_CATEGORIES,
                sparse_output=False,
            ),
            make_column_selector(dtype_include="category"),
        ),
    )


class _Prepared:
    """Base class of those whose `model` takes what ``_prepared`` makes of a table."""

    def fit(self, frame, y):
        self.model.fit(self._prepared(frame), y)
        self.classes_ = getattr(self.model, "classes_", None)
        return self

    def predict(self, frame):
        return np.ravel(self.model.predict(self._prepared(frame)))

    def predict_proba(self, frame):
        return self.model.predict_proba(self._prepared(frame))


class CatBoost(_Prepared):
    """Categories declared, a category of their own for missing ones."""

    def __init__(self, is_classifier, frame, seed):
        from catboost import CatBoostClassifier, CatBoostRegressor

        estimator = CatBoostClassifier if is_classifier else CatBoostRegressor
        self.categorical = list(frame.select_dtypes("category"))
        self.model = estimator(
            random_seed=seed,
            cat_features=self.categorical,
            verbose=False,
            allow_writing_files=False,
        )

    def _prepared(self, frame):
        texts = {
            c: frame[c].astype(object).where(frame[c].notna(), "missing").astype(str)
            for c in self.categorical
        }
        return frame.assign(**texts)


class _Pytabkits(_Prepared):
    """One of pytabkit's, with its tuned defaults; means for missing numbers."""

    def __init__(self, name, is_classifier, frame, seed):
        import pytabkit

        kind = "Classifier" if is_classifier else "Regressor"
        estimator = getattr(pytabkit, f"{name}_{kind}")
        self.model = estimator(random_state=seed, device="cpu")
        self.numeric = list(frame.select_dtypes("number"))

    def _prepared(self, frame):
        return frame.fillna(self.means)

    def fit(self, frame, y):
        self.means = frame[self.numeric].mean().fillna(0).to_dict()
        return super().fit(frame, y)


OURS = "TabularMLP"
STOPPED = "HistGradientBoosting, early stopping"
CONTENDERS = {
    OURS: tabular,
    "HistGradientBoosting": hist_gradient_boosting,
    STOPPED: hist_gradient_boosting_stopped,
    "RandomForest": random_forest,
    "MLP": mlp,
}
# Minutes for a fold of some tables: CatBoost where there are many classes.
SLOW = {}
if importlib.util.find_spec("catboost"):
    SLOW["CatBoost"] = CatBoost
if importlib.util.find_spec("pytabkit"):
    CONTENDERS["LightGBM-TD"] = partial(_Pytabkits, "LGBM_TD")
    SLOW["RealMLP-TD-S"] = partial(_Pytabkits, "RealMLP_TD_S")
    SLOW["TabM-D"] = partial(_Pytabkits, "TabM_D")
