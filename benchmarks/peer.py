"""The same training steps in PyTorch's eager mode, as its tutorials write them, with its fused Adam."""

from itertools import pairwise

import torch
from torch import nn


def stepper(model, x, y, batch_size):
    """A function that trains on the next batch in turn."""
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    loss_of = nn.CrossEntropyLoss()
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    state = {"at": 0, "order": torch.randperm(len(x))}

    def step():
        if state["at"] + batch_size > len(x):
            state["at"], state["order"] = 0, torch.randperm(len(x))
        rows = state["order"][state["at"] : state["at"] + batch_size]
        state["at"] += batch_size
        loss = loss_of(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def mlp(*sizes):
    """Linear layers of these sizes with ReLU in between."""
    layers = []
    for k, (a, b) in enumerate(pairwise(sizes)):
        layers += [nn.ReLU()] if k else []
        layers.append(nn.Linear(a, b))
    return nn.Sequential(*layers)


def cnn():
    """Two convolutions of 32 and 64 channels with pooling, and a dense layer: 28 × 28 pixels, ten classes."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 7 * 7, 10),
    )
