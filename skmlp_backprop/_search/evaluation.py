"""The evaluation of a search's candidates, in tasks that fit a stack on a fold each.

Candidates that can't be stacked are fitted by scikit-learn's own function, tabular
models on encoded tables that they share.
"""

from collections import Counter, defaultdict
from contextlib import ExitStack
from itertools import compress

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits

from . import work
from .last_steps import Fit, checked_last_step
from .scoring import is_sklearns
from .sklearn_private import _insert_error_scores, _warn_or_raise_about_fit_failures
from .stacking import CannotStack, stack_key
from .tabular_fits import TabularFit, encoding_key, is_tabular, why_alone
from .tasks import Task, configured, run_tasks


class Evaluation:
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
        self._opened = ExitStack()
        self._parallel = None
        self._n_processes = 0
        self.candidates = []
        self.out = []
        self.more_results = defaultdict(list)
        self.results = {}
        self.n_fits_alone = Counter()
        self.n_stacked = 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return self._opened.__exit__(*error)

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
        self.n_fits_alone.update(why for why in reasons if why is not None)
        n_stacked = reasons.count(None)
        self.n_stacked += n_stacked
        if self.search.verbose > 0:
            print(f"Trained {n_stacked} of {len(reasons)} fits in stacks")
            for why, n_fits in Counter(reasons).items():
                if why is not None:
                    print(f"  {n_fits} one by one: {why}")

    def _fit_and_score_all(self, candidates, splits, context):
        """Return results in scikit-learn's order: by candidate, then by fold."""
        search, n_splits = self.search, len(splits)
        # Made before the first task: a tree of contexts must not change while joblib
        # pickles it.
        contexts = [
            context.subcontext(task_name="candidate-split-evaluation", task_id=i)
            for i in range(len(candidates) * n_splits)
        ]
        known = self._known(candidates, n_splits)
        estimators = [configured(search.estimator, c) for c in candidates]
        groups, reasons, fit_classes = _groups(estimators, candidates)
        self._open(estimators, reasons, splits)
        pairs = self._pairs(estimators, groups, n_splits, known)
        tasks = self._make_tasks(estimators, groups, reasons, fit_classes, pairs)
        for task in tasks:
            task.train, task.test = splits[task.split]
            task.candidates = [
                (
                    candidates[i],
                    ((task.split, n_splits), (i, len(candidates))),
                    contexts[i * n_splits + task.split],
                )
                for i in task.numbers
            ]
        bundles = _bundles(tasks, self._n_processes)
        outs = self._parallel(
            delayed(run_tasks)(
                clone(search.estimator), self.X, self.y, bundle, **self.settings
            )
            for bundle in bundles
        )
        by_place = known | {
            (i, task.split): result
            for bundle, results_of_bundle in zip(bundles, outs, strict=True)
            for task, results in zip(bundle, results_of_bundle, strict=True)
            for i, result in zip(task.numbers, results, strict=True)
        }
        for i, split in known:
            context_of_known = contexts[i * n_splits + split]
            context_of_known.call_on_fit_task_begin(estimator=search)
            context_of_known.call_on_fit_task_end(estimator=search)
        return [by_place[place] for place in sorted(by_place)]

    def _known(self, candidates, n_splits):
        """Known results, by indices of candidate and fold; here none."""
        return {}

    def _open(self, estimators, reasons, splits):
        """Open the processes that shorten the search, unless as many are open."""
        search = self.search
        most = joblib.effective_n_jobs(search.n_jobs)
        chosen, why = 1, None
        if most > 1 and estimators and splits:
            chosen, why = self._choose(most, estimators, reasons, len(splits[0][0]))
        if chosen <= self._n_processes:
            return
        self._opened.close()
        if chosen == 1 < most:
            # As in joblib's processes: on busy cores, threads can make a short search
            # ten times as long.
            self._opened.enter_context(threadpool_limits(1, user_api="blas"))
        n_jobs = search.n_jobs if chosen == most else chosen
        parallel = Parallel(n_jobs=n_jobs, pre_dispatch=search.pre_dispatch)
        self._parallel = self._opened.enter_context(parallel)
        self._n_processes = chosen
        if search.verbose > 0 and why is not None:
            print(why)

    def _choose(self, most, estimators, reasons, n_rows):
        """Choose a number of processes; return it with the reason in a sentence."""
        seconds = None
        if not work.is_default_backend():
            unknown = "the backend of joblib is not its default"
        elif reasons:
            unknown = "there are candidates that can't be stacked"
        elif not is_sklearns(self.settings["scorer"]):
            unknown = "a scorer is not scikit-learn's"
        else:
            unknown = "X is no matrix, or a Pipeline has steps of unknown time"
            seconds = work.estimate_seconds(estimators, self.X, self.y, n_rows)
        if seconds is None:
            return most, f"Using {most} of {most} processes, as n_jobs says: {unknown}."
        chosen, seconds, seconds_of_one = work.fastest_number(
            most,
            [
                (n_candidates * self.search.n_splits_, seconds * factor)
                for n_candidates, factor in self.search._rounds(len(estimators))
            ],
        )
        why = f"takes about {seconds:.1f} s"
        if chosen > 1:
            why += f", with one {seconds_of_one:.1f} s"
        else:
            why += ", and more processes would not shorten it"
        return chosen, f"Using {chosen} of {most} processes: the search {why}."

    def _make_tasks(self, estimators, groups, reasons, fit_classes, pairs):
        """Make the tasks of pairs of a group and a fold."""
        group_of = {i: number for number, group in enumerate(groups) for i in group}
        whole = {(tuple(some), split) for some, split in pairs}
        tasks = []
        are_tables = [fit_classes[some[0]] is TabularFit for some, _ in pairs]
        tables = list(compress(pairs, are_tables))
        others = [
            p for p, is_table in zip(pairs, are_tables, strict=True) if not is_table
        ]
        n_processes = self._n_processes
        for some, split in _cut(others, n_processes) + _cut_finely(tables, n_processes):
            lead, group = some[0], group_of[some[0]]
            if lead in reasons:
                why = reasons[lead]
            elif len(groups[group]) == 1:
                why = _NO_OTHER
            else:
                why = _LEFT if (tuple(some), split) in whole else _CUT
            fit_class = fit_classes[lead]
            make_fit = self._fit_maker(estimators[lead], some, split, fit_class)
            is_stack = fit_class is not TabularFit
            tasks.append(Task(split, some, group, make_fit, why, is_stack))
        return tasks

    def _pairs(self, estimators, groups, n_splits, known):
        """Pairs of a group and a fold, without the candidates whose result is known."""
        pairs = [
            ([i for i in group if (i, split) not in known], split)
            for split in range(n_splits)
            for group in groups
        ]
        return [pair for pair in pairs if pair[0]]

    def _fit_maker(self, lead, numbers, split, fit_class):
        """Return a callable that makes the fit of candidates; `lead` is the first."""
        return fit_class


