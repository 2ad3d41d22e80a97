"""A stack of networks that takes its steps on a device."""

from copy import deepcopy
from itertools import groupby

import numpy as np
import torch

from .._network.inputs import TableRows
from .._network.objective import BLOCK_ROWS
from .._network.parameters import column
from .._solvers.rules import stack_rules
from .._solvers.stack import GAIN, Stack
from .network import TorchNetwork, from_matrix, to_matrix
from .rules import STEPS, TorchLevels

# All that steps change.
_ON_DEVICE = (
    "_matrix",
    "_state",
    "_scales",
    "_state_of_scales",
    "_levels",
    "_average",
)
# Most entries of the activations of a layer when networks are judged.
_MOST_ENTRIES = 2**26


class TorchStack(Stack):
    """A stack whose rows, weights and moments are on a device.

    After each epoch the weights, and their average, are copied to `parameters` and
    `average`. So all that comes between two epochs is as on the CPU.

    Parameters
    ----------
    place : torch.device
        The device.

    is_scaled : bool
        Whether it learns scales of the inputs, see :class:`.ScaledInputStack`.

    objective, solvers, batches, average, judge
        As of :class:`.Stack`.
    """

    def __init__(self, place, is_scaled, objective, solvers, batches, average, judge):
        self._place = place
        self._is_scaled = is_scaled
        self._dtype = getattr(torch, objective.parameters.dtype.name)
        super().__init__(objective, solvers, batches, average, judge)
        output = objective.network.output
        self._rows = self._rows_of_judge = _TorchRows(
            batches.source, output, self._tensor
        )
        if judge is not None and judge.rows is not batches.source:
            self._rows_of_judge = _TorchRows(judge.rows, output, self._tensor)
        self._set_judged()

    def _tensor(self, array):
        """Copy an array to the device, numbers in the precision of the weights."""
        dtype = self._dtype if array.dtype.kind == "f" else torch.int64
        return torch.tensor(array, dtype=dtype, device=self._place)

    def _set_groups(self, states):
        """Copy the weights, and what the rule needs, to the device."""
        parameters = self.parameters
        self._network = TorchNetwork(self.objective.network, parameters)
        self._matrix = self._tensor(to_matrix(parameters))
        self._alpha = self._tensor(self.objective.alpha)
        self._average = self._levels = self._scales = None
        self._state_of_scales = None
        if self.average is not None:
            self._average = self._tensor(to_matrix(self.average.parameters))
        if parameters.levels is not None:
            levels = np.pad(parameters.levels.swapaxes(0, 1), ((0, 1), (0, 0), (0, 0)))
            self._levels = TorchLevels(self._tensor(levels))
        self._set_rule()
        self._state = self._new_state(self._matrix)
        if all(earlier is not None for earlier in states):
            self._state["n_steps"] = states[0]["n_steps"]
            for name in self._rule.moments:
                moments = [to_matrix(state[name]) for state in states]
                self._state[name] = self._tensor(np.concatenate(moments))
        if self._is_scaled:
            n_inputs = parameters.weights[0].shape[2]
            self._scales = self._matrix.new_ones((parameters.n_stack, n_inputs))
            self._state_of_scales = self._new_state(self._scales)

    def _set_rule(self):
        self._rule = stack_rules(self._rules)
        self._step_by = STEPS[type(self._rule)]

    def _new_state(self, weights):
        moments = {name: torch.zeros_like(weights) for name in self._rule.moments}
        return {"n_steps": 0, **moments}

    def _set_judged(self):
        """Put networks that are judged by the same rows side by side."""
        self._judged = []
        if self.judge is not None:
            rows = [self.judge.numbers(i) for i in range(self.parameters.n_stack)]
            for _, some in groupby(range(len(rows)), lambda i: id(rows[i])):
                some = list(some)
                networks = slice(some[0], some[-1] + 1)
                self._judged.append((networks, self._tensor(rows[some[0]])))

    def state_of(self, i):
        state = {"n_steps": self._state["n_steps"]}
        for name in self._rule.moments:
            state[name] = self.parameters.without_levels().network(i).copy()
            from_matrix(self._state[name][i : i + 1].cpu().numpy(), state[name])
        return state

    def get_state(self):
        on_device = {name: deepcopy(vars(self)[name]) for name in _ON_DEVICE}
        return {**self._get_shared_state(), "on_device": on_device}

    def set_state(self, state):
        vars(self).update(deepcopy(state["on_device"]))
        self._set_shared_state(state)
        self._download()

    def select(self, indices, parameters):
        self._drop_others(indices, parameters)
        some = torch.tensor(indices, device=self._place)
        self._matrix, self._alpha = self._matrix[some], self._alpha[some]
        if self._average is not None:
            self._average = self._average[some]
        for name in self._rule.moments:
            self._state[name] = self._state[name][some]
        self._set_rule()
        self._set_judged()

    def run_epoch(self, order, rates):
        plan = self.batches.plan(order)
        rows, n_stack = self.batches.batch_size, self.parameters.n_stack
        index = self._tensor(plan.index)
        weights = None if plan.weights is None else self._tensor(plan.weights)
        losses = self._matrix.new_zeros((len(plan.sums), n_stack))
        sums, self._rate = np.empty((len(plan.sums), n_stack)), column(rates)
        least = np.finfo(self.parameters.dtype).tiny
        self.n_steps = 0
        sums_of_batches = zip(plan.sums, plan.sums_by_network, strict=True)
        try:
            for number, of_batch in enumerate(sums_of_batches):
                if self.is_cancelled:
                    break
                if of_batch[0] < least:
                    continue
                some = slice(number * rows, (number + 1) * rows)
                w = None if weights is None else weights[..., some]
                losses[self.n_steps] = self._take_step(index[..., some], w, *of_batch)
                sums[self.n_steps] = of_batch[1]
                self.n_steps += 1
        finally:
            self.losses = losses[: self.n_steps].cpu().numpy().astype(np.float64)
            self._download()
        return self.losses, sums[: self.n_steps], self._predictions()

    def _take_step(self, index, weights, weight_sum, sum_by_network):
        """Take a step on a batch; return J of each network before it."""
        X, codes, target = self._rows.take(index)
        leaves, touched, one_hot = [self._matrix], None, None
        if self._scales is not None:
            leaves.append(self._scales)
        if codes is not None:
            touched, one_hot = self._levels.touch(codes)
            leaves.append(self._levels.weights[touched])
        with torch.enable_grad():
            leaves = [leaf.detach().requires_grad_() for leaf in leaves]
            matrix, of_levels = leaves[0], None
            if self._scales is not None:
                matrix = self._network.scaled(matrix, leaves[1])
            if codes is not None:
                of_levels = _sum_of_levels(one_hot, leaves[-1])
            masks = self._masks(X.shape[-2])
            logits = self._network.logits(matrix, X, of_levels, masks)
            losses = self._network.losses(logits, target)
            if weights is not None:
                losses = losses * weights
            loss = losses.sum(1) / weight_sum
            gradients = list(torch.autograd.grad(loss.sum(), leaves))
        loss = loss.detach() + self._add_penalty(gradients[0], sum_by_network)
        self._step_by(self._rule, self._matrix, gradients[0], self._state, self._rate)
        if self._scales is not None:
            of_scales = self._scales, gradients[1], self._state_of_scales
            self._step_by(self._rule, *of_scales, GAIN * self._rate)
        if codes is not None:
            self._levels.step(touched, gradients[-1], self._rate)
        share = 0 if self.average is None else self.average.next_share()
        if share:
            for average, latest in zip(self._averaged(), self._latest(), strict=True):
                if average is not None:
                    average.lerp_(latest, share)
        return loss

    def _add_penalty(self, gradient, weight_sum):
        """Add the penalty's gradient; return the penalty of each network."""
        if not self.objective.alpha.any():
            return 0
        n = self._network.n_weights
        if isinstance(weight_sum, np.ndarray):
            weight_sum = self._tensor(weight_sum)
        weights = self._matrix[:, :n]
        derivative = weights * (self._alpha / weight_sum)[:, None]
        gradient[:, :n] += derivative
        return 0.5 * (weights * derivative).sum(1)

    def _masks(self, n_rows):
        """Draw the masks of a batch in the order, and the blocks, of the CPU."""
        dropout, dtype = self.objective.dropout, self.parameters.dtype
        if dropout is None:
            return ()
        block = n_rows if self._levels is not None else BLOCK_ROWS
        shapes = list(zip(dropout.rates, self._network.n_units, strict=False))
        blocks = [
            [
                dropout.mask(rate, (n_units, min(block, n_rows - start)), dtype)
                if rate > 0
                else np.ones((1, 1), dtype)
                for rate, n_units in shapes
            ]
            for start in range(0, n_rows, block)
        ]
        layers = zip(*blocks, strict=True)
        return [
            self._tensor(np.concatenate(of_layer, axis=1)) if rate > 0 else None
            for (rate, _), of_layer in zip(shapes, layers, strict=True)
        ]

    def _latest(self):
        """The weights that the rows meet, and those of levels or None."""
        matrix = self._matrix
        if self._scales is not None:
            matrix = self._network.scaled(matrix, self._scales)
        return matrix, None if self._levels is None else self._levels.weights

    def _averaged(self):
        """The average of these."""
        return self._average, None if self._levels is None else self._levels.average

    def _download(self):
        """Copy the weights, and their average, to memory."""
        copies = [(self.parameters, *self._latest())]
        if self.average is not None:
            copies.append((self.average.parameters, *self._averaged()))
        for parameters, matrix, levels in copies:
            from_matrix(matrix.cpu().numpy(), parameters)
            if levels is not None:
                parameters.levels[...] = levels[:-1].cpu().numpy().swapaxes(0, 1)

    def _predictions(self):
        """Each network's logits of the rows that the judge has for it."""
        if self.judge is None:
            return None
        matrix, levels = self._latest() if self.average is None else self._averaged()
        predictions = []
        for networks, index in self._judged:
            logits = self._logits(matrix[networks], levels, networks, index)
            predictions += list(logits)
        return predictions

    def _logits(self, matrix, levels, networks, index):
        """Logits of some rows, of shape (n_networks, n_rows, n_outputs)."""
        rows, network = self._rows_of_judge, self._network
        width = max(rows.n_features, *network.n_units)
        most = max(1, _MOST_ENTRIES // (len(matrix) * width))
        if levels is not None:
            # One-hot columns are of as many levels as there are rows, or more.
            most = min(most, BLOCK_ROWS)
        blocks = []
        for some in index.split(most):
            X, codes, _ = rows.take(some)
            of_levels = None
            if codes is not None:
                touched, one_hot = self._levels.touch(codes)
                of_levels = _sum_of_levels(one_hot, levels[touched][:, networks])
            logits = network.logits(matrix, X, of_levels)
            blocks.append(logits.transpose(1, 2))
        return torch.cat(blocks, 1).cpu().numpy()


def _sum_of_levels(one_hot, weights):
    """Add up the weights of the levels of each row, (n_stack, n_units, n_rows)."""
    of_rows = one_hot @ weights.flatten(1)
    return of_rows.unflatten(1, weights.shape[1:]).permute(1, 2, 0)


class _TorchRows:
    """Rows and targets on the device.

    Parameters
    ----------
    rows : Rows
        The rows.

    output : Output
        What the targets are for.

    tensor : callable
        Copies an array to the device.
    """

    def __init__(self, rows, output, tensor):
        X, targets = rows.X, rows.targets
        self._levels = None
        if isinstance(X, TableRows):
            if X.codes.shape[1]:
                self._levels = tensor(X.codes)
            X = X.numbers
        self.n_features = X.shape[1]
        self._X = tensor(X)
        self._codes = None
        if targets.ndim == 1:
            self._codes = tensor(
                np.arange(output.n_outputs)[:, None] + output.first_code
            )
        else:
            targets = targets.astype(X.dtype)
        self._targets = tensor(targets)

    def take(self, index):
        """Gather the numbers, the levels, and the targets as a loss takes them."""
        levels = None if self._levels is None else self._levels[index]
        X, targets = self._X[index], self._targets[index]
        if self._codes is None:
            return X, levels, targets.transpose(-1, -2)
        return X, levels, (targets[..., None, :] == self._codes).to(X.dtype)
