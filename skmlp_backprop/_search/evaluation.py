"""The evaluation of a search's candidates, in tasks of several candidates and a fold.

Candidates that can't be stacked are fitted by scikit-learn's own function, tabular
models on encoded tables that they share.
"""

from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import replace
from itertools import product

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits

from .._estimators.sklearn_callbacks import NoCallbacks
from .._tabular.classifier import TabularMLPClassifier
from .._tabular.regressor import TabularMLPRegressor
from .fits import Fit, Group, StackTrainer, TabularTrainer, Task, configured, run_tasks
from .last_steps import last_step
from .sklearn_private import _insert_error_scores, _warn_or_raise_about_fit_failures
from .stacking import CannotStack, check_trainable, stack_key
from .work import choose_processes

# Reasons why fits were not stacked, although their parameters permit it.
_NO_OTHER = "no other candidate can share its stack"
_LEFT = "no other candidate of its stack is left"
_CUT = "its stack was divided, so that all processes have work"


class Evaluation(ExitStack):
    """Evaluates candidates; a search calls it once, or several times.

    It is a context. All calls within it share the processes and the data that were sent
    to them. Leaving it can take joblib 0.1 s.

    Attributes
    ----------
    candidates : list of dict
        The candidates of all calls so far.

    out : list of dict
        The results of their fits, in scikit-learn's order: by candidate, then by fold.

    more_results : dict of str to list
        Further entries of `cv_results_`, such as the rungs of a halving search.

    results : dict
        The `cv_results_` of all calls so far.
    """

    def __init__(self, search, X, y, scorers, routed):
        super().__init__()
        self.search = search
        self.X = X
        self.y = y
        self.split_params = routed.splitter.split
        self.settings = {
            "scorer": scorers,
            "fit_params": routed.estimator.fit,
            "score_params": routed.scorer.score,
            "return_train_score": search.return_train_score,
            "error_score": search.error_score,
            "verbose": search.verbose,
            "caller": search,
        }
        self._parallel = None
        self._n_processes = 0
        self.candidates = []
        self.out = []
        self.more_results = defaultdict(list)
        self.results = {}

    def __call__(self, candidates, cv=None, more_results=None, callback_ctx=None):
        """Evaluate candidates on all folds; return the results of all calls so far."""
        search, candidates = self.search, list(candidates)
        context = callback_ctx or NoCallbacks()
        cv = cv or search._checked_cv_orig
        splits = list(cv.split(self.X, self.y, **self.split_params))
        n_splits = search.n_splits_
        if len(splits) != n_splits:
            raise ValueError(
                "cv.split and cv.get_n_splits return inconsistent results. Expected "
                f"{n_splits} splits, got {len(splits)}"
            )
        if search.verbose > 0:
            print(
                f"Fitting {n_splits} folds for each of {len(candidates)} candidates, "
                f"totalling {len(candidates) * n_splits} fits"
            )
        if not candidates or not splits:
            raise ValueError(
                "No fits were performed. Was the CV iterator empty? Were there no "
                "candidates?"
            )
        out = self._fit_and_score_all(candidates, splits, context)
        if search.verbose > 0:
            n_stacked, n_alone = count_stacked(out)
            print(f"Trained {n_stacked} of {len(out)} fits in stacks")
            for why, n_fits in n_alone.items():
                print(f"  {n_fits} one by one: {why}")
        _warn_or_raise_about_fit_failures(out, search.error_score)
        if callable(search.scoring):
            _insert_error_scores(out, search.error_score)
        self.candidates += candidates
        self.out += out
        for key, value in (more_results or {}).items():
            self.more_results[key].extend(value)
        self.results = search._format_results(
            self.candidates, n_splits, self.out, self.more_results
        )
        return self.results

    def _fit_and_score_all(self, candidates, splits, context):
        """Return the results of all fits, by candidate, then by fold."""
        search = self.search
        estimators = [configured(search.estimator, params) for params in candidates]
        groups = _group(estimators, candidates)
        # Made before the first task: a tree of contexts must not change while joblib
        # pickles it.
        places = product(enumerate(candidates), range(len(splits)))
        fits = [
            Fit(
                number,
                candidate=(i, len(candidates)),
                split=(split, len(splits)),
                params=params,
                context=context.subcontext(
                    task_name="candidate-split-evaluation", task_id=number
                ),
            )
            for number, ((i, params), split) in enumerate(places)
        ]
        self._resume(fits, estimators, groups)
        self._open_processes(estimators, groups, len(splits[0][0]))
        tasks = _cut(_make_tasks(fits, groups, splits), self._n_processes)
        outs = self._parallel(
            delayed(run_tasks)(
                clone(search.estimator), self.X, self.y, self.settings, bundle
            )
            for bundle in _bundle(tasks, self._n_processes)
        )
        results = {number: result for out in outs for number, result in out.items()}
        for fit in fits:
            if fit.result is None:
                fit.result = results[fit.number]
            else:
                fit.context.call_on_fit_task_begin(estimator=search)
                fit.context.call_on_fit_task_end(estimator=search)
        self._keep(fits)
        return [fit.result for fit in fits]

    def _resume(self, fits, estimators, groups):
        """Let fits continue those of an earlier call, or take their results."""

    def _keep(self, fits):
        """Keep the fits for the next call."""

    def _open_processes(self, estimators, groups, n_rows):
        """Open the processes that shorten the search, unless as many are open."""
        search, n_max = self.search, joblib.effective_n_jobs(self.search.n_jobs)
        chosen, why = 1, None
        if n_max > 1:
            rounds = search._rounds(len(estimators))
            n_fits = [(n * search.n_splits_, factor) for n, factor in rounds]
            data = self.X, self.y, n_rows
            chosen, why = choose_processes(
                n_max, n_fits, estimators, groups, self.settings["scorer"], *data
            )
        if chosen <= self._n_processes:
            return
        self.close()
        if chosen == 1 < n_max:
            # As in joblib's processes: on busy cores, threads can make a short search
            # ten times as long.
            self.enter_context(threadpool_limits(1, user_api="blas"))
        n_jobs = search.n_jobs if chosen == n_max else chosen
        parallel = Parallel(n_jobs=n_jobs, pre_dispatch=search.pre_dispatch)
        self._parallel = self.enter_context(parallel)
        self._n_processes = chosen
        if search.verbose > 0 and why is not None:
            print(why)


