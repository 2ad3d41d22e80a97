"""The tabular classifier."""

import numpy as np
from sklearn.base import ClassifierMixin, clone
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from .._estimators.base import store_parameters
from .._estimators.classifier import BackpropMLPClassifier
from .._estimators.sklearn_private import StrOptions
from .._estimators.target_checks import (
    check_scored,
    plain_labels,
    warn_of_unknown_labels,
)
from .._estimators.weighting import explicit_class_weight
from .._network.outputs import positive
from .._network.warning import warn
from .base import BaseTabularMLP
from .documentation import documented
from .intervals import (
    checked_coverages,
    conformity,
    cv_plus_sets,
    describe_need,
    mass_above,
    means_by_fold,
    n_effective_rows,
)


@documented
class TabularMLPClassifier(ClassifierMixin, BaseTabularMLP):
    """Ensemble of multilayer perceptrons that classifies the rows of a table.

    ... what_it_does

    Parameters
    ----------
    ... parameters

    dropout : "auto", float or sequence of float, default="auto"
        Probability, in [0, 1), that the output of a hidden unit is set to 0 for a row
        in training: a number for all hidden layers, or a sequence with a number for
        each. "auto" is 1500 divided by the number of rows, at most 0.25, and 0 from
        16,000 rows on.

    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes. "balanced" weighs each class by the inverse of its share
        of the sample weights. A class without a key in the dict weighs 1; a key that is
        not in y is ignored, with a warning if a class has no key. Keys that are all
        text for classes that are numbers, or the reverse, are refused. For
        multilabel targets: "balanced", or a list with a dict {0: ..., 1: ...} for each
        label; the weight of a row is the product over its labels.

    ... last_parameters

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.

    estimators_ : list of BackpropMLPClassifier
        The fitted networks. They take encoded rows.

    ... attributes

    validation_scores_ : list of float
        The negative log loss after each epoch. Each row is predicted by the networks
        that left it out, with temperature scaling: the logits are divided by the number
        from 1 to 5 that gives the smallest log loss.

    best_validation_score_ : float
        The highest of `validation_scores_`. The networks have the weights of its epoch,
        with the last layer divided by its temperature. Then the logits are shifted, so
        that mean probabilities are nearer the (weighted) shares of the classes. The
        score is slightly above that of a single network on new rows, because it is the
        best of many scores. The mean of the networks scores better. After a warm start
        on other rows, it is the highest score on these rows, also of the earlier
        weights.

    ... last_attributes

    oob_decision_function_ : ndarray of shape (n_samples, n_classes)
        Probabilities of the classes for each training row, by the networks that left
        the row out. nan for rows that no network left out (with fewer than eight
        networks, or with `X_val`), and rows of weight 0. The number of epochs and the
        temperature were chosen by these predictions; thresholds, further bins and
        combinations of columns by the labels of all rows. So these predictions are
        slightly better than predictions of new rows by a single network. The mean of
        all networks is better than both.

    oob_score_ : float
        Accuracy of `oob_decision_function_`, weighted by `sample_weight`; nan if it has
        no row. Of a multilabel target it is the share of rows with all labels right.

    See Also
    --------
    TabularMLPRegressor : The regressor for tables.
    BackpropMLPClassifier : A single network for an array of numbers.
    sklearn.ensemble.HistGradientBoostingClassifier : Gradient-boosted trees.

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
    _oob_name = "oob_decision_function_"
    _parameter_constraints: dict = {  # noqa: RUF012
        **BaseTabularMLP._parameter_constraints,
        "dropout": [
            StrOptions({"auto"}),
            *BaseTabularMLP._parameter_constraints["dropout"],
        ],
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
        dropout="auto",
        class_weight=None,
        n_jobs=None,
        device="cpu",
        random_state=None,
        verbose=False,
        warm_start=False,
    ):
        store_parameters(locals())

    def _member_params(self, n_rows):
        dropout = self.dropout
        if isinstance(dropout, str):
            # Chosen on the tables for development: with more rows a network overfits
            # less. With many rows, drawing the masks would take a fifth of a fit.
            dropout = min(0.25, 1500 / n_rows) if n_rows < 16_000 else 0
        return {"dropout": dropout, "class_weight": self.class_weight}

    def _with_class_weights_of(self, member, target_encoder, y, sample_weight):
        if self.class_weight != "balanced":
            return member
        weights = np.ones(len(y)) if sample_weight is None else sample_weight
        if target_encoder.multilabel:
            of_ones = weights @ y
            counts = np.column_stack([weights.sum() - of_ones, of_ones])
        else:
            counts = [weights[y == label].sum() for label in target_encoder.classes]
        class_weight = explicit_class_weight(
            "balanced", target_encoder, np.array(counts)
        )
        return clone(member).set_params(class_weight=class_weight)

    def predict(self, X):
        """Predict the class of each row: the class of the highest mean probability.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Class labels, or a multilabel indicator matrix.
        """
        return self._labels(self._mean_estimates(X))

    def score(self, X, y, sample_weight=None):
        """Compute the accuracy of the predictions.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.

        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            True labels.

        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples. With None, each sample weighs 1.

        Returns
        -------
        score : float
            Proportion, by weight, of the samples whose labels are all predicted.
        """
        check_scored(self, X, y, sample_weight)
        warn_of_unknown_labels(y, self.classes_)
        return super().score(X, plain_labels(y), sample_weight)

    def _labels(self, proba):
        """The labels of the highest probabilities."""
        if self.estimators_[0]._target_encoder.multilabel:
            return (proba > 0.5).astype(int)
        return self.classes_[proba.argmax(axis=1)]

    def predict_proba(self, X):
        """Predict the probability of each class: the mean over the networks.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Probabilities. Each row sums to 1, except with multilabel targets.
        """
        return self._predictions_of(self._mean_estimates(X))

    def predict_log_proba(self, X):
        """Predict the logarithm of the probability of each class.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.

        Returns
        -------
        log_proba : ndarray of shape (n_samples, n_classes)
            Logarithms of the result of :meth:`predict_proba`.
        """
        return np.log(positive(self.predict_proba(X)))

    def decision_function(self, X):
        """Compute a confidence score of each class.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.

        Returns
        -------
        decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
            With two classes, the logit of the second class: positive where the second
            class is the more probable class. With more classes, the logarithm of the
            probability of each class. With multilabel targets, the logit of each label.
            Zeros if `fit` saw a single class.
        """
        proba = self._mean_estimates(X)
        if self.estimators_[0]._target_encoder.multilabel:
            return np.log(positive(proba)) - np.log(positive(1 - proba))
        decision = np.log(positive(self._predictions_of(proba)))
        if decision.shape[1] == 1:
            return decision[:, 0]
        return decision[:, 1] - decision[:, 0] if decision.shape[1] == 2 else decision

    def predict_members(self, X):
        """Predict the probability of each class, by each network.

        The spread over the networks measures the uncertainty of the fit. It is large
        for rows that differ from the training rows, and for kinds of rows that are rare
        in training.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.

        Returns
        -------
        proba : ndarray of shape (n_members, n_samples, n_classes)
            Probabilities.
        """
        return self._predictions_of(self._member_estimates(X))

    def predict_set(self, X, coverage=0.9):
        """Predict a set of classes for each row, by CV+.

        A row that is hard to classify gets more classes. The sets come from the
        probabilities of the training rows by the networks that left them out, or from
        the mean probabilities of the rows of `X_val`. For new rows of the same
        distribution, which do not depend on the training rows, the class is in the set
        with a probability of about `coverage`. The theory guarantees at least
        ``2 * coverage - 1``, provided that no thresholds, further bins or combinations
        of columns were found from the labels. The probability is higher than
        `coverage` if the predicted class is
        right more often. All this holds on average over the rows, not for each class.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.

        coverage : float or array-like of float, default=0.9
            Share of the rows whose class is in the set, in (0, 1).

        Returns
        -------
        sets : ndarray of shape (n_samples, n_classes), bool
            Whether each of `classes_` is in the set. The result of :meth:`predict` is
            in it. With several coverages there is a last axis, one entry for each
            coverage; the set of a higher coverage has all classes of a lower one.

        Raises
        ------
        ValueError
            If the targets are multilabel, or if `coverage` is not in (0, 1).

        Warns
        -----
        UserWarning
            If all sets have all classes, because `coverage` is greater than n / (n + 1)
            for n rows that validate.

        References
        ----------
        Romano, Y., Sesia, M. and Candès, E. J. (2020). "Classification with valid and
        adaptive coverage." NeurIPS. Here without random numbers: a class's score is the
        sum of the probabilities of the more probable classes.

        Examples
        --------
        >>> from sklearn.datasets import load_wine
        >>> from skmlp_backprop import TabularMLPClassifier
        >>> X, y = load_wine(return_X_y=True)
        >>> model = TabularMLPClassifier(random_state=0).fit(X[::2], y[::2])
        >>> sets = model.predict_set(X[1::2], coverage=0.95)
        >>> bool(sets[range(89), y[1::2]].mean() > 0.9)
        True
        """
        coverages = checked_coverages(coverage)
        check_is_fitted(self)
        if self.estimators_[0]._target_encoder.multilabel:
            raise ValueError(
                "predict_set needs a single class for each row, but `fit` saw "
                "multilabel targets. Fit a TabularMLPClassifier to each label."
            )
        found = []
        for estimates in self._estimate_in_chunks(X):
            members = self._predictions_of(np.stack(list(estimates)))
            proba = means_by_fold(members, self._conformity)
            of_chunk = cv_plus_sets(proba, self._conformity, coverages)
            best = members.mean(axis=0).argmax(axis=1)
            of_chunk[np.arange(len(best)), best] = True
            found.append(of_chunk)
        sets = np.concatenate(found)
        n_rows = n_effective_rows(self._conformity)
        if (coverages > n_rows / (n_rows + 1)).any():
            warn(f"Sets have all classes: {describe_need(self._conformity, coverages)}")
        return sets[..., 0] if np.ndim(coverage) == 0 else sets

    def _predictions_of(self, estimates):
        """Make each row sum to 1 up to float64 rounding, in place."""
        if not self.estimators_[0]._target_encoder.multilabel:
            estimates /= estimates.sum(axis=-1, keepdims=True)
        return estimates

    def _outputs_of_estimates(self, estimates):
        proba = self._predictions_of(estimates)
        is_binary = len(self.classes_) == 2
        is_binary &= not self.estimators_[0]._target_encoder.multilabel
        return proba[..., 1:] if is_binary else proba

    def _oob_score(self, truth, proba, weights):
        return float(accuracy_score(truth, self._labels(proba), sample_weight=weights))

    def _conformity_of(self, truth, proba, folds, weights):
        """The probabilities above the class of each row, for :meth:`predict_set`."""
        if self.estimators_[0]._target_encoder.multilabel:
            return {}
        index = np.searchsorted(self.classes_, truth)[:, np.newaxis]
        scores = np.take_along_axis(mass_above(proba), index, axis=1)
        return conformity(scores, folds, weights)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
