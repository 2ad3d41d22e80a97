"""The evaluation of a search's candidates, in tasks of several candidates and a fold.

Candidates that can't be stacked are fitted by scikit-learn's own function, tabular
models on encoded tables that they share.
"""

from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import product

import joblib
import numpy as np
from joblib.parallel import LokyBackend, get_active_backend
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits

from .._tabular.classifier import TabularMLPClassifier
from .._tabular.regressor import TabularMLPRegressor
from . import work
from .fits import StackFit, TabularFit, configured, is_sklearns
from .last_steps import nested_steps
from .sklearn_private import _insert_error_scores, _warn_or_raise_about_fit_failures
from .stacking import CannotStack, check_trainable, stack_key
from .tasks import Task, run_tasks

TABULAR = (TabularMLPClassifier, TabularMLPRegressor)
# Reasons why fits were not stacked, although their parameters permit it.
_NO_OTHER = "no other candidate can share its stack"
_LEFT = "no other candidate of its stack is left"
_CUT = "the processes had one candidate each left to share"


class Evaluation(ExitStack):
    """Evaluates candidates; a search calls it once, or several times.

    It is a context. All calls within it share the processes and the data that were sent
    to them. Leaving it can take joblib 0.1 s.

    Attributes
    ----------
    results : dict
        The `cv_results_` of all calls so far.

    n_fits_alone : Counter of str
        Number of fits that were made one by one, for each reason.

    n_stacked : int
        Number of fits that were made in stacks.
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
        # Results that need no further training, by indices of candidate and fold.
        self._known = {}
        self.candidates = []
        self.out = []
        self.more_results = defaultdict(list)
        self.results = {}
        self.n_fits_alone = Counter()
        self.n_stacked = 0

    def __call__(self, candidates, cv=None, more_results=None, callback_ctx=None):
        """Evaluate candidates on all folds; return the results of all calls so far."""
        search, candidates = self.search, list(candidates)
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
        out = self._fit_and_score_all(candidates, splits, callback_ctx)
        if not out:
            raise ValueError(
                "No fits were performed. Was the CV iterator empty? Were there no "
                "candidates?"
            )
        self._count_stacked([result.pop("alone") for result in out])
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

    def _count_stacked(self, reasons):
        """Count and print the stacked fits and, by reason, the other fits."""
        n_alone = Counter(why for why in reasons if why is not None)
        self.n_fits_alone.update(n_alone)
        self.n_stacked += reasons.count(None)
        if self.search.verbose > 0:
            n_stacked = reasons.count(None)
            print(f"Trained {n_stacked} of {len(reasons)} fits in stacks")
            for why, n_fits in n_alone.items():
                print(f"  {n_fits} one by one: {why}")

    def _fit_and_score_all(self, candidates, splits, context):
        """Return results in scikit-learn's order: by candidate, then by fold."""
        search = self.search
        places = list(product(range(len(candidates)), range(len(splits))))
        # Made before the first task: a tree of contexts must not change while joblib
        # pickles it.
        contexts = {
            place: context.subcontext(task_name="candidate-split-evaluation", task_id=i)
            for i, place in enumerate(places)
        }
        estimators = [configured(search.estimator, c) for c in candidates]
        groups = _group(estimators, candidates)
        self._open(estimators, groups, splits)
        tasks = self._make_tasks(estimators, groups, len(splits))
        for task in tasks:
            task.train, task.test = splits[task.split]
            task.params = [candidates[i] for i in task.numbers]
            task.contexts = [contexts[i, task.split] for i in task.numbers]
            task.progress = [
                ((task.split, len(splits)), (i, len(candidates))) for i in task.numbers
            ]
        outs = self._parallel(
            delayed(run_tasks)(
                clone(search.estimator), self.X, self.y, self.settings, bundle
            )
            for bundle in _bundle(tasks, self._n_processes)
        )
        results = dict(self._known)
        for out in outs:
            results |= out
        for place in self._known:
            contexts[place].call_on_fit_task_begin(estimator=search)
            contexts[place].call_on_fit_task_end(estimator=search)
        return [results[place] for place in places]

    def _open(self, estimators, groups, splits):
        """Open the processes that shorten the search, unless as many are open."""
        search = self.search
        most = joblib.effective_n_jobs(search.n_jobs)
        chosen, why = 1, None
        if most > 1 and estimators and splits:
            chosen, why = self._choose(most, estimators, groups, len(splits[0][0]))
        if chosen <= self._n_processes:
            return
        self.close()
        if chosen == 1 < most:
            # As in joblib's processes: on busy cores, threads can make a short search
            # ten times as long.
            self.enter_context(threadpool_limits(1, user_api="blas"))
        n_jobs = search.n_jobs if chosen == most else chosen
        parallel = Parallel(n_jobs=n_jobs, pre_dispatch=search.pre_dispatch)
        self._parallel = self.enter_context(parallel)
        self._n_processes = chosen
        if search.verbose > 0 and why is not None:
            print(why)

    def _choose(self, most, estimators, groups, n_rows):
        """Choose a number of processes; return it with the reason in a sentence."""
        seconds = None
        if not isinstance(get_active_backend()[0], LokyBackend):
            unknown = "the backend of joblib is not its default"
        elif any(group.why_alone for group in groups):
            unknown = "there are candidates that can't be stacked"
        elif not is_sklearns(self.settings["scorer"]):
            unknown = "a scorer is not scikit-learn's"
        else:
            unknown = "X is no matrix, or a Pipeline has steps of unknown time"
            seconds = work.estimate_seconds(estimators, self.X, self.y, n_rows)
        if seconds is None:
            return most, f"Using {most} of {most} processes, as n_jobs says: {unknown}."
        n_splits, rounds = self.search.n_splits_, self.search._rounds(len(estimators))
        seconds_with = {
            n: work.seconds_to_start(n)
            + sum(-(-k * n_splits // n) * seconds * factor for k, factor in rounds)
            for n in range(1, most + 1)
        }
        chosen = min(seconds_with, key=seconds_with.get)
        why = f"takes about {seconds_with[chosen]:.1f} s"
        if chosen > 1:
            why += f", with one {seconds_with[1]:.1f} s"
        else:
            why += ", and more processes would not shorten it"
        return chosen, f"Using {chosen} of {most} processes: the search {why}."

    def _make_tasks(self, estimators, groups, n_splits):
        """Make the tasks of all groups and folds, cut so that all processes have work.

        They lack the rows, parameters and contexts.
        """
        stacks, tables = [], []
        for split, (i, group) in product(range(n_splits), enumerate(groups)):
            tasks = tables if group.fit_class is TabularFit else stacks
            for numbers in self._candidates_of(group, split, estimators):
                task = Task(split, numbers, i, group.fit_class, group.why_alone)
                tasks.append(task)
        n_processes = self._n_processes
        tasks = _cut_stacks(stacks, n_processes) + _cut_tables(tables, n_processes)
        for task in tasks:
            if task.why_alone is None:
                has_others = len(groups[task.group].numbers) > 1
                task.why_alone = _LEFT if has_others else _NO_OTHER
        return tasks

    def _candidates_of(self, group, split, estimators):
        """Lists of the candidates of a group that are fitted together on a fold."""
        return [group.numbers]


@dataclass
class Group:
    """Candidates that can be fitted together.

    Parameters
    ----------
    numbers : list of int
        Indices of the candidates.

    fit_class : type or None
        StackFit, TabularFit, or None for a candidate that scikit-learn's function fits.

    why_alone : str or None
        Reason why the candidates can't be stacked.
    """

    numbers: list
    fit_class: type | None
    why_alone: str | None


def _group(estimators, candidates):
    """Group candidates that can be trained as a stack, or share an encoded table."""
    groups = {}
    for i, (estimator, params) in enumerate(zip(estimators, candidates, strict=True)):
        fit_class, why_alone = StackFit, None
        try:
            path, last = checked_last_step(estimator)
            if isinstance(last, TABULAR):
                encoding = last.categorical_features, last.n_bins
                key, fit_class = (type(last), joblib.hash(encoding)), TabularFit
                why_alone = (
                    f"the networks of a {type(last).__name__} are a stack by "
                    "themselves; its fits on a fold share the encoded table"
                )
            else:
                key = stack_key(last)
            key = key, _key_of_others(path, last, params)
        except CannotStack as why:
            key, fit_class, why_alone = i, None, str(why)
        except Exception:
            # The candidate's own fit then raises the error of its invalid parameter.
            key, fit_class, why_alone = i, None, "its parameters are invalid"
        groups.setdefault(key, Group([], fit_class, why_alone)).numbers.append(i)
    return list(groups.values())


def checked_last_step(estimator):
    """Find the last step, if a stack or a fit on an encoded table can replace its fit.

    Returns
    -------
    path : str
        Name of the last step, see :func:`.last_steps.last_step`.

    last : estimator
        The last step.

    Raises
    ------
    CannotStack
        If none can. The message is the reason.
    TypeError, ValueError
        If a parameter of the last step is invalid.
    """
    names, steps = zip(*nested_steps(estimator), strict=True)
    *pipelines, last = steps
    if any(hasattr(pipeline, "_skl_callbacks") for pipeline in pipelines):
        raise CannotStack("its Pipeline has callbacks")
    if not isinstance(last, TABULAR):
        check_trainable(last)
    elif type(last) not in TABULAR:
        name = type(last).__name__
        raise CannotStack(f"{name} is a subclass, whose fit may be its own")
    elif hasattr(last, "_skl_callbacks"):
        raise CannotStack("it has callbacks")
    last._validate_params()
    return "__".join(names[1:]), last


def _key_of_others(path, last, params):
    """Return a key of what else the candidates of a group share.

    These are the metadata requests of the last step, which are equal unless
    `set_fit_request` was called on one of them, and the parameters of other steps.
    """
    # id(value): values may not be hashable, and the candidates of a grid share them.
    others = [
        (name, id(value))
        for name, value in sorted(params.items())
        if path and name != path and not name.startswith(f"{path}__")
    ]
    return str(vars(last).get("_metadata_request")), *others


def _cut_stacks(tasks, n_processes):
    """Cut tasks so that all processes have work.

    Each process gets the same number of whole tasks. The remaining tasks, fewer than
    the processes, are cut into the smallest number of parts that leaves at most a tenth
    of the processes idle: a large stack is faster than two small stacks.
    """
    n_left = len(tasks) % n_processes
    n_parts = next(
        n
        for n in range(1, n_processes + 1)
        if -(n_left * n) % n_processes <= 0.1 * n_left * n
    )
    n_whole = len(tasks) - n_left
    return tasks[:n_whole] + _cut(tasks[n_whole:], n_parts)


def _cut_tables(tasks, n_processes):
    """Cut tasks so that each process has four parts or more.

    The fits of tabular models differ in their times: the parts go to the first free
    process. To encode a table once for each part costs less than an idle process.
    """
    if n_processes == 1 or not tasks:
        return tasks
    return _cut(tasks, -(-4 * n_processes // len(tasks)))


def _cut(tasks, n_parts):
    """Cut each task into parts of even sizes, at most one for each candidate."""
    cut = []
    for task in tasks:
        parts = np.array_split(task.numbers, min(n_parts, len(task.numbers)))
        why = task.why_alone or (_CUT if len(parts) > 1 else None)
        cut += [replace(task, numbers=p.tolist(), why_alone=why) for p in parts]
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
        if task.fit_class is StackFit:
            by_group[task.group].append(task)
        else:
            alone.append([task])
    bundles = [
        of_group[i::n_processes]
        for of_group in by_group.values()
        for i in range(min(n_processes, len(of_group)))
    ]
    return bundles + alone