def count_stacked(results):
    """Number of stacked fits, and dict of the number of other fits by reason."""
    n_alone = Counter(result["alone"] for result in results)
    return n_alone.pop(None, 0), dict(n_alone)


def _group(estimators, candidates):
    """Return the Group of each candidate.

    The candidates of a group can be trained as a stack, or share an encoded table.
    """
    groups, of_candidates = {}, []
    for i, (estimator, params) in enumerate(zip(estimators, candidates, strict=True)):
        try:
            key, trainer, why_alone = _group_key(estimator, params)
            new = Group(trainer, why_alone, can_pause=True)
            group = groups.setdefault(key or i, new)
        except CannotStack as why:
            group = groups[i] = Group(None, str(why))
        except Exception:
            # The candidate's own fit then raises the error of its invalid parameter.
            group = groups[i] = Group(None, "its parameters are invalid")
        of_candidates.append(group)
    return of_candidates


def _group_key(estimator, params):
    """Return the key of a candidate's group, its trainer and why it can't be stacked.

    The key is None for a candidate that is a group of its own.

    Raises
    ------
    CannotStack
        If only the candidate's own fit can fit it. The message is the reason.
    TypeError, ValueError
        If a parameter of the last step is invalid.
    """
    path, last, pipelines = last_step(estimator)
    name = type(last).__name__
    is_tabular = isinstance(last, (TabularMLPClassifier, TabularMLPRegressor))
    if any(hasattr(pipeline, "_skl_callbacks") for pipeline in pipelines):
        raise CannotStack("its Pipeline has callbacks")
    if is_tabular:
        if type(last) not in (TabularMLPClassifier, TabularMLPRegressor):
            raise CannotStack(f"{name} is a subclass, which may define its own fit")
        if hasattr(last, "_skl_callbacks"):
            raise CannotStack("it has callbacks")
    else:
        check_trainable(last)
    last._validate_params()
    # id(value): values may not be hashable, and the candidates of a grid share them.
    of_other_steps = [
        (param, id(value))
        for param, value in sorted(params.items())
        if path and param != path and not param.startswith(f"{path}__")
    ]
    # The metadata requests are equal unless a candidate had `set_fit_request` called.
    shared = str(vars(last).get("_metadata_request")), *of_other_steps
    if is_tabular:
        why_alone = (
            f"the networks of a {name} are a stack by themselves; its fits on a fold "
            "share the encoded table"
        )
        encoding = joblib.hash((last.categorical_features, last.n_bins))
        return (name, encoding, shared), TabularTrainer, why_alone
    key = stack_key(last)
    if key is None:
        return None, None, f"solver {last.solver!r} works on all rows at once"
    return (key, shared), StackTrainer, None


