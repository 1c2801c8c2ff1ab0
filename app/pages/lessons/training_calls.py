"""The calls of the chapter about training, and what its questions ask of the tree."""

from typing import Any

import torch
from torch import nn

from app.pages.lessons.printing import print  # noqa: A004


def loss_before(model: Any) -> None:
    x = torch.arange(10).float().view(-1, 1)
    y = 2 * x + 1
    print(x.shape, y.flatten())
    print(nn.MSELoss()(model(x), y).item())


def one_step(model: Any) -> None:
    x = torch.arange(10).float().view(-1, 1)
    y = 2 * x + 1
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    prediction = model(x)
    loss = nn.MSELoss()(prediction, y)
    optimizer.zero_grad()
    loss.backward()
    print("gradient:", model.weight.grad, model.bias.grad)
    optimizer.step()
    print(f"then: weight {model.weight.item():.4f}, bias {model.bias.item():.4f}")


def train(model: Any) -> None:
    x = torch.arange(10).float().view(-1, 1)
    y = 2 * x + 1
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    criterion = nn.MSELoss()

    for epoch in range(10):
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        print(f"epoch {epoch}: {loss.item()}")
        optimizer.step()


def predict(model: Any) -> None:
    x = torch.arange(10).float().view(-1, 1)
    print(model(x).flatten())
    print(model(torch.tensor([[10.0]])))


def train_at(model: Any, lr: float = 0.1) -> None:
    # The loop as before, with this optimizer:
    torch.optim.SGD(model.parameters(), lr=lr)


def reach(model: Any) -> None:
    x = torch.arange(10).float().view(-1, 1)
    y = 2 * x + 1
    nn.MSELoss()(model(x), y).backward()
    print("not called:", model.sub1.weight.grad)

    nn.MSELoss()(model.sub1(model(x)), y).backward()
    print("called:    ", model.sub1.weight.grad)


def miss(model: Any) -> float:
    """By how much the model's answer at x = 10 differs from 21."""
    difference: float = model(torch.tensor([[10.0]])).item() - 21
    return abs(difference)


def is_trained(model: Any) -> bool:
    """Whether the model is near the line that the data was made from."""
    x = torch.arange(10.0)
    return bool(nn.MSELoss()(model(x), 2 * x + 1).item() < 0.5)
