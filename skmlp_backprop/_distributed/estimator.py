"""The mixin by which an estimator fits and predicts Dask collections."""

import copy
from contextlib import ExitStack
from functools import partial

import dask
import numpy as np
from dask import delayed
from dask.dataframe.utils import make_meta
from distributed import get_client
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from .._estimators.architecture import check_solver, is_stochastic, make_network
from .._estimators.base import restore_on_error
from .._estimators.sklearn_callbacks import with_callbacks
from .._estimators.sklearn_private import _fit_context
from .._estimators.target_checks import (
    check_target_names,
    warn_of_text_targets,
    without_second_axis,
)
from .._estimators.weighting import (
    check_class_weight,
    check_total,
    explicit_class_weight,
)
from .chunks import (
    are_distributed,
    bind,
    is_table,
    known_rows,
    refuse_other_lengths,
    runs_of_chunks,
)
from .client import Shards, release, results_of
from .objective import DistributedData, DistributedRows
from .orders import compare_hashes, hash_indexes
from .prediction import call_unless_empty, predict_lazily
from .summary import check_chunk, merged
from .worker import Shard


class DaskMixin:
    """Mixin for a subclass of a local estimator; it comes first in the bases.

    The subclass has the parameter `client`, and in ``_local`` the class of the local
    estimator.
    """

    def fit(self, X, y, sample_weight=None):
        """Fit the network to data.

        Parameters
        ----------
        X : Dask Array or DataFrame of shape (n_samples, n_features)
            The samples, in dense or CSR chunks. Training is in float32 if all chunks
            are float32 (with "tnc" in float64), else in float64.

        y : Dask Array, Series or DataFrame of shape (n_samples,) or \
                (n_samples, n_outputs)
            The targets, in chunks of the same rows as X.

        sample_weight : Dask Array or Series of shape (n_samples,), default=None
            Weights of the samples. With None, each sample weighs 1.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the input or a combination of parameters is invalid. An earlier fit stays
            unchanged.

        RuntimeError
            If the cluster has no workers, or if rows are lost and Dask can't compute
            them again.

        Notes
        -----
        If all data are local, the fit is local and needs no client.
        """
        if not are_distributed(X, y, sample_weight):
            return super().fit(X, y, sample_weight)
        return self._fit_distributed(X, y, sample_weight)

    @_fit_context(prefer_skip_nested_validation=True)
    @restore_on_error
    @with_callbacks
    def _fit_distributed(self, X, y, sample_weight):
        context = self._init_callback_context(max_subtasks=self.max_iter)
        if self.early_stopping and is_stochastic(self.solver):
            raise ValueError(
                "early_stopping=True would hold rows out of chunks at the workers, "
                "which is not supported. Stop by validation data of your own: "
                "set_callbacks(EarlyStopping(X_val, y_val)), from "
                "skmlp_backprop.callbacks."
            )
        continuing = self.warm_start and hasattr(self, "coefs_")
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        given = {"X": X, "y": y, "metadata": metadata}
        context.call_on_fit_task_begin(estimator=self, **given)
        with ExitStack() as at_the_end:
            check_target_names(self, y, reset=not continuing)
            data = self._distribute(X, y, sample_weight, continuing, at_the_end)
            return self._fit_to(data, continuing, context, given)

    def _distribute(self, X, y, sample_weight, continuing, at_the_end):
        """Check the data as a local fit does, and make a shard for each worker.

        The ExitStack `at_the_end` releases the chunks and the shards.
        """
        client = _current_client() if self.client is None else self.client
        if client.status == "closed":
            raise ValueError(
                "The Dask client is closed. Pass another one as `client`, or None for "
                "the current one."
            )
        workers = sorted(client.nthreads())
        if not workers:
            raise RuntimeError(
                "The Dask cluster has no workers. Start some, and wait for them by "
                "client.wait_for_workers(1)."
            )
        if y is None:
            validate_data(self, np.zeros((1, X.shape[1])), None)
        chunks, summaries = self._check_chunks(
            client, workers, X, y, sample_weight, at_the_end
        )
        without_second_axis(np.empty((0, *y.shape[1:])))
        n_rows = [0 if chunk is None else chunk.n_rows for chunk in summaries]
        summary = self._summary_of(summaries, X, reset=not continuing)
        if summary.text is not None:
            warn_of_text_targets(np.array([summary.text]))
        target_encoder = summary.target_encoder()
        if continuing:
            self._check_same_target_encoder(target_encoder)
            target_encoder = self._target_encoder
        network = make_network(self, summary.n_features, target_encoder)
        check_solver(self, network)
        class_weight = None
        if self._y_numeric:
            # If the loss refuses a target, it also refuses the smallest or the largest.
            targets = target_encoder.encode(summary.values, summary.dtype)
            network.loss.check_targets(targets)
        else:
            check_class_weight(self.class_weight, target_encoder)
            class_weight = explicit_class_weight(
                self.class_weight, target_encoder, summary.counts_of(target_encoder)
            )
        runs = runs_of_chunks(n_rows, len(workers))
        runs = [[chunks[i] for i in run] for run in runs]
        settings = network, target_encoder, class_weight, summary.dtype
        rows = _make_rows(client, workers, runs, settings, at_the_end)
        release(chunks)
        return DistributedData(network, rows, target_encoder)

    def _check_chunks(self, client, workers, X, y, sample_weight, at_the_end):
        """Compute and check each chunk.

        Returns
        -------
        chunks : list of Future
            The checked chunks, each at the worker of its future shard.

        summaries : list of Summary or None
            The summary of each chunk; None for a chunk without rows.
        """
        unfitted = type(self)(**self.get_params(deep=False) | {"client": None})
        check = delayed(partial(check_chunk, unfitted))
        bound = bind(X, y, sample_weight)
        checked = [check(number, *chunk) for number, chunk in enumerate(bound)]
        n_rows = known_rows(X) or [1] * len(checked)
        # At least 1: a chunk without rows needs a worker, too.
        runs = runs_of_chunks([max(1, n) for n in n_rows], len(workers))
        chunks, summaries = [], []
        for worker, run in zip(workers, runs, strict=False):
            of_run = [checked[i] for i in run]
            # A single call: Dask then computes a chunk once for both of its tasks.
            futures = client.compute(
                [*of_run, *(chunk.summary for chunk in of_run)],
                workers=[worker],
                allow_other_workers=True,
            )
            at_the_end.callback(release, futures)
            chunks += futures[: len(run)]
            summaries += futures[len(run) :]
        return chunks, results_of(client, summaries)

    def _summary_of(self, summaries, X, reset):
        """Merge the summaries of the chunks, and set the names of the features.

        It raises the errors that a local fit raises.
        """
        summaries = [summary for summary in summaries if summary is not None]
        self._refuse_no_rows(X, summaries)
        summary = merged(summaries)
        if summary.weight == 0:
            raise ValueError(
                "Sample weights must contain at least one non-zero number."
            )
        # The validation uses the number and the names of the columns alone.
        like_X = make_meta(X) if is_table(X) else np.empty((0, summary.n_features))
        validate_data(self, like_X, [], reset=reset, skip_check_array=True)
        return summary

    def _refuse_no_rows(self, X, chunks):
        """Raise the error of a local fit if no chunk has rows."""
        if not chunks:
            check_array(np.empty((0, X.shape[1])), estimator=self)

    def to_local(self):
        """Make a fitted local estimator, which needs no cluster.

        Returns
        -------
        estimator : BackpropMLPClassifier or BackpropMLPRegressor
            The local estimator. It shares its parameters, weights and history with this
            estimator.
        """
        check_is_fitted(self)
        local = self._local.__new__(self._local)
        vars(local).update(vars(self))
        del local.client
        return local

    def predict(self, X):
        """Predict as the local estimator does; a Dask collection lazily.

        Parameters
        ----------
        X : {Dask Array or DataFrame, array-like, sparse matrix} of shape \
                (n_samples, n_features)
            The samples.

        Returns
        -------
        y : Dask Array or ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels, or numbers. For a Dask collection a Dask Array, whose chunks are
            predicted when the array is computed.
        """
        return self._predict_by("predict", X)

    def _predict_by(self, method, X):
        """Predict by a method: a Dask collection lazily, other data at once."""
        if not are_distributed(X):
            return getattr(super(), method)(X)
        return predict_lazily(self.to_local(), method, X)

    def _computed_chunks(self, X, y, sample_weight):
        """Yield the rows of each chunk, in order; a single chunk is in memory."""
        hashes_of_chunks = []
        for chunk in bind(X, y, sample_weight):
            X_chunk, y_chunk, *weights = self._compute(chunk)
            refuse_other_lengths(X_chunk, y_chunk, *weights)
            if X_chunk.shape[0] > 0:
                hashes = hash_indexes(X_chunk, y_chunk, *weights or [None])
                hashes_of_chunks.append(hashes)
                yield X_chunk, y_chunk, *weights
        self._refuse_no_rows(X, hashes_of_chunks)
        compare_hashes(hashes_of_chunks)

    def _sums_of_chunks(self, function, X, y, sample_weight):
        """Results of a function of :mod:`prediction` for all chunks that have rows."""
        local = delayed(self.to_local(), traverse=False)
        call = delayed(call_unless_empty)
        chunks = bind(X, y, sample_weight)
        found = self._compute([call(function, local, *chunk) for chunk in chunks])
        found = [of_chunk for of_chunk in found if of_chunk is not None]
        self._refuse_no_rows(X, found)
        compare_hashes([hashes for hashes, _ in found])
        return [sums for _, sums in found]

    def _compute(self, tasks):
        """Compute tasks by the client, or by Dask's default scheduler without one."""
        if self.client is None:
            return dask.compute(*tasks)
        return results_of(self.client, self.client.compute(list(tasks)))

    # A client is a connection, which can't be copied or pickled.

    def __sklearn_clone__(self):
        twin = copy.copy(self)
        twin.client = None
        twin = super(DaskMixin, twin).__sklearn_clone__()
        twin.client = self.client
        return twin

    def __deepcopy__(self, memo):
        memo[id(self.client)] = self.client
        return super().__deepcopy__(memo)

    def __getstate__(self):
        return {**super().__getstate__(), "client": None}