def _make_tasks(fits, groups, splits):
    """Make the tasks of all fits whose results are not known."""
    fits_of, n_candidates = defaultdict(list), Counter(groups)
    for fit in sorted(fits, key=lambda fit: fit.split):
        if fit.result is None:
            (i, _), (split, _) = fit.candidate, fit.split
            fits_of[split, groups[i], fit.pauses, fit.origin].append(fit)
    tasks = []
    for (split, group, *_), of_task in fits_of.items():
        why_alone = group.why_alone or (_LEFT if n_candidates[group] > 1 else _NO_OTHER)
        tasks.append(Task(group, of_task, *splits[split], why_alone))
    return tasks


def _cut(tasks, n_processes):
    """Cut tasks so that all processes have work.

    Each process gets the same number of whole tasks. The remaining tasks, fewer than
    the processes, are cut into the smallest number of parts for which the idle
    processes are at most a tenth of the parts: a large stack is faster than two small
    stacks.

    Tasks of tabular models are all cut, so that each process gets four parts or more if
    there are enough candidates. Their fits differ in their times: the parts go to the
    first free process. To encode a table once for each part costs less than an idle
    process.
    """
    if n_processes == 1:
        return tasks
    tables = [task for task in tasks if task.group.trainer is TabularTrainer]
    others = [task for task in tasks if task.group.trainer is not TabularTrainer]
    n_left = len(others) % n_processes

    def n_idle(n):
        """Idle processes in the last round, if each task left is cut into n parts."""
        return -n_left * n % n_processes

    n_parts = next(
        n for n in range(1, n_processes + 1) if n_idle(n) <= 0.1 * n_left * n
    )
    n_whole = len(others) - n_left
    to_cut = [(task, n_parts) for task in others[n_whole:]]
    to_cut += [(task, -(-4 * n_processes // len(tables))) for task in tables]
    cut = others[:n_whole]
    for task, n in to_cut:
        parts = np.array_split(np.arange(len(task.fits)), min(n, len(task.fits)))
        is_cut = len(parts) > 1 and task.group.why_alone is None
        why_alone = _CUT if is_cut else task.why_alone
        cut += [
            replace(task, fits=[task.fits[i] for i in part], why_alone=why_alone)
            for part in parts
        ]
    return cut


def _bundle(tasks, n_processes):
    """Bundle tasks; joblib runs each bundle in a single call.

    The tasks of a group form as many bundles as processes: small tasks of a bundle are
    trained as a single stack, and each call costs milliseconds, mostly for its copy of
    X. A task whose candidates are not stacked is a bundle of its own. These
    bundles come last, for the first free process.
    """
    by_group, alone = defaultdict(list), []
    for task in tasks:
        if task.group.why_alone is None:
            by_group[task.group].append(task)
        else:
            alone.append([task])
    bundles = [
        of_group[i::n_processes]
        for of_group in by_group.values()
        for i in range(min(n_processes, len(of_group)))
    ]
    return bundles + alone