# Reasons why fits were not stacked, although their parameters permit it.
_NO_OTHER = "no other candidate can share its stack"
_LEFT = "no other candidate of its stack is left"
_CUT = "the processes had one candidate each left to share"


def _groups(estimators, candidates):
    """Group candidates that can be trained as a stack, or share an encoded table.

    Returns
    -------
    groups : list of list of int
        Indices of the candidates of each group.

    reasons : dict of int to str
        For each candidate that can't be stacked, the reason.

    fit_classes : list of type or None
        For each candidate, the class of its fits; None if they are scikit-learn's.
    """
    by_key, reasons, fit_classes = defaultdict(list), {}, []
    for i, (estimator, params) in enumerate(zip(estimators, candidates, strict=True)):
        try:
            key, fit_class = _group_key(estimator, params), Fit
            if is_tabular(estimator):
                fit_class, reasons[i] = TabularFit, why_alone(estimator)
        except CannotStack as why:
            key, fit_class, reasons[i] = i, None, str(why)
        by_key[key].append(i)
        fit_classes.append(fit_class)
    return list(by_key.values()), reasons, fit_classes


def _cut(pairs, n_processes):
    """Divide pairs of a group and a fold so that all processes have work.

    Each process gets the same number of whole pairs. The remaining pairs, fewer than
    the processes, are divided into the smallest number of parts that leaves at most a
    tenth of the processes idle: a large stack is faster than two small stacks.
    """
    n_left = len(pairs) % n_processes
    whole, left = pairs[: len(pairs) - n_left], pairs[len(pairs) - n_left :]
    n_parts = next(
        n
        for n in range(1, n_processes + 1)
        if -(n_left * n) % n_processes <= 0.1 * n_left * n
    )
    return whole + [
        (part.tolist(), split)
        for group, split in left
        for part in np.array_split(group, min(n_parts, len(group)))
    ]


def _cut_finely(pairs, n_processes):
    """Divide pairs of a group and a fold so that each process has four parts or more.

    The fits of tabular models differ in their times: the parts go to the first free
    process. To encode a table once for each part costs less than an idle process.
    """
    if n_processes == 1 or not pairs:
        return pairs
    n_parts = -(-4 * n_processes // len(pairs))
    return [
        (part.tolist(), split)
        for group, split in pairs
        for part in np.array_split(group, min(n_parts, len(group)))
    ]


def _bundles(tasks, n_processes):
    """Bundle tasks; joblib runs each bundle in a single call.

    The tasks of a group form as many bundles as processes: small tasks of a bundle are
    trained as a single stack, and each call costs milliseconds, mostly for its copy of
    X. A task whose candidates are not stacked is a bundle of its own. These
    bundles come last, for the first free process.
    """
    by_group, alone = defaultdict(list), []
    for task in tasks:
        if task.make_fit is None or not task.is_stack:
            alone.append([task])
        else:
            by_group[task.group].append(task)
    bundles = [
        some[i::n_processes]
        for some in by_group.values()
        for i in range(min(n_processes, len(some)))
    ]
    return bundles + alone


def _group_key(estimator, params):
    """Return a key that is equal for candidates of a stack, or of an encoded table.

    Raises
    ------
    CannotStack
        If the candidate can't be stacked. The message is the reason.
    """
    path, last = checked_last_step(estimator)
    key = _last_step_key(last)
    # id(value): values may not be hashable, and the candidates of a grid share them.
    others = tuple(
        (other, id(value))
        for other, value in sorted(params.items())
        if path and other != path and not other.startswith(f"{path}__")
    )
    return key, others


def _last_step_key(last):
    """Return the key of a stack, and the metadata requests of its estimators."""
    try:
        key = encoding_key(last) if is_tabular(last) else stack_key(last)
        last._validate_params()
    except CannotStack:
        raise
    except Exception as error:
        # The candidate's own fit then raises the error of its invalid parameter.
        raise CannotStack("its parameters are invalid") from error
    # Estimators of one class request the same metadata, unless `set_fit_request` was
    # called on one of them.
    return key, str(vars(last).get("_metadata_request"))
