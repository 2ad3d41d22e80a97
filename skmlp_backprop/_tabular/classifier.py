"""The classifier of tables."""

import numpy as np
from sklearn.base import ClassifierMixin

from .._estimators.classifier import BackpropMLPClassifier
from .._estimators.parameters import store_parameters
from .._estimators.sklearn_private import StrOptions
from .base import BaseTabularMLP
from .documentation import documented


@documented
class TabularMLPClassifier(ClassifierMixin, BaseTabularMLP):
    """Ensemble of multilayer perceptrons that classifies the rows of a table.

    ... what_it_does

    Parameters
    ----------
    ... parameters

    dropout : float or sequence of float, default=0.25
        Probability, in [0, 1), that the output of a hidden unit is set to 0 for a row
        in training: a number for all hidden layers, or a sequence with a number for
        each.

    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes; "balanced" for the inverse of their shares of the
        sample weights. Labels without a key weigh 1, keys that are no label of y are
        ignored. For multilabel targets a list with a dict {0: ..., 1: ...} for each
        label, or "balanced", and a row weighs the product.

    ... last_parameters

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.

    ... attributes

    See Also
    --------
    TabularMLPRegressor : The same for numbers.
    BackpropMLPClassifier : One network, on numbers as they are.
    sklearn.ensemble.HistGradientBoostingClassifier : Trees, as easy to use.

    References
    ----------
    ... references

    Examples
    --------
    >>> import pandas as pd
    >>> from skmlp_backprop import TabularMLPClassifier
    >>> X = pd.DataFrame({"size": [1.0, 2.0, None, 8.0, 9.0] * 9})
    >>> X["colour"] = ["red", "red", "blue"] * 15
    >>> y = ["small", "small", "small", "large", "large"] * 9
    >>> model = TabularMLPClassifier(random_state=0).fit(X, y)
    >>> model.predict(X[:5])
    array(['small', 'small', 'small', 'large', 'large'], dtype='<U5')
    """

    _member_class = BackpropMLPClassifier
    _parameter_constraints: dict = {  # noqa: RUF012
        **BaseTabularMLP._parameter_constraints,
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
    }

    def __init__(
        self,
        n_members=8,
        hidden_layer_sizes=(128, 64),
        activation="relu",
        *,
        categorical_features="from_dtype",
        n_bins="auto",
        batch_size="auto",
        learning_rate_init=0.003,
        max_iter="auto",
        n_iter_no_change=8,
        dropout=0.25,
        class_weight=None,
        random_state=None,
        verbose=False,
    ):
        store_parameters(locals())

    def predict(self, X):
        """Predict the class of each row.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_classes)
            The most probable class, or a multilabel indicator matrix.
        """
        proba = self._mean_estimates(X)
        if self.estimators_[0]._target_encoder.multilabel:
            return (proba > 0.5).astype(int)
        return self.classes_[proba.argmax(axis=1)]

    def predict_proba(self, X):
        """Predict the probability of each class, the mean over the networks.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Probabilities; each row sums to 1, save with multilabel targets.
        """
        return self._normalised(self._mean_estimates(X))

    def predict_log_proba(self, X):
        """Predict the logarithm of the probability of each class.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.

        Returns
        -------
        log_proba : ndarray of shape (n_samples, n_classes)
            Logarithms of what :meth:`predict_proba` returns.
        """
        return np.log(_positive(self.predict_proba(X)))

    def decision_function(self, X):
        """Compute a confidence score of each class.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.

        Returns
        -------
        decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
            With two classes the logit of the second, positive where it is the more
            probable; with more, the logarithm of the probability of each; with
            multilabel targets the logit of each. Zeros where the data had one class
            only.
        """
        proba = self._mean_estimates(X)
        if self.estimators_[0]._target_encoder.multilabel:
            return np.log(_positive(proba)) - np.log(_positive(1 - proba))
        decision = np.log(_positive(self._normalised(proba)))
        if decision.shape[1] == 1:
            return decision[:, 0]
        return decision[:, 1] - decision[:, 0] if decision.shape[1] == 2 else decision

    def predict_members(self, X):
        """Predict the probabilities by each network alone.

        How far they are apart tells how sure the ensemble is: rows unlike those it was
        fitted to, or few of whose kind there were, are predicted differently.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.

        Returns
        -------
        proba : ndarray of shape (n_members, n_samples, n_classes)
            Probabilities.
        """
        return self._normalised(self._all_estimates(X))

    def _normalised(self, proba):
        """In float64 to rounding, as the networks' are in float32."""
        if not self.estimators_[0]._target_encoder.multilabel:
            proba /= proba.sum(axis=-1, keepdims=True)
        return proba

    def _scaled_targets(self, y, sample_weight):
        return y

    def _member_params(self):
        return {"class_weight": self.class_weight}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _positive(proba):
    return np.maximum(proba, np.finfo(proba.dtype).tiny)