def _current_client():
    """Get the client that Dask uses by default.

    Raises
    ------
    ValueError
        If no client exists.
    """
    try:
        return get_client()
    except ValueError as error:
        raise ValueError(
            "There is no Dask client. Make one, such as distributed.Client(), or pass "
            "it as `client`."
        ) from error


def _make_rows(client, workers, runs, settings, at_the_end):
    """Make a shard of the rows for each worker, from a run of checked chunks each.

    The future of a shard depends on the futures of its chunks, which are released
    later: Dask then keeps the tasks of the chunks without their results, and runs the
    tasks again if a worker dies.
    """
    _, _, class_weight, dtype = settings
    workers = workers[: len(runs)]
    futures = [
        client.submit(
            Shard,
            *settings,
            number,
            *run,
            workers=[worker],
            allow_other_workers=True,
            pure=False,
        )
        for number, (worker, run) in enumerate(zip(workers, runs, strict=True))
    ]
    shards = Shards(client, futures, workers)
    at_the_end.callback(shards.release)
    n_rows, weights = zip(*shards.ask("totals"), strict=True)
    is_weighted = weights[0] is not None
    weight_sum = float(sum(weights if is_weighted else n_rows))
    if is_weighted:
        check_total(weight_sum, class_weight, dtype)
    spans = [(0, n) for n in n_rows]
    return DistributedRows(shards, spans, is_weighted, weight_sum, dtype)
