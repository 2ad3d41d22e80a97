"""A stack of networks that takes its steps on a device."""

from itertools import groupby

import numpy as np
import torch

from .._network.objective import BLOCK_ROWS
from .._network.parameters import column
from .._network.rows import TableRows
from .._solvers.rules import stack_rules
from .._solvers.stack import GAIN, Stack
from .network import TorchNetwork, from_matrix, to_matrix
from .rules import STEPS, TorchLevels

# The attributes that steps change.
_ON_DEVICE = "_weights", "_states", "_levels", "_average"
# Most entries of the activations of a layer when networks are judged.
_MAX_ENTRIES = 2**26


class TorchStack(Stack):
    """A stack whose rows, weights and moments are on a device.

    After each epoch the weights, and their average, are copied to `parameters` and
    `average`. So the code that runs between two epochs is the same as on the CPU.

    Parameters
    ----------
    place : torch.device
        The device.

    scales : ndarray of shape (n_stack, n_inputs) or None
        The scales of the inputs with which the training begins, see
        :class:`.ScaledInputStack`; None for a stack that learns no scales.

    objective, solvers, batches, average, judge
        See :class:`.Stack`.
    """

    def __init__(self, place, scales, objective, solvers, batches, average, judge):
        self._place = place
        self._initial_scales = scales
        self._dtype = getattr(torch, objective.parameters.dtype.name)
        super().__init__(objective, solvers, batches, average, judge)
        output = objective.network.output
        self._rows = _TorchRows(batches.source, output, self._tensor)
        self._rows_of_judge = self._rows
        if judge is not None and judge.rows is not batches.source:
            self._rows_of_judge = _TorchRows(judge.rows, output, self._tensor)
        self._set_judged()

    def _tensor(self, array):
        """Copy an array to the device, numbers in the precision of the weights."""
        dtype = self._dtype if array.dtype.kind == "f" else torch.int64
        return torch.tensor(array, dtype=dtype, device=self._place)

    def _set_states(self, states):
        """Copy the weights, and the state of the rule, to the device."""
        parameters = self.parameters
        self._network = TorchNetwork(self.objective.network, parameters)
        self._alpha = self._tensor(self.objective.alpha)
        # The matrix of the weights and, if there are any, the scales.
        self._weights = [self._tensor(to_matrix(parameters))]
        n_numbers, scales = parameters.layers[0].shape[2] - 1, self._initial_scales
        if scales is not None:
            self._weights.append(self._tensor(scales[:, :n_numbers]))
        self._levels = self._average = None
        if parameters.levels is not None:
            # The last level is none.
            of_levels = np.pad(scales[:, n_numbers:].T, ((0, 1), (0, 0)))
            self._levels = TorchLevels(
                self._levels_tensor(parameters), self._tensor(of_levels)
            )
        if self.average is not None:
            averages = self.average.parameters
            self._average = [self._tensor(to_matrix(averages))]
            if averages.levels is not None:
                self._average.append(self._levels_tensor(averages))
        self._rule = stack_rules(self._rules)
        self._states = [
            {"n_steps": 0} | {name: torch.zeros_like(w) for name in self._rule.moments}
            for w in self._weights
        ]
        if all(earlier is not None for earlier in states):
            self._states[0]["n_steps"] = states[0]["n_steps"]
            for name in self._rule.moments:
                moments = [to_matrix(state[name]) for state in states]
                self._states[0][name] = self._tensor(np.concatenate(moments))

    def _levels_tensor(self, parameters):
        """Copy the weights of levels, and a last level of zeros."""
        levels = parameters.levels.swapaxes(0, 1)
        return self._tensor(np.pad(levels, ((0, 1), (0, 0), (0, 0))))

    def _set_judged(self):
        """Put networks that are judged by the same rows side by side."""
        self._judged = []
        if self.judge is not None:
            rows = [self.judge.numbers(i) for i in range(self.parameters.n_stack)]
            for _, networks in groupby(range(len(rows)), lambda i: id(rows[i])):
                first, *others = networks
                networks = slice(first, first + 1 + len(others))
                self._judged.append((networks, self._tensor(rows[first])))

    def state_of(self, i):
        on_device = self._states[0]
        state = {"n_steps": on_device["n_steps"]}
        for name in self._rule.moments:
            state[name] = self.parameters.without_levels().network(i).copy()
            from_matrix(on_device[name][i : i + 1].cpu().numpy(), state[name])
        return state

    def get_state(self):
        on_device = {name: vars(self)[name] for name in _ON_DEVICE}
        return {**self._get_shared_state(), "on_device": on_device}

    def set_state(self, state):
        vars(self).update(state["on_device"])
        self._set_shared_state(state)
        self._download()

    def select(self, indices, parameters):
        self._drop_others(indices, parameters)
        index = torch.tensor(indices, device=self._place)
        self._alpha = self._alpha[index]
        self._weights = [weights[index] for weights in self._weights]
        if self._average is not None:
            self._average = [average[index] for average in self._average]
        for state in self._states:
            for name in self._rule.moments:
                state[name] = state[name][index]
        self._rule = stack_rules(self._rules)
        self._set_judged()

    def run_epoch(self, order, rates):
        plan, rate = self.batches.plan(order), column(rates)
        size, shape = self.batches.batch_size, (len(plan.sums), self.parameters.n_stack)
        index, weights = self._tensor(plan.index).split(size, -1), [None] * shape[0]
        if plan.weights is not None:
            weights = self._tensor(plan.weights).split(size, -1)
        losses, in_epoch = self._weights[0].new_zeros(shape), np.empty(shape)
        # A batch of less weight is skipped, as on the CPU.
        tiny = np.finfo(self.parameters.dtype).tiny
        self.n_steps = 0
        batches = zip(index, weights, *plan[2:], strict=True)
        try:
            for *batch, weight_sum, sum_by_network, of_batch in batches:
                if weight_sum < tiny:
                    continue
                losses[self.n_steps] = self._take_step(
                    *batch, weight_sum, sum_by_network, rate
                )
                in_epoch[self.n_steps] = of_batch
                self.n_steps += 1
        finally:
            self.losses = losses[: self.n_steps].cpu().numpy().astype(np.float64)
            self._download()
        return self.losses, in_epoch[: self.n_steps], self._predictions()

    def _take_step(self, index, weights, weight_sum, sum_by_network, rate):
        """Take a step on a batch; return J of each network before it."""
        X, codes, target = self._rows.take(index)
        leaves, touched, one_hot = [*self._weights], None, None
        if codes is not None:
            touched, one_hot = self._levels.touch(codes)
            leaves.append(self._levels.weights[touched])
        with torch.enable_grad():
            leaves = [leaf.detach().requires_grad_() for leaf in leaves]
            matrix = self._network.scaled(*leaves[: len(self._weights)])
            level_sums = None if codes is None else sum_of_levels(one_hot, leaves[-1])
            masks = self._masks(X.shape[-2])
            logits = self._network.logits(matrix, X, level_sums, masks)
            if weights is not None:
                # A row of weight 0 has no effect, even if its loss would be infinite.
                logits = logits.masked_fill((weights == 0).unsqueeze(-2), 0)
            losses = self._network.losses(logits, target)
            if weights is not None:
                losses = losses * weights
            loss = losses.sum(1) / weight_sum
            gradients = torch.autograd.grad(loss.sum(), leaves)
        loss = loss.detach()
        if self.objective.alpha.any():
            loss += self._add_penalty(gradients[0], sum_by_network)
        # Not strict: the levels add a gradient, and GAIN is for the scales alone.
        steps = zip(self._weights, gradients, self._states, (1, GAIN), strict=False)
        take_step = STEPS[type(self._rule)]
        for stepped, gradient, state, gain in steps:
            take_step(self._rule, stepped, gradient, state, gain * rate)
        if codes is not None:
            self._levels.step(touched, gradients[-1], rate)
        share = 0 if self.average is None else self.average.next_share()
        if share:
            for average, latest in zip(self._average, self._latest(), strict=True):
                average.lerp_(latest, share)
        return loss

    def _add_penalty(self, gradient, weight_sum):
        """Add the penalty's gradient; return the penalty of each network."""
        if isinstance(weight_sum, np.ndarray):
            weight_sum = self._tensor(weight_sum)
        n_weights = self._network.n_weights
        weights = self._weights[0][:, :n_weights]
        derivative = weights * (self._alpha / weight_sum)[:, None]
        gradient[:, :n_weights] += derivative
        return 0.5 * (weights * derivative).sum(1)

    def _masks(self, n_rows):
        """Draw the masks of a batch in the order, and the blocks, of the CPU."""
        dropout = self.objective.dropout
        if dropout is None:
            return ()
        block = n_rows if self._levels is not None else BLOCK_ROWS
        masks = [[] for _ in dropout.rates]
        for start in range(0, n_rows, block):
            for i, rate in enumerate(dropout.rates):
                shape = self._network.n_units[i], min(block, n_rows - start)
                if rate > 0:
                    masks[i].append(dropout.mask(rate, shape, self.parameters.dtype))
        return [
            self._tensor(np.concatenate(blocks, axis=1)) if blocks else None
            for blocks in masks
        ]

    def _latest(self):
        """The matrix of the scaled weights and, if any, the weights of levels."""
        matrix = self._network.scaled(*self._weights)
        return [matrix] if self._levels is None else [matrix, self._levels.weights]

    def _download(self):
        """Copy the weights, and their average, to memory."""
        copies = [(self.parameters, self._latest())]
        if self.average is not None:
            copies.append((self.average.parameters, self._average))
        for parameters, (matrix, *levels) in copies:
            from_matrix(matrix.cpu().numpy(), parameters)
            for weights in levels:
                parameters.levels[...] = weights[:-1].cpu().numpy().swapaxes(0, 1)

    def _predictions(self):
        """The logits of each network for the rows by which the judge scores it."""
        if self.judge is None:
            return None
        matrix, *levels = self._average or self._latest()
        predictions = []
        for networks, index in self._judged:
            of_networks = [matrix[networks], *(w[:, networks] for w in levels)]
            predictions += list(self._logits(index, *of_networks))
        return predictions

    def _logits(self, index, matrix, levels=None):
        """Logits of the judge's rows, of shape (n_networks, n_rows, n_outputs)."""
        rows = self._rows_of_judge
        width = max(rows.n_features, *self._network.n_units)
        block = max(1, _MAX_ENTRIES // (len(matrix) * width))
        if levels is not None:
            # One-hot columns are of as many levels as there are rows, or more.
            block = min(block, BLOCK_ROWS)
        logits = []
        for index_of_block in index.split(block):
            X, codes, _ = rows.take(index_of_block)
            level_sums = None
            if codes is not None:
                touched, one_hot = self._levels.touch(codes)
                level_sums = sum_of_levels(one_hot, levels[touched])
            z = self._network.logits(matrix, X, level_sums)
            logits.append(z.transpose(1, 2))
        return torch.cat(logits, 1).cpu().numpy()


def sum_of_levels(one_hot, weights):
    """Add up the weights of the levels of each row, (n_stack, n_units, n_rows)."""
    sums = one_hot @ weights.flatten(1)
    return sums.unflatten(1, weights.shape[1:]).permute(1, 2, 0)


class _TorchRows:
    """Rows and targets on the device.

    Parameters
    ----------
    rows : Rows
        The rows.

    output : Output
        The output of the networks, whose targets these are.

    tensor : callable
        Copies an array to the device.
    """

    def __init__(self, rows, output, tensor):
        X, targets = rows.X, rows.targets
        self._levels = self._codes = None
        if isinstance(X, TableRows):
            if X.codes.shape[1]:
                self._levels = tensor(X.codes)
            X = X.numbers
        self.n_features = X.shape[1]
        self._X = tensor(X)
        if targets.ndim == 1:
            codes = np.arange(output.n_outputs) + output.first_code
            self._codes = tensor(codes[:, np.newaxis])
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
