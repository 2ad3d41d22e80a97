"""The classifier of tables."""

from sklearn.base import ClassifierMixin

from .._estimators.classifier import BackpropMLPClassifier
from .._estimators.sklearn_private import StrOptions
from .base import BaseTabularMLP


class TabularMLPClassifier(ClassifierMixin, BaseTabularMLP):
    """Ensemble of multilayer perceptrons that classifies the rows of a table."""

    _member_class = BackpropMLPClassifier
    _parameter_constraints: dict = {  # noqa: RUF012
        **BaseTabularMLP._parameter_constraints,
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
    }

    def __init__(
        self,
        n_members=8,
        hidden_layer_sizes=(128, 128),
        activation="relu",
        *,
        categorical_features="from_dtype",
        n_bins=16,
        batch_size="auto",
        learning_rate_init=0.003,
        max_iter=60,
        dropout=0.15,
        class_weight=None,
        random_state=None,
        verbose=False,
    ):
        super().__init__(
            n_members=n_members,
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            categorical_features=categorical_features,
            n_bins=n_bins,
            batch_size=batch_size,
            learning_rate_init=learning_rate_init,
            max_iter=max_iter,
            dropout=dropout,
            random_state=random_state,
            verbose=verbose,
        )
        self.class_weight = class_weight

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
        if self.estimators_[0]._codec.multilabel:
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
        if not self.estimators_[0]._codec.multilabel:
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
