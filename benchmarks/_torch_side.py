"""The same networks in plain PyTorch."""

import numpy as np
import torch


def make_network(mlp, dtype):
    """A module with a fitted classifier's weights, and its weights apart."""
    layers = []
    for i, (coef, intercept) in enumerate(
        zip(mlp.coefs_, mlp.intercepts_, strict=True)
    ):
        linear = torch.nn.Linear(*coef.shape, dtype=dtype)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(np.ascontiguousarray(coef.T)))
            linear.bias.copy_(torch.from_numpy(np.ascontiguousarray(intercept)))
        layers.append(linear)
        if i < mlp.n_layers_ - 2:
            layers.append(
                torch.nn.Sigmoid() if mlp.activation == "logistic" else torch.nn.ReLU()
            )
    network = torch.nn.Sequential(*layers)
    return network, [layer.weight for layer in layers if hasattr(layer, "weight")]


def forward_backward(mlp, X, y):
    """A function that evaluates J and its gradient once; returns J."""
    X = torch.from_numpy(X)
    network, weights = make_network(mlp, X.dtype)
    if mlp.output_activation == "logistic":
        one_hot = np.eye(10)[np.searchsorted(mlp.classes_, y)]
        target = torch.from_numpy(one_hot).to(X.dtype)
        loss_function = torch.nn.BCEWithLogitsLoss(reduction="sum")
    else:
        target = torch.from_numpy(y)
        loss_function = torch.nn.CrossEntropyLoss(reduction="sum")

    def call():
        network.zero_grad(set_to_none=True)
        penalty = sum((w * w).sum() for w in weights)
        data_loss = loss_function(network(X), target)
        loss = (data_loss + mlp.alpha / 2 * penalty) / len(X)
        loss.backward()
        return loss.item()

    return call


def train(mlp, X, y, batch_size, solver, learning_rate, n_epochs, orders):
    """Plain training loop from a classifier's weights; returns the last epoch's loss.

    The penalty is weight decay of the weights, as an experienced user would have it.
    """
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    network, weights = make_network(mlp, X.dtype)
    biases = [p for p in network.parameters() if all(p is not w for w in weights)]
    groups = [
        {"params": weights, "weight_decay": mlp.alpha / batch_size},
        {"params": biases, "weight_decay": 0.0},
    ]
    if solver == "sgd":
        optimizer = torch.optim.SGD(
            groups, lr=learning_rate, momentum=0.9, nesterov=True
        )
    else:
        optimizer = torch.optim.Adam(groups, lr=learning_rate)
    loss_function = torch.nn.CrossEntropyLoss()
    for order in orders[:n_epochs]:
        order = torch.from_numpy(order)
        total = 0.0
        for index in order.split(batch_size):
            optimizer.zero_grad()
            loss = loss_function(network(X[index]), y[index])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(index)
    # J has the penalty, which the loop above leaves to the weight decay.
    penalty = sum((w * w).sum().item() for w in weights)
    return total / len(X) + mlp.alpha / (2 * batch_size) * penalty
